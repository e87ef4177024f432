//! What the access room promises.

mod corpus;
mod support;
mod twins;
