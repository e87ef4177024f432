//! From frames to a model: one symbol table a field, canonical numbering, packing.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::dict::SymbolIndex;
use crate::model::{
    Aside, Column, Field, FieldId, FieldKind, Model, ModelNote, Table, TableId, TableKind,
};
use crate::symbols::{Symbols, TooLarge};
use crate::{Codes, Dict, Frame, FrameColumn, NULL_CODE, Value, loops, synthetic};

/// Builds a [`Model`] from finished frames.
#[derive(Debug, Default)]
pub struct ModelBuilder {
    frames: Vec<Frame>,
    loose: Vec<String>,
    tags: FxHashMap<String, Vec<String>>,
}

impl ModelBuilder {
    /// A builder without tables.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a table. Frames without columns are dropped.
    #[must_use]
    pub fn table(mut self, frame: Frame) -> Self {
        if !frame.columns.is_empty() {
            self.frames.push(frame);
        }
        self
    }

    /// Makes the table called `name` loosely coupled.
    #[must_use]
    pub fn loosen(mut self, name: impl Into<String>) -> Self {
        self.loose.push(name.into());
        self
    }

    /// Tags a field.
    #[must_use]
    pub fn tag(mut self, field: impl Into<String>, tag: impl Into<String>) -> Self {
        self.tags.entry(field.into()).or_default().push(tag.into());
        self
    }

    /// Unites the frames' values, resolves synthetic keys and loops, and packs everything.
    ///
    /// # Errors
    /// [`TooLarge`] if a field's symbols do not fit.
    pub fn build(self) -> Result<Model, TooLarge> {
        let mut draft = Draft::unite(self.frames);
        for field in &mut draft.fields {
            if let Some(tags) = self.tags.get(&field.name) {
                field.tags.clone_from(tags);
            }
        }
        for table in &mut draft.tables {
            table.loose = self.loose.contains(&table.name);
        }
        let mut notes = synthetic::resolve(&mut draft);
        notes.extend(loops::resolve(&mut draft));
        draft.finish(notes)
    }
}

/// A field of a [`Draft`].
#[derive(Debug)]
pub(crate) struct DraftField {
    pub name: String,
    pub kind: FieldKind,
    /// Distinct symbols, in any order. Unused for synthetic and hidden fields.
    pub values: Dict,
    /// How many symbols there are.
    pub n_symbols: usize,
    pub tags: Vec<String>,
}

/// A column of a [`Draft`].
#[derive(Clone, Debug)]
pub(crate) struct DraftColumn {
    pub field: usize,
    /// A symbol of the field, or [`NULL_CODE`].
    pub codes: Vec<u32>,
    /// The text each row shows; only where the field has symbols with several texts.
    pub texts: Option<Vec<Arc<str>>>,
}

/// A table of a [`Draft`].
#[derive(Debug)]
pub(crate) struct DraftTable {
    pub name: String,
    pub kind: TableKind,
    pub loose: bool,
    pub n_rows: usize,
    pub columns: Vec<DraftColumn>,
    /// Columns that synthetic keys have taken out, kept for their texts.
    pub aside: Vec<DraftColumn>,
}

/// A model that is not numbered or packed yet.
#[derive(Debug, Default)]
pub(crate) struct Draft {
    pub fields: Vec<DraftField>,
    pub tables: Vec<DraftTable>,
}

impl Draft {
    fn unite(frames: Vec<Frame>) -> Self {
        let mut draft = Self::default();
        let mut by_name: FxHashMap<String, usize> = FxHashMap::default();
        // Made for fields whose values must be compared.
        let mut indexes: Vec<Option<SymbolIndex>> = Vec::new();
        let mut spelled: Vec<bool> = Vec::new();
        // Columns as they came, as long as it is not known whether their texts are needed.
        let mut as_loaded = Vec::new();
        for frame in frames {
            let n_rows = frame.n_rows();
            let mut columns = Vec::new();
            for column in frame.columns {
                let field = *by_name.entry(column.name.clone()).or_insert_with(|| {
                    draft.fields.push(DraftField {
                        name: column.name.clone(),
                        kind: FieldKind::Data,
                        values: Dict::default(),
                        n_symbols: 0,
                        tags: Vec::new(),
                    });
                    indexes.push(None);
                    spelled.push(false);
                    draft.fields.len() - 1
                });
                let place = (draft.tables.len(), columns.len());
                let known = &mut draft.fields[field].values;
                let FrameColumn { dict, codes, .. } = column;
                let codes = match unite_values(known, &mut indexes[field], &dict) {
                    // A dictionary that is taken over says all that there is to say.
                    None => codes,
                    Some((map, is_spelled)) => {
                        spelled[field] |= is_spelled;
                        let symbols = codes.iter().map(|c| map.get(*c as usize).copied());
                        let symbols = symbols.map(|c| c.unwrap_or(NULL_CODE)).collect();
                        as_loaded.push((place, dict, Some(codes)));
                        columns.push(DraftColumn {
                            field,
                            codes: symbols,
                            texts: None,
                        });
                        continue;
                    }
                };
                as_loaded.push((place, dict, None));
                columns.push(DraftColumn {
                    field,
                    codes,
                    texts: None,
                });
            }
            draft.tables.push(DraftTable {
                name: frame.name,
                kind: TableKind::Data,
                loose: false,
                n_rows,
                columns,
                aside: Vec::new(),
            });
        }
        for ((table, at), dict, codes) in as_loaded {
            let column = &mut draft.tables[table].columns[at];
            if spelled[column.field] {
                let texts: Vec<Arc<str>> = dict
                    .values()
                    .iter()
                    .map(|v| Arc::from(v.to_text()))
                    .collect();
                let empty: Arc<str> = Arc::from("");
                let codes = codes.as_ref().unwrap_or(&column.codes);
                column.texts = Some(
                    codes
                        .iter()
                        .map(|c| texts.get(*c as usize).unwrap_or(&empty).clone())
                        .collect(),
                );
            }
        }
        for field in &mut draft.fields {
            field.n_symbols = field.values.len();
        }
        draft
    }

