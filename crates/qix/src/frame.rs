//! One text frame to one request, and one outcome to one text frame.
//!
//! Rules: reference qix §3. Batches are refused: no client sends them, and answers must
//! come one a request, in order.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::errors::{Code, RpcError};
use crate::session::ConnectionId;

/// A request that is well formed; whether it makes sense is for others.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// Echoed in the reply; absent ids are echoed as null.
    pub id: Value,
    /// -1 is the global object.
    pub handle: i64,
    pub method: String,
    pub params: Params,
}

/// Parameters as they came.
#[derive(Clone, Debug)]
pub(crate) enum Params {
    Positional(Vec<Value>),
    Named(Map<String, Value>),
}

/// Reads a frame, or says with which error to answer which id.
pub(crate) fn parse(frame: &str, max_bytes: usize) -> Result<Request, (Value, RpcError)> {
    if frame.len() > max_bytes {
        return Err((
            Value::Null,
            RpcError::about(
                Code::InvalidRequest,
                format!("the frame is longer than {max_bytes} bytes"),
            ),
        ));
    }
    let value: Value =
        serde_json::from_str(frame).map_err(|_| (Value::Null, RpcError::from(Code::Parse)))?;
    let Value::Object(mut map) = value else {
        return Err((Value::Null, Code::InvalidRequest.into()));
    };
    let id = match map.remove("id") {
        Some(id @ (Value::Number(_) | Value::String(_))) => id,
        None | Some(Value::Null) => Value::Null,
        Some(_) => {
            return Err((
                Value::Null,
                RpcError::about(Code::InvalidRequest, "id is neither number nor text"),
            ));
        }
    };
    let invalid = |what: &str| (id.clone(), RpcError::about(Code::InvalidRequest, what));
    let Some(Value::String(method)) = map.remove("method") else {
        return Err(invalid("method is missing or no text"));
    };
    let handle = match map.remove("handle") {
        None => -1,
        Some(handle) => handle
            .as_i64()
            .ok_or_else(|| invalid("handle is no whole number"))?,
    };
    let params = match map.remove("params") {
        None | Some(Value::Null) => Params::Positional(Vec::new()),
        Some(Value::Array(list)) => Params::Positional(list),
        Some(Value::Object(map)) => Params::Named(map),
        Some(_) => return Err(invalid("params is neither list nor object")),
    };
    Ok(Request {
        id,
        handle,
        method,
        params,
    })
}

/// What a request led to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outcome {
    /// Members of `result`.
    pub result: Map<String, Value>,
    /// What is out of date on the connection that asked.
    pub lists: Lists,
    /// And on the other connections of the session.
    pub elsewhere: BTreeMap<ConnectionId, Lists>,
}

/// Handles a connection is told of.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lists {
    /// Handles whose layout is no longer valid.
    pub change: BTreeSet<i64>,
    /// Handles that are gone.
    pub close: Vec<i64>,
}

impl Lists {
    pub fn is_empty(&self) -> bool {
        self.change.is_empty() && self.close.is_empty()
    }
}

/// The reply to a request that was carried out.
pub(crate) fn reply(id: Value, outcome: Outcome) -> String {
    let mut frame = Map::new();
    frame.insert("jsonrpc".to_owned(), json!("2.0"));
    frame.insert("id".to_owned(), id);
    frame.insert("result".to_owned(), Value::Object(outcome.result));
    append_lists(&mut frame, &outcome.lists);
    Value::Object(frame).to_string()
}

/// What another connection is told: no id, and no params, which would make it a notification.
pub(crate) fn push(lists: &Lists) -> String {
    let mut frame = Map::new();
    frame.insert("jsonrpc".to_owned(), json!("2.0"));
    append_lists(&mut frame, lists);
    Value::Object(frame).to_string()
}

/// The reply to a request that was not carried out.
pub(crate) fn error_reply(id: Value, error: &RpcError) -> String {
    json!({"jsonrpc": "2.0", "id": id, "error": error.to_json()}).to_string()
}

fn append_lists(frame: &mut Map<String, Value>, lists: &Lists) {
    if !lists.change.is_empty() {
        frame.insert("change".to_owned(), json!(lists.change));
    }
    if !lists.close.is_empty() {
        frame.insert("close".to_owned(), json!(lists.close));
    }
}
