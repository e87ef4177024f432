//! Functions of chart expressions that tell about selections.

use satchel_base::Stop;
use satchel_calc::{HostArg, HostFunction, HostFunctions};
use satchel_data::{FieldId, Value};

use crate::{Query, StateCounts};

/// The shape of the function of selections called `name` (lower case).
pub(crate) fn shape(name: &str) -> Option<HostFunction> {
    let most = match name {
        "getcurrentselections" => 0,
        "getfieldselections" => 3,
        "getselectedcount" => 2,
        "getpossiblecount" | "getalternativecount" | "getexcludedcount" | "getnotselectedcount" => {
            1
        }
        _ => return None,
    };
    Some(HostFunction {
        least: usize::from(most > 0),
        most,
        args: &[HostArg::Field],
    })
}

/// Functions that tell about the selections of the query's state.
pub(crate) struct SelectionFunctions<'a>(pub &'a Query<'a>);

impl SelectionFunctions<'_> {
    fn counts(&self, field: FieldId) -> Result<StateCounts, Stop> {
        let Query { engine, budget, .. } = self.0;
        let states = engine.field_states(&self.0.current(), field, budget)?;
        Ok(states.counts(engine.view().cardinality(field)))
    }

    /// The selected values joined, or how many of how many if they are more than `most`.
    fn selected(&self, field: FieldId, separator: &str, most: usize) -> Option<String> {
        let current = self.0.current();
        let selected = &current.field(field)?.codes;
        let view = self.0.engine.view();
        let (n, all) = (selected.count(), view.cardinality(field));
        if n > most {
            return Some(if n == all {
                "ALL".to_owned()
            } else {
                format!("{n} of {all}")
            });
        }
        let texts: Vec<_> = view
            .codes(field)
            .iter()
            .filter(|c| selected.contains(**c as usize))
            .map(|c| view.text(field, *c).into_owned())
            .collect();
        Some(texts.join(separator))
    }

    fn all_selected(&self) -> String {
        let view = self.0.engine.view();
        let current = self.0.current();
        let lines: Vec<String> = current
            .fields()
            .filter(|(f, _)| view.is_visible(*f))
            .filter_map(|(f, _)| {
                let name = &view.model().field(f).name;
                Some(format!("{name}: {}", self.selected(f, ", ", 6)?))
            })
            .collect();
        lines.join("\r\n")
    }
}

impl HostFunctions for SelectionFunctions<'_> {
    fn call(&self, name: &str, args: &[Value]) -> Option<Value> {
        if name == "getcurrentselections" {
            return Some(Value::text(self.all_selected()));
        }
        let field = self.0.engine.field(&args.first()?.to_text())?;
        let count: fn(&StateCounts) -> u64 = match name {
            "getfieldselections" => {
                let separator = args.get(1).map_or(", ".to_owned(), Value::to_text);
                let most = args.get(2).and_then(Value::as_num).unwrap_or(6.0);
                let text = self.selected(field, &separator, most.max(0.0) as usize);
                return Some(text.map_or(Value::Null, Value::text));
            }
            "getselectedcount" => StateCounts::in_selection,
            "getpossiblecount" => StateCounts::possible,
            "getalternativecount" => |c| c.alternative,
            "getexcludedcount" => |c| c.excluded + c.alternative,
            "getnotselectedcount" => |c| c.optional + c.alternative + c.excluded,
            _ => return None,
        };
        Some(match self.counts(field) {
            Ok(counts) => Value::num(count(&counts) as f64),
            Err(_) => Value::Null,
        })
    }
}
