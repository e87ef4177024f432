// The page's end of the wire to the device worker.

import { FailureError } from '../result';
import type { LeaseStatus, OperationName, Operations, WorkerReply, WorkerRequest } from './protocol';

export type Progress = Extract<WorkerReply, { event: 'progress' }>;

export class WorkerLink {
  onProgress: (progress: Progress) => void = () => {};
  onLease: (status: LeaseStatus) => void = () => {};
  #worker: Worker;
  #next = 1;
  #open = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>();

  constructor() {
    this.#worker = new Worker(new URL('../../worker/device-worker.ts', import.meta.url), {
      type: 'module',
      name: 'satchel-device',
    });
    this.#worker.onmessage = (message: MessageEvent<WorkerReply>) => this.#receive(message.data);
    this.#worker.onerror = () => this.#failAll('device.worker_failed', 'the offline engine could not start');
  }

  call<O extends OperationName>(op: O, arg: Operations[O]['in']): Promise<Operations[O]['out']> {
    const id = this.#next++;
    const request: WorkerRequest = { id, op, arg };
    return new Promise((resolve, reject) => {
      this.#open.set(id, { resolve, reject });
      this.#worker.postMessage(request);
    });
  }

  /** Ends the worker; every secret and every open package goes with it. */
  end(): void {
    this.#worker.terminate();
    this.#failAll('device.locked', 'the device was locked');
  }

  #receive(reply: WorkerReply): void {
    if ('event' in reply) {
      if (reply.event === 'progress') this.onProgress(reply);
      else this.onLease(reply.status);
      return;
    }
    const waiting = this.#open.get(reply.id);
    this.#open.delete(reply.id);
    if (!waiting) return;
    if ('failure' in reply) waiting.reject(new FailureError(reply.failure));
    else waiting.resolve(reply.value as never);
  }

  #failAll(code: string, message: string): void {
    for (const { reject } of this.#open.values()) {
      reject(new FailureError({ code, message, next: 'Reload the page.', status: 0 }));
    }
    this.#open.clear();
  }
}
