//! One file a subcommand; the same queries and plans as the screens, printed.

mod args;
mod console;
#[cfg(feature = "demo")]
mod demo;
mod diff;
mod doctor;
mod document;
mod fleet;
mod health_helper;
mod items;
mod journal;
mod lists;
mod offline;
mod print;
mod reasons;
mod revert;
mod say;
mod snapshot;
mod table;
mod tool;
mod verify;

use std::process::ExitCode;

use clap::Parser as _;

use crate::config::{Config, Folders};
use crate::telemetry;
use args::{Cli, Command};

/// Runs the program: reads the command line, does what it says, and gives the exit status.
///
/// 0, 1 and 3 are answers (see each command), 2 is an error whose sentence went to standard error.
pub fn run() -> ExitCode {
    // A second installation in one process (tests) keeps the first hook and provider.
    let _ = color_eyre::install();
    let _ = rustls::crypto::ring::default_provider().install_default();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version go to standard output with status 0, complaints to standard error with 2.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    match dispatch(cli) {
        Ok(status) => ExitCode::from(status),
        Err(sentence) => {
            say::complaint(&sentence);
            ExitCode::from(2)
        }
    }
}

fn dispatch(cli: Cli) -> Result<u8, String> {
    if matches!(cli.command, Some(Command::HealthHelper)) {
        return health_helper::run();
    }
    telemetry::start(cli.common.log_file.as_deref(), cli.common.verbose)?;
    let folders = Folders::of_environment()?;
    console::check_named(&cli.common, &folders)?;
    if let Some(Command::Config { what }) = &cli.command {
        return answered(&tool::config(what, &folders)?);
    }
    let config = Config::load(&folders.config_file()).map_err(|e| e.to_string())?;
    crate::drift::managers::configure(config.manager_classes()?);
    match &cli.command {
        #[cfg(feature = "demo")]
        Some(Command::Demo(args)) if args.serve => demo::run(&args.into()),
        #[cfg(feature = "demo")]
        Some(Command::Demo(args)) => console::demo(&cli.common, args, &config, folders),
        None => console::run(&cli.common, &config, folders),
        Some(Command::Doctor) => doctor::run(&cli.common, &config),
        Some(Command::Snapshot(args)) => snapshot::run(&cli.common, args, &config, &folders),
        Some(Command::Journal(args)) if args.verify => answered(&journal::verify(&folders.state)?),
        Some(Command::Journal(_)) => {
            let listed = journal::list(&folders.state, cli.common.output, jiff::Timestamp::now())?;
            say::answer(&listed.text)?;
            Ok(listed.status)
        }
        Some(Command::Keys) => answered(&tool::keys(&cli.common, &config, &folders)?),
        Some(Command::Themes) => answered(&tool::themes(&folders)),
        Some(Command::Diff(args)) if args.desired.is_some() => {
            listed(offline::files::diff(args, cli.common.output)?)
        }
        Some(Command::Explain(args)) if args.file.is_some() => {
            listed(offline::files::explain(args, &folders, cli.common.output)?)
        }
        Some(Command::Completions { shell }) => answered(&tool::completions(*shell)),
        _ => fleet::run(&cli, config, folders),
    }
}

fn listed(answer: lists::Listed) -> Result<u8, String> {
    say::answer(&answer.text)?;
    Ok(answer.status)
}

fn answered(text: &str) -> Result<u8, String> {
    say::answer(text)?;
    Ok(0)
}
