//! How each function is written, for hints; and the functions that exist elsewhere only.

/// Signatures as documented: `[…]` may be left out, `…` repeats what stands before it.
const SIGNATURES: &[&str] = &[
    // Aggregations.
    "Sum(expression)",
    "Count(expression)",
    "Min(expression [, rank])",
    "Max(expression [, rank])",
    "Avg(expression)",
    "Only(expression)",
    "Concat(text [, delimiter [, sort_weight]])",
    "MinString(expression)",
    "MaxString(expression)",
    "Mode(expression)",
    "NullCount(expression)",
    "NumericCount(expression)",
    "TextCount(expression)",
    "MissingCount(expression)",
    "Median(expression)",
    "Fractile(expression, share)",
    "Stdev(expression)",
    "FirstSortedValue(value, sort_weight [, rank])",
    "FirstValue(expression)",
    "LastValue(expression)",
    // Colours.
    "RGB(red, green, blue)",
    "ARGB(alpha, red, green, blue)",
    "ColorMix1(share, color_zero, color_one)",
    // Conditions, NULL, logic.
    "If(condition, then [, else])",
    "Alt(expression [, …])",
    "Coalesce(expression [, …])",
    "Class(number, width [, label [, offset]])",
    "Match(text, candidate [, …])",
    "MixMatch(text, candidate [, …])",
    "WildMatch(text, pattern [, …])",
    "Pick(n, expression [, …])",
    "IsNull(expression)",
    "NullIf(expression, value)",
    "EmptyIsNull(expression)",
    "IsNum(expression)",
    "IsText(expression)",
    // Dates and times.
    "Year(date)",
    "Month(date)",
    "Day(date)",
    "Hour(time)",
    "Minute(time)",
    "Second(time)",
    "WeekDay(date [, first_week_day])",
    "Week(date [, first_week_day [, broken_weeks [, reference_day]]])",
    "WeekYear(date [, first_week_day [, broken_weeks [, reference_day]]])",
    "DayNumberOfYear(date [, first_month])",
    "DayNumberOfQuarter(date [, first_month])",
    "Today([timer_mode])",
    "Now([timer_mode])",
    "MakeDate(year [, month [, day]])",
    "MakeTime(hour [, minute [, second]])",
    "MakeWeekDate(year [, week [, weekday [, first_week_day [, broken_weeks [, reference_day]]]]])",
    "AddMonths(date, n [, mode])",
    "AddYears(date, n)",
    "DayStart(time [, period [, day_start]])",
    "DayEnd(time [, period [, day_start]])",
    "DayName(time [, period [, day_start]])",
    "Age(time, date_of_birth)",
    "NetWorkDays(first_date, last_date [, holiday, …])",
    "FirstWorkDate(last_date, n_workdays [, holiday, …])",
    "LastWorkDate(first_date, n_workdays [, holiday, …])",
    "SetDateYear(date, year)",
    "SetDateYearMonth(date, year, month)",
    "YearStart(date [, period [, first_month]])",
    "YearEnd(date [, period [, first_month]])",
    "YearName(date [, period [, first_month]])",
    "QuarterStart(date [, period [, first_month]])",
    "QuarterEnd(date [, period [, first_month]])",
    "QuarterName(date [, period [, first_month]])",
    "MonthStart(date [, period])",
    "MonthEnd(date [, period])",
    "MonthName(date [, period])",
    "MonthsStart(n_months, date [, period [, first_month]])",
    "MonthsEnd(n_months, date [, period [, first_month]])",
    "MonthsName(n_months, date [, period [, first_month]])",
    "WeekStart(date [, period [, first_week_day]])",
    "WeekEnd(date [, period [, first_week_day]])",
    "WeekName(date [, period [, first_week_day [, broken_weeks [, reference_day]]]])",
    "LunarWeekStart(date [, period [, first_week_day]])",
    "LunarWeekEnd(date [, period [, first_week_day]])",
    "LunarWeekName(date [, period [, first_week_day]])",
    "InYear(date, base_date, period [, first_month])",
    "InYearToDate(date, base_date, period [, first_month])",
    "InQuarter(date, base_date, period [, first_month])",
    "InQuarterToDate(date, base_date, period [, first_month])",
    "InMonth(date, base_date, period)",
    "InMonthToDate(date, base_date, period)",
    "InMonths(n_months, date, base_date, period [, first_month])",
    "InMonthsToDate(n_months, date, base_date, period [, first_month])",
    "InWeek(date, base_date, period [, first_week_day])",
    "InWeekToDate(date, base_date, period [, first_week_day])",
    "InLunarWeek(date, base_date, period [, first_week_day])",
    "InLunarWeekToDate(date, base_date, period [, first_week_day])",
    "InDay(time, base_time, period [, day_start])",
    "InDayToTime(time, base_time, period [, day_start])",
    "YearToDate(date [, year_offset [, first_month [, today]]])",
    // Formats.
    "Dual(text, number)",
    "Text(expression)",
    "Num(number [, format [, decimal_sep [, thousand_sep]]])",
    "Money(number [, format [, decimal_sep [, thousand_sep]]])",
    "Date(number [, format])",
    "Time(number [, format])",
    "Timestamp(number [, format])",
    "Interval(number [, format])",
    "Num#(text [, format [, decimal_sep [, thousand_sep]]])",
    "Money#(text [, format [, decimal_sep [, thousand_sep]]])",
    "Date#(text [, format])",
    "Time#(text [, format])",
    "Timestamp#(text [, format])",
    "Interval#(text [, format])",
    // Numbers.
    "FAbs(x)",
    "Sign(x)",
    "Sqrt(x)",
    "Sqr(x)",
    "Exp(x)",
    "Log(x)",
    "Log10(x)",
    "Frac(x)",
    "Even(n)",
    "Odd(n)",
    "BitCount(n)",
    "Fact(n)",
    "Sin(x)",
    "Cos(x)",
    "Tan(x)",
    "ASin(x)",
    "ACos(x)",
    "ATan(x)",
    "SinH(x)",
    "CosH(x)",
    "TanH(x)",
    "ATan2(y, x)",
    "Pow(x, y)",
    "FMod(a, b)",
    "Mod(n, divisor)",
    "Div(a, b)",
    "Combin(n, k)",
    "Permut(n, k)",
    "Round(x [, step [, offset]])",
    "Floor(x [, step [, offset]])",
    "Ceil(x [, step [, offset]])",
    // Ranges.
    "RangeSum(expression [, …])",
    "RangeAvg(expression [, …])",
    "RangeMin(expression [, …])",
    "RangeMax(expression [, …])",
    "RangeCount(expression [, …])",
    "RangeOnly(expression [, …])",
    "RangeMode(expression [, …])",
    "RangeStdev(expression [, …])",
    "RangeMinString(expression [, …])",
    "RangeMaxString(expression [, …])",
    "RangeNullCount(expression [, …])",
    "RangeNumericCount(expression [, …])",
    "RangeTextCount(expression [, …])",
    "RangeMissingCount(expression [, …])",
    "RangeFractile(share, expression [, …])",
    // Texts.
    "Upper(text)",
    "Lower(text)",
    "Capitalize(text)",
    "Trim(text)",
    "LTrim(text)",
    "RTrim(text)",
    "Len(text)",
    "Left(text, n)",
    "Right(text, n)",
    "Mid(text, start [, n])",
    "Index(text, part [, nth])",
    "Replace(text, part, new_part)",
    "Repeat(text, n)",
    "PurgeChar(text, characters)",
    "KeepChar(text, characters)",
    "Chr(code)",
    "Ord(text)",
    "SubField(text, delimiter [, nth])",
    "SubStringCount(text, part)",
    "TextBetween(text, before, after [, nth])",
    "FindOneOf(text, characters [, nth])",
    "LevenshteinDist(text, other_text)",
    "Concatenate(text [, …])",
];