    /// Whether the columns of a field tell the text of each row.
    pub(crate) fn is_spelled(&self, field: usize) -> bool {
        let mut columns = self.tables.iter().flat_map(|t| &t.columns);
        columns.any(|c| c.field == field && c.texts.is_some())
    }

    /// Numbers symbols by first appearance, drops unused ones, packs.
    pub(crate) fn finish(self, notes: Vec<ModelNote>) -> Result<Model, TooLarge> {
        let Self {
            fields: draft_fields,
            tables: draft_tables,
        } = self;
        let mut new_code: Vec<Vec<u32>> = draft_fields
            .iter()
            .map(|f| vec![NULL_CODE; f.n_symbols])
            .collect();
        let mut order: Vec<Vec<u32>> = vec![Vec::new(); draft_fields.len()];
        let mut texts: Vec<FxHashMap<u32, Vec<Arc<str>>>> =
            vec![FxHashMap::default(); draft_fields.len()];
        for column in draft_tables.iter().flat_map(|t| &t.columns) {
            let (map, order) = (&mut new_code[column.field], &mut order[column.field]);
            for code in &column.codes {
                if let Some(slot) = map.get_mut(*code as usize)
                    && *slot == NULL_CODE
                {
                    *slot = order.len() as u32;
                    order.push(*code);
                }
            }
        }
        let columns = draft_tables.iter().flat_map(|t| &t.columns);
        for column in columns.chain(draft_tables.iter().flat_map(|t| &t.aside)) {
            if let Some(row_texts) = &column.texts {
                let seen = &mut texts[column.field];
                for (code, text) in column.codes.iter().zip(row_texts) {
                    if *code != NULL_CODE {
                        let known = seen.entry(*code).or_default();
                        if !known.contains(text) {
                            known.push(text.clone());
                        }
                    }
                }
            }
        }
        let mut fields = Vec::with_capacity(draft_fields.len());
        let mut spelling_of: Vec<FxHashMap<Arc<str>, u32>> = Vec::new();
        for (i, draft) in draft_fields.into_iter().enumerate() {
            let symbols = match draft.kind {
                FieldKind::Data if texts[i].is_empty() => {
                    let all_in_place = order[i].len() == draft.n_symbols
                        && order[i]
                            .iter()
                            .enumerate()
                            .all(|(new, old)| new == *old as usize);
                    Symbols::from_dict(draft.values, (!all_in_place).then_some(&order[i]))?
                }
                FieldKind::Data => {
                    let value = |old: &u32| {
                        let value = draft.values.value(*old);
                        match (value.as_num(), texts[i].get(old).and_then(|t| t.first())) {
                            (Some(num), Some(first)) => Value::dual(num, first.clone()),
                            _ => value,
                        }
                    };
                    let values: Vec<Value> = order[i].iter().map(value).collect();
                    Symbols::from_values(&values)?
                }
                FieldKind::Synthetic | FieldKind::Hidden => {
                    let values: Vec<Value> = (0..order[i].len())
                        .map(|code| Value::Num(code as f64))
                        .collect();
                    Symbols::from_values(&values)?
                }
            };
            let mut spellings = Vec::new();
            let mut positions = FxHashMap::default();
            for old in &order[i] {
                for text in texts[i]
                    .get(old)
                    .filter(|t| t.len() > 1)
                    .into_iter()
                    .flatten()
                {
                    positions.entry(text.clone()).or_insert_with(|| {
                        spellings.push(text.clone());
                        spellings.len() as u32
                    });
                }
            }
            spelling_of.push(positions);
            fields.push(Field {
                name: if draft.kind == FieldKind::Hidden {
                    String::new()
                } else {
                    draft.name
                },
                kind: draft.kind,
                symbols: Arc::new(symbols),
                spellings: spellings.into(),
                columns: Vec::new(),
                tags: draft.tags,
            });
        }
        let mut tables = Vec::with_capacity(draft_tables.len());
        for (t, draft) in draft_tables.into_iter().enumerate() {
            let mut columns = Vec::with_capacity(draft.columns.len());
            for (c, column) in draft.columns.into_iter().enumerate() {
                let field = &mut fields[column.field];
                field.columns.push((TableId(t as u32), c));
                let (map, null) = (&new_code[column.field], field.symbols.null_code());
                let spellings = row_spellings(&column, &fields, &texts, &spelling_of);
                let mut codes = column.codes;
                for code in &mut codes {
                    *code = map.get(*code as usize).copied().unwrap_or(null);
                }
                columns.push(Column::new(
                    FieldId(column.field as u32),
                    Codes::pack(&codes),
                    spellings,
                ));
            }
            let aside = draft.aside.iter().filter_map(|column| {
                Some(Aside {
                    field: FieldId(column.field as u32),
                    spellings: Arc::new(row_spellings(column, &fields, &texts, &spelling_of)?),
                })
            });
            let aside = aside.collect();
            tables.push(Table {
                name: draft.name,
                kind: draft.kind,
                loose: draft.loose,
                n_rows: draft.n_rows,
                columns,
                aside,
            });
        }
        let by_name = fields
            .iter()
            .enumerate()
            .filter(|(_, f)| f.kind != FieldKind::Hidden)
            .map(|(i, f)| (f.name.clone(), FieldId(i as u32)))
            .collect();
        Ok(Model {
            fields,
            tables,
            notes,
            by_name,
            derived: Arc::default(),
            beside: Arc::default(),
        })
    }
}

