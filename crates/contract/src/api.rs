//! Requests and answers of the HTTP API.

use satchel_base::{AppId, ByteSize, DeviceId, SubjectId, UnixMillis};
use serde::{Deserialize, Serialize};

use crate::{AccessType, Manifest};

/// A log-in with a password.
#[derive(Clone, Serialize, Deserialize)]
pub struct SignIn {
    /// `name` or `DIRECTORY\name`.
    pub user: String,
    /// The password. Never logged; the type has no `Debug`.
    pub password: String,
    /// A code of the person's authenticator app or a recovery code, once one is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

/// What a browser needs to ask for a passkey that signs in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PasskeyChallenge {
    /// base64; good for five minutes, once.
    pub challenge: String,
    /// The domain the passkey belongs to.
    pub rp_id: String,
}

/// What a passkey answered (Web Authentication, `AuthenticatorAssertionResponse`); all base64.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PasskeySignIn {
    /// From [`PasskeyChallenge`].
    pub challenge: String,
    /// The id of the credential.
    pub credential: String,
    /// `clientDataJSON`
    pub client_data: String,
    /// `authenticatorData`
    pub authenticator_data: String,
    /// `signature`
    pub signature: String,
    /// `userHandle`
    pub user_handle: String,
}

/// What a browser needs to make a passkey.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PasskeyOptions {
    /// base64; good for five minutes, once, for this person.
    pub challenge: String,
    /// The domain it will belong to.
    pub rp_id: String,
    /// The hub's name.
    pub rp_name: String,
    /// What authenticators call the person; base64 of 32 bytes that tell nothing.
    pub user_handle: String,
    /// `DIRECTORY\NAME`.
    pub user: SubjectId,
    /// The name to show.
    pub name: String,
    /// Credentials there are already, base64: their authenticators make no second one.
    pub exclude: Vec<String>,
}

/// A passkey that was made (Web Authentication, `AuthenticatorAttestationResponse`); bytes are
/// base64.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewPasskey {
    /// What to call it.
    pub name: String,
    /// From [`PasskeyOptions`].
    pub challenge: String,
    /// The id of the credential.
    pub credential: String,
    /// `clientDataJSON`
    pub client_data: String,
    /// `getAuthenticatorData()`
    pub authenticator_data: String,
    /// `getPublicKey()`: `SubjectPublicKeyInfo`, DER.
    pub public_key: String,
    /// `getPublicKeyAlgorithm()`, as COSE numbers it.
    pub algorithm: i64,
}

/// A name for a passkey.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PasskeyName {
    /// 1 to 60 characters.
    pub name: String,
}

/// A passkey as its owner sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passkey {
    /// UUID.
    pub id: String,
    /// What its owner calls it.
    pub name: String,
    /// When it was added.
    pub created_at: UnixMillis,
    /// When it last signed in.
    pub last_used: Option<UnixMillis>,
    /// Whether its maker keeps a copy of it elsewhere.
    pub backed_up: bool,
}

/// How a person's second factor stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecondFactor {
    /// Whether a code is asked for beside the password.
    pub on: bool,
    /// Whether the hub requires it, so that it cannot be switched off.
    pub required: bool,
    /// Recovery codes that are left.
    pub recovery_codes: u16,
}

/// A secret for an authenticator app. It counts once a first code confirmed it.
#[derive(Clone, Serialize, Deserialize)]
pub struct SecondFactorProposal {
    /// To be typed into the app; base32.
    pub secret: String,
    /// The same as an address that apps understand.
    pub uri: String,
    /// The same as a picture.
    pub qr: QrCode,
}

/// A picture of squares.
#[derive(Clone, Serialize, Deserialize)]
pub struct QrCode {
    /// Squares on each side, without a margin; one needs four of it around.
    pub size: u16,
    /// The dark squares as an SVG path, a unit a square.
    pub path: String,
}

