//! Behaviour on a small model that a person can check by eye.
