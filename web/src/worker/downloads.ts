// Fetching a package: resumes where it stopped, checks it, and only then makes it visible.

import { FailureError } from '../client/result';
import { read } from '../client/api';
import type { PackageJob, StoredApp } from '../client/device/protocol';
import type { Manifest } from '../client/wire';
import { bookmarksName } from './keys';
import { exclusively, fileNames, folder, move, readJson, removeFile, writeJson } from './files';

/** What the check needs from the engine module. */
export interface Checker {
  newHash(): { update(bytes: Uint8Array): void; hex(): string; free(): void };
  /** Verifies signature, addressee and integrity and gives the signed manifest. Throws a failure. */
  verify(bytes: Uint8Array): Manifest;
}

export type Report = (received: number, size: number, step: 'fetching' | 'checking') => void;

/** How often a broken connection is tried again, and the pause before each try. */
const PAUSES_MS = [500, 1_000, 2_000, 4_000, 8_000, 15_000];

/** Progress is flushed to disk this often, so that a killed tab loses little. */
const FLUSH_BYTES = 1 << 20;

const indexName = (app: string): string => `app-${app}.json`;
const partName = (job: PackageJob): string => `part-${job.app}-${job.download}`;

/** Apps that are complete. Half-fetched ones are not among them. */
export async function storedApps(): Promise<StoredApp[]> {
  const names = await fileNames();
  const found: StoredApp[] = [];
  for (const name of names) {
    if (!name.startsWith('app-') || !name.endsWith('.json')) continue;
    const entry = await readJson<StoredApp>(name);
    if (entry && names.includes(entry.file)) found.push(entry);
  }
  return found.sort((a, b) => a.manifest.title.localeCompare(b.manifest.title));
}

export async function removeApp(app: string): Promise<void> {
  await exclusively(async () => {
    await removeFile(indexName(app));
    await removeFile(bookmarksName(app));
    for (const name of await fileNames()) {
      if (name.startsWith(`package-${app}-`) || name.startsWith(`part-${app}-`)) await removeFile(name);
    }
  });
}

/** The hub's id of a download of `app` that was broken off, if any. */
export async function partOf(app: string): Promise<string | null> {
  const prefix = `part-${app}-`;
  const name = (await fileNames()).find((candidate) => candidate.startsWith(prefix));
  return name ? name.slice(prefix.length) : null;
}

/** Fetches `job` into the store. Throws `FailureError`; then nothing of it is visible. */
export async function fetchPackage(job: PackageJob, checker: Checker, report: Report, cancel: AbortSignal): Promise<StoredApp> {
  await removeStaleParts(job);
  const dir = await folder();
  const part = await dir.getFileHandle(partName(job), { create: true });
  await transfer(job, part, report, cancel);

  report(job.size, job.size, 'checking');
  const bytes = new Uint8Array(await (await part.getFile()).arrayBuffer());
  const hash = checker.newHash();
  hash.update(bytes);
  const found = hash.hex();
  hash.free();
  if (found !== job.blake3) {
    await removeFile(partName(job));
    throw new FailureError({
      code: 'download.damaged',
      message: 'the download arrived damaged and was thrown away',
      next: 'Download it again.',
      status: 0,
    });
  }
  const manifest = checker.verify(bytes);

  return exclusively(async () => {
    const old = await readJson<StoredApp>(indexName(job.app));
    const file = `package-${job.app}-${job.download}`;
    await move(part, file);
    const stored: StoredApp = { app: job.app, file, size: bytes.length, savedAt: Date.now(), manifest };
    await writeJson(indexName(job.app), stored);
    if (old && old.file !== file) await removeFile(old.file);
    return stored;
  });
}

async function transfer(job: PackageJob, part: FileSystemFileHandle, report: Report, cancel: AbortSignal): Promise<void> {
  const access = await part.createSyncAccessHandle();
  try {
    let at = access.getSize();
    if (at > job.size) {
      access.truncate(0);
      at = 0;
    }
    let failures = 0;
    while (at < job.size) {
      if (cancel.aborted) throw cancelled();
      report(at, job.size, 'fetching');
      const before = at;
      try {
        at = await receive(job, access, at, report, cancel);
      } catch (thrown) {
        if (cancel.aborted) throw cancelled();
        if (thrown instanceof FailureError) throw thrown;
        if (isFull(thrown)) throw noSpace(job.size);
        at = access.getSize();
      }
      failures = at > before ? 0 : failures + 1;
      if (at < job.size && failures > 0) {
        const pause = PAUSES_MS[failures - 1];
        if (pause === undefined) throw interrupted();
        await new Promise((wake) => setTimeout(wake, pause));
      }
    }
    access.flush();
  } finally {
    access.close();
  }
}

/** One request from `at` on; gives the new length of the file. */
async function receive(
  job: PackageJob,
  access: FileSystemSyncAccessHandle,
  at: number,
  report: Report,
  cancel: AbortSignal,
): Promise<number> {
  const headers: Record<string, string> = at > 0 ? { Range: `bytes=${at}-` } : {};
  const response = await fetch(job.url, { headers, credentials: 'same-origin', cache: 'no-store', signal: cancel });
  if (!response.ok) {
    const answer = await read<never>(response);
    if (!answer.ok && answer.error.code !== 'hub.unreachable') throw new FailureError(answer.error);
    throw new Error('no answer');
  }
  let position = response.status === 206 ? at : 0;
  if (position === 0) access.truncate(0);
  const reader = response.body?.getReader();
  if (!reader) throw new Error('no body');
  let unflushed = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    if (position + value.length > job.size) throw new Error('more bytes than announced');
    access.write(value, { at: position });
    position += value.length;
    unflushed += value.length;
    if (unflushed >= FLUSH_BYTES) {
      access.flush();
      unflushed = 0;
    }
    report(position, job.size, 'fetching');
  }
  return position;
}

/** Parts of older downloads of the same app can never be completed. */
async function removeStaleParts(job: PackageJob): Promise<void> {
  for (const name of await fileNames()) {
    if (name.startsWith(`part-${job.app}-`) && name !== partName(job)) await removeFile(name);
  }
}

const isFull = (thrown: unknown): boolean => thrown instanceof DOMException && thrown.name === 'QuotaExceededError';

const cancelled = (): FailureError =>
  new FailureError({ code: 'download.cancelled', message: 'the download was cancelled', next: '', status: 0 });

const interrupted = (): FailureError =>
  new FailureError({
    code: 'download.interrupted',
    message: 'the connection broke during the download',
    next: 'Start it again when you are connected. Nothing half-finished was kept in view.',
    status: 0,
  });

const noSpace = (size: number): FailureError =>
  new FailureError({
    code: 'device.no_space',
    message: `this device has no room for ${Math.ceil(size / 1_048_576)} MB`,
    next: 'Remove a download you no longer need, or free some storage, and try again.',
    status: 0,
  });
