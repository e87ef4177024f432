// Written by `cargo xtask wire` from `crates/contract`; do not edit.
//
// Times are milliseconds since 1970 UTC, binary values standard base64, sizes bytes.

/** The access type in force for a request. */
export type AccessType =
  | 'professional'
  | 'analyzer'
  | 'user'
  | 'analyzer_capacity'
  | 'login'
  | 'anonymous'
  | 'none';

/** A log-in with a password. */
export interface SignIn {
  /** `name` or `DIRECTORY\name`. */
  user: string;
  /** The password. Never logged; the type has no `Debug`. */
  password: string;
  /** A code of the person's authenticator app or a recovery code, once one is asked for. */
  code?: string | null;
}

/** What a browser needs to ask for a passkey that signs in. */
export interface PasskeyChallenge {
  /** base64; good for five minutes, once. */
  challenge: string;
  /** The domain the passkey belongs to. */
  rp_id: string;
}

/** What a passkey answered (Web Authentication, `AuthenticatorAssertionResponse`); all base64. */
export interface PasskeySignIn {
  /** From `PasskeyChallenge`. */
  challenge: string;
  /** The id of the credential. */
  credential: string;
  /** `clientDataJSON` */
  client_data: string;
  /** `authenticatorData` */
  authenticator_data: string;
  /** `signature` */
  signature: string;
  /** `userHandle` */
  user_handle: string;
}

/** What a browser needs to make a passkey. */
export interface PasskeyOptions {
  /** base64; good for five minutes, once, for this person. */
  challenge: string;
  /** The domain it will belong to. */
  rp_id: string;
  /** The hub's name. */
  rp_name: string;
  /** What authenticators call the person; base64 of 32 bytes that tell nothing. */
  user_handle: string;
  /** `DIRECTORY\NAME`. */
  user: string;
  /** The name to show. */
  name: string;
  /** Credentials there are already, base64: their authenticators make no second one. */
  exclude: string[];
}

/** A passkey that was made (Web Authentication, `AuthenticatorAttestationResponse`); bytes are
 * base64. */
export interface NewPasskey {
  /** What to call it. */
  name: string;
  /** From `PasskeyOptions`. */
  challenge: string;
  /** The id of the credential. */
  credential: string;
  /** `clientDataJSON` */
  client_data: string;
  /** `getAuthenticatorData()` */
  authenticator_data: string;
  /** `getPublicKey()`: `SubjectPublicKeyInfo`, DER. */
  public_key: string;
  /** `getPublicKeyAlgorithm()`, as COSE numbers it. */
  algorithm: number;
}

/** A name for a passkey. */
export interface PasskeyName {
  /** 1 to 60 characters. */
  name: string;
}

/** A passkey as its owner sees it. */
export interface Passkey {
  /** UUID. */
  id: string;
  /** What its owner calls it. */
  name: string;
  /** When it was added. */
  created_at: number;
  /** When it last signed in. */
  last_used: number | null;
  /** Whether its maker keeps a copy of it elsewhere. */
  backed_up: boolean;
}

/** How a person's second factor stands. */
export interface SecondFactor {
  /** Whether a code is asked for beside the password. */
  on: boolean;
  /** Whether the hub requires it, so that it cannot be switched off. */
  required: boolean;
  /** Recovery codes that are left. */
  recovery_codes: number;
}

/** A secret for an authenticator app. It counts once a first code confirmed it. */
export interface SecondFactorProposal {
  /** To be typed into the app; base32. */
  secret: string;
  /** The same as an address that apps understand. */
  uri: string;
  /** The same as a picture. */
  qr: QrCode;
}

/** A picture of squares. */
export interface QrCode {
  /** Squares on each side, without a margin; one needs four of it around. */
  size: number;
  /** The dark squares as an SVG path, a unit a square. */
  path: string;
}

/** A second factor is on, and a session has begun with it. */
export interface SecondFactorOn {
  /** Who is signed in. */
  me: Me;
  /** To be written down; each works once in place of a code. */
  recovery_codes: string[];
}

/** New recovery codes; those there were work no longer. */
export interface RecoveryCodes {
  /** To be written down; each works once in place of a code. */
  recovery_codes: string[];
}

/** The ways there are to sign in at this hub. */
export interface SignInWays {
  /** Whether a password of the hub's own does. */
  password: boolean;
  /** Whether a passkey does. */
  passkey: boolean;
  /** Providers people may be sent to, in the order to show them. */
  providers: SignInProvider[];
}

