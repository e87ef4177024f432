// This device as the page sees it: enrolled or not, locked or not, what it holds, and for
// how long. Knows the hub's API and the worker; knows nothing of React.

import { hub } from '../api';
import { fromBase64, toBase64 } from '../base64';
import { FailureError, failed, isUnreachable, ok, toFailure, type Result } from '../result';
import type { Download, Lease, Me } from '../wire';
import { createPasskey, keyFromPasskey } from './passkey';
import type { DeviceRecord, LeaseStatus, StoredApp } from './protocol';
import { WorkerLink } from './worker-link';
import { WorkerSocket } from './worker-socket';

export interface DeviceView {
  /** False until the store was read once. */
  known: boolean;
  record: DeviceRecord | null;
  apps: StoredApp[];
  unlocked: boolean;
  lease: LeaseStatus | null;
  downloads: Record<string, DownloadProgress>;
}

export interface DownloadProgress {
  step: 'preparing' | 'fetching' | 'checking';
  received: number;
  size: number;
}

const EMPTY: DeviceView = { known: false, record: null, apps: [], unlocked: false, lease: null, downloads: {} };

/** While unlocked: how often at least the lease is looked at and the time seen is written down. */
const LEASE_TICK_MS = 30_000;

/** How soon at the earliest it is looked at again, so that a clock just short of the end is
 *  not asked without pause. */
const LEASE_PAUSE_MS = 100;

export class Device {
  view: DeviceView = EMPTY;
  /** Called when something outside this page locked or changed the store. */
  onLockedElsewhere: () => void = () => {};
  #link = this.#newLink();
  #listeners = new Set<() => void>();
  #tick: ReturnType<typeof setTimeout> | undefined;
  #channel = new BroadcastChannel('satchel-device');

  constructor() {
    this.#channel.onmessage = (message: MessageEvent<'changed' | 'locked'>) => {
      if (message.data === 'locked') {
        this.#dropKeys();
        this.onLockedElsewhere();
      } else {
        void this.refresh();
      }
    };
    // A machine that slept, or a tab that was put away, has not seen the time pass.
    for (const event of ['visibilitychange', 'pageshow', 'focus']) addEventListener(event, () => this.#lookAtLease());
  }

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Reads what is on this device again. A browser without storage simply holds nothing. */
  async refresh(): Promise<void> {
    try {
      const { record, apps } = await this.#link.call('state', null);
      this.#set({ known: true, record, apps });
    } catch {
      this.#set({ known: true });
    }
  }

  /** Makes a passkey and keys and enrols this browser at the hub for the person signed in. */
  async enrol(me: Me, name: string, remember: boolean): Promise<Result<void>> {
    try {
      const salt = crypto.getRandomValues(new Uint8Array(32));
      const { credential, kek } = await createPasskey(me.user, me.name || me.user, salt);
      const keys = await this.#link.call('makeKeys', null);
      const enrolled = await hub.enrol({
        name,
        platform: 'browser',
        ...keys,
        remember,
        client: `satchel-web ${__VERSION__}`,
      });
      if (!enrolled.ok) return enrolled;
      const record = {
        version: 1 as const,
        hub: enrolled.value.hub,
        device: enrolled.value.device,
        user: me.user,
        userName: me.name || me.user,
        name,
        remember,
        offlineHours: me.offline_hours,
        credential: toBase64(credential),
        salt: toBase64(salt),
      };
      const lease = await this.#link.call('enrolled', { kek, record, grant: enrolled.value.grant });
      void navigator.storage.persist?.();
      this.#opened(lease);
      await this.refresh();
      this.#changed();
      return ok(undefined);
    } catch (thrown) {
      return { ok: false, error: toFailure(thrown) };
    }
  }

  /** Asks for the passkey and opens the store. This is a launch: it may start the lease. */
  async unlock(_pin?: string): Promise<Result<LeaseStatus>> {
    const record = this.view.record;
    if (!record) return failed('device.not_enrolled', 'nothing is kept on this device');
    try {
      const kek = await keyFromPasskey(fromBase64(record.credential), fromBase64(record.salt));
      const lease = await this.#link.call('unlock', { kek });
      this.#opened(lease);
      return ok(lease);
    } catch (thrown) {
      return { ok: false, error: toFailure(thrown) };
    }
  }

  /** Drops every key and every open package at once, in every tab. */
  lock(): void {
    this.#dropKeys();
    this.#channel.postMessage('locked');
  }

  /** Signs in at the hub with the remembered, device-bound credential. */
  async signIn(): Promise<Result<Me>> {
    const record = this.view.record;
    if (!record) return failed('device.not_enrolled', 'nothing is kept on this device');
    const unlocked = this.view.unlocked ? ok(undefined) : await this.unlock();
    if (!unlocked.ok) return unlocked;
    const challenge = await hub.challenge(record.device);
    if (!challenge.ok) return challenge;
    try {
      const signature = await this.#link.call('sign', { nonce: challenge.value.nonce });
      return await hub.deviceSignIn(record.device, challenge.value.nonce, signature);
    } catch (thrown) {
      return { ok: false, error: toFailure(thrown) };
    }
  }

  /**
   * After a log-in: fetches the new grant, and removes what the person lost the right to.
   * A store of somebody else, or of another hub, is left alone. Tells how many downloads went.
   */
  async renew(me: Me): Promise<Result<number>> {
    const record = this.view.record;
    if (!record || record.user !== me.user || record.hub.id !== me.hub.id) return ok(0);
    const lease = await hub.lease(record.device);
    if (!lease.ok) {
      if (lease.error.code === 'device.revoked' || lease.error.code === 'device.unknown') await this.wipe();
      return lease;
    }
    return this.#accept(lease.value);
  }

