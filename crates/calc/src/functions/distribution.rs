//! Statistical distributions: densities, shares and their inverses.
//!
//! `Dist` of chi-square and F is the share above the value, of the others the share at or
//! below it; `Inv` undoes it. Parameters are limited to 1e7, so that every result takes a
//! bounded time.

use std::f64::consts;

use satchel_data::Value;
use statrs::function::beta::checked_beta_reg;
use statrs::function::gamma::{checked_gamma_lr, checked_gamma_ur, ln_gamma};

use super::{Function, function, num, num_or};
use crate::eval::EvalContext;
use crate::statistics::{bisect, normal_below};

/// The largest parameter: special functions sum as many terms as its square root.
const MOST: f64 = 1e7;

/// A function of numbers, all needed.
macro_rules! of_numbers {
    ($signature:literal, $doc:literal, $example:expr, $n:literal, $f:expr) => {
        function($signature, $doc, $example, |args, context| {
            let f: fn([f64; $n]) -> f64 = $f;
            let mut numbers = [0.0; $n];
            for (i, number) in numbers.iter_mut().enumerate() {
                match num(args, i, context) {
                    Some(n) => *number = n,
                    None => return Value::Null,
                }
            }
            Value::num(f(numbers))
        })
    };
}

pub(super) const FUNCTIONS: &[Function] = &[
    of_numbers!(
        "BetaDensity(value, alpha, beta)",
        "The density of the beta distribution.",
        ("BetaDensity(0.5, 2, 3)", "1.5"),
        3,
        |[x, a, b]| beta_density(x, a, b)
    ),
    of_numbers!(
        "BetaDist(value, alpha, beta)",
        "The share of the beta distribution at or below a value.",
        ("BetaDist(0.5, 2, 3)", "0.6875"),
        3,
        |[x, a, b]| beta_below(x, a, b)
    ),
    of_numbers!(
        "BetaInv(share, alpha, beta)",
        "The value below which a share of the beta distribution lies.",
        ("BetaInv(0.6875, 2, 3)", "0.5"),
        3,
        |[p, a, b]| inverse(p, |x| beta_below(x, a, b), 0.0, 1.0)
    ),
    of_numbers!(
        "BinomDist(value, n_trials, chance)",
        "The chance of at most so many successes.",
        ("BinomDist(3, 10, 0.5)", "0.171875"),
        3,
        |[k, n, p]| binomial_below(k.floor(), n.floor(), p)
    ),
    of_numbers!(
        "BinomFrequency(value, n_trials, chance)",
        "The chance of exactly so many successes.",
        ("BinomFrequency(3, 10, 0.5)", "0.1171875"),
        3,
        |[k, n, p]| binomial(k.floor(), n.floor(), p)
    ),
    of_numbers!(
        "BinomInv(share, n_trials, chance)",
        "The least number of successes whose chance to be at most reached is a share or more.",
        ("BinomInv(0.171875, 10, 0.5)", "3"),
        3,
        |[share, n, p]| {
            let n = n.floor();
            if valid_chance(p) && (0.0..=MOST).contains(&n) {
                least_whole(share, n, |k| binomial_below(k, n, p))
            } else {
                f64::NAN
            }
        }
    ),
    of_numbers!(
        "ChiDensity(value, degrees_of_freedom)",
        "The density of the chi-square distribution.",
        ("ChiDensity(8, 15)", "0.040091214035321"),
        2,
        |[x, df]| gamma_density(x, df.floor() / 2.0, 2.0)
    ),
    of_numbers!(
        "ChiDist(value, degrees_of_freedom)",
        "The share of the chi-square distribution above a value.",
        ("ChiDist(8, 15)", "0.92378270331547"),
        2,
        |[x, df]| gamma_above(x, df.floor() / 2.0, 2.0)
    ),
    of_numbers!(
        "ChiInv(share, degrees_of_freedom)",
        "The value above which a share of the chi-square distribution lies.",
        ("ChiInv(0.5, 2)", "1.3862943611199"),
        2,
        |[p, df]| {
            let half = df.floor() / 2.0;
            inverse_above(
                p,
                |x| gamma_above(x, half, 2.0),
                |x| gamma_below(x, half, 2.0),
            )
        }
    ),
    of_numbers!(
        "FDensity(value, degrees_of_freedom_1, degrees_of_freedom_2)",
        "The density of the F distribution.",
        ("FDensity(1, 2, 2)", "0.25"),
        3,
        |[x, a, b]| f_density(x, a.floor(), b.floor())
    ),
    of_numbers!(
        "FDist(value, degrees_of_freedom_1, degrees_of_freedom_2)",
        "The share of the F distribution above a value.",
        ("FDist(15, 8, 6)", "0.0019369069985105"),
        3,
        |[x, a, b]| f_above(x, a.floor(), b.floor())
    ),
    of_numbers!(
        "FInv(share, degrees_of_freedom_1, degrees_of_freedom_2)",
        "The value above which a share of the F distribution lies.",
        ("FInv(0.5, 2, 2)", "1"),
        3,
        |[p, a, b]| {
            let (a, b) = (a.floor(), b.floor());
            inverse_above(p, |x| f_above(x, a, b), |x| f_below(x, a, b))
        }
    ),
    of_numbers!(
        "GammaDensity(value, shape, scale)",
        "The density of the gamma distribution.",
        ("GammaDensity(1, 1, 1)", "0.36787944117144"),
        3,
        |[x, k, theta]| gamma_density(x, k, theta)
    ),
    of_numbers!(
        "GammaDist(value, shape, scale)",
        "The share of the gamma distribution at or below a value.",
        ("GammaDist(1, 1, 1)", "0.63212055882856"),
        3,
        |[x, k, theta]| gamma_below(x, k, theta)
    ),
    of_numbers!(
        "GammaInv(share, shape, scale)",
        "The value below which a share of the gamma distribution lies.",
        ("GammaInv(0.5, 1, 2)", "1.3862943611199"),
        3,
        |[p, k, theta]| inverse(p, |x| gamma_below(x, k, theta), 0.0, f64::INFINITY)
    ),
    function(
        "NormDist(value [, mean [, standard_deviation [, cumulative]]])",
        "The share of the normal distribution at or below a value, or its density if not cumulative.",
        ("NormDist(0.5, 0, 1)", "0.69146246127401"),
        |args, context| {
            let (Some(x), Some((mean, deviation)), Some(cumulative)) = (
                num(args, 0, context),
                normal(args, context),
                num_or(args, 3, context, 1.0),
            ) else {
                return Value::Null;
            };
            let z = (x - mean) / deviation;
            Value::num(if cumulative == 0.0 {
                (-z * z / 2.0).exp() / (deviation * (2.0 * consts::PI).sqrt())
            } else {
                normal_below(z)
            })
        },
    ),
    function(
        "NormInv(share [, mean [, standard_deviation]])",
        "The value below which a share of the normal distribution lies.",
        ("NormInv(0.5, 10, 2)", "10"),
        |args, context| match (num(args, 0, context), normal(args, context)) {
            (Some(p), Some((mean, deviation))) => Value::num(mean + deviation * normal_inverse(p)),
            _ => Value::Null,
        },
    ),
    of_numbers!(
        "PoissonDist(value, mean)",
        "The chance of at most so many events.",
        ("PoissonDist(2, 3)", "0.42319008112685"),
        2,
        |[k, mean]| poisson_below(k.floor(), mean)
    ),
    of_numbers!(
        "PoissonFrequency(value, mean)",
        "The chance of exactly so many events.",
        ("PoissonFrequency(2, 3)", "0.22404180765539"),
        2,
        |[k, mean]| poisson(k.floor(), mean)
    ),
    of_numbers!(
        "PoissonInv(share, mean)",
        "The least number of events whose chance to be at most reached is a share or more.",
        ("PoissonInv(0.4, 3)", "2"),
        2,
        |[share, mean]| {
            if (0.0..=MOST).contains(&mean) {
                least_whole(share, mean + 60.0 * mean.sqrt() + 100.0, |k| {
                    poisson_below(k, mean)
                })
            } else {
                f64::NAN
            }
        }
    ),
    of_numbers!(
        "TDensity(value, degrees_of_freedom)",
        "The density of Student's t distribution.",
        ("TDensity(0, 1)", "0.31830988618379"),
        2,
        |[t, df]| t_density(t, df.floor())
    ),
    of_numbers!(
        "TDist(value, degrees_of_freedom, tails)",
        "The share of Student's t distribution beyond a value that is not negative, in one tail or two.",
        ("TDist(1, 30, 2)", "0.32530861542593"),
        3,
        |[t, df, tails]| {
            match tails {
                1.0 if t >= 0.0 => t_beyond(t, df.floor()) / 2.0,
                2.0 if t >= 0.0 => t_beyond(t, df.floor()),
                _ => f64::NAN,
            }
        }
    ),
    of_numbers!(
        "TInv(share, degrees_of_freedom)",
        "The value beyond which, in both tails, a share of Student's t distribution lies.",
        ("TInv(0.5, 1)", "1"),
        2,
        |[p, df]| t_inverse(p, df.floor())
    ),
];

