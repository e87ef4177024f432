//! Laws of policies.

mod policy;
