//! One connection: greeting, frames in, frames out.

use satchel_base::Budget;
use serde_json::{Value, json};

use crate::doc::Doc;
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

/// One connection of one user. Owns selections, session objects and handles.
pub struct Session {
    config: SessionConfig,
    attached: bool,
    handles: Handles,
    state: State,
}

/// What a session holds beside its connection.
pub(crate) struct State {
    pub host: Box<dyn Host + Send>,
    pub doc: Option<Doc>,
}

impl Session {
    /// A new session without an open app.
    pub fn new(config: SessionConfig, host: Box<dyn Host + Send>) -> Self {
        Self {
            config,
            attached: false,
            handles: Handles::default(),
            state: State { host, doc: None },
        }
    }

    /// The frames to send before anything is read.
    pub fn greeting(&self) -> Vec<String> {
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
        let session_state = if self.attached {
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

    /// Continues this session on a new connection: selections and session objects stay,
    /// handles are forgotten, and the greeting says that an old session was attached.
    pub fn reattach(&mut self) {
        self.attached = true;
        self.handles.clear();
    }

    /// The id of the open app.
    pub fn app_id(&self) -> Option<&str> {
        self.state.doc.as_ref().map(|d| d.meta.id.as_str())
    }

    /// Carries out one request. Exactly one frame comes back, whatever `text` is.
    ///
    /// When `budget` ends the reply is error 15 (cancelled) or 7003 (too large), and selections
    /// are as they were before the request.
    pub fn handle(&mut self, text: &str, budget: &Budget) -> Vec<String> {
        let request = match frame::parse(text, self.config.max_frame_bytes) {
            Ok(request) => request,
            Err((id, error)) => return vec![frame::error_reply(id, &error)],
        };
        let id = request.id.clone();
        vec![match self.dispatch(request, budget) {
            Ok(outcome) => frame::reply(id, outcome),
            Err(error) => frame::error_reply(id, &error),
        }]
    }

    fn dispatch(&mut self, request: Request, budget: &Budget) -> Result<Outcome, RpcError> {
        let target = if request.handle == -1 {
            None
        } else {
            let target = self.handles.target(request.handle).cloned();
            Some(target.ok_or_else(|| {
                RpcError::about(Code::InvalidParams, format!("handle {}", request.handle))
            })?)
        };
        let class = target.as_ref().map_or("Global", Target::class);
        let method = router::find(class, &request.method)
            .ok_or_else(|| RpcError::about(Code::MethodNotFound, request.method.clone()))?;
        budget.check()?;
        let mut call = Call {
            handles: &mut self.handles,
            state: &mut self.state,
            target,
            args: Args::new(request.params, method.params),
            budget,
            outcome: Outcome::default(),
            returned: None,
        };
        // A request that fails halfway leaves no selections behind.
        let before = call.state.doc.as_ref().map(|d| d.history.clone());
        let done = (method.run)(&mut call);
        let outcome = call.outcome;
        match (done, before, &mut self.state.doc) {
            (Ok(()), _, _) => Ok(outcome),
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

    /// Tells the client that an object's handle is gone.
    pub fn close(&mut self, target: &Target) {
        if let Some(handle) = self.handles.free(target) {
            self.outcome.close.push(handle);
        }
    }

    /// Tells the client that the layouts of these objects are no longer valid.
    pub fn changed(&mut self, is_changed: impl Fn(&Target) -> bool) {
        let changed = self
            .handles
            .iter()
            .filter(|(h, t)| Some(*h) != self.returned && is_changed(t))
            .map(|(h, _)| h);
        self.outcome.change.extend(changed);
        self.outcome.change.sort_unstable();
        self.outcome.change.dedup();
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
