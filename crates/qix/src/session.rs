//! What a user has open, and the connections that share it: greeting, frames in, frames out.

use std::collections::BTreeMap;

use satchel_base::Budget;
use serde_json::{Value, json};

use crate::doc::{Doc, undo};
use crate::errors::{Code, RpcError};
use crate::frame::{self, Outcome, Request};
use crate::handles::{Handles, Target};
use crate::host::{Host, UserInfo};
use crate::params::Args;
use crate::router;

/// Which frames a client gets before it asks anything. A wrong number puts some clients out
/// of step for good (reference qix §0.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Greeting {
    /// As through a proxy: who is signed in, then that the session is there.
    Proxy,
    /// As from the engine itself: only that the session is there.
    Direct,
}

/// How a connection behaves.
#[derive(Clone, Debug)]
pub struct SessionConfig {
    /// Which frames it begins with.
    pub greeting: Greeting,
    /// Where a browser goes to sign out; may be empty.
    pub logout_uri: String,
    /// The longest frame that is read, in bytes.
    pub max_frame_bytes: usize,
}

impl Default for SessionConfig {
    /// A greeting as through a proxy, and frames of up to 16 MiB: room for the property tree
    /// of a large sheet, small enough to hold for every connection.
    fn default() -> Self {
        Self {
            greeting: Greeting::Proxy,
            logout_uri: String::new(),
            max_frame_bytes: 16 << 20,
        }
    }
}

/// What one user has open: an app, selections and session objects. Connections share it: each
/// has its own handles, and hears what the others changed.
pub struct Session {
    config: SessionConfig,
    connections: BTreeMap<ConnectionId, Connection>,
    last: u64,
    state: State,
}

/// One of the connections that share a session. Numbers are not used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(u64);

/// What belongs to a connection and not to the session.
struct Connection {
    handles: Handles,
    /// Whether it came to a session that was there.
    attached: bool,
    /// The last number by which it called a request.
    last_request: Option<i64>,
    /// Whether its requests have had rising numbers so far. A client that numbers them so tells
    /// replies from what is pushed; others take the next frame for the reply (reference qix
    /// §0.5).
    numbers_requests: bool,
}

impl Connection {
    fn new(attached: bool) -> Self {
        Self {
            handles: Handles::default(),
            attached,
            last_request: None,
            numbers_requests: true,
        }
    }

    fn heard(&mut self, id: &Value) {
        let id = id.as_i64();
        let rises = id.is_some_and(|id| self.last_request.map_or(id > 0, |last| id > last));
        self.numbers_requests &= rises;
        self.last_request = id.or(self.last_request);
    }

    fn takes_pushes(&self) -> bool {
        self.numbers_requests && self.last_request.is_some()
    }
}

/// What a request led to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The one reply.
    pub reply: String,
    /// What other connections of the session are to be told.
    pub pushes: Vec<(ConnectionId, String)>,
}

/// What a session holds beside its connections.
pub(crate) struct State {
    pub host: Box<dyn Host + Send>,
    pub doc: Option<Doc>,
}

impl Session {
    /// The connection a session begins with.
    pub const FIRST: ConnectionId = ConnectionId(0);

    /// A new session without an open app, and its first connection.
    pub fn new(config: SessionConfig, host: Box<dyn Host + Send>) -> Self {
        Self {
            config,
            connections: BTreeMap::from([(Self::FIRST, Connection::new(false))]),
            last: 0,
            state: State { host, doc: None },
        }
    }

    /// A further connection: it finds selections and session objects as they are, and has no
    /// handles yet.
    pub fn attach(&mut self) -> ConnectionId {
        self.last += 1;
        let id = ConnectionId(self.last);
        self.connections.insert(id, Connection::new(true));
        id
    }

    /// Forgets a connection that was closed; returns how many are left.
    pub fn detach(&mut self, connection: ConnectionId) -> usize {
        self.connections.remove(&connection);
        self.connections.len()
    }

    /// Gives back the memory of results that can be calculated again. For a session that
    /// nobody is connected to.
    pub fn rest(&mut self) {
        if let Some(doc) = &mut self.state.doc {
            doc.cache = Default::default();
        }
    }

