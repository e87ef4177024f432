//! Numbers: what is none is the text `"NaN"`; whole ones have no fraction.

use serde_json::Value;

/// A number as clients read it.
pub(crate) fn num(n: f64) -> Value {
    if !n.is_finite() {
        return Value::from("NaN");
    }
    if n.fract() == 0.0 && n.abs() < 9e15 {
        return Value::from(n as i64);
    }
    Value::from(n)
}
