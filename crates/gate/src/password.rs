//! What passwords must be like, and what hashing one costs.

/// Cost of argon2id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HashCost {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
}

/// 19 MiB, two passes, one lane: the least the OWASP password storage cheat sheet advises for
/// argon2id, so that a small hub can check several log-ins at a time.
pub const PASSWORD_COST: HashCost = HashCost {
    memory_kib: 19 * 1024,
    passes: 2,
    lanes: 1,
};

/// Shorter passwords are refused when they are set (NIST SP 800-63B §3.1.1.2 for passwords
/// that are one of two factors; the throttle slows guessing down).
pub const MIN_PASSWORD_CHARS: usize = 8;

/// Longer ones are refused too: hashing must not be a way to burn the hub's time.
const MAX_PASSWORD_BYTES: usize = 1024;

/// Why a new password will not do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordProblem {
    /// Fewer than [`MIN_PASSWORD_CHARS`] characters.
    TooShort,
    /// More than 1,024 bytes.
    TooLong,
    /// It is the user's own name.
    IsUserName,
}

impl PasswordProblem {
    /// The sentence to show.
    pub const fn message(self) -> &'static str {
        match self {
            Self::TooShort => "the password must have at least 8 characters",
            Self::TooLong => "the password must have at most 1,024 bytes",
            Self::IsUserName => "the password must not be the user's name",
        }
    }
}

/// Checks a new password for the user called `name`.
///
/// # Errors
/// The first [`PasswordProblem`] found.
pub fn check_password(name: &str, password: &str) -> Result<(), PasswordProblem> {
    if password.len() > MAX_PASSWORD_BYTES {
        Err(PasswordProblem::TooLong)
    } else if password.chars().count() < MIN_PASSWORD_CHARS {
        Err(PasswordProblem::TooShort)
    } else if password.eq_ignore_ascii_case(name) {
        Err(PasswordProblem::IsUserName)
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits() {
        assert_eq!(
            check_password("ann", "1234567"),
            Err(PasswordProblem::TooShort)
        );
        assert_eq!(check_password("ann", "12345678"), Ok(()));
        assert_eq!(
            check_password("Johannes", "johannes"),
            Err(PasswordProblem::IsUserName)
        );
        assert_eq!(
            check_password("ann", &"x".repeat(1025)),
            Err(PasswordProblem::TooLong)
        );
    }
}
