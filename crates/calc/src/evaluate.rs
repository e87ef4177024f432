//! Expressions that are values: `Evaluate` of the load script.

use satchel_data::Value;
use satchel_syntax::{Diagnostic, parse_expression};

use crate::compile::{Mode, Scope, compile};
use crate::eval::{EvalContext, NoRow, eval};

/// The longest text that is evaluated, so that a row takes a bounded time.
const MAX_TEXT: usize = 64 << 10;

/// No fields, and no functions but those of the library.
struct Nothing;

impl Scope for Nothing {
    fn field(&self, _name: &str) -> Option<u32> {
        None
    }
}

/// The value of a text as an expression; NULL if it is none. It sees neither fields nor the
/// state of a script, and cannot evaluate again.
pub fn evaluate_text(text: &str, context: &EvalContext<'_>) -> Value {
    if text.len() > MAX_TEXT {
        return Value::Null;
    }
    let (tree, problems) = parse_expression(text);
    if problems.iter().any(Diagnostic::is_error) {
        return Value::Null;
    }
    let (program, problems) = compile(&tree, Mode::Row, &Nothing);
    if problems.iter().any(Diagnostic::is_error) {
        return Value::Null;
    }
    let context = EvalContext {
        host: None,
        ..*context
    };
    eval(&program, &NoRow, &context)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::locale::Locale;

    #[test]
    fn texts_are_evaluated_once() {
        let locale = Locale::default();
        let context = EvalContext::new(&locale, 45_000.0);
        for (text, want) in [
            ("5*8", "40"),
            ("Left('abc',2)", "ab"),
            ("abc", ""),
            ("5*", ""),
            ("", ""),
            ("Evaluate('1')", ""),
            ("RecNo()", ""),
        ] {
            assert_eq!(evaluate_text(text, &context).to_text(), want, "{text}");
        }
    }
}
