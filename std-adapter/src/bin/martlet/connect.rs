//! `martlet connect`: lines go out as messages, messages come in as lines.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, ArgMatches, Command};
use martlet_std::{ClientError, Connector, DeflateParams, Flags, Outgoing, Reader, Received, Writer};
use std::io::{self, BufRead, IsTerminal, Write};
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long a server may take to answer the last line.
const LINGER: Duration = Duration::from_secs(1);
/// The connection was opened and ended otherwise than by a Close with 1000, 1001 or no code.
const ENDED_BADLY: u8 = 1;
/// No connection was opened.
const NOT_OPENED: u8 = 3;

const AFTER_HELP: &str = "\
Each line of the input is sent as a message, and each message that comes is a line of the output. When the input has ended and nothing has come for \
a while (--linger), the connection is closed. What is no message goes to standard error.

Ends with 0 after a Close with 1000, 1001 or no code, with 1 after another end, with 2 if the command line is wrong, with 3 if no connection was opened.

Examples:
  martlet connect ws://127.0.0.1:9501/echo
  echo hello | martlet connect ws://127.0.0.1:9501/echo
  martlet connect --header 'Authorization: Bearer x' --subprotocol chat ws://example.org/chat
  martlet connect --send hex --binary hex ws://127.0.0.1:9501/echo <<< 00ff";

pub(crate) fn command() -> Command {
    Command::new("connect").about("Connect to a WebSocket: lines out, lines in").defer(arguments)
}

fn arguments(command: Command) -> Command {
    let text = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name(value).help(help)
    };
    let switch =
        |name: &'static str, help: &'static str| Arg::new(name).long(name).action(ArgAction::SetTrue).help(help);
    #[cfg(feature = "tls")]
    let command =
        command.arg(text("cacert", "FILE", "Trust the certificates of this file for wss://, and no others (PEM)"));
    command
        .after_long_help(AFTER_HELP)
        .arg(Arg::new("url").value_name("URL").required(true).help("ws://host:port/path"))
        .arg(switch("echo", "Send every message back until the server closes, instead of lines"))
        .arg(
            text("subprotocol", "NAME,…", "Subprotocols to offer, the best first")
                .value_delimiter(',')
                .action(ArgAction::Append),
        )
        .arg(text("header", "NAME: VALUE", "One header more for the request").action(ArgAction::Append))
        .arg(text("origin", "ORIGIN", "The origin that a browser would send"))
        .arg(switch("compress", "Offer permessage-deflate, and compress every message if it is accepted"))
        .arg(
            text("max-message-bytes", "N", "The longest message that may come [default: 2097152]")
                .value_parser(clap::value_parser!(u64)),
        )
        .arg(
            text("timeout", "TIME", "How long to connect, and how long the handshake may take [default: 10s]")
                .value_parser(humantime::parse_duration),
        )
        .arg(
            text("ping", "TIME", "Send a Ping so often, and show how long its Pong takes")
                .value_parser(humantime::parse_duration),
        )
        .arg(
            text(
                "linger",
                "TIME",
                "Close when nothing has come for so long after the end of the input [default: 1s, 0s on a terminal]",
            )
            .value_parser(humantime::parse_duration),
        )
        .arg(
            text("send", "FORMAT", "What the lines are: text, or octets in hex or base64")
                .value_parser(PossibleValuesParser::new(["text", "hex", "base64"]))
                .default_value("text"),
        )
        .arg(
            text(
                "binary",
                "FORMAT",
                "How binary messages are shown: a line in hex or base64, or the octets as they are",
            )
            .value_parser(PossibleValuesParser::new(["hex", "base64", "raw"]))
            .default_value("hex"),
        )
}

