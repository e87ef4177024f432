//! `satchel`: the client people run on a laptop.
//!
//! Exit status: 0 done, 1 refused or failed (the reason is on standard error, as JSON with
//! `--json`), 2 wrong arguments.

mod answer;
mod apps;
mod args;
mod ask;
mod carried;
mod context;
mod hubs;
mod open;
mod output;
mod pin;
mod policy;
mod private;
mod prompt;
mod session;
mod sign_in;
mod status;

use std::process::ExitCode;

use clap::Parser as _;
use zeroizing_alloc::ZeroAlloc;

use args::{Arguments, Command};
use context::Context;
use output::{Failure, Output};

/// Overwrites what is given back: cells, texts of packages and answers of the engine are freed
/// in many places, and none of them may be read from memory once the device is locked.
#[global_allocator]
static MEMORY: ZeroAlloc<std::alloc::System> = ZeroAlloc(std::alloc::System);

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let json = arguments.json;
    match run(arguments) {
        Ok(output) => {
            output.print(json);
            ExitCode::SUCCESS
        }
        Err(failure) => {
            failure.print(json);
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> Result<Output, Failure> {
    let mut context = Context::load(&arguments)?;
    match arguments.command {
        Command::Hub { command } => hubs::run(&mut context, command),
        Command::SignIn(options) => sign_in::sign_in(&mut context, &options),
        Command::SignOut => sign_in::sign_out(&mut context),
        Command::Status => status::status(&mut context),
        Command::Lock => status::lock(&mut context),
        Command::Unlock => status::unlock(&mut context),
        Command::Pin { command } => pin::run(&mut context, &command),
        Command::Policy => policy::show(&mut context),
        Command::Apps => apps::list(&mut context),
        Command::Download { app } => apps::download(&mut context, &app),
        Command::Remove { app } => apps::remove(&mut context, &app),
        Command::Ask(asked) => ask::ask(&mut context, &asked),
        Command::Open(options) => open::open(context, &options),
        Command::Wipe { yes } => status::wipe(&mut context, yes),
    }
}
