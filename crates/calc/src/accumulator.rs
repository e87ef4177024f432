//! Running state of an aggregation. Results depend only on the values and, for sums and
//! joined texts, on the order in which they are pushed.

use rustc_hash::{FxHashMap, FxHashSet};
use satchel_data::{SymbolKey, Value, text_order};

use crate::aggregate::{AggKind, Rows, Whole};
use crate::statistics::{fractile, sample_stdev};

/// One aggregation in progress.
///
/// `push` takes the row's arguments in the order of the call. NULL values are counted only by
/// the functions that count NULLs. `DISTINCT` compares values as symbols. Texts without a
/// number do not take part in numeric aggregations.
#[derive(Clone, Debug)]
pub struct Accumulator {
    state: State,
    seen: Option<FxHashSet<SymbolKey>>,
}

#[derive(Clone, Debug)]
enum State {
    Sum(Neumaier),
    Avg {
        sum: Neumaier,
        n: u64,
    },
    Count(u64),
    NullCount(u64),
    NumericCount(u64),
    TextCount(u64),
    MissingCount(u64),
    /// The least or greatest value so far, and the values where the nth is asked for.
    Extreme {
        greatest: bool,
        best: Option<Value>,
        nth: Option<f64>,
        all: Vec<Value>,
    },
    ExtremeText {
        greatest: bool,
        best: Option<Value>,
    },
    Only {
        value: Option<Value>,
        several: bool,
    },
    Concat {
        parts: Vec<(Value, Value)>,
        delimiter: Option<Value>,
    },
    Mode {
        counts: FxHashMap<SymbolKey, (u64, Value)>,
    },
    Numbers {
        kind: AggKind,
        numbers: Vec<f64>,
        share: f64,
    },
    FirstSorted {
        pairs: Vec<(Value, Value)>,
        rank: f64,
    },
    First(Option<Value>),
    Last(Option<Value>),
    /// The arguments of all rows, one after the other.
    Whole {
        whole: Whole,
        values: Vec<Value>,
        width: usize,
    },
}

/// A sum that also carries what rounding lost (Neumaier's variant of Kahan summation).
#[derive(Clone, Copy, Debug, Default)]
struct Neumaier {
    sum: f64,
    lost: f64,
}

impl Neumaier {
    #[inline]
    fn add(&mut self, num: f64) {
        let sum = self.sum + num;
        self.lost += if self.sum.abs() >= num.abs() {
            (self.sum - sum) + num
        } else {
            (num - sum) + self.sum
        };
        self.sum = sum;
    }

    fn total(self) -> f64 {
        // An overflowed sum has a meaningless rest.
        if self.sum.is_finite() && self.lost.is_finite() {
            self.sum + self.lost
        } else {
            self.sum
        }
    }
}

impl Accumulator {
    /// An aggregation without any value.
    pub fn new(kind: AggKind, distinct: bool) -> Self {
        let numbers = || State::Numbers {
            kind,
            numbers: Vec::new(),
            share: 0.5,
        };
        let extreme = |greatest| State::Extreme {
            greatest,
            best: None,
            nth: None,
            all: Vec::new(),
        };
        let state = match kind {
            AggKind::Sum => State::Sum(Neumaier::default()),
            AggKind::Avg => State::Avg {
                sum: Neumaier::default(),
                n: 0,
            },
            AggKind::Count => State::Count(0),
            AggKind::NullCount => State::NullCount(0),
            AggKind::NumericCount => State::NumericCount(0),
            AggKind::TextCount => State::TextCount(0),
            AggKind::MissingCount => State::MissingCount(0),
            AggKind::Min => extreme(false),
            AggKind::Max => extreme(true),
            AggKind::MinString => State::ExtremeText {
                greatest: false,
                best: None,
            },
            AggKind::MaxString => State::ExtremeText {
                greatest: true,
                best: None,
            },
            AggKind::Only => State::Only {
                value: None,
                several: false,
            },
            AggKind::Concat => State::Concat {
                parts: Vec::new(),
                delimiter: None,
            },
            AggKind::Mode => State::Mode {
                counts: FxHashMap::default(),
            },
            AggKind::Median | AggKind::Fractile | AggKind::Stdev => numbers(),
            AggKind::FirstSortedValue => State::FirstSorted {
                pairs: Vec::new(),
                rank: 1.0,
            },
            AggKind::FirstValue => State::First(None),
            AggKind::LastValue => State::Last(None),
            AggKind::Whole(whole) => State::Whole {
                whole,
                values: Vec::new(),
                width: 0,
            },
        };
        Self {
            state,
            seen: distinct.then(FxHashSet::default),
        }
    }