/// A second factor is on, and a session has begun with it.
#[derive(Clone, Serialize, Deserialize)]
pub struct SecondFactorOn {
    /// Who is signed in.
    pub me: Me,
    /// To be written down; each works once in place of a code.
    pub recovery_codes: Vec<String>,
}

/// New recovery codes; those there were work no longer.
#[derive(Clone, Serialize, Deserialize)]
pub struct RecoveryCodes {
    /// To be written down; each works once in place of a code.
    pub recovery_codes: Vec<String>,
}

/// The ways there are to sign in at this hub.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignInWays {
    /// Whether a password of the hub's own does.
    pub password: bool,
    /// Whether a passkey does.
    pub passkey: bool,
    /// Providers people may be sent to, in the order to show them.
    pub providers: Vec<SignInProvider>,
}

/// A provider people sign in with, in a browser.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignInProvider {
    /// Its name in addresses.
    pub name: String,
    /// What to show.
    pub title: String,
    /// The path to go to; `?to=/path` says where to come back to.
    pub path: String,
}

/// Who is signed in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Me {
    /// `DIRECTORY\NAME`.
    pub user: SubjectId,
    /// The name to show.
    pub name: String,
    /// E-mail address, empty if the hub knows none.
    pub email: String,
    /// The access type in force.
    pub access_type: AccessType,
    /// Whether this person may enrol a device and download apps.
    pub may_use_device: bool,
    /// Which hub this is.
    pub hub: HubIdentity,
    /// Longest time a download may stay open without contact, in hours (0–240; 0 = no downloads).
    pub offline_hours: u16,
    /// Whether the hub allows a device to remember the log-in.
    pub may_remember: bool,
    /// The second factor beside the password; absent for somebody who has no password here.
    #[serde(default)]
    pub second_factor: Option<SecondFactor>,
    /// What administrators of the hub let this person's devices do beyond what is built in, to
    /// be shown; devices keep to the signed document.
    #[serde(default)]
    pub policy: Vec<PolicyLine>,
}

/// A key of a policy, as people read it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyLine {
    /// The key's name.
    pub key: String,
    /// What it is about, a few words.
    pub title: String,
    /// What holds.
    pub value: String,
    /// Who decided it.
    pub decided_by: Vec<String>,
}

/// The hub as devices pin it at enrolment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HubIdentity {
    /// A UUID made when the hub was initialised.
    pub id: String,
    /// The name people see.
    pub name: String,
    /// The ed25519 key that signs grants, manifests and packages; base64 of 32 bytes.
    pub signing_key: String,
}

/// The apps a person may see, with the streams they are in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AppList {
    /// Streams, in the order to show them. Apps without a stream are the person's own.
    pub streams: Vec<StreamEntry>,
    /// Apps, by title.
    pub apps: Vec<AppEntry>,
}

/// A stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamEntry {
    /// UUID.
    pub id: String,
    /// Its name.
    pub name: String,
}

/// An app in a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AppEntry {
    /// The app.
    pub id: AppId,
    /// Its title.
    pub title: String,
    /// One line, may be empty.
    pub description: String,
    /// The stream's id; absent for an app that is the person's own.
    pub stream: Option<String>,
    /// Who owns it.
    pub owner: SubjectId,
    /// When the data in it was loaded; absent if it never was.
    pub data_as_of: Option<UnixMillis>,
    /// Size of the app's data on the hub; 0 where section access makes that a secret of the
    /// app's owner, or before the first reload.
    pub size: ByteSize,
    /// Whether this person may download it now.
    pub may_download: bool,
}

/// Sheets and objects whose titles have what was searched for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SearchHits {
    /// In the order of apps by title, then sheets, then objects; at most 50.
    pub hits: Vec<SearchHit>,
}

/// A sheet, or an object on one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SearchHit {
    /// The app it is in.
    pub app: AppId,
    /// The sheet, or the sheet the object is on.
    pub sheet: String,
    /// The object; absent for the sheet itself.
    pub object: Option<String>,
    /// Title of the sheet or object.
    pub title: String,
}

