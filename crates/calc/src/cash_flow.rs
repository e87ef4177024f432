//! Payments over time: present values and the rates that make them nothing.

/// Days of a year for discounting by dates.
const YEAR: f64 = 365.0;

/// The present value of payments at the end of each period, each with its own discount rate.
pub(crate) fn present_value(payments: impl Iterator<Item = (f64, f64)>) -> f64 {
    let terms = payments.zip(1i32..);
    terms
        .map(|((rate, payment), i)| payment / (1.0 + rate).powi(i))
        .sum()
}

/// The present value, at the first date, of payments on dates: `(rate, payment, day)`.
pub(crate) fn present_value_by_dates(payments: &[(f64, f64, f64)]) -> f64 {
    let Some((_, _, first)) = payments.first() else {
        return f64::NAN;
    };
    payments
        .iter()
        .map(|(rate, payment, day)| payment / (1.0 + rate).powf((day - first) / YEAR))
        .sum()
}

/// The rate a period at which payments are worth nothing; NaN if there is none.
pub(crate) fn internal_rate(payments: &[f64]) -> f64 {
    if !signs_differ(payments.iter().copied()) {
        return f64::NAN;
    }
    root(&|rate| {
        // Horner's scheme, from the last payment.
        payments
            .iter()
            .rev()
            .fold(0.0, |value, payment| value / (1.0 + rate) + payment)
    })
}

/// The rate a year at which payments on dates `(payment, day)` are worth nothing.
pub(crate) fn internal_rate_by_dates(payments: &[(f64, f64)]) -> f64 {
    let Some((_, first)) = payments.first() else {
        return f64::NAN;
    };
    if !signs_differ(payments.iter().map(|p| p.0)) {
        return f64::NAN;
    }
    root(&|rate| {
        let worth = |(payment, day): &(f64, f64)| payment / (1.0 + rate).powf((day - first) / YEAR);
        payments.iter().map(worth).sum()
    })
}

fn signs_differ(payments: impl Iterator<Item = f64> + Clone) -> bool {
    payments.clone().any(|p| p > 0.0) && payments.into_iter().any(|p| p < 0.0)
}

/// The root of a function of a rate above -1 that is nearest to 10 %; NaN if none is found.
///
/// The rates looked at lie evenly in the logarithm of `1 + rate`, from -99.99 % to a
/// millionfold; between two of them where the sign changes the root is found by halving.
pub(crate) fn root(f: &dyn Fn(f64) -> f64) -> f64 {
    const STEPS: i32 = 40;
    let factor = |step: f64| 1.1 * (10f64).powf(step / f64::from(STEPS));
    let sign_at = |step: i32| f(factor(f64::from(step)) - 1.0);
    let (mut below, mut above) = (sign_at(0), sign_at(0));
    if below == 0.0 {
        return factor(0.0) - 1.0;
    }
    for step in 1..=6 * STEPS {
        let up = sign_at(step);
        if above * up <= 0.0 {
            return halve(
                f,
                factor(f64::from(step - 1)) - 1.0,
                factor(f64::from(step)) - 1.0,
            );
        }
        above = up;
        if step > 4 * STEPS {
            continue;
        }
        let down = sign_at(-step);
        if below * down <= 0.0 {
            return halve(
                f,
                factor(f64::from(-step)) - 1.0,
                factor(f64::from(1 - step)) - 1.0,
            );
        }
        below = down;
    }
    f64::NAN
}

/// The root between two rates with different signs.
fn halve(f: &dyn Fn(f64) -> f64, mut low: f64, mut high: f64) -> f64 {
    let low_sign = f(low);
    if low_sign == 0.0 {
        return low;
    }
    for _ in 0..200 {
        let middle = low + (high - low) / 2.0;
        if middle <= low || middle >= high {
            break;
        }
        let value = f(middle);
        if value == 0.0 {
            (low, high) = (middle, middle);
            break;
        }
        if (value > 0.0) == (low_sign > 0.0) {
            low = middle;
        } else {
            high = middle;
        }
    }
    let rate = low + (high - low) / 2.0;
    // `1 + rate` has no more digits than that.
    if rate.abs() < f64::EPSILON { 0.0 } else { rate }
}
