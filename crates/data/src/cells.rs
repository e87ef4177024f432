//! Blocks of rows as sources deliver them.

use crate::Value;

/// One column of a [`Batch`].
#[derive(Clone, Debug)]
pub enum Cells {
    /// Raw text that still has to be interpreted as number, date or text; an empty cell is the
    /// empty string. `ends[i]` is where cell `i` ends in `bytes`, which is valid UTF-8.
    RawText {
        /// Where each cell ends; one a row.
        ends: Vec<u32>,
        /// All cells end to end.
        bytes: String,
    },
    /// Finished values, one a row.
    Values(Vec<Value>),
    /// Positions in a dictionary, one a row; [`crate::NULL_CODE`] is NULL. The dictionary holds
    /// for this batch alone and its entries need not be distinct.
    Coded {
        /// One a row.
        codes: Vec<u32>,
        /// The dictionary.
        values: Vec<Value>,
    },
    /// As [`Cells::Coded`], but a text in the dictionary is raw and interpreted as
    /// [`Cells::RawText`] is: for sources that know the types of some cells only.
    PartlyRaw {
        /// One a row.
        codes: Vec<u32>,
        /// The dictionary.
        values: Vec<Value>,
    },
}

impl Cells {
    /// How many rows there are.
    pub fn len(&self) -> usize {
        match self {
            Self::RawText { ends, .. } => ends.len(),
            Self::Values(values) => values.len(),
            Self::Coded { codes, .. } | Self::PartlyRaw { codes, .. } => codes.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Some rows of a source, column by column.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// Rows in every column.
    pub n_rows: usize,
    /// One a column of the source, in its order.
    pub columns: Vec<Cells>,
}
