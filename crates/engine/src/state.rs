//! What a value's state is, and how many values are in each.
//!
//! Rules: reference semantics E2.

/// The state of one value of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ValueState {
    /// Selected in a locked field, and possible (`L`).
    Locked,
    /// Selected, and possible (`S`).
    Selected,
    /// Not selected, possible, and nothing is selected in the field (`O`).
    Optional,
    /// Not selected, and possible if the field's own selection were not there (`A`).
    Alternative,
    /// Impossible under the selections in other fields (`X`).
    Excluded,
    /// Selected, but impossible under the selections in other fields (`XS`).
    SelectedExcluded,
    /// Selected in a locked field, but impossible under the other selections (`XL`).
    LockedExcluded,
}

impl ValueState {
    /// Whether records with the value remain.
    pub fn is_possible(self) -> bool {
        matches!(self, Self::Locked | Self::Selected | Self::Optional)
    }

    /// Whether the value is in the field's selection.
    pub fn is_selected(self) -> bool {
        matches!(
            self,
            Self::Locked | Self::Selected | Self::SelectedExcluded | Self::LockedExcluded
        )
    }

    /// The place in a sort by state: selected, optional, alternative, excluded.
    pub fn sort_rank(self) -> u32 {
        match self {
            Self::Locked | Self::Selected => 0,
            Self::Optional => 1,
            Self::Alternative => 2,
            Self::SelectedExcluded | Self::LockedExcluded | Self::Excluded => 3,
        }
    }
}

/// How many values of a field are in each state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StateCounts {
    /// [`ValueState::Locked`]
    pub locked: u64,
    /// [`ValueState::Selected`]
    pub selected: u64,
    /// [`ValueState::Optional`]
    pub optional: u64,
    /// [`ValueState::Alternative`]
    pub alternative: u64,
    /// [`ValueState::Excluded`]
    pub excluded: u64,
    /// [`ValueState::SelectedExcluded`]
    pub selected_excluded: u64,
    /// [`ValueState::LockedExcluded`]
    pub locked_excluded: u64,
}

impl StateCounts {
    /// Counts one more value.
    pub fn add(&mut self, state: ValueState) {
        match state {
            ValueState::Locked => self.locked += 1,
            ValueState::Selected => self.selected += 1,
            ValueState::Optional => self.optional += 1,
            ValueState::Alternative => self.alternative += 1,
            ValueState::Excluded => self.excluded += 1,
            ValueState::SelectedExcluded => self.selected_excluded += 1,
            ValueState::LockedExcluded => self.locked_excluded += 1,
        }
    }

    /// Values that remain: locked, selected and optional ones.
    pub fn possible(&self) -> u64 {
        self.locked + self.selected + self.optional
    }

    /// Values in the field's selection, possible or not.
    pub fn in_selection(&self) -> u64 {
        self.locked + self.selected + self.selected_excluded + self.locked_excluded
    }
}
