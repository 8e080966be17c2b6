//! `martlet frames`: octets in, annotated frames out.

mod annotate;
mod dump;
mod judge;
mod print;

use self::annotate::{Frames, Options};
use self::print::Look;
use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, ArgMatches, Command, ValueHint};
use martlet_codec::Role;
use std::io::{self, BufWriter, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What it ends with if a rule is broken.
const ILLEGAL: u8 = 1;

const ABOUT: &str = "Show the frames in a dump, and what is wrong with them";

const LONG_ABOUT: &str = "\
Show the frames in a dump, and what is wrong with them.

The dump is what one end of one connection sent: hex in any usual form (plain digits, xxd, hexdump -C, the payload columns of
tcpdump and Wireshark), or the octets themselves. An HTTP head in front is passed over; if it is a server's and agrees on
permessage-deflate, compressed messages are inflated.

For each frame there are its offset, FIN and reserved bits, opcode, length and in how many bits it is told, the masking key,
and the payload, unmasked. Of what is wrong in a frame, the first octet that a receiver refuses is named, with the RFC's
section and the close code. Reading goes on behind it.";

const EXAMPLES: &str = "\
Examples:
  echo 81 85 37fa213d 7f9f4d5158 | martlet frames
  xxd capture.bin | martlet frames --role server
  martlet frames --deflate --show 4000 --json capture.bin

Exit code: 0 if all is legal, though the end may be missing; 1 if a rule is broken; 2 if the dump cannot be read.";

pub(crate) fn command() -> Command {
    Command::new("frames").about(ABOUT).defer(arguments)
}

fn arguments(command: Command) -> Command {
    let word = |name: &'static str, words: &'static [&'static str]| {
        Arg::new(name).long(name).value_name("WORD").value_parser(PossibleValuesParser::new(words))
    };
    let switch = |name: &'static str| Arg::new(name).long(name).action(ArgAction::SetTrue);
    command
        .long_about(LONG_ABOUT)
        .after_long_help(EXAMPLES)
        .arg(
            Arg::new("file")
                .value_name("FILE")
                .value_hint(ValueHint::FilePath)
                .value_parser(clap::value_parser!(PathBuf))
                .help("The dump; without it, or as `-`, standard input"),
        )
        .arg(
            word("role", &["client", "server"])
                .help("Who sent the frames: a client masks them, a server does not [default: the first frame tells]"),
        )
        .arg(word("input-format", &["auto", "hex", "binary"]).default_value("auto").help("What the dump is"))
        .arg(switch("deflate").help("permessage-deflate was negotiated: RSV1 says that a message is compressed"))
        .arg(
            Arg::new("show")
                .long("show")
                .value_name("N")
                .value_parser(clap::value_parser!(usize))
                .default_value("256")
                .help("How many octets of each payload are shown"),
        )
        .arg(switch("json").help("A JSON object for each frame, one a line"))
}

/// Does what the command line asks for; an error is one line.
pub(crate) fn run(matches: &ArgMatches) -> Result<ExitCode, String> {
    let word = |name| matches.get_one::<String>(name).map(String::as_str);
    let octets = read(matches.get_one::<PathBuf>("file").map(PathBuf::as_path))?;
    let octets = match word("input-format") {
        Some("binary") => octets,
        Some("auto") | None if !dump::is_dump(&octets) => octets,
        _ => dump::octets(&String::from_utf8_lossy(&octets))?,
    };
    let show = matches.get_one("show").copied().unwrap_or_default();
    let from = word("role").map(|role| if role == "client" { Role::Client } else { Role::Server });
    let options = Options { from, deflate: matches.get_flag("deflate"), keep: show };
    let mut frames = Frames::new(&options, &octets).ok_or("there is no room for a window")?;
    let stdout = io::stdout();
    let look =
        Look { show, colour: stdout.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|no| no.is_empty()) };
    let mut out = BufWriter::new(stdout.lock());
    let legal = if matches.get_flag("json") {
        print::as_json(&mut frames, show, &mut out)
    } else {
        print::for_people(&mut frames, octets.len(), look, &mut out)
    };
    match legal.and_then(|legal| out.flush().map(|()| legal)) {
        Ok(true) => Ok(ExitCode::SUCCESS),
        Ok(false) => Ok(ExitCode::from(ILLEGAL)),
        // Who reads has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(ExitCode::SUCCESS),
        Err(error) => Err(error.to_string()),
    }
}

/// All of the file, or of standard input.
fn read(file: Option<&Path>) -> Result<Vec<u8>, String> {
    match file.filter(|file| *file != Path::new("-")) {
        Some(file) => std::fs::read(file).map_err(|error| format!("{}: {error}", file.display())),
        None => {
            let mut octets = Vec::new();
            io::stdin().lock().read_to_end(&mut octets).map_err(|error| format!("standard input: {error}"))?;
            Ok(octets)
        }
    }
}

#[cfg(test)]
mod tests;
