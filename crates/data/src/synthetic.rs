//! Synthetic keys: tables that share several fields are linked by one key instead.
//!
//! Rules: reference semantics E3. The combinations of the shared fields move to a table
//! `$Syn n Table`; the tables that shared them keep the key `$Syn n`. A combination with a
//! NULL in it never links: each table has its own. A row there spells its values as the first
//! row it stands for; the spellings of all others stay with their tables, since in a view
//! another row may come first.

use rustc_hash::FxHashMap;

use crate::build::{Draft, DraftColumn, DraftField, DraftTable};
use crate::model::{FieldKind, ModelNote, TableKind};
use crate::{Dict, NULL_CODE};

/// Replaces shared field sets by synthetic keys until no two tables share two fields.
pub(crate) fn resolve(draft: &mut Draft) -> Vec<ModelNote> {
    let mut notes = Vec::new();
    while let Some(shared) = largest_shared_set(draft) {
        notes.push(replace(draft, &shared, notes.len() + 1));
    }
    notes
}

/// The largest set of at least two fields that two tables share; the first found on a tie.
fn largest_shared_set(draft: &Draft) -> Option<Vec<usize>> {
    let mut best: Option<Vec<usize>> = None;
    for (i, a) in draft.tables.iter().enumerate() {
        for b in &draft.tables[i + 1..] {
            let shared: Vec<usize> = a
                .columns
                .iter()
                .map(|c| c.field)
                .filter(|f| b.columns.iter().any(|c| c.field == *f))
                .collect();
            if shared.len() >= 2 && best.as_ref().is_none_or(|s| shared.len() > s.len()) {
                best = Some(shared);
            }
        }
    }
    best
}

fn replace(draft: &mut Draft, shared: &[usize], number: usize) -> ModelNote {
    let key = draft.fields.len();
    let name = format!("$Syn {number}");
    let mut combinations: FxHashMap<(Option<usize>, Vec<u32>), u32> = FxHashMap::default();
    let mut columns: Vec<DraftColumn> = shared
        .iter()
        .map(|field| DraftColumn {
            field: *field,
            codes: Vec::new(),
            texts: draft.is_spelled(*field).then(Vec::new),
        })
        .collect();
    let mut key_codes = Vec::new();
    let mut tables = Vec::new();
    for (t, table) in draft.tables.iter_mut().enumerate() {
        let at: Option<Vec<usize>> = shared
            .iter()
            .map(|f| table.columns.iter().position(|c| c.field == *f))
            .collect();
        let Some(at) = at else { continue };
        tables.push(table.name.clone());
        let mut codes = Vec::with_capacity(table.n_rows);
        for row in 0..table.n_rows {
            let combination: Vec<u32> = at.iter().map(|c| table.columns[*c].codes[row]).collect();
            let owner = combination.contains(&NULL_CODE).then_some(t);
            let next = key_codes.len() as u32;
            let code = *combinations.entry((owner, combination)).or_insert(next);
            if code == next {
                key_codes.push(code);
                for (column, from) in columns.iter_mut().zip(&at) {
                    let source = &table.columns[*from];
                    column.codes.push(source.codes[row]);
                    if let (Some(to), Some(texts)) = (&mut column.texts, &source.texts) {
                        to.push(texts[row].clone());
                    }
                }
            }
            codes.push(code);
        }
        let first = at.iter().copied().min().unwrap_or(0);
        let moved = at.iter().map(|c| &table.columns[*c]);
        let spelled: Vec<DraftColumn> = moved.filter(|c| c.texts.is_some()).cloned().collect();
        table.columns[first] = DraftColumn {
            field: key,
            codes,
            texts: None,
        };
        let mut position = 0;
        table.columns.retain(|_| {
            position += 1;
            position - 1 == first || !at.contains(&(position - 1))
        });
        table.aside.extend(spelled);
    }
    let n_rows = key_codes.len();
    columns.push(DraftColumn {
        field: key,
        codes: key_codes,
        texts: None,
    });
    draft.fields.push(DraftField {
        name: name.clone(),
        kind: FieldKind::Synthetic,
        values: Dict::default(),
        n_symbols: n_rows,
        tags: Vec::new(),
    });
    draft.tables.push(DraftTable {
        name: format!("{name} Table"),
        kind: TableKind::Synthetic,
        loose: false,
        n_rows,
        columns,
        aside: Vec::new(),
    });
    let fields = shared
        .iter()
        .map(|f| draft.fields[*f].name.clone())
        .collect();
    ModelNote::SyntheticKey {
        key: name,
        fields,
        tables,
    }
}
