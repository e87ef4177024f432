//! Parameters by position or by name, with the types the methods want.
//!
//! A parameter that is absent or null has its default; one of the wrong type is an error,
//! except that numbers and booleans may stand for one another where clients mix them up.

use serde_json::{Map, Value};

use crate::errors::{Code, RpcError};
use crate::frame::Params;

/// The parameters of one call, in the order of the method's names.
#[derive(Debug)]
pub(crate) struct Args {
    names: &'static [&'static str],
    values: Vec<Value>,
}

impl Args {
    /// Sorts the parameters into the method's order. Unknown names are ignored, as newer
    /// clients may send more than we know; surplus positions are too.
    pub fn new(params: Params, names: &'static [&'static str]) -> Self {
        let values = match params {
            Params::Positional(mut list) => {
                list.truncate(names.len());
                list
            }
            Params::Named(mut map) => names
                .iter()
                .map(|name| map.remove(*name).unwrap_or_default())
                .collect(),
        };
        Self { names, values }
    }

    fn wrong(&self, at: usize) -> RpcError {
        RpcError::about(
            Code::InvalidParams,
            self.names.get(at).copied().unwrap_or_default(),
        )
    }

    /// The parameter as it came; null if absent.
    pub fn value(&mut self, at: usize) -> Value {
        self.values.get_mut(at).map(Value::take).unwrap_or_default()
    }

    /// Gives a value back, for the next who reads it.
    pub fn put_back(&mut self, at: usize, value: Value) {
        if let Some(slot) = self.values.get_mut(at) {
            *slot = value;
        }
    }

    /// A text; empty if absent.
    pub fn text(&mut self, at: usize) -> Result<String, RpcError> {
        match self.value(at) {
            Value::Null => Ok(String::new()),
            Value::String(text) => Ok(text),
            _ => Err(self.wrong(at)),
        }
    }

    /// A flag; false if absent.
    pub fn flag(&mut self, at: usize) -> Result<bool, RpcError> {
        match self.value(at) {
            Value::Null => Ok(false),
            Value::Bool(flag) => Ok(flag),
            Value::Number(n) => Ok(n.as_f64() != Some(0.0)),
            _ => Err(self.wrong(at)),
        }
    }

    /// A whole number; `default` if absent.
    pub fn int(&mut self, at: usize, default: i64) -> Result<i64, RpcError> {
        match self.value(at) {
            Value::Null => Ok(default),
            value => whole(&value).ok_or_else(|| self.wrong(at)),
        }
    }

    /// A number; 0 if absent.
    pub fn num(&mut self, at: usize) -> Result<f64, RpcError> {
        match self.value(at) {
            Value::Null => Ok(0.0),
            value => value.as_f64().ok_or_else(|| self.wrong(at)),
        }
    }

    /// A list of whole numbers; empty if absent.
    pub fn ints(&mut self, at: usize) -> Result<Vec<i64>, RpcError> {
        self.list(at)?
            .iter()
            .map(|v| whole(v).ok_or_else(|| self.wrong(at)))
            .collect()
    }

    /// A list of texts; empty if absent.
    pub fn texts(&mut self, at: usize) -> Result<Vec<String>, RpcError> {
        self.list(at)?
            .into_iter()
            .map(|v| match v {
                Value::String(text) => Ok(text),
                _ => Err(self.wrong(at)),
            })
            .collect()
    }

    /// A list; empty if absent.
    pub fn list(&mut self, at: usize) -> Result<Vec<Value>, RpcError> {
        match self.value(at) {
            Value::Null => Ok(Vec::new()),
            Value::Array(list) => Ok(list),
            _ => Err(self.wrong(at)),
        }
    }

    /// An object; empty if absent.
    pub fn object(&mut self, at: usize) -> Result<Map<String, Value>, RpcError> {
        match self.value(at) {
            Value::Null => Ok(Map::new()),
            Value::Object(map) => Ok(map),
            _ => Err(self.wrong(at)),
        }
    }
}

/// A JSON number without a fraction.
pub(crate) fn whole(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| {
        value
            .as_f64()
            .filter(|n| n.fract() == 0.0 && n.abs() < 9e15)
            .map(|n| n as i64)
    })
}
