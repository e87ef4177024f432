//! What the access room promises.

mod corpus;
mod explained;
mod support;
mod twins;
