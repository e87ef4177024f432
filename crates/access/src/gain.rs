//! What a new version of an app shows people that the last one did not: for approval.
//!
//! More rows of a growing table are no gain; a greater share of the table's rows is.

use std::collections::BTreeSet;
use std::sync::Arc;

use rustc_hash::FxHashMap;
use satchel_data::{FieldKind, Model, TableKind, View};

use crate::decide::{decide, fingerprint};
use crate::reduce::mask;
use crate::rules::Rules;
use crate::subject::Subject;

/// More than one of these and somebody must approve.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GainLimits {
    /// How many people may be admitted who were denied.
    pub people: usize,
    /// By how many hundredths of a table's rows somebody may see more.
    pub rows: f64,
    /// How many fields somebody may see that were withheld from them.
    pub fields: usize,
}

impl Default for GainLimits {
    /// A team may join; nobody's sight grows by a quarter of a table, and no withheld field is
    /// shown, without somebody who looks.
    fn default() -> Self {
        Self {
            people: 20,
            rows: 25.0,
            fields: 0,
        }
    }
}

/// Something beyond the limits.
#[derive(Clone, Debug, PartialEq)]
pub enum Gain {
    /// So many people are admitted who were denied.
    People(Vec<String>),
    /// Somebody sees a greater share of a table, in hundredths.
    Rows {
        /// Who.
        user: String,
        /// The table.
        table: String,
        /// Of the rows before.
        before: f64,
        /// Of the rows now.
        after: f64,
    },
    /// Somebody sees fields that were withheld from them.
    Fields {
        /// Who.
        user: String,
        /// The fields.
        fields: BTreeSet<String>,
    },
    /// The rights of so many more people changed, and were not compared.
    NotCompared(usize),
}

impl std::fmt::Display for Gain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        /// More are counted, not named.
        const NAMED: usize = 5;
        match self {
            Self::People(people) => {
                let named = people.iter().take(NAMED).cloned().collect::<Vec<_>>();
                write!(
                    f,
                    "{} people who were denied are admitted: {}{}",
                    people.len(),
                    named.join(", "),
                    if people.len() > NAMED { ", …" } else { "" }
                )
            }
            Self::Rows {
                user,
                table,
                before,
                after,
            } => write!(
                f,
                "{user} saw {before:.0} % of the rows of {table} and sees {after:.0} %"
            ),
            Self::NotCompared(n) => {
                write!(
                    f,
                    "the rights of {n} more people changed, too many to compare"
                )
            }
            Self::Fields { user, fields } => {
                let names: Vec<&str> = fields.iter().map(String::as_str).collect();
                write!(
                    f,
                    "{user} sees {}, which was withheld from them",
                    names.join(", ")
                )
            }
        }
    }
}

/// The gains of `subjects` beyond `limits` between two versions of an app. A version without
/// section access shows everything to everybody.
pub fn gains(
    before: (&Rules, &Arc<Model>),
    after: (&Rules, &Arc<Model>),
    subjects: &[Subject],
    limits: &GainLimits,
) -> Vec<Gain> {
    /// So many different rights are compared, changed ones and others; it takes some seconds on a
    /// model of millions of rows.
    const MOST: usize = 500;
    let mut admitted: Vec<String> = Vec::new();
    let mut out = Vec::new();
    let mut n_left_out = 0;
    // People with the same rights before and after have the same gain.
    let mut known: FxHashMap<(Option<String>, Option<String>), Sights> = FxHashMap::default();
    let mut n_changed = 0;
    for subject in subjects {
        let key = |rules: &Rules| {
            rules
                .has_section_access()
                .then(|| fingerprint(&decide(rules, subject)))
        };
        let pair = (key(before.0), key(after.0));
        let is_changed = pair.0 != pair.1;
        if !is_changed && pair.0.is_none() {
            continue;
        }
        if !known.contains_key(&pair) {
            // Where rights are the same, only the data can show more, and does so to many alike.
            let n = if is_changed {
                n_changed
            } else {
                known.len() - n_changed
            };
            if n >= MOST {
                n_left_out += usize::from(is_changed);
                continue;
            }
            n_changed += usize::from(is_changed);
            let sights = (seen(before, subject), seen(after, subject));
            known.insert(pair.clone(), sights);
        }
        let user = subject.user.to_string();
        match known.get(&pair) {
            Some((Some(old), Some(new))) => out.extend(new.gains_over(old, &user, limits)),
            Some((None, Some(_))) => admitted.push(user),
            _ => {}
        }
    }
    if admitted.len() > limits.people {
        out.insert(0, Gain::People(admitted));
    }
    if n_left_out > 0 {
        out.push(Gain::NotCompared(n_left_out));
    }
    out
}

/// What is seen before and after; none where denied.
type Sights = (Option<Seen>, Option<Seen>);

/// Shares of tables in hundredths, the fields seen and all there are.
struct Seen {
    shares: Vec<(String, f64)>,
    fields: BTreeSet<String>,
    all_fields: BTreeSet<String>,
}

impl Seen {
    fn gains_over(&self, old: &Self, user: &str, limits: &GainLimits) -> Vec<Gain> {
        let mut out = Vec::new();
        for (table, after) in &self.shares {
            let Some((_, before)) = old.shares.iter().find(|(name, _)| name == table) else {
                continue;
            };
            if after - before > limits.rows {
                out.push(Gain::Rows {
                    user: user.to_owned(),
                    table: table.clone(),
                    before: *before,
                    after: *after,
                });
            }
        }
        let withheld = old.all_fields.difference(&old.fields);
        let fields: BTreeSet<String> = (withheld.filter(|f| self.fields.contains(*f)))
            .cloned()
            .collect();
        if fields.len() > limits.fields {
            out.push(Gain::Fields {
                user: user.to_owned(),
                fields,
            });
        }
        out
    }
}

fn seen((rules, model): (&Rules, &Arc<Model>), subject: &Subject) -> Option<Seen> {
    let view = if rules.has_section_access() {
        mask(&decide(rules, subject), model.clone()).ok()?
    } else {
        View::unrestricted(model.clone())
    };
    let shares = (view.tables())
        .filter(|t| model.table(*t).kind == TableKind::Data)
        .map(|t| {
            let table = model.table(t);
            let all = table.n_rows.max(1) as f64;
            (table.name.clone(), 100.0 * view.n_rows(t) as f64 / all)
        })
        .collect();
    let is_data = |f: &&satchel_data::Field| f.kind == FieldKind::Data;
    Some(Seen {
        shares,
        fields: (view.fields())
            .map(|f| model.field(f))
            .filter(is_data)
            .map(|f| f.name.clone())
            .collect(),
        all_fields: (model.fields().iter())
            .filter(is_data)
            .map(|f| f.name.clone())
            .collect(),
    })
}
