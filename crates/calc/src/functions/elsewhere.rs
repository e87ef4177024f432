//! Functions that exist in one place only, and those that do not exist at all: what is said
//! about them where they are not, and what the reference lists.

/// A function that is not part of the library.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Elsewhere {
    /// How it is written.
    pub signature: &'static str,
    /// What it gives, or why there is none.
    pub doc: &'static str,
    /// Where it is.
    pub kind: ElsewhereKind,
}

/// Where a function is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ElsewhereKind {
    /// In load scripts, by the state of the script.
    Script,
    /// In charts, by the selections.
    Chart,
    /// Not built.
    Nowhere,
}

const fn script(signature: &'static str, doc: &'static str) -> Elsewhere {
    Elsewhere {
        signature,
        doc,
        kind: ElsewhereKind::Script,
    }
}

const fn chart(signature: &'static str, doc: &'static str) -> Elsewhere {
    Elsewhere {
        signature,
        doc,
        kind: ElsewhereKind::Chart,
    }
}

const fn nowhere(signature: &'static str, doc: &'static str) -> Elsewhere {
    Elsewhere {
        signature,
        doc,
        kind: ElsewhereKind::Nowhere,
    }
}

/// Why functions over other cells of a chart are refused.
const OTHER_CELLS: &str =
    "functions over other cells of a chart are not built; compute the value when loading the data";

const FUNCTIONS: &[Elsewhere] = &[
    script(
        "ApplyMap(map, key [, default])",
        "The value of a key in a mapping table; the default, or the key itself, if it has none.",
    ),
    script(
        "AutoNumber(text [, counter])",
        "A number for each distinct text, counted from 1 in order of appearance.",
    ),
    script(
        "AutoNumberHash128(expression [, …])",
        "A number for each distinct combination of values.",
    ),
    script(
        "AutoNumberHash256(expression [, …])",
        "A number for each distinct combination of values.",
    ),
    script("DocumentName()", "The name of the app."),
    script("DocumentTitle()", "The title of the app."),
    script(
        "Exists(field [, value])",
        "Whether a value was loaded into a field before.",
    ),
    script(
        "FieldIndex(field, value)",
        "The position of a value among the values of a field.",
    ),
    script(
        "FieldName(n, table)",
        "The name of the nth field of a table.",
    ),
    script(
        "FieldNumber(field, table)",
        "The position of a field in a table.",
    ),
    script(
        "FieldValue(field, n)",
        "The nth value of a field, in load order.",
    ),
    script("FieldValueCount(field)", "How many values a field has."),
    script(
        "FileBaseName()",
        "The name of the file being read, without path and extension.",
    ),
    script("FileDir()", "The folder of the file being read."),
    script("FileExtension()", "The extension of the file being read."),
    script(
        "FileName()",
        "The name of the file being read, without path.",
    ),
    script("FilePath()", "The path of the file being read."),
    script("IsPartialReload()", "Whether the reload is partial."),
    script("IterNo()", "The turn of a `WHILE` clause, from 1."),
    script(
        "LookUp(field, match_field, value [, table])",
        "The value of a field in the first row where another field has a value.",
    ),
    script(
        "MapSubString(map, text)",
        "The text with every part that is a key of a mapping table replaced.",
    ),
    script("NoOfFields(table)", "How many fields a table has."),
    script("NoOfRows(table)", "How many rows a table has."),
    script("NoOfTables()", "How many tables were loaded."),
    script("OSUser()", "The user the reload runs as."),
    script(
        "Peek(field [, row [, table]])",
        "The value of a field in a row that was loaded before.",
    ),
    script(
        "Previous(expression)",
        "The value of an expression in the record before.",
    ),
    script("Rand()", "A random number from 0 up to 1."),
    script("RecNo()", "The number of the record in its source, from 1."),
    script("ReloadTime()", "When the reload began."),
    script(
        "RowNo()",
        "The number of the row in the table being made, from 1.",
    ),
    script("TableName(n)", "The name of the nth table, from 0."),
    script("TableNumber(table)", "The number of a table, from 0."),
    chart(
        "GetAlternativeCount(field)",
        "How many values of a field are alternative.",
    ),
    chart(
        "GetCurrentSelections()",
        "All selections, a line for each field.",
    ),
    chart(
        "GetExcludedCount(field)",
        "How many values of a field are excluded.",
    ),
    chart(
        "GetFieldSelections(field [, separator [, most]])",
        "The selected values of a field, or how many of how many.",
    ),
    chart(
        "GetNotSelectedCount(field)",
        "How many values of a field are not selected.",
    ),
    chart(
        "GetPossibleCount(field)",
        "How many values of a field are possible.",
    ),
    chart(
        "GetSelectedCount(field [, include_excluded])",
        "How many values of a field are selected.",
    ),
    nowhere("Above(expression [, offset [, n]])", OTHER_CELLS),
    nowhere("After(expression [, offset [, n]])", OTHER_CELLS),
    nowhere("Aggr(expression, dimension [, …])", OTHER_CELLS),
    nowhere("Before(expression [, offset [, n]])", OTHER_CELLS),
    nowhere("Below(expression [, offset [, n]])", OTHER_CELLS),
    nowhere("Bottom(expression [, offset [, n]])", OTHER_CELLS),
    nowhere("Column(n)", OTHER_CELLS),
    nowhere("ColumnNo()", OTHER_CELLS),
    nowhere("Dimensionality()", OTHER_CELLS),
    nowhere("First(expression [, offset [, n]])", OTHER_CELLS),
    nowhere("HRank(expression [, mode [, format]])", OTHER_CELLS),
    nowhere("Last(expression [, offset [, n]])", OTHER_CELLS),
    nowhere("NoOfColumns()", OTHER_CELLS),
    nowhere("Rank(expression [, mode [, format]])", OTHER_CELLS),
    nowhere("SecondaryDimensionality()", OTHER_CELLS),
    nowhere("Top(expression [, offset [, n]])", OTHER_CELLS),
    nowhere("ValueList(value [, …])", OTHER_CELLS),
    nowhere("ValueLoop(from [, to [, step]])", OTHER_CELLS),
];

/// The functions that are not part of the library.
pub fn functions_elsewhere() -> &'static [Elsewhere] {
    FUNCTIONS
}

/// The documented name of a function that does not exist where it was asked for, and what to
/// do instead; case is ignored.
pub(crate) fn elsewhere(called: &str) -> Option<(&'static str, &'static str)> {
    let known = FUNCTIONS
        .iter()
        .find(|known| super::name(known.signature).eq_ignore_ascii_case(called))?;
    let hint = match known.kind {
        ElsewhereKind::Script => "this function works in load scripts only",
        ElsewhereKind::Chart => "this function works in charts only",
        ElsewhereKind::Nowhere => known.doc,
    };
    Some((super::name(known.signature), hint))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::functions::by_name;

    #[test]
    fn functions_of_elsewhere_are_not_functions_of_here() {
        for known in FUNCTIONS {
            let name = crate::functions::name(known.signature);
            assert!(by_name(&name.to_lowercase()).is_none(), "{name}");
            assert!(elsewhere(&name.to_uppercase()).is_some());
        }
    }
}
