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
    let mut add = |code, message: String, fix: &str| {
        findings.push(Finding {
            code,
            message,
            fix: fix.to_owned(),
        });
    };
    if matches!(decide(rules, &Subject::scheduler()), Decision::Denied(_)) {
        add(
            "access.no_scheduler",
            "no row admits INTERNAL\\SA_SCHEDULER, the account of scheduled reloads".into(),
            "add a row ADMIN, INTERNAL\\SA_SCHEDULER with blank reduction cells",
        );
    }
    if rules.fields.len() > 1 {
        let names: Vec<&str> = rules.fields.iter().map(|f| f.name.as_str()).collect();
        add(
            "access.several_fields",
            format!(
                "{} are ANDed after the values of each are united, not row by row",
                names.join(" and ")
            ),
            "if rows must hold together, reduce on one composite key",
        );
    }
    for table in &rules.tables {
        let mut spaces = false;
        for (r, row) in table.rows.iter().enumerate() {
            if table.admits && only_stars(&table.roles, row) {
                add(
                    "access.everybody",
                    format!(
                        "row {} of {} admits everybody who is signed in",
                        r + 1,
                        table.name
                    ),
                    "name users or groups, unless this is meant",
                );
            }
            for ((cell, role), name) in row.iter().zip(&table.roles).zip(&table.columns) {
                spaces |= matches!(cell, Cell::Value(_, text) if text.trim() != text);
                if *cell == Cell::Star && *role == Role::Other {
                    add(
                        "access.star_in_link",
                        format!(
                            "* in the linking column {name} of {} is an ordinary text",
                            table.name
                        ),
                        "list the values, or put * in the linked table",
                    );
                }
            }
        }
        if spaces {
            add(
                "access.spaces",
                format!(
                    "values of access table {} begin or end with spaces and will not match",
                    table.name
                ),
                "use Trim() on reading",
            );
        }
    }
    for field in &rules.fields {
        let absent = field.absent();
        let Some(id) = model.field_by_name(&field.name) else {
            continue;
        };
        let data = model.field(id);
        if !absent.is_empty() {
            add(
                "access.value_not_in_data",
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
                format!(
                    "values of {} would match if the data had them in upper case",
                    field.name
                ),
                "use Upper() where the data is loaded",
            );
        }
        let starred = rules.tables.iter().any(|t| {
            let at = t.columns.iter().position(|c| *c == field.name);
            at.is_some_and(|c| t.rows.iter().any(|r| r[c] == Cell::Star))
        });
        if starred && field.present.len() < data.symbols.len() {
            add(
                "access.star_not_all",
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
                format!(
                    "rows without a value of {} are visible to nobody who is reduced",
                    field.name
                ),
                "give these rows a value of their own",
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

/// Tables a selection in some reduction field reaches.
fn reached_tables(rules: &Rules, model: &Model) -> Vec<bool> {
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
