// The device worker: holds the secrets, keeps the store, and runs the offline engine.
//
// It ends when the page locks. Nothing secret is ever posted back to the page.

import type { LeaseStatus, OperationName, Operations, WorkerReply, WorkerRequest } from '../client/device/protocol';
import { FailureError, toFailure } from '../client/result';
import type { Lease as LeaseAnswer, Manifest } from '../client/wire';
import { fetchPackage, partOf, removeApp, storedApps } from './downloads';
import { Blake3, Keys, Lease, OpenPackage, engineReady, type Session } from './engine-module';
import { readFile, readJson, removeAll } from './files';
import {
  readBookmarks, readLease, readPendingGrant, readRecord, removePendingGrant, unwrapKeys, wrapKeys, writeBookmarks, writeLease, writePendingGrant, writeRecord,
} from './keys';
import type { DeviceRecord, StoredApp } from '../client/device/protocol';

interface Unlocked {
  kek: CryptoKey;
  record: DeviceRecord;
  keys: Keys;
  lease: Lease;
  /** The lease as last written, so that only changes are written. */
  saved: string;
}

let unlocked: Unlocked | null = null;
let freshKeys: Keys | null = null;
const packages = new Map<string, { file: string; open: OpenPackage }>();
const sockets = new Map<number, { session: Session; app: string; sealedAt: number }>();
const fetching = new Map<string, AbortController>();

type Handlers = { [O in OperationName]: (arg: Operations[O]['in']) => Promise<Operations[O]['out']> };

const handlers: Handlers = {
  state: async () => ({ record: await readRecord(), apps: await storedApps() }),

  makeKeys: async () => {
    await engineReady();
    freshKeys?.free();
    freshKeys = Keys.make();
    return { kem_key: freshKeys.kem_public(), signing_key: freshKeys.signing_public() };
  },

  enrolled: async ({ kek, record: open, grant }) => {
    const keys = freshKeys;
    if (!keys) throw gone();
    freshKeys = null;
    const secret = keys.secret() as Uint8Array<ArrayBuffer>;
    const record: DeviceRecord = { ...open, wrapped: await wrapKeys(kek, secret, open) };
    secret.fill(0);
    const lease = Lease.empty(record.hub.id, record.user, record.device, record.hub.signing_key);
    // A log-in alone starts no hours: the first launch does, which opening a download is too.
    lease.accept(grant, Date.now());
    const state = lease.save();
    // The record last: without it nothing else here is looked at.
    await writeLease(kek, record, state);
    await writeRecord(record);
    unlocked = { kek, record, keys, lease, saved: state };
    return status(unlocked);
  },

  unlock: async ({ kek }) => {
    await engineReady();
    const record = await readRecord();
    if (!record) throw gone();
    const secret = await unwrapKeys(kek, record);
    const keys = Keys.from_secret(secret);
    secret.fill(0);
    const pending = await readPendingGrant();
    let saved: string | null = null;
    try {
      saved = await readLease(kek, record);
    } catch (thrown) {
      if (!pending) throw thrown;
    }
    const lease = saved
      ? Lease.load(saved, record.hub.id, record.user, record.device, record.hub.signing_key)
      : Lease.empty(record.hub.id, record.user, record.device, record.hub.signing_key);
    unlocked = { kek, record, keys, lease, saved: saved ?? '' };
    if (pending) {
      try {
        lease.accept(pending.grant, Date.now());
      } catch (thrown) {
        // A file that was put there does not keep what is here from opening as it would.
        if (!saved) throw thrown;
      }
    }
    lease.launch(Date.now());
    await persist(unlocked);
    if (pending) await removePendingGrant();
    return status(unlocked);
  },

  leaseStatus: async () => {
    const open = needUnlocked();
    const now = status(open);
    await persist(open);
    if (now.state === 'closed') closePackages();
    return now;
  },

  acceptLease: async (answer: LeaseAnswer) => {
    for (const app of answer.revoked) await handlers.removeApp({ app });
    if (!unlocked) {
      await writePendingGrant({ grant: answer.grant });
      return { state: 'closed', started: false, until: null, hours: 0, failure: null };
    }
    unlocked.lease.accept(answer.grant, Date.now());
    await persist(unlocked);
    return status(unlocked);
  },

  sign: async ({ nonce }) => {
    const { keys, record } = needUnlocked();
    return keys.sign_in(record.hub.id, record.device, nonce);
  },

  setRemember: async ({ remember }) => {
    const record = await readRecord();
    if (record) await writeRecord({ ...record, remember });
    return null;
  },

  partOf: async ({ app }) => partOf(app),

  fetchPackage: async (job) => {
    const { keys, record } = needUnlocked();
    const cancel = new AbortController();
    fetching.set(job.app, cancel);
    try {
      const stored = await fetchPackage(
        job,
        {
          newHash: () => new Blake3(),
          verify: (bytes) => JSON.parse(keys.verify_package(bytes, record.hub.id, record.user, record.device, job.app, record.hub.signing_key)) as Manifest,
        },
        progressReporter(job.app),
        cancel.signal,
      );
      forgetPackage(job.app);
      return stored;
    } finally {
      fetching.delete(job.app);
    }
  },

  cancelPackage: async ({ app }) => {
    fetching.get(app)?.abort();
    return null;
  },

  removeApp: async ({ app }) => {
    forgetPackage(app);
    await removeApp(app);
    return null;
  },

  wipe: async () => {
    closePackages();
    await removeAll();
    return null;
  },

  openSocket: async ({ socket, app }) => {
    const open = needUnlocked();
    open.lease.launch(Date.now());
    await persist(open);
    refuseWhenOver(open);
    const [opened, own] = [await openPackage(open, app), await readBookmarks(open.kek, open.record, app)];
    const sealedAt = (await readJson<StoredApp>(`app-${app}.json`))?.manifest.sealed_at ?? 0;
    const session = opened.session(crypto.getRandomValues(new Uint8Array(32)), Date.now(), own?.own, own !== null && own.sealedAt < sealedAt);
    sockets.set(socket, { session, app, sealedAt });
    return session.greeting();
  },

  frame: async ({ socket, frame }) => {
    const known = sockets.get(socket);
    if (!known) throw new FailureError({ code: 'device.closed', message: 'the app was closed', next: 'Open it again.', status: 0 });
    refuseWhenOver(needUnlocked());
    const frames = known.session.handle(frame, Date.now(), -new Date().getTimezoneOffset());
    const own = known.session.take_own_bookmarks();
    if (own !== undefined) {
      const { kek, record } = needUnlocked();
      await writeBookmarks(kek, record, known.app, { own, sealedAt: known.sealedAt });
    }
    return frames;
  },

  closeSocket: async ({ socket }) => {
    sockets.get(socket)?.session.free();
    sockets.delete(socket);
    return null;
  },
};

