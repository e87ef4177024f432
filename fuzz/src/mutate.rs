//! How a conversation becomes another: by frames, not by bytes, so that most stay requests.

use serde_json::Value;

use crate::grammar::Grammar;

/// The longest conversation that is made, in frames.
const MOST_LINES: usize = 24;

/// Another conversation, as text, from the one in `bytes`; `None` if this time the bytes should
/// be changed as bytes. The same for the same `seed`.
pub fn mutate_frames(bytes: &[u8], seed: u32) -> Option<String> {
    let mut grammar = Grammar::new(u64::from(seed));
    if grammar.one_in(20) {
        return None;
    }
    let text = String::from_utf8_lossy(bytes);
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    if lines.is_empty() || grammar.one_in(500) {
        lines = vec![Grammar::opening()];
    }
    for _ in 0..1 + grammar.below(3) {
        let at = grammar.below(lines.len());
        match grammar.below(8) {
            0..4 if lines.len() < MOST_LINES => {
                let frame = grammar.frame();
                lines.insert(lines.len().min(at + 1), frame);
            }
            4 if at > 0 => drop(lines.remove(at)),
            5 if lines.len() < MOST_LINES => {
                let again = lines[at].clone();
                lines.push(again);
            }
            6 if at > 0 => {
                let other = 1 + grammar.below(lines.len() - 1);
                lines.swap(at, other);
            }
            _ if at > 0 => lines[at] = graft(&lines[at], &mut grammar),
            _ => lines.push(grammar.frame()),
        }
    }
    Some(lines.join("\n"))
}

/// The frame with one of its values replaced by one of a fresh frame.
fn graft(frame: &str, grammar: &mut Grammar) -> String {
    let Ok(mut value) = serde_json::from_str::<Value>(frame) else {
        return grammar.frame();
    };
    let fresh = serde_json::from_str::<Value>(&grammar.frame()).unwrap_or_default();
    let donors = count(&fresh["params"]);
    let n = grammar.below(donors);
    let donor = nth(&mut fresh.clone()["params"], n).map(|v| v.take());
    let Some(params) = value.get_mut("params") else {
        return grammar.frame();
    };
    let at = grammar.below(count(params));
    if let (Some(place), Some(donor)) = (nth(params, at), donor) {
        *place = donor;
    }
    value.to_string()
}

/// How many values there are in `value`, itself included.
fn count(value: &Value) -> usize {
    1 + match value {
        Value::Array(list) => list.iter().map(count).sum(),
        Value::Object(map) => map.values().map(count).sum(),
        _ => 0,
    }
}

/// The `n`-th value in `value`, which is itself the 0th.
fn nth(value: &mut Value, n: usize) -> Option<&mut Value> {
    let mut left = n;
    descend(value, &mut left)
}

fn descend<'a>(value: &'a mut Value, left: &mut usize) -> Option<&'a mut Value> {
    if *left == 0 {
        return Some(value);
    }
    *left -= 1;
    match value {
        Value::Array(list) => list.iter_mut().find_map(|v| descend(v, left)),
        Value::Object(map) => map.values_mut().find_map(|v| descend(v, left)),
        _ => None,
    }
}