    /// Takes the arguments of one row. `Count(*)` passes none.
    pub fn push(&mut self, args: &[Value]) {
        let Some(value) = args.first() else {
            if let State::Count(n) = &mut self.state {
                *n += 1;
            }
            return;
        };
        if let State::Whole { values, width, .. } = &mut self.state {
            if let (Some(seen), Some(key)) = (&mut self.seen, SymbolKey::of(value))
                && !seen.insert(key)
            {
                return;
            }
            *width = args.len();
            return values.extend_from_slice(args);
        }
        if value.is_null() {
            if let State::NullCount(n) | State::MissingCount(n) = &mut self.state {
                *n += 1;
            }
            return;
        }
        if let (Some(seen), Some(key)) = (&mut self.seen, SymbolKey::of(value))
            && !seen.insert(key)
        {
            return;
        }
        let num = value.as_num();
        let second = args.get(1).filter(|v| !v.is_null());
        match &mut self.state {
            State::Sum(sum) => {
                if let Some(num) = num {
                    sum.add(num);
                }
            }
            State::Avg { sum, n } => {
                if let Some(num) = num {
                    sum.add(num);
                    *n += 1;
                }
            }
            State::Count(n) => *n += 1,
            State::NullCount(_) => {}
            State::NumericCount(n) => *n += u64::from(num.is_some()),
            State::TextCount(n) | State::MissingCount(n) => *n += u64::from(num.is_none()),
            State::Extreme {
                greatest,
                best,
                nth,
                all,
            } => {
                let Some(num) = num else { return };
                if args.len() > 1 {
                    *nth = second.and_then(Value::as_num).or(*nth);
                    all.push(value.clone());
                    return;
                }
                let better = best
                    .as_ref()
                    .and_then(Value::as_num)
                    .is_none_or(|b| if *greatest { num > b } else { num < b });
                if better {
                    *best = Some(value.clone());
                }
            }
            State::ExtremeText { greatest, best } => {
                let better = best.as_ref().is_none_or(|b| {
                    let order = text_order(&value.to_text(), &b.to_text());
                    if *greatest {
                        order.is_gt()
                    } else {
                        order.is_lt()
                    }
                });
                if better {
                    *best = Some(value.clone());
                }
            }
            State::Only {
                value: only,
                several,
            } => match only {
                None => *only = Some(value.clone()),
                Some(known) => *several |= !known.same_symbol(value),
            },
            State::Concat { parts, delimiter } => {
                if let Some(second) = second {
                    delimiter.get_or_insert_with(|| second.clone());
                }
                let weight = args.get(2).cloned().unwrap_or(Value::Null);
                parts.push((weight, value.clone()));
            }
            State::Mode { counts } => {
                if let Some(key) = SymbolKey::of(value) {
                    counts.entry(key).or_insert_with(|| (0, value.clone())).0 += 1;
                }
            }
            State::Numbers { numbers, share, .. } => {
                if let Some(num) = num {
                    numbers.push(num);
                }
                if let Some(second) = second.and_then(Value::as_num) {
                    *share = second;
                }
            }
            State::FirstSorted { pairs, rank } => {
                if let Some(weight) = second {
                    pairs.push((weight.clone(), value.clone()));
                }
                if let Some(n) = args.get(2).and_then(Value::as_num) {
                    *rank = n;
                }
            }
            State::First(first) => {
                first.get_or_insert_with(|| value.clone());
            }
            State::Last(last) => *last = Some(value.clone()),
            State::Whole { .. } => {}
        }
    }

    /// Takes one number as the only argument; NaN is NULL. The same as `push` with that value,
    /// but without making one where that matters.
    #[inline]
    pub fn push_num(&mut self, num: f64) {
        if self.seen.is_none() && !num.is_nan() {
            match &mut self.state {
                State::Sum(sum) => return sum.add(num),
                State::Avg { sum, n } => {
                    *n += 1;
                    return sum.add(num);
                }
                State::Count(n) | State::NumericCount(n) => {
                    *n += 1;
                    return;
                }
                _ => {}
            }
        }
        self.push(&[Value::num(num)]);
    }

