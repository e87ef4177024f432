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
    /// In charts, by the selections or by other rows.
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

/// Functions that need the tables of the whole chart.
const WHOLE_CHART: &str = "needs all rows of a chart at once, as a model of them; compute the value when loading the data";

/// Functions that tell about the machine.
const MACHINE: &str = "the hub tells scripts and charts nothing about the machine it runs on";

/// Functions of earlier products.
const RANGE: &str = "write the Range function of the same name, or an aggregation";

/// Functions by regular expressions.
const REGEX: &str = "regular expressions are not built; write WildMatch, SubField, TextBetween, KeepChar or PurgeChar";

/// Functions that make JSON texts.
const JSON: &str = "JSON texts are read and changed, not made; write JsonSet";

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
    script(
        "DocumentPath()",
        "The name of the app, which stands for its path.",
    ),
    script("DocumentTitle()", "The title of the app."),
    script(
        "Evaluate(text)",
        "The value of a text as an expression without fields; NULL if it is none, or evaluates again.",
    ),
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
    script(
        "FileSize([path])",
        "The size in bytes of a file, or of the file being read.",
    ),
    script(
        "FileTime([path])",
        "When a file, or the file being read, was written last.",
    ),
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
    script("QvdCreateTime(path)", "When a QVD file was made, in UTC."),
    script("QvdFieldName(path, n)", "The nth field of a QVD file."),
    script("QvdNoOfFields(path)", "How many fields a QVD file has."),
    script("QvdNoOfRecords(path)", "How many rows a QVD file has."),
    script(
        "QvdTableName(path)",
        "The table a QVD file was stored from.",
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
    chart(
        "Above(expression [, offset [, n]])",
        "The expression in a row above, or in the `n` rows up to there.",
    ),
    chart(
        "After(expression [, offset [, n]])",
        "The expression in a column to the right of a pivot table.",
    ),
    chart(
        "Aggr(expression, dimension [, …])",
        "The expression for each combination of the dimensions, as a chart with them would give it.",
    ),
    chart(
        "Before(expression [, offset [, n]])",
        "The expression in a column to the left of a pivot table.",
    ),
    chart(
        "Below(expression [, offset [, n]])",
        "The expression in a row below, or in the `n` rows from there.",
    ),
    chart(
        "Bottom(expression [, offset [, n]])",
        "The expression in the last row.",
    ),
    chart("Column(n)", "The nth measure of the chart."),
    chart(
        "ColumnNo()",
        "The number of the column of a pivot table, from 1.",
    ),
    chart(
        "Dimensionality()",
        "How many dimensions stand in the row; 0 in the total.",
    ),
    chart(
        "First(expression [, offset [, n]])",
        "The expression in the first column of a pivot table.",
    ),
    chart(
        "HRank(expression [, mode [, format]])",
        "The rank of the expression among the columns of a pivot table.",
    ),
    chart(
        "Last(expression [, offset [, n]])",
        "The expression in the last column of a pivot table.",
    ),
    chart(
        "NoOfColumns()",
        "How many columns the segment of a pivot table has.",
    ),
    chart(
        "Rank(expression [, mode [, format]])",
        "The rank of the expression among the rows, the largest first.",
    ),
    chart(
        "SecondaryDimensionality()",
        "How many dimensions stand at the top of the column.",
    ),
    chart(
        "Top(expression [, offset [, n]])",
        "The expression in the first row.",
    ),
    chart(
        "ValueList(value [, …])",
        "As a dimension: these values, beside the groups of the other dimensions. In a measure: the value of the row.",
    ),
    chart(
        "ValueLoop(from [, to [, step]])",
        "As a dimension: the numbers from one to another. In a measure: the number of the row.",
    ),
    nowhere("KMeans2D(n_clusters, x, y [, norm])", WHOLE_CHART),
    nowhere(
        "KMeansCentroid2D(n_clusters, which, x, y [, norm])",
        WHOLE_CHART,
    ),
    nowhere(
        "KMeansCentroidND(n_clusters, n_iterations, which, x [, …])",
        WHOLE_CHART,
    ),
    nowhere("KMeansND(n_clusters, n_iterations, x [, …])", WHOLE_CHART),
    nowhere("STL_Residual(target, n_period [, …])", WHOLE_CHART),
    nowhere("STL_Seasonal(target, n_period [, …])", WHOLE_CHART),
    nowhere("STL_Trend(target, n_period [, …])", WHOLE_CHART),
    nowhere("ClientPlatform()", MACHINE),
    nowhere("ComputerName()", MACHINE),
    nowhere("GetFolderPath(name)", MACHINE),
    nowhere("GetRegistryString(path, key)", MACHINE),
    nowhere("GetSysAttr(name)", MACHINE),
    nowhere("NumAvg(expression [, …])", RANGE),
    nowhere("NumCount(expression [, …])", RANGE),
    nowhere("NumMax(expression [, …])", RANGE),
    nowhere("NumMin(expression [, …])", RANGE),
    nowhere("NumSum(expression [, …])", RANGE),
    nowhere("CountRegEx(text, pattern)", REGEX),
    nowhere("ExtractRegEx(text, pattern [, nth])", REGEX),
    nowhere("ExtractRegExGroup(text, pattern, group [, nth])", REGEX),
    nowhere("IndexRegEx(text, pattern [, nth])", REGEX),
    nowhere("IndexRegExGroup(text, pattern, group [, nth])", REGEX),
    nowhere("IsRegEx(pattern)", REGEX),
    nowhere("MatchRegEx(text, pattern [, …])", REGEX),
    nowhere("ReplaceRegEx(text, pattern, new_part)", REGEX),
    nowhere("ReplaceRegExGroup(text, pattern, new_part, group)", REGEX),
    nowhere("SubFieldRegEx(text, pattern [, nth])", REGEX),
    nowhere("JsonArray(value [, …])", JSON),
    nowhere("JsonObject(name, value [, …])", JSON),
    nowhere("JsonSetEx(text, path, value)", JSON),
    nowhere(
        "Attribute(path, name)",
        "the properties of pictures and sound files are not read",
    ),
    nowhere(
        "Author()",
        "an app has an owner, who is shown in the hub, and no author",
    ),
    nowhere(
        "ConnectString()",
        "scripts connect by the name of a connection, which they know",
    ),
    nowhere(
        "DaylightSaving()",
        "the hub hands on its offset from UTC as one number; write ConvertToLocalTime with a place",
    ),
    nowhere(
        "GetCollationLocale()",
        "texts are sorted in one order for all languages",
    ),
    nowhere(
        "GetObjectField([n])",
        "an expression does not know the chart it stands in",
    ),
    nowhere(
        "GetUserAttr(name)",
        "what a person may see is decided by section access alone",
    ),
    nowhere(
        "InObject(id)",
        "an expression does not know the chart it stands in",
    ),
    nowhere("MsgBox(text)", "a reload has nobody to ask"),
    nowhere(
        "MutualInfo(field_1, field_2 [, …])",
        "its binning is not documented",
    ),
    nowhere(
        "ObjectId([type])",
        "an expression does not know the chart it stands in",
    ),
    nowhere("QlikViewVersion()", "write EngineVersion"),
    nowhere("QVUser()", "write OSUser"),
    nowhere(
        "StateName()",
        "an expression does not know the chart it stands in",
    ),
    nowhere("Window(expression [, …])", "write GROUP BY and a join"),
    nowhere("WRank([mode])", "write ORDER BY and RowNo"),
    nowhere("Year2Date(date [, …])", "write YearToDate"),
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
