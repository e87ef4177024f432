//! The `qix` room.
