//! Memory in place of disk and network, and a small hub that answers as the contract says.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use satchel_base::{AppId, ByteSize, Clock, DeviceId, Entropy, SubjectId, UnixMillis};
use satchel_contract::{
    AccessType, ApiError, Download, DownloadState, Enrol, Enrolled, ErrorBody, Grant, HubIdentity,
    Lease, Manifest, Me, SignIn,
};
use satchel_device::ports::{
    HubPort, HubRequest, HubResponse, Method, Sink, Storage, StorageLock, unreachable,
};
use satchel_device::{Client, HubEntry, HubFailure, StorageError};
use satchel_sealed::{DevicePublicKey, SigningKey, package, signed};

pub const T0: i64 = 1_790_000_000_000;

/// A disk that survives its client; `room` bytes can still be written.
#[derive(Clone, Default)]
pub struct Disk {
    pub files: Rc<RefCell<BTreeMap<String, Vec<u8>>>>,
    /// Writes that still succeed; `None` is all of them.
    pub writes_left: Rc<RefCell<Option<u32>>>,
    /// How the first one that does not ends, and whether those after it do.
    pub fault: Rc<RefCell<Fault>>,
}

/// What becomes of a write that does not succeed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fault {
    /// The disk is full, or the process is dead: nothing more is written.
    #[default]
    Stops,
    /// The same, but half of what was being appended is there.
    Tears,
    /// This write alone fails.
    Once,
    /// It is done, but reported as failed: what was renamed could not be made durable.
    Late,
}

impl Disk {
    /// Counts a write; `write` gets whether it is only half of one.
    fn spend(&self, name: &str, mut write: impl FnMut(bool)) -> Result<(), StorageError> {
        let left = *self.writes_left.borrow();
        if left != Some(0) {
            self.count_down();
            write(false);
            return Ok(());
        }
        match *self.fault.borrow() {
            Fault::Stops => {}
            Fault::Tears => write(true),
            Fault::Once => *self.writes_left.borrow_mut() = None,
            Fault::Late => {
                write(false);
                *self.writes_left.borrow_mut() = None;
            }
        }
        Err(StorageError::Full { name: name.into() })
    }

    fn count_down(&self) {
        if let Some(n) = self.writes_left.borrow_mut().as_mut() {
            *n -= 1;
        }
    }

    pub fn names(&self) -> Vec<String> {
        self.files.borrow().keys().cloned().collect()
    }
}

impl Storage for Disk {
    fn lock(&self) -> Result<StorageLock, StorageError> {
        Ok(Box::new(()))
    }

    fn claim(&self, _work: &str) -> Result<Option<StorageLock>, StorageError> {
        Ok(Some(Box::new(())))
    }

    fn read(&self, name: &str) -> Result<Option<Vec<u8>>, StorageError> {
        Ok(self.files.borrow().get(name).cloned())
    }

    fn read_pieces(&self, name: &str, sink: &mut dyn FnMut(&[u8])) -> Result<(), StorageError> {
        let bytes = self.read(name)?.unwrap_or_default();
        bytes.chunks(1000).for_each(sink);
        Ok(())
    }

    fn write(&mut self, name: &str, bytes: &[u8]) -> Result<(), StorageError> {
        self.spend(name, |is_half| {
            // It is written beside and renamed: half of it is nothing.
            if !is_half {
                self.files.borrow_mut().insert(name.into(), bytes.to_vec());
            }
        })
    }

    fn append(&mut self, name: &str, bytes: &[u8]) -> Result<(), StorageError> {
        self.spend(name, |is_half| {
            let n = if is_half {
                bytes.len() / 2
            } else {
                bytes.len()
            };
            let mut files = self.files.borrow_mut();
            let file = files.entry(name.into()).or_default();
            file.extend_from_slice(&bytes[..n]);
        })
    }

    fn len(&self, name: &str) -> Result<Option<u64>, StorageError> {
        Ok(self
            .files
            .borrow()
            .get(name)
            .map(|bytes| bytes.len() as u64))
    }

    fn rename(&mut self, from: &str, to: &str) -> Result<(), StorageError> {
        self.spend(from, |is_half| {
            if !is_half {
                let bytes = self.files.borrow_mut().remove(from).unwrap();
                self.files.borrow_mut().insert(to.into(), bytes);
            }
        })
    }

