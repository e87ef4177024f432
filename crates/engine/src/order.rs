//! The order of a dimension's values.

use std::cmp::Ordering;

use satchel_data::{Value, View, text_order};

use crate::dimension::Dim;
use crate::inference::FieldStates;
use crate::{CalcError, Query, SortCriterion, SortOrder, ValueState};

/// What values are compared by beside themselves.
pub(crate) struct Ranking<'a> {
    pub dim: &'a Dim,
    pub view: &'a View,
    pub criterion: &'a SortCriterion,
    pub states: Option<&'a FieldStates>,
    pub frequencies: Option<Vec<u64>>,
    pub expression: Option<Vec<Value>>,
}

impl<'a> Ranking<'a> {
    pub fn new(
        query: &'a Query<'_>,
        dim: &'a Dim,
        criterion: &'a SortCriterion,
        states: Option<&'a FieldStates>,
    ) -> Result<Self, CalcError> {
        let frequencies = match (criterion.frequency, dim.plain_field()) {
            (SortOrder::Ascending | SortOrder::Descending, Some(field)) => Some(
                query
                    .engine
                    .frequencies(&query.current(), field, query.budget)?,
            ),
            _ => None,
        };
        let expression = match &criterion.expression {
            Some(text) if criterion.by_expression != SortOrder::None => {
                Some(crate::evaluate::values_by(query, dim, text)?)
            }
            _ => None,
        };
        Ok(Self {
            dim,
            view: query.engine.view(),
            criterion,
            states,
            frequencies,
            expression,
        })
    }

    /// Sorts codes; NULL's is last whatever the order.
    pub fn sort(&self, codes: &mut [u32]) {
        let null = self.dim.null();
        let keys: Vec<(Value, i64)> = {
            let needed = codes.iter().max().map_or(0, |m| *m as usize + 1);
            let mut keys = vec![(Value::Null, 0); needed];
            for code in codes.iter() {
                keys[*code as usize] = (
                    self.dim.value(self.view, *code),
                    self.dim.element(self.view, *code),
                );
            }
            keys
        };
        codes.sort_by(|a, b| {
            (*a == null).cmp(&(*b == null)).then_with(|| {
                let (x, y) = (&keys[*a as usize], &keys[*b as usize]);
                self.compare(*a, *b, &x.0, &y.0)
                    .then_with(|| self.criterion.load_order.apply(x.1.cmp(&y.1)))
                    .then_with(|| x.1.cmp(&y.1))
            })
        });
    }

    fn compare(&self, a: u32, b: u32, x: &Value, y: &Value) -> Ordering {
        let by = self.criterion;
        let state = |c: u32| self.states.map_or(0, |s| s.of(c).sort_rank());
        let greyness = |c: u32| {
            self.states.map_or(0, |s| match s.of(c) {
                state if state.is_possible() => 0,
                ValueState::Alternative => 1,
                _ => 2,
            })
        };
        let frequency = |c: u32| {
            self.frequencies
                .as_ref()
                .and_then(|f| f.get(c as usize))
                .copied()
                .unwrap_or(0)
        };
        let expression = || match &self.expression {
            None => Ordering::Equal,
            Some(values) => by_value(by.by_expression, &values[a as usize], &values[b as usize]),
        };
        by.state
            .apply(state(a).cmp(&state(b)))
            .then_with(|| by.greyness.apply(greyness(a).cmp(&greyness(b))))
            .then_with(expression)
            .then_with(|| by.frequency.apply(frequency(a).cmp(&frequency(b))))
            .then_with(|| match (by.numeric, x.as_num(), y.as_num()) {
                (SortOrder::None, ..) | (_, None, None) => Ordering::Equal,
                (_, Some(_), None) => Ordering::Less,
                (_, None, Some(_)) => Ordering::Greater,
                (order, Some(x), Some(y)) => order.apply(x.total_cmp(&y)),
            })
            .then_with(|| match by.ascii {
                SortOrder::None => Ordering::Equal,
                order => order.apply(text_order(&x.to_text(), &y.to_text())),
            })
    }
}

/// Numbers before texts before NULL, whichever way the numbers go.
pub(crate) fn by_value(order: SortOrder, a: &Value, b: &Value) -> Ordering {
    if order == SortOrder::None {
        return Ordering::Equal;
    }
    match (a.as_num(), b.as_num()) {
        (Some(x), Some(y)) => order.apply(x.total_cmp(&y)),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => match (a.is_null(), b.is_null()) {
            (false, false) => order.apply(a.order(b)),
            (x, y) => x.cmp(&y),
        },
    }
}
