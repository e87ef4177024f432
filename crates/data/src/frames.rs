//! A model's tables as a script loaded them: the way back, for partial reloads and `BINARY`.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::model::{FieldKind, Model, Table, TableKind};
use crate::{Column, FieldId, Frame, FrameColumn, NULL_CODE, Value};

impl Model {
    /// The tables with their fields as they were loaded, in model order: what synthetic keys
    /// took out of a table is put back. Fields that were withheld are not there.
    ///
    /// A model built of these frames answers as this one does.
    pub fn to_frames(&self) -> Vec<Frame> {
        (self.tables.iter())
            .filter(|t| t.kind == TableKind::Data)
            .map(|table| Frame {
                name: table.name.clone(),
                columns: self.frame_columns(table),
            })
            .collect()
    }

    fn frame_columns(&self, table: &Table) -> Vec<FrameColumn> {
        let mut out = Vec::new();
        let mut is_expanded = false;
        for column in &table.columns {
            match self.field(column.field).kind {
                FieldKind::Data => {
                    out.push((column.field, self.frame_column(column, None, None)));
                }
                FieldKind::Synthetic => {
                    is_expanded = true;
                    self.expand(table, column.field, &column.codes.to_vec(), &mut out);
                }
                FieldKind::Hidden => {}
            }
        }
        // Fields are numbered as they first appear, so this is the order they were loaded in,
        // but for those that stood in an earlier table.
        if is_expanded {
            out.sort_by_key(|(field, _)| *field);
        }
        out.into_iter().map(|(_, column)| column).collect()
    }

    /// The fields behind the synthetic key `key`, for rows whose codes of it are `codes`.
    fn expand(
        &self,
        table: &Table,
        key: FieldId,
        codes: &[u32],
        out: &mut Vec<(FieldId, FrameColumn)>,
    ) {
        let Some(synthetic) = (self.tables.iter()).find(|t| {
            t.kind == TableKind::Synthetic
                && t.column_of(key).is_some()
                && t.name == format!("{} Table", self.field(key).name)
        }) else {
            return;
        };
        let Some(at) = synthetic.column_of(key) else {
            return;
        };
        let mut row_of: FxHashMap<u32, u32> = FxHashMap::default();
        for row in 0..synthetic.n_rows {
            row_of.insert(synthetic.columns[at].codes.at(row), row as u32);
        }
        let rows: Vec<u32> = (codes.iter())
            .map(|code| row_of.get(code).copied().unwrap_or(u32::MAX))
            .collect();
        for column in synthetic.columns.iter().filter(|c| c.field != key) {
            match self.field(column.field).kind {
                FieldKind::Data => {
                    let aside = table.aside.iter().find(|a| a.field == column.field);
                    let spellings = aside.map(|a| a.spellings.to_vec());
                    let made = self.frame_column(column, Some(&rows), spellings.as_deref());
                    out.push((column.field, made));
                }
                FieldKind::Synthetic => {
                    let inner: Vec<u32> = (rows.iter())
                        .map(|row| match row {
                            &u32::MAX => NULL_CODE,
                            row => column.codes.at(*row as usize),
                        })
                        .collect();
                    self.expand(table, column.field, &inner, out);
                }
                FieldKind::Hidden => {}
            }
        }
    }

    /// A column of all rows, or of `rows` of it; `spellings` by row of the result.
    fn frame_column(
        &self,
        column: &Column,
        rows: Option<&[u32]>,
        spellings: Option<&[u32]>,
    ) -> FrameColumn {
        let field = self.field(column.field);
        let own = column.spellings.as_ref().map(|s| s.to_vec());
        let all = column.codes.to_vec();
        let n_rows = rows.map_or(all.len(), <[u32]>::len);
        let mut out = FrameColumn::new(field.name.clone());
        let mut known: FxHashMap<(u32, u32), u32> = FxHashMap::default();
        for row in 0..n_rows {
            let from = rows.map_or(row as u32, |r| r[row]) as usize;
            let code = all.get(from).copied().unwrap_or(NULL_CODE);
            if code as usize >= field.symbols.len() {
                out.codes.push(NULL_CODE);
                continue;
            }
            let spelling = match (spellings, &own) {
                (Some(by_row), _) => by_row.get(row).copied().unwrap_or(0),
                (None, Some(own)) => own.get(from).copied().unwrap_or(0),
                (None, None) => 0,
            };
            let code = *known.entry((code, spelling)).or_insert_with(|| {
                let value = field.symbols.value(code);
                let text = (spelling as usize)
                    .checked_sub(1)
                    .and_then(|i| field.spellings.get(i));
                out.dict.intern(&respelled(value, text))
            });
            out.codes.push(code);
        }
        out
    }
}

/// The value with another text.
fn respelled(value: Value, text: Option<&Arc<str>>) -> Value {
    match (value, text) {
        (value, None) => value,
        (Value::Num(num) | Value::Dual { num, .. }, Some(text)) => Value::dual(num, text.clone()),
        (_, Some(text)) => Value::text(text.clone()),
    }
}
