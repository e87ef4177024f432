//! What hub and devices say to each other, everything that is not QIX.
//!
//! Plain serde types, carried as JSON over HTTPS under `/api/v1`. Binary values (keys,
//! signatures) are standard base64 with padding. Times are milliseconds since 1970 UTC.
//! Unknown members are ignored, so that an older client can talk to a newer hub.
//!
//! | call | body → answer |
//! |---|---|
//! | `POST /api/v1/sign-in` | [`SignIn`] → [`Me`] and the session cookie |
//! | `GET /api/v1/sign-in/ways` | → [`SignInWays`] |
//! | `GET /api/v1/sign-in/with/{provider}?to=…` | → the provider, which sends back with a session |
//! | `POST /api/v1/sign-out` | – → 204 |
//! | `GET /api/v1/me` | → [`Me`] |
//! | `GET /api/v1/apps` | → [`AppList`] |
//! | `GET /api/v1/search?q=…` | → [`SearchHits`]; the words are percent-encoded |
//! | `GET /api/v1/rules/explain?user=…&action=…&resource=…` | → [`RuleAnswer`], for administrators |
//! | `POST /api/v1/second-factor` | [`SignIn`] → [`SecondFactorProposal`] |
//! | `POST /api/v1/second-factor/confirm` | [`SignIn`] with a first code → [`SecondFactorOn`] and the session cookie |
//! | `POST /api/v1/second-factor/recovery-codes` | [`SignIn`] with a code → [`RecoveryCodes`] |
//! | `POST /api/v1/second-factor/remove` | [`SignIn`] with a code → 204 |
//! | `POST /api/v1/sign-in/passkey/challenge` | – → [`PasskeyChallenge`] |
//! | `POST /api/v1/sign-in/passkey` | [`PasskeySignIn`] → [`Me`] and the session cookie |
//! | `GET /api/v1/passkeys` | → a list of [`Passkey`] |
//! | `POST /api/v1/passkeys/challenge` | – → [`PasskeyOptions`], shortly after signing in |
//! | `POST /api/v1/passkeys` | [`NewPasskey`] → [`Passkey`] |
//! | `POST /api/v1/passkeys/{passkey}` | [`PasskeyName`] → 204 |
//! | `DELETE /api/v1/passkeys/{passkey}` | – → 204 |
//! | `POST /api/v1/devices` | [`Enrol`] → [`Enrolled`] |
//! | `POST /api/v1/devices/{device}/challenge` | – → [`Challenge`] (no session needed) |
//! | `POST /api/v1/devices/{device}/sign-in` | [`DeviceSignIn`] → [`Me`] and the session cookie |
//! | `POST /api/v1/devices/{device}/lease` | [`Holding`], or nothing → [`Lease`] |
//! | `POST /api/v1/devices/{device}/lease/kept` | [`Holding`] → 204; the grant is written down |
//! | `DELETE /api/v1/devices/{device}/remembered` | – → 204; forgets the remembered log-in |
//! | `GET /api/v1/apps/{app}/download-preview` | → [`DownloadPreview`] |
//! | `POST /api/v1/apps/{app}/downloads` | [`StartDownload`] → [`Download`] |
//! | `GET /api/v1/downloads/{download}` | → [`Download`] |
//! | `GET /api/v1/downloads/{download}/package` | → bytes; `Range` resumes |
//! | `DELETE /api/v1/downloads/{download}` | – → 204 |
//!
//! The QIX socket is `wss://HUB/app/{app}` and its cousins (reference: qix.md §9).

mod access_type;
mod api;
mod error;
mod grant;
mod manifest;
pub mod policy;

pub use access_type::AccessType;
pub use api::{
    AppEntry, AppList, Challenge, DeviceSignIn, Download, DownloadPreview, DownloadState, Enrol,
    Enrolled, Holding, HubIdentity, Lease, Me, NewPasskey, Passkey, PasskeyChallenge, PasskeyName,
    PasskeyOptions, PasskeySignIn, PolicyLine, QrCode, RecoveryCodes, RuleAnswer, RuleName,
    SearchHit, SearchHits, SecondFactor, SecondFactorOn, SecondFactorProposal, SignIn,
    SignInProvider, SignInWays, StartDownload, StreamEntry, TableRows,
};
pub use error::{ApiError, ErrorBody};
pub use grant::{Grant, MAX_OFFLINE_HOURS, UNLAUNCHED_DAYS};
pub use manifest::Manifest;
pub use policy::{Policy, PolicyDocument};
