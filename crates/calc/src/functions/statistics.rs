//! Statistics of a list of numbers, shared by aggregations and range functions.

use satchel_data::Value;

/// The number below which `share` (0 to 1) of the numbers lies, interpolated; NULL of none.
pub(crate) fn fractile(mut numbers: Vec<f64>, share: f64) -> Value {
    if numbers.is_empty() || !(0.0..=1.0).contains(&share) {
        return Value::Null;
    }
    numbers.sort_by(f64::total_cmp);
    let place = share * (numbers.len() - 1) as f64;
    let (low, part) = (place.floor() as usize, place.fract());
    let high = (low + 1).min(numbers.len() - 1);
    Value::num(numbers[low] + (numbers[high] - numbers[low]) * part)
}

/// Sample standard deviation; NULL of fewer than two numbers.
pub(crate) fn sample_stdev(numbers: &[f64]) -> Value {
    if numbers.len() < 2 {
        return Value::Null;
    }
    let n = numbers.len() as f64;
    let mean = numbers.iter().sum::<f64>() / n;
    let squares: f64 = numbers.iter().map(|x| (x - mean).powi(2)).sum();
    Value::num((squares / (n - 1.0)).sqrt())
}
