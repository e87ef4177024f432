//! The `gate` room.