/// Mean and standard deviation of arguments 1 and 2; 0 and 1 if left out.
fn normal(args: &[Value], context: &EvalContext<'_>) -> Option<(f64, f64)> {
    let deviation = num_or(args, 2, context, 1.0).filter(|d| *d > 0.0)?;
    Some((num_or(args, 1, context, 0.0)?, deviation))
}

/// Whether a parameter is above zero and not too large.
fn valid(parameter: f64) -> bool {
    parameter > 0.0 && parameter <= MOST
}

fn valid_chance(chance: f64) -> bool {
    (0.0..=1.0).contains(&chance)
}

/// The place where a distribution function has the value `share`, between `low` and `high`; an
/// infinite end is first brought near by doubling, and is no result.
fn inverse(share: f64, f: impl Fn(f64) -> f64, low: f64, high: f64) -> f64 {
    let within = if high.is_finite() {
        (low + high) / 2.0
    } else {
        low + 1.0
    };
    if !valid_chance(share) || f(within).is_nan() {
        return f64::NAN;
    }
    if high.is_finite() {
        return bisect(f, share, low, high);
    }
    let rises = f(low) < 0.5;
    if share == if rises { 1.0 } else { 0.0 } {
        return f64::NAN;
    }
    let mut end = 1.0;
    while end < 1e300
        && if rises {
            f(end) < share
        } else {
            f(end) > share
        }
    {
        end *= 2.0;
    }
    bisect(f, share, low, end)
}

