//! Open sessions: who shares one, and how long one is kept when its last connection is gone.
//!
//! Two connections of one person to the same address share a session, that is selections and
//! session objects. `/ttl/<seconds>` in the address keeps it for a while without any
//! connection, `/identity/<name>` separates it. A kept session is given back only to who could
//! open it anew: the sign-in it was left with is still good, the person is as they were, and
//! the app is as it was and still theirs. The same holds for a session somebody is connected
//! to: after a new reload, or once the person may no longer see the app, whoever comes begins a
//! session of their own on what is there now, while those who are in the old one keep it until
//! they leave or open the app again. Rules: reference qix §3 "Session key".

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use satchel_base::{AppId, SubjectId, UnixMillis};
use satchel_qix::{ConnectionId, Session};
use satchel_store::{TokenHash, User};
use tokio::sync::Notify;

use crate::apps;
use crate::guard::Door;
use crate::outgoing::Put;
use crate::qix_host::Doings;
use crate::rights::Rights;
use crate::state::HubState;

/// The longest a session is kept without a connection: an hour, a lunch with the lid closed.
const MAX_TTL: Duration = Duration::from_secs(3600);

/// Sessions kept without a connection: one of a person's apps each, on a few devices.
const MAX_KEPT_PER_PERSON: usize = 5;

/// And of everybody: a kept session has no results, but its objects and selections stay.
const MAX_KEPT: usize = 500;

/// How often a kept session is looked at, so that its memory is not held for nobody.
const LOOK: Duration = Duration::from_secs(5);

/// What an address says about the session it means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// What may be shared; none for addresses that name no app and no identity, where each
    /// connection is on its own: scripts use them for one app after the other.
    pub key: Option<String>,
    /// How long to keep the session when nobody is connected.
    pub ttl: Duration,
}

impl Place {
    /// Reads `/app/<id>[/identity/<name>][/ttl/<seconds>]`; what is unknown is ignored.
    pub fn of(path: &str, door: Door) -> Self {
        let mut parts = path.split('/').skip_while(|p| *p != "app").skip(1);
        let app = parts.next().unwrap_or_default();
        let mut identity = None;
        let mut ttl = Duration::ZERO;
        while let Some(name) = parts.next() {
            match name {
                "identity" => identity = parts.next().filter(|n| !n.is_empty()),
                "ttl" => {
                    let seconds = parts.next().and_then(|s| s.parse().ok()).unwrap_or(0);
                    ttl = Duration::from_secs(seconds).min(MAX_TTL);
                }
                _ => {}
            }
        }
        let named = !matches!(app, "" | "engineData");
        let key = (named || identity.is_some())
            .then(|| format!("{app}\n{}", identity.unwrap_or_default()))
            // Connections of both kinds begin differently, so they have sessions of their own.
            .map(|key| match door {
                Door::Web => key,
                Door::Direct => format!("{key}\ndirect"),
            });
        Self { key, ttl }
    }
}

type Key = (SubjectId, String);

/// A connection that hears what others change.
struct Listener {
    frames: Put,
    /// Told when it cannot keep up: what it missed it would never learn.
    lost: Arc<Notify>,
}

/// A session and who is connected to it.
pub(crate) struct Shared {
    pub session: Arc<tokio::sync::Mutex<Session>>,
    /// Reloads of this session, to be asked about and ended while it is busy.
    pub doings: Arc<Doings>,
    user: Arc<User>,
    key: Option<Key>,
    listeners: Mutex<BTreeMap<ConnectionId, Listener>>,
}

impl Shared {
    fn listeners(&self) -> MutexGuard<'_, BTreeMap<ConnectionId, Listener>> {
        self.listeners
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends what a request changed to the other connections.
    pub fn push(&self, pushes: Vec<(ConnectionId, String)>) {
        let listeners = self.listeners();
        for (id, frame) in pushes {
            if let Some(listener) = listeners.get(&id)
                && !listener.frames.try_put(frame, ())
            {
                listener.lost.notify_one();
            }
        }
    }
}

/// How a connection takes part in a session.
pub(crate) struct Joined {
    pub shared: Arc<Shared>,
    pub id: ConnectionId,
    pub greeting: Vec<String>,
    /// Told when the connection cannot keep up and must end.
    pub lost: Arc<Notify>,
}

