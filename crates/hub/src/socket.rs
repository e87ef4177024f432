//! The QIX socket: frames between a browser or client and a session on the compute pool.
//!
//! Requests are carried out and answered strictly in order, with one exception: `GetProgress`
//! is answered at once while its session reloads, or it could tell of nothing but the end.
//! `CancelRequest`, `AbortRequest`, `AbortAll` and `CancelReload` are looked at as soon as they
//! arrive, so that they reach what is running or waiting. Every few seconds of activity the
//! socket asks whether its session and access type are still good.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::http::Uri;
use axum::response::Response;
use bytes::Bytes;
use futures_util::stream::SplitStream;
use futures_util::{SinkExt, StreamExt};
use satchel_base::{Budget, CancelToken, Limits, UnixMillis};
use satchel_gate::{Route, decide};
use satchel_qix::{
    Answer, ConnectionId, Glance, Greeting, Session, SessionConfig, Urgent, glance, progress_reply,
};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::guard::{Asker, Door};
use crate::outgoing::{Put, Take, way};
use crate::qix_host::HubHost;
use crate::refusal::Refused;
use crate::sessions::{Place, Sessions, Shared};
use crate::state::HubState;

/// The longest frame: 8 MiB, the properties of a very large sheet.
const MAX_FRAME_BYTES: usize = 8 << 20;

/// How often a request that waits for a core looks whether it is still wanted.
const CANCEL_LOOK: Duration = Duration::from_millis(20);

/// The longest a single request may calculate.
const MAX_CALCULATION: Duration = Duration::from_secs(60);

/// How often a busy socket asks whether it is still welcome.
const RECHECK_MS: i64 = 5_000;

/// `GET /app/…`
pub(crate) async fn open(
    State(state): State<Arc<HubState>>,
    Extension(asker): Extension<Asker>,
    uri: Uri,
    upgrade: WebSocketUpgrade,
) -> Result<Response, Refused> {
    let place = Place::of(uri.path(), asker.door);
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
                place,
                checked: UnixMillis(0),
                welcome: true,
            }
            .run(socket)
        }))
}

