//! What one subject sees of an app, in numbers and names: for expectations and differences.

use std::collections::{BTreeMap, BTreeSet};

use satchel_data::{FieldKind, Model, TableKind};

use crate::decide::{Decision, Refusal, decide};
use crate::reduce::reduce;
use crate::rules::Rules;
use crate::subject::Subject;

/// What is left of an app for one subject.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sight {
    /// Rows by table.
    pub rows: BTreeMap<String, u64>,
    /// Names of the fields.
    pub fields: BTreeSet<String>,
    /// Texts of the values, by field, of the fields asked about.
    pub values: BTreeMap<String, BTreeSet<String>>,
}

/// What `subject` sees; the values of the fields in `wanted`.
pub(crate) fn sight(
    rules: &Rules,
    model: &Model,
    subject: &Subject,
    wanted: &BTreeSet<String>,
) -> Result<Sight, Refusal> {
    if !rules.has_section_access() {
        return Ok(of_model(model, wanted));
    }
    let decision = decide(rules, subject);
    if let Decision::Denied(reason) = decision {
        return Err(reason);
    }
    let reduced = reduce(&decision, model).map_err(|denied| denied.reason)?;
    Ok(of_model(&reduced.model, wanted))
}

fn of_model(model: &Model, wanted: &BTreeSet<String>) -> Sight {
    let data_fields = || model.fields().iter().filter(|f| f.kind == FieldKind::Data);
    Sight {
        rows: (model.tables().iter())
            .filter(|t| t.kind == TableKind::Data)
            .map(|t| (t.name.clone(), t.n_rows as u64))
            .collect(),
        fields: data_fields().map(|f| f.name.clone()).collect(),
        values: data_fields()
            .filter(|f| wanted.contains(&f.name))
            .map(|f| {
                let texts = (0..f.symbols.len() as u32).map(|c| f.symbols.text(c).into_owned());
                (f.name.clone(), texts.collect())
            })
            .collect(),
    }
}