/// The place from 0 up where the share above it is `share`. The upper half is sought by the
/// share below, which is exact there.
fn inverse_above(share: f64, above: impl Fn(f64) -> f64, below: impl Fn(f64) -> f64) -> f64 {
    if share > 0.5 {
        inverse(1.0 - share, below, 0.0, f64::INFINITY)
    } else {
        inverse(share, above, 0.0, f64::INFINITY)
    }
}

/// The least whole number from 0 to `most` with `f` at or above `share`.
fn least_whole(share: f64, most: f64, f: impl Fn(f64) -> f64) -> f64 {
    if !valid_chance(share) {
        return f64::NAN;
    }
    let (mut low, mut high) = (0.0, most.floor());
    while low < high {
        let middle = ((low + high) / 2.0f64).floor();
        // A share computed by these functions must find its own number again.
        if f(middle) >= share * (1.0 - 1e-12) {
            high = middle;
        } else {
            low = middle + 1.0;
        }
    }
    low
}

fn beta_below(x: f64, a: f64, b: f64) -> f64 {
    if !valid(a) || !valid(b) || !(0.0..=1.0).contains(&x) {
        return f64::NAN;
    }
    checked_beta_reg(a, b, x).unwrap_or(f64::NAN)
}

fn beta_density(x: f64, a: f64, b: f64) -> f64 {
    if !valid(a) || !valid(b) || !(0.0..=1.0).contains(&x) {
        return f64::NAN;
    }
    // At the ends a power of 0 is 1, 0 or infinite; its logarithm times 0 would be no number.
    let edge = |base: f64, power: f64| if power == 0.0 { 0.0 } else { power * base.ln() };
    (edge(x, a - 1.0) + edge(1.0 - x, b - 1.0) + ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b)).exp()
}

/// The share of a gamma distribution above `x`.
fn gamma_above(x: f64, shape: f64, scale: f64) -> f64 {
    let at = x / scale;
    if !valid(shape) || !valid(scale) || !(0.0..).contains(&at) {
        return f64::NAN;
    }
    if at == 0.0 {
        return 1.0;
    }
    checked_gamma_ur(shape, at).unwrap_or(f64::NAN)
}

/// The share of a gamma distribution at or below `x`.
fn gamma_below(x: f64, shape: f64, scale: f64) -> f64 {
    let at = x / scale;
    if !valid(shape) || !valid(scale) || !(0.0..).contains(&at) {
        return f64::NAN;
    }
    if at == 0.0 {
        return 0.0;
    }
    checked_gamma_lr(shape, at).unwrap_or(f64::NAN)
}

fn gamma_density(x: f64, shape: f64, scale: f64) -> f64 {
    if !valid(shape) || !valid(scale) || !(0.0..).contains(&x) {
        return f64::NAN;
    }
    let at = x / scale;
    let power = if shape == 1.0 {
        0.0
    } else {
        (shape - 1.0) * at.ln()
    };
    (power - at - ln_gamma(shape)).exp() / scale
}

