// The HTTP API as `crates/contract` defines it (that room decides; keep in step).
// Times are milliseconds since 1970 UTC, binary values standard base64, sizes bytes.

export type AccessType =
  | 'professional'
  | 'analyzer'
  | 'user'
  | 'analyzer_capacity'
  | 'login'
  | 'anonymous'
  | 'none';

export interface HubIdentity {
  id: string;
  name: string;
  signing_key: string;
}

export interface Me {
  user: string;
  name: string;
  email: string;
  access_type: AccessType;
  may_use_device: boolean;
  hub: HubIdentity;
  offline_hours: number;
  may_remember: boolean;
}

export interface StreamEntry {
  id: string;
  name: string;
}

export interface AppEntry {
  id: string;
  title: string;
  description: string;
  stream: string | null;
  owner: string;
  data_as_of: number | null;
  size: number;
  may_download: boolean;
}

export interface AppList {
  streams: StreamEntry[];
  apps: AppEntry[];
}

export interface Enrol {
  name: string;
  platform: string;
  kem_key: string;
  signing_key: string;
  remember: boolean;
  client: string;
}

export interface Enrolled {
  device: string;
  hub: HubIdentity;
  grant: string;
}

export interface Lease {
  grant: string;
  now: number;
  revoked: string[];
}

export interface TableRows {
  name: string;
  rows_in: number;
  rows_out: number;
}

export interface DownloadPreview {
  tables: TableRows[];
  fields_withheld: number;
  size: number;
}

export interface Manifest {
  app: string;
  title: string;
  data_as_of: number;
  reload: number;
  hub: string;
  user: string;
  device: string;
  sealed_at: number;
  tables: TableRows[];
  fields_withheld: number;
  access_fingerprint: string;
  grant: string;
}

export interface Download {
  id: string;
  state: 'preparing' | 'ready' | 'failed';
  size: number | null;
  blake3: string | null;
  manifest: Manifest | null;
  error: ApiError | null;
}

/** A refusal or failure in words a person can act on. The codes are the hub's. */
export interface ApiError {
  code: string;
  message: string;
  next: string;
}