struct Connection {
    state: Arc<HubState>,
    asker: Asker,
    user: Arc<satchel_store::User>,
    place: Place,
    checked: UnixMillis,
    /// Whether the last look found the sign-in and the access type good.
    welcome: bool,
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
        let state = self.state.clone();
        let (frames, mut outgoing) = way::<()>();
        let make = |doings| {
            let host = HubHost {
                state: state.clone(),
                user: self.user.clone(),
                runtime: Handle::current(),
                doings,
            };
            let config = SessionConfig {
                greeting: match self.asker.door {
                    Door::Web => Greeting::Proxy,
                    Door::Direct => Greeting::Direct,
                },
                max_frame_bytes: MAX_FRAME_BYTES,
                ..SessionConfig::default()
            };
            Session::new(config, Box::new(host))
        };
        let joined = state
            .sessions
            .join(&state, &self.user, &self.place, frames.clone(), make)
            .await;
        let (shared, id) = (joined.shared.clone(), joined.id);
        let (mut sink, source) = socket.split();
        let running = Arc::new(Running::default());
        let (queue, waiting) = way::<CancelToken>();
        let mut stopping = self.state.stopping.clone();
        let ended = self.asker.token.map(|t| self.state.sockets.add(t));
        let is_over = ended.as_ref().map(|e| e.subscribe());
        let mut is_ended = false;
        let greeting = joined.greeting.clone();
        let lost = joined.lost.clone();
        let writing = async {
            for frame in greeting {
                sink.send(Message::text(frame)).await.ok()?;
            }
            let period = state.silence / 2;
            let mut signs = tokio::time::interval_at(Instant::now() + period, period);
            signs.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            loop {
                let message = tokio::select! {
                    frame = outgoing.recv() => match frame {
                        Some(frame) => Message::text(frame.take().0),
                        None => return Some(()),
                    },
                    // Whoever lives answers; who does not is left by the connection's watch.
                    _ = signs.tick() => Message::Ping(Bytes::new()),
                };
                sink.send(message).await.ok()?;
            }
        };
        let reading = read(
            source,
            shared.clone(),
            running.clone(),
            queue,
            frames.clone(),
            &state,
        );
        let answering = self.answer_all(&shared, id, waiting, &frames, &running);
        let close = {
            tokio::pin!(writing, reading, answering);
            tokio::select! {
                _ = &mut writing => None::<CloseFrame>,
                close = &mut reading => close,
                close = &mut answering => close,
                () = lost.notified() => Some(closing(1013, "the connection is too slow")),
                () = over(is_over) => {
                    is_ended = true;
                    Some(session_over())
                }
                _ = stopping.wait_for(|stop| *stop) => None,
            }
        };
        // Whoever leaves does not keep the cores busy.
        running.cancel(None);
        let ttl = if self.welcome && !is_ended {
            self.place.ttl
        } else {
            Duration::ZERO
        };
        // Before the peer hears that it is over: it may come back at once.
        Sessions::leave(&state, joined, ttl, self.asker.token).await;
        if let Some(close) = close {
            let _ = sink.send(Message::Close(Some(close))).await;
        }
        let _ = sink.close().await;
    }

    /// Answers requests in order until there are no more; why to close, if the hub must.
    async fn answer_all(
        &mut self,
        shared: &Shared,
        id: ConnectionId,
        mut waiting: Take<CancelToken>,
        frames: &Put,
        running: &Running,
    ) -> Option<CloseFrame> {
        while let Some(request) = waiting.recv().await {
            let (text, token) = request.take();
            if let Some(close) = self.recheck().await {
                self.welcome = false;
                return Some(close);
            }
            let answer = self.answer(shared, id, text, token).await?;
            running.lock().pop_front();
            if !frames.put(answer.reply, ()).await {
                return None;
            }
            shared.push(answer.pushes);
        }
        None
    }

    /// Why the socket must close, if it must.
    async fn recheck(&mut self) -> Option<CloseFrame> {
        let now = self.state.now();
        if now.since_ms(self.checked) < RECHECK_MS {
            return None;
        }
        self.checked = now;
        let refused = |code, reason| Some(closing(code, reason));
        // Who came with a certificate has no log-in that could end.
        if let Some(token) = self.asker.token {
            match self.state.store.touch_session(token, now).await {
                Ok(Some(session)) if !session.is_revoked => {}
                Ok(_) => return Some(session_over()),
                Err(_) => return refused(1011, "the hub cannot check the session now"),
            }
        }
        match self.state.store.user(&self.user.id).await {
            Ok(Some(user)) if user == *self.user => {}
            // Their rights may be others now: they come back with what they are.
            Ok(Some(_)) => return refused(1012, "what the hub knows of you has changed"),
            Ok(None) => return Some(session_over()),
            Err(_) => return refused(1011, "the hub cannot check the person now"),
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
        shared: &Shared,
        id: ConnectionId,
        text: String,
        token: CancelToken,
    ) -> Option<Answer> {
        // The session first: who waits for another connection of it needs no core yet.
        let mut session = shared.session.clone().lock_owned().await;
        shared.doings.is_asked_by(self.asker.token);
        let computing = self.state.computing.clone();
        let permit = tokio::select! {
            permit = computing.acquire_owned() => Some(permit.ok()?),
            // What is cancelled while it waits is answered without a core.
            () = cancelled(&token) => None,
        };
        let budget = Budget::new(Limits::INTERACTIVE, token.clone());
        let work = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            session.handle_on(id, &text, &budget)
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

/// Until the token is cancelled.
async fn cancelled(token: &CancelToken) {
    while !token.is_cancelled() {
        tokio::time::sleep(CANCEL_LOOK).await;
    }
}

fn closing(code: u16, reason: &'static str) -> CloseFrame {
    CloseFrame {
        code,
        reason: reason.into(),
    }
}

/// Reads requests into the queue until the peer closes; looks at those that must not wait. Why
/// to close, if the hub must.
async fn read(
    mut source: SplitStream<WebSocket>,
    shared: Arc<Shared>,
    running: Arc<Running>,
    queue: Put<CancelToken>,
    frames: Put,
    state: &HubState,
) -> Option<CloseFrame> {
    while let Some(message) = source.next().await {
        let text = match message {
            Ok(Message::Text(text)) => text.to_string(),
            Ok(Message::Close(_)) => break,
            Ok(Message::Ping(_) | Message::Pong(_)) => continue,
            Ok(Message::Binary(_)) => return Some(closing(1003, "only text frames are read")),
            Err(_) => {
                let reason = "the frame is malformed or longer than 8 MiB";
                return Some(closing(1002, reason));
            }
        };
        let Glance { id, urgent } = glance(&text);
        match urgent {
            Some(Urgent::Cancel(target)) => running.cancel(target),
            Some(Urgent::CancelReload) if shared.doings.is_reloading() => {
                shared.doings.cancel_reload();
            }
            Some(Urgent::Progress) if shared.doings.is_reloading() => {
                let progress = shared.doings.progress(state.now());
                if let Some(reply) = progress_reply(&text, &progress) {
                    if !frames.put(reply, ()).await {
                        break;
                    }
                    continue;
                }
            }
            _ => {}
        }
        let token = CancelToken::default();
        running.lock().push_back((id, token.clone()));
        if !queue.put(text, token).await {
            break;
        }
    }
    None
}

fn session_over() -> CloseFrame {
    CloseFrame {
        code: 4401,
        reason: "the session has ended; sign in again".into(),
    }
}

/// Returns when the session has ended.
async fn over(is_over: Option<watch::Receiver<bool>>) {
    if let Some(mut is_over) = is_over
        && is_over.wait_for(|over| *over).await.is_ok()
    {
        return;
    }
    std::future::pending().await
}
