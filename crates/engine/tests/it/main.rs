//! What the engine promises, against a naive full outer join and on small readable models.

mod laws;
mod naive;
mod readable;
