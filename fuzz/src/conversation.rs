//! Frames as a client sends them, one a line, against a session on an app of which the client
//! may see a part.
//!
//! Every conversation is held twice: over the masked model and over the physically reduced one.
//! Each frame gets one reply with its id, both sessions give the same, and no reply tells of
//! what the client may not see.
//!
//! A handle may be written as text, `"GenericObject/0"`: the first object of that class the
//! session has returned. Handles are known only while a conversation runs, and a frame that
//! names a wrong one does not get far.

use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::sync::Arc;

use satchel_access::{Rules, Subject, decide, mask, reduce};
use satchel_base::{Budget, SubjectId, UnixMillis};
use satchel_data::View;
use satchel_engine::Engine;
use satchel_qix::{
    AppContent, AppMeta, ExportFile, ExportRows, Host, Now, OpenApp, OpenFailure, OpenMode,
    Refusal, Reloaded, Session, SessionConfig, UserInfo,
};
use serde_json::Value;

use crate::grammar::Grammar;

/// The id of the app there is.
pub(crate) const APP: &str = "11111111-1111-4111-8111-111111111111";

/// No client is served more of one conversation here.
const MOST_FRAMES: usize = 64;

/// What a reply must not contain unless the client said it.
const CANARY: &str = "CANARY";

/// The app with its content, masked and reduced.
struct App {
    masked: Arc<View>,
    reduced: Arc<View>,
    content: Arc<AppContent>,
}

thread_local! {
    static THE_APP: OnceCell<App> = const { OnceCell::new() };
}

fn app() -> App {
    let script = include_str!("../model.qvs");
    let loaded = crate::files::run(script, &Budget::unlimited());
    let loaded = loaded.unwrap_or_else(|failure| {
        panic!("model.qvs does not load: {:?}", failure.problems);
    });
    let model = Arc::new(loaded.model);
    let (rules, _) = Rules::read(&loaded.access, &model);
    let decision = decide(&rules, &Subject::new(SubjectId::new("LOCAL", "ann")));
    let masked = mask(&decision, model.clone()).expect("Ann has a row");
    let reduced = reduce(&decision, &model).expect("Ann has a row").model;
    let content = include_str!("../../crates/qix/tests/it/content.json");
    App {
        masked: Arc::new(masked),
        reduced: Arc::new(View::unrestricted(Arc::new(reduced))),
        content: Arc::new(AppContent::from_json(content).expect("the content reads")),
    }
}

/// Holds the conversation in `bytes`; see the head of this file for its form.
pub fn qix_frames(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let mut client = Client::new();
    for frame in text.lines().filter(|l| is_frame(l)).take(MOST_FRAMES) {
        client.ask(frame);
    }
}

/// A conversation of 64 requests, as text; the same for the same `seed`.
pub fn conversation(seed: u32) -> String {
    let mut grammar = Grammar::new(u64::from(seed));
    let mut frames = vec![Grammar::opening()];
    frames.extend(grammar.opening_objects());
    frames.extend((frames.len()..MOST_FRAMES).map(|_| grammar.frame()));
    frames.join("\n")
}

/// The methods, as `Class.Method`, that never give a result in these conversations.
pub fn unanswered(conversations: impl Iterator<Item = String>) -> Vec<String> {
    let mut missing: BTreeSet<String> = satchel_qix::methods()
        .map(|m| format!("{}.{}", m.class, m.name))
        .collect();
    for text in conversations {
        let mut client = Client::new();
        for frame in text.lines().filter(|l| is_frame(l)) {
            let asked: Value = serde_json::from_str(frame).unwrap_or_default();
            let class = match asked["handle"].as_str() {
                Some(handle) => handle.split('/').next().unwrap_or_default(),
                None => "Global",
            };
            let Some(reply) = client.ask(frame) else {
                break;
            };
            if reply.get("result").is_some()
                && let Some(method) = asked["method"].as_str()
            {
                missing.remove(&format!("{class}.{method}"));
            }
        }
    }
    missing.into_iter().collect()
}

/// Whether a line is sent: not if it is empty, a comment, or a reply in a recorded conversation.
fn is_frame(line: &str) -> bool {
    let recorded = line.starts_with("{\"jsonrpc\":\"2.0\",\"id\":")
        && (line.contains(",\"result\":{") || line.contains(",\"error\":{"));
    !line.is_empty() && !line.starts_with('#') && !recorded
}

/// Somebody who asks both sessions the same.
pub(crate) struct Client {
    masked: Session,
    reduced: Session,
    /// Class and number of each handle returned, in order.
    handles: Vec<(String, i64)>,
    /// Whether the client itself said the word that must not leak.
    said: bool,
    /// Whether a limit was met. Masked and reduced models meet it at different times.
    ended: bool,
}

impl Client {
    pub fn new() -> Self {
        THE_APP.with(|app| {
            let app = app.get_or_init(self::app);
            let session = |view: &Arc<View>| {
                let host = FuzzHost {
                    engine: Engine::new(view.clone()),
                    content: app.content.clone(),
                    next: 0,
                };
                Session::new(SessionConfig::default(), Box::new(host))
            };
            Self {
                masked: session(&app.masked),
                reduced: session(&app.reduced),
                handles: Vec::new(),
                said: false,
                ended: false,
            }
        })
    }

