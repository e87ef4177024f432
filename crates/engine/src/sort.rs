//! How rows and values are ordered.

/// One way to sort by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SortOrder {
    /// Not at all.
    #[default]
    None,
    /// Small first.
    Ascending,
    /// Large first.
    Descending,
}

impl SortOrder {
    /// Positive ascending, negative descending, zero none: as the wire says it.
    pub fn of_sign(sign: i64) -> Self {
        match sign {
            0 => Self::None,
            1.. => Self::Ascending,
            _ => Self::Descending,
        }
    }

    pub(crate) fn apply(self, order: std::cmp::Ordering) -> std::cmp::Ordering {
        match self {
            Self::None => std::cmp::Ordering::Equal,
            Self::Ascending => order,
            Self::Descending => order.reverse(),
        }
    }
}

/// What a column is sorted by. Criteria apply in the order of the fields here, each deciding
/// the ties of those before; what is left is in load order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SortCriterion {
    /// Selected, optional, alternative, excluded.
    pub state: SortOrder,
    /// Possible, alternative, excluded, whether selected or not.
    pub greyness: SortOrder,
    /// The value of [`Self::expression`].
    pub by_expression: SortOrder,
    /// How many records a value has among the possible ones.
    pub frequency: SortOrder,
    /// The number; values without one come last.
    pub numeric: SortOrder,
    /// The text, letters without regard to case.
    pub ascii: SortOrder,
    /// First appearance in the data.
    pub load_order: SortOrder,
    /// An expression evaluated for each value.
    pub expression: Option<String>,
}

impl SortCriterion {
    /// Numbers ascending, then texts.
    pub fn ascending() -> Self {
        Self {
            numeric: SortOrder::Ascending,
            ascii: SortOrder::Ascending,
            ..Self::default()
        }
    }

    /// Numbers descending.
    pub fn descending() -> Self {
        Self {
            numeric: SortOrder::Descending,
            ascii: SortOrder::Descending,
            ..Self::default()
        }
    }
}

/// A rectangle of cells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rect {
    /// First column.
    pub left: usize,
    /// First row.
    pub top: usize,
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
}

impl Rect {
    /// The part of this that lies within `n_columns` × `n_rows`.
    #[must_use]
    pub fn clipped(self, n_columns: usize, n_rows: usize) -> Self {
        let left = self.left.min(n_columns);
        let top = self.top.min(n_rows);
        Self {
            left,
            top,
            width: self.width.min(n_columns - left),
            height: self.height.min(n_rows - top),
        }
    }
}
