//! Functions that look beyond their arguments: other rows, tables, maps, counters.

use rustc_hash::{FxHashMap, FxHashSet};
use satchel_calc::{EvalContext, HostArg, HostFunction, HostFunctions, Locale, format_date};
use satchel_data::{Frame, SymbolKey, Value};

use crate::evaluate::{OneRow, Rows, Surroundings};
use crate::host::{FileInfo, QvdInfo};

/// What lasts over a whole run.
#[derive(Debug, Default)]
pub(crate) struct Session {
    /// Numbers that `AutoNumber` gave, by counter and text.
    pub(crate) numbers: FxHashMap<String, FxHashMap<String, u64>>,
    /// The state of `Rand`.
    pub(crate) random: u64,
    pub(crate) app_name: String,
    pub(crate) user: String,
}

impl Session {
    /// A number from 0 up to 1 (SplitMix64).
    pub(crate) fn rand(&mut self) -> f64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.random;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^= z >> 31;
        (z >> 11) as f64 / (1_u64 << 53) as f64
    }
}

const NAME: &[HostArg] = &[HostArg::FieldName];
const NAME_SECOND: &[HostArg] = &[HostArg::Value, HostArg::FieldName];
const PEEK: &[HostArg] = &[HostArg::FieldName, HostArg::Value, HostArg::FieldName];
const EXISTS: &[HostArg] = &[HostArg::FieldNameAndValue];
const LOOKUP: &[HostArg] = &[
    HostArg::FieldName,
    HostArg::FieldName,
    HostArg::Value,
    HostArg::FieldName,
];

/// Name, fewest and most arguments, and which of them are names.
const FUNCTIONS: &[(&str, usize, usize, &[HostArg])] = &[
    ("applymap", 2, 3, NAME),
    ("autonumber", 1, 2, &[]),
    ("autonumberhash128", 1, 64, &[]),
    ("autonumberhash256", 1, 64, &[]),
    ("documentname", 0, 0, &[]),
    ("documentpath", 0, 0, &[]),
    ("documenttitle", 0, 0, &[]),
    ("evaluate", 1, 1, &[]),
    ("exists", 1, 2, EXISTS),
    ("fieldindex", 2, 2, NAME),
    ("fieldname", 2, 2, NAME_SECOND),
    ("fieldnumber", 2, 2, LOOKUP),
    ("fieldvalue", 2, 2, NAME),
    ("fieldvaluecount", 1, 1, NAME),
    ("filebasename", 0, 0, &[]),
    ("filedir", 0, 0, &[]),
    ("fileextension", 0, 0, &[]),
    ("filename", 0, 0, &[]),
    ("filepath", 0, 0, &[]),
    ("filesize", 0, 1, &[]),
    ("filetime", 0, 1, &[]),
    ("ispartialreload", 0, 0, &[]),
    ("iterno", 0, 0, &[]),
    ("lookup", 3, 4, LOOKUP),
    ("mapsubstring", 2, 2, NAME),
    ("nooffields", 1, 1, NAME),
    ("noofrows", 1, 1, NAME),
    ("nooftables", 0, 0, &[]),
    ("osuser", 0, 0, &[]),
    ("peek", 1, 3, PEEK),
    ("previous", 1, 1, &[]),
    ("qvdcreatetime", 1, 1, &[]),
    ("qvdfieldname", 2, 2, &[]),
    ("qvdnooffields", 1, 1, &[]),
    ("qvdnoofrecords", 1, 1, &[]),
    ("qvdtablename", 1, 1, &[]),
    ("rand", 0, 0, &[]),
    ("recno", 0, 0, &[]),
    ("reloadtime", 0, 0, &[]),
    ("rowno", 0, 0, &[]),
    ("tablename", 1, 1, &[]),
    ("tablenumber", 1, 1, NAME),
];

/// The shape of a function, by its lower-case name.
pub(crate) fn shape(name: &str) -> Option<HostFunction> {
    let (_, least, most, args) = FUNCTIONS.iter().find(|f| f.0 == name)?;
    Some(HostFunction {
        least: *least,
        most: *most,
        args,
    })
}

/// The functions, in a load or outside one.
pub(crate) struct Host<'a> {
    pub(crate) around: &'a Surroundings<'a>,
    pub(crate) rows: Option<&'a Rows<'a>>,
}

