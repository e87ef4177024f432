//! `qTrendLines`: lines through the values of a measure.
//!
//! Rules: the public reference of `NxTrendlineDef` and `NxTrendline`.

use satchel_engine::{Trend, TrendDef, TrendKind, TrendLines};
use serde_json::{Map, Value, json};

use crate::layout::column::INVALID_DEF;
use crate::wire::number::num;

/// A definition with what passes through.
pub(crate) struct Definition<'a> {
    pub def: TrendDef,
    name: &'static str,
    wire: &'a Value,
}

/// Long and short name, shape.
const KINDS: [(&str, &str, TrendKind); 8] = [
    ("AVERAGE", "Average", TrendKind::Average),
    ("LINEAR", "Linear", TrendKind::Linear),
    ("POLYNOMIAL2", "Polynomial2", TrendKind::Polynomial(2)),
    ("POLYNOMIAL3", "Polynomial3", TrendKind::Polynomial(3)),
    ("POLYNOMIAL4", "Polynomial4", TrendKind::Polynomial(4)),
    ("EXPONENTIAL", "Exponential", TrendKind::Exponential),
    ("POWER", "Power", TrendKind::Power),
    ("LOG", "Logarithmic", TrendKind::Logarithmic),
];

/// The trend lines that a measure of a cube asks for; those of no known shape are left out.
pub(crate) fn definitions(measure: &Value) -> Vec<Definition<'_>> {
    let list = measure.get("qTrendLines").and_then(Value::as_array);
    list.map_or(&[][..], Vec::as_slice)
        .iter()
        .filter_map(|wire| {
            let text = |name: &str| wire.get(name).and_then(Value::as_str).unwrap_or_default();
            let wanted = text("qType");
            let known = KINDS
                .iter()
                .find(|(long, short, _)| [*long, *short].contains(&wanted))?;
            let by_number = match wire.get("qContinuousXAxis") {
                Some(Value::Bool(yes)) => *yes,
                Some(Value::String(mode)) => {
                    !matches!(mode.as_str(), "" | "Never" | "CONTINUOUS_NEVER")
                }
                _ => false,
            };
            Some(Definition {
                name: known.0,
                wire,
                def: TrendDef {
                    kind: known.2,
                    along: wire
                        .get("qXColIx")
                        .and_then(crate::params::whole)
                        .and_then(|n| usize::try_from(n).ok()),
                    by_number,
                    lines: match text("qMultiDimMode") {
                        "Sum" | "TRENDLINE_SUM" => TrendLines::Sum,
                        _ => TrendLines::Each,
                    },
                    with_r2: wire
                        .get("qCalcR2")
                        .and_then(Value::as_bool)
                        .unwrap_or(false),
                },
            })
        })
        .collect()
}

/// `qTrendLines` of `qMeasureInfo`.
pub(crate) fn infos(measure: &Value, trends: &[Vec<Trend>]) -> Value {
    let list: Vec<Value> = definitions(measure)
        .iter()
        .zip(trends)
        .flat_map(|(definition, lines)| lines.iter().map(|line| info(definition, line)))
        .collect();
    Value::Array(list)
}

fn info(definition: &Definition<'_>, line: &Trend) -> Value {
    let mut out = Map::new();
    let coefficients = line.coefficients.as_deref().unwrap_or_default();
    out.insert("qType".to_owned(), definition.name.into());
    if line.coefficients.is_none() {
        out.insert("qError".to_owned(), json!({"qErrorCode": INVALID_DEF}));
    }
    let list: Vec<Value> = coefficients.iter().map(|c| num(*c)).collect();
    out.insert("qCoeff".to_owned(), list.into());
    out.insert("qR2".to_owned(), num(line.r2.unwrap_or(f64::NAN)));
    let expression = expression(definition.def.kind, coefficients);
    out.insert("qExpression".to_owned(), expression.into());
    out.insert("qElemNo".to_owned(), line.element.into());
    for (name, value) in definition.wire.as_object().into_iter().flatten() {
        if !name.starts_with('q') {
            out.insert(name.clone(), value.clone());
        }
    }
    Value::Object(out)
}

/// The curve as people write it; empty if there is none.
fn expression(kind: TrendKind, c: &[f64]) -> String {
    let n = satchel_data::number_text;
    match (kind, c) {
        (TrendKind::Exponential, [a, b]) => format!("{} * Exp({} * x)", n(*a), n(*b)),
        (TrendKind::Power, [a, b]) => format!("{} * x ^ {}", n(*a), n(*b)),
        (TrendKind::Logarithmic, [a, b]) => format!("{} + {} * Log(x)", n(*a), n(*b)),
        _ => c
            .iter()
            .enumerate()
            .map(|(i, c)| match i {
                0 => n(*c),
                1 => format!("{} * x", n(*c)),
                i => format!("{} * x ^ {i}", n(*c)),
            })
            .collect::<Vec<_>>()
            .join(" + "),
    }
}
