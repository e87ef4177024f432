// The hub's HTTP API. Every call answers with a Result; nothing here throws.

import { failed, ok, type Result } from './result';
import type {
  ApiError,
  AppList,
  Download,
  DownloadPreview,
  Enrol,
  Enrolled,
  Lease,
  Me,
  NewPasskey,
  Passkey,
  PasskeyChallenge,
  PasskeyOptions,
  PasskeySignIn,
  RecoveryCodes,
  SearchHits,
  SecondFactorOn,
  SecondFactorProposal,
  SignInWays,
} from './wire';

const BASE = '/api/v1';

/** Longest wait for an answer before we call the hub unreachable. */
const TIMEOUT_MS = 15_000;

export const hub = {
  me: () => call<Me>('GET', '/me', undefined, 6_000),
  signIn: (user: string, password: string, code?: string) => call<Me>('POST', '/sign-in', { user, password, code }),
  proposeSecondFactor: (user: string, password: string) => call<SecondFactorProposal>('POST', '/second-factor', { user, password }),
  confirmSecondFactor: (user: string, password: string, code: string) =>
    call<SecondFactorOn>('POST', '/second-factor/confirm', { user, password, code }),
  newRecoveryCodes: (user: string, password: string, code: string) =>
    call<RecoveryCodes>('POST', '/second-factor/recovery-codes', { user, password, code }),
  removeSecondFactor: (user: string, password: string, code: string) =>
    call<void>('POST', '/second-factor/remove', { user, password, code }),
  passkeyChallenge: () => call<PasskeyChallenge>('POST', '/sign-in/passkey/challenge'),
  passkeySignIn: (body: PasskeySignIn) => call<Me>('POST', '/sign-in/passkey', body),
  passkeys: () => call<Passkey[]>('GET', '/passkeys'),
  passkeyOptions: () => call<PasskeyOptions>('POST', '/passkeys/challenge'),
  addPasskey: (body: NewPasskey) => call<Passkey>('POST', '/passkeys', body),
  renamePasskey: (id: string, name: string) => call<void>('POST', `/passkeys/${part(id)}`, { name }),
  removePasskey: (id: string) => call<void>('DELETE', `/passkeys/${part(id)}`),
  signInWays: () => call<SignInWays>('GET', '/sign-in/ways'),
  signOut: () => call<void>('POST', '/sign-out'),
  apps: () => call<AppList>('GET', '/apps'),
  search: (words: string) => call<SearchHits>('GET', `/search?q=${part(words)}`),
  enrol: (body: Enrol) => call<Enrolled>('POST', '/devices', body),
  challenge: (device: string) => call<{ nonce: string }>('POST', `/devices/${part(device)}/challenge`),
  deviceSignIn: (device: string, nonce: string, signature: string) =>
    call<Me>('POST', `/devices/${part(device)}/sign-in`, { nonce, signature }),
  lease: (device: string) => call<Lease>('POST', `/devices/${part(device)}/lease`),
  forgetRemembered: (device: string) => call<void>('DELETE', `/devices/${part(device)}/remembered`),
  preview: (app: string) => call<DownloadPreview>('GET', `/apps/${part(app)}/download-preview`, undefined, 60_000),
  startDownload: (app: string, device: string) =>
    call<Download>('POST', `/apps/${part(app)}/downloads`, { device }, 60_000),
  download: (id: string) => call<Download>('GET', `/downloads/${part(id)}`),
  dropDownload: (id: string) => call<void>('DELETE', `/downloads/${part(id)}`),
  packageUrl: (id: string) => `${BASE}/downloads/${part(id)}/package`,
};

const part = encodeURIComponent;

async function call<T>(method: string, path: string, body?: unknown, timeoutMs = TIMEOUT_MS): Promise<Result<T>> {
  const init: RequestInit = {
    method,
    credentials: 'same-origin',
    cache: 'no-store',
    headers: body === undefined ? { Accept: 'application/json' } : { Accept: 'application/json', 'Content-Type': 'application/json' },
    signal: AbortSignal.timeout(timeoutMs),
  };
  if (body !== undefined) init.body = JSON.stringify(body);
  let response: Response;
  try {
    response = await fetch(BASE + path, init);
  } catch {
    return failed(
      'hub.unreachable',
      'the hub does not answer',
      'Check your connection. What is on this device opens without one.',
    );
  }
  return read<T>(response);
}

/** Reads an answer; an error body that is not ours still becomes a failure with a code. */
export async function read<T>(response: Response): Promise<Result<T>> {
  if (response.status === 204) return ok(undefined as T);
  let body: unknown;
  try {
    body = await response.json();
  } catch {
    body = undefined;
  }
  if (response.ok && body !== undefined) return ok(body as T);
  const error = (body as { error?: Partial<ApiError> } | undefined)?.error;
  if (error?.code && error.message) {
    return failed(error.code, error.message, error.next ?? '', response.status);
  }
  if (response.status >= 502 && response.status <= 504) {
    return failed('hub.unreachable', 'the hub does not answer', 'Try again in a moment.', response.status);
  }
  return failed(
    'hub.bad_answer',
    `the hub answered in a way this client does not understand (status ${response.status})`,
    'Reload the page to get the newest client.',
    response.status,
  );
}
