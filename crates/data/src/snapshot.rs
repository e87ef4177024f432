//! A model as bytes and back: Arrow IPC in a small versioned frame.
//!
//! What a reload had to say about the model ([`Model::notes`]) is not in it.
//!
//! Canonical: the same model gives the same bytes, so a reduced model and one that was loaded
//! from a subject's rows alone can be compared byte for byte. Reading trusts nothing: every
//! length is checked before memory is taken, and what the model promises (codes in range, no
//! loops, unique names) is checked before a model is made.
//! Rules: docs/formats/snapshot.md.

mod parts;
mod stream;

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::model::{Aside, Column, Field, FieldId, FieldKind, Model, Table, TableId, TableKind};
use crate::{Codes, loops};
use parts::{Kind, Part, Reader, Writer};

/// The newest snapshot version this code reads, and the one it writes.
pub const SNAPSHOT_VERSION: u16 = 1;

/// Why bytes are not a model.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SnapshotError {
    /// Not a snapshot at all.
    #[error("not a data snapshot")]
    NotASnapshot,
    /// Written by a newer program. The user must update.
    #[error("data snapshot version {found} is newer than {supported}, the newest we read")]
    TooNew {
        /// The version found.
        found: u16,
        /// The newest that can be read.
        supported: u16,
    },
    /// The model would need more memory than the caller allows.
    #[error("the data needs more than the {limit} bytes allowed here")]
    TooLarge {
        /// The limit that was given.
        limit: u64,
    },
    /// Damaged, or not written by this program.
    #[error("the data snapshot is damaged: {what}")]
    Damaged {
        /// Which promise is broken; never a value of the data.
        what: &'static str,
    },
}

/// Shorthand for [`SnapshotError::Damaged`].
pub(crate) fn damaged(what: &'static str) -> SnapshotError {
    SnapshotError::Damaged { what }
}

impl Model {
    /// The model as bytes. The same model gives the same bytes.
    pub fn to_snapshot(&self) -> Vec<u8> {
        let mut out = Writer::default();
        for field in &self.fields {
            let kind = match field.kind {
                FieldKind::Data => 0,
                FieldKind::Synthetic => 1,
                FieldKind::Hidden => 2,
            };
            out.plain(Kind::Field, kind, field.symbols.len() as u64, &field.name);
            for tag in &field.tags {
                out.plain(Kind::Tag, 0, 0, tag);
            }
            if field.kind == FieldKind::Data {
                out.symbols(&field.symbols);
                out.texts(field.spellings.iter().map(|t| Some(&**t)), Kind::Spellings);
            }
        }
        for table in &self.tables {
            let synthetic = u32::from(table.kind == TableKind::Synthetic);
            let flags = synthetic | u32::from(table.loose) << 1;
            out.plain(Kind::Table, flags, table.n_rows as u64, &table.name);
            for column in &table.columns {
                out.codes(Kind::Column, column.field.0, &column.codes);
                if let Some(spellings) = &column.spellings {
                    out.codes(Kind::RowSpellings, column.field.0, spellings);
                }
            }
            for aside in &table.aside {
                out.codes(Kind::Aside, aside.field.0, &aside.spellings);
            }
        }
        stream::write(out.parts)
    }

    /// The model in `bytes`, which may need at most about `max_bytes` of memory.
    ///
    /// # Errors
    /// [`SnapshotError`] for anything but the output of [`Self::to_snapshot`].
    pub fn from_snapshot(bytes: &[u8], max_bytes: u64) -> Result<Self, SnapshotError> {
        let loaded = stream::read(bytes)?;
        let parts = loaded.parts()?;
        let mut parts = Reader::new(&parts, max_bytes);
        let mut model = Self::default();
        while let Some(part) = parts.next_if(Kind::Field) {
            let field = read_field(&mut parts, &part)?;
            model.fields.push(field);
        }
        while let Some(part) = parts.next_if(Kind::Table) {
            let table = read_table(&mut parts, &part, &mut model.fields, model.tables.len())?;
            model.tables.push(table);
        }
        if !parts.is_done() {
            return Err(damaged("parts out of order"));
        }
        check_links(&model)?;
        for (i, field) in model.fields.iter().enumerate() {
            let hidden = field.kind == FieldKind::Hidden;
            if hidden != field.name.is_empty() {
                return Err(damaged("a field without a name, or a hidden one with"));
            }
            let id = FieldId(i as u32);
            if !hidden && model.by_name.insert(field.name.clone(), id).is_some() {
                return Err(damaged("two fields of one name"));
            }
        }
        Ok(model)
    }
}

