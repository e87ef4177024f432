//! Section access: who may see which rows and fields, and the view or model that holds no more.
//!
//! [`Rules`] are read from the access tables of a reload; [`decide`] applies them to a
//! [`Subject`]; [`mask`] and [`reduce`] carry the decision out and agree on every answer.
//! Everything unclear denies. Rules: DESIGN §3, reference semantics part A.

#![forbid(unsafe_code)]

mod decide;
mod diff;
mod expect;
mod explain;
mod gain;
mod lint;
mod lint_around;
mod propagate;
mod publication;
mod reduce;
mod rules;
mod sight;
mod subject;

pub use decide::{Access, Decision, Grant, GrantedValue, Grants, Refusal, decide, fingerprint};
pub use diff::{Change, diff};
pub use expect::{Expectation, unmet};
pub use explain::{Explanation, FieldUse, RowUse, Why, explain};
pub use gain::{Gain, GainLimits, gains};
pub use lint::lint;
pub use lint_around::{Around, lint_around};
pub use publication::{Pending, publication_check};
pub use reduce::{Denied, Reduced, TableCount, mask, reduce};
pub use rules::{Finding, Rules};
pub use subject::{Subject, SubjectKind};
