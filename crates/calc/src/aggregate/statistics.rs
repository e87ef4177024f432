//! Statistical aggregations. Values that are no numbers do not take part, nor pairs with one.

use satchel_data::Value;

use super::{AggKind, Aggregation, Rows, kind, whole};
use crate::statistics::{
    Line, correlation, fractile_exclusive, kurtosis, skewness, standard_error,
};

pub(super) const AGGREGATIONS: &[Aggregation] = &[
    kind(
        AggKind::Median,
        "Median(expression)",
        "The middle number, or the mean of the two in the middle.",
        ("Median(X)", "3"),
    ),
    kind(
        AggKind::Fractile,
        "Fractile(expression, share)",
        "The number below which a share of the numbers lies, the least and the greatest included.",
        ("Fractile(X, 0.25)", "2"),
    ),
    kind(
        AggKind::Stdev,
        "Stdev(expression)",
        "The sample standard deviation.",
        ("Stdev(X)", "1.9235384061671"),
    ),
    whole(
        "FractileExc(expression, share)",
        "The number below which a share of the numbers lies, the least and the greatest excluded.",
        ("FractileExc(X, 0.25)", "1.5"),
        |rows| {
            Value::num(fractile_exclusive(
                rows.numbers(0),
                rows.constant(1).unwrap_or(f64::NAN),
            ))
        },
    ),
    whole(
        "Sterr(expression)",
        "The standard error of the mean.",
        ("Sterr(X)", "0.86023252670426"),
        |rows| Value::num(standard_error(&rows.numbers(0))),
    ),
    whole(
        "Skew(expression)",
        "The skewness of the sample.",
        ("Skew(X)", "0.59012865638436"),
        |rows| Value::num(skewness(&rows.numbers(0))),
    ),
    whole(
        "Kurtosis(expression)",
        "The excess kurtosis of the sample.",
        ("Kurtosis(X)", "-0.021913805697594"),
        |rows| Value::num(kurtosis(&rows.numbers(0))),
    ),
    whole(
        "Correl(x, y)",
        "The correlation coefficient of pairs.",
        ("Correl(X, Y)", "0.78972423163814"),
        |rows| Value::num(correlation(&rows.pairs(0, 1))),
    ),
    whole(
        "STEYX(y, x)",
        "The standard error of a y estimated by linear regression.",
        ("STEYX(Y, X)", "1.4688967484672"),
        |rows| line(rows, Line::error_of_y),
    ),
    whole(
        "LinEst_M(y, x [, y0 [, x0]])",
        "The slope of the line, of a linear regression that may be made to pass a point.",
        ("LinEst_M(Y, X)", "0.85135135135135"),
        |rows| line(rows, |line| line.slope),
    ),
    whole(
        "LinEst_B(y, x [, y0 [, x0]])",
        "Where the line crosses the axis, of a linear regression that may be made to pass a point.",
        ("LinEst_B(Y, X)", "2.6756756756757"),
        |rows| line(rows, |line| line.intercept),
    ),
    whole(
        "LinEst_DF(y, x [, y0 [, x0]])",
        "The degrees of freedom, of a linear regression that may be made to pass a point.",
        ("LinEst_DF(Y, X)", "3"),
        |rows| line(rows, |line| line.freedom),
    ),
    whole(
        "LinEst_F(y, x [, y0 [, x0]])",
        "The F statistic, of a linear regression that may be made to pass a point.",
        ("LinEst_F(Y, X)", "4.9716075156576"),
        |rows| line(rows, |line| line.f_statistic()),
    ),
    whole(
        "LinEst_R2(y, x [, y0 [, x0]])",
        "The share of the squares that the line explains, of a linear regression that may be made to pass a point.",
        ("LinEst_R2(Y, X)", "0.62366436203646"),
        |rows| line(rows, |line| line.determination()),
    ),
    whole(
        "LinEst_SEB(y, x [, y0 [, x0]])",
        "The standard error of where the line crosses the axis, of a linear regression that may be made to pass a point.",
        ("LinEst_SEB(Y, X)", "1.3872265028983"),
        |rows| line(rows, |line| line.error_of_intercept()),
    ),
    whole(
        "LinEst_SEM(y, x [, y0 [, x0]])",
        "The standard error of the slope, of a linear regression that may be made to pass a point.",
        ("LinEst_SEM(Y, X)", "0.38182152842848"),
        |rows| line(rows, |line| line.error_of_slope()),
    ),
    whole(
        "LinEst_SEY(y, x [, y0 [, x0]])",
        "The standard error of an estimated y, of a linear regression that may be made to pass a point.",
        ("LinEst_SEY(Y, X)", "1.4688967484672"),
        |rows| line(rows, |line| line.error_of_y()),
    ),
    whole(
        "LinEst_SSREG(y, x [, y0 [, x0]])",
        "The sum of squares that the line explains, of a linear regression that may be made to pass a point.",
        ("LinEst_SSREG(Y, X)", "10.727027027027"),
        |rows| line(rows, |line| line.explained),
    ),
    whole(
        "LinEst_SSRESID(y, x [, y0 [, x0]])",
        "The sum of squares that the line leaves, of a linear regression that may be made to pass a point.",
        ("LinEst_SSRESID(Y, X)", "6.472972972973"),
        |rows| line(rows, |line| line.residual),
    ),
];

/// A number of the line through pairs of y and x; with arguments 2 and 3 it passes that point,
/// whose x is 0 if not given.
fn line(rows: &Rows<'_>, part: fn(Line) -> f64) -> Value {
    let through = rows
        .constant(2)
        .map(|height| (height, rows.constant(3).unwrap_or(0.0)));
    Line::fit(&rows.pairs(0, 1), through).map_or(Value::Null, |line| Value::num(part(line)))
}
