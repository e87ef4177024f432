//! Patches of properties: add, replace, remove at a JSON pointer.
//!
//! `qValue` is JSON inside a text, as clients send it. A list of patches is carried out as a
//! whole or not at all.

use serde_json::{Map, Value};

use crate::errors::{Code, RpcError};

/// One change.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Patch {
    pub op: Op,
    /// A JSON pointer (RFC 6901).
    pub path: String,
    pub value: Value,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    Add,
    Remove,
    Replace,
}

impl Patch {
    /// Reads `qOp`, `qPath` and `qValue`.
    pub fn read(value: &Value) -> Result<Self, RpcError> {
        let bad = |what: &str| RpcError::about(Code::InvalidParams, what);
        let op = match value.get("qOp") {
            None | Some(Value::Null) => Op::Add,
            Some(Value::Number(n)) => match n.as_i64() {
                Some(0) => Op::Add,
                Some(1) => Op::Remove,
                Some(2) => Op::Replace,
                _ => return Err(bad("qOp")),
            },
            Some(Value::String(op)) => match op.to_ascii_lowercase().as_str() {
                "add" => Op::Add,
                "remove" => Op::Remove,
                "replace" => Op::Replace,
                _ => return Err(bad("qOp")),
            },
            Some(_) => return Err(bad("qOp")),
        };
        let path = match value.get("qPath") {
            Some(Value::String(path)) => path.clone(),
            None | Some(Value::Null) => String::new(),
            Some(_) => return Err(bad("qPath")),
        };
        let value = match value.get("qValue") {
            None | Some(Value::Null) => Value::Null,
            Some(Value::String(json)) if op != Op::Remove => {
                serde_json::from_str(json).map_err(|_| bad("qValue"))?
            }
            Some(_) if op == Op::Remove => Value::Null,
            Some(_) => return Err(bad("qValue")),
        };
        Ok(Self { op, path, value })
    }

    /// Carries the patch out.
    fn apply(&self, root: &mut Value) -> Result<(), RpcError> {
        let wrong = || RpcError::about(Code::InvalidPath, self.path.clone());
        let (parent, last) = self.path.rsplit_once('/').ok_or_else(wrong)?;
        let last = unescape(last);
        if parent.is_empty() && last.is_empty() {
            // "/" names the whole.
            return match (self.op, &self.value) {
                (Op::Add | Op::Replace, Value::Object(_)) => {
                    *root = self.value.clone();
                    Ok(())
                }
                _ => Err(wrong()),
            };
        }
        let parent = root.pointer_mut(parent).ok_or_else(wrong)?;
        match parent {
            Value::Object(map) => match self.op {
                Op::Add => {
                    map.insert(last, self.value.clone());
                }
                // A member of the engine's own that was never written has its default, which
                // is there to be replaced: so a table turns a column's order round.
                Op::Replace if is_engines(&last) => {
                    map.insert(last, self.value.clone());
                }
                Op::Replace => {
                    *map.get_mut(&last).ok_or_else(wrong)? = self.value.clone();
                }
                Op::Remove => {
                    map.shift_remove(&last).ok_or_else(wrong)?;
                }
            },
            Value::Array(list) => {
                let at = if last == "-" && self.op == Op::Add {
                    list.len()
                } else {
                    last.parse().map_err(|_| wrong())?
                };
                match self.op {
                    Op::Add if at <= list.len() => list.insert(at, self.value.clone()),
                    Op::Replace if at < list.len() => list[at] = self.value.clone(),
                    Op::Remove if at < list.len() => {
                        list.remove(at);
                    }
                    _ => return Err(wrong()),
                }
            }
            _ => return Err(wrong()),
        }
        Ok(())
    }
}

/// `properties` with all `patches`, in order.
pub(crate) fn patched(
    properties: &Map<String, Value>,
    patches: &[Patch],
) -> Result<Map<String, Value>, RpcError> {
    let mut root = Value::Object(properties.clone());
    for patch in patches {
        patch.apply(&mut root)?;
    }
    match root {
        Value::Object(map) => Ok(map),
        _ => Err(Code::InvalidPath.into()),
    }
}

/// Whether a member is named as the engine names its own: `qReverseSort`.
fn is_engines(member: &str) -> bool {
    let mut letters = member.chars();
    letters.next() == Some('q') && letters.next().is_some_and(char::is_uppercase)
}

/// One reference token of a JSON pointer.
pub(crate) fn unescape(token: &str) -> String {
    token.replace("~1", "/").replace("~0", "~")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(patches: Value, want: Result<Value, Code>) {
        let Value::Object(start) = json!({"a": {"b": [1, 2]}, "x/y": 1}) else {
            unreachable!("an object is written above");
        };
        let patches: Result<Vec<Patch>, _> = patches
            .as_array()
            .unwrap()
            .iter()
            .map(Patch::read)
            .collect();
        let got = patches.and_then(|p| patched(&start, &p));
        assert_eq!(got.map(Value::Object).map_err(|e| e.code), want);
    }

    #[test]
    fn patches_reach_members_and_elements() {
        check(
            json!([{"qOp": "add", "qPath": "/a/c", "qValue": "\"t\""},
                   {"qOp": "replace", "qPath": "/a/b/1", "qValue": "5"},
                   {"qOp": "add", "qPath": "/a/b/-", "qValue": "6"},
                   {"qOp": "remove", "qPath": "/x~1y"}]),
            Ok(json!({"a": {"b": [1, 5, 6], "c": "t"}})),
        );
        check(
            json!([{"qOp": 2, "qPath": "/a/b", "qValue": "[]"}]),
            Ok(json!({"a": {"b": []}, "x/y": 1})),
        );
    }

    #[test]
    fn a_default_that_was_never_written_is_replaced() {
        check(
            json!([{"qOp": "replace", "qPath": "/a/qReverseSort", "qValue": "true"},
                   {"qOp": "replace", "qPath": "/a/qReverseSort", "qValue": "false"}]),
            Ok(json!({"a": {"b": [1, 2], "qReverseSort": false}, "x/y": 1})),
        );
    }

    #[test]
    fn a_patch_that_leads_nowhere_is_an_invalid_path() {
        check(
            json!([{"qOp": "replace", "qPath": "/q", "qValue": "1"}]),
            Err(Code::InvalidPath),
        );
        check(
            json!([{"qOp": "add", "qPath": "/q/r", "qValue": "1"}]),
            Err(Code::InvalidPath),
        );
        check(
            json!([{"qOp": "add", "qPath": "/a/b/9", "qValue": "1"}]),
            Err(Code::InvalidPath),
        );
        check(
            json!([{"qOp": "add", "qPath": "a", "qValue": "1"}]),
            Err(Code::InvalidPath),
        );
        check(
            json!([{"qOp": "add", "qPath": "/a", "qValue": "{"}]),
            Err(Code::InvalidParams),
        );
        check(
            json!([{"qOp": "move", "qPath": "/a"}]),
            Err(Code::InvalidParams),
        );
    }
}
