//! Evaluating and checking expressions.

use satchel_engine::CalcError;
use serde_json::json;

use crate::errors::RpcError;
use crate::layout::Env;
use crate::session::Call;
use crate::wire::number::num;

type Done = Result<(), RpcError>;

/// Runs `f` with an environment for the open app.
fn with_env<T>(
    call: &mut Call<'_>,
    f: impl FnOnce(&Env<'_>) -> Result<T, RpcError>,
) -> Result<T, RpcError> {
    let now = call.state.host.now();
    let budget = call.budget.clone();
    let doc = call.doc()?;
    f(&Env::new(doc, now, &budget))
}

pub(crate) fn evaluate(call: &mut Call<'_>) -> Done {
    let text = call.args.text(0)?;
    let shown = with_env(call, |env| match env.query("").evaluate(&text) {
        Ok(value) if value.is_null() => Ok("-".to_owned()),
        Ok(value) => Ok(value.to_text()),
        Err(CalcError::Stop(stop)) => Err(stop.into()),
        Err(error) => Ok(format!("Error: {error}")),
    })?;
    call.put("qReturn", shown);
    Ok(())
}

pub(crate) fn evaluate_ex(call: &mut Call<'_>) -> Done {
    let text = call.args.text(0)?;
    let value = with_env(call, |env| match env.query("").evaluate(&text) {
        Ok(value) => Ok(json!({
            "qText": if value.is_null() { "-".to_owned() } else { value.to_text() },
            "qIsNumeric": value.as_num().is_some(),
            "qNumber": num(value.as_num().unwrap_or(f64::NAN)),
        })),
        Err(CalcError::Stop(stop)) => Err(stop.into()),
        Err(error) => Ok(json!({
            "qText": format!("Error: {error}"), "qIsNumeric": false, "qNumber": "NaN",
        })),
    })?;
    call.put("qValue", value);
    Ok(())
}

pub(crate) fn expand(call: &mut Call<'_>) -> Done {
    let text = call.args.text(0)?;
    let expanded = with_env(call, |env| match env.query("").expand(&text) {
        Ok(text) => Ok(text),
        Err(CalcError::Stop(stop)) => Err(stop.into()),
        Err(_) => Ok(text.clone()),
    })?;
    call.put("qExpandedExpression", expanded);
    Ok(())
}

pub(crate) fn check_expression(call: &mut Call<'_>) -> Done {
    let text = call.args.text(0)?;
    let (message, bad) = check(call, &text)?;
    call.put("qErrorMsg", message);
    call.put("qBadFieldNames", bad);
    call.put("qDangerousFieldNames", json!([]));
    Ok(())
}

pub(crate) fn check_number_or_expression(call: &mut Call<'_>) -> Done {
    let text = call.args.text(0)?;
    let (message, bad) = if text.trim().parse::<f64>().is_ok() {
        (String::new(), json!([]))
    } else {
        check(call, &text)?
    };
    call.put("qErrorMsg", message);
    call.put("qBadFieldNames", bad);
    Ok(())
}

/// The first mistake, and where unknown fields stand in the text.
fn check(call: &mut Call<'_>, text: &str) -> Result<(String, serde_json::Value), RpcError> {
    with_env(call, |env| match env.query("").check(text) {
        Ok(()) => Ok((String::new(), json!([]))),
        Err(CalcError::Stop(stop)) => Err(stop.into()),
        Err(CalcError::Expression(all)) => {
            let fields: Vec<_> = all
                .iter()
                .filter(|d| d.code.ends_with("unknown_field"))
                .map(|d| json!({"qFrom": d.span.start, "qCount": d.span.end - d.span.start}))
                .collect();
            let other = all
                .iter()
                .find(|d| d.is_error() && !d.code.ends_with("unknown_field"))
                .map(|d| d.message.clone());
            Ok((other.unwrap_or_default(), json!(fields)))
        }
        Err(error) => Ok((error.to_string(), json!([]))),
    })
}