/// Chart functions that need other cells or sub-totals.
const CHART_ONLY: &[&str] = &[
    "Above",
    "After",
    "Aggr",
    "Before",
    "Below",
    "Bottom",
    "Column",
    "ColumnNo",
    "Correl",
    "Dimensionality",
    "First",
    "HRank",
    "Last",
    "NoOfColumns",
    "Rank",
    "SecondaryDimensionality",
    "Top",
    "ValueList",
    "ValueLoop",
];

/// Functions of the load script.
const SCRIPT_ONLY: &[&str] = &[
    "ApplyMap",
    "AutoNumber",
    "Exists",
    "FieldName",
    "FieldNumber",
    "FileBaseName",
    "FileName",
    "FilePath",
    "FileSize",
    "FileTime",
    "IterNo",
    "LookUp",
    "MapSubString",
    "NoOfFields",
    "NoOfRows",
    "NoOfTables",
    "Peek",
    "Previous",
    "QvdNoOfRecords",
    "RecNo",
    "RowNo",
    "TableName",
    "TableNumber",
];

/// How a function or aggregation is written; case is ignored.
pub(crate) fn signature(name: &str) -> Option<&'static str> {
    SIGNATURES.iter().copied().find(|s| {
        s.split_once('(')
            .is_some_and(|(known, _)| known.eq_ignore_ascii_case(name))
    })
}

/// The documented name of a function that does not exist where it was asked for, and what to
/// do instead.
pub(crate) fn elsewhere(name: &str) -> Option<(&'static str, &'static str)> {
    let find = |names: &[&'static str]| {
        names
            .iter()
            .copied()
            .find(|known| known.eq_ignore_ascii_case(name))
    };
    if let Some(name) = find(CHART_ONLY) {
        let hint = "functions over other cells of a chart are not built; \
                    compute the value when loading the data";
        return Some((name, hint));
    }
    find(SCRIPT_ONLY).map(|name| (name, "this function works in load scripts only"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregate::AGGREGATIONS;
    use crate::functions::{by_name, function_names};

    /// Fewest and most arguments a signature allows.
    fn counts(signature: &str) -> (usize, usize) {
        let (_, args) = signature.split_once('(').unwrap();
        let args = args.strip_suffix(')').unwrap();
        let (needed, optional) = args.split_once('[').unwrap_or((args, ""));
        let count = |text: &str| text.split(',').filter(|p| !p.trim().is_empty()).count();
        let least = count(needed);
        let most = if optional.contains('…') {
            usize::MAX
        } else {
            least
                + optional
                    .replace(['[', ']'], "")
                    .split(',')
                    .filter(|p| !p.trim().is_empty())
                    .count()
        };
        (least, most)
    }

    #[test]
    fn every_function_has_the_signature_it_is_checked_by() {
        for name in function_names() {
            let function = by_name(name).unwrap();
            match signature(name) {
                Some(text) => assert_eq!(counts(text), (function.least, function.most), "{text}"),
                None => assert_eq!(function.most, 0, "{name} has no signature"),
            }
        }
        for (name, _, least, most, _) in AGGREGATIONS {
            assert_eq!(counts(signature(name).unwrap()), (*least, *most), "{name}");
        }
    }

    #[test]
    fn functions_of_elsewhere_are_not_functions_of_here() {
        for name in CHART_ONLY.iter().chain(SCRIPT_ONLY) {
            assert!(by_name(&name.to_lowercase()).is_none(), "{name}");
            assert!(elsewhere(&name.to_uppercase()).is_some());
        }
    }
}