/// Enters the values of a column into those `known` of its field. `None` if they are taken over
/// as they are; otherwise the symbol of each, and whether any shows another text than its symbol.
fn unite_values(
    known: &mut Dict,
    index: &mut Option<SymbolIndex>,
    dict: &Dict,
) -> Option<(Vec<u32>, bool)> {
    if known.is_empty() && index.is_none() {
        // Numbers that show nothing else and texts without numbers are distinct as they are.
        let is_plain = !dict.has_texts() || dict.nums().iter().all(|num| num.is_nan());
        if dict.is_distinct() && is_plain {
            known.clone_from(dict);
            return None;
        }
        let mut found = SymbolIndex::default();
        let mut all = 0..dict.len() as u32;
        let mut is_new = |code| !dict.is_null(code) && found.entry(dict, code) == code;
        if all.all(&mut is_new) {
            known.clone_from(dict);
            *index = Some(found);
            return None;
        }
    }
    let index = index.get_or_insert_with(|| {
        let mut index = SymbolIndex::default();
        for code in 0..known.len() as u32 {
            index.entry(known, code);
        }
        index
    });
    let mut is_spelled = false;
    let mut symbol_of = Vec::with_capacity(dict.len());
    for code in 0..dict.len() as u32 {
        if dict.is_null(code) {
            symbol_of.push(NULL_CODE);
            continue;
        }
        let symbol = match index.find(known, dict, code) {
            Some(symbol) => {
                is_spelled |= known.own_text(symbol) != dict.own_text(code);
                symbol
            }
            None => {
                let num = dict.nums()[code as usize];
                let num = (!num.is_nan()).then_some(num);
                known.push_distinct(num, dict.own_text(code));
                index.entry(known, known.len() as u32 - 1)
            }
        };
        symbol_of.push(symbol);
    }
    Some((symbol_of, is_spelled))
}

/// By row of a column: 0, or 1 + the position of its text among the field's spellings.
fn row_spellings(
    column: &DraftColumn,
    fields: &[Field],
    texts: &[FxHashMap<u32, Vec<Arc<str>>>],
    positions: &[FxHashMap<Arc<str>, u32>],
) -> Option<Codes> {
    let rows = column.texts.as_ref()?;
    if fields[column.field].spellings.is_empty() {
        return None;
    }
    let (seen, positions) = (&texts[column.field], &positions[column.field]);
    let several = |code: &u32| seen.get(code).is_some_and(|known| known.len() > 1);
    let spelled = column
        .codes
        .iter()
        .zip(rows)
        .map(|(old, text)| match several(old) {
            true => positions.get(text).copied().unwrap_or(0),
            false => 0,
        });
    Some(Codes::pack(&spelled.collect::<Vec<_>>()))
}