impl HostFunctions for Host<'_> {
    fn call(&self, name: &str, args: &[Value]) -> Option<Value> {
        let text = |i: usize| args.get(i).map(Value::to_text).unwrap_or_default();
        let number = |i: usize| args.get(i).and_then(Value::as_num);
        let count = |n: usize| Value::num(n as f64);
        let tables = self.around.tables;
        Some(match name {
            "recno" => self.rows.map_or(Value::Null, |r| count(r.row.get() + 1)),
            "rowno" => self
                .rows
                .map_or(Value::Null, |r| count(r.out.borrow().n_rows() + 1)),
            "iterno" => self.rows.map_or(Value::Null, |r| count(r.turn.get())),
            "peek" => self.peek(&text(0), number(1).unwrap_or(-1.0), args.get(2)),
            "previous" => self.previous(number(0)),
            "evaluate" => match args {
                [text] if !text.is_null() => {
                    let context = EvalContext {
                        locale: self.around.locale,
                        now: self.around.now,
                        utc_offset: self.around.utc_offset,
                        host: None,
                        budget: Some(self.around.budget),
                    };
                    satchel_calc::evaluate_text(&text.to_text(), &context)
                }
                _ => Value::Null,
            },
            "exists" => Value::boolean(self.exists(&text(0), args.get(1))),
            "lookup" => self.lookup(&text(0), &text(1), args.get(2), &text(3)),
            "fieldvalue" => field_value(&self.values(&text(0)), number(1)),
            "fieldvaluecount" => {
                let values = self.values(&text(0));
                if values.is_empty() && !self.has_field(&text(0)) {
                    Value::Null
                } else {
                    count(values.len())
                }
            }
            "fieldindex" => {
                let wanted = args.get(1).cloned().unwrap_or(Value::Null);
                let values = self.values(&text(0));
                let found = values
                    .iter()
                    .position(|v| v.same_symbol(&wanted) || v.to_text() == wanted.to_text());
                count(found.map_or(0, |i| i + 1))
            }
            "noofrows" => self
                .table(&text(0))
                .map_or(Value::Null, |t| count(t.n_rows())),
            "nooffields" => self
                .table(&text(0))
                .map_or(Value::Null, |t| count(t.columns.len())),
            "nooftables" => count(self.visible().count()),
            "tablename" => nth(number(0), usize::MAX)
                .and_then(|i| self.visible().nth(i))
                .map_or(Value::Null, |t| Value::text(t.name.as_str())),
            "tablenumber" => self
                .visible()
                .position(|t| t.name == text(0))
                .map_or(Value::Null, count),
            "fieldname" => self.table(&text(1)).map_or(Value::Null, |t| {
                number(0)
                    .and_then(|n| nth(Some(n - 1.0), t.columns.len()))
                    .map_or(Value::Null, |i| Value::text(t.columns[i].name.as_str()))
            }),
            "fieldnumber" => self.table(&text(1)).map_or(Value::Null, |t| {
                count(t.column_index(&text(0)).map_or(0, |i| i + 1))
            }),
            "applymap" => {
                let key = args.get(1)?;
                let fallback = args.get(2).unwrap_or(key);
                match tables.maps.get(&text(0)) {
                    Some(map) => map.value(key).unwrap_or(fallback).clone(),
                    None => fallback.clone(),
                }
            }
            "mapsubstring" => match (tables.maps.get(&text(0)), args.get(1)?.as_text()) {
                (Some(map), Some(text)) => Value::text(replace_all(&text, &map.pairs)),
                (_, other) => other.map_or(Value::Null, |t| Value::text(t.as_ref())),
            },
            "autonumber" => self.auto_number(&text(0), &text(1)),
            "autonumberhash128" | "autonumberhash256" => {
                let key: Vec<String> = args.iter().map(Value::to_text).collect();
                self.auto_number(&key.join("\u{1f}"), name)
            }
            "rand" => Value::num(self.around.session.borrow_mut().rand()),
            "documentname" | "documentpath" | "documenttitle" => {
                Value::text(self.around.session.borrow().app_name.as_str())
            }
            "osuser" => Value::text(self.around.session.borrow().user.as_str()),
            "ispartialreload" => Value::boolean(self.around.is_partial),
            "filesize" => self
                .file_info(args.first())
                .map_or(Value::Null, |info| Value::num(info.n_bytes as f64)),
            "filetime" => self.file_info(args.first()).map_or(Value::Null, |info| {
                timestamp(info.modified, self.around.locale)
            }),
            "qvdcreatetime" => (self.qvd_info(&text(0)).and_then(|info| info.created))
                .map_or(Value::Null, |at| timestamp(at, self.around.locale)),
            "qvdfieldname" => (self.qvd_info(&text(0)))
                .and_then(|info| {
                    let at = nth(number(1).map(|n| n - 1.0), info.fields.len())?;
                    Some(Value::text(info.fields[at].as_str()))
                })
                .unwrap_or(Value::Null),
            "qvdnooffields" => {
                (self.qvd_info(&text(0))).map_or(Value::Null, |info| count(info.fields.len()))
            }
            "qvdnoofrecords" => {
                (self.qvd_info(&text(0))).map_or(Value::Null, |info| Value::num(info.n_rows as f64))
            }
            "qvdtablename" => {
                (self.qvd_info(&text(0))).map_or(Value::Null, |info| Value::text(info.table))
            }
            "reloadtime" => timestamp(self.around.now, self.around.locale),
            "filepath" => self.file(|f| f.to_owned()),
            "filename" => self.file(|f| file_name(f).to_owned()),
            "filebasename" => self.file(|f| {
                file_name(f)
                    .rsplit_once('.')
                    .map_or(file_name(f), |(b, _)| b)
                    .to_owned()
            }),
            "fileextension" => self.file(|f| {
                file_name(f)
                    .rsplit_once('.')
                    .map_or("", |(_, e)| e)
                    .to_owned()
            }),
            "filedir" => self.file(|f| {
                f[..f.len() - file_name(f).len()]
                    .trim_end_matches('/')
                    .to_owned()
            }),
            _ => return None,
        })
    }
}