/** A provider people sign in with, in a browser. */
export interface SignInProvider {
  /** Its name in addresses. */
  name: string;
  /** What to show. */
  title: string;
  /** The path to go to; `?to=/path` says where to come back to. */
  path: string;
}

/** Who is signed in. */
export interface Me {
  /** `DIRECTORY\NAME`. */
  user: string;
  /** The name to show. */
  name: string;
  /** E-mail address, empty if the hub knows none. */
  email: string;
  /** The access type in force. */
  access_type: AccessType;
  /** Whether this person may enrol a device and download apps. */
  may_use_device: boolean;
  /** Which hub this is. */
  hub: HubIdentity;
  /** Longest time a download may stay open without contact, in hours (0–240; 0 = no downloads). */
  offline_hours: number;
  /** Whether the hub allows a device to remember the log-in. */
  may_remember: boolean;
  /** The second factor beside the password; absent for somebody who has no password here. */
  second_factor: SecondFactor | null;
  /** What administrators of the hub let this person's devices do beyond what is built in, to
   * be shown; devices keep to the signed document. */
  policy: PolicyLine[];
}

/** A key of a policy, as people read it. */
export interface PolicyLine {
  /** The key's name. */
  key: string;
  /** What it is about, a few words. */
  title: string;
  /** What holds. */
  value: string;
  /** Who decided it. */
  decided_by: string[];
}

/** The hub as devices pin it at enrolment. */
export interface HubIdentity {
  /** A UUID made when the hub was initialised. */
  id: string;
  /** The name people see. */
  name: string;
  /** The ed25519 key that signs grants, manifests and packages; base64 of 32 bytes. */
  signing_key: string;
}

/** The apps a person may see, with the streams they are in. */
export interface AppList {
  /** Streams, in the order to show them. Apps without a stream are the person's own. */
  streams: StreamEntry[];
  /** Apps, by title. */
  apps: AppEntry[];
}

/** A stream. */
export interface StreamEntry {
  /** UUID. */
  id: string;
  /** Its name. */
  name: string;
}

/** An app in a list. */
export interface AppEntry {
  /** The app. */
  id: string;
  /** Its title. */
  title: string;
  /** One line, may be empty. */
  description: string;
  /** The stream's id; absent for an app that is the person's own. */
  stream: string | null;
  /** Who owns it. */
  owner: string;
  /** When the data in it was loaded; absent if it never was. */
  data_as_of: number | null;
  /** Size of the app's data on the hub; 0 where section access makes that a secret of the
   * app's owner, or before the first reload. */
  size: number;
  /** Whether this person may download it now. */
  may_download: boolean;
}

/** Sheets and objects whose titles have what was searched for. */
export interface SearchHits {
  /** In the order of apps by title, then sheets, then objects; at most 50. */
  hits: SearchHit[];
}

/** A sheet, or an object on one. */
export interface SearchHit {
  /** The app it is in. */
  app: string;
  /** The sheet, or the sheet the object is on. */
  sheet: string;
  /** The object; absent for the sheet itself. */
  object: string | null;
  /** Title of the sheet or object. */
  title: string;
}

/** Whether somebody may do something, and why. */
export interface RuleAnswer {
  /** Whether they may. */
  allowed: boolean;
  /** The rules that allow it. */
  rules: RuleName[];
}

/** A rule. */
export interface RuleName {
  /** Its name. */
  name: string;
  /** What it is for. */
  description: string;
}

/** A device asks to be enrolled for the person signed in. */
export interface Enrol {
  /** What the person calls the device: `Ann's phone`. 1–80 characters. */
  name: string;
  /** `browser`, `linux`, `macos`, `windows`, `android`, `ios`. */
  platform: string;
  /** The device's X-Wing public key, to which packages are sealed; base64. */
  kem_key: string;
  /** The device's ed25519 public key, with which it signs in again; base64 of 32 bytes. */
  signing_key: string;
  /** Whether the person chose *Remember credentials*. */
  remember: boolean;
  /** Client name and version, for the device list: `satchel 0.1.0`. */
  client: string;
}

/** The answer to `Enrol`. */
export interface Enrolled {
  /** The device's id at this hub. */
  device: string;
  /** The hub to pin. */
  hub: HubIdentity;
  /** A signed `Grant` (`satchel_sealed::signed` envelope), base64. */
  grant: string;
  /** A signed `PolicyDocument`, base64; absent from a hub that has none. */
  policy?: string | null;
}

/** A number used once, for a device to sign. */
export interface Challenge {
  /** base64 of 32 bytes; valid for one minute, once. */
  nonce: string;
}

