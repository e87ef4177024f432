//! Requests as clients write them, now and then with something wrong in them.
//!
//! Methods and the names of their parameters come from the session itself, so that a new method
//! is asked from the day it is there. What stands in a parameter follows from its name.

use rand::rngs::SmallRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use satchel_qix::MethodInfo;
use serde_json::{Map, Value, json};

use crate::conversation::APP;

const FIELDS: &[&str] = &[
    "Region", "Year", "Product", "Sales", "Day", "Date", "Note", "Secret", "Id", "Tag", "TEAM",
    "Manager", "Island", "Big", "$Field", "$Table", "nope",
];
const IDS: &[&str] = &[
    "l",
    "c",
    "p",
    "k",
    "t",
    "s",
    "sheet1",
    "kpi1",
    "d-region",
    "m-sales",
    "v-year",
    "b-south",
    "x y",
    // The first id the sessions make.
    "01010101-0101-4101-8101-010101010101",
    "",
];
const STATES: &[&str] = &["$", "S1", "S2", "1", "", "nope"];
const PATTERNS: &[&str] = &[
    "*",
    "N*",
    "*o?t*",
    "North",
    "\"West\"",
    "(North|South)",
    ">2021",
    "<=2022",
    ">=2021<2023",
    "=Sum(Sales)>1000",
    "=1",
    "=",
    "",
    "?",
    "10 mm",
    "canary*",
    "no*h",
    "N",
    "2022",
    "D44231",
];
const PATHS: &[&str] = &[
    "/qHyperCubeDef",
    "/qListObjectDef",
    "/qHyperCube",
    "/qListObject",
    "",
    "/",
    "qHyperCubeDef",
    "/a/qHyperCubeDef",
    "/list/0/qListObjectDef",
    "/nope",
];
const PATCHED: &[&str] = &[
    "/qHyperCubeDef/qMode",
    "/qHyperCubeDef/qDimensions/0/qDef/qFieldDefs/0",
    "/qHyperCubeDef/qMeasures/0/qDef/qDef",
    "/qHyperCubeDef/qInterColumnSortOrder",
    "/qHyperCubeDef/qDimensions/-",
    "/qHyperCubeDef/qDimensions/9",
    "/qHyperCubeDef",
    "/qListObjectDef/qDef/qSortCriterias",
    "/qListObjectDef/qStateName",
    "/title",
    "/a/b/c",
    "/qInfo/qId",
    "/qChildren",
    "/qStateName",
    "",
    "/~1~0",
];
const OPERATORS: &[&str] = &[
    "+",
    "-",
    "*",
    "/",
    "&",
    "=",
    "<>",
    "<",
    ">=",
    " and ",
    " or ",
    " xor ",
    " like ",
    " follows ",
    " bitand ",
    "<<",
    ">>",
];
const SETS: &[&str] = &[
    "{1}",
    "{$}",
    "{S1}",
    "{$1}",
    "{<Year={2022}>}",
    "{<Year={\">2021\"}>}",
    "{<Region=>}",
    "{<Region+={\"N*\"}>}",
    "{<Region-={North}>}",
    "{1<Product=P({<Year={2021}>}Product)>}",
    "{<Product=E({1}Product)>}",
    "{$-1}",
    "{1*$}",
    "{<Year={\"=Sum(Sales)>1000\"}>}",
    "{BM01}",
    "{[b-south]}",
    "{<[Region]=TEAM>}",
    "{<Region={$(vYear)}>}",
    "{<",
];

/// Chooses at random, the same for the same seed.
pub(crate) struct Grammar {
    rng: SmallRng,
    methods: Vec<MethodInfo>,
    functions: Vec<&'static str>,
}

impl Grammar {
    pub fn new(seed: u64) -> Self {
        Self {
            rng: SmallRng::seed_from_u64(seed),
            methods: satchel_qix::methods().collect(),
            functions: satchel_calc::function_names(),
        }
    }

    /// A number below `n`.
    pub fn below(&mut self, n: usize) -> usize {
        self.rng.random_range(0..n.max(1))
    }

