//! The `driftdeck` program: everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    driftdeck::cli::run()
}
