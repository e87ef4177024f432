//! What the hub does by itself while it serves: it closes the sockets of sessions that have
//! ended, and removes what nobody wants any more.

use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use satchel_store::{StoreError, TokenHash};
use tokio::sync::watch;

use crate::serve::told;
use crate::state::HubState;

/// How soon a socket notices that its session is over, also by another process's doing.
const SESSIONS_EVERY: Duration = Duration::from_secs(1);

/// Expired downloads and blobs without use go this often; neither is in anybody's way sooner.
const SWEEP_EVERY: Duration = Duration::from_secs(600);

/// The sockets that are open.
#[derive(Default)]
pub(crate) struct Sockets {
    open: Mutex<Vec<(TokenHash, Weak<watch::Sender<bool>>)>>,
}

impl Sockets {
    /// A socket of this session; what comes back becomes true when the session has ended.
    pub fn add(&self, token: TokenHash) -> Arc<watch::Sender<bool>> {
        let ended = Arc::new(watch::Sender::new(false));
        let entry = (token, Arc::downgrade(&ended));
        self.lock().push(entry);
        ended
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<(TokenHash, Weak<watch::Sender<bool>>)>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn close_ended(&self, state: &HubState) -> Result<(), StoreError> {
        let tokens: Vec<TokenHash> = {
            let mut open = self.lock();
            open.retain(|(_, socket)| socket.strong_count() > 0);
            open.iter().map(|(token, _)| *token).collect()
        };
        if tokens.is_empty() {
            return Ok(());
        }
        let ended = state.store.ended_sessions(&tokens, state.now()).await?;
        for (token, socket) in self.lock().iter() {
            if ended.contains(token)
                && let Some(socket) = socket.upgrade()
            {
                socket.send_replace(true);
            }
        }
        Ok(())
    }
}

/// Runs until the hub stops.
pub(crate) async fn run(state: Arc<HubState>, mut stopping: watch::Receiver<bool>) {
    let mut sessions = tokio::time::interval(SESSIONS_EVERY);
    let mut sweep = tokio::time::interval(SWEEP_EVERY);
    for interval in [&mut sessions, &mut sweep] {
        interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    }
    loop {
        let done = tokio::select! {
            () = told(&mut stopping) => return,
            _ = sessions.tick() => match state.sockets.close_ended(&state).await {
                // For sockets, over which no other request may come.
                Ok(()) => state.read_settings().await,
                failed => failed,
            },
            _ = sweep.tick() => tidy(&state).await,
        };
        if let Err(error) = done {
            tracing::warn!(%error, "housekeeping failed; it is tried again");
        }
    }
}

async fn tidy(state: &HubState) -> Result<(), StoreError> {
    note_failures(state).await?;
    state.exports.sweep(state.now());
    state.store.remove_expired_downloads(state.now()).await?;
    let n_removed = state.store.sweep_blobs().await?;
    if n_removed > 0 {
        tracing::info!(n_removed, "removed files without use");
    }
    Ok(())
}

/// Writes down failures that could not be written when they happened.
pub(crate) async fn note_failures(state: &HubState) -> Result<(), StoreError> {
    let lock = || {
        let failures = &state.unnoted_failures;
        failures.lock().unwrap_or_else(PoisonError::into_inner)
    };
    let failures: Vec<_> = lock().iter().map(|(k, v)| (k.clone(), v.clone())).collect();
    for (id, error) in failures {
        state.store.fail_download(&id, &error).await?;
        lock().remove(&id);
    }
    Ok(())
}