/// Connects, and talks until the end. An error is one line.
pub(crate) fn run(matches: &ArgMatches) -> Result<ExitCode, String> {
    let url = matches.get_one::<String>("url").map_or("", String::as_str);
    let subprotocols: Vec<&str> = words(matches, "subprotocol").collect();
    let connector = connector(matches, &subprotocols)?;
    let client = match connector.connect(url) {
        Ok(client) => client,
        Err(martlet_std::ConnectError::Url(invalid)) => return Err(format!("{url}: {invalid}")),
        Err(error) => {
            say(&format!("{url}: {error}"));
            return Ok(ExitCode::from(NOT_OPENED));
        }
    };
    let flags = if matches.get_flag("compress") { Flags::FIN | Flags::COMPRESS } else { Flags::FIN };
    let (mut reader, mut writer) = client.split();
    if matches.get_flag("echo") {
        return Ok(how_it_ended(echo(&mut reader, &mut writer, flags)));
    }
    if io::stderr().is_terminal() {
        let subprotocol = reader.subprotocol().map_or_else(String::new, |name| format!(", subprotocol {name}"));
        let compression = reader.compression().map_or_else(String::new, |params| format!(", {params}"));
        say(&format!("connected to {url}{subprotocol}{compression}; Ctrl-D closes"));
    }
    let send = matches.get_one::<String>("send").map_or("text", String::as_str);
    let binary = matches.get_one::<String>("binary").map_or("hex", String::as_str);
    let writer = Mutex::new(writer);
    let heard = Mutex::new(Instant::now());
    std::thread::scope(|scope| {
        let every = matches.get_one::<Duration>("ping").copied().filter(|every| !every.is_zero());
        let begun = Instant::now();
        if let Some(every) = every {
            let writer = &writer;
            scope.spawn(move || ping(writer, every, begun));
        }
        let usual = if io::stdin().is_terminal() { Duration::ZERO } else { LINGER };
        let linger = matches.get_one::<Duration>("linger").copied().unwrap_or(usual);
        let (writer, heard) = (&writer, &heard);
        scope.spawn(move || {
            lines(writer, send, flags);
            close(writer, heard, linger);
        });
        let ended = how_it_ended(show(&mut reader, binary, begun, heard));
        // A thread that waits for a line cannot be told that nobody wants it any more.
        let _ = io::stdout().flush();
        std::process::exit(i32::from(ended != ExitCode::SUCCESS))
    })
}

fn words<'m>(matches: &'m ArgMatches, name: &str) -> impl Iterator<Item = &'m str> {
    matches.get_many::<String>(name).into_iter().flatten().map(String::as_str)
}

fn connector<'m>(matches: &'m ArgMatches, subprotocols: &'m [&'m str]) -> Result<Connector<'m>, String> {
    let mut connector = Connector::new().subprotocols(subprotocols);
    for header in words(matches, "header") {
        let (name, value) =
            header.split_once(':').ok_or_else(|| format!("--header {header}: a header is NAME: VALUE"))?;
        connector = connector.header(name, value.trim());
    }
    if let Some(origin) = matches.get_one::<String>("origin") {
        connector = connector.origin(origin);
    }
    if matches.get_flag("compress") {
        connector = connector.compression(DeflateParams::CONTEXT_TAKEOVER);
    }
    if let Some(most) = matches.get_one::<u64>("max-message-bytes") {
        connector = connector.max_message_bytes(*most);
    }
    #[cfg(feature = "tls")]
    if let Some(file) = matches.get_one::<String>("cacert") {
        connector = connector.root_certificates(file).map_err(|error| format!("{file}: {error}"))?;
    }
    if let Some(time) = matches.get_one::<Duration>("timeout") {
        connector = connector.connect_timeout(*time).handshake_timeout(*time);
    }
    Ok(connector)
}

/// Sends back what comes.
fn echo(reader: &mut Reader<'_>, writer: &mut Writer<'_>, flags: Flags) -> Result<u16, ClientError> {
    loop {
        let sent = match reader.recv()? {
            Received::Text(text) => writer.send(Outgoing::from(text).flags(flags)),
            Received::Binary(octets) => writer.send(Outgoing::from(octets).flags(flags)),
            Received::Closed { code, .. } => return Ok(code),
            _ => Ok(()),
        };
        match sent {
            // The server closes, or is gone: what comes next says how.
            Err(ClientError::Send(_) | ClientError::Io(_)) | Ok(()) => {}
            Err(error) => return Err(error),
        }
    }
}

