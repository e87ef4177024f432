//! The QIX socket: frames between a browser or client and a session on the compute pool.
//!
//! Frames are answered strictly in order. `CancelRequest` is looked at as soon as it arrives,
//! so that it reaches a calculation that is running. Every few seconds of activity the socket
//! asks whether its session and access type are still good.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::response::Response;
use futures_util::{SinkExt, StreamExt};
use satchel_base::{Budget, CancelToken, Limits, UnixMillis};
use satchel_gate::{Route, decide};
use satchel_qix::{Session, SessionConfig, glance};
use tokio::runtime::Handle;
use tokio::sync::mpsc;

use crate::guard::Asker;
use crate::qix_host::HubHost;
use crate::refusal::Refused;
use crate::state::HubState;

/// The longest frame: 8 MiB, the properties of a very large sheet.
const MAX_FRAME_BYTES: usize = 8 << 20;

/// Frames that may wait for an answer.
const MAX_WAITING: usize = 256;

/// The longest a single request may calculate.
const MAX_CALCULATION: Duration = Duration::from_secs(60);

/// How often a busy socket asks whether it is still welcome.
const RECHECK_MS: i64 = 5_000;

/// `GET /app/…`
pub(crate) async fn open(
    State(state): State<Arc<HubState>>,
    Extension(asker): Extension<Asker>,
    upgrade: WebSocketUpgrade,
) -> Result<Response, Refused> {
    // Viewing without signing in, where it is allowed at all, is not over this socket yet.
    let user = asker.person().map_err(|_| {
        Refused::new(
            axum::http::StatusCode::UNAUTHORIZED,
            "session.required",
            "you must be signed in to open apps",
            "Sign in, then try again.",
        )
    })?;
    let user = user.clone();
    Ok(upgrade
        .max_message_size(MAX_FRAME_BYTES)
        .max_frame_size(MAX_FRAME_BYTES)
        .on_upgrade(move |socket| {
            Connection {
                state,
                asker,
                user,
                checked: UnixMillis(0),
            }
            .run(socket)
        }))
}

struct Connection {
    state: Arc<HubState>,
    asker: Asker,
    user: Arc<satchel_store::User>,
    checked: UnixMillis,
}

/// What the calculation under way and those waiting can be stopped by.
#[derive(Default)]
struct Running {
    /// Request id and token of everything not answered yet, in order.
    requests: Mutex<VecDeque<(Option<i64>, CancelToken)>>,
}

impl Running {
    fn lock(&self) -> std::sync::MutexGuard<'_, VecDeque<(Option<i64>, CancelToken)>> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn cancel(&self, id: Option<i64>) {
        for (request, token) in self.lock().iter() {
            if id.is_none() || *request == id {
                token.cancel();
            }
        }
    }
}

impl Connection {
    async fn run(mut self, socket: WebSocket) {
        let host = HubHost {
            state: self.state.clone(),
            user: self.user.clone(),
            runtime: Handle::current(),
        };
        let config = SessionConfig {
            max_frame_bytes: MAX_FRAME_BYTES,
            ..SessionConfig::default()
        };
        let session = Arc::new(Mutex::new(Session::new(config, Box::new(host))));
        let (mut sink, mut source) = socket.split();
        let greeting = session
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .greeting();
        for frame in greeting {
            if sink.send(Message::text(frame)).await.is_err() {
                return;
            }
        }
        let running = Arc::new(Running::default());
        let (queue, mut waiting) = mpsc::channel::<(String, CancelToken)>(MAX_WAITING);
        let mut stopping = self.state.stopping.clone();
        let reading = {
            let running = running.clone();
            async move {
                while let Some(Ok(message)) = source.next().await {
                    let text = match message {
                        Message::Text(text) => text.to_string(),
                        // Binary frames are never used by this protocol.
                        Message::Binary(_) | Message::Close(_) => break,
                        Message::Ping(_) | Message::Pong(_) => continue,
                    };
                    let seen = glance(&text);
                    if let Some(target) = seen.cancels {
                        running.cancel(target);
                    }
                    let token = CancelToken::default();
                    running.lock().push_back((seen.id, token.clone()));
                    if queue.send((text, token)).await.is_err() {
                        break;
                    }
                }
            }
        };
        let answering = async {
            while let Some((text, token)) = waiting.recv().await {
                if let Some(close) = self.recheck().await {
                    let _ = sink.send(Message::Close(Some(close))).await;
                    break;
                }
                let Some(frames) = self.answer(&session, text, token).await else {
                    break;
                };
                running.lock().pop_front();
                let mut broken = false;
                for frame in frames {
                    broken |= sink.send(Message::text(frame)).await.is_err();
                }
                if broken {
                    break;
                }
            }
            sink
        };
        let stopped = async move {
            let _ = stopping.wait_for(|stop| *stop).await;
        };
        tokio::pin!(reading, answering, stopped);
        tokio::select! {
            () = &mut reading => {}
            mut sink = &mut answering => { let _ = sink.close().await; }
            () = &mut stopped => {}
        }
        // Whoever leaves does not keep the cores busy.
        running.cancel(None);
    }

    /// Why the socket must close, if it must.
    async fn recheck(&mut self) -> Option<CloseFrame> {
        let now = self.state.now();
        if now.since_ms(self.checked) < RECHECK_MS {
            return None;
        }
        self.checked = now;
        let refused = |code, reason: &'static str| {
            Some(CloseFrame {
                code,
                reason: reason.into(),
            })
        };
        let token = self.asker.token?;
        match self.state.store.touch_session(token, now).await {
            Ok(Some(_)) => {}
            Ok(None) => return refused(4401, "the session has ended; sign in again"),
            Err(_) => return refused(1011, "the hub cannot check the session now"),
        }
        match self.state.store.touch_access(&self.user.id, now).await {
            Ok(in_force) => {
                let policy = self.state.policy();
                decide(
                    Route::Socket,
                    in_force.access_type(),
                    self.asker.client,
                    &policy,
                )
                .err()
                .and_then(|_| refused(4403, "the access type no longer allows this"))
            }
            Err(_) => refused(1011, "the hub cannot check the access type now"),
        }
    }

    async fn answer(
        &self,
        session: &Arc<Mutex<Session>>,
        text: String,
        token: CancelToken,
    ) -> Option<Vec<String>> {
        let permit = self.state.computing.clone().acquire_owned().await.ok()?;
        let session = session.clone();
        let budget = Budget::new(Limits::INTERACTIVE, token.clone());
        let work = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            session
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .handle(&text, &budget)
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
}
