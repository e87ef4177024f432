//! Financial aggregations over payments in row order. Payments out are negative.

use satchel_data::Value;

use super::{Aggregation, whole};
use crate::cash_flow::{
    internal_rate, internal_rate_by_dates, present_value, present_value_by_dates,
};

pub(super) const AGGREGATIONS: &[Aggregation] = &[
    whole(
        "IRR(payment)",
        "The rate a period at which payments at regular intervals are worth nothing.",
        ("IRR(Payment)", "0.16340560068899"),
        |rows| Value::num(internal_rate(&rows.numbers(0))),
    ),
    whole(
        "NPV(rate, payment)",
        "The present value of payments at the end of each period.",
        ("NPV(0.2, Payment)", "-540.12345679012"),
        |rows| {
            let payments = rows.pairs(0, 1);
            if payments.is_empty() {
                return Value::Null;
            }
            Value::num(present_value(payments.into_iter()))
        },
    ),
    whole(
        "XIRR(payment, date)",
        "The rate a year of 365 days at which payments on dates are worth nothing.",
        ("XIRR(Payment, Date)", "0.53849007401375"),
        |rows| Value::num(internal_rate_by_dates(&rows.pairs(0, 1))),
    ),
    whole(
        "XNPV(rate, payment, date)",
        "The present value, at the first date, of payments on dates.",
        ("XNPV(0.2, Payment, Date)", "2104.3653176549"),
        |rows| {
            let payment = |row: &[Value]| {
                Some((
                    row.first()?.as_num()?,
                    row.get(1)?.as_num()?,
                    row.get(2)?.as_num()?,
                ))
            };
            let payments: Vec<_> = rows.iter().filter_map(payment).collect();
            Value::num(present_value_by_dates(&payments))
        },
    ),
];
