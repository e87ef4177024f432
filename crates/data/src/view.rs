//! What one subject may see of a model.
//!
//! A view made by masking a shared model and an unrestricted view of the physically reduced
//! model answer every question alike. Therefore element numbers, texts, cardinalities and
//! tags are derived from visible rows only, in the order of their first appearance.

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use rustc_hash::FxHashMap;

use crate::model::{FieldId, FieldKind, Model, TableId};
use crate::view_order::{Ordered, by_visible_rows};
use crate::{BitSet, Value, number_text};

/// Element number of codes that are not visible.
const NO_ELEM: u32 = u32::MAX;

/// A model as one subject sees it. Restricted views are made in the access room only.
#[derive(Debug)]
pub struct View {
    model: Arc<Model>,
    /// By table; `None` where all rows are visible.
    rows: Vec<Option<Arc<BitSet>>>,
    /// By table: whether all its rows are visible and in the order they were loaded.
    whole: Vec<bool>,
    /// By field.
    omitted: Vec<bool>,
    /// By field; filled when first asked for.
    elements: Vec<OnceLock<Elements>>,
    facts: Vec<OnceLock<FieldFacts>>,
}

/// The numbering of one field's visible values.
#[derive(Debug)]
enum Elements {
    /// Everything is visible: element number = code.
    Same,
    /// Some is hidden.
    Renumbered {
        code_of: Vec<u32>,
        elem_of: Vec<u32>,
        /// Codes whose first visible text is not the symbol's own.
        texts: FxHashMap<u32, Arc<str>>,
    },
}

/// What a list of fields tells about one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldFacts {
    /// Rows with a value, over all tables the field is in.
    pub n_present: u64,
    /// All visible rows of the tables the field is in.
    pub n_rows: u64,
    /// `$numeric`, `$integer`, `$text`, `$ascii`, `$key`, `$synthetic`, then the script's own.
    pub tags: Vec<String>,
}

impl View {
    /// All of `model`. For a model that holds only what its reader may see: a reduced one, or
    /// an app without section access.
    pub fn unrestricted(model: Arc<Model>) -> Self {
        let rows = vec![None; model.tables().len()];
        Self::restricted(model, rows, &[])
    }

    /// `model` with only the rows in `rows` (by table, `None` for all) and without the fields
    /// in `omit`. The caller promises that the rows are closed under association: a visible
    /// row's partners are visible, as [`View::row_is_visible`] is all that is checked later.
    pub fn restricted(model: Arc<Model>, rows: Vec<Option<BitSet>>, omit: &[FieldId]) -> Self {
        let mut omitted: Vec<bool> = model
            .fields()
            .iter()
            .map(|f| f.kind == FieldKind::Hidden)
            .collect();
        for field in omit {
            omitted[field.index()] = true;
        }
        let n = model.fields().len();
        let rows: Vec<_> = rows
            .into_iter()
            .map(|mask| mask.filter(|set| !set.is_full()))
            .collect();
        let Ordered {
            model,
            rows,
            changed,
        } = by_visible_rows(model, rows);
        let tables = rows.iter().zip(&changed);
        Self {
            whole: tables.map(|(mask, c)| mask.is_none() && !c).collect(),
            model,
            rows: rows.into_iter().map(|mask| mask.map(Arc::new)).collect(),
            omitted,
            elements: (0..n).map(|_| OnceLock::new()).collect(),
            facts: (0..n).map(|_| OnceLock::new()).collect(),
        }
    }

    /// The model beneath; its synthetic tables are the view's own. Code that answers a subject must not read names, symbols or rows
    /// from it without asking this view whether they are visible.
    pub fn model(&self) -> &Arc<Model> {
        &self.model
    }

    /// Whether any row or field is hidden by this view.
    pub fn is_restricted(&self) -> bool {
        self.rows.iter().any(Option::is_some)
            || self
                .omitted
                .iter()
                .zip(self.model.fields())
                .any(|(o, f)| *o && f.kind != FieldKind::Hidden)
    }

    /// Visible rows of a table; `None` when all are.
    pub fn row_mask(&self, table: TableId) -> Option<&BitSet> {
        self.rows[table.index()].as_deref()
    }