/** One request at a time, in order, as an engine socket promises; fetching runs beside. */
let queue: Promise<unknown> = Promise.resolve();

onmessage = (message: MessageEvent<WorkerRequest>) => {
  const { id, op, arg } = message.data;
  const run = async (): Promise<void> => {
    try {
      const value = await (handlers[op] as (arg: unknown) => Promise<unknown>)(arg);
      reply({ id, value });
    } catch (thrown) {
      reply({ id, failure: toFailure(parsed(thrown)) });
    }
  };
  if (op === 'fetchPackage' || op === 'cancelPackage') void run();
  else queue = queue.then(run);
};

const reply = (message: WorkerReply): void => postMessage(message);

/** Failures leave the engine module as JSON text `{code, message, next}`. */
function parsed(thrown: unknown): unknown {
  if (typeof thrown !== 'string') return thrown;
  try {
    return JSON.parse(thrown) as unknown;
  } catch {
    return thrown;
  }
}

async function openPackage(open: Unlocked, app: string): Promise<OpenPackage> {
  const entry = await readJson<StoredApp>(`app-${app}.json`);
  const bytes = entry ? await readFile(entry.file) : null;
  if (!entry || !bytes) {
    throw new FailureError({ code: 'device.no_such_app', message: 'this app is not on this device', next: 'Connect to the hub and download it.', status: 0 });
  }
  const known = packages.get(app);
  if (known && known.file === entry.file) return known.open;
  forgetPackage(app);
  const { record, keys } = open;
  const opened = OpenPackage.open(bytes, keys, record.hub.id, record.user, record.device, app, record.hub.signing_key);
  packages.set(app, { file: entry.file, open: opened });
  return opened;
}

/** Every question is answered within the hours or not at all; the page hears of it at once. */
function refuseWhenOver(open: Unlocked): void {
  const now = status(open);
  if (now.state === 'open') return;
  closePackages();
  reply({ event: 'lease', status: now });
  throw new FailureError(now.failure ?? { code: 'lease.closed', message: 'downloads are closed', next: 'Sign in at the hub.', status: 0 });
}

function status(open: Unlocked): LeaseStatus {
  return JSON.parse(open.lease.status(Date.now())) as LeaseStatus;
}

async function persist(open: Unlocked): Promise<void> {
  const state = open.lease.save();
  if (state === open.saved) return;
  await writeLease(open.kek, open.record, state);
  open.saved = state;
}

function closePackages(): void {
  for (const { session } of sockets.values()) session.free();
  sockets.clear();
  for (const app of [...packages.keys()]) forgetPackage(app);
}

/** Sessions keep their own share of the model, so an open view stays until its socket closes. */
function forgetPackage(app: string): void {
  packages.get(app)?.open.free();
  packages.delete(app);
}

function needUnlocked(): Unlocked {
  if (!unlocked) {
    throw new FailureError({ code: 'device.locked', message: 'this device is locked', next: 'Unlock it with your passkey.', status: 0 });
  }
  return unlocked;
}

/** Ten reports a second are enough for an eye; the last of a burst is told when it is over. */
function progressReporter(app: string): (received: number, size: number, step: 'fetching' | 'checking') => void {
  let last = 0;
  let later: ReturnType<typeof setTimeout> | undefined;
  return (received, size, step) => {
    clearTimeout(later);
    const tell = () => {
      last = performance.now();
      reply({ event: 'progress', app, received, size, step });
    };
    const wait = last + 100 - performance.now();
    if (step === 'fetching' && received < size && wait > 0) later = setTimeout(tell, wait);
    else tell();
  };
}

const gone = (): FailureError =>
  new FailureError({ code: 'device.not_enrolled', message: 'nothing is kept on this device', next: 'Sign in at the hub and download an app.', status: 0 });