    /// The result.
    pub fn finish(self) -> Value {
        let count = |n: u64| Value::num(n as f64);
        match self.state {
            State::Sum(sum) => Value::num(sum.total()),
            State::Avg { n: 0, .. } => Value::Null,
            State::Avg { sum, n } => Value::num(sum.total() / n as f64),
            State::Count(n)
            | State::NullCount(n)
            | State::NumericCount(n)
            | State::TextCount(n)
            | State::MissingCount(n) => count(n),
            State::Extreme { best, all, .. } if all.is_empty() => best.unwrap_or(Value::Null),
            State::Extreme {
                greatest,
                nth,
                mut all,
                ..
            } => {
                all.sort_by(|a, b| if greatest { b.order(a) } else { a.order(b) });
                nth_of(&all, nth.unwrap_or(f64::NAN))
                    .cloned()
                    .unwrap_or(Value::Null)
            }
            State::ExtremeText { best, .. } => best.unwrap_or(Value::Null),
            State::Only {
                value,
                several: false,
            } => value.unwrap_or(Value::Null),
            State::Only { several: true, .. } => Value::Null,
            State::Concat {
                mut parts,
                delimiter,
            } => {
                if parts.is_empty() {
                    return Value::Null;
                }
                // By weight, then by value: without weights the values' own order.
                parts.sort_by(|(v, a), (w, b)| v.order(w).then_with(|| a.order(b)));
                let texts: Vec<String> = parts.iter().map(|(_, v)| v.to_text()).collect();
                Value::text(texts.join(&delimiter.map(|d| d.to_text()).unwrap_or_default()))
            }
            State::Mode { counts } => {
                let most = counts.values().map(|(n, _)| *n).max().unwrap_or(0);
                let mut best = counts.into_values().filter(|(n, _)| *n == most);
                match (best.next(), best.next()) {
                    (Some((_, value)), None) => value,
                    _ => Value::Null,
                }
            }
            State::Numbers {
                kind: AggKind::Stdev,
                numbers,
                ..
            } => Value::num(sample_stdev(&numbers)),
            State::Numbers { numbers, share, .. } => Value::num(fractile(numbers, share)),
            State::FirstSorted { mut pairs, rank } => {
                pairs.sort_by(|(a, _), (b, _)| a.order(b));
                // The nth distinct weight; NULL if several different values have it.
                let mut weights: Vec<&Value> = Vec::new();
                for (weight, _) in &pairs {
                    if weights.last().is_none_or(|last| last.order(weight).is_ne()) {
                        weights.push(weight);
                    }
                }
                let Some(weight) = nth_of(&weights, rank) else {
                    return Value::Null;
                };
                let mut values = pairs
                    .iter()
                    .filter(|(w, _)| w.order(weight).is_eq())
                    .map(|(_, v)| v);
                match values.next() {
                    Some(first) if values.all(|v| v.same_symbol(first)) => first.clone(),
                    _ => Value::Null,
                }
            }
            State::First(value) | State::Last(value) => value.unwrap_or(Value::Null),
            State::Whole {
                whole,
                values,
                width,
            } => (whole.finish)(&Rows::new(&values, width)),
        }
    }
}

/// The nth element, from 1.
fn nth_of<T>(values: &[T], nth: f64) -> Option<&T> {
    if !(1.0..1e9).contains(&nth) {
        return None;
    }
    values.get(nth as usize - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(kind: AggKind, distinct: bool, rows: &[&[Value]], want: &str) {
        let mut acc = Accumulator::new(kind, distinct);
        for row in rows {
            acc.push(row);
        }
        let value = acc.finish();
        assert_eq!(
            value.as_text().as_deref().unwrap_or("NULL"),
            want,
            "{kind:?}"
        );
    }

    #[test]
    fn nothing_gives_what_is_documented() {
        for (kind, want) in [
            (AggKind::Sum, "0"),
            (AggKind::Count, "0"),
            (AggKind::Avg, "NULL"),
            (AggKind::Min, "NULL"),
            (AggKind::Only, "NULL"),
            (AggKind::Concat, "NULL"),
            (AggKind::Stdev, "NULL"),
        ] {
            check(kind, false, &[], want);
            check(kind, true, &[], want);
        }
    }

    #[test]
    fn values_aggregate() {
        let n = Value::num;
        let t = |s: &str| Value::text(s);
        let rows: &[&[Value]] = &[&[n(3.0)], &[Value::Null], &[t("x")], &[n(1.0)], &[n(3.0)]];
        check(AggKind::Sum, false, rows, "7");
        check(AggKind::Sum, true, rows, "4");
        check(AggKind::Count, false, rows, "4");
        check(AggKind::Count, true, rows, "3");
        check(AggKind::Min, false, rows, "1");
        check(AggKind::Max, false, rows, "3");
        check(AggKind::NullCount, false, rows, "1");
        check(AggKind::TextCount, false, rows, "1");
        check(AggKind::MissingCount, false, rows, "2");
        check(AggKind::Mode, false, rows, "3");
        check(AggKind::Only, false, rows, "NULL");
        check(AggKind::Median, false, rows, "3");
        check(AggKind::MaxString, false, rows, "x");
        check(AggKind::FirstValue, false, rows, "3");
        check(AggKind::LastValue, false, rows, "3");
        check(
            AggKind::Max,
            false,
            &[&[n(1.0), n(2.0)], &[n(5.0), n(2.0)]],
            "1",
        );
        check(
            AggKind::Concat,
            true,
            &[
                &[t("b"), t("-"), n(2.0)],
                &[t("a"), t("-"), n(9.0)],
                &[t("b"), t("-"), n(1.0)],
            ],
            "b-a",
        );
        let sorted: &[&[Value]] = &[&[t("AA"), n(10.0)], &[t("CC"), n(2.0)], &[t("BB"), n(9.0)]];
        check(AggKind::FirstSortedValue, false, sorted, "CC");
        let tied: &[&[Value]] = &[&[t("AA"), n(2.0)], &[t("CC"), n(2.0)]];
        check(AggKind::FirstSortedValue, false, tied, "NULL");
    }

    #[test]
    fn sums_do_not_lose_small_numbers() {
        let mut acc = Accumulator::new(AggKind::Sum, false);
        for num in [1e16, 1.0, -1e16] {
            acc.push_num(num);
        }
        assert_eq!(acc.finish().as_num(), Some(1.0));
    }
}
