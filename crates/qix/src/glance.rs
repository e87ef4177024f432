//! What a server must know of a frame before its turn comes: `CancelRequest` has to reach the
//! calculation that is running, which the frames before it are waiting for.

/// What a frame says of itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Glance {
    /// The id of the request.
    pub id: Option<i64>,
    /// What it asks for that must not wait its turn.
    pub urgent: Option<Urgent>,
}

/// What must not wait its turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Urgent {
    /// Stop the request with this id, or all of them.
    Cancel(Option<i64>),
    /// Stop the running reload.
    CancelReload,
    /// Tell how far the running reload is.
    Progress,
}

/// Looks at a frame without carrying it out. Anything odd is left for the session to answer.
pub fn glance(text: &str) -> Glance {
    let Ok(frame) = serde_json::from_str::<serde_json::Value>(text) else {
        return Glance::default();
    };
    let urgent = match frame["method"].as_str() {
        Some("CancelRequest" | "AbortRequest") => {
            let params = &frame["params"];
            params[0]
                .as_i64()
                .or_else(|| params["qRequestId"].as_i64())
                .map(|id| Urgent::Cancel(Some(id)))
        }
        Some("AbortAll") => Some(Urgent::Cancel(None)),
        Some("CancelReload") => Some(Urgent::CancelReload),
        Some("GetProgress") => Some(Urgent::Progress),
        _ => None,
    };
    Glance {
        id: frame["id"].as_i64(),
        urgent,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cancel_is_seen_by_position_and_by_name() {
        let by_position =
            r#"{"jsonrpc":"2.0","id":4,"handle":-1,"method":"CancelRequest","params":[3]}"#;
        let by_name = r#"{"id":4,"handle":-1,"method":"CancelRequest","params":{"qRequestId":3}}"#;
        let three = Glance {
            id: Some(4),
            urgent: Some(Urgent::Cancel(Some(3))),
        };
        assert_eq!(glance(by_position), three);
        assert_eq!(glance(by_name), three);
        let urgent = |method: &str| glance(&format!(r#"{{"id":5,"method":"{method}"}}"#)).urgent;
        assert_eq!(urgent("AbortAll"), Some(Urgent::Cancel(None)));
        assert_eq!(urgent("CancelReload"), Some(Urgent::CancelReload));
        assert_eq!(urgent("GetProgress"), Some(Urgent::Progress));
        assert_eq!(urgent("GetLayout"), None);
        assert_eq!(glance(r#"{"id":5,"method":"GetLayout"}"#).id, Some(5));
        assert_eq!(glance("not json"), Glance::default());
    }
}