impl Host<'_> {
    fn visible(&self) -> impl Iterator<Item = &Frame> {
        self.around.tables.visible(self.around.section)
    }

    fn table(&self, name: &str) -> Option<&Frame> {
        self.visible().find(|t| t.name == name)
    }

    fn file(&self, part: impl Fn(&str) -> String) -> Value {
        if self.around.file.is_empty() {
            Value::Null
        } else {
            Value::text(part(self.around.file))
        }
    }

    /// The file of an argument or, without one, the file being read.
    fn file_info(&self, path: Option<&Value>) -> Option<FileInfo> {
        let path = path.map_or_else(|| self.around.file.to_owned(), Value::to_text);
        self.around.files.file_info(&path, self.around.directory)
    }

    fn qvd_info(&self, path: &str) -> Option<QvdInfo> {
        self.around.files.qvd_info(path, self.around.directory)
    }

    /// Row `at` of a field: from 0, or from the end for negative numbers. Without a table it
    /// is the one being loaded, else the one loaded last.
    fn peek(&self, field: &str, at: f64, table: Option<&Value>) -> Value {
        let look = |frame: &Frame| {
            let n_rows = frame.n_rows() as f64;
            let row = if at < 0.0 { n_rows + at } else { at };
            if !(0.0..n_rows).contains(&row) {
                return Value::Null;
            }
            frame
                .column_index(field)
                .map_or(Value::Null, |c| frame.columns[c].value(row as usize))
        };
        match (table, self.rows) {
            (Some(table), _) => self.table(&table.to_text()).map_or(Value::Null, look),
            (None, Some(rows)) => look(&rows.out.borrow()),
            (None, None) => self.visible().last().map_or(Value::Null, look),
        }
    }

    fn previous(&self, number: Option<f64>) -> Value {
        let (Some(rows), Some(number)) = (self.rows, number) else {
            return Value::Null;
        };
        let (Some(program), Some(row)) =
            (rows.previous.get(number as usize), rows.previous_row.get())
        else {
            return Value::Null;
        };
        let values = OneRow(&rows.source.frame, row);
        self.around.eval(program, &values, None)
    }

    fn has_field(&self, name: &str) -> bool {
        self.visible().any(|t| t.column_index(name).is_some())
    }

    fn exists(&self, field: &str, value: Option<&Value>) -> bool {
        let Some(key) = value.and_then(SymbolKey::of) else {
            return false;
        };
        let Some(rows) = self.rows else {
            return self
                .values(field)
                .iter()
                .any(|v| SymbolKey::of(v).as_ref() == Some(&key));
        };
        let mut known = rows.known.borrow_mut();
        if !known.contains_key(field) {
            let mut set: FxHashSet<SymbolKey> = FxHashSet::default();
            set.extend(self.values(field).iter().filter_map(SymbolKey::of));
            let out = rows.out.borrow();
            if let Some(c) = out.column_index(field) {
                set.extend(
                    out.columns[c]
                        .dict
                        .values()
                        .iter()
                        .filter_map(SymbolKey::of),
                );
            }
            known.insert(field.to_owned(), set);
        }
        known.get(field).is_some_and(|set| set.contains(&key))
    }

    /// The distinct values of a field over all tables, in order of first appearance.
    fn values(&self, field: &str) -> Vec<Value> {
        let mut seen = FxHashSet::default();
        let mut out = Vec::new();
        for table in self.visible() {
            if let Some(c) = table.column_index(field) {
                for value in table.columns[c].dict.values() {
                    if SymbolKey::of(value).is_some_and(|key| seen.insert(key)) {
                        out.push(value.clone());
                    }
                }
            }
        }
        out
    }

    fn lookup(&self, field: &str, key: &str, value: Option<&Value>, table: &str) -> Value {
        let Some(value) = value else {
            return Value::Null;
        };
        let search = |frame: &Frame| {
            let (Some(key), Some(field)) = (frame.column_index(key), frame.column_index(field))
            else {
                return Value::Null;
            };
            (0..frame.n_rows())
                .find(|row| frame.columns[key].value(*row).same_symbol(value))
                .map_or(Value::Null, |row| frame.columns[field].value(row))
        };
        match (table, self.rows) {
            ("", Some(rows)) => search(&rows.out.borrow()),
            _ => self.table(table).map_or(Value::Null, search),
        }
    }

    fn auto_number(&self, key: &str, counter: &str) -> Value {
        let mut session = self.around.session.borrow_mut();
        let numbers = session.numbers.entry(counter.to_owned()).or_default();
        let next = numbers.len() as u64 + 1;
        let number = *numbers.entry(key.to_owned()).or_insert(next);
        Value::num(number as f64)
    }
}