/// Whether somebody may do something, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleAnswer {
    /// Whether they may.
    pub allowed: bool,
    /// The rules that allow it.
    pub rules: Vec<RuleName>,
}

/// A rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleName {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: String,
}

/// A device asks to be enrolled for the person signed in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enrol {
    /// What the person calls the device: `Ann's phone`. 1–80 characters.
    pub name: String,
    /// `browser`, `linux`, `macos`, `windows`, `android`, `ios`.
    pub platform: String,
    /// The device's X-Wing public key, to which packages are sealed; base64.
    pub kem_key: String,
    /// The device's ed25519 public key, with which it signs in again; base64 of 32 bytes.
    pub signing_key: String,
    /// Whether the person chose *Remember credentials*.
    pub remember: bool,
    /// Client name and version, for the device list: `satchel 0.1.0`.
    pub client: String,
}

/// The answer to [`Enrol`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enrolled {
    /// The device's id at this hub.
    pub device: DeviceId,
    /// The hub to pin.
    pub hub: HubIdentity,
    /// A signed [`crate::Grant`] (`satchel_sealed::signed` envelope), base64.
    pub grant: String,
    /// A signed [`crate::PolicyDocument`], base64; absent from a hub that has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
}

/// A number used once, for a device to sign.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Challenge {
    /// base64 of 32 bytes; valid for one minute, once.
    pub nonce: String,
}

/// A remembered device signs in without a password.
///
/// The signed message is `"satchel device sign-in v1\n" + hub id + "\n" + device id + "\n" + nonce (base64)`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceSignIn {
    /// From [`Challenge`].
    pub nonce: String,
    /// ed25519 signature by the device's key; base64 of 64 bytes.
    pub signature: String,
}

/// What a device says of the grants it holds, so that a copy of its files is found
/// (`docs/formats/grant.md` §4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holding {
    /// When the newest grant it ever accepted was issued; absent from clients that do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<UnixMillis>,
    /// Whether it looked again, having been told `lease.stale`: another process of the same
    /// device may have renewed meanwhile.
    #[serde(default)]
    pub again: bool,
}

/// A fresh grant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// A signed [`crate::Grant`], base64.
    pub grant: String,
    /// The hub's time, by which a device may raise its high-water mark.
    pub now: UnixMillis,
    /// Apps this device holds that must be closed and removed, because rights are gone.
    pub revoked: Vec<AppId>,
    /// A signed [`crate::PolicyDocument`], base64; absent from a hub that has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
}

/// What a download would hold for this person.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DownloadPreview {
    /// Rows kept, table by table.
    pub tables: Vec<TableRows>,
    /// How many fields are withheld by section access.
    pub fields_withheld: u32,
    /// Estimated size.
    pub size: ByteSize,
}

/// Rows of one table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableRows {
    /// The table.
    pub name: String,
    /// Rows in the app on the hub.
    pub rows_in: u64,
    /// Rows in the download.
    pub rows_out: u64,
}

/// Asks for a download.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StartDownload {
    /// For which device.
    pub device: DeviceId,
    /// What it holds.
    #[serde(default)]
    pub holding: Holding,
}

/// How far a download is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DownloadState {
    /// The hub reduces and seals.
    Preparing,
    /// The package can be fetched.
    Ready,
    /// It failed; the error says why.
    Failed,
}

/// A download being prepared or ready.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Download {
    /// UUID.
    pub id: String,
    /// How far it is.
    pub state: DownloadState,
    /// Size of the package, once ready.
    pub size: Option<ByteSize>,
    /// BLAKE3 of the package, hex, once ready.
    pub blake3: Option<String>,
    /// What was kept, once ready. The signed copy is inside the package.
    pub manifest: Option<Manifest>,
    /// Why it failed.
    pub error: Option<crate::ApiError>,
}
