//! The client with its ports, as every command finds it.

use std::collections::HashMap;
use std::path::PathBuf;

use satchel_base::{Entropy as _, KeyBytes};
use satchel_contract::policy::Key;
use satchel_device::ports::{Keystore as _, Storage as _};
use satchel_device::{Client, DeviceError, HubEntry, Managed, VaultError, state};
use satchel_device_native::{
    Files, HubConnection, KeyFile, SystemClock, SystemEntropy, Trust, managed_policies,
    read_certificates,
};

use crate::args::Arguments;
use crate::output::Failure;
use crate::{prompt, session};

/// The state folder and the client on it.
pub struct Context {
    /// The state folder.
    pub files: Files,
    /// The client.
    pub client: Client<'static>,
    /// Where the key lies if there is no PIN.
    pub key_file: KeyFile,
    /// What this computer is told by whoever manages it.
    managed: Managed,
    /// `--hub`.
    pub named_hub: Option<String>,
    /// `--json`: nothing but one document is printed, no progress either.
    pub json: bool,
}

impl Context {
    /// Reads the state folder.
    pub fn load(arguments: &Arguments) -> Result<Self, Failure> {
        let mut files = Files::open(home()?)?;
        if state::is_wiping(&files)? {
            // What was begun comes to its end before anything else.
            let _alone = files.lock()?;
            let _ = session::remove(files.folder());
            state::finish_wipe(&mut files)?;
        }
        let managed = managed()?;
        let client = client(&files, &managed, HashMap::new())?;
        Ok(Self {
            key_file: KeyFile::new(files.clone()),
            client,
            managed,
            files,
            named_hub: arguments.hub.clone(),
            json: arguments.json,
        })
    }

    /// Starts the client anew with a CA that is not stored yet.
    pub fn with_ca(&mut self, name: &str, certificates: Vec<Vec<u8>>) -> Result<(), Failure> {
        let extra = HashMap::from([(name.to_owned(), certificates)]);
        self.client = client(&self.files, &self.managed, extra)?;
        Ok(())
    }

    /// The hub to talk to.
    pub fn hub(&self) -> Result<HubEntry, Failure> {
        Ok(self.client.resolve_hub(self.named_hub.as_deref())?)
    }

    /// The hub to talk to, and the vault open; refused if nobody has ever signed in.
    pub fn signed_in_hub(&mut self) -> Result<HubEntry, Failure> {
        let hub = self.hub()?;
        if !self.client.has_vault() {
            return Err(DeviceError::NotSignedIn { url: hub.url }.into());
        }
        self.unlock()?;
        Ok(hub)
    }

    /// Opens the vault: by the key file, by a session, or by asking for the PIN on a terminal.
    pub fn unlock(&mut self) -> Result<(), Failure> {
        let Some(vault) = self.client.vault() else {
            return Ok(());
        };
        if vault.is_destroyed() {
            return Err(VaultError::Destroyed.into());
        }
        if vault.has_outside_key(self.key_file.name()) {
            let key = self.key_file.load()?.ok_or(VaultError::WrongKey)?;
            let name = self.key_file.name().to_owned();
            return Ok(self.client.unlock_with_key(&name, key.expose())?);
        }
        let now = self.client.now();
        if let Some((key, unused_ms)) = session::load(self.files.folder(), now)
            && self.client.unlock_with_session(key).is_ok()
        {
            // Policy may have become stricter since it was kept.
            if unused_ms < self.client.idle_ms()? {
                return self.keep_session();
            }
            self.client.lock();
            let _ = session::remove(self.files.folder());
        }
        if std::io::IsTerminal::is_terminal(&std::io::stdin()) {
            return self.unlock_with_pin();
        }
        Err(VaultError::Locked.into())
    }

    /// Asks for the PIN, and keeps the device unlocked for a while.
    pub fn unlock_with_pin(&mut self) -> Result<(), Failure> {
        let pin = prompt::secret("PIN")?;
        self.client.unlock_with_pin(&pin)?;
        self.keep_session()
    }

    /// Keeps the device unlocked for a while, if the system can without writing to a disk.
    pub fn keep_session(&mut self) -> Result<(), Failure> {
        let idle_ms = self.client.idle_ms()?;
        let now = self.client.now();
        let key = self.client.session_key()?;
        session::save(self.files.folder(), key, now, idle_ms);
        Ok(())
    }

    /// Removes a key that opens nothing, as there is no vault.
    pub fn remove_idle_key(&mut self) -> Result<(), Failure> {
        let _alone = self.files.lock()?;
        if self.files.len(state::VAULT_FILE)?.is_none() {
            self.key_file.remove()?;
        }
        Ok(())
    }

    /// The key in the key file; made if there is none.
    pub fn make_key_file(&mut self) -> Result<KeyBytes, Failure> {
        let _alone = self.files.lock()?;
        if let Some(key) = self.key_file.load()? {
            return Ok(key);
        }
        let key = KeyBytes::filled(|bytes| SystemEntropy.fill(bytes));
        self.key_file.save(key.expose())?;
        Ok(key)
    }
}

/// What whoever manages this computer says.
fn managed() -> Result<Managed, Failure> {
    let sources = managed_policies()
        .map_err(|error| Failure::new(error.code(), error.to_string(), error.next()))?;
    Ok(Managed {
        sources,
        client_version: env!("CARGO_PKG_VERSION").to_owned(),
    })
}

/// What managed configuration says about connections.
fn trust(managed: &Managed) -> Result<Trust, Failure> {
    let policy = managed.policy();
    let mut authorities = Vec::new();
    for pem in policy.list(Key::CaCertificates).unwrap_or_default() {
        let certificates = read_certificates(pem.as_bytes()).map_err(|_| {
            Failure::new(
                "policy.unreadable",
                "the policy of this computer has a CA certificate that cannot be read",
                "Whoever manages this computer must put it right.",
            )
        })?;
        authorities.extend(certificates);
    }
    let pins = policy.list(Key::CertificatePins);
    Ok(Trust {
        authorities,
        pins: pins.map(|pins| pins.iter().filter_map(|pin| from_hex(pin)).collect()),
        needs_client_certificate: policy.is_on(Key::RequireMutualTls),
    })
}

fn from_hex(text: &str) -> Option<[u8; 32]> {
    Some(*blake3::Hash::from_hex(text).ok()?.as_bytes())
}

fn client(
    files: &Files,
    managed: &Managed,
    mut extra: HashMap<String, Vec<Vec<u8>>>,
) -> Result<Client<'static>, Failure> {
    for name in files.list()? {
        if name.starts_with(state::CA_PREFIX)
            && !extra.contains_key(&name)
            && let Some(bytes) = files.read(&name)?
            && let Ok(certificates) = read_certificates(&bytes)
        {
            extra.insert(name, certificates);
        }
    }
    let mut client = Client::load(
        Box::new(files.clone()),
        Box::new(HubConnection::new(extra).with_trust(trust(managed)?)),
        Box::new(SystemClock),
        Box::new(SystemEntropy),
    )?;
    client.manage(managed.clone());
    Ok(client)
}

/// `SATCHEL_HOME`, or `.satchel` in the home folder.
fn home() -> Result<PathBuf, Failure> {
    if let Some(home) = std::env::var_os("SATCHEL_HOME") {
        return Ok(home.into());
    }
    std::env::home_dir()
        .map(|home| home.join(".satchel"))
        .ok_or_else(|| {
            Failure::new(
                "home.unknown",
                "there is no home folder to keep downloads in",
                "Set SATCHEL_HOME to a folder of yours.",
            )
        })
}
