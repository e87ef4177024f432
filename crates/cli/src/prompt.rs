//! Questions. On a terminal they are asked; otherwise the answers are lines of standard input.

use std::io::{BufRead as _, IsTerminal as _, Write as _};

use crate::output::Failure;

/// Asks for something that is not shown while it is typed.
pub fn secret(question: &str) -> Result<String, Failure> {
    if std::io::stdin().is_terminal() {
        rpassword::prompt_password(format!("{question}: ")).map_err(|error| broken(&error))
    } else {
        line(question)
    }
}

/// Asks for something that may be seen.
pub fn text(question: &str) -> Result<String, Failure> {
    if std::io::stdin().is_terminal() {
        eprint!("{question}: ");
        std::io::stderr().flush().map_err(|error| broken(&error))?;
    }
    line(question)
}

fn line(question: &str) -> Result<String, Failure> {
    let mut line = String::new();
    let n = std::io::stdin()
        .lock()
        .read_line(&mut line)
        .map_err(|error| broken(&error))?;
    if n == 0 {
        return Err(Failure::new(
            "input.missing",
            format!("nothing was given for: {question}"),
            "Run this on a terminal, or give the answers as lines of standard input.",
        ));
    }
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

fn broken(error: &std::io::Error) -> Failure {
    Failure::new(
        "input.broken",
        format!("the answer cannot be read: {error}"),
        "Run this on a terminal, or give the answers as lines of standard input.",
    )
}
