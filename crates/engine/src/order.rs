//! The order of a dimension's values.

use std::cmp::Ordering;
use std::sync::Arc;

use satchel_data::{Value, View, text_order};

use crate::dimension::Dim;
use crate::graph::Core;
use crate::inference::FieldStates;
use crate::{CalcError, Query, SortCriterion, SortOrder, ValueState};

/// What values are compared by beside themselves.
pub(crate) struct Ranking<'a> {
    pub dim: &'a Dim,
    pub view: &'a View,
    core: &'a Core,
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
            core: &query.engine.core,
            criterion,
            states,
            frequencies,
            expression,
        })
    }

    /// Sorts codes; NULL's is last whatever the order.
    pub fn sort(&self, codes: &mut [u32]) {
        let (by, null) = (self.criterion, self.dim.null());
        let element = |code: u32| self.dim.element(self.view, code);
        if self.by_load_order_only() {
            codes.sort_by(|a, b| {
                let order = element(*a).cmp(&element(*b));
                let directed = by.load_order.apply(order).then(order);
                (*a == null).cmp(&(*b == null)).then(directed)
            });
            return;
        }
        let ranks = self.text_ranks(codes);
        let mut entries: Vec<Entry> = codes
            .iter()
            .enumerate()
            .map(|(i, code)| Entry {
                code: *code,
                is_null: *code == null,
                state: match by.state {
                    SortOrder::None => 0,
                    _ => self.states.map_or(0, |s| s.of(*code).sort_rank()),
                },
                greyness: match by.greyness {
                    SortOrder::None => 0,
                    _ => self.states.map_or(0, |s| greyness(s.of(*code))),
                },
                frequency: match &self.frequencies {
                    Some(all) => all.get(*code as usize).copied().unwrap_or(0),
                    None => 0,
                },
                num: match by.numeric {
                    SortOrder::None => f64::NAN,
                    _ => self.dim.num(self.view, *code),
                },
                text: ranks.of(i, *code),
                element: element(*code),
            })
            .collect();
        entries.sort_by(|a, b| self.compare(a, b));
        for (slot, entry) in codes.iter_mut().zip(&entries) {
            *slot = entry.code;
        }
    }

    /// Whether codes in the order of their element numbers are in order already.
    pub fn keeps_load_order(&self) -> bool {
        self.by_load_order_only() && self.criterion.load_order != SortOrder::Descending
    }

    fn by_load_order_only(&self) -> bool {
        let by = self.criterion;
        [by.state, by.greyness, by.numeric, by.ascii]
            .iter()
            .all(|o| *o == SortOrder::None)
            && self.expression.is_none()
            && self.frequencies.is_none()
    }

    fn text_ranks(&self, codes: &[u32]) -> TextRanks {
        if self.criterion.ascii == SortOrder::None {
            return TextRanks::None;
        }
        if let Some(field) = self.dim.plain_field()
            && codes.len() >= FEW
        {
            return TextRanks::ByCode(self.core.text_ranks(field));
        }
        let texts: Vec<String> = codes
            .iter()
            .map(|c| self.dim.value(self.view, *c).to_text())
            .collect();
        TextRanks::ByPlace(rank_texts(&texts))
    }

    fn compare(&self, a: &Entry, b: &Entry) -> Ordering {
        let by = self.criterion;
        let expression = || match &self.expression {
            None => Ordering::Equal,
            Some(values) => by_value(
                by.by_expression,
                &values[a.code as usize],
                &values[b.code as usize],
            ),
        };
        a.is_null
            .cmp(&b.is_null)
            .then_with(|| by.state.apply(a.state.cmp(&b.state)))
            .then_with(|| by.greyness.apply(a.greyness.cmp(&b.greyness)))
            .then_with(expression)
            .then_with(|| by.frequency.apply(a.frequency.cmp(&b.frequency)))
            .then_with(|| match (a.num.is_nan(), b.num.is_nan()) {
                (true, true) => Ordering::Equal,
                (false, false) => by.numeric.apply(a.num.total_cmp(&b.num)),
                (x, y) => x.cmp(&y),
            })
            .then_with(|| by.ascii.apply(a.text.cmp(&b.text)))
            .then_with(|| by.load_order.apply(a.element.cmp(&b.element)))
            .then_with(|| a.element.cmp(&b.element))
    }
}

/// Fewer values than these are ranked by themselves, without ranking their whole field.
const FEW: usize = 256;

/// A code with all that its place depends on.
struct Entry {
    code: u32,
    is_null: bool,
    state: u32,
    greyness: u32,
    frequency: u64,
    /// NaN if it has none or if numbers do not matter.
    num: f64,
    text: u32,
    element: i64,
}

/// How grey a value is shown: possible ones not at all, excluded ones most.
fn greyness(state: ValueState) -> u32 {
    match state {
        state if state.is_possible() => 0,
        ValueState::Alternative => 1,
        _ => 2,
    }
}

/// Places of texts in alphabetical order, equal texts in the same place.
enum TextRanks {
    None,
    ByCode(Arc<Vec<u32>>),
    ByPlace(Vec<u32>),
}

impl TextRanks {
    fn of(&self, place: usize, code: u32) -> u32 {
        match self {
            Self::None => 0,
            Self::ByCode(ranks) => ranks.get(code as usize).copied().unwrap_or(u32::MAX),
            Self::ByPlace(ranks) => ranks[place],
        }
    }
}

/// The place of each text in alphabetical order; equal texts share one.
pub(crate) fn rank_texts<T: AsRef<str>>(texts: &[T]) -> Vec<u32> {
    let mut order: Vec<u32> = (0..texts.len() as u32).collect();
    let text = |i: u32| texts[i as usize].as_ref();
    order.sort_by(|a, b| text_order(text(*a), text(*b)));
    let mut ranks = vec![0; texts.len()];
    let mut rank = 0;
    for (i, at) in order.iter().enumerate() {
        if i > 0 && text_order(text(order[i - 1]), text(*at)) != Ordering::Equal {
            rank += 1;
        }
        ranks[*at as usize] = rank;
    }
    ranks
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
