//! Functions of chart expressions that tell about selections.

use std::sync::Arc;

use satchel_base::Stop;
use satchel_calc::{HostArg, HostFunction, HostFunctions};
use satchel_data::{FieldId, Value};

use crate::{Query, StateCounts, StateSelections};

/// The shape of the function of selections called `name` (lower case).
pub(crate) fn shape(name: &str) -> Option<HostFunction> {
    let (least, most) = match name {
        "getcurrentselections" => (0, 5),
        "getfieldselections" => (1, 4),
        "getselectedcount" => (1, 3),
        "getnotselectedcount" => (1, 2),
        "getpossiblecount" | "getalternativecount" | "getexcludedcount" => (1, 1),
        _ => return None,
    };
    Some(HostFunction {
        least,
        most,
        args: if least > 0 { &[HostArg::Field] } else { &[] },
    })
}

/// Functions that tell about the selections of the query's state.
pub(crate) struct SelectionFunctions<'a>(pub &'a Query<'a>);

impl SelectionFunctions<'_> {
    /// The selections of the state that an argument names; of the query's own without one.
    fn state(&self, name: Option<&Value>) -> Option<Arc<StateSelections>> {
        match name.map(Value::to_text).filter(|n| !n.is_empty()) {
            Some(name) => self.0.selections.state(&name).cloned(),
            None => Some(self.0.current()),
        }
    }

    fn counts(
        &self,
        selections: &Arc<StateSelections>,
        field: FieldId,
    ) -> Result<StateCounts, Stop> {
        let Query { engine, budget, .. } = self.0;
        let states = engine.field_states(selections, field, budget)?;
        Ok(states.counts(engine.view().cardinality(field)))
    }

    /// The selected values joined, or how many of how many if they are more than `most`.
    fn selected(
        &self,
        selections: &StateSelections,
        field: FieldId,
        separator: &str,
        most: usize,
    ) -> Option<String> {
        let selected = &selections.field(field)?.codes;
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

    /// All selections: between fields, between a field and its values, between values.
    fn all_selected(&self, args: &[Value]) -> Option<String> {
        let text = |at: usize, otherwise: &str| {
            args.get(at)
                .map_or_else(|| otherwise.to_owned(), Value::to_text)
        };
        let (between, after, within) = (text(0, "\r\n"), text(1, ": "), text(2, ", "));
        let most = args.get(3).and_then(Value::as_num).unwrap_or(6.0);
        let selections = self.state(args.get(4))?;
        let view = self.0.engine.view();
        let lines: Vec<String> = selections
            .fields()
            .filter(|(f, _)| view.is_visible(*f))
            .filter_map(|(f, _)| {
                let name = &view.model().field(f).name;
                let values = self.selected(&selections, f, &within, most.max(0.0) as usize)?;
                Some(format!("{name}{after}{values}"))
            })
            .collect();
        Some(lines.join(&between))
    }
}

impl HostFunctions for SelectionFunctions<'_> {
    fn call(&self, name: &str, args: &[Value]) -> Option<Value> {
        if name == "getcurrentselections" {
            return Some(self.all_selected(args).map_or(Value::Null, Value::text));
        }
        let field = self.0.engine.field(&args.first()?.to_text())?;
        let is_set = |at: usize| {
            args.get(at)
                .is_some_and(|v| v.as_num().is_some_and(|n| n != 0.0))
        };
        let state = match name {
            "getfieldselections" => args.get(3),
            "getselectedcount" => args.get(2),
            _ => None,
        };
        // An alternate state that is not there has no selections to tell of.
        let Some(selections) = self.state(state) else {
            return Some(Value::Null);
        };
        if name == "getfieldselections" {
            let separator = args.get(1).map_or(", ".to_owned(), Value::to_text);
            let most = args.get(2).and_then(Value::as_num).unwrap_or(6.0).max(0.0) as usize;
            let text = self.selected(&selections, field, &separator, most);
            return Some(text.map_or(Value::Null, Value::text));
        }
        let count: fn(&StateCounts) -> u64 = match name {
            "getselectedcount" if is_set(1) => StateCounts::in_selection,
            "getselectedcount" => |c| c.locked + c.selected,
            "getpossiblecount" => StateCounts::possible,
            "getalternativecount" => |c| c.alternative,
            "getexcludedcount" => {
                |c| c.excluded + c.alternative + c.selected_excluded + c.locked_excluded
            }
            "getnotselectedcount" => |c| c.optional + c.alternative + c.excluded,
            _ => return None,
        };
        Some(match self.counts(&selections, field) {
            Ok(counts) => Value::num(count(&counts) as f64),
            Err(_) => Value::Null,
        })
    }
}