    /// True once in `n` times.
    pub fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    fn pick(&mut self, from: &[&'static str]) -> &'static str {
        from.choose(&mut self.rng).copied().unwrap_or_default()
    }

    /// The first frame of a conversation that gets somewhere.
    pub fn opening() -> String {
        json!({"id": 1, "handle": -1, "method": "OpenDoc", "params": [APP]}).to_string()
    }

    /// Requests that return one object of each class, most of them right.
    pub fn opening_objects(&mut self) -> Vec<String> {
        let list = json!({"qInfo": {"qId": "l", "qType": "any"}, "qListObjectDef": {
            "qDef": {"qFieldDefs": ["Product"]}, "qInitialDataFetch": [self.page()]}});
        let pivot = json!({"qInfo": {"qId": "p", "qType": "any"}, "qHyperCubeDef": {
            "qMode": "P", "qNoOfLeftDims": 1, "qInitialDataFetch": [self.page()],
            "qDimensions": [{"qDef": {"qFieldDefs": ["Region"]}}, self.dimension()],
            "qMeasures": [{"qDef": {"qDef": "Sum(Sales)"}}, self.measure()]}});
        let requests = [
            ("CreateSessionObject", list),
            ("CreateSessionObject", pivot),
            ("GetField", json!(self.pick(FIELDS))),
            ("GetDimension", json!("d-region")),
            ("GetMeasure", json!("m-sales")),
            ("GetBookmark", json!("b-south")),
            ("GetVariableById", json!("v-year")),
            ("GetObject", json!("sheet1")),
        ];
        let frame = |(method, param)| {
            json!({"id": 1, "handle": "Doc/0", "method": method, "params": [param]}).to_string()
        };
        let mut frames: Vec<String> = requests.into_iter().map(frame).collect();
        frames.remove(self.below(8));
        frames
    }

    /// A request for any method, on an object that should have it.
    pub fn frame(&mut self) -> String {
        // Objects with something to show come first: most methods need one.
        if self.one_in(5) {
            let method = self.pick(&["CreateSessionObject", "CreateSessionObject", "CreateObject"]);
            let frame = json!({"id": self.id(), "handle": "Doc/0", "method": method,
                "params": [self.properties(3)]});
            return frame.to_string();
        }
        if self.one_in(6) {
            let layout = json!({"id": self.id(), "handle": self.handle("GenericObject"),
                "method": "GetLayout", "params": []});
            return layout.to_string();
        }
        let Some(method) = self.methods.choose(&mut self.rng).copied() else {
            return String::new();
        };
        let class = if self.one_in(60) {
            "GenericObject"
        } else {
            method.class
        };
        let handle = self.handle(class);
        let mut named = Map::new();
        let mut list = Vec::new();
        for name in method.params {
            let value = if self.one_in(25) {
                self.anything(2)
            } else {
                self.param(method.name, name)
            };
            named.insert((*name).to_owned(), value.clone());
            list.push(value);
        }
        let params = if self.one_in(3) {
            Value::Object(named)
        } else {
            if self.one_in(8) {
                list.pop();
            }
            Value::Array(list)
        };
        json!({"id": self.id(), "handle": handle, "method": method.name, "params": params})
            .to_string()
    }

    fn id(&mut self) -> Value {
        match self.below(30) {
            0 => json!("seven"),
            1 => json!(1.5),
            2 => Value::Null,
            n => json!(n),
        }
    }

    fn handle(&mut self, class: &str) -> Value {
        match class {
            "Global" => json!(-1),
            "Doc" => json!("Doc/0"),
            _ if self.one_in(40) => json!(self.int()),
            _ => {
                let nth = self.below(3) * self.below(3);
                json!(format!("{class}/{nth}"))
            }
        }
    }

    /// Numbers at which things go wrong, among small ones.
    fn int(&mut self) -> i64 {
        const WILD: [i64; 9] = [
            -1,
            -2,
            -3,
            100,
            10_000,
            i32::MAX as i64,
            i32::MIN as i64,
            i64::MAX,
            i64::MIN,
        ];
        if self.one_in(6) {
            WILD.choose(&mut self.rng).copied().unwrap_or_default()
        } else {
            self.below(6) as i64
        }
    }

    fn list(&mut self, most: usize, item: impl Fn(&mut Self) -> Value) -> Value {
        let n = self.below(most + 1);
        (0..n).map(|_| item(self)).collect()
    }

    /// What a client would put into the parameter.
    fn param(&mut self, method: &str, name: &str) -> Value {
        match name {
            "qDocName" | "qAppID" | "qFileName" => json!(APP),
            "qNoData" => json!(self.one_in(20)),
            "qProp" if method.contains("Dimension") => self.master("qDim"),
            "qProp" if method.contains("Measure") => self.master("qMeasure"),
            "qProp" if method.contains("Variable") => self.variable(),
            "qProp" | "qPropForThis" => self.properties(3),
            "qPropEntry" => {
                let children = self.list(2, |g| json!({"qProperty": g.properties(1)}));
                json!({"qProperty": self.properties(2), "qChildren": children})
            }
            "qPatches" => self.list(3, Self::patch),
            "qId" | "qFromId" | "qBookmarkId" => json!(self.pick(IDS)),
            "qIds" | "qObjectIdsToPatch" => self.list(3, |g| json!(g.pick(IDS))),
            "qPath" => {
                let shown = self.below(3).min(1);
                if self.one_in(4) {
                    json!(self.pick(PATHS))
                } else {
                    json!(PATHS[1 - shown])
                }
            }
            "qPaths" => self.list(2, |g| json!(g.pick(&PATHS[..2]))),
            "qPages" => self.list(3, Self::page),
            "qDataPage" => self.page(),
            "qExpression" | "qExpr" | "qVal" | "qText" => json!(self.expression(3)),
            "qFieldName" | "qField" => json!(self.pick(FIELDS)),
            "qStateName" | "qSourceStateName" => json!(self.pick(STATES)),
            "qMatch" => json!(self.pick(PATTERNS)),
            "qTableName" | "qTable1" | "qTable2" => json!(self.pick(&["Sales", "Managers", "Tags", "Islands", "nope"])),
            "qName" | "qLabel" => json!(self.pick(&["vYear", "v", "Total sales", "nope"])),
            "qFieldValues" => self.list(3, Self::field_value),
            "qValues" => self.list(4, |g| json!(g.int())),
            "qRowIndices" | "qColIndices" | "qColumnsToSelect" => self.list(3, |g| json!(g.int())),
            "qRanges" => self.list(2, Self::range),
            "qSelections" => self.list(3, |g| {
                let kind = g.pick(&["L", "T", "D", "X"]);
                json!({"qType": kind, "qCol": g.int(), "qRow": g.int()})
            }),
            "qTags" => self.list(2, |g| json!(g.pick(&["$numeric", "$text", "$key", "x"]))),
            "qTerms" => self.list(3, |g| {
                let terms = [
                    "north", "n", "2022", "bolt", "nina", "s*", ">2021", "total", "",
                ];
                json!(g.pick(&terms))
            }),
            "qPage" => json!({
                "qOffset": self.below(3), "qCount": self.int(),
                "qMaxNbrFieldMatches": self.int(),
                "qGroupOptions": [{"qGroupType": self.below(2), "qCount": self.int()}],
                "qGroupItemOptions": [{"qGroupItemType": "Field", "qCount": self.int()}],
            }),
            "qOptions" if method.starts_with("Search") || method.starts_with("Select") => json!({
                "qSearchFields": self.list(2, |g| json!(g.pick(FIELDS))),
                "qContext": self.below(4).min(2),
                "qCharEncoding": self.below(2),
                "qAttributes": self.list(2, |g| json!(g.pick(&["qNum", "qElemNum", "qProperty"]))),
            }),
            "qOptions" | "qListDef" => json!({
                "qTypes": [self.pick(&["bookmark", "sheet", "variable", "c"])],
                "qIncludeSessionObjects": self.one_in(2), "qIncludeVariables": self.one_in(2),
                "qIncludePatches": self.one_in(2), "qData": {"title": "/title", "a": "/qInfo"},
                "qType": "variable", "qShowSession": true, "qShowReserved": true,
            }),
            "qFileType" => json!(self.pick(&["CSV_C", "CSV_T", "OOXML", "PARQUET"])),
            "qExportState" => json!(self.pick(&["P", "A", ""])),
            "qFieldsOrColumnsWithWildcards" => self.list(2, |g| {
                json!({"qFieldName": g.pick(&["*", "Region", "S*"]), "qTableName": g.pick(&["", "*", "Sales"])})
            }),
            "qGroup" => json!(self.pick(&["", "ALL", "AGGR"])),
            "qNames" => self.list(2, |g| json!(g.pick(&["vYear", "nope"]))),
            "qScript" => json!("LOAD 1 AS A AUTOGENERATE 1;"),
            "qReductionMode" => json!(self.pick(&["N", "D1", "S", "C", "ST", "nope"])),
            "qSyntheticMode"
            | "qToggleMode"
            | "qSoftLock"
            | "qAll"
            | "qAccept"
            | "qLockedAlso"
            | "qOrMode"
            | "qSoftPatch"
            | "qDeselectOnlyOneSelected"
            | "qPartial"
            | "qDebug"
            | "qGetExcludedValues"
            | "qIgnorePatches" => json!(self.one_in(2)),
            _ => json!(self.int()),
        }
    }

    fn page(&mut self) -> Value {
        json!({"qTop": self.int(), "qLeft": self.int(), "qWidth": self.int().saturating_mul(2),
            "qHeight": self.int().saturating_mul(4)})
    }

    fn range(&mut self) -> Value {
        let range = json!({"qMin": self.int().saturating_mul(300), "qMax": self.int().saturating_mul(700),
            "qMinInclEq": self.one_in(2), "qMaxInclEq": self.one_in(2)});
        if self.one_in(2) {
            json!({"qRange": range, "qMeasureIx": self.int(), "qDimIx": self.int()})
        } else {
            range
        }
    }

    fn field_value(&mut self) -> Value {
        if self.one_in(2) {
            json!({"qText": self.pick(PATTERNS), "qIsNumeric": false})
        } else {
            json!({"qNumber": 2021 + self.int().clamp(-9, 9), "qIsNumeric": true})
        }
    }

    fn patch(&mut self) -> Value {
        let path = self.pick(PATCHED);
        let value = match self.below(4) {
            0 => json!(self.pick(&["P", "S", "K", "T"])),
            1 => json!(self.expression(2)),
            2 => self.dimension(),
            _ => self.anything(2),
        };
        let op = self.pick(&["replace", "add", "remove", "Replace", "copy"]);
        json!({"qOp": op, "qPath": path, "qValue": value.to_string()})
    }

    fn variable(&mut self) -> Value {
        let definition = self.expression(2);
        json!({"qInfo": {"qId": self.pick(IDS), "qType": "variable"},
            "qName": self.pick(&["vYear", "v", "nope"]), "qDefinition": definition})
    }

    fn master(&mut self, member: &str) -> Value {
        let definition = if member == "qDim" {
            let group = self.pick(&["N", "H", "C"]);
            let fields = self.list(3, |g| json!(g.dimension_field()));
            json!({"qGrouping": group, "qFieldDefs": fields, "qFieldLabels": ["a", "b"],
                "qLabelExpression": self.expression(1)})
        } else {
            json!({"qDef": self.expression(3), "qLabel": "m", "qLabelExpression": "='l'"})
        };
        json!({"qInfo": {"qId": self.pick(IDS), "qType": "master"}, member: definition})
    }

    fn dimension_field(&mut self) -> String {
        match self.below(5) {
            0 => format!("={}", self.expression(2)),
            1 => format!("[{}]", self.pick(FIELDS)),
            _ => self.pick(FIELDS).to_owned(),
        }
    }

    fn sort(&mut self) -> Value {
        json!([{"qSortByState": self.int().clamp(-2, 2), "qSortByNumeric": self.int().clamp(-2, 2),
            "qSortByAscii": self.int().clamp(-2, 2), "qSortByFrequency": self.int().clamp(-2, 2),
            "qSortByLoadOrder": self.int().clamp(-2, 2),
            "qSortByExpression": self.int().clamp(-1, 1),
            "qExpression": {"qv": self.expression(2)}}])
    }

    fn dimension(&mut self) -> Value {
        let mut dimension = if self.one_in(6) {
            json!({"qLibraryId": self.pick(IDS)})
        } else {
            let group = self.pick(&["N", "N", "H", "C"]);
            let fields = if self.one_in(4) {
                self.list(3, |g| json!(g.dimension_field()))
            } else {
                json!([self.dimension_field()])
            };
            json!({"qDef": {"qFieldDefs": fields, "qGrouping": group,
                "qSortCriterias": self.sort(), "qReverseSort": self.one_in(4),
                "qActiveField": self.int()}})
        };
        if self.one_in(3) {
            dimension["qNullSuppression"] = json!(self.one_in(2));
            dimension["qShowAll"] = json!(self.one_in(2));
            dimension["qIncludeElemValue"] = json!(true);
        }
        if self.one_in(4) {
            dimension["qOtherTotalSpec"] = self.others();
        }
        if self.one_in(5) {
            dimension["qCalcCond"] = json!({"qv": self.expression(1)});
        }
        if self.one_in(4) {
            let n = self.expression(2);
            dimension["qAttributeExpressions"] = json!([{"qExpression": n, "qAttribute": true}]);
            dimension["qAttributeDimensions"] = json!([{"qDef": self.dimension_field()}]);
        }
        dimension
    }

    fn others(&mut self) -> Value {
        let mode = self.pick(&[
            "OTHER_OFF",
            "OTHER_COUNTED",
            "OTHER_ABS_LIMITED",
            "OTHER_ABS_ACC_TARGET",
            "OTHER_REL_LIMITED",
            "OTHER_REL_ACC_TARGET",
        ]);
        let limit = self.pick(&["OTHER_GE_LIMIT", "OTHER_LE_LIMIT", "OTHER_GT_LIMIT"]);
        let sort = self.pick(&["OTHER_SORT_DESCENDING", "OTHER_SORT_ASCENDING", "x"]);
        let n = self.int().to_string();
        json!({"qOtherMode": mode, "qOtherLimitMode": limit, "qOtherSortMode": sort,
            "qOtherCounted": {"qv": n}, "qOtherLimit": {"qv": self.expression(1)},
            "qTotalMode": self.pick(&["TOTAL_OFF", "TOTAL_EXPR", "TOTAL_SUM"]),
            "qSuppressOther": self.one_in(2), "qForceBadValueKeeping": self.one_in(2),
            "qOtherCollapseInnerDimensions": self.one_in(2)})
    }

    fn measure(&mut self) -> Value {
        if self.one_in(6) {
            return json!({"qLibraryId": self.pick(IDS)});
        }
        let kind = self.pick(&["U", "F", "M", "D", "I", "R", "A", "TS", "x"]);
        let format = self.pick(&["#,##0.00", "0%", "YYYY-MM-DD", "hh:mm", "", "###", "'"]);
        let mut measure = json!({
            "qDef": {"qDef": self.expression(3), "qNumFormat": {"qType": kind, "qFmt": format,
                "qnDec": self.int(), "qUseThou": 1, "qDec": ".", "qThou": ","},
                "qAggrFunc": self.pick(&["Expr", "Sum", "None", "Avg", "Max", "Count"]),
                "qAccumulate": self.int(), "qRelative": self.one_in(4)},
            "qSortBy": self.sort()[0],
        });
        if self.one_in(4) {
            measure["qTrendLines"] = json!([{"qType": self.pick(&["AVG", "LINEAR", "POLYNOMIAL2"]),
                "qXColIx": self.int(), "qCalcR2": true}]);
            measure["qMiniChart"] = json!({"qDef": "Year"});
        }
        if self.one_in(4) {
            measure["qAttributeExpressions"] = json!([{"qExpression": self.expression(2)}]);
        }
        measure
    }

    fn cube(&mut self) -> Value {
        let dimensions = self.list(3, Self::dimension);
        let measures = self.list(2, Self::measure);
        let mode = self.pick(&["S", "S", "P", "P", "K", "T", "x"]);
        let columns = self.list(5, |g| json!(g.below(6) as i64 - 1));
        let mut cube = json!({"qMode": mode, "qDimensions": dimensions, "qMeasures": measures,
            "qInterColumnSortOrder": columns, "qInitialDataFetch": self.list(2, Self::page),
            "qNoOfLeftDims": self.below(5) as i64 - 1});
        for (name, odds) in [
            ("qSuppressZero", 3),
            ("qSuppressMissing", 3),
            ("qAlwaysFullyExpanded", 2),
            ("qShowTotalsAbove", 4),
            ("qPopulateMissing", 5),
            ("qSortbyYValue", 5),
        ] {
            if self.one_in(odds) {
                cube[name] = json!(1);
            }
        }
        if self.one_in(5) {
            cube["qStateName"] = json!(self.pick(STATES));
        }
        if self.one_in(5) {
            cube["qCalcCondition"] = json!({"qCond": {"qv": self.expression(1)},
                "qMsg": {"qv": self.expression(1)}});
        }
        if self.one_in(6) {
            cube["qIndentMode"] = json!(true);
            cube["qMaxStackedCells"] = json!(self.int());
            cube["qColumnOrder"] = self.list(4, |g| json!(g.int()));
        }
        cube
    }

    /// The properties of an object that shows something.
    fn properties(&mut self, depth: usize) -> Value {
        let mut properties = json!({"qInfo": {"qId": self.pick(IDS), "qType": "any"}});
        for _ in 0..1 + self.below(2) {
            let (name, value) = match self.below(9) {
                0..4 => ("qHyperCubeDef", self.cube()),
                4 | 5 => {
                    let def = self.dimension()["qDef"].clone();
                    let expressions = self.list(2, |g| json!({"qExpr": g.expression(2)}));
                    let list = json!({"qDef": def, "qExpressions": expressions,
                        "qInitialDataFetch": [self.page()], "qStateName": self.pick(STATES),
                        "qShowAlternatives": true, "qFrequencyMode": self.pick(&["V", "P", "R"]),
                        "qLibraryId": if self.one_in(4) { self.pick(IDS) } else { "" }});
                    ("qListObjectDef", list)
                }
                6 => {
                    let name = self.pick(&[
                        "qSelectionObjectDef",
                        "qFieldListDef",
                        "qDimensionListDef",
                        "qMeasureListDef",
                        "qBookmarkListDef",
                        "qVariableListDef",
                        "qAppObjectListDef",
                        "qMediaListDef",
                        "qUndoInfoDef",
                        "qChildListDef",
                        "qStaticContentUrlDef",
                        "qEmbeddedSnapshotDef",
                    ]);
                    let def = json!({"qType": self.pick(&["any", "sheet", "variable"]),
                        "qData": {"title": "/title", "q": "/qHyperCubeDef/qMode"},
                        "qShowSystem": true, "qShowHidden": true, "qShowSrcTables": true,
                        "qShowSession": true, "qShowReserved": true, "qShowDerivedFields": true,
                        "qStateName": self.pick(STATES)});
                    (name, def)
                }
                7 => {
                    let expression = json!({"qExpr": self.expression(3)});
                    let by_expression = json!({"s": {"qStringExpression": expression},
                        "v": {"qValueExpression": {"qExpr": self.expression(3)}}});
                    ("a", by_expression)
                }
                _ if depth > 0 => ("list", json!([self.properties(depth - 1)])),
                _ => ("title", self.anything(2)),
            };
            properties[name] = value;
        }
        properties
    }

    /// Any JSON.
    fn anything(&mut self, depth: usize) -> Value {
        match self.below(if depth == 0 { 6 } else { 9 }) {
            0 => Value::Null,
            1 => json!(self.one_in(2)),
            2 => json!(self.int()),
            3 => json!(self.pick(FIELDS)),
            4 => json!(self.pick(PATTERNS)),
            5 => json!(self.int() as f64 / 3.0),
            6 => self.list(3, |g| g.anything(depth - 1)),
            7 => self.properties(0),
            _ => json!({"qInfo": self.anything(depth - 1), "qDef": self.anything(depth - 1)}),
        }
    }

    /// An expression, most often a right one.
    pub fn expression(&mut self, depth: usize) -> String {
        if depth == 0 {
            return match self.below(6) {
                0 => self.int().to_string(),
                1 => format!("'{}'", self.pick(PATTERNS)),
                2 => "$(vYear)".to_owned(),
                3 => self
                    .pick(&["1e308", "0", "null()", "-0.5", "true()", "1/0"])
                    .to_owned(),
                _ => format!("[{}]", self.pick(FIELDS)),
            };
        }
        let d = depth - 1;
        match self.below(12) {
            0..5 => {
                let kind = self.pick(&[
                    "Sum",
                    "Count",
                    "Avg",
                    "Min",
                    "Max",
                    "Only",
                    "Concat",
                    "MinString",
                    "Mode",
                    "Median",
                    "Stdev",
                    "FirstSortedValue",
                    "Fractile",
                ]);
                let set = if self.one_in(3) { self.pick(SETS) } else { "" };
                let how = self.pick(&["", "", "DISTINCT ", "TOTAL ", "TOTAL <Region> "]);
                let more = match kind {
                    "FirstSortedValue" | "Fractile" => format!(", {}", self.expression(0)),
                    "Concat" => ", ','".to_owned(),
                    _ => String::new(),
                };
                format!("{kind}({set} {how}{}{more})", self.expression(d.min(1)))
            }
            5 | 6 => {
                let op = self.pick(OPERATORS);
                format!("({}{op}{})", self.expression(d), self.expression(d))
            }
            7..10 => {
                let functions = std::mem::take(&mut self.functions);
                let name = functions.choose(&mut self.rng).copied().unwrap_or("if");
                self.functions = functions;
                let n = 1 + self.below(3);
                let args: Vec<String> = (0..n).map(|_| self.expression(d)).collect();
                format!("{name}({})", args.join(", "))
            }
            10 => {
                let dimension = self.pick(FIELDS);
                format!("Sum(Aggr({}, [{dimension}]))", self.expression(d))
            }
            _ => {
                let mut text = self.expression(d);
                if self.one_in(6) {
                    text.pop();
                }
                text
            }
        }
    }
}
