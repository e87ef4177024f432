//! What the access room promises.

mod around;
mod conversations;
mod corpus;
mod engine_equality;
mod explained;
mod expressions;
mod support;
mod twins;