    /// Sends one frame and checks the reply; none after a limit was met.
    pub fn ask(&mut self, frame: &str) -> Option<Value> {
        if self.ended {
            return None;
        }
        let frame = self.with_handle(frame);
        self.said |= frame.to_uppercase().contains(CANARY);
        let replies = self.masked.handle(&frame, &crate::budget());
        assert_eq!(replies.len(), 1, "one reply to a frame");
        let reply: Value = serde_json::from_str(&replies[0]).expect("a reply is JSON");
        check_envelope(&frame, &reply);
        assert!(
            self.said || !replies[0].to_uppercase().contains(CANARY),
            "a reply tells of what is hidden: {}",
            replies[0]
        );
        if reply["error"]["code"] == 7003 {
            self.ended = true;
            return Some(reply);
        }
        let twin = self.reduced.handle(&frame, &crate::budget());
        assert_eq!(replies, twin, "masked and reduced answer alike");
        let object = &reply["result"]["qReturn"];
        if let (Some(class), Some(handle)) = (object["qType"].as_str(), object["qHandle"].as_i64())
            && !self.handles.iter().any(|(_, h)| *h == handle)
        {
            self.handles.push((class.to_owned(), handle));
        }
        Some(reply)
    }

    /// The frame with a handle that is written as text replaced by its number.
    fn with_handle(&self, frame: &str) -> String {
        let number = |name: &str| {
            let (class, nth) = name.split_once('/')?;
            let nth = nth.parse().ok()?;
            let mut of_class = self.handles.iter().filter(|(c, _)| c == class);
            of_class.nth(nth).map(|(_, handle)| *handle)
        };
        let handle = |frame: &str| {
            let (before, after) = frame.split_once("\"handle\":\"")?;
            let (name, rest) = after.split_once('"')?;
            let handle = number(name)?;
            Some(format!("{before}\"handle\":{handle}{rest}"))
        };
        handle(frame).unwrap_or_else(|| frame.to_owned())
    }
}

/// The id is the request's and there is either a result or an error.
fn check_envelope(frame: &str, reply: &Value) {
    let id = match serde_json::from_str::<Value>(frame) {
        Ok(Value::Object(request)) => request.get("id").cloned().unwrap_or_default(),
        _ => Value::Null,
    };
    let id = if id.is_number() || id.is_string() {
        id
    } else {
        Value::Null
    };
    assert_eq!(reply["id"], id, "the reply to {frame}");
    assert_eq!(reply["jsonrpc"], "2.0");
    match (reply.get("result"), reply.get("error")) {
        (Some(Value::Object(_)), None) => {}
        (None, Some(error)) => {
            assert!(error["code"].is_i64() && error["message"].is_string());
        }
        _ => panic!("neither result nor error, or both: {reply}"),
    }
}

/// Opens one app, refuses all others, and counts its ids instead of drawing them.
struct FuzzHost {
    engine: Arc<Engine>,
    content: Arc<AppContent>,
    next: u8,
}

impl FuzzHost {
    fn meta() -> AppMeta {
        let mut meta = AppMeta::new(APP, "Sales", SubjectId::new("LOCAL", "ann"));
        meta.may_edit = true;
        meta.may_export = true;
        meta
    }
}

impl Host for FuzzHost {
    fn doc_list(&mut self) -> Vec<AppMeta> {
        vec![Self::meta()]
    }

    fn open(&mut self, app: &str, mode: OpenMode) -> Result<OpenApp, OpenFailure> {
        if app != APP {
            return Err(OpenFailure::AccessDenied);
        }
        let engine = match mode {
            OpenMode::WithData => self.engine.clone(),
            OpenMode::NoData => Engine::new(Arc::new(View::unrestricted(Arc::default()))),
        };
        Ok(OpenApp {
            engine,
            content: self.content.clone(),
            meta: Self::meta(),
        })
    }

    fn save(&mut self, _: &str, content: &AppContent) -> Result<(), Refusal> {
        self.content = Arc::new(content.clone());
        Ok(())
    }

    fn reload(&mut self, _: &str, _: &AppContent, _: bool) -> Result<Reloaded, Refusal> {
        Err(Refusal::NotHere)
    }

    /// The "address" is the file itself, so that what it tells is looked at.
    fn export(&mut self, file: &ExportFile, rows: &mut ExportRows<'_>) -> Result<String, Refusal> {
        let mut text = format!("{}|{}", file.name, file.columns.join(";"));
        for row in rows {
            let row = row.map_err(|stop| Refusal::Failed {
                message: stop.to_string(),
            })?;
            for cell in row {
                text += &format!("|{}#{:?}", cell.text, cell.num);
            }
        }
        Ok(text)
    }

    fn user(&self) -> UserInfo {
        UserInfo {
            id: SubjectId::new("LOCAL", "ann"),
            name: "Ann".to_owned(),
        }
    }

    fn now(&self) -> Now {
        Now {
            utc: UnixMillis(1_790_000_000_000),
            offset_minutes: 0,
        }
    }

    fn fill_random(&mut self, bytes: &mut [u8]) {
        self.next = self.next.wrapping_add(1);
        bytes.fill(self.next);
    }

    fn product_version(&self) -> String {
        "0.1.0".to_owned()
    }
}
