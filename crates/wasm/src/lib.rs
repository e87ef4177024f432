//! The `wasm` room.
