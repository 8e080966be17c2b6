//! `martlet bench`: load on an echo server, and how quickly it answers.

mod bar;
mod load;
mod report;
mod room;
mod socket;
mod tally;
mod tick;
mod wire;

use self::bar::Bar;
use self::load::{Outcome, Plan};
use self::report::{Latency, Report, cpu_time, grouped};
use self::socket::Plain;
use self::wire::Message;
use clap::builder::RangedU64ValueParser;
use clap::{Arg, ArgAction, ArgMatches, Command};
use martlet_codec::DataKind;
use martlet_std::{ConnectError, Connector};
use mio::event::Source;
use std::cell::Cell;
use std::io::{self, Read, Write};
use std::process::ExitCode;
use std::time::Duration;

/// It broke off: a connection ended, or what came was no echo.
const BROKE_OFF: u8 = 1;
/// Not all connections could be opened.
const NOT_OPENED: u8 = 3;
/// The longest payload, in octets: that of a message by which most servers are overwhelmed.
const MOST_PAYLOAD: u64 = 1 << 30;

const LONG_ABOUT: &str = "\
Put load on an echo server, and show how quickly it answers.

On each connection so many messages are kept under way as --depth says: with 1, the next one goes when the echo of the last one
has come. Every frame is masked with a key of its own from the operating system. Every echo is looked at: its kind and its length, with
--verify each octet. The first thing that is wrong ends it.

Latency is the time from where a message may be sent to where all of its echo has come. The first quarter of a
second does not count. CPU time is what this program, and with --pid the server's process, used for a message, user and system.";

const AFTER_HELP: &str = "\
Examples:
  martlet bench ws://127.0.0.1:9501/echo
  martlet bench --connections 64 --depth 16 --payload 1024 --binary --duration 30s ws://127.0.0.1:9501/echo
  martlet bench --pid $(pidof -s martlet) --json ws://127.0.0.1:9501/echo

Ends with 0 when the time is over, with 1 if it broke off, with 2 if the command line is wrong, with 3 if a connection could not be
opened.";

pub(crate) fn command() -> Command {
    Command::new("bench").about("Put load on an echo server, and show how quickly it answers").defer(arguments)
}

fn arguments(command: Command) -> Command {
    let number = |name: &'static str, default: &'static str, least: u64, most: u64, help: &'static str| {
        let range = RangedU64ValueParser::<usize>::new().range(least..=most);
        Arg::new(name).long(name).value_name("N").value_parser(range).default_value(default).help(help)
    };
    let switch =
        |name: &'static str, help: &'static str| Arg::new(name).long(name).action(ArgAction::SetTrue).help(help);
    #[cfg(feature = "tls")]
    let command = command.arg(
        Arg::new("cacert")
            .long("cacert")
            .value_name("FILE")
            .help("Trust the certificates of this file for wss://, and no others (PEM)"),
    );
    command
        .long_about(LONG_ABOUT)
        .after_long_help(AFTER_HELP)
        .arg(Arg::new("url").value_name("URL").required(true).help("ws://host:port/path of an echo"))
        .arg(number("connections", "1", 1, 1_000_000, "How many connections"))
        .arg(number("depth", "1", 1, 1_000_000, "How many messages are under way on each connection"))
        .arg(number("payload", "20", 0, MOST_PAYLOAD, "How many octets a message has"))
        .arg(
            Arg::new("duration")
                .long("duration")
                .value_name("TIME")
                .value_parser(humantime::parse_duration)
                .default_value("10s")
                .help("How long it counts, such as 10s or 1m"),
        )
        .arg(switch("text", "Text messages; so it is unless --binary is given").conflicts_with("binary"))
        .arg(switch("binary", "Binary messages"))
        .arg(switch("verify", "Compare each octet of each echo"))
        .arg(
            Arg::new("pid")
                .long("pid")
                .value_name("PID")
                .value_parser(clap::value_parser!(u32))
                .help("The server's process on this machine: show its CPU time as well (Linux)"),
        )
        .arg(switch("json", "The figures as JSON"))
}

