//! `martlet completions`: what a shell needs to complete this program's arguments.

use clap::builder::EnumValueParser;
use clap::{Arg, ArgMatches, Command};
use clap_complete::Shell;
use std::io::{self, Write};
use std::process::ExitCode;

const EXAMPLES: &str = "\
Examples:
  martlet completions bash > ~/.local/share/bash-completion/completions/martlet
  martlet completions zsh > \"${fpath[1]}/_martlet\"
  martlet completions fish > ~/.config/fish/completions/martlet.fish";

pub(crate) fn command() -> Command {
    Command::new("completions")
        .about("Print a script with which a shell completes the arguments of martlet")
        .defer(arguments)
}

fn arguments(command: Command) -> Command {
    command.after_long_help(EXAMPLES).arg(
        Arg::new("shell")
            .value_name("SHELL")
            .required(true)
            .value_parser(EnumValueParser::<Shell>::new())
            .help("Which shell"),
    )
}

/// Prints the script for `program`, the whole command line.
pub(crate) fn run(matches: &ArgMatches, mut program: Command) -> Result<ExitCode, String> {
    let Some(shell) = matches.get_one::<Shell>("shell") else { return Ok(ExitCode::SUCCESS) };
    let (mut script, name) = (Vec::new(), program.get_name().to_owned());
    clap_complete::generate(*shell, &mut program, name, &mut script);
    match io::stdout().write_all(&script) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.to_string()),
        _ => Ok(ExitCode::SUCCESS),
    }
}