    fn remove(&mut self, name: &str) -> Result<(), StorageError> {
        self.spend(name, |is_half| {
            if !is_half {
                self.files.borrow_mut().remove(name);
            }
        })
    }

    fn list(&self) -> Result<Vec<String>, StorageError> {
        Ok(self.names())
    }
}

/// A clock that stands still until it is set.
#[derive(Clone)]
pub struct Dial(Arc<AtomicI64>);

impl Dial {
    pub fn set(&self, millis: i64) {
        self.0.store(T0 + millis, Relaxed);
    }
}

impl Clock for Dial {
    fn now(&self) -> UnixMillis {
        UnixMillis(self.0.load(Relaxed))
    }
}

pub struct Fixed(blake3::OutputReader);

impl Fixed {
    pub fn new(seed: &str) -> Self {
        Self(blake3::Hasher::new().update(seed.as_bytes()).finalize_xof())
    }
}

impl Entropy for Fixed {
    fn fill(&mut self, bytes: &mut [u8]) {
        self.0.fill(bytes);
    }
}

/// What the hub is and does; tests change it under way.
pub struct Hub {
    pub key: SigningKey,
    pub id: String,
    pub now: i64,
    pub reload: u64,
    pub payload: Vec<u8>,
    /// The connection breaks after this many bytes of a package.
    pub break_after: Option<usize>,
    /// A byte of the package is damaged on the way.
    pub damage: bool,
    /// Nothing answers.
    pub is_down: bool,
    pub session_over: bool,
    pub revoked: Vec<AppId>,
    pub device_revoked: bool,
    /// The next renewal hears that a newer grant is kept.
    pub is_stale: bool,
    expects_again: bool,
    /// When the newest grant was issued that the device said it keeps.
    pub kept: Option<UnixMillis>,
    /// What the hub's administrator says, as JSON; nothing is sent if `None`.
    pub policy: Option<&'static str>,
    /// Added to the time at which the policy is said to be signed.
    pub policy_age: i64,
    pub n_bytes_sent: usize,
    n_grants: Cell<u32>,
    kem: Option<DevicePublicKey>,
    signing: Option<satchel_sealed::VerifyingKey>,
    n_downloads: u32,
    packages: BTreeMap<String, Vec<u8>>,
}

#[derive(Clone)]
pub struct Wire(pub Rc<RefCell<Hub>>);

impl Hub {
    fn identity(&self) -> HubIdentity {
        HubIdentity {
            id: self.id.clone(),
            name: "Test hub".into(),
            signing_key: STANDARD.encode(self.key.verifying_key().to_bytes()),
        }
    }

    fn me(&self) -> Me {
        Me {
            user: SubjectId::parse("ann"),
            name: "Ann".into(),
            email: String::new(),
            access_type: AccessType::Professional,
            may_use_device: true,
            hub: self.identity(),
            offline_hours: 240,
            may_remember: true,
            second_factor: None,
            policy: Vec::new(),
        }
    }

    fn grant(&self) -> String {
        // A new log-in makes a new one, however soon after the last.
        self.n_grants.set(self.n_grants.get() + 1);
        let grant = Grant {
            id: format!("grant-{}", self.n_grants.get()),
            hub: self.id.clone(),
            user: SubjectId::parse("ann"),
            device: DeviceId::new("device-1"),
            issued_at: UnixMillis(T0 + self.now),
            offline_hours: 240,
            access_type: AccessType::Professional,
        };
        let json = serde_json::to_vec(&grant).unwrap();
        STANDARD.encode(signed::sign(&self.key, signed::GRANT, &json).unwrap())
    }

    fn policy(&self) -> Option<String> {
        let document = satchel_contract::PolicyDocument {
            hub: self.id.clone(),
            user: SubjectId::parse("ann"),
            issued_at: UnixMillis(T0 + self.now - self.policy_age),
            policy: serde_json::from_str(self.policy?).unwrap(),
        };
        let json = serde_json::to_vec(&document).unwrap();
        let envelope = signed::sign(&self.key, signed::POLICY, &json).unwrap();
        Some(STANDARD.encode(envelope))
    }

