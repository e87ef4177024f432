// What the page and the device worker say to each other.
//
// The worker holds every secret (device keys, open packages); the page holds none. Locking
// ends the worker, and with it everything that was decrypted.

import type { Failure } from '../result';
import type { HubIdentity, Lease, Manifest } from '../wire';

/** What is kept about this device. Nothing in it is secret: the keys are wrapped. */
export interface DeviceRecord {
  version: 1;
  hub: HubIdentity;
  device: string;
  user: string;
  userName: string;
  name: string;
  remember: boolean;
  offlineHours: number;
  /** The passkey whose PRF output wraps the keys; base64. */
  credential: string;
  /** PRF input; base64 of 32 bytes. */
  salt: string;
  /** AES-GCM of the device's secret keys: base64 of iv and of ciphertext. */
  wrapped: { iv: string; data: string };
}

/** A download that is complete, verified and visible. */
export interface StoredApp {
  app: string;
  file: string;
  size: number;
  savedAt: number;
  manifest: Manifest;
}

/** How long what is on this device may be opened. */
export interface LeaseStatus {
  /** `open`: packages open. `closed`: they do not, and `failure` says why. */
  state: 'open' | 'closed';
  /** Whether the hours run: they start at the first launch after a log-in. */
  started: boolean;
  /** End of the lease; before it has started, when it would end if it started now. */
  until: number | null;
  /** Length of the lease in hours, for the ring. */
  hours: number;
  failure: Failure | null;
}

export interface StoreState {
  record: DeviceRecord | null;
  apps: StoredApp[];
}

export interface NewKeys {
  kem_key: string;
  signing_key: string;
}

export interface PackageJob {
  app: string;
  download: string;
  url: string;
  size: number;
  blake3: string;
}

/** Operations of the worker: argument and answer. */
export interface Operations {
  state: { in: null; out: StoreState };
  makeKeys: { in: null; out: NewKeys };
  enrolled: { in: { kek: CryptoKey; record: Omit<DeviceRecord, 'wrapped'>; grant: string }; out: LeaseStatus };
  unlock: { in: { kek: CryptoKey }; out: LeaseStatus };
  leaseStatus: { in: null; out: LeaseStatus };
  acceptLease: { in: Lease; out: LeaseStatus };
  sign: { in: { nonce: string }; out: string };
  setRemember: { in: { remember: boolean }; out: null };
  /** The hub's id of a download of `app` that was broken off here, if any. */
  partOf: { in: { app: string }; out: string | null };
  fetchPackage: { in: PackageJob; out: StoredApp };
  cancelPackage: { in: { app: string }; out: null };
  removeApp: { in: { app: string }; out: null };
  wipe: { in: null; out: null };
  openSocket: { in: { socket: number; app: string }; out: string[] };
  frame: { in: { socket: number; frame: string }; out: string[] };
  closeSocket: { in: { socket: number }; out: null };
}

export type OperationName = keyof Operations;

export interface WorkerRequest {
  id: number;
  op: OperationName;
  arg: unknown;
}

export type WorkerReply =
  | { id: number; value: unknown }
  | { id: number; failure: Failure }
  | { event: 'progress'; app: string; received: number; size: number; step: 'fetching' | 'checking' }
  /** The lease, told unasked when a request was refused because of it. */
  | { event: 'lease'; status: LeaseStatus };
