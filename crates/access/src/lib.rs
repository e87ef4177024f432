//! The `access` room.
