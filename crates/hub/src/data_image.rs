//! What a published reload leaves behind: the model's snapshot, the access tables, variables.
//!
//! `"SATCHDAT"`, version, length of a JSON head, the head, the snapshot. The hub alone reads
//! and writes it; what devices get is the snapshot of a reduced model.

use satchel_data::{AccessTable, AccessTables, Value};
use serde::{Deserialize, Serialize};

const MAGIC: &[u8; 8] = b"SATCHDAT";
const VERSION: u32 = 1;

/// The largest data of one app that is opened: 8 GiB.
pub(crate) const MAX_DATA_BYTES: u64 = 8 << 30;

/// The parts of a published reload.
#[derive(Debug, Default)]
pub(crate) struct DataImage {
    pub access: AccessTables,
    pub variables: Vec<(String, Value)>,
    pub snapshot: Vec<u8>,
}

#[derive(Serialize, Deserialize)]
struct Head {
    access: Vec<Table>,
    variables: Vec<(String, Cell)>,
}

#[derive(Serialize, Deserialize)]
struct Table {
    name: String,
    columns: Vec<String>,
    rows: Vec<Vec<Cell>>,
}

/// NULL, a number, a text, or number and text.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Cell {
    Null,
    Num(f64),
    Text(String),
    Dual(f64, String),
}

impl Cell {
    fn of(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Num(num) => Self::Num(*num),
            Value::Text(text) => Self::Text(text.to_string()),
            Value::Dual { num, text } => Self::Dual(*num, text.to_string()),
        }
    }

    fn value(self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Num(num) => Value::num(num),
            Self::Text(text) => Value::text(text),
            Self::Dual(num, text) => Value::dual(num, text),
        }
    }
}

/// The bytes are not a data image of this version.
#[derive(Debug, thiserror::Error)]
#[error("the stored data of the app is damaged or of another version")]
pub(crate) struct Damaged;

impl DataImage {
    /// The access tables as bytes, the same for the same tables; what the fingerprint is of.
    pub fn access_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(&self.head().access).unwrap_or_default()
    }

    fn head(&self) -> Head {
        let table = |t: &AccessTable| Table {
            name: t.name.clone(),
            columns: t.columns.clone(),
            rows: t
                .rows
                .iter()
                .map(|r| r.iter().map(Cell::of).collect())
                .collect(),
        };
        Head {
            access: self.access.tables.iter().map(table).collect(),
            variables: self
                .variables
                .iter()
                .map(|(n, v)| (n.clone(), Cell::of(v)))
                .collect(),
        }
    }

    pub fn encode(&self) -> Vec<u8> {
        let head = serde_json::to_vec(&self.head()).unwrap_or_default();
        let mut bytes = Vec::with_capacity(20 + head.len() + self.snapshot.len());
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&VERSION.to_le_bytes());
        bytes.extend_from_slice(&(head.len() as u64).to_le_bytes());
        bytes.extend_from_slice(&head);
        bytes.extend_from_slice(&self.snapshot);
        bytes
    }

    pub fn decode(bytes: &[u8]) -> Result<Self, Damaged> {
        let rest = bytes.strip_prefix(MAGIC).ok_or(Damaged)?;
        let (version, rest) = rest.split_first_chunk::<4>().ok_or(Damaged)?;
        let (length, rest) = rest.split_first_chunk::<8>().ok_or(Damaged)?;
        if u32::from_le_bytes(*version) != VERSION {
            return Err(Damaged);
        }
        let length = usize::try_from(u64::from_le_bytes(*length)).map_err(|_| Damaged)?;
        let (head, snapshot) = rest.split_at_checked(length).ok_or(Damaged)?;
        let head: Head = serde_json::from_slice(head).map_err(|_| Damaged)?;
        let table = |t: Table| AccessTable {
            name: t.name,
            columns: t.columns,
            rows: t
                .rows
                .into_iter()
                .map(|r| r.into_iter().map(Cell::value).collect())
                .collect(),
        };
        Ok(Self {
            access: AccessTables {
                tables: head.access.into_iter().map(table).collect(),
            },
            variables: head
                .variables
                .into_iter()
                .map(|(n, c)| (n, c.value()))
                .collect(),
            snapshot: snapshot.to_vec(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_garbage_is_not() {
        let row = vec![
            Value::Null,
            Value::num(1.5),
            Value::text("A"),
            Value::dual(1.0, "01"),
        ];
        let image = DataImage {
            access: AccessTables {
                tables: vec![AccessTable {
                    name: "T".into(),
                    columns: ["A", "B", "C", "D"].map(String::from).to_vec(),
                    rows: vec![row.clone()],
                }],
            },
            variables: vec![("v".into(), Value::text("1"))],
            snapshot: vec![7; 9],
        };
        let bytes = image.encode();
        let read = DataImage::decode(&bytes).unwrap();
        assert_eq!(read.access, image.access);
        assert_eq!(read.variables, image.variables);
        assert_eq!(read.snapshot, image.snapshot);
        for end in 0..20 {
            assert!(DataImage::decode(&bytes[..end]).is_err());
        }
    }
}
