//! What the access room promises.

mod corpus;
mod engine_equality;
mod explained;
mod support;
mod twins;
