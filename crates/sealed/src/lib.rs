//! The `sealed` room.
