//! The QIX socket on loopback: frames between the browser and a session on this device.
//!
//! Frames are answered strictly in order; `CancelRequest` is looked at as soon as it arrives.
//! Before each answer, and whenever the keeper says that it stands otherwise, lock and lease are
//! looked at: when either ends, the socket closes with the code as its reason, a running
//! calculation is stopped, and the session with its view is dropped.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::State;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::response::Response;
use futures_util::{SinkExt, StreamExt};
use satchel_base::{Budget, CancelToken, Clock as _, Limits};
use satchel_contract::ApiError;
use satchel_device_native::SystemClock;
use satchel_qix::{Session, SessionConfig, Urgent, glance};
use tokio::sync::{mpsc, watch};

use super::host::DeviceHost;
use super::keeper::Desk;
use super::routes::Loopback;
use super::standing::Standing;

/// As at the hub: 8 MiB, the properties of a very large sheet.
const MAX_FRAME_BYTES: usize = 8 << 20;

/// Frames that may wait for an answer.
const MAX_WAITING: usize = 256;

/// The longest a single request may calculate.
const MAX_CALCULATION: Duration = Duration::from_secs(60);

/// What the page's own sockets use too (`web/src/client/device/worker-socket.ts`).
const CLOSED_BY_DEVICE: u16 = 4100;

/// `GET /app/…`
pub async fn open(State(loopback): State<Arc<Loopback>>, upgrade: WebSocketUpgrade) -> Response {
    let desk = loopback.desk.clone();
    upgrade
        .max_message_size(MAX_FRAME_BYTES)
        .max_frame_size(MAX_FRAME_BYTES)
        .on_upgrade(move |socket| run(desk, socket))
}

/// The ids of requests that are not answered yet and what stops them, in order.
type Requests = VecDeque<(Option<i64>, CancelToken)>;

/// What everything not answered yet can be stopped by.
#[derive(Clone, Default)]
struct Running(Arc<Mutex<Requests>>);

impl Running {
    fn lock(&self) -> std::sync::MutexGuard<'_, Requests> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn cancel(&self, id: Option<i64>) {
        for (request, token) in self.lock().iter() {
            if id.is_none() || *request == id {
                token.cancel();
            }
        }
    }
}

async fn run(desk: Desk, socket: WebSocket) {
    let standing = desk.standing();
    let config = SessionConfig {
        max_frame_bytes: MAX_FRAME_BYTES,
        ..SessionConfig::default()
    };
    let host = DeviceHost { desk: desk.clone() };
    let session = Session::new(config, Box::new(host));
    let (mut sink, mut source) = socket.split();
    if let Some(refusal) = refusal(&standing, None) {
        let _ = sink.send(Message::Close(Some(closing(&refusal)))).await;
        return;
    }
    for frame in session.greeting() {
        if sink.send(Message::text(frame)).await.is_err() {
            return;
        }
    }
    let session = Arc::new(Mutex::new(session));
    let app = Arc::new(Mutex::new(None::<String>));
    let running = Running::default();
    let (queue, mut waiting) = mpsc::channel::<(String, CancelToken)>(MAX_WAITING);

    let reading = async {
        while let Some(Ok(message)) = source.next().await {
            let text = match message {
                Message::Text(text) => text.to_string(),
                // Binary frames are never used by this protocol.
                Message::Binary(_) | Message::Close(_) => break,
                Message::Ping(_) | Message::Pong(_) => continue,
            };
            let seen = glance(&text);
            if let Some(Urgent::Cancel(target)) = seen.urgent {
                running.cancel(target);
            }
            let token = CancelToken::default();
            running.lock().push_back((seen.id, token.clone()));
            if queue.send((text, token)).await.is_err() {
                break;
            }
        }
    };
    let answering = async {
        while let Some((text, token)) = waiting.recv().await {
            desk.used();
            let open = app.lock().unwrap_or_else(PoisonError::into_inner).clone();
            if let Some(refusal) = refusal(&standing, open.as_deref()) {
                let _ = sink.send(Message::Close(Some(closing(&refusal)))).await;
                return None;
            }
            let frames = answer(&session, &app, text, token).await?;
            running.lock().pop_front();
            for frame in frames {
                sink.send(Message::text(frame)).await.ok()?;
            }
        }
        None::<()>
    };
    let ended = {
        let (mut changes, app) = (standing.clone(), app.clone());
        async move {
            loop {
                let open = app.lock().unwrap_or_else(PoisonError::into_inner).clone();
                if changes.borrow_and_update().stopping {
                    return None;
                }
                if let Some(refusal) = refusal(&changes, open.as_deref()) {
                    return Some(refusal);
                }
                // An error means that the keeper is gone.
                changes.changed().await.ok()?;
            }
        }
    };
    let end = tokio::select! {
        () = reading => None,
        _ = answering => None,
        refused = ended => Some(refused.map_or_else(stopping, |refusal| closing(&refusal))),
    };
    // Whoever leaves does not keep the cores busy, nor the data in memory.
    running.cancel(None);
    if let Some(frame) = end {
        let _ = sink.send(Message::Close(Some(frame))).await;
    }
    let _ = sink.close().await;
}

fn refusal(standing: &watch::Receiver<Standing>, app: Option<&str>) -> Option<ApiError> {
    standing.borrow().refusal_of(app, SystemClock.now())
}

fn closing(refusal: &ApiError) -> CloseFrame {
    CloseFrame {
        code: CLOSED_BY_DEVICE,
        reason: refusal.code.clone().into(),
    }
}

/// As a server says that it goes away.
fn stopping() -> CloseFrame {
    CloseFrame {
        code: 1001,
        reason: "loopback.stopped".into(),
    }
}

/// Carries out one frame, and notes which app is open afterwards. `None` if the session failed.
async fn answer(
    session: &Arc<Mutex<Session>>,
    app: &Arc<Mutex<Option<String>>>,
    text: String,
    token: CancelToken,
) -> Option<Vec<String>> {
    let (session, app) = (session.clone(), app.clone());
    let budget = Budget::new(Limits::INTERACTIVE, token.clone());
    let work = tokio::task::spawn_blocking(move || {
        let mut session = session.lock().unwrap_or_else(PoisonError::into_inner);
        let frames = session.handle(&text, &budget);
        *app.lock().unwrap_or_else(PoisonError::into_inner) = session.app_id().map(str::to_owned);
        frames
    });
    tokio::pin!(work);
    tokio::select! {
        done = &mut work => done.ok(),
        () = tokio::time::sleep(MAX_CALCULATION) => {
            token.cancel();
            work.await.ok()
        }
    }
}