    /// The frames to send on the first connection before anything is read.
    pub fn greeting(&self) -> Vec<String> {
        self.greeting_on(Self::FIRST)
    }

    /// The frames to send on a connection before anything is read.
    pub fn greeting_on(&self, connection: ConnectionId) -> Vec<String> {
        let mut frames = Vec::new();
        if self.config.greeting == Greeting::Proxy {
            let UserInfo { id, .. } = self.state.host.user();
            frames.push(
                json!({
                    "jsonrpc": "2.0",
                    "method": "OnAuthenticationInformation",
                    "params": {
                        "userId": id.name(),
                        "userDirectory": id.directory(),
                        "logoutUri": self.config.logout_uri,
                        "mustAuthenticate": false,
                    },
                })
                .to_string(),
            );
        }
        let attached = self
            .connections
            .get(&connection)
            .is_some_and(|c| c.attached);
        let session_state = if attached {
            "SESSION_ATTACHED"
        } else {
            "SESSION_CREATED"
        };
        frames.push(
            json!({
                "jsonrpc": "2.0",
                "method": "OnConnected",
                "params": {"qSessionState": session_state},
            })
            .to_string(),
        );
        frames
    }

    /// The id of the open app.
    pub fn app_id(&self) -> Option<&str> {
        self.state.doc.as_ref().map(|d| d.meta.id.as_str())
    }

    /// Carries out one request of the first connection. Exactly one frame comes back, whatever
    /// `text` is.
    ///
    /// When `budget` ends the reply is error 15 (cancelled) or 7003 (too large), and selections
    /// are as they were before the request.
    pub fn handle(&mut self, text: &str, budget: &Budget) -> Vec<String> {
        vec![self.handle_on(Self::FIRST, text, budget).reply]
    }

    /// Carries out one request of a connection, as [`Self::handle`] does; an unknown connection
    /// has no handles and can only ask the global object.
    pub fn handle_on(&mut self, connection: ConnectionId, text: &str, budget: &Budget) -> Answer {
        let request = match frame::parse(text, self.config.max_frame_bytes) {
            Ok(request) => request,
            Err((id, error)) => {
                return Answer {
                    reply: frame::error_reply(id, &error),
                    pushes: Vec::new(),
                };
            }
        };
        let id = request.id.clone();
        let mut own = self
            .connections
            .remove(&connection)
            .unwrap_or_else(|| Connection::new(true));
        own.heard(&id);
        let done = self.dispatch(&mut own.handles, request, budget);
        self.connections.insert(connection, own);
        match done {
            Ok(outcome) => Answer {
                pushes: self.pushes(&outcome),
                reply: frame::reply(id, outcome),
            },
            Err(error) => Answer {
                reply: frame::error_reply(id, &error),
                pushes: Vec::new(),
            },
        }
    }

    /// What other connections hear of an outcome.
    fn pushes(&self, outcome: &Outcome) -> Vec<(ConnectionId, String)> {
        let takes = |id: &ConnectionId| self.connections.get(id).is_some_and(|c| c.takes_pushes());
        outcome
            .elsewhere
            .iter()
            .filter(|(id, lists)| takes(id) && !lists.is_empty())
            .map(|(id, lists)| (*id, frame::push(lists)))
            .collect()
    }

