//! Every developer command: `cargo xtask demo`, `cargo xtask test`, and what they are made of.

mod bench;
mod build;
mod certificates;
mod demo;
mod emm;
mod fuzz;
mod hub;
mod mutants;
mod process;
mod rooms;
mod setup;
mod test;
mod threats;
mod wasm;
mod wire;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// Developer commands of Satchel.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build everything, load the demo apps and start a hub on https://localhost:4443
    Demo {
        /// Where the hub listens
        #[arg(long, default_value = "127.0.0.1:4443")]
        listen: String,
        /// Forget the demo hub's state and load everything anew
        #[arg(long)]
        fresh: bool,
        /// Prepare everything but do not start the hub
        #[arg(long)]
        prepare_only: bool,
    },
    /// Run every test: rooms, unit, corpus, property, end to end, browser
    Test {
        /// Only these parts, of: rooms lint unit e2e browser
        #[arg(long, value_delimiter = ',')]
        only: Vec<String>,
    },
    /// Install what building and testing need, and say what was installed
    Setup,
    /// Build the browser engine, the web UI and the binaries
    Build {
        /// With full optimisation
        #[arg(long)]
        release: bool,
    },
    /// Build the engine for the browser only
    Wasm,
    /// Write docs/functions.md from the function library
    Docs,
    /// Write the web UI's types of the HTTP API from `crates/contract`
    Wire,
    /// Write docs/security/threats.md from the tests that name their threats
    Threats,
    /// Write docs/emm from the keys of a policy in `crates/contract`
    Emm,
    /// Change what guards data, one small change at a time, and list what no test notices
    Mutants {
        /// Only files whose path contains this: `gate`, `lease`
        only: Option<String>,
    },
    /// Check that every room depends only on the rooms it may see
    Rooms,
    /// Measure against the peers and print a table
    Bench {
        /// Workloads, of: w1 w1-tpch w2 w3 w5 w6 w6-tpch hostile load csv qvd open size
        #[arg(long, value_delimiter = ',')]
        only: Vec<String>,
    },
    /// Fuzz one reader of bytes from outside; see fuzz/README.md
    Fuzz {
        /// One of: package signed expression script qix_frames snapshot csv parquet
        target: String,
        /// How long
        #[arg(long, default_value_t = 600)]
        seconds: u32,
        /// Build the fuzzer and say where it is, but do not run it
        #[arg(long)]
        build_only: bool,
        /// For libFuzzer, after `--`
        #[arg(last = true)]
        more: Vec<String>,
    },
}

fn main() -> std::process::ExitCode {
    if std::env::var_os(fuzz::AS_COMPILER).is_some() {
        return ended(fuzz::rustc(std::env::args_os().skip(1)));
    }
    ended(run(Args::parse().command).map(|()| std::process::ExitCode::SUCCESS))
}

fn ended(outcome: Result<std::process::ExitCode>) -> std::process::ExitCode {
    match outcome {
        Ok(code) => code,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            std::process::ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<()> {
    match command {
        Command::Demo {
            listen,
            fresh,
            prepare_only,
        } => demo::run(&listen, fresh, prepare_only),
        Command::Test { only } => test::run(&only),
        Command::Setup => setup::for_tests(),
        Command::Build { release } => {
            setup::for_building()?;
            build::all(build::Profile::of(release))
        }
        Command::Wasm => {
            setup::for_building()?;
            wasm::build_wasm()
        }
        Command::Docs => process::run(
            process::command(
                "cargo",
                ["test", "--quiet", "-p", "satchel-calc", "reference"],
            )
            .env("UPDATE", "1"),
        ),
        Command::Wire => wire::write(),
        Command::Threats => threats::write(),
        Command::Emm => emm::write(),
        Command::Mutants { only } => mutants::run(only.as_deref()),
        Command::Rooms => rooms::check(),
        Command::Bench { only } => bench::run_workloads(&only),
        Command::Fuzz {
            target,
            build_only: true,
            ..
        } => {
            println!("{}", fuzz::build(&target)?.display());
            Ok(())
        }
        Command::Fuzz {
            target,
            seconds,
            more,
            ..
        } => fuzz::fuzz(&target, seconds, &more),
    }
}