/// A session in the list.
struct Entry {
    shared: Arc<Shared>,
    n_connected: usize,
    kept: Option<Kept>,
}

/// What is needed to keep a session nobody is connected to.
#[derive(Clone, Copy)]
struct Kept {
    since: UnixMillis,
    until: UnixMillis,
    token: Option<TokenHash>,
}

/// See the module.
#[derive(Default)]
pub(crate) struct Sessions {
    all: Mutex<HashMap<Key, Entry>>,
}

impl Sessions {
    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Entry>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes part in the session of this person at this place, or begins one with `make`.
    pub async fn join(
        &self,
        state: &HubState,
        user: &Arc<User>,
        place: &Place,
        frames: Put,
        make: impl FnOnce(Arc<Doings>) -> Session,
    ) -> Joined {
        let key = place.key.as_ref().map(|k| (user.id.clone(), k.clone()));
        if let Some(key) = &key {
            self.drop_if_stale(state, key, user).await;
        }
        let (shared, is_new) = self.enter(key, user, make);
        let mut session = shared.session.lock().await;
        let id = if is_new {
            Session::FIRST
        } else {
            session.attach()
        };
        let greeting = session.greeting_on(id);
        drop(session);
        let lost = Arc::new(Notify::new());
        let listener = Listener {
            frames,
            lost: lost.clone(),
        };
        shared.listeners().insert(id, listener);
        Joined {
            shared,
            id,
            greeting,
            lost,
        }
    }

    /// Counts one more connection in, to a session that is there or a new one.
    fn enter(
        &self,
        key: Option<Key>,
        user: &Arc<User>,
        make: impl FnOnce(Arc<Doings>) -> Session,
    ) -> (Arc<Shared>, bool) {
        let mut all = self.lock();
        if let Some(entry) = key.as_ref().and_then(|k| all.get_mut(k)) {
            entry.n_connected += 1;
            entry.kept = None;
            return (entry.shared.clone(), false);
        }
        let doings = Arc::new(Doings::default());
        let shared = Arc::new(Shared {
            session: Arc::new(tokio::sync::Mutex::new(make(doings.clone()))),
            doings,
            user: user.clone(),
            key: key.clone(),
            listeners: Mutex::default(),
        });
        if let Some(key) = key {
            let entry = Entry {
                shared: shared.clone(),
                n_connected: 1,
                kept: None,
            };
            all.insert(key, entry);
        }
        (shared, true)
    }

    /// Takes a session from the list that may not be joined. Its connections, if it has any,
    /// go on without new company.
    async fn drop_if_stale(&self, state: &HubState, key: &Key, user: &Arc<User>) {
        let found = self.lock().get(key).map(|e| (e.shared.clone(), e.kept));
        let Some((shared, kept)) = found else { return };
        let good = shared.user == *user
            && match kept {
                Some(kept) => is_good(state, &shared, kept).await,
                None => is_current(state, &shared).await,
            };
        if !good {
            self.remove(key, &shared);
        }
    }

    fn remove(&self, key: &Key, shared: &Arc<Shared>) {
        let mut all = self.lock();
        if all.get(key).is_some_and(|e| Arc::ptr_eq(&e.shared, shared)) {
            all.remove(key);
        }
    }

    /// After a connection ended: keeps the session for `ttl` if it was the last, unless its
    /// person may no longer have it (`ttl` zero).
    pub async fn leave(
        state: &Arc<HubState>,
        joined: Joined,
        ttl: Duration,
        token: Option<TokenHash>,
    ) {
        let Joined { shared, id, .. } = joined;
        shared.listeners().remove(&id);
        let mut session = shared.session.lock().await;
        session.detach(id);
        let Some(key) = shared.key.clone() else {
            return;
        };
        let this = &state.sessions;
        let now = state.now();
        let kept = Kept {
            since: now,
            until: now.plus_ms(i64::try_from(ttl.as_millis()).unwrap_or(0)),
            token,
        };
        {
            let mut all = this.lock();
            let Some(entry) = all.get_mut(&key) else {
                return;
            };
            if !Arc::ptr_eq(&entry.shared, &shared) {
                return;
            }
            entry.n_connected = entry.n_connected.saturating_sub(1);
            if entry.n_connected > 0 {
                return;
            }
            if ttl.is_zero() {
                all.remove(&key);
                return;
            }
            entry.kept = Some(kept);
            make_room(&mut all, &key.0);
        }
        session.rest();
        drop(session);
        tokio::spawn(watch(state.clone(), key, shared));
    }
}

