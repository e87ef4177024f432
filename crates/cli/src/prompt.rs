//! Questions. On a terminal they are asked; otherwise the answers are lines of standard input.

use std::fs::File;
use std::io::{self, IsTerminal as _, Read as _, Write as _};

use zeroize::Zeroizing;

use crate::output::Failure;

/// The longest answer taken.
const MAX_LINE_BYTES: usize = 4096;

/// Asks for something that is not shown while it is typed.
pub fn secret(question: &str) -> Result<Zeroizing<String>, Failure> {
    if io::stdin().is_terminal() {
        rpassword::prompt_password(format!("{question}: "))
            .map(Zeroizing::new)
            .map_err(|error| broken(&error))
    } else {
        line(question)
    }
}

/// Asks for something that may be seen.
pub fn text(question: &str) -> Result<String, Failure> {
    if io::stdin().is_terminal() {
        eprint!("{question}: ");
        io::stderr().flush().map_err(|error| broken(&error))?;
    }
    line(question).map(|line| line.to_string())
}

/// The next line. Byte by byte from the system: the buffer of the standard library's reader
/// would keep what was typed until the program ends.
fn line(question: &str) -> Result<Zeroizing<String>, Failure> {
    let mut input = input().map_err(|error| broken(&error))?;
    // Of its whole length at once: what grows leaves the answer behind where it was.
    let mut line = Zeroizing::new(Vec::with_capacity(MAX_LINE_BYTES));
    let mut byte = Zeroizing::new([0]);
    loop {
        match input.read(&mut *byte) {
            Ok(0) if line.is_empty() => {
                return Err(Failure::new(
                    "input.missing",
                    format!("nothing was given for: {question}"),
                    "Run this on a terminal, or give the answers as lines of standard input.",
                ));
            }
            Ok(0) => break,
            Ok(_) if byte[0] == b'\n' => break,
            Ok(_) if line.len() == MAX_LINE_BYTES => {
                return Err(Failure::new(
                    "input.too_long",
                    format!("the answer is too long for: {question}"),
                    "Give one line of at most 4096 bytes.",
                ));
            }
            Ok(_) => line.push(byte[0]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(broken(&error)),
        }
    }
    let text = std::str::from_utf8(&line)
        .map_err(|error| broken(&io::Error::new(io::ErrorKind::InvalidData, error)))?;
    Ok(Zeroizing::new(text.trim_end_matches('\r').to_owned()))
}

/// Standard input without a buffer. Another handle to the same place: each reads on where the
/// last one stopped.
fn input() -> io::Result<File> {
    #[cfg(unix)]
    {
        use std::os::fd::AsFd as _;
        Ok(File::from(io::stdin().as_fd().try_clone_to_owned()?))
    }
    #[cfg(windows)]
    {
        use std::os::windows::io::AsHandle as _;
        Ok(File::from(io::stdin().as_handle().try_clone_to_owned()?))
    }
}

fn broken(error: &io::Error) -> Failure {
    Failure::new(
        "input.broken",
        format!("the answer cannot be read: {error}"),
        "Run this on a terminal, or give the answers as lines of standard input.",
    )
}