    fn pack(&mut self, app: &str) -> Download {
        self.n_downloads += 1;
        let id = format!("dl-{}", self.n_downloads);
        let manifest = Manifest {
            app: AppId::new(app),
            title: "Sales".into(),
            data_as_of: UnixMillis(T0),
            reload: self.reload,
            hub: self.id.clone(),
            user: SubjectId::parse("ann"),
            device: DeviceId::new("device-1"),
            sealed_at: UnixMillis(T0),
            tables: Vec::new(),
            fields_withheld: 0,
            access_fingerprint: String::new(),
            grant: "grant".into(),
        };
        let json = serde_json::to_vec(&manifest).unwrap();
        let envelope = signed::sign(&self.key, signed::MANIFEST, &json).unwrap();
        let binding = package::Binding {
            hub: self.id.clone(),
            user: "LOCAL\\ANN".into(),
            device: "device-1".into(),
            app: app.into(),
        };
        let bytes = package::seal(
            &binding,
            &envelope,
            &self.payload,
            self.kem.as_ref().unwrap(),
            &self.key,
            &mut Fixed::new(&id),
        )
        .unwrap();
        let download = Download {
            id: id.clone(),
            state: DownloadState::Ready,
            size: Some(ByteSize(bytes.len() as u64)),
            blake3: Some(blake3::hash(&bytes).to_hex().to_string()),
            manifest: Some(manifest),
            error: None,
        };
        self.packages.insert(id, bytes);
        download
    }

    fn answer(&mut self, request: &HubRequest) -> HubResponse {
        let path = request.path.clone();
        let parts: Vec<&str> = path.split('/').skip(3).collect();
        let is_open = matches!(
            parts[..],
            ["sign-in"] | ["devices", _, "challenge" | "sign-in"]
        );
        if !is_open && (request.cookie.is_none() || self.session_over) {
            return refuse(401, "auth.session_over");
        }
        let body = request.body.as_deref().unwrap_or_default();
        match (request.method, &parts[..]) {
            (Method::Post, ["sign-in"]) => {
                let sign_in: SignIn = serde_json::from_slice(body).unwrap();
                if sign_in.password != "right" {
                    return refuse(401, "auth.wrong_password");
                }
                self.session_over = false;
                with_cookie(&self.me())
            }
            (Method::Post, ["devices"]) => {
                let enrol: Enrol = serde_json::from_slice(body).unwrap();
                let kem = STANDARD.decode(enrol.kem_key).unwrap();
                self.kem = Some(DevicePublicKey::from_bytes(&kem).unwrap());
                let signing = STANDARD.decode(enrol.signing_key).unwrap();
                self.signing = Some(satchel_sealed::VerifyingKey::from_bytes(&signing).unwrap());
                ok(&Enrolled {
                    device: DeviceId::new("device-1"),
                    hub: self.identity(),
                    grant: self.grant(),
                    policy: self.policy(),
                })
            }
            (Method::Post, ["devices", _, "challenge"]) => ok(&satchel_contract::Challenge {
                nonce: STANDARD.encode([9; 32]),
            }),
            (Method::Post, ["devices", device, "sign-in"]) => {
                let sign_in: satchel_contract::DeviceSignIn = serde_json::from_slice(body).unwrap();
                let message = format!(
                    "satchel device sign-in v1\n{}\n{device}\n{}",
                    self.id, sign_in.nonce
                );
                let signature = STANDARD.decode(sign_in.signature).unwrap();
                assert!(
                    self.signing
                        .unwrap()
                        .verifies(message.as_bytes(), &signature)
                );
                if self.device_revoked {
                    return refuse(403, "device.revoked");
                }
                self.session_over = false;
                with_cookie(&self.me())
            }
            (Method::Post, ["devices", _, "lease"] | ["apps", _, "downloads"])
                if self.device_revoked =>
            {
                refuse(403, "device.revoked")
            }
            (Method::Post, ["devices", _, "lease"]) if self.is_stale => {
                let holding: satchel_contract::Holding = serde_json::from_slice(body).unwrap();
                assert!(holding.held.is_some());
                self.is_stale = false;
                self.expects_again = true;
                refuse(409, "lease.stale")
            }
            (Method::Post, ["devices", _, "lease"]) if self.expects_again => {
                let holding: satchel_contract::Holding = serde_json::from_slice(body).unwrap();
                assert!(holding.again, "it says that it looked again");
                self.expects_again = false;
                self.answer(request)
            }
            (Method::Post, ["devices", _, "lease", "kept"]) => {
                let holding: satchel_contract::Holding = serde_json::from_slice(body).unwrap();
                self.kept = holding.held;
                ok(&())
            }
            (Method::Post, ["devices", _, "lease"]) => ok(&Lease {
                grant: self.grant(),
                now: UnixMillis(T0 + self.now),
                revoked: self.revoked.clone(),
                policy: self.policy(),
            }),
            (Method::Post, ["apps", app, "downloads"]) => {
                let app = (*app).to_owned();
                ok(&self.pack(&app))
            }
            (Method::Get, ["downloads", id]) => match self.packages.get(*id) {
                Some(bytes) => ok(&Download {
                    id: (*id).into(),
                    state: DownloadState::Ready,
                    size: Some(ByteSize(bytes.len() as u64)),
                    blake3: Some(blake3::hash(bytes).to_hex().to_string()),
                    manifest: None,
                    error: None,
                }),
                None => refuse(404, "download.unknown"),
            },
            _ => ok(&()),
        }
    }
}