    fn dispatch(
        &mut self,
        handles: &mut Handles,
        request: Request,
        budget: &Budget,
    ) -> Result<Outcome, RpcError> {
        let target = if request.handle == -1 {
            None
        } else {
            let target = handles.target(request.handle).cloned();
            Some(target.ok_or_else(|| {
                RpcError::about(Code::InvalidParams, format!("handle {}", request.handle))
            })?)
        };
        let class = target.as_ref().map_or("Global", Target::class);
        let method = router::find(class, &request.method)
            .ok_or_else(|| RpcError::about(Code::MethodNotFound, request.method.clone()))?;
        budget.check()?;
        let mut call = Call {
            handles,
            others: self
                .connections
                .iter_mut()
                .map(|(id, c)| (*id, &mut c.handles))
                .collect(),
            state: &mut self.state,
            target,
            args: Args::new(request.params, method.params),
            budget,
            outcome: Outcome::default(),
            returned: None,
        };
        // A request that fails halfway leaves no selections behind.
        let before = call.state.doc.as_ref().map(|d| d.history.clone());
        let undoable = call.state.doc.as_ref();
        let undoable = undoable.and_then(|d| undo::before(d, method.name));
        let done = (method.run)(&mut call);
        let outcome = call.outcome;
        match (done, before, &mut self.state.doc) {
            (Ok(()), _, doc) => {
                if let (Some(before), Some(doc)) = (undoable, doc) {
                    undo::remember(doc, before);
                }
                Ok(outcome)
            }
            (Err(error), Some(history), Some(doc)) => {
                doc.history = history;
                Err(error)
            }
            (Err(error), _, _) => Err(error),
        }
    }
}

/// One request on its way through.
pub(crate) struct Call<'a> {
    pub handles: &'a mut Handles,
    /// The handles of the session's other connections.
    others: Vec<(ConnectionId, &'a mut Handles)>,
    pub state: &'a mut State,
    /// What the request's handle stands for; none for the global object.
    pub target: Option<Target>,
    pub args: Args,
    pub budget: &'a Budget,
    pub outcome: Outcome,
    /// The handle this request returns: what is new to the client is not out of date.
    returned: Option<i64>,
}

impl Call<'_> {
    /// The open app.
    pub fn doc(&mut self) -> Result<&mut Doc, RpcError> {
        self.state.doc.as_mut().ok_or(Code::AppNotOpen.into())
    }

    /// Adds a member to the result.
    pub fn put(&mut self, name: &str, value: impl Into<Value>) {
        self.outcome.result.insert(name.to_owned(), value.into());
    }

    /// Returns an object: its class, handle, type and id.
    pub fn put_object(&mut self, target: Target, kind: &str, id: &str) {
        let class = target.class();
        let handle = self.handles.of(target);
        self.returned = Some(handle);
        let mut object = serde_json::Map::new();
        object.insert("qType".to_owned(), class.into());
        object.insert("qHandle".to_owned(), handle.into());
        if !kind.is_empty() {
            object.insert("qGenericType".to_owned(), kind.into());
        }
        object.insert("qGenericId".to_owned(), id.into());
        self.put("qReturn", object);
    }

    /// Tells the clients that an object's handle is gone.
    pub fn close(&mut self, target: &Target) {
        if let Some(handle) = self.handles.free(target) {
            self.outcome.lists.close.push(handle);
        }
        for (id, handles) in &mut self.others {
            if let Some(handle) = handles.free(target) {
                let lists = self.outcome.elsewhere.entry(*id).or_default();
                lists.close.push(handle);
            }
        }
    }

    /// Tells the clients that the layouts of these objects are no longer valid.
    pub fn changed(&mut self, is_changed: impl Fn(&Target) -> bool) {
        let returned = self.returned;
        let changed = self
            .handles
            .iter()
            .filter(|(h, t)| Some(*h) != returned && is_changed(t))
            .map(|(h, _)| h);
        self.outcome.lists.change.extend(changed);
        for (id, handles) in &self.others {
            let changed = handles
                .iter()
                .filter(|(_, t)| is_changed(t))
                .map(|(h, _)| h);
            let lists = self.outcome.elsewhere.entry(*id).or_default();
            lists.change.extend(changed);
        }
    }

    /// A new id in the form of a random UUID.
    pub fn make_id(&mut self) -> String {
        let mut bytes = [0u8; 16];
        self.state.host.fill_random(&mut bytes);
        bytes[6] = bytes[6] & 0x0f | 0x40;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        let hex = |range: std::ops::Range<usize>| {
            bytes[range]
                .iter()
                .map(|b| format!("{b:02x}"))
                .collect::<String>()
        };
        format!(
            "{}-{}-{}-{}-{}",
            hex(0..4),
            hex(4..6),
            hex(6..8),
            hex(8..10),
            hex(10..16)
        )
    }
}
