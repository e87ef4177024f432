use expect_test::{Expect, expect};
use satchel_syntax::{
    Element, ElementKind, ElementSet, ElementSetKind, Expr, ExprKind, SetExpr, SetExprKind,
    SetIdentifier, parse_expression,
};

/// The tree in prefix form.
fn show(expr: &Expr) -> String {
    match &expr.kind {
        ExprKind::Error => "?".into(),
        ExprKind::Number(n) => n.to_string(),
        ExprKind::Text(t) => format!("'{t}'"),
        ExprKind::Field(f) => format!("[{f}]"),
        ExprKind::Star => "*".into(),
        ExprKind::Unary { op, operand } => format!("({op:?} {})", show(operand)),
        ExprKind::Binary {
            op, left, right, ..
        } => format!("({op:?} {} {})", show(left), show(right)),
        ExprKind::Sorted { expr, by } => {
            let by: Vec<_> = by.iter().map(|n| n.text.as_str()).collect();
            format!("({}, ({}))", show(expr), by.join(", "))
        }
        ExprKind::WithSet { set, expr } => format!("{{{}}} {}", show_set(set), show(expr)),
        ExprKind::Call(call) => {
            let mut parts = Vec::new();
            if let Some(set) = &call.set {
                parts.push(format!("{{{}}}", show_set(set)));
            }
            if let Some(total) = &call.total {
                let names: Vec<_> = total.iter().map(|n| n.text.as_str()).collect();
                parts.push(format!("TOTAL<{}>", names.join(",")));
            }
            if call.distinct {
                parts.push("DISTINCT".into());
            }
            let args: Vec<_> = call.args.iter().map(show).collect();
            parts.push(args.join(", "));
            format!("{}({})", call.name, parts.join(" "))
        }
    }
}

fn show_set(set: &SetExpr) -> String {
    match &set.kind {
        SetExprKind::Operation { op, left, right } => {
            format!("({op:?} {} {})", show_set(left), show_set(right))
        }
        SetExprKind::Entity {
            identifier,
            modifiers,
        } => {
            let mut out = match identifier {
                SetIdentifier::Inherited => String::new(),
                SetIdentifier::Current => "$".to_owned(),
                SetIdentifier::All => "1".to_owned(),
                other => format!("{other:?}"),
            };
            for m in modifiers {
                out += &format!("<{}", m.field.text);
                if let Some(op) = m.op {
                    out += &format!(" {op:?}");
                }
                match &m.elements {
                    Some(e) => out += &format!(" = {}>", show_elements(e)),
                    None => out += " cleared>",
                }
            }
            out
        }
    }
}

fn show_elements(set: &ElementSet) -> String {
    match &set.kind {
        ElementSetKind::List(list) => {
            let list: Vec<_> = list.iter().map(show_element).collect();
            format!("{{{}}}", list.join(" "))
        }
        ElementSetKind::Field { state, field } => match state {
            Some(state) => format!("{state:?}::{}", field.text),
            None => field.text.clone(),
        },
        ElementSetKind::Function {
            function,
            set,
            field,
        } => format!(
            "{function:?}({} {})",
            set.as_ref().map(|s| show_set(s)).unwrap_or_default(),
            field.as_ref().map(|f| f.text.clone()).unwrap_or_default()
        ),
        ElementSetKind::Complement(inner) => format!("-{}", show_elements(inner)),
        ElementSetKind::Operation { op, left, right } => {
            format!("({op:?} {} {})", show_elements(left), show_elements(right))
        }
    }
}

fn show_element(element: &Element) -> String {
    match &element.kind {
        ElementKind::Literal(t) => format!("literal:{t}"),
        ElementKind::Bare(t) => format!("bare:{t}"),
        ElementKind::Search(t) => format!("search:{t}"),
    }
}

#[track_caller]
fn check(text: &str, want: &str) {
    let (expr, diagnostics) = parse_expression(text);
    assert_eq!(diagnostics, [], "{text}");
    assert_eq!(show(&expr), want, "{text}");
}

#[track_caller]
fn check_error(text: &str, want: Expect) {
    let (_, diagnostics) = parse_expression(text);
    let shown: Vec<_> = diagnostics.iter().map(|d| d.render("e", text)).collect();
    want.assert_eq(&(shown.join("\n") + "\n"));
}

#[test]
fn operators_bind_as_documented() {
    check("1+2*3", "(Add 1 (Mul 2 3))");
    check("=a & b + 1", "(Concat [a] (Add [b] 1))");
    check(
        "not a = b and c or d",
        "(Or (And (Not (Eq [a] [b])) [c]) [d])",
    );
    check("-2^2", "(Minus (Pow 2 2))");
    check("a - -1", "(Sub [a] -1)");
    check("1-2-3", "(Sub (Sub 1 2) 3)");
    check("a like 'x*' xor b <> 2", "(Xor (Like [a] 'x*') (Ne [b] 2))");
    check("a bitand 1 = 1", "(Eq (BitAnd [a] 1) 1)");
    check("(1+2)*[Order Date]", "(Mul (Add 1 2) [Order Date])");
}

#[test]
fn names_and_texts_unquote() {
    check(
        "\"a b\" & `c d` & 'it''s'",
        "(Concat (Concat [a b] [c d]) 'it's')",
    );
    check("@1 & @2:7 & %Key", "(Concat (Concat [@1] [@2:7]) [%Key])");
    check("Date#(x, 'YYYY') // c", "Date#([x], 'YYYY')");
}