/// Does it, and prints the figures. An error is one line.
pub(crate) fn run(matches: &ArgMatches) -> Result<ExitCode, String> {
    let url = matches.get_one::<String>("url").map_or("", String::as_str);
    let connector = Connector::new();
    #[cfg(feature = "tls")]
    let connector = match matches.get_one::<String>("cacert") {
        Some(file) => connector.root_certificates(file).map_err(|error| format!("{file}: {error}"))?,
        None => connector,
    };
    #[cfg(feature = "tls")]
    if url.get(..4).is_some_and(|scheme| scheme.eq_ignore_ascii_case("wss:")) {
        return measure(matches, url, || connector.connect(url)?.into_tls_socket().map_err(ConnectError::Io));
    }
    measure(matches, url, || {
        let (socket, come) = connector.connect(url)?.into_socket().map_err(ConnectError::Io)?;
        Ok((Plain::new(socket).map_err(ConnectError::Io)?, come))
    })
}

/// The same with connections that are opened so.
fn measure<S: Read + Write + Source>(
    matches: &ArgMatches,
    url: &str,
    open: impl Fn() -> Result<(S, Vec<u8>), ConnectError>,
) -> Result<ExitCode, String> {
    let number = |name| matches.get_one::<usize>(name).copied().unwrap_or_default();
    let (connections, depth, payload) = (number("connections"), number("depth"), number("payload"));
    let duration = matches.get_one::<Duration>("duration").copied().unwrap_or_default();
    let binary = matches.get_flag("binary");
    let kind = if binary { DataKind::Binary } else { DataKind::Text };
    let pid = matches.get_one::<u32>("pid").map(u32::to_string);
    if let Some(pid) = pid.as_deref().filter(|pid| cpu_time(pid).is_none()) {
        return Err(format!("--pid: the CPU time of process {pid} cannot be read"));
    }
    let broke_off = |code: u8, why: String| {
        eprintln!("martlet: {why}");
        Ok(ExitCode::from(code))
    };

    let mut sockets = Vec::new();
    for _ in 0..connections {
        match open() {
            Ok(socket) => sockets.push(socket),
            Err(ConnectError::Url(invalid)) => return Err(format!("{url}: {invalid}")),
            Err(error) => {
                let opened = sockets.len();
                return broke_off(NOT_OPENED, format!("{url}: {error} (connection {} of {connections})", opened + 1));
            }
        }
    }
    let bar = Bar::new(duration);
    let before = Cell::new((None, None));
    let cpu = || (cpu_time("self"), pid.as_deref().and_then(cpu_time));
    let plan = Plan { message: Message::new(kind, payload, matches.get_flag("verify")), depth, duration };
    let outcome = load::run(
        plan,
        sockets,
        || before.set(cpu()),
        |elapsed, messages| {
            bar.show(elapsed, &format!("{} messages a second", grouped(messages as f64 / elapsed.as_secs_f64())));
        },
    );
    let ((own_before, server_before), (own, server)) = (before.get(), cpu());
    bar.clear();
    let outcome = match outcome {
        Ok(outcome) => outcome,
        Err(failed) => return broke_off(BROKE_OFF, format!("{url}: {failed}")),
    };
    let per_message = |before: Option<Duration>, after: Option<Duration>| {
        Some(micros(after?.saturating_sub(before?)) / outcome.messages.max(1) as f64)
    };
    let seconds = outcome.elapsed.as_secs_f64();
    let rate = outcome.messages as f64 / seconds;
    let report = Report {
        url: url.to_owned(),
        connections,
        depth,
        payload_bytes: payload,
        kind: if binary { "binary" } else { "text" },
        seconds,
        messages: outcome.messages,
        messages_per_second: rate,
        bytes_per_second: rate * payload as f64,
        latency_us: latency(&outcome),
        own_cpu_us_per_message: per_message(own_before, own),
        server_cpu_us_per_message: per_message(server_before, server),
    };
    print(&report, matches.get_flag("json"))
}

fn latency(outcome: &Outcome) -> Latency {
    let us = |nanos: u64| nanos as f64 / 1e3;
    let at = |quantile| us(outcome.times.value_at_quantile(quantile));
    Latency {
        p50: at(0.5),
        p90: at(0.9),
        p99: at(0.99),
        p99_9: at(0.999),
        max: us(outcome.times.max()),
        mean: outcome.times.mean() / 1e3,
    }
}

fn print(report: &Report, json: bool) -> Result<ExitCode, String> {
    let text = if json {
        serde_json::to_string(report).map_err(|error| error.to_string())? + "\n"
    } else {
        report.to_string()
    };
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.to_string()),
        _ => Ok(ExitCode::SUCCESS),
    }
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}
