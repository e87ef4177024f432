//! What the room promises: scripts to tables, mistakes to messages.

mod corpus;
mod host;
mod laws;