/** A remembered device signs in without a password.
 *
 * The signed message is `"satchel device sign-in v1\n" + hub id + "\n" + device id + "\n" + nonce (base64)`. */
export interface DeviceSignIn {
  /** From `Challenge`. */
  nonce: string;
  /** ed25519 signature by the device's key; base64 of 64 bytes. */
  signature: string;
}

/** What a device says of the grants it holds, so that a copy of its files is found
 * (`docs/formats/grant.md` §4). */
export interface Holding {
  /** When the newest grant it ever accepted was issued; absent from clients that do not say. */
  held?: number | null;
  /** Whether it looked again, having been told `lease.stale`: another process of the same
   * device may have renewed meanwhile. */
  again: boolean;
}

/** A fresh grant. */
export interface Lease {
  /** A signed `Grant`, base64. */
  grant: string;
  /** The hub's time, by which a device may raise its high-water mark. */
  now: number;
  /** Apps this device holds that must be closed and removed, because rights are gone. */
  revoked: string[];
  /** A signed `PolicyDocument`, base64; absent from a hub that has none. */
  policy?: string | null;
}

/** What a download would hold for this person. */
export interface DownloadPreview {
  /** Rows kept, table by table. */
  tables: TableRows[];
  /** How many fields are withheld by section access. */
  fields_withheld: number;
  /** Estimated size. */
  size: number;
}

/** Rows of one table. */
export interface TableRows {
  /** The table. */
  name: string;
  /** Rows in the app on the hub. */
  rows_in: number;
  /** Rows in the download. */
  rows_out: number;
}

/** Asks for a download. */
export interface StartDownload {
  /** For which device. */
  device: string;
  /** What it holds. */
  holding: Holding;
}

/** How far a download is. */
export type DownloadState =
  | 'preparing'
  | 'ready'
  | 'failed';

/** A download being prepared or ready. */
export interface Download {
  /** UUID. */
  id: string;
  /** How far it is. */
  state: DownloadState;
  /** Size of the package, once ready. */
  size: number | null;
  /** BLAKE3 of the package, hex, once ready. */
  blake3: string | null;
  /** What was kept, once ready. The signed copy is inside the package. */
  manifest: Manifest | null;
  /** Why it failed. */
  error: ApiError | null;
}

/** The body of every answer with a status of 400 or above: `{"error": {...}}`. */
export interface ErrorBody {
  /** The error. */
  error: ApiError;
}

/** A refusal or failure in words a person can act on. */
export interface ApiError {
  /** Stable: `lease.expired`, `access_type.not_on_device`, `access.denied`. */
  code: string;
  /** What happened, one sentence. */
  message: string;
  /** What to do next, one sentence; may be empty. */
  next: string;
}

/** What the hub signs at each log-in from a device. */
export interface Grant {
  /** UUID of this grant; a new log-in makes a new one. */
  id: string;
  /** The hub's id. */
  hub: string;
  /** For whom. */
  user: string;
  /** On which device. */
  device: string;
  /** When the log-in was, by the hub's clock. */
  issued_at: number;
  /** Hours from the first launch, 0–240. */
  offline_hours: number;
  /** The access type at the log-in. */
  access_type: AccessType;
}

/** Signed by the hub and carried in clear text in front of the sealed payload.
 *
 * It names no withheld field and no withheld value: only how many there are. */
export interface Manifest {
  /** The app. */
  app: string;
  /** Its title at the time. */
  title: string;
  /** When the data was loaded. */
  data_as_of: number;
  /** Which reload of the app this is; grows by one with each published reload. */
  reload: number;
  /** The hub's id. */
  hub: string;
  /** For whom it was reduced. */
  user: string;
  /** To which device it is sealed. */
  device: string;
  /** When it was sealed. */
  sealed_at: number;
  /** Rows in and out, table by table. */
  tables: TableRows[];
  /** How many fields section access withheld. */
  fields_withheld: number;
  /** BLAKE3 of the access rules that were applied, hex. */
  access_fingerprint: string;
  /** The grant under which it was made. */
  grant: string;
}

/** What a hub signs for one person, whole, under the context `satchel policy v1`. */
export interface PolicyDocument {
  /** The hub's id. */
  hub: string;
  /** For whom. */
  user: string;
  /** When it was signed, by the hub's clock. A device takes no older one than it has. */
  issued_at: number;
  /** What holds. */
  policy: Record<string, boolean | number | string | string[]>;
}
