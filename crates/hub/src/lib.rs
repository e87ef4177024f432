//! The `hub` room.
