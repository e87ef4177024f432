//! Everything a run has loaded so far.

use rustc_hash::FxHashMap;
use satchel_data::{Frame, SymbolKey, Value};

use crate::symbol_filter::forget_unused;

/// The name space a table belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) enum Section {
    #[default]
    Application,
    Access,
}

/// A finished table.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) frame: Frame,
    pub(crate) section: Section,
}

/// A mapping table.
#[derive(Debug, Default)]
pub(crate) struct Map {
    by_symbol: FxHashMap<SymbolKey, Value>,
    by_text: FxHashMap<String, Value>,
    /// Texts in load order, for `MapSubstring`.
    pub(crate) pairs: Vec<(String, Value)>,
}

impl Map {
    /// The first two columns of `frame`; the first row with a key counts.
    pub(crate) fn of(frame: &Frame) -> Self {
        let mut map = Self::default();
        for row in 0..frame.n_rows() {
            let key = frame.columns[0].value(row);
            let value = frame.columns.get(1).map_or(Value::Null, |c| c.value(row));
            if let Some(symbol) = SymbolKey::of(&key) {
                map.by_symbol.entry(symbol).or_insert_with(|| value.clone());
                let text = key.to_text();
                if !map.by_text.contains_key(&text) {
                    map.pairs.push((text.clone(), value.clone()));
                    map.by_text.insert(text, value);
                }
            }
        }
        map
    }

    /// What `key` maps to: by symbol, else by text.
    pub(crate) fn value(&self, key: &Value) -> Option<&Value> {
        let symbol = SymbolKey::of(key)?;
        self.by_symbol
            .get(&symbol)
            .or_else(|| self.by_text.get(key.as_text()?.as_ref()))
    }
}

/// Tables of both sections in load order, and mapping tables.
#[derive(Debug, Default)]
pub(crate) struct Tables {
    pub(crate) list: Vec<Loaded>,
    pub(crate) maps: FxHashMap<String, Map>,
}

impl Tables {
    /// The position of the table `name` of `section`. In the access section all names are
    /// upper case, however a script writes them.
    pub(crate) fn position(&self, name: &str, section: Section) -> Option<usize> {
        let upper = (section == Section::Access).then(|| name.to_uppercase());
        let name = upper.as_deref().unwrap_or(name);
        self.list
            .iter()
            .position(|t| t.section == section && t.frame.name == name)
    }

    /// The tables that statements and functions of `section` see: the access section sees
    /// all, the application section only its own.
    pub(crate) fn visible(&self, section: Section) -> impl Iterator<Item = &Frame> {
        (self.list.iter())
            .filter(move |t| section == Section::Access || t.section == section)
            .map(|t| &t.frame)
    }

    /// A name that no table of `section` has: `wanted`, or `wanted-1`, `wanted-2` …
    pub(crate) fn free_name(&self, wanted: &str, section: Section) -> String {
        let mut name = wanted.to_owned();
        let mut n = 0;
        while self.position(&name, section).is_some() {
            n += 1;
            name = format!("{wanted}-{n}");
        }
        name
    }

    /// The position of a table of `section` whose fields are exactly those of `frame`, in any
    /// order.
    pub(crate) fn with_same_fields(&self, frame: &Frame, section: Section) -> Option<usize> {
        self.list.iter().position(|t| {
            t.section == section
                && t.frame.columns.len() == frame.columns.len()
                && frame.columns.iter().all(|c| match section {
                    Section::Application => t.frame.column_index(&c.name).is_some(),
                    Section::Access => t.frame.column_index(&c.name.to_uppercase()).is_some(),
                })
        })
    }
}

/// Appends the rows of `more` to `target`: columns by name, missing cells NULL.
pub(crate) fn append(target: &mut Frame, more: Frame) {
    let before = target.n_rows();
    let n_more = more.n_rows();
    for column in more.columns {
        let at = match target.column_index(&column.name) {
            Some(at) => at,
            None => {
                let mut fresh = satchel_data::FrameColumn::new(column.name.clone());
                fresh.codes = vec![satchel_data::NULL_CODE; before];
                target.columns.push(fresh);
                target.columns.len() - 1
            }
        };
        let into = &mut target.columns[at];
        let map: Vec<u32> = column
            .dict
            .values()
            .iter()
            .map(|v| into.dict.intern(v))
            .collect();
        into.codes.extend(column.codes.iter().map(|c| {
            map.get(*c as usize)
                .copied()
                .unwrap_or(satchel_data::NULL_CODE)
        }));
    }
    for column in &mut target.columns {
        column
            .codes
            .resize(before + n_more, satchel_data::NULL_CODE);
    }
}

/// The rows of `frame` at `rows`, in that order, and of their values no more.
pub(crate) fn gather(frame: &Frame, rows: &[u32]) -> Frame {
    let mut out = frame.clone();
    for column in &mut out.columns {
        column.codes = rows
            .iter()
            .map(|r| {
                column
                    .codes
                    .get(*r as usize)
                    .copied()
                    .unwrap_or(satchel_data::NULL_CODE)
            })
            .collect();
        forget_unused(column);
    }
    out
}