fn ok(body: &impl serde::Serialize) -> HubResponse {
    HubResponse {
        status: 200,
        cookie: None,
        body: serde_json::to_vec(body).unwrap(),
    }
}

fn with_cookie(body: &impl serde::Serialize) -> HubResponse {
    HubResponse {
        cookie: Some("__Host-session=x".into()),
        ..ok(body)
    }
}

fn refuse(status: u16, code: &str) -> HubResponse {
    let error = ApiError {
        code: code.into(),
        message: code.into(),
        next: String::new(),
    };
    HubResponse {
        status,
        cookie: None,
        body: serde_json::to_vec(&ErrorBody { error }).unwrap(),
    }
}

fn down() -> HubFailure {
    unreachable("hub.unreachable", "nobody answers".into(), "Try later.")
}

impl HubPort for Wire {
    fn send(&mut self, _: &HubEntry, request: &HubRequest) -> Result<HubResponse, HubFailure> {
        let mut hub = self.0.borrow_mut();
        if hub.is_down {
            return Err(down());
        }
        Ok(hub.answer(request))
    }

    fn fetch(
        &mut self,
        _: &HubEntry,
        request: &HubRequest,
        sink: &mut Sink<'_>,
    ) -> Result<HubResponse, HubFailure> {
        let mut hub = self.0.borrow_mut();
        if hub.is_down {
            return Err(down());
        }
        let id = request.path.split('/').nth(4).unwrap().to_owned();
        let mut bytes = hub.packages[&id].clone();
        if hub.damage {
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
        }
        let from = usize::try_from(request.range_from.unwrap_or(0)).unwrap();
        let status = if from > 0 { 206 } else { 200 };
        let end = hub
            .break_after
            .map_or(bytes.len(), |n| (from + n).min(bytes.len()));
        hub.n_bytes_sent += end - from;
        for piece in bytes[from..end].chunks(700) {
            sink(status, piece).map_err(HubFailure::Sink)?;
        }
        if end < bytes.len() {
            return Err(down());
        }
        Ok(HubResponse {
            status,
            cookie: None,
            body: Vec::new(),
        })
    }

    fn pause_ms(&mut self, _: u64) {}
}

/// A device and its hub.
pub struct World {
    pub disk: Disk,
    pub hub: Rc<RefCell<Hub>>,
    pub clock: Dial,
    pub entry: HubEntry,
}

impl World {
    pub fn new() -> Self {
        let hub = Hub {
            key: SigningKey::from_seed(&[1; 32]),
            id: "hub-1".into(),
            now: 0,
            reload: 1,
            payload: b"CANARY ".repeat(30_000),
            break_after: None,
            damage: false,
            is_down: false,
            session_over: false,
            revoked: Vec::new(),
            device_revoked: false,
            is_stale: false,
            expects_again: false,
            kept: None,
            policy: None,
            policy_age: 0,
            n_bytes_sent: 0,
            n_grants: Cell::new(0),
            kem: None,
            signing: None,
            n_downloads: 0,
            packages: BTreeMap::new(),
        };
        Self {
            disk: Disk::default(),
            hub: Rc::new(RefCell::new(hub)),
            clock: Dial(Arc::new(AtomicI64::new(T0))),
            entry: HubEntry {
                url: "https://hub.example".into(),
                ca: None,
            },
        }
    }

    /// Starts the client on what is on the disk.
    pub fn start(&self) -> Client<'static> {
        Client::load(
            Box::new(self.disk.clone()),
            Box::new(Wire(self.hub.clone())),
            Box::new(self.clock.clone()),
            Box::new(Fixed::new("device")),
        )
        .unwrap()
    }
}