  async #accept(lease: Lease): Promise<Result<number>> {
    try {
      const status = await this.#link.call('acceptLease', lease);
      if (this.view.unlocked) this.#leaseSeen(status);
      const held = this.view.apps.length;
      await this.refresh();
      if (lease.revoked.length > 0) this.#changed();
      return ok(held - this.view.apps.length);
    } catch (thrown) {
      return { ok: false, error: toFailure(thrown) };
    }
  }

  /** Downloads `app`: asks the hub to seal it, fetches, checks, and only then shows it. */
  async download(app: string): Promise<Result<StoredApp>> {
    const record = this.view.record;
    if (!record) return failed('device.not_enrolled', 'this device is not set up yet');
    if (this.view.downloads[app]) return failed('download.running', 'this app is being downloaded already');
    this.#progress(app, { step: 'preparing', received: 0, size: 0 });
    try {
      const ready = await this.#prepared(app, record.device);
      const stored = await this.#link.call('fetchPackage', {
        app,
        download: ready.id,
        url: hub.packageUrl(ready.id),
        size: ready.size ?? 0,
        blake3: ready.blake3 ?? '',
      });
      void hub.dropDownload(ready.id);
      await this.refresh();
      this.#changed();
      return ok(stored);
    } catch (thrown) {
      return { ok: false, error: toFailure(thrown) };
    } finally {
      this.#progress(app, null);
    }
  }

  async cancelDownload(app: string): Promise<void> {
    await this.#link.call('cancelPackage', { app });
  }

  async removeApp(app: string): Promise<void> {
    await this.#link.call('removeApp', { app });
    await this.refresh();
    this.#changed();
  }

  /** Removes every download, the keys and the record of this device. */
  async wipe(): Promise<void> {
    await this.#link.call('wipe', null);
    this.#dropKeys();
    await this.refresh();
    this.#changed();
  }

  async forgetRemembered(): Promise<Result<void>> {
    const record = this.view.record;
    if (!record) return ok(undefined);
    const gone = await hub.forgetRemembered(record.device);
    if (!gone.ok) return gone;
    await this.#link.call('setRemember', { remember: false });
    await this.refresh();
    return ok(undefined);
  }

  /** Opening says by itself why it does not work. */
  prepare(_app: string): Promise<Result<void>> {
    return Promise.resolve(ok(undefined));
  }

  /** A socket to the offline engine for a downloaded app. */
  socket(app: string): WorkerSocket | WebSocket {
    return new WorkerSocket(this.#link, app);
  }

  async #prepared(app: string, device: string): Promise<Download> {
    let download = await this.#resumable(app);
    if (!download) {
      const started = await hub.startDownload(app, device);
      if (!started.ok) throw new FailureError(started.error);
      download = started.value;
    }
    for (let waitMs = 250; download.state === 'preparing'; waitMs = Math.min(waitMs * 1.5, 2_000)) {
      await new Promise((wake) => setTimeout(wake, waitMs));
      const next = await hub.download(download.id);
      if (next.ok) download = next.value;
      else if (!isUnreachable(next.error)) throw new FailureError(next.error);
    }
    if (download.state === 'failed') {
      const error = download.error ?? { code: 'download.failed', message: 'the hub could not prepare the download', next: 'Try again.' };
      throw new FailureError({ ...error, status: 0 });
    }
    return download;
  }

  /** A download that was broken off and whose package the hub still has. */
  async #resumable(app: string): Promise<Download | null> {
    const id = await this.#link.call('partOf', { app });
    if (!id) return null;
    const known = await hub.download(id);
    return known.ok && known.value.state !== 'failed' ? known.value : null;
  }

  #opened(lease: LeaseStatus): void {
    this.#set({ unlocked: true, lease });
    this.#lookAgain();
  }

  /** The next look: in a while, or at the instant at which the hours end. */
  #lookAgain(): void {
    clearTimeout(this.#tick);
    const { unlocked, lease } = this.view;
    if (!unlocked) return;
    const left = lease?.state === 'open' && lease.started && lease.until !== null ? lease.until - Date.now() : LEASE_TICK_MS;
    this.#tick = setTimeout(() => this.#lookAtLease(), Math.max(LEASE_PAUSE_MS, Math.min(LEASE_TICK_MS, left)));
  }

  #lookAtLease(): void {
    if (!this.view.unlocked) return;
    clearTimeout(this.#tick);
    const link = this.#link;
    link.call('leaseStatus', null).then(
      (status) => link === this.#link && this.#leaseSeen(status),
      () => link === this.#link && this.#lookAgain(),
    );
  }

  #leaseSeen(lease: LeaseStatus): void {
    this.#set({ lease });
    this.#lookAgain();
  }

  #dropKeys(): void {
    clearTimeout(this.#tick);
    this.#link.end();
    this.#link = this.#newLink();
    this.#set({ unlocked: false, lease: null, downloads: {} });
  }

  #newLink(): WorkerLink {
    const link = new WorkerLink();
    link.onLease = (status) => this.#leaseSeen(status);
    link.onProgress = ({ app, received, size, step }) => this.#progress(app, { step, received, size });
    return link;
  }

  #progress(app: string, progress: DownloadProgress | null): void {
    const downloads = { ...this.view.downloads };
    if (progress) downloads[app] = progress;
    else delete downloads[app];
    this.#set({ downloads });
  }

  #changed(): void {
    this.#channel.postMessage('changed');
  }

  #set(part: Partial<DeviceView>): void {
    this.view = { ...this.view, ...part };
    for (const listener of this.#listeners) listener();
  }
}
