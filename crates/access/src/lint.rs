//! Pitfalls of access tables that can be computed (reference semantics A12).

use satchel_data::Model;

use crate::decide::{Decision, decide};
use crate::explain::only_stars;
use crate::rules::{Cell, Finding, Role, Rules};
use crate::subject::Subject;

/// Everything an author should look at; the findings of [`Rules::read`] included.
pub fn lint(rules: &Rules, model: &Model) -> Vec<Finding> {
    let mut findings = Vec::new();
    if !rules.has_section_access() {
        return findings;
    }
    rules.report(&mut findings);
    let mut add = |code, place: String, message: String, fix: &str| {
        findings.push(Finding {
            code,
            place,
            message,
            fix: fix.to_owned(),
        });
    };
    if matches!(decide(rules, &Subject::scheduler()), Decision::Denied(_)) {
        add(
            "access.no_scheduler",
            "the access section".to_owned(),
            "no row admits INTERNAL\\SA_SCHEDULER, the account of scheduled reloads".into(),
            "add a row ADMIN, INTERNAL\\SA_SCHEDULER with blank reduction cells",
        );
    }
    if rules.fields.len() > 1 {
        let names: Vec<&str> = rules.fields.iter().map(|f| f.name.as_str()).collect();
        add(
            "access.several_fields",
            format!("reduction fields {}", names.join(", ")),
            format!(
                "{} are ANDed after the values of each are united, not row by row",
                names.join(" and ")
            ),
            "if rows must hold together, reduce on one composite key",
        );
    }
    for table in &rules.tables {
        let mut spaces = None;
        for (r, row) in table.rows.iter().enumerate() {
            if table.admits && only_stars(&table.roles, row) {
                add(
                    "access.everybody",
                    format!("access table {}, row {}", table.name, r + 1),
                    format!(
                        "row {} of {} admits everybody who is signed in",
                        r + 1,
                        table.name
                    ),
                    "name users or groups, unless this is meant",
                );
            }
            for ((cell, role), name) in row.iter().zip(&table.roles).zip(&table.columns) {
                if matches!(cell, Cell::Value(_, text) if has_odd_ends(text)) {
                    spaces.get_or_insert_with(|| {
                        format!("access table {}, row {}, column {name}", table.name, r + 1)
                    });
                }
                if *cell == Cell::Star && *role == Role::Other {
                    add(
                        "access.star_in_link",
                        format!("access table {}, row {}, column {name}", table.name, r + 1),
                        format!(
                            "* in the linking column {name} of {} is an ordinary text",
                            table.name
                        ),
                        "list the values, or put * in the linked table",
                    );
                }
            }
        }
        if let Some(place) = spaces {
            add(
                "access.spaces",
                place,
                format!(
                    "values of access table {} begin or end with spaces or invisible signs and will not match",
                    table.name
                ),
                "use Trim() on reading, and save the file without a byte order mark",
            );
        }
        // Two columns that are in one table of the data link twice once the SECTION statements
        // are taken out to look at the tables.
        let reduced: Vec<&str> = (table.roles.iter().zip(&table.columns))
            .filter(|(role, _)| matches!(role, Role::Reduction(_)))
            .map(|(_, name)| name.as_str())
            .collect();
        let shared = model.tables().iter().find(|t| {
            let has = |name: &&str| {
                let field = model.field_by_name(name);
                field.is_some_and(|f| t.column_of(f).is_some())
            };
            reduced.iter().filter(|name| has(name)).count() > 1
        });
        if let Some(shared) = shared {
            add(
                "access.synthetic_key",
                format!(
                    "access table {}, columns {}",
                    table.name,
                    reduced.join(", ")
                ),
                format!(
                    "without the SECTION statements {} and {} would be linked by a synthetic key",
                    table.name, shared.name
                ),
                "reduce on one composite key, or do not look at the tables that way",
            );
        }
    }
    for field in &rules.fields {
        let absent = field.absent();
        let Some(id) = model.field_by_name(&field.name) else {
            continue;
        };
        let data = model.field(id);
        let place = || rules.column_place(&field.name);
        if !absent.is_empty() {
            add(
                "access.value_not_in_data",
                place(),
                format!(
                    "{} lists {}, which the data lacks",
                    field.name,
                    absent.join(", ")
                ),
                "correct the values; whoever has no other is denied",
            );
        }
        let texts = || (0..data.symbols.len() as u32).map(|c| data.symbols.text(c));
        let in_case = texts().find(|t| {
            let upper = t.to_uppercase();
            upper != **t && absent.contains(&upper)
        });
        if in_case.is_some() {
            add(
                "access.value_case",
                place(),
                format!(
                    "values of {} would match if the data had them in upper case",
                    field.name
                ),
                "use Upper() where the data is loaded",
            );
        }
        // `1` in one is a number and in the other a text, as after Text() or with a leading
        // apostrophe; equal numbers match however they are written.
        let odd = (0..data.symbols.len() as u32).find(|c| {
            data.symbols.num(*c).is_nan()
                && absent.contains(&data.symbols.text(*c).to_uppercase())
                && data.symbols.text(*c).trim().parse::<f64>().is_ok()
        });
        if let Some(code) = odd {
            add(
                "access.number_or_text",
                place(),
                format!(
                    "{} is a text in the data and a number in the access tables, or the other way round",
                    data.symbols.text(code)
                ),
                "use Text() or Num() in both",
            );
        }
        let starred = rules.tables.iter().any(|t| {
            let at = t.columns.iter().position(|c| *c == field.name);
            at.is_some_and(|c| t.rows.iter().any(|r| r[c] == Cell::Star))
        });
        if starred && field.present.len() < data.symbols.len() {
            add(
                "access.star_not_all",
                place(),
                format!(
                    "* in {} means the {} listed values, not all {} of the data",
                    field.name,
                    field.present.len(),
                    data.symbols.len()
                ),
                "list the missing values, or use an ADMIN row with blanks",
            );
        }
        let nulls = data.columns.iter().any(|(t, c)| {
            let codes = &model.table(*t).columns[*c].codes;
            (0..codes.len()).any(|r| codes.at(r) == data.symbols.null_code())
        });
        if nulls {
            add(
                "access.null_rows",
                format!("field {} of the data", field.name),
                format!(
                    "rows without a value of {} are visible to nobody who is reduced",
                    field.name
                ),
                "give these rows a value of their own",
            );
        }
    }
    for column in &rules.unknown_columns {
        let alike = model
            .fields()
            .iter()
            .find(|f| f.kind == satchel_data::FieldKind::Data && f.name.to_uppercase() == *column);
        if let Some(field) = alike {
            add(
                "access.field_case",
                format!("field {} of the data", field.name),
                format!(
                    "{} would be reduced by {column} if its name were in upper case",
                    field.name
                ),
                "load the field under its name in upper case",
            );
        }
    }
    for name in rules.omits.values().flatten() {
        if model
            .field_by_name(name)
            .is_some_and(|f| model.field(f).columns.len() > 1)
        {
            add(
                "access.omit_key",
                format!("field {name} of the data"),
                format!(
                    "OMIT of {name}, which links tables: the link stays, its values are withheld"
                ),
                "omit a copy that is not a key, if this is not meant",
            );
        }
    }
    if !rules.fields.is_empty() {
        let reached = reached_tables(rules, model);
        for (t, table) in model
            .tables()
            .iter()
            .enumerate()
            .filter(|(t, _)| !reached[*t])
        {
            add(
                if table.loose {
                    "access.loose_table"
                } else {
                    "access.not_linked"
                },
                format!("table {} of the data", model.tables()[t].name),
                format!(
                    "table {} has no link to a reduction field, so everybody sees all of it",
                    model.tables()[t].name
                ),
                "link it, or make sure that all of it may be seen",
            );
        }
    }
    findings
}

/// Whether a text has blanks or invisible signs at its ends.
fn has_odd_ends(text: &str) -> bool {
    let is_odd = |c: char| {
        c.is_whitespace() || matches!(c, '\u{feff}' | '\u{200b}'..='\u{200f}' | '\u{2060}')
    };
    text.starts_with(is_odd) || text.ends_with(is_odd)
}

/// Tables a selection in some reduction field reaches.
pub(crate) fn reached_tables(rules: &Rules, model: &Model) -> Vec<bool> {
    let mut reached = vec![false; model.tables().len()];
    let mut open: Vec<usize> = Vec::new();
    for field in &rules.fields {
        let id = model.field_by_name(&field.name);
        let columns = id.into_iter().flat_map(|f| &model.field(f).columns);
        open.extend(columns.map(|(t, _)| t.index()));
    }
    while let Some(table) = open.pop() {
        if std::mem::replace(&mut reached[table], true) || model.tables()[table].loose {
            continue;
        }
        for column in &model.tables()[table].columns {
            open.extend(model.links(column.field).iter().map(|(t, _)| t.index()));
        }
    }
    reached
}
