//! The `sources` room.
