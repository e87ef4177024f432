//! The `calc` room.
