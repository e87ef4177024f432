//! `qOtherTotalSpec`: how a client limits the values of a dimension.
//!
//! Rules: the public reference of `OtherTotalSpecProp`. Amounts may be expressions, and shares
//! texts such as `10%`.

use satchel_engine::{Amount, Comparison, End, Keep, Limit, Others};
use serde_json::Value;

use crate::errors::RpcError;
use crate::layout::cube_def::{Measure, label};
use crate::layout::{Env, expression_text};

/// Names of the modes by their number.
const MODES: [&str; 6] = [
    "OTHER_OFF",
    "OTHER_COUNTED",
    "OTHER_ABS_LIMITED",
    "OTHER_ABS_ACC_TARGET",
    "OTHER_REL_LIMITED",
    "OTHER_REL_ACC_TARGET",
];

const COMPARISONS: [&str; 4] = [
    "OTHER_GE_LIMIT",
    "OTHER_LE_LIMIT",
    "OTHER_GT_LIMIT",
    "OTHER_LT_LIMIT",
];

const ORDERS: [&str; 3] = [
    "OTHER_SORT_DEFAULT",
    "OTHER_SORT_DESCENDING",
    "OTHER_SORT_ASCENDING",
];

/// A member that is one of some names, or its number.
fn named<'a>(spec: &Value, member: &str, names: &[&'a str]) -> &'a str {
    let found = match spec.get(member) {
        Some(Value::String(name)) => names.iter().find(|n| *n == name),
        Some(Value::Number(n)) => n.as_u64().and_then(|n| names.get(usize::try_from(n).ok()?)),
        _ => None,
    };
    found.or(names.first()).copied().unwrap_or_default()
}

fn flag(spec: &Value, member: &str, otherwise: bool) -> bool {
    spec.get(member)
        .and_then(Value::as_bool)
        .unwrap_or(otherwise)
}

/// A number as it is, a share as a text, or an expression; `None` if it is neither.
fn amount(env: &Env<'_>, state: &str, value: Option<&Value>) -> Result<Option<f64>, RpcError> {
    let Some(value) = value else {
        return Ok(None);
    };
    if let Some(n) = value.as_f64() {
        return Ok(Some(n));
    }
    let text = expression_text(value).trim();
    if let Some(share) = text.strip_suffix('%')
        && let Ok(n) = share.trim().parse::<f64>()
    {
        return Ok(Some(n / 100.0));
    }
    Ok(env.value(state, text)?.as_num().filter(|n| !n.is_nan()))
}

/// The limit of a dimension of a cube, if it has one that says how much.
pub(crate) fn limit(
    env: &Env<'_>,
    state: &str,
    dimension: &Value,
    measures: &[Measure],
) -> Result<Option<Limit>, RpcError> {
    let Some(spec) = dimension.get("qOtherTotalSpec") else {
        return Ok(None);
    };
    let comparison = match named(spec, "qOtherLimitMode", &COMPARISONS) {
        "OTHER_LE_LIMIT" => Comparison::AtMost,
        "OTHER_GT_LIMIT" => Comparison::Above,
        "OTHER_LT_LIMIT" => Comparison::Below,
        _ => Comparison::AtLeast,
    };
    let of = |share: bool| -> Result<Option<Amount>, RpcError> {
        let n = amount(env, state, spec.get("qOtherLimit"))?;
        Ok(n.map(if share {
            Amount::Share
        } else {
            Amount::Absolute
        }))
    };
    let keep = match named(spec, "qOtherMode", &MODES) {
        "OTHER_COUNTED" => amount(env, state, spec.get("qOtherCounted"))?
            .map(|n| Keep::Count(n.clamp(0.0, 1e9) as usize)),
        "OTHER_ABS_LIMITED" => of(false)?.map(|a| Keep::Each(comparison, a)),
        "OTHER_REL_LIMITED" => of(true)?.map(|a| Keep::Each(comparison, a)),
        "OTHER_ABS_ACC_TARGET" => of(false)?.map(|a| Keep::Until(comparison, a)),
        "OTHER_REL_ACC_TARGET" => of(true)?.map(|a| Keep::Until(comparison, a)),
        _ => None,
    };
    // Without a measure there is nothing to limit by.
    let (Some(keep), false) = (keep, measures.is_empty()) else {
        return Ok(None);
    };
    let referenced = spec
        .get("qReferencedExpression")
        .map(expression_text)
        .filter(|t| !t.trim().is_empty());
    // The name of a measure, or an expression.
    let expression = referenced.map(|text| {
        let is = |m: &&Measure| m.label == text || m.def == text;
        let found = measures.iter().find(is);
        found.map_or_else(|| text.to_owned(), |m| m.def.clone())
    });
    let own = env.text(state, label(dimension, "qOtherLabel", "othersLabel"))?;
    let from = match named(spec, "qOtherSortMode", &ORDERS) {
        "OTHER_SORT_ASCENDING" => End::Smallest,
        _ => End::Largest,
    };
    // Both spellings are in use.
    let hidden = flag(spec, "qSuppressOther", false) || flag(spec, "qSupressOther", false);
    Ok(Some(Limit {
        keep,
        from,
        expression,
        others: if hidden {
            Others::Hidden
        } else {
            Others::Shown
        },
        label: if own.is_empty() {
            "Others".to_owned()
        } else {
            own
        },
        global: flag(spec, "qGlobalOtherGrouping", false),
        collapse_inner: flag(spec, "qOtherCollapseInnerDimensions", false),
        keep_texts: flag(spec, "qForceBadValueKeeping", true),
    }))
}
