// Errors are values: a call gives either a value or a failure with a stable code.

import type { ApiError } from './wire';

/** What went wrong, in words a person can act on. `status` is 0 when nothing answered. */
export interface Failure extends ApiError {
  status: number;
}

export type Result<T> = { ok: true; value: T } | { ok: false; error: Failure };

export const ok = <T>(value: T): Result<T> => ({ ok: true, value });

export const failed = (code: string, message: string, next = '', status = 0): Result<never> => ({
  ok: false,
  error: { code, message, next, status },
});

/** The hub did not answer at all: no network, or the hub is down. */
export const isUnreachable = (failure: Failure): boolean => failure.code === 'hub.unreachable';

/** Carries a failure through code that must throw (promise chains, workers). */
export class FailureError extends Error {
  readonly failure: Failure;
  constructor(failure: Failure) {
    super(failure.message);
    this.failure = failure;
  }
}

/** Any thrown thing as a failure; never shows a stack to people. */
export function toFailure(thrown: unknown): Failure {
  if (thrown instanceof FailureError) return thrown.failure;
  if (isFailureShape(thrown)) return { next: '', status: 0, ...thrown };
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  return {
    code: 'client.unexpected',
    message: `something in this client failed: ${text}`,
    next: 'Reload the page. If it happens again, tell your administrator what you did.',
    status: 0,
  };
}

function isFailureShape(thrown: unknown): thrown is { code: string; message: string; next?: string; status?: number } {
  if (typeof thrown !== 'object' || thrown === null) return false;
  const shape = thrown as Record<string, unknown>;
  return typeof shape['code'] === 'string' && typeof shape['message'] === 'string';
}
