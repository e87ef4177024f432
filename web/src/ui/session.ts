// Where the person stands: signed in or not, connected or not, locked or not.

import { useSyncExternalStore } from 'react';

import { hub } from '../client/api';
import { Device, type DeviceView } from '../client/device/device';
import { LoopbackDevice } from '../client/device/loopback';
import type { DevicePort } from '../client/device/port';
import { isUnreachable, ok, type Failure, type Result } from '../client/result';
import { onLoopback } from '../client/place';
import { signInWithPasskey as passkeySignIn } from '../client/passkeys';
import type { AppList, Me } from '../client/wire';

export interface SessionView {
  phase: 'starting' | 'signed-out' | 'ready' | 'locked' | 'stopped';
  online: boolean;
  me: Me | null;
  apps: AppList | null;
  appsError: Failure | null;
  /** Why the person must sign in, when it is not simply the first time. */
  notice: string;
  /** What the hub had removed from this device, until its owner has read it. */
  removed: Removed | null;
}

/** Downloads that are gone: the whole device was revoked, or the rights to some apps ended. */
export interface Removed {
  why: 'device' | 'rights';
  apps: number;
  at: number;
}

/** Set while a person has locked this client, so that a reload does not unlock it. */
const LOCK_FLAG = 'satchel.locked';
const IDLE_KEY = 'satchel.idle-minutes';
const ME_KEY = 'satchel.hub-name';
const REMOVED_KEY = 'satchel.removed';

/** How often we look for the hub while it does not answer. */
const RETRY_MS = 10_000;

/** Where `satchel open` serves this page, its native client; else the worker of this browser. */
const nativeClient = onLoopback ? new LoopbackDevice() : null;
export const device: DevicePort = nativeClient ?? new Device();

/** Whether unlocking asks for a PIN on the page, as the native client does. */
export const unlocksWithPin = (): boolean => nativeClient?.needsPin ?? false;

let view: SessionView = { phase: 'starting', online: true, me: null, apps: null, appsError: null, notice: '', removed: readRemoved() };
const listeners = new Set<() => void>();

export const useSession = (): SessionView => useSyncExternalStore(subscribe, () => view);
export const useDevice = (): DeviceView => useSyncExternalStore(device.subscribe, () => device.view);
export const currentSession = (): SessionView => view;

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function set(part: Partial<SessionView>): void {
  view = { ...view, ...part };
  for (const listener of listeners) listener();
}

/** Called once, at the start of the page. */
export async function start(): Promise<void> {
  device.onLockedElsewhere = () => set({ phase: 'locked' });
  watchIdle();
  if (nativeClient) return startOnLoopback(nativeClient);
  addEventListener('online', () => void reconnect());
  addEventListener('offline', () => set({ online: false }));
  setInterval(() => {
    if (!view.online) void reconnect();
  }, RETRY_MS);

  const [me] = await Promise.all([hub.me(), device.refresh()]);
  if (localStorage.getItem(LOCK_FLAG) && device.view.record) {
    set({ phase: 'locked', online: me.ok || !isUnreachable(me.error), me: me.ok ? me.value : null });
    return;
  }
  arrive(me);
}

/** There is no hub to look for: the native client says how it stands. */
async function startOnLoopback(client: LoopbackDevice): Promise<void> {
  client.onUnlockedElsewhere = () => set({ phase: 'ready' });
  client.onStopped = () => set({ phase: 'stopped' });
  set({ online: false });
  await client.refresh();
  if (view.phase === 'starting') set({ phase: 'ready' });
}

function arrive(me: Result<Me>): void {
  if (me.ok) {
    set({ phase: 'ready', online: true, me: me.value, notice: '' });
    localStorage.setItem(ME_KEY, me.value.hub.name);
    void loadApps();
    void renewIfOpen(me.value);
  } else if (isUnreachable(me.error)) {
    const holdsData = device.view.record !== null;
    set({ phase: holdsData && !device.view.unlocked ? 'locked' : 'ready', online: false, me: null });
  } else {
    const notice = me.error.code === 'session.expired' ? 'You were signed out because nothing happened for a while.' : '';
    set({ phase: 'signed-out', online: true, me: null, apps: null, notice });
  }
}

/** Looks for the hub again; used by the timer, the browser's events, and *Try again*. */
export async function reconnect(): Promise<void> {
  if (nativeClient) return nativeClient.refresh();
  const me = await hub.me();
  if (!me.ok && isUnreachable(me.error)) {
    if (view.online) set({ online: false });
    return;
  }
  if (view.phase === 'locked') {
    set({ online: true, me: me.ok ? me.value : null });
    return;
  }
  // Signed out at the hub while a download is open: go on, the banner offers to sign in.
  if (!me.ok && device.view.unlocked && view.phase === 'ready') {
    set({ online: true, me: null });
    return;
  }
  arrive(me);
}

/** The hub stopped answering in the middle of something. */
export function noteUnreachable(): void {
  if (view.online) set({ online: false });
}

/** The hub no longer knows the session. */
export function noteSignedOut(): void {
  if (device.view.unlocked) set({ me: null, apps: null });
  else set({ phase: 'signed-out', me: null, apps: null, notice: 'Please sign in again.' });
}

