//! What the engine promises, against a naive full outer join and on small readable models.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod across_rows;
mod budgets;
mod cancel;
mod cubes;
mod laws;
mod made;
mod many_rows;
mod naive;
mod readable;
mod sets;
