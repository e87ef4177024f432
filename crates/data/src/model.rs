//! The associative model: fields with one symbol table each, tables of symbol codes, keys.

use std::any::Any;
use std::sync::{Arc, OnceLock};

use rustc_hash::FxHashMap;

use crate::derived::Derived;
use crate::{BitSet, Codes, KeyIndex, RowNumbers, Symbols};

/// A field of one model, by position. Meaningless in another model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FieldId(pub u32);

/// A table of one model, by position. Meaningless in another model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TableId(pub u32);

impl FieldId {
    /// The position as an index.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

impl TableId {
    /// The position as an index.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// What a field is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FieldKind {
    /// Loaded data.
    Data,
    /// Stands for the combinations of several shared fields; its values are its codes.
    Synthetic,
    /// Links tables, but its name and values have been withheld; its values are its codes.
    Hidden,
}

/// What a table is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TableKind {
    /// Loaded data.
    Data,
    /// Holds the combinations behind a synthetic key.
    Synthetic,
}

/// A field: a name and its distinct values.
#[derive(Clone, Debug)]
pub struct Field {
    /// Case-sensitive, unique in the model; empty for [`FieldKind::Hidden`].
    pub name: String,
    /// What it is for.
    pub kind: FieldKind,
    /// Distinct values in order of first appearance, tables in model order, rows in order.
    pub symbols: Arc<Symbols>,
    /// Texts of symbols that show differently in different rows; see [`Column::spellings`].
    pub spellings: Arc<[Arc<str>]>,
    /// Where the field stands: table and column position, in model order.
    pub columns: Vec<(TableId, usize)>,
    /// Tags a script gave it, without those derived from the data.
    pub tags: Vec<String>,
}

/// One field's values in one table.
#[derive(Clone, Debug)]
pub struct Column {
    /// Which field.
    pub field: FieldId,
    /// One symbol code a row; [`Symbols::null_code`] is NULL.
    pub codes: Arc<Codes>,
    /// Only where a symbol of the field has several texts: one a row, 0 for "the symbol's
    /// only text" and otherwise 1 + the position in [`Field::spellings`].
    pub spellings: Option<Arc<Codes>>,
    pub(crate) index: Arc<OnceLock<KeyIndex>>,
    pub(crate) numbers: Arc<OnceLock<Option<RowNumbers>>>,
    pub(crate) has_nulls: Arc<OnceLock<bool>>,
}

impl Column {
    pub(crate) fn new(field: FieldId, codes: Codes, spellings: Option<Codes>) -> Self {
        Self {
            field,
            codes: Arc::new(codes),
            spellings: spellings.map(Arc::new),
            index: Arc::default(),
            numbers: Arc::default(),
            has_nulls: Arc::default(),
        }
    }
}

/// How the rows of a table spell a field that a synthetic key has taken out of it. The row of
/// the synthetic table shows the spelling of the first visible row it stands for.
#[derive(Clone, Debug)]
pub struct Aside {
    /// Which field; it stands in a synthetic table.
    pub field: FieldId,
    /// As [`Column::spellings`].
    pub spellings: Arc<Codes>,
}

/// A table.
#[derive(Clone, Debug)]
pub struct Table {
    /// Its name, unique in the model.
    pub name: String,
    /// What it is for.
    pub kind: TableKind,
    /// Loosely coupled: inference does not pass through it (reference semantics E3).
    pub loose: bool,
    /// Rows in every column.
    pub n_rows: usize,
    /// Its columns; a field stands at most once in a table.
    pub columns: Vec<Column>,
    /// Spellings of fields that synthetic keys have taken out.
    pub aside: Vec<Aside>,
}

impl Table {
    /// The position of a field's column.
    pub fn column_of(&self, field: FieldId) -> Option<usize> {
        self.columns.iter().position(|c| c.field == field)
    }
}

/// Something a developer should know about how the model came out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ModelNote {
    /// Two or more tables shared several fields.
    SyntheticKey {
        /// The key field that was made.
        key: String,
        /// The shared fields, now in a table of their own.
        fields: Vec<String>,
        /// The tables that shared them.
        tables: Vec<String>,
    },
    /// Tables formed a loop, which was broken by loosening this one.
    LooseTable {
        /// The table made loosely coupled.
        table: String,
        /// All tables of the loop.
        tables: Vec<String>,
    },
}

/// An immutable associative model. Share it behind an [`Arc`]; look at it through a `View`.
/// A clone shares symbols, columns and indexes.
///
/// Any two tables share at most one field, and the graph of tables that are not loose and the
/// fields they share has no loop: the builder sees to both.
#[derive(Clone, Debug, Default)]
pub struct Model {
    pub(crate) fields: Vec<Field>,
    pub(crate) tables: Vec<Table>,
    pub(crate) notes: Vec<ModelNote>,
    pub(crate) by_name: FxHashMap<String, FieldId>,
    /// Like what stands in columns: derived from the tables alone, and shared by clones.
    pub(crate) derived: Arc<Derived>,
    pub(crate) beside: Arc<OnceLock<Box<dyn Any + Send + Sync>>>,
}

impl Model {
    /// All fields, in order of first appearance.
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// All tables, in load order; synthetic ones last.
    pub fn tables(&self) -> &[Table] {
        &self.tables
    }

