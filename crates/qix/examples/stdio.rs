//! Serves a small app in memory over standard input and output, one frame a line: for trying
//! clients against a session without a network.

#[path = "../tests/it/host.rs"]
mod host;

use std::io::{BufRead as _, Write as _};

use satchel_base::Budget;
use satchel_qix::{Session, SessionConfig};

fn main() -> std::io::Result<()> {
    let mut session = Session::new(SessionConfig::default(), Box::new(host::TestHost::new()));
    let mut out = std::io::stdout().lock();
    for frame in session.greeting() {
        writeln!(out, "{frame}")?;
    }
    out.flush()?;
    for line in std::io::stdin().lock().lines() {
        for frame in session.handle(&line?, &Budget::unlimited()) {
            writeln!(out, "{frame}")?;
        }
        out.flush()?;
    }
    Ok(())
}
