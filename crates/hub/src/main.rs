//! `satchel-hub`: the command line of the hub.

fn main() -> std::process::ExitCode {
    satchel_hub::cli::main()
}