fn read_field(parts: &mut Reader<'_>, part: &Part<'_>) -> Result<Field, SnapshotError> {
    let kind = match part.arg {
        0 => FieldKind::Data,
        1 => FieldKind::Synthetic,
        2 => FieldKind::Hidden,
        _ => return Err(damaged("unknown kind of field")),
    };
    let name = parts.name(part)?;
    let tags = parts.names(Kind::Tag)?;
    let (symbols, spellings) = if kind == FieldKind::Data {
        (parts.symbols(part.count)?, parts.spellings()?)
    } else {
        (parts.numbered(part.count)?, Vec::new())
    };
    Ok(Field {
        name,
        kind,
        symbols: Arc::new(symbols),
        spellings: spellings.into(),
        columns: Vec::new(),
        tags,
    })
}

fn read_table(
    parts: &mut Reader<'_>,
    part: &Part<'_>,
    fields: &mut [Field],
    at: usize,
) -> Result<Table, SnapshotError> {
    if part.arg > 3 {
        return Err(damaged("unknown kind of table"));
    }
    let n_rows = parts.rows(part.count)?;
    let mut columns: Vec<Column> = Vec::new();
    while let Some(column) = parts.next_if(Kind::Column) {
        let id = FieldId(column.arg);
        let field = fields
            .get_mut(id.index())
            .ok_or_else(|| damaged("a column of no field"))?;
        if columns.iter().any(|c| c.field == id) {
            return Err(damaged("a field twice in one table"));
        }
        let codes = parts.codes(&column, n_rows, field.symbols.null_code())?;
        let spellings = match parts.next_if(Kind::RowSpellings) {
            Some(row_texts) => {
                let max = field.spellings.len() as u32;
                Some(parts.codes(&row_texts, n_rows, max)?)
            }
            None => None,
        };
        field.columns.push((TableId(at as u32), columns.len()));
        columns.push(Column::new(id, codes, spellings));
    }
    let mut aside: Vec<Aside> = Vec::new();
    while let Some(part) = parts.next_if(Kind::Aside) {
        let field = FieldId(part.arg);
        let known = fields
            .get(field.index())
            .ok_or_else(|| damaged("spellings of no field"))?;
        let mut stands = columns.iter().map(|c| c.field);
        if stands.any(|f| f == field) || aside.iter().any(|a| a.field == field) {
            return Err(damaged("a field twice in one table"));
        }
        let max = known.spellings.len() as u32;
        aside.push(Aside {
            field,
            spellings: Arc::new(parts.codes(&part, n_rows, max)?),
        });
    }
    if columns.is_empty() {
        return Err(damaged("a table without columns"));
    }
    Ok(Table {
        name: parts.name(part)?,
        kind: if part.arg & 1 == 1 {
            TableKind::Synthetic
        } else {
            TableKind::Data
        },
        loose: part.arg & 2 == 2,
        n_rows,
        columns,
        aside,
    })
}

/// What the builder sees to and everything else relies on: two tables share at most one
/// field, and tight tables form no loop.
fn check_links(model: &Model) -> Result<(), SnapshotError> {
    let mut shared: FxHashMap<(u32, u32), u32> = FxHashMap::default();
    for field in &model.fields {
        for (i, (a, _)) in field.columns.iter().enumerate() {
            for (b, _) in &field.columns[i + 1..] {
                if shared.insert((a.0, b.0), 0).is_some() {
                    return Err(damaged("two tables share several fields"));
                }
            }
        }
    }
    let tables: Vec<Vec<usize>> = model
        .tables
        .iter()
        .map(|t| match t.loose {
            true => Vec::new(),
            false => t.columns.iter().map(|c| c.field.index()).collect(),
        })
        .collect();
    if loops::has_loop(&tables, model.fields.len()) {
        return Err(damaged("tables form a loop"));
    }
    Ok(())
}

/// Whether `codes` are all at most `max`.
pub(crate) fn within(codes: &Codes, max: u32) -> bool {
    if codes.width() == 0 {
        return true;
    }
    let mut ok = true;
    codes.for_each_block(|_, block| ok &= block.iter().all(|c| *c <= max));
    ok
}