    /// What a developer should know about how the model came out.
    pub fn notes(&self) -> &[ModelNote] {
        &self.notes
    }

    /// The field called exactly `name`.
    pub fn field_by_name(&self, name: &str) -> Option<FieldId> {
        self.by_name.get(name).copied()
    }

    /// A field by id.
    ///
    /// # Panics
    /// If `id` is of another, larger model.
    pub fn field(&self, id: FieldId) -> &Field {
        &self.fields[id.index()]
    }

    /// A table by id.
    ///
    /// # Panics
    /// If `id` is of another, larger model.
    pub fn table(&self, id: TableId) -> &Table {
        &self.tables[id.index()]
    }

    /// The columns through which a field links tables: those outside loose tables, if there
    /// are at least two; otherwise none.
    pub fn links(&self, field: FieldId) -> Vec<(TableId, usize)> {
        let tight: Vec<_> = self
            .field(field)
            .columns
            .iter()
            .copied()
            .filter(|(table, _)| !self.table(*table).loose)
            .collect();
        if tight.len() < 2 { Vec::new() } else { tight }
    }

    /// Rows by code for a column; built at the first call and kept.
    ///
    /// # Panics
    /// If the table has no such column.
    pub fn key_index(&self, table: TableId, column: usize) -> &KeyIndex {
        let column = &self.table(table).columns[column];
        column.index.get_or_init(|| {
            KeyIndex::build(&column.codes, self.field(column.field).symbols.len(), None)
        })
    }

    /// The numbers of a column row by row, if looking them up by code would be slow; made at
    /// the first call and kept.
    ///
    /// # Panics
    /// If the table has no such column.
    pub fn row_numbers(&self, table: TableId, column: usize) -> Option<&RowNumbers> {
        let column = &self.table(table).columns[column];
        let nums = self.field(column.field).symbols.nums();
        let numbers = column
            .numbers
            .get_or_init(|| RowNumbers::of(&column.codes, nums));
        numbers.as_ref()
    }

    /// Whether a column has a NULL; looked up at the first call and kept.
    ///
    /// # Panics
    /// If the table has no such column.
    pub fn has_nulls(&self, table: TableId, column: usize) -> bool {
        let column = &self.table(table).columns[column];
        let null = self.field(column.field).symbols.len() as u32;
        *column.has_nulls.get_or_init(|| {
            let mut found = false;
            column
                .codes
                .for_each_block(|_, codes| found = found || codes.contains(&null));
            found
        })
    }

    /// The index of [`Self::key_index`], if it was built already.
    ///
    /// # Panics
    /// If the table has no such column.
    pub fn built_key_index(&self, table: TableId, column: usize) -> Option<&KeyIndex> {
        self.table(table).columns[column].index.get()
    }

    /// The numbers of an expression over the columns of a table, row by row, if it was asked for
    /// often enough. `expression` says what it is, `n_wanted` how many rows are asked for now,
    /// `make` gives the numbers of all rows when they are to be kept. What is kept takes half
    /// of [`Self::bytes`] at most.
    ///
    /// # Errors
    /// That of `make`.
    ///
    /// # Panics
    /// If there is no such table.
    pub fn derived_numbers<E>(
        &self,
        table: TableId,
        expression: &str,
        n_wanted: usize,
        make: impl FnOnce() -> Result<Vec<f64>, E>,
    ) -> Result<Option<Arc<Vec<f64>>>, E> {
        let table = (table, self.table(table).n_rows);
        let most = || self.bytes() / 2;
        self.derived
            .numbers(table, expression, n_wanted, most, make)
    }

    /// What another room derives from this model and shares between all that look at it. There
    /// is one such thing; a second type asked for gets nothing.
    pub fn beside<T: Default + Send + Sync + 'static>(&self) -> Option<&T> {
        let beside = self.beside.get_or_init(|| {
            let made = T::default();
            Box::new(made)
        });
        beside.downcast_ref()
    }

    /// Bytes held by indexes and numbers by row, which were derived when first asked for.
    pub fn derived_bytes(&self) -> usize {
        let columns = self.tables.iter().flat_map(|t| &t.columns);
        let of_column = |c: &Column| {
            let numbers = c.numbers.get().and_then(Option::as_ref);
            c.index.get().map_or(0, KeyIndex::bytes) + numbers.map_or(0, RowNumbers::bytes)
        };
        columns.map(of_column).sum::<usize>() + self.derived.bytes()
    }

    /// Bytes held by symbols and columns; [`Self::derived_bytes`] has what is derived from them.
    pub fn bytes(&self) -> usize {
        let symbols: usize = self.fields.iter().map(|f| f.symbols.bytes()).sum();
        let columns: usize = self
            .tables
            .iter()
            .flat_map(|t| &t.columns)
            .map(|c| c.codes.bytes())
            .sum();
        symbols + columns
    }

    /// A model with only the rows in `keep` (`None` keeps all rows of a table) and without the
    /// fields in `omit`, numbered anew as if nothing else had ever been loaded.
    ///
    /// An omitted field that links tables stays as a nameless [`FieldKind::Hidden`] key. This
    /// only carries out; which rows and fields go is decided in the access room.
    pub fn retain(&self, keep: &[Option<BitSet>], omit: &[FieldId]) -> Self {
        crate::retain::retain(self, keep, omit)
    }
}
