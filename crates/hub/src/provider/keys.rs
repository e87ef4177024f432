//! The keys a provider signs with, kept for a while and asked for anew when one is missing.

use std::sync::Arc;

use jsonwebtoken::jwk::Jwk;
use satchel_base::UnixMillis;
use serde_json::Value;
use tokio::sync::Mutex;

use super::fetch::{Fetch, FetchProblem};

/// So long a key is believed after the provider took it back.
const KEPT_MS: i64 = 15 * 60_000;

/// Tokens with made-up key names must not make the hub ask without end.
const ASK_AGAIN_MS: i64 = 10_000;

/// More keys than this are no key set.
const MAX_KEYS: usize = 64;

/// A key set as it was when asked for.
#[derive(Default)]
pub(crate) struct Keys {
    kept: Mutex<Option<(UnixMillis, Arc<Vec<Jwk>>)>>,
}

impl Keys {
    /// The keys, a quarter of an hour old at most.
    pub async fn kept(
        &self,
        fetch: &Fetch,
        address: &str,
        now: UnixMillis,
    ) -> Result<Arc<Vec<Jwk>>, FetchProblem> {
        self.younger_than(KEPT_MS, fetch, address, now).await
    }

    /// The keys, ten seconds old at most.
    pub async fn fresh(
        &self,
        fetch: &Fetch,
        address: &str,
        now: UnixMillis,
    ) -> Result<Arc<Vec<Jwk>>, FetchProblem> {
        self.younger_than(ASK_AGAIN_MS, fetch, address, now).await
    }

    async fn younger_than(
        &self,
        millis: i64,
        fetch: &Fetch,
        address: &str,
        now: UnixMillis,
    ) -> Result<Arc<Vec<Jwk>>, FetchProblem> {
        let mut kept = self.kept.lock().await;
        if let Some((at, keys)) = &*kept
            && (0..millis).contains(&now.since_ms(*at))
        {
            return Ok(keys.clone());
        }
        let keys = Arc::new(read_keys(fetch.json(address, None).await?)?);
        *kept = Some((now, keys.clone()));
        Ok(keys)
    }
}

/// The keys of a set that we understand; a set may hold others (RFC 7517 §5).
pub(crate) fn read_keys(set: Value) -> Result<Vec<Jwk>, FetchProblem> {
    let all = set.get("keys").and_then(Value::as_array);
    let all = all.ok_or(FetchProblem::NotJson)?;
    if all.len() > MAX_KEYS {
        return Err(FetchProblem::TooLong);
    }
    let read = |key: &Value| serde_json::from_value(key.clone()).ok();
    Ok(all.iter().filter_map(read).collect())
}