/// Drops the sessions kept longest, of this person and of all, until the limits are kept.
fn make_room(all: &mut HashMap<Key, Entry>, person: &SubjectId) {
    let mut oldest_first = |limit: usize, counts: &dyn Fn(&Key) -> bool| {
        let mut kept: Vec<(UnixMillis, Key)> = all
            .iter()
            .filter(|(key, _)| counts(key))
            .filter_map(|(key, entry)| Some((entry.kept?.since, key.clone())))
            .collect();
        kept.sort_by_key(|(since, _)| *since);
        for (_, key) in kept.iter().take(kept.len().saturating_sub(limit)) {
            all.remove(key);
        }
    };
    oldest_first(MAX_KEPT_PER_PERSON, &|key| key.0 == *person);
    oldest_first(MAX_KEPT, &|_| true);
}

/// Whether a kept session may be given back: see the module.
async fn is_good(state: &HubState, shared: &Shared, kept: Kept) -> bool {
    let now = state.now();
    if now.0 >= kept.until.0 {
        return false;
    }
    let store = &state.store;
    let signed_in = match kept.token {
        Some(token) => {
            (store.ended_sessions(&[token], now).await).is_ok_and(|ended| ended.is_empty())
        }
        // Came with a certificate, which whoever comes back must show again.
        None => true,
    };
    let same = matches!(store.user(&shared.user.id).await, Ok(Some(user)) if user == *shared.user);
    signed_in && same && is_current(state, shared).await
}

/// Whether what is open in a session is what its person would be given now.
async fn is_current(state: &HubState, shared: &Shared) -> bool {
    let store = &state.store;
    let Some((id, reload)) = shared.doings.opened() else {
        return true;
    };
    match (store.app(&AppId::new(&id)).await, Rights::load(store).await) {
        (Ok(Some(app)), Ok(rights)) => {
            app.reload == reload && apps::may_see(&app, &shared.user, &rights)
        }
        _ => false,
    }
}

/// Frees a kept session when its time is over or it may no longer be had.
async fn watch(state: Arc<HubState>, key: Key, shared: Arc<Shared>) {
    let mut stopping = state.stopping.clone();
    loop {
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            _ = stopping.wait_for(|stop| *stop) => return,
        }
        let kept = match state.sessions.lock().get(&key) {
            Some(entry) if Arc::ptr_eq(&entry.shared, &shared) => entry.kept,
            _ => return,
        };
        // Somebody came back; the next who leaves last watches again.
        let Some(kept) = kept else { return };
        if !is_good(&state, &shared, kept).await {
            let mut all = state.sessions.lock();
            let still = all.get(&key).is_some_and(|e| {
                Arc::ptr_eq(&e.shared, &shared) && e.kept.is_some_and(|k| k.since == kept.since)
            });
            if still {
                all.remove(&key);
            }
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(path: &str) -> (Option<String>, u64) {
        let place = Place::of(path, Door::Web);
        (place.key, place.ttl.as_secs())
    }

    #[test]
    fn an_address_says_what_is_shared_and_for_how_long_it_is_kept() {
        assert_eq!(place("/app/a1"), (Some("a1\n".to_owned()), 0));
        assert_eq!(place("/app/a1/ttl/60"), (Some("a1\n".to_owned()), 60));
        let own = Some("a1\nme".to_owned());
        assert_eq!(place("/app/a1/identity/me/ttl/5"), (own.clone(), 5));
        assert_eq!(place("/portal/app/a1/ttl/5/identity/me"), (own, 5));
        assert_eq!(place("/app/a1/ttl/999999").1, 3600);
        assert_eq!(place("/app/a1/ttl/x").1, 0);
    }

    #[test]
    fn an_address_without_an_app_is_nobody_elses() {
        for path in ["/app", "/app/", "/app/engineData", "/app/engineData/ttl/60"] {
            assert_eq!(place(path).0, None, "{path}");
        }
        let direct = Place::of("/app/a1", Door::Direct);
        assert_ne!(direct.key, Place::of("/app/a1", Door::Web).key);
        assert_eq!(
            place("/app/engineData/identity/x").0.as_deref(),
            Some("engineData\nx")
        );
    }
}
