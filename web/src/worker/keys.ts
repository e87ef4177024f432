// The device's secret keys and its lease on disk, wrapped by the passkey's key.

import { fromBase64, toBase64 } from '../client/base64';
import type { DeviceRecord } from '../client/device/protocol';
import { FailureError } from '../client/result';
import { exclusively, readFile, readJson, removeFile, writeFile, writeJson } from './files';

const RECORD = 'device.json';
const LEASE = 'lease.bin';
const PENDING_GRANT = 'grant.json';
const IV_BYTES = 12;

export const readRecord = (): Promise<DeviceRecord | null> => readJson<DeviceRecord>(RECORD);

export const writeRecord = (record: DeviceRecord): Promise<void> => exclusively(() => writeJson(RECORD, record));

export async function wrapKeys(kek: CryptoKey, secret: Uint8Array<ArrayBuffer>, record: Omit<DeviceRecord, 'wrapped'>): Promise<DeviceRecord['wrapped']> {
  const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
  const data = await crypto.subtle.encrypt({ name: 'AES-GCM', iv, additionalData: binding('keys', record) }, kek, secret);
  return { iv: toBase64(iv), data: toBase64(new Uint8Array(data)) };
}

/** Throws `vault.wrong_key` when the passkey is another one or the file was changed. */
export async function unwrapKeys(kek: CryptoKey, record: DeviceRecord): Promise<Uint8Array<ArrayBuffer>> {
  try {
    const iv = fromBase64(record.wrapped.iv);
    const data = fromBase64(record.wrapped.data);
    return new Uint8Array(await crypto.subtle.decrypt({ name: 'AES-GCM', iv, additionalData: binding('keys', record) }, kek, data));
  } catch {
    throw new FailureError({
      code: 'vault.wrong_key',
      message: 'this passkey does not open what is kept here, or the file was changed',
      next: 'Use the passkey you made on this device. If it is gone, remove the downloads and sign in at the hub again.',
      status: 0,
    });
  }
}

/** The lease state as it was saved, or null if there is none yet. Throws if it was changed. */
export async function readLease(kek: CryptoKey, record: DeviceRecord): Promise<string | null> {
  const bytes = await readFile(LEASE);
  if (!bytes) return null;
  try {
    return await unsealed(kek, record, 'lease', bytes);
  } catch {
    throw new FailureError({
      code: 'lease.damaged',
      message: 'the record of how long this device may open its downloads was damaged or changed',
      next: 'Sign in at the hub again; your downloads stay.',
      status: 0,
    });
  }
}

export async function writeLease(kek: CryptoKey, record: DeviceRecord, state: string): Promise<void> {
  const bytes = await sealed(kek, record, 'lease', state);
  await exclusively(() => writeFile(LEASE, bytes));
}

/** A person's own bookmarks of a download, and of which download they are. They name values of
 *  the data, so they are sealed like the rest. */
export interface StoredBookmarks {
  own: string;
  sealedAt: number;
}

export const bookmarksName = (app: string): string => `bookmarks-${app}`;

/** The bookmarks kept for `app`; null if there are none, or if they were changed from outside. */
export async function readBookmarks(kek: CryptoKey, record: DeviceRecord, app: string): Promise<StoredBookmarks | null> {
  const bytes = await readFile(bookmarksName(app));
  if (!bytes) return null;
  try {
    return JSON.parse(await unsealed(kek, record, `bookmarks ${app}`, bytes)) as StoredBookmarks;
  } catch {
    return null;
  }
}

export async function writeBookmarks(kek: CryptoKey, record: DeviceRecord, app: string, bookmarks: StoredBookmarks): Promise<void> {
  const bytes = await sealed(kek, record, `bookmarks ${app}`, JSON.stringify(bookmarks));
  await exclusively(() => writeFile(bookmarksName(app), bytes));
}

/** Iv, then the ciphertext of `text`. */
async function sealed(kek: CryptoKey, record: DeviceRecord, kind: string, text: string): Promise<Uint8Array<ArrayBuffer>> {
  const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
  const plain = new TextEncoder().encode(text) as Uint8Array<ArrayBuffer>;
  const data = new Uint8Array(await crypto.subtle.encrypt({ name: 'AES-GCM', iv, additionalData: binding(kind, record) }, kek, plain));
  const bytes = new Uint8Array(IV_BYTES + data.length);
  bytes.set(iv);
  bytes.set(data, IV_BYTES);
  return bytes;
}

async function unsealed(kek: CryptoKey, record: DeviceRecord, kind: string, bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const plain = await crypto.subtle.decrypt(
    { name: 'AES-GCM', iv: bytes.subarray(0, IV_BYTES), additionalData: binding(kind, record) },
    kek,
    bytes.subarray(IV_BYTES),
  );
  return new TextDecoder().decode(plain);
}

/** A grant that came while the store was locked. The hub signed it; it waits for the next unlock. */
export interface PendingGrant {
  grant: string;
}

export const readPendingGrant = (): Promise<PendingGrant | null> => readJson<PendingGrant>(PENDING_GRANT);
export const writePendingGrant = (grant: PendingGrant): Promise<void> => exclusively(() => writeJson(PENDING_GRANT, grant));
export const removePendingGrant = (): Promise<void> => exclusively(() => removeFile(PENDING_GRANT));

/** What a ciphertext belongs to; moved to another hub or device it does not open. */
function binding(kind: string, record: Omit<DeviceRecord, 'wrapped'>): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`satchel ${kind} v1\n${record.hub.id}\n${record.device}\n${record.user}`) as Uint8Array<ArrayBuffer>;
}
