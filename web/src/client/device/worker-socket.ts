// A WebSocket look-alike whose other end is the engine in the device worker, so that
// enigma.js speaks to a download exactly as it speaks to the hub.

import type { WorkerLink } from './worker-link';
import { toFailure } from '../result';

/** Neither 1000 nor 4000: with those enigma.js reports nothing. */
const CLOSED_BY_DEVICE = 4100;

let nextSocket = 1;

export class WorkerSocket {
  readonly CONNECTING = 0;
  readonly OPEN = 1;
  readonly CLOSING = 2;
  readonly CLOSED = 3;
  readyState = 0;
  onopen: ((event: object) => void) | null = null;
  onmessage: ((event: { data: string }) => void) | null = null;
  onclose: ((event: { code: number; reason: string }) => void) | null = null;
  onerror: ((event: unknown) => void) | null = null;
  readonly #link: WorkerLink;
  readonly #socket = nextSocket++;

  constructor(link: WorkerLink, app: string) {
    this.#link = link;
    this.#start(app);
  }

  send(frame: string): void {
    this.#link.call('frame', { socket: this.#socket, frame }).then(
      (frames) => this.#deliver(frames),
      (thrown: unknown) => this.#drop(toFailure(thrown).code),
    );
  }

  close(code = 1000, reason = ''): void {
    if (this.readyState === this.CLOSED) return;
    this.readyState = this.CLOSED;
    this.#link.call('closeSocket', { socket: this.#socket }).catch(() => {});
    this.onclose?.({ code, reason });
  }

  async #start(app: string): Promise<void> {
    try {
      const greeting = await this.#link.call('openSocket', { socket: this.#socket, app });
      this.readyState = this.OPEN;
      this.onopen?.({});
      this.#deliver(greeting);
    } catch (thrown) {
      this.onerror?.(thrown);
      this.#drop(toFailure(thrown).code);
    }
  }

  #deliver(frames: string[]): void {
    if (this.readyState !== this.OPEN) return;
    for (const data of frames) this.onmessage?.({ data });
  }

  #drop(reason: string): void {
    if (this.readyState === this.CLOSED) return;
    this.readyState = this.CLOSED;
    this.onclose?.({ code: CLOSED_BY_DEVICE, reason });
  }
}
