// This device as `satchel open` keeps it: the native client holds the vault, the lease and the
// engine, and serves this page. What changes the device is done in its terminal.

import { failed, ok, type Result } from '../result';
import { read } from '../api';
import type { HubIdentity, Me } from '../wire';
import type { DeviceView } from './device';
import type { DevicePort } from './port';
import type { LeaseStatus, StoredApp } from './protocol';

const BASE = '/api/v1/device';

/** How often we look whether it is still open, beside being told by the sockets. */
const LOOK_MS = 2_000;

/** The idle time counts from the last touch, told at most this often. */
const USED_MS = 20_000;

interface State {
  locked: boolean;
  pin: boolean;
  record: { hub: HubIdentity; device: string; user: string; userName: string; offlineHours: number } | null;
  apps: StoredApp[];
  lease: LeaseStatus | null;
}

export class LoopbackDevice implements DevicePort {
  view: DeviceView = { known: false, record: null, apps: [], unlocked: false, lease: null, downloads: {} };
  onLockedElsewhere: () => void = () => {};
  /** Called when the native client unlocked by itself: its owner did so in a terminal. */
  onUnlockedElsewhere: () => void = () => {};
  /** Called once the native client no longer answers. */
  onStopped: () => void = () => {};
  /** Whether unlocking needs the PIN. */
  needsPin = false;
  #listeners = new Set<() => void>();
  #lastUsed = 0;

  constructor() {
    setInterval(() => void this.refresh(), LOOK_MS);
    for (const event of ['pointerdown', 'keydown', 'wheel', 'touchstart']) {
      addEventListener(event, () => this.#used(), { passive: true, capture: true });
    }
  }

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  async refresh(): Promise<void> {
    const answer = await ask<State>('GET', '');
    if (!answer.ok) {
      this.#set({ record: null, apps: [], unlocked: false, lease: null });
      this.onStopped();
      return;
    }
    const { locked, pin, record, apps, lease } = answer.value;
    const was = this.view;
    this.needsPin = pin;
    const next: DeviceView = {
      known: true,
      record: record && { version: 1, ...record, name: 'This computer', remember: false, credential: '', salt: '', wrapped: { iv: '', data: '' } },
      apps,
      unlocked: !locked,
      lease,
      downloads: {},
    };
    if (JSON.stringify(next) !== JSON.stringify(was)) this.#set(next);
    if (locked) this.onLockedElsewhere();
    else if (was.known && !was.unlocked) this.onUnlockedElsewhere();
  }

  async unlock(pin?: string): Promise<Result<LeaseStatus>> {
    const answer = await ask<void>('POST', '/unlock', { pin: pin ?? null });
    if (!answer.ok) return answer;
    await this.refresh();
    return this.view.lease ? ok(this.view.lease) : failed('device.locked', 'this device is locked', 'Unlock it.');
  }

  lock(): void {
    this.#set({ record: null, apps: [], unlocked: false, lease: null });
    void ask('POST', '/lock').then(() => this.refresh());
  }

  /** Opens the app in the native client, which says in words why it does not. */
  prepare(app: string): Promise<Result<void>> {
    return ask<void>('POST', `/apps/${encodeURIComponent(app)}/open`);
  }

  socket(app: string): WebSocket {
    const socket = new WebSocket(`ws://${location.host}/app/${encodeURIComponent(app)}`);
    socket.addEventListener('close', () => void this.refresh());
    return socket;
  }

  enrol = (): Promise<Result<void>> => inTerminal('satchel sign-in');
  signIn = (): Promise<Result<Me>> => inTerminal('satchel sign-in');
  renew = (): Promise<Result<number>> => inTerminal('satchel sign-in');
  download = (): Promise<Result<StoredApp>> => inTerminal('satchel download APP');
  forgetRemembered = (): Promise<Result<void>> => inTerminal('satchel sign-out');
  cancelDownload = (): Promise<void> => Promise.resolve();
  removeApp = (): Promise<void> => Promise.resolve();
  wipe = (): Promise<void> => Promise.resolve();

  #used(): void {
    if (!this.view.unlocked || Date.now() - this.#lastUsed < USED_MS) return;
    this.#lastUsed = Date.now();
    void ask('POST', '/used');
  }

  #set(part: Partial<DeviceView>): void {
    this.view = { ...this.view, ...part };
    for (const listener of this.#listeners) listener();
  }
}

const inTerminal = (command: string): Promise<Result<never>> =>
  Promise.resolve(failed('device.in_terminal', 'this is done in a terminal here', `Run ${command}.`));

async function ask<T>(method: string, path: string, body?: unknown): Promise<Result<T>> {
  const init: RequestInit = { method, credentials: 'same-origin', cache: 'no-store' };
  if (body !== undefined) {
    init.headers = { 'Content-Type': 'application/json' };
    init.body = JSON.stringify(body);
  }
  try {
    return await read<T>(await fetch(BASE + path, init));
  } catch {
    return failed('loopback.stopped', 'satchel open has ended', 'Start it again in a terminal: satchel open');
  }
}
