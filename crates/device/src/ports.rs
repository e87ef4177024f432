//! What a device needs from the machine it runs on. Edge rooms implement these; tests use
//! memory.

use satchel_base::KeyBytes;
use satchel_contract::ApiError;

use crate::{HubEntry, HubFailure, StorageError};

/// Held while nobody else may write; dropping it lets the next one in.
pub type StorageLock = Box<dyn std::any::Any>;

/// Files of the client, by plain name (letters, digits, `.`, `-`).
pub trait Storage {
    /// Waits until no other process writes, and keeps them from it until the lock is dropped.
    /// Whoever holds it may lock again. Ends with the process, however that ends.
    ///
    /// # Errors
    /// [`StorageError`].
    fn lock(&self) -> Result<StorageLock, StorageError>;

    /// Keeps other processes from one piece of work, known by a plain name, until the claim is
    /// dropped or the process ends; `None` if another one has it. Nobody else is held up.
    ///
    /// # Errors
    /// [`StorageError`].
    fn claim(&self, work: &str) -> Result<Option<StorageLock>, StorageError>;

    /// The whole file; `None` if there is none.
    ///
    /// # Errors
    /// [`StorageError`].
    fn read(&self, name: &str) -> Result<Option<Vec<u8>>, StorageError>;

    /// Hands the file over in pieces of moderate size; nothing if there is none.
    ///
    /// # Errors
    /// [`StorageError`].
    fn read_pieces(&self, name: &str, sink: &mut dyn FnMut(&[u8])) -> Result<(), StorageError>;

    /// Replaces the file as a whole: after a kill at any instant the old or the new bytes are
    /// there, and once this returned, the new ones.
    ///
    /// # Errors
    /// [`StorageError`]; the old bytes are then still there.
    fn write(&mut self, name: &str, bytes: &[u8]) -> Result<(), StorageError>;

    /// Adds bytes at the end of a file, which is created if absent.
    ///
    /// # Errors
    /// [`StorageError`]; some of the bytes may then have been added.
    fn append(&mut self, name: &str, bytes: &[u8]) -> Result<(), StorageError>;

    /// Length of the file; `None` if there is none.
    ///
    /// # Errors
    /// [`StorageError`].
    fn len(&self, name: &str) -> Result<Option<u64>, StorageError>;

    /// Gives a file another name, replacing what had it, and makes it durable.
    ///
    /// # Errors
    /// [`StorageError`]; both names are then as before.
    fn rename(&mut self, from: &str, to: &str) -> Result<(), StorageError>;

    /// Removes a file; removing what is not there succeeds.
    ///
    /// # Errors
    /// [`StorageError`].
    fn remove(&mut self, name: &str) -> Result<(), StorageError>;

    /// Names of all files, in any order.
    ///
    /// # Errors
    /// [`StorageError`].
    fn list(&self) -> Result<Vec<String>, StorageError>;
}

/// A key of full strength kept outside the vault: OS keystore, passkey, key file.
pub trait Keystore {
    /// Under which name the vault knows it: `file`, `keystore`.
    fn name(&self) -> &str;

    /// Who can reach the key, one sentence for the user.
    fn statement(&self) -> String;

    /// The key, if there is one.
    ///
    /// # Errors
    /// [`StorageError`].
    fn load(&self) -> Result<Option<KeyBytes>, StorageError>;

    /// Keeps a key.
    ///
    /// # Errors
    /// [`StorageError`].
    fn save(&mut self, key: &[u8; 32]) -> Result<(), StorageError>;

    /// Forgets the key.
    ///
    /// # Errors
    /// [`StorageError`].
    fn remove(&mut self) -> Result<(), StorageError>;
}

/// Method of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Read.
    Get,
    /// Do.
    Post,
    /// Remove.
    Delete,
}

/// A request to a hub.
#[derive(Clone, PartialEq, Eq)]
pub struct HubRequest {
    /// Method.
    pub method: Method,
    /// Path, from the slash.
    pub path: String,
    /// JSON body.
    pub body: Option<Vec<u8>>,
    /// `Cookie` header. A secret: the type has no `Debug`.
    pub cookie: Option<String>,
    /// First byte wanted of a package (`Range: bytes=N-`).
    pub range_from: Option<u64>,
}

/// A hub's answer.
#[derive(Clone, PartialEq, Eq)]
pub struct HubResponse {
    /// HTTP status.
    pub status: u16,
    /// `name=value` of the session cookie it set. A secret: the type has no `Debug`.
    pub cookie: Option<String>,
    /// Body; at most what [`MAX_ANSWER_BYTES`] says.
    pub body: Vec<u8>,
}

/// 16 MiB: the longest answer that is read into memory; packages are streamed.
pub const MAX_ANSWER_BYTES: u64 = 16 << 20;

/// Takes the pieces of a streamed answer, with its status; may refuse to go on.
pub type Sink<'a> = dyn FnMut(u16, &[u8]) -> Result<(), StorageError> + 'a;

/// The way to a hub: TLS, verified on every connection, without any way around.
pub trait HubPort {
    /// Sends a request and reads the whole answer.
    ///
    /// # Errors
    /// [`HubFailure::Unreachable`] with the reason (network, certificate).
    fn send(&mut self, hub: &HubEntry, request: &HubRequest) -> Result<HubResponse, HubFailure>;

    /// Sends a request whose answer is streamed to `sink`. An answer of status 400 or above
    /// is not streamed but returned.
    ///
    /// # Errors
    /// As [`Self::send`]; what reached the sink before stays there.
    fn fetch(
        &mut self,
        hub: &HubEntry,
        request: &HubRequest,
        sink: &mut Sink<'_>,
    ) -> Result<HubResponse, HubFailure>;

    /// Lets some time pass before asking again.
    fn pause_ms(&mut self, millis: u64);
}

/// What went wrong on the way, in the words of an edge room.
pub fn unreachable(code: &str, message: String, next: &str) -> HubFailure {
    HubFailure::Unreachable(ApiError {
        code: code.to_owned(),
        message,
        next: next.to_owned(),
    })
}
