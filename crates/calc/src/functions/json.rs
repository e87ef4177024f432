//! Functions of JSON texts. A path is that of RFC 6901: `/name/0`; an empty one is the whole.

use satchel_data::Value;

use super::{Function, function, text};
use crate::json::Json;

pub(super) const FUNCTIONS: &[Function] = &[
    function(
        "IsJson(text [, type])",
        "Whether a text is JSON, of a type if one is given: 'value', 'object', 'array', 'string', 'number', 'boolean' or 'null'.",
        ("IsJson('[1,2]', 'array')", "-1"),
        |args, _| {
            let json = text(args, 0).and_then(|t| Json::read(&t));
            let kind = text(args, 1).unwrap_or_else(|| "value".to_owned());
            Value::boolean(json.is_some_and(|json| json.is(&kind)))
        },
    ),
    function(
        "JsonGet(text, path)",
        "The part of a JSON text at a path; objects and arrays as JSON.",
        ("JsonGet('{\"a\":{\"b\":[1,\"x\"]}}', '/a/b/1')", "'x'"),
        |args, _| match (text(args, 0).and_then(|t| Json::read(&t)), text(args, 1)) {
            (Some(json), Some(path)) => json.at(&path).map_or(Value::Null, Json::value),
            _ => Value::Null,
        },
    ),
    function(
        "JsonSet(text, path, value)",
        "A JSON text with a value put at a path. A text that is no JSON is put as a string, NULL as null.",
        (
            "JsonSet('{\"b\":1,\"a\":2}', '/c', 'x')",
            "'{\"b\":1,\"a\":2,\"c\":\"x\"}'",
        ),
        |args, _| {
            let (Some(mut json), Some(path)) =
                (text(args, 0).and_then(|t| Json::read(&t)), text(args, 1))
            else {
                return Value::Null;
            };
            let value = match text(args, 2) {
                None => Json::Null,
                Some(t) => Json::read(&t).unwrap_or(Json::Text(t)),
            };
            match json.set(&path, value) {
                Some(()) => Value::text(json.write()),
                None => Value::Null,
            }
        },
    ),
];
