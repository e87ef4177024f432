//! Every route of the hub, and whom it is for.
//!
//! The hub builds its router from [`Route::ALL`]; a route that is not here cannot be
//! reached, and a route that is here has an [`Audience`].

/// An HTTP method the hub answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    /// Reads.
    Get,
    /// Does something.
    Post,
    /// Removes something.
    Delete,
}

impl Method {
    /// Whether a request with this method may change something, so that its origin matters.
    pub const fn changes_state(self) -> bool {
        !matches!(self, Self::Get)
    }
}

/// A route of the hub.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Route {
    /// Is the hub alive.
    Health,
    /// Pages, scripts and styles of the web UI.
    Web,
    /// Log in with a password.
    SignIn,
    /// Log in with a token of a service that embeds the hub.
    TokenSignIn,
    /// Log in with a one-time ticket.
    TicketSignIn,
    /// The ways there are to sign in.
    SignInWays,
    /// Go to a provider to sign in there.
    ProviderStart,
    /// Come back from it.
    ProviderBack,
    /// Begin to set up a second factor: a secret for an authenticator app.
    SecondFactorSetUp,
    /// Finish that with a first code.
    SecondFactorConfirm,
    /// Switch one's second factor off.
    SecondFactorRemove,
    /// New recovery codes in place of the old.
    RecoveryCodes,
    /// A challenge for signing in with a passkey.
    PasskeyChallenge,
    /// Sign in with it.
    PasskeySignIn,
    /// The passkeys one has.
    Passkeys,
    /// A challenge for a new passkey.
    PasskeyOptions,
    /// Add it.
    AddPasskey,
    /// Give a passkey another name.
    RenamePasskey,
    /// Remove a passkey.
    RemovePasskey,
    /// End the session.
    SignOut,
    /// Who is signed in.
    Me,
    /// The apps this person may see.
    Apps,
    /// Sheets and objects of those apps by their titles.
    Search,
    /// Who may do what, and by which rule.
    RulesExplain,
    /// What a reload of an app waits for.
    Waiting,
    /// Confirm that.
    Confirm,
    /// Enrol a device.
    Enrol,
    /// A number for a remembered device to sign.
    Challenge,
    /// Log in with a remembered device.
    DeviceSignIn,
    /// A fresh grant.
    Lease,
    /// The fresh grant is kept.
    LeaseKept,
    /// Forget the remembered log-in of a device.
    ForgetRemembered,
    /// What a download would hold.
    DownloadPreview,
    /// Prepare a download.
    StartDownload,
    /// How far a download is.
    DownloadStatus,
    /// The bytes of a download.
    DownloadPackage,
    /// Remove a download.
    DeleteDownload,
    /// A file exported over the QIX socket.
    Export,
    /// The QIX socket.
    Socket,
}

/// For whom a route is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Audience {
    /// Everybody, signed in or not: nothing behind it tells anything about data or people.
    Everyone,
    /// Whoever is signed in, with or without an access type: leaving, and asking who one is.
    SignedIn,
    /// Access types that may view apps.
    Viewers,
    /// Access types that may connect from a device.
    Devices,
}

impl Route {
    /// All routes.
    pub const ALL: [Self; 39] = [
        Self::Health,
        Self::Web,
        Self::SignIn,
        Self::TokenSignIn,
        Self::TicketSignIn,
        Self::SignInWays,
        Self::ProviderStart,
        Self::ProviderBack,
        Self::SecondFactorSetUp,
        Self::SecondFactorConfirm,
        Self::SecondFactorRemove,
        Self::RecoveryCodes,
        Self::PasskeyChallenge,
        Self::PasskeySignIn,
        Self::Passkeys,
        Self::PasskeyOptions,
        Self::AddPasskey,
        Self::RenamePasskey,
        Self::RemovePasskey,
        Self::SignOut,
        Self::Me,
        Self::Apps,
        Self::Search,
        Self::RulesExplain,
        Self::Waiting,
        Self::Confirm,
        Self::Enrol,
        Self::Challenge,
        Self::DeviceSignIn,
        Self::Lease,
        Self::LeaseKept,
        Self::ForgetRemembered,
        Self::DownloadPreview,
        Self::StartDownload,
        Self::DownloadStatus,
        Self::DownloadPackage,
        Self::DeleteDownload,
        Self::Export,
        Self::Socket,
    ];