fn field_value(values: &[Value], number: Option<f64>) -> Value {
    number
        .and_then(|n| nth(Some(n - 1.0), values.len()))
        .map_or(Value::Null, |i| values[i].clone())
}

/// A whole number as an index below `len`.
fn nth(number: Option<f64>, len: usize) -> Option<usize> {
    let number = number?.trunc();
    (0.0..len as f64)
        .contains(&number)
        .then_some(number as usize)
}

/// A point in time as `TimestampFormat` shows it.
fn timestamp(serial: f64, locale: &Locale) -> Value {
    let pattern = locale
        .get("TimestampFormat")
        .unwrap_or("YYYY-MM-DD hh:mm:ss");
    match format_date(serial, pattern, locale) {
        Some(text) => Value::dual(serial, text),
        None => Value::num(serial),
    }
}

fn file_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

/// Replaces every key by its value, from left to right; at a place the first key counts.
fn replace_all(text: &str, pairs: &[(String, Value)]) -> String {
    let mut out = String::new();
    let mut rest = text;
    'places: while let Some(first) = rest.chars().next() {
        for (key, value) in pairs {
            if !key.is_empty()
                && let Some(after) = rest.strip_prefix(key.as_str())
            {
                out.push_str(&value.to_text());
                rest = after;
                continue 'places;
            }
        }
        out.push(first);
        rest = &rest[first.len_utf8()..];
    }
    out
}

#[cfg(test)]
mod tests {
    use satchel_calc::{ElsewhereKind, functions_elsewhere};

    use super::*;

    #[test]
    fn functions_of_scripts_are_in_the_reference() {
        for (name, ..) in FUNCTIONS {
            let known = functions_elsewhere().iter().find(|known| {
                known
                    .signature
                    .split_once('(')
                    .is_some_and(|(known, _)| known.eq_ignore_ascii_case(name))
            });
            let known = known.map(|known| known.kind);
            assert_eq!(known, Some(ElsewhereKind::Script), "{name}");
        }
    }
}
