//! The `script` room.
