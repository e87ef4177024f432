//! Carrying a decision out: as a mask over the shared model, or as a model of its own.

use std::sync::Arc;

use satchel_data::{BitSet, FieldId, FieldKind, Model, SymbolKey, TableId, View};

use crate::decide::{Decision, Grant, GrantedValue, Grants, Refusal, fingerprint};
use crate::propagate::possible_rows;

/// The subject may see nothing. What it displays is all the subject may be told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("access denied")]
pub struct Denied {
    /// For the audit log and for owners only.
    pub reason: Refusal,
}

/// Rows of a table before and after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableCount {
    /// The table's name.
    pub table: String,
    /// Rows of the whole app.
    pub rows_in: u64,
    /// Rows the subject keeps.
    pub rows_out: u64,
}

/// A model that holds only what its subject may see.
#[derive(Debug)]
pub struct Reduced {
    /// The model.
    pub model: Model,
    /// Tables with a field the subject may see, in model order.
    pub tables: Vec<TableCount>,
    /// How many fields were withheld by OMIT.
    pub n_withheld: usize,
    /// See [`fingerprint`].
    pub fingerprint: String,
}

type Masks = (Vec<Option<BitSet>>, Vec<FieldId>);

/// The view of `model` that `decision` grants. The model is the one the rules were read with.
///
/// # Errors
/// [`Denied`].
pub fn mask(decision: &Decision, model: Arc<Model>) -> Result<View, Denied> {
    let (rows, omit) = masks(decision, &model)?;
    Ok(View::restricted(model, rows, &omit))
}

/// A model with the granted rows and fields alone, which answers as [`mask`] does.
///
/// # Errors
/// [`Denied`].
pub fn reduce(decision: &Decision, model: &Model) -> Result<Reduced, Denied> {
    let (rows, omit) = masks(decision, model)?;
    let tables = model.tables().iter().zip(&rows);
    let counts = tables
        .filter(|(t, _)| {
            let mut fields = t.columns.iter().map(|c| c.field);
            fields.any(|f| !omit.contains(&f) && model.field(f).kind != FieldKind::Hidden)
        })
        .map(|(table, kept)| TableCount {
            table: table.name.clone(),
            rows_in: table.n_rows as u64,
            rows_out: kept.as_ref().map_or(table.n_rows, BitSet::count) as u64,
        })
        .collect();
    Ok(Reduced {
        model: model.retain(&rows, &omit),
        tables: counts,
        n_withheld: omit.len(),
        fingerprint: fingerprint(decision),
    })
}

fn masks(decision: &Decision, model: &Model) -> Result<Masks, Denied> {
    match decision {
        Decision::Denied(reason) => Err(reason.clone()),
        Decision::Granted(grants) => grant_masks(grants, model),
    }
    .map_err(|reason| Denied { reason })
}

fn grant_masks(grants: &Grants, model: &Model) -> Result<Masks, Refusal> {
    let find = |name: &String| {
        model
            .field_by_name(name)
            .filter(|f| model.field(*f).kind == FieldKind::Data)
            .ok_or_else(|| Refusal::FieldMissing {
                field: name.clone(),
            })
    };
    let omit = grants
        .omit
        .iter()
        .map(find)
        .collect::<Result<Vec<_>, _>>()?;
    let mut wanted = Vec::new();
    for (name, grant) in &grants.fields {
        let field = find(name)?;
        if let Grant::Values(values) = grant {
            let symbols = &model.field(field).symbols;
            let mut codes = BitSet::none(symbols.len());
            for code in 0..symbols.len() as u32 {
                let key = SymbolKey::of(&symbols.value(code));
                if key.is_some_and(|k| values.contains(&GrantedValue::of(&k))) {
                    codes.insert(code as usize);
                }
            }
            wanted.push((field, codes));
        }
    }
    if grants.unreduced || wanted.is_empty() {
        return Ok((vec![None; model.tables().len()], omit));
    }
    let rows = possible_rows(model, &wanted);
    let any_left = wanted
        .iter()
        .flat_map(|(field, _)| &model.field(*field).columns)
        .any(|(TableId(t), _)| rows[*t as usize].as_ref().is_none_or(|r| r.count() > 0));
    if any_left {
        Ok((rows, omit))
    } else {
        Err(Refusal::NothingLeft)
    }
}