    /// As [`Self::row_mask`], shared.
    pub fn shared_mask(&self, table: TableId) -> Option<&Arc<BitSet>> {
        self.rows[table.index()].as_ref()
    }

    /// Whether a row is visible.
    #[inline]
    pub fn row_is_visible(&self, table: TableId, row: u32) -> bool {
        self.rows[table.index()]
            .as_ref()
            .is_none_or(|set| set.contains(row as usize))
    }

    /// How many rows of a table are visible.
    pub fn n_rows(&self, table: TableId) -> usize {
        match &self.rows[table.index()] {
            Some(set) => set.count(),
            None => self.model.table(table).n_rows,
        }
    }

    /// The visible fields, in model order.
    pub fn fields(&self) -> impl Iterator<Item = FieldId> + '_ {
        (0..self.model.fields().len() as u32)
            .map(FieldId)
            .filter(|f| self.is_visible(*f))
    }

    /// Whether a field exists for this subject.
    pub fn is_visible(&self, field: FieldId) -> bool {
        !self.omitted[field.index()]
    }

    /// The visible field called exactly `name`. An omitted field and one that never existed
    /// give the same answer.
    pub fn field_by_name(&self, name: &str) -> Option<FieldId> {
        self.model
            .field_by_name(name)
            .filter(|f| self.is_visible(*f))
    }

    /// The tables that have a visible field, in model order.
    pub fn tables(&self) -> impl Iterator<Item = TableId> + '_ {
        (0..self.model.tables().len() as u32)
            .map(TableId)
            .filter(|t| {
                self.model
                    .table(*t)
                    .columns
                    .iter()
                    .any(|c| self.is_visible(c.field))
            })
    }

    /// How many distinct values of a field are visible.
    pub fn cardinality(&self, field: FieldId) -> usize {
        match self.elements(field) {
            Elements::Same => self.model.field(field).symbols.len(),
            Elements::Renumbered { code_of, .. } => code_of.len(),
        }
    }

    /// The model's code of element number `elem`; none past the last.
    pub fn code_of(&self, field: FieldId, elem: u32) -> Option<u32> {
        match self.elements(field) {
            Elements::Same => {
                ((elem as usize) < self.model.field(field).symbols.len()).then_some(elem)
            }
            Elements::Renumbered { code_of, .. } => code_of.get(elem as usize).copied(),
        }
    }

    /// The element number of a code; none if no visible row has it, or for NULL.
    pub fn elem_of(&self, field: FieldId, code: u32) -> Option<u32> {
        match self.elements(field) {
            Elements::Same => {
                ((code as usize) < self.model.field(field).symbols.len()).then_some(code)
            }
            Elements::Renumbered { elem_of, .. } => elem_of
                .get(code as usize)
                .copied()
                .filter(|e| *e != NO_ELEM),
        }
    }

    /// The visible codes of a field, by element number.
    pub fn codes(&self, field: FieldId) -> Cow<'_, [u32]> {
        match self.elements(field) {
            Elements::Same => (0..self.model.field(field).symbols.len() as u32).collect(),
            Elements::Renumbered { code_of, .. } => Cow::Borrowed(code_of),
        }
    }

    /// The number of a symbol, by code; NaN if it has none. For synthetic keys: its element
    /// number.
    pub fn num(&self, field: FieldId, code: u32) -> f64 {
        let data = self.model.field(field);
        match data.kind {
            FieldKind::Data => data.symbols.num(code),
            FieldKind::Synthetic | FieldKind::Hidden => {
                self.elem_of(field, code).map_or(f64::NAN, f64::from)
            }
        }
    }

    /// The text of a symbol, by code: the first text among visible rows. Empty for NULL.
    pub fn text(&self, field: FieldId, code: u32) -> Cow<'_, str> {
        let data = self.model.field(field);
        match (data.kind, self.elements(field)) {
            (FieldKind::Data, Elements::Renumbered { texts, .. }) => match texts.get(&code) {
                Some(text) => Cow::Borrowed(text),
                None => data.symbols.text(code),
            },
            (FieldKind::Data, Elements::Same) => data.symbols.text(code),
            (FieldKind::Synthetic | FieldKind::Hidden, _) => self
                .elem_of(field, code)
                .map_or_else(String::new, |e| number_text(f64::from(e)))
                .into(),
        }
    }

    /// The symbol as a value, by code; NULL for NULL's code.
    pub fn value(&self, field: FieldId, code: u32) -> Value {
        let data = self.model.field(field);
        if data.kind != FieldKind::Data {
            return self
                .elem_of(field, code)
                .map_or(Value::Null, |e| Value::Num(f64::from(e)));
        }
        if let Elements::Renumbered { texts, .. } = self.elements(field)
            && let Some(text) = texts.get(&code)
        {
            return Value::dual(data.symbols.num(code), text.clone());
        }
        data.symbols.value(code)
    }

    /// Counts and tags of a field, from visible rows.
    pub fn facts(&self, field: FieldId) -> &FieldFacts {
        self.facts[field.index()].get_or_init(|| self.derive_facts(field))
    }

    /// Whether the rows or texts of this field differ from the model's own.
    fn elements(&self, field: FieldId) -> &Elements {
        self.elements[field.index()].get_or_init(|| self.derive_elements(field))
    }

    fn derive_elements(&self, field: FieldId) -> Elements {
        let data = self.model.field(field);
        if data.columns.iter().all(|(t, _)| self.whole[t.index()]) {
            return Elements::Same;
        }
        let n = data.symbols.len();
        let mut elem_of = vec![NO_ELEM; n];
        let mut code_of = Vec::new();
        let mut texts = FxHashMap::default();
        for (table, at) in &data.columns {
            let column = &self.model.table(*table).columns[*at];
            // Says whether there is more to see.
            let mut see = |row: usize, code: u32| {
                if let Some(slot) = elem_of.get_mut(code as usize)
                    && *slot == NO_ELEM
                {
                    *slot = code_of.len() as u32;
                    code_of.push(code);
                    let spelling = column.spellings.as_ref().map_or(0, |s| s.at(row) as usize);
                    if let Some(text) = data.spellings.get(spelling.wrapping_sub(1))
                        && **text != *data.symbols.text(code)
                    {
                        texts.insert(code, text.clone());
                    }
                }
                code_of.len() < n
            };
            let mut more = true;
            match &self.rows[table.index()] {
                Some(set) => more = set.iter().all(|row| see(row, column.codes.at(row))),
                None => column.codes.for_each_block(|start, block| {
                    more = more && (start..).zip(block).all(|(row, code)| see(row, *code));
                }),
            }
            if !more {
                break;
            }
        }
        Elements::Renumbered {
            code_of,
            elem_of,
            texts,
        }
    }

    fn derive_facts(&self, field: FieldId) -> FieldFacts {
        let data = self.model.field(field);
        let null = data.symbols.null_code();
        let mut facts = FieldFacts::default();
        for (table, at) in &data.columns {
            let codes = &self.model.table(*table).columns[*at].codes;
            facts.n_rows += self.n_rows(*table) as u64;
            match &self.rows[table.index()] {
                Some(set) => {
                    facts.n_present += set.iter().filter(|r| codes.at(*r) != null).count() as u64;
                }
                None => codes.for_each_block(|_, block| {
                    facts.n_present += block.iter().filter(|c| **c != null).count() as u64;
                }),
            }
        }
        let codes = self.codes(field);
        let (mut numeric, mut integer, mut text, mut ascii) = (true, true, true, true);
        for code in codes.iter() {
            let num = self.num(field, *code);
            numeric &= !num.is_nan();
            integer &= num == num.trunc();
            text &= num.is_nan();
            ascii &= text && self.text(field, *code).is_ascii();
        }
        let mut tag = |wanted: bool, name: &str| {
            if wanted {
                facts.tags.push(name.to_owned());
            }
        };
        let any = !codes.is_empty();
        tag(data.columns.len() > 1, "$key");
        tag(data.kind == FieldKind::Synthetic, "$synthetic");
        tag(any && numeric, "$numeric");
        tag(any && numeric && integer, "$integer");
        tag(any && text && ascii, "$ascii");
        tag(any && text, "$text");
        facts.tags.extend(data.tags.iter().cloned());
        facts
    }
}