#[test]
fn calls_take_qualifiers_in_any_order() {
    check("Count(*)", "Count(*)");
    check("Count(DISTINCT x)", "Count(DISTINCT [x])");
    check("Sum(TOTAL <A, [B c]> x)", "Sum(TOTAL<A,B c> [x])");
    check(
        "Sum(TOTAL x)/Sum(total)",
        "(Div Sum(TOTAL<> [x]) Sum([total]))",
    );
    check("Sum(Total * 2)", "Sum((Mul [Total] 2))");
    check("Sum(ALL x)", "Sum({1} TOTAL<> [x])");
    check("Now()", "Now()");
    check(
        "if(a, , 1)".replace(", ,", ", 2,").as_str(),
        "if([a], 2, 1)",
    );
}

#[test]
fn sets_parse() {
    check("Sum({1} x)", "Sum({1} [x])");
    check("Sum({$} x)", "Sum({$} [x])");
    check(
        "Sum({<A={1, 'b', \"c*\", [>5], >=3, x y}>} x)",
        "Sum({<A = {bare:1 literal:b search:c* search:>5 search:>=3 bare:x y}>} [x])",
    );
    check(
        "Sum({$<A=, B, [C d]+={1}, E-={}, F*=P(G), H/=E({1<I={2}>} J)>} x)",
        "Sum({$<A cleared><B cleared><C d Union = {bare:1}><E Difference = {}>\
         <F Intersection = Possible( G)><H SymmetricDifference = Excluded(1<I = {bare:2}> J)>} [x])",
    );
    check(
        "Sum({$*1-S2<A={1}> + (1/$1)} x)",
        "Sum({(Union (Difference (Intersection $ 1) Named(\"S2\")<A = {bare:1}>) (SymmetricDifference 1 Back(1)))} [x])",
    );
    check(
        "Sum({<A = {1} + -{2} - B, C = $::D>} x)",
        "Sum({<A = (Difference (Union {bare:1} -{bare:2}) B)><C = Some(Current)::D>} [x])"
            .replace("Some(Current)", "Current")
            .as_str(),
    );
    check(
        "({<A={1}>} Sum(x)) - Sum(y)",
        "(Sub {<A = {bare:1}>} Sum([x]) Sum([y]))",
    );
    check(
        "Sum(Aggr(Sum(x), A, (B, (NUMERIC, DESCENDING))))",
        "Sum(Aggr(Sum([x]), [A], ([B], (NUMERIC, DESCENDING))))",
    );
    check("Sum((A), (B))", "Sum([A], [B])");
    check(
        "{<A={1}>} Sum(x)/Sum(y)",
        "{<A = {bare:1}>} (Div Sum([x]) Sum([y]))",
    );
}

#[test]
fn broken_expressions_say_where_and_what_to_do() {
    check_error(
        "Sum(A + )",
        expect![[r#"
        error[expr.unexpected_token]: expected an expression, found `)`
         --> e:1:9
          |
        1 | Sum(A + )
          |         ^
          = hint: put a field, a number, a 'text' or a function here
    "#]],
    );
    check_error(
        "Sum(A",
        expect![[r#"
        error[expr.unclosed_parenthesis]: this `(` is never closed
         --> e:1:4
          |
        1 | Sum(A
          |    ^
          = hint: add a `)`, or an operator or comma between two expressions
    "#]],
    );
    check_error(
        "A B",
        expect![[r#"
        error[expr.unexpected_token]: the expression ends before `B`
         --> e:1:3
          |
        1 | A B
          |   ^
          = hint: is an operator or a comma missing before it?
    "#]],
    );
    check_error(
        "[A",
        expect![[r#"
        error[syntax.unclosed_quote]: `[` is never closed
         --> e:1:1
          |
        1 | [A
          | ^
          = hint: put a `]` where the name or text ends
    "#]],
    );
    check_error(
        "Sum({<A=}>} B)",
        expect![[r#"
        error[expr.bad_set]: expected values, found `}`
         --> e:1:9
          |
        1 | Sum({<A=}>} B)
          |         ^
          = hint: write {value, 'text', "search*"}, P(), E() or another field
        error[expr.unexpected_token]: expected an expression, found `>`
         --> e:1:10
          |
        1 | Sum({<A=}>} B)
          |          ^
          = hint: put a field, a number, a 'text' or a function here
        error[expr.unexpected_token]: expected an expression, found `}`
         --> e:1:11
          |
        1 | Sum({<A=}>} B)
          |           ^
          = hint: put a field, a number, a 'text' or a function here
    "#]],
    );
}

#[test]
fn hostile_nesting_is_refused() {
    for text in [
        "(".repeat(100_000),
        "-".repeat(100_000),
        format!("1{}", "+1".repeat(100_000)),
        format!("Sum({{{}", "(".repeat(100_000)),
        format!("Sum({{<A={}", "-".repeat(100_000)),
        format!("Sum({{1{}}} x)", "+1".repeat(100_000)),
        "f(".repeat(100_000),
        "{<A=P(".repeat(50_000),
    ] {
        let (_, diagnostics) = parse_expression(&text);
        assert!(diagnostics.iter().any(|d| d.is_error()));
    }
}
