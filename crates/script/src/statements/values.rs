//! Statements that change values as they are loaded, or of fields that were: `MAP … USING`,
//! `NULLASVALUE`, `FORCE`, `AUTONUMBER`.

use rustc_hash::FxHashMap;
use satchel_calc::matches_wildcard;
use satchel_data::{Dict, Frame, FrameColumn, NULL_CODE, SymbolKey, Value};
use satchel_syntax::{Diagnostic, ForceCase, Name};

use crate::run::{Place, Run, Runner};

impl Runner<'_> {
    pub(super) fn map_using(&mut self, place: &Place, fields: &[Name], map: &Name) -> Run<()> {
        if !self.tables.maps.contains_key(&map.text) {
            return Err(unknown_map(place, map));
        }
        for field in fields {
            let entry = (field.text.clone(), Some(map.text.clone()));
            self.mapped.push(entry);
        }
        Ok(())
    }

    /// What the statements before say of the values of a load.
    pub(super) fn change_values(&self, frame: &mut Frame) {
        let null_value = self
            .variable("NullValue")
            .map_or_else(String::new, Value::to_text);
        for column in &mut frame.columns {
            if let Some(case) = self.force {
                replace_values(column, |value| forced(value, case));
            }
            let nulls_are_values = (self.null_as_value.iter().rev())
                .find(|(_, pattern)| matches_wildcard(&column.name, pattern))
                .is_some_and(|(adds, _)| *adds);
            if nulls_are_values && column.codes.contains(&NULL_CODE) {
                let code = column.dict.intern(&self.interpreted(&null_value));
                for cell in &mut column.codes {
                    if *cell == NULL_CODE {
                        *cell = code;
                    }
                }
            }
            let map = (self.mapped.iter().rev())
                .find(|(pattern, _)| matches_wildcard(&column.name, pattern))
                .and_then(|(_, map)| map.as_ref());
            if let Some(map) = map.and_then(|m| self.tables.maps.get(m)) {
                replace_values(column, |value| map.value(value).cloned());
            }
        }
    }

    /// `AUTONUMBER`: the values of fields become numbers from 1, in order of first appearance.
    pub(super) fn auto_number(
        &mut self,
        place: &Place,
        fields: &[Name],
        counter: Option<&Name>,
    ) -> Run<()> {
        let mut counters: FxHashMap<String, FxHashMap<SymbolKey, u32>> = FxHashMap::default();
        let section = self.section;
        for field in fields {
            let mut found = false;
            for loaded in self.tables.list.iter_mut().filter(|t| t.section == section) {
                for column in &mut loaded.frame.columns {
                    if !matches_wildcard(&column.name, &field.text) {
                        continue;
                    }
                    found = true;
                    let name = counter.map_or(column.name.as_str(), |c| c.text.as_str());
                    let numbers = counters.entry(name.to_owned()).or_default();
                    replace_values(column, |value| {
                        let next = numbers.len() as u32 + 1;
                        let number = *numbers.entry(SymbolKey::of(value)?).or_insert(next);
                        Some(Value::num(f64::from(number)))
                    });
                }
            }
            if !found && !field.text.contains(['*', '?']) {
                return Err(super::tables::unknown_field(place, field));
            }
        }
        Ok(())
    }
}

pub(super) fn unknown_map(place: &Place, name: &Name) -> crate::run::Halt {
    place.fail(
        Diagnostic::error(
            "script.unknown_map",
            name.span,
            format!("there is no mapping table called `{}`", name.text),
        )
        .with_hint("load it first with MAPPING LOAD"),
    )
}

/// Replaces each distinct value for which there is another.
fn replace_values(column: &mut FrameColumn, mut other: impl FnMut(&Value) -> Option<Value>) {
    let mut dict = Dict::default();
    let map: Vec<u32> = (column.dict.values().iter())
        .map(|value| match other(value) {
            Some(new) => dict.intern(&new),
            None => dict.intern(value),
        })
        .collect();
    for code in &mut column.codes {
        *code = map.get(*code as usize).copied().unwrap_or(NULL_CODE);
    }
    column.dict = dict;
}

fn forced(value: &Value, case: ForceCase) -> Option<Value> {
    let Value::Text(text) = value else {
        return None;
    };
    Some(Value::text(match case {
        ForceCase::Upper => text.to_uppercase(),
        ForceCase::Lower => text.to_lowercase(),
        ForceCase::Capital => {
            let mut starts = true;
            let mut out = String::with_capacity(text.len());
            for c in text.chars() {
                if starts {
                    out.extend(c.to_uppercase());
                } else {
                    out.extend(c.to_lowercase());
                }
                starts = !c.is_alphanumeric();
            }
            out
        }
    }))
}