export async function loadApps(): Promise<void> {
  const apps = await hub.apps();
  if (apps.ok) set({ apps: apps.value, appsError: null });
  else if (isUnreachable(apps.error)) set({ online: false });
  else if (apps.error.status === 401) noteSignedOut();
  else set({ appsError: apps.error });
}

export async function signIn(user: string, password: string, code?: string): Promise<Result<void>> {
  return signedIn(await hub.signIn(user, password, code));
}

/** The session has begun by other means; this page goes on as after any sign-in. */
export async function enter(me: Me): Promise<void> {
  await signedIn(ok(me));
}

/** Something about the person has changed at the hub. */
export async function refreshMe(): Promise<void> {
  const me = await hub.me();
  if (me.ok) set({ me: me.value });
}

export async function signInWithPasskey(): Promise<Result<void>> {
  return signedIn(await passkeySignIn());
}

export async function signInWithDevice(): Promise<Result<void>> {
  return signedIn(await device.signIn());
}

async function signedIn(me: Result<Me>): Promise<Result<void>> {
  if (!me.ok) return me;
  const renewed = await renew(me.value);
  // A refused renewal must not keep the person from working online, but they must hear of it.
  const notice = renewed.ok || view.removed ? '' : notRenewed(renewed.error);
  localStorage.removeItem(LOCK_FLAG);
  set({ phase: 'ready', online: true, me: me.value, notice });
  void loadApps();
  return ok(undefined);
}

/** Fetches a new grant; what goes because of it is told until it was read. */
export async function renew(me: Me): Promise<Result<number>> {
  const held = device.view.apps.length;
  const renewed = await device.renew(me);
  const wiped = !renewed.ok && device.view.known && held > 0 && device.view.record === null;
  if (wiped) noteRemoved({ why: 'device', apps: held, at: Date.now() });
  else if (renewed.ok && renewed.value > 0) noteRemoved({ why: 'rights', apps: renewed.value, at: Date.now() });
  return renewed;
}

/** The hub answers and knows the person: the hours start anew. */
export async function renewNow(): Promise<void> {
  if (!view.me) return;
  const renewed = await renew(view.me);
  if (!renewed.ok) set({ notice: notRenewed(renewed.error) });
}

const notRenewed = (error: Failure): string => `Your downloads were not renewed: ${error.message}. ${error.next}`;

function noteRemoved(removed: Removed): void {
  localStorage.setItem(REMOVED_KEY, JSON.stringify(removed));
  set({ removed });
}

export function dismissRemoved(): void {
  localStorage.removeItem(REMOVED_KEY);
  set({ removed: null });
}

function readRemoved(): Removed | null {
  try {
    return JSON.parse(localStorage.getItem(REMOVED_KEY) ?? 'null') as Removed | null;
  } catch {
    return null;
  }
}

async function renewIfOpen(me: Me): Promise<void> {
  if (device.view.record && device.view.unlocked) await renew(me);
}

export async function unlock(pin?: string): Promise<Result<void>> {
  const opened = await device.unlock(pin);
  if (!opened.ok) return opened;
  localStorage.removeItem(LOCK_FLAG);
  if (nativeClient) {
    set({ phase: 'ready' });
  } else if (view.me) {
    set({ phase: 'ready' });
    void loadApps();
    void renew(view.me);
  } else {
    set({ phase: 'ready' });
    void reconnect();
  }
  return ok(undefined);
}

export function lockNow(): void {
  if (!nativeClient) localStorage.setItem(LOCK_FLAG, '1');
  device.lock();
  set({ phase: 'locked', apps: null });
}

/** From the lock screen: not with the passkey, but with a fresh log-in at the hub. */
export function signInInstead(): void {
  localStorage.removeItem(LOCK_FLAG);
  set({ phase: 'signed-out', me: null, apps: null, notice: '' });
}

/** From the sign-in page: to what is on this device. */
export function openDeviceInstead(): void {
  set({ phase: 'locked' });
}

export async function signOut(): Promise<void> {
  await hub.signOut();
  device.lock();
  set({ phase: 'signed-out', me: null, apps: null, notice: '' });
}

export async function removeEverything(): Promise<void> {
  await device.wipe();
  localStorage.removeItem(LOCK_FLAG);
  if (view.phase === 'locked') arrive(await hub.me());
}

export const idleMinutes = (): number => Number(localStorage.getItem(IDLE_KEY) ?? 15);
export const setIdleMinutes = (minutes: number): void => localStorage.setItem(IDLE_KEY, String(minutes));
export const hubName = (): string => view.me?.hub.name ?? device.view.record?.hub.name ?? localStorage.getItem(ME_KEY) ?? '';

/** Locks after a while without a touch or a key, measured by the clock so that sleep counts. */
function watchIdle(): void {
  let last = Date.now();
  const touch = (): void => {
    last = Date.now();
  };
  for (const event of ['pointerdown', 'keydown', 'wheel', 'touchstart']) {
    addEventListener(event, touch, { passive: true, capture: true });
  }
  setInterval(() => {
    if (device.view.unlocked && view.phase === 'ready' && Date.now() - last > idleMinutes() * 60_000) lockNow();
  }, 5_000);
}