    /// Method and path; `{…}` stands for one segment, `{*…}` for the rest of the path.
    pub const fn pattern(self) -> (Method, &'static str) {
        use Method::{Delete, Get, Post};
        match self {
            Self::Health => (Get, "/healthz"),
            Self::Web => (Get, "/{*path}"),
            Self::SignIn => (Post, "/api/v1/sign-in"),
            Self::TokenSignIn => (Post, "/api/v1/sign-in/token"),
            Self::TicketSignIn => (Get, "/api/v1/sign-in/ticket"),
            Self::SignInWays => (Get, "/api/v1/sign-in/ways"),
            Self::ProviderStart => (Get, "/api/v1/sign-in/with/{provider}"),
            Self::ProviderBack => (Get, "/api/v1/sign-in/with/{provider}/back"),
            Self::SecondFactorSetUp => (Post, "/api/v1/second-factor"),
            Self::SecondFactorConfirm => (Post, "/api/v1/second-factor/confirm"),
            Self::SecondFactorRemove => (Post, "/api/v1/second-factor/remove"),
            Self::RecoveryCodes => (Post, "/api/v1/second-factor/recovery-codes"),
            Self::PasskeyChallenge => (Post, "/api/v1/sign-in/passkey/challenge"),
            Self::PasskeySignIn => (Post, "/api/v1/sign-in/passkey"),
            Self::Passkeys => (Get, "/api/v1/passkeys"),
            Self::PasskeyOptions => (Post, "/api/v1/passkeys/challenge"),
            Self::AddPasskey => (Post, "/api/v1/passkeys"),
            Self::RenamePasskey => (Post, "/api/v1/passkeys/{passkey}"),
            Self::RemovePasskey => (Delete, "/api/v1/passkeys/{passkey}"),
            Self::SignOut => (Post, "/api/v1/sign-out"),
            Self::Me => (Get, "/api/v1/me"),
            Self::Apps => (Get, "/api/v1/apps"),
            Self::Search => (Get, "/api/v1/search"),
            Self::RulesExplain => (Get, "/api/v1/rules/explain"),
            Self::Waiting => (Get, "/api/v1/apps/{app}/waiting"),
            Self::Confirm => (Post, "/api/v1/apps/{app}/confirm"),
            Self::Enrol => (Post, "/api/v1/devices"),
            Self::Challenge => (Post, "/api/v1/devices/{device}/challenge"),
            Self::DeviceSignIn => (Post, "/api/v1/devices/{device}/sign-in"),
            Self::Lease => (Post, "/api/v1/devices/{device}/lease"),
            Self::LeaseKept => (Post, "/api/v1/devices/{device}/lease/kept"),
            Self::ForgetRemembered => (Delete, "/api/v1/devices/{device}/remembered"),
            Self::DownloadPreview => (Get, "/api/v1/apps/{app}/download-preview"),
            Self::StartDownload => (Post, "/api/v1/apps/{app}/downloads"),
            Self::DownloadStatus => (Get, "/api/v1/downloads/{download}"),
            Self::DownloadPackage => (Get, "/api/v1/downloads/{download}/package"),
            Self::DeleteDownload => (Delete, "/api/v1/downloads/{download}"),
            Self::Export => (Get, "/tempcontent/{id}/{file}"),
            Self::Socket => (Get, "/app/{*rest}"),
        }
    }

    /// For whom the route is.
    pub const fn audience(self) -> Audience {
        match self {
            Self::Health
            | Self::Web
            | Self::SignIn
            | Self::TokenSignIn
            | Self::TicketSignIn
            | Self::SignInWays
            | Self::ProviderStart
            | Self::ProviderBack
            // These ask for the password, and for a code where there is one already: a session
            // alone must not change what signs in.
            | Self::SecondFactorSetUp
            | Self::SecondFactorConfirm
            | Self::SecondFactorRemove
            | Self::RecoveryCodes
            | Self::PasskeyChallenge
            | Self::PasskeySignIn
            | Self::Challenge
            | Self::DeviceSignIn => Audience::Everyone,
            // Deleting and forgetting only take rights away, so losing the access type must
            // not take away the way to do it.
            Self::SignOut
            | Self::Passkeys
            | Self::PasskeyOptions
            | Self::AddPasskey
            | Self::RenamePasskey
            | Self::RemovePasskey
            | Self::Me
            | Self::RulesExplain
            | Self::ForgetRemembered
            | Self::DeleteDownload => Audience::SignedIn,
            Self::Apps
            | Self::Search
            | Self::Waiting
            | Self::Confirm
            | Self::Export
            | Self::Socket => Audience::Viewers,
            Self::Enrol
            | Self::Lease
            | Self::LeaseKept
            | Self::DownloadPreview
            | Self::StartDownload
            | Self::DownloadStatus
            | Self::DownloadPackage => Audience::Devices,
        }
    }

    /// What the route does, as the end of the sentence "you may not …".
    pub const fn deed(self) -> &'static str {
        match self {
            Self::Health => "ask whether the hub is alive",
            Self::Web => "open the web pages",
            Self::SignIn
            | Self::TokenSignIn
            | Self::TicketSignIn
            | Self::ProviderStart
            | Self::ProviderBack
            | Self::DeviceSignIn
            | Self::PasskeyChallenge
            | Self::PasskeySignIn
            | Self::Challenge => "sign in",
            Self::SignInWays => "ask how to sign in",
            Self::SecondFactorSetUp
            | Self::SecondFactorConfirm
            | Self::SecondFactorRemove
            | Self::RecoveryCodes => "change your second factor",
            Self::Passkeys => "see your passkeys",
            Self::PasskeyOptions | Self::AddPasskey | Self::RenamePasskey | Self::RemovePasskey => {
                "change your passkeys"
            }
            Self::SignOut => "sign out",
            Self::Me => "ask who is signed in",
            Self::Apps => "see apps",
            Self::Search => "search apps",
            Self::RulesExplain => "ask who may do what",
            Self::Waiting => "see what a reload waits for",
            Self::Confirm => "confirm what a reload waits for",
            Self::Enrol => "connect a device",
            Self::Lease | Self::LeaseKept => "renew a lease",
            Self::ForgetRemembered => "forget a remembered log-in",
            Self::DownloadPreview
            | Self::StartDownload
            | Self::DownloadStatus
            | Self::DownloadPackage => "download apps",
            Self::DeleteDownload => "remove a download",
            Self::Export => "fetch exported data",
            Self::Socket => "open apps",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_two_routes_share_a_pattern() {
        let patterns: HashSet<_> = Route::ALL.iter().map(|r| r.pattern()).collect();
        assert_eq!(patterns.len(), Route::ALL.len());
    }
}
