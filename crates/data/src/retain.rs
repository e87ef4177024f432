//! A model of some of another's rows and fields: the physical reduction.

use std::sync::Arc;

use crate::build::{Draft, DraftColumn, DraftField, DraftTable};
use crate::model::{FieldId, FieldKind, Model, TableId};
use crate::view_order::{Ordered, by_visible_rows, codes_of};
use crate::{BitSet, Codes, Dict, NULL_CODE};

/// See [`Model::retain`]. The new model holds no notes: they are for who reloads the whole.
pub(crate) fn retain(model: &Model, keep: &[Option<BitSet>], omit: &[FieldId]) -> Model {
    let Ordered {
        model, rows: keep, ..
    } = by_visible_rows(Arc::new(model.clone()), keep.to_vec());
    let mut new_field = vec![None; model.fields.len()];
    let mut draft = Draft::default();
    for (i, field) in model.fields.iter().enumerate() {
        let id = FieldId(i as u32);
        let omitted = omit.contains(&id);
        let links = field.columns.len() > 1;
        if omitted && !links {
            continue;
        }
        let kind = if omitted {
            FieldKind::Hidden
        } else {
            field.kind
        };
        new_field[i] = Some(draft.fields.len());
        draft.fields.push(DraftField {
            name: field.name.clone(),
            kind,
            values: match kind {
                FieldKind::Data => field.symbols.to_dict(),
                FieldKind::Synthetic | FieldKind::Hidden => Dict::default(),
            },
            n_symbols: field.symbols.len(),
            tags: if omitted {
                Vec::new()
            } else {
                field.tags.clone()
            },
        });
    }
    for (t, table) in model.tables.iter().enumerate() {
        let rows: Option<Vec<usize>> = keep
            .get(t)
            .and_then(Option::as_ref)
            .map(|set| set.iter().filter(|r| *r < table.n_rows).collect());
        let kept = Kept {
            model: &model,
            rows: rows.as_deref(),
        };
        let columns: Vec<DraftColumn> = table
            .columns
            .iter()
            .filter_map(|column| {
                let spellings = column.spellings.as_deref();
                Some(kept.column(
                    new_field[column.field.index()]?,
                    column.field,
                    &column.codes,
                    spellings,
                ))
            })
            .collect();
        if columns.is_empty() {
            continue;
        }
        let aside = table.aside.iter().filter_map(|aside| {
            let to = new_field[aside.field.index()]?;
            let codes = Codes::pack(&codes_of(&model, TableId(t as u32), aside.field)?);
            Some(kept.column(to, aside.field, &codes, Some(&aside.spellings)))
        });
        draft.tables.push(DraftTable {
            name: table.name.clone(),
            kind: table.kind,
            loose: table.loose,
            aside: aside.collect(),
            n_rows: rows.as_ref().map_or(table.n_rows, Vec::len),
            columns,
        });
    }
    draft
        .finish(Vec::new())
        .expect("a part of a model that fits, fits")
}

/// The rows of one table that stay.
struct Kept<'a> {
    model: &'a Model,
    /// `None` for all.
    rows: Option<&'a [usize]>,
}

impl Kept<'_> {
    fn pick(&self, codes: &Codes) -> Vec<u32> {
        match self.rows {
            None => codes.to_vec(),
            Some(rows) => rows.iter().map(|r| codes.at(*r)).collect(),
        }
    }

    /// The kept rows of a column of `field`, as a column of the field `to` of the draft.
    fn column(
        &self,
        to: usize,
        field: FieldId,
        codes: &Codes,
        spellings: Option<&Codes>,
    ) -> DraftColumn {
        let field = self.model.field(field);
        let codes = self.pick(codes);
        let texts = (!field.spellings.is_empty()).then(|| {
            let spellings = spellings.map(|s| self.pick(s));
            let text = |(row, code): (usize, &u32)| {
                let spelling = spellings.as_ref().map_or(0, |s| s[row]);
                match field.spellings.get((spelling as usize).wrapping_sub(1)) {
                    Some(text) => text.clone(),
                    None => Arc::from(field.symbols.text(*code)),
                }
            };
            codes.iter().enumerate().map(text).collect()
        });
        let null = field.symbols.null_code();
        let codes = codes.into_iter().map(|c| match c == null {
            true => NULL_CODE,
            false => c,
        });
        DraftColumn {
            field: to,
            codes: codes.collect(),
            texts,
        }
    }
}
