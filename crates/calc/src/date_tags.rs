//! Which expressions make dates: their fields are tagged so, and charts give them a time axis.
//!
//! Told by the function that makes the values, not by the values themselves, so that the tags
//! of a field do not depend on which rows somebody sees.

use satchel_syntax::{Expr, ExprKind};

/// Functions whose values are days.
const DATES: [&str; 26] = [
    "addmonths",
    "addyears",
    "date",
    "date#",
    "easter",
    "firstworkdate",
    "lastworkdate",
    "lunarweekend",
    "lunarweekname",
    "lunarweekstart",
    "makedate",
    "makeweekdate",
    "monthend",
    "monthname",
    "monthsend",
    "monthsname",
    "monthsstart",
    "monthstart",
    "quarterend",
    "quartername",
    "quarterstart",
    "today",
    "weekend",
    "weekstart",
    "yearend",
    "yearstart",
];

/// Functions whose values are moments.
const TIMESTAMPS: [&str; 11] = [
    "converttolocaltime",
    "dayend",
    "dayname",
    "daystart",
    "filetime",
    "gmt",
    "localtime",
    "now",
    "timestamp",
    "timestamp#",
    "utc",
];

/// The tags of a field that this expression makes; none if it makes no dates.
pub fn date_tags(expr: &Expr) -> &'static [&'static str] {
    match &expr.kind {
        ExprKind::Call(call) => {
            let name = call.name.to_lowercase();
            if DATES.contains(&name.as_str()) {
                &["$timestamp", "$date"]
            } else if TIMESTAMPS.contains(&name.as_str()) {
                &["$timestamp"]
            } else {
                &[]
            }
        }
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_outermost_function_tells() {
        let tags = |text: &str| date_tags(&satchel_syntax::parse_expression(text).0);
        assert_eq!(tags("Date(Floor(Moment))"), ["$timestamp", "$date"]);
        assert_eq!(tags("MONTHSTART(Day)"), ["$timestamp", "$date"]);
        assert_eq!(tags("Timestamp#(T, 'YYYY')"), ["$timestamp"]);
        assert!(tags("Year(Day)").is_empty());
        assert!(tags("Day").is_empty());
    }
}