/// Shows what comes; gives the code of the server's Close.
fn show(reader: &mut Reader<'_>, binary: &str, begun: Instant, heard: &Mutex<Instant>) -> Result<u16, ClientError> {
    let mut out = io::stdout().lock();
    loop {
        let received = reader.recv()?;
        if matches!(received, Received::Text(_) | Received::Binary(_)) {
            *locked(heard) = Instant::now();
        }
        let written = match received {
            Received::Text(text) => writeln!(out, "{text}"),
            Received::Binary(octets) if binary == "raw" => out.write_all(octets),
            Received::Binary(octets) if binary == "base64" => writeln!(out, "{}", BASE64.encode(octets)),
            Received::Binary(octets) => writeln!(out, "{}", hex(octets)),
            Received::Pong(body) => {
                if let Some(sent) = body.first_chunk().map(|sent| u128::from_be_bytes(*sent)) {
                    let took = begun.elapsed().as_nanos().saturating_sub(sent);
                    say(&format!("pong after {:.3} ms", took as f64 / 1e6));
                }
                Ok(())
            }
            Received::Closed { code, reason } => {
                say(format!("closed: {code} {reason}").trim_end());
                return Ok(code);
            }
            _ => Ok(()),
        };
        // Who reads it no more wants nothing more.
        written.and_then(|()| out.flush())?;
    }
}

/// Sends the lines of the input.
fn lines(writer: &Mutex<Writer<'_>>, format: &str, flags: Flags) {
    let mut input = io::stdin().lock();
    let mut line = Vec::new();
    loop {
        line.clear();
        if input.read_until(b'\n', &mut line).unwrap_or(0) == 0 {
            return;
        }
        let text = line.strip_suffix(b"\n").unwrap_or(&line);
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        let octets = match format {
            "hex" => octets(text),
            "base64" => BASE64.decode(text).ok(),
            _ => None,
        };
        let sent = match (format, octets, core::str::from_utf8(text)) {
            ("text", _, Ok(text)) => locked(writer).send(Outgoing::from(text).flags(flags)),
            (_, Some(octets), _) => locked(writer).send(Outgoing::from(&octets[..]).flags(flags)),
            _ => {
                say(&format!("not sent, for it is no {}", if format == "text" { "UTF-8" } else { format }));
                Ok(())
            }
        };
        if let Err(error) = sent {
            return say(&format!("not sent: {error}"));
        }
    }
}

/// Closes when nothing has come for so long: a server that answers late would answer in vain.
fn close(writer: &Mutex<Writer<'_>>, heard: &Mutex<Instant>, linger: Duration) {
    let ended = Instant::now();
    loop {
        let quiet = (*locked(heard)).max(ended).elapsed();
        if quiet >= linger {
            break;
        }
        std::thread::sleep(linger - quiet);
    }
    // If the server was first, there is nothing left to close.
    let _ = locked(writer).close(1000, "");
}

/// Sends a Ping now and then, which says when it was sent.
fn ping(writer: &Mutex<Writer<'_>>, every: Duration, begun: Instant) {
    loop {
        std::thread::sleep(every);
        let sent = begun.elapsed().as_nanos().to_be_bytes();
        if locked(writer).ping(&sent).is_err() {
            return;
        }
    }
}

fn locked<T>(shared: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

fn how_it_ended(ended: Result<u16, ClientError>) -> ExitCode {
    match ended {
        Ok(1000 | 1001 | 1005) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::from(ENDED_BADLY),
        Err(error) => {
            say(&error.to_string());
            ExitCode::from(ENDED_BADLY)
        }
    }
}

/// Tells the person, and not whoever reads the output.
fn say(what: &str) {
    // If nobody reads it, nobody misses it.
    let _ = writeln!(io::stderr(), "martlet: {what}");
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

/// The octets that stand there in hex, with spaces or without.
fn octets(hex: &[u8]) -> Option<Vec<u8>> {
    let digits: Vec<_> = hex.iter().copied().filter(|octet| !octet.is_ascii_whitespace()).collect();
    let pairs = digits.chunks(2).map(|pair| match pair {
        [high, low] => Some((char::from(*high).to_digit(16)? << 4 | char::from(*low).to_digit(16)?) as u8),
        _ => None,
    });
    pairs.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_goes_both_ways() {
        assert_eq!(octets(b"00 ff Ab"), Some(vec![0, 255, 171]));
        assert_eq!((octets(b"0"), octets(b"zz"), octets(b"")), (None, None, Some(Vec::new())));
        assert_eq!(hex(&[0, 255, 171]), "00ffab");
    }
}
