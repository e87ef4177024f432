//! What a server must know of a frame before its turn comes: `CancelRequest` has to reach the
//! calculation that is running, which the frames before it are waiting for.

/// What a frame says of itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Glance {
    /// The id of the request.
    pub id: Option<i64>,
    /// `Some(Some(id))` if it asks to stop that request, `Some(None)` if it asks to stop all.
    pub cancels: Option<Option<i64>>,
}

/// Looks at a frame without carrying it out. Anything odd is left for the session to answer.
pub fn glance(text: &str) -> Glance {
    let Ok(frame) = serde_json::from_str::<serde_json::Value>(text) else {
        return Glance::default();
    };
    let cancels = match frame["method"].as_str() {
        Some("CancelRequest" | "AbortRequest") => {
            let params = &frame["params"];
            params[0]
                .as_i64()
                .or_else(|| params["qRequestId"].as_i64())
                .map(Some)
        }
        Some("AbortAll") => Some(None),
        _ => None,
    };
    Glance {
        id: frame["id"].as_i64(),
        cancels,
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
            cancels: Some(Some(3)),
        };
        assert_eq!(glance(by_position), three);
        assert_eq!(glance(by_name), three);
        assert_eq!(
            glance(r#"{"id":5,"method":"AbortAll"}"#).cancels,
            Some(None)
        );
        assert_eq!(glance(r#"{"id":5,"method":"GetLayout"}"#).id, Some(5));
        assert_eq!(glance("not json"), Glance::default());
    }
}