fn f_above(x: f64, a: f64, b: f64) -> f64 {
    if !(0.0..).contains(&x) || !valid(a) || !valid(b) {
        return f64::NAN;
    }
    beta_below(b / (b + a * x), b / 2.0, a / 2.0)
}

fn f_below(x: f64, a: f64, b: f64) -> f64 {
    if !(0.0..).contains(&x) || !valid(a) || !valid(b) {
        return f64::NAN;
    }
    beta_below(a * x / (b + a * x), a / 2.0, b / 2.0)
}

fn f_density(x: f64, a: f64, b: f64) -> f64 {
    if !(0.0..).contains(&x) || !valid(a) || !valid(b) {
        return f64::NAN;
    }
    let power = if a == 2.0 {
        0.0
    } else {
        (a / 2.0 - 1.0) * x.ln()
    };
    let (half_a, half_b) = (a / 2.0, b / 2.0);
    (half_a * (a / b).ln() + power - (half_a + half_b) * (a * x / b).ln_1p()
        + ln_gamma(half_a + half_b)
        - ln_gamma(half_a)
        - ln_gamma(half_b))
    .exp()
}

/// The share of Student's t distribution beyond `t`, both tails together.
pub(crate) fn t_beyond(t: f64, freedom: f64) -> f64 {
    if !valid(freedom) || !t.is_finite() {
        return f64::NAN;
    }
    beta_below(freedom / (freedom + t * t), freedom / 2.0, 0.5)
}

fn t_density(t: f64, freedom: f64) -> f64 {
    if !valid(freedom) {
        return f64::NAN;
    }
    (ln_gamma((freedom + 1.0) / 2.0)
        - ln_gamma(freedom / 2.0)
        - (freedom * consts::PI).ln() / 2.0
        - (freedom + 1.0) / 2.0 * (t * t / freedom).ln_1p())
    .exp()
}

/// The value beyond which, in both tails, a share of Student's t distribution lies.
pub(crate) fn t_inverse(share: f64, freedom: f64) -> f64 {
    if !valid(freedom) || share <= 0.0 {
        return f64::NAN;
    }
    inverse_above(
        share,
        |t| t_beyond(t, freedom),
        |t| beta_below(t * t / (freedom + t * t), 0.5, freedom / 2.0),
    )
}

/// The value below which a share of the standard normal distribution lies.
pub(crate) fn normal_inverse(share: f64) -> f64 {
    if !(share > 0.0 && share < 1.0) {
        return f64::NAN;
    }
    // The lower half is exact in its tail; the upper one mirrors it.
    if share == 0.5 {
        0.0
    } else if share > 0.5 {
        -bisect(normal_below, 1.0 - share, -40.0, 0.0)
    } else {
        bisect(normal_below, share, -40.0, 0.0)
    }
}

/// The share of a chi-square distribution above `x`.
pub(crate) fn chi_above(x: f64, freedom: f64) -> f64 {
    gamma_above(x, freedom / 2.0, 2.0)
}

fn binomial(k: f64, n: f64, p: f64) -> f64 {
    if !valid_chance(p) || !(0.0..=MOST).contains(&n) || !(0.0..=n).contains(&k) {
        return f64::NAN;
    }
    let power = |base: f64, times: f64| if times == 0.0 { 0.0 } else { times * base.ln() };
    let ways = ln_gamma(n + 1.0) - ln_gamma(k + 1.0) - ln_gamma(n - k + 1.0);
    (ways + power(p, k) + power(1.0 - p, n - k)).exp()
}

fn binomial_below(k: f64, n: f64, p: f64) -> f64 {
    if !valid_chance(p) || !(0.0..=MOST).contains(&n) || !(0.0..=n).contains(&k) {
        return f64::NAN;
    }
    if k == n {
        return 1.0;
    }
    beta_below(1.0 - p, n - k, k + 1.0)
}

fn poisson(k: f64, mean: f64) -> f64 {
    if !(0.0..=MOST).contains(&mean) || !(0.0..=MOST).contains(&k) {
        return f64::NAN;
    }
    let power = if k == 0.0 { 0.0 } else { k * mean.ln() };
    (power - mean - ln_gamma(k + 1.0)).exp()
}

fn poisson_below(k: f64, mean: f64) -> f64 {
    if !(0.0..=MOST).contains(&mean) || !(0.0..=2.0 * MOST).contains(&k) {
        return f64::NAN;
    }
    if mean == 0.0 {
        return 1.0;
    }
    checked_gamma_ur(k + 1.0, mean).unwrap_or(f64::NAN)
}
