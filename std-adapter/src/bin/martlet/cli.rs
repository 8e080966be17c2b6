//! The command line: commands, and for `serve` one flag for each setting, laid over a file.

use crate::{bench, completions, connect, frames};
use clap::builder::PossibleValuesParser;
use clap::error::ErrorKind;
use clap::{Arg, ArgAction, ArgMatches, Command, ValueHint};
use martlet_std::{Kind, Setting, Settings};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Where the log's level is set.
const LOG: &str = "MARTLET_LOG";
/// The flag that names the file.
const CONFIG: &str = "config";

const LOG_HELP: &str =
    "The log goes to standard error; MARTLET_LOG sets its level, such as `info` or `martlet_std=debug`.";

/// What the command line asks for.
pub(crate) enum Task {
    /// To serve, with these settings.
    Serve(Box<Settings>),
    /// It is done already, and the process ends with this.
    Done(ExitCode),
}

/// Does what the command line asks for, or says that it asks to serve. An error is one line.
pub(crate) fn task() -> Result<Task, String> {
    let matches = match command().try_get_matches() {
        Ok(matches) => matches,
        Err(error) => {
            return match error.kind() {
                ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
                    // If nobody reads the help, nobody misses it.
                    let _ = error.print();
                    Ok(Task::Done(ExitCode::SUCCESS))
                }
                _ => Err(one_line(&error.to_string(), std::env::args().nth(1).as_deref())),
            };
        }
    };
    match matches.subcommand() {
        Some(("connect", connect)) => connect::run(connect).map(Task::Done),
        Some(("bench", bench)) => bench::run(bench).map(Task::Done),
        Some(("frames", frames)) => frames::run(frames).map(Task::Done),
        Some(("completions", shell)) => completions::run(shell, command()).map(Task::Done),
        Some((_, serve)) => merged(serve).map(|settings| Task::Serve(Box::new(settings))),
        None => Ok(Task::Serve(Box::default())),
    }
}

/// Starts the log on standard error.
pub(crate) fn start_log() -> Result<(), String> {
    let level = std::env::var(LOG).unwrap_or_else(|_| "warn".to_owned());
    let targets: Targets = level.parse().map_err(|error| format!("{LOG}={level}: {error}"))?;
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    tracing_subscriber::registry().with(lines).with(targets).init();
    Ok(())
}

/// The whole command line. The arguments of a command are made when it is asked for: a server keeps nothing of the others'.
fn command() -> Command {
    let serve = Command::new("serve").about("Serve until SIGTERM or SIGINT; the second one ends at once").defer(flags);
    Command::new("martlet")
        .version(env!("CARGO_PKG_VERSION"))
        .about("A WebSocket server: a chat page at /, WebSockets at /chat and /echo; and tools around it")
        .after_help("Without a command it serves with the defaults.")
        .subcommand(serve)
        .subcommand(connect::command())
        .subcommand(bench::command())
        .subcommand(frames::command())
        .subcommand(completions::command())
}

/// The file of settings, and a flag for each of them.
fn flags(command: Command) -> Command {
    let config = Arg::new(CONFIG)
        .long(CONFIG)
        .value_name("FILE")
        .value_hint(ValueHint::FilePath)
        .value_parser(clap::value_parser!(PathBuf))
        .help("A TOML file of settings; the flags below take precedence over it");
    let defaults = toml::Table::try_from(Settings::default()).unwrap_or_default();
    let flags = Settings::TABLE.iter().map(|setting| flag(setting).help(help(setting, &defaults)));
    command.after_help(LOG_HELP).arg(config).args(flags)
}

/// The flag of a setting. Its text is read with the file's, so that both are read by the same rules.
fn flag(setting: &'static Setting) -> Arg {
    let arg = Arg::new(setting.name).long(setting.name.replace('_', "-"));
    match setting.kind {
        Kind::Switch => arg
            .value_name("BOOL")
            .num_args(0..=1)
            .default_missing_value("true")
            .value_parser(PossibleValuesParser::new(["true", "false"]))
            .hide_possible_values(true),
        Kind::Time => arg.value_name("TIME").allow_negative_numbers(true),
        Kind::Word(words) => arg.value_name("WORD").value_parser(PossibleValuesParser::new(words)),
        Kind::Path => arg.value_name("PATH").value_hint(ValueHint::AnyPath),
        Kind::Texts => arg.value_name("TEXT,…").action(ArgAction::Append),
        Kind::Addresses => arg.value_name("ADDRESS,…").action(ArgAction::Append),
        _ => arg.value_name("N").allow_negative_numbers(true),
    }
}

/// What a setting does, and what it is if nobody says otherwise.
fn help(setting: &Setting, defaults: &toml::Table) -> String {
    let default = match defaults.get(setting.name) {
        _ if setting.name == "worker_num" => "one for each core".to_owned(),
        None => return setting.help.to_owned(),
        Some(toml::Value::Array(list)) if list.is_empty() => return setting.help.to_owned(),
        Some(toml::Value::Array(list)) => list.iter().filter_map(toml::Value::as_str).collect::<Vec<_>>().join(","),
        Some(toml::Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    format!("{} [default: {default}]", setting.help)
}

/// The file's settings with the flags' over them.
fn merged(serve: &ArgMatches) -> Result<Settings, String> {
    let file = serve.get_one::<PathBuf>(CONFIG).map(PathBuf::as_path);
    let text = file.map_or_else(|| Ok(String::new()), read)?;
    let flags: Vec<_> = Settings::TABLE
        .iter()
        .flat_map(|setting| {
            let words = serve.get_many::<String>(setting.name).into_iter().flatten();
            words.map(|word| (setting.name, word.as_str()))
        })
        .collect();
    Settings::from_toml_and(&text, flags.iter().copied()).map_err(|error| match (error.setting(), file) {
        // Without a file nothing else can be to blame.
        (Some(name), file) if file.is_none() || flags.iter().any(|(flag, _)| *flag == outer(name)) => {
            format!("--{}: {}", outer(name).replace('_', "-"), error.reason())
        }
        (_, Some(file)) => format!("{}: {error}", file.display()),
        (_, None) => error.to_string(),
    })
}

/// `listen` of `listen[0].address`.
fn outer(name: &str) -> &str {
    name.split('[').next().unwrap_or(name)
}

fn read(file: &Path) -> Result<String, String> {
    std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))
}

/// What went wrong, without the advice that clap puts below it but for where to look: the help of the command, if `first` is one.
fn one_line(message: &str, first: Option<&str>) -> String {
    let mut lines = message.lines();
    let head = lines.next().unwrap_or_default().trim_start_matches("error: ");
    // What is missing stands below the first line.
    let missing = if head.ends_with(':') { lines.next().map(str::trim_start).unwrap_or_default() } else { "" };
    let space = if missing.is_empty() { "" } else { " " };
    let command = command();
    let help =
        first.filter(|first| command.find_subcommand(first).is_some()).map_or(String::new(), |name| format!("{name} "));
    format!("{head}{space}{missing} (martlet {help}--help says what is possible)")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(arguments: &[&str]) -> Result<Settings, String> {
        let arguments = ["martlet", "serve"].iter().chain(arguments);
        let matches =
            command().try_get_matches_from(arguments).map_err(|error| one_line(&error.to_string(), Some("serve")))?;
        merged(matches.subcommand_matches("serve").unwrap())
    }

    #[test]
    fn the_command_line_is_sound() {
        command().debug_assert();
    }

    #[test]
    fn serve_without_options_is_the_default() {
        assert_eq!(parsed(&[]), Ok(Settings::default()));
    }

    #[test]
    fn every_setting_has_a_flag_and_the_flags_value_is_its_own() {
        let defaults = toml::Table::try_from(Settings::default()).unwrap();
        for Setting { name, kind, .. } in Settings::TABLE {
            let flag = format!("--{}", name.replace('_', "-"));
            // Something that is not the default, and contradicts no other default.
            let word = match kind {
                Kind::Number => match *name {
                    "buffer_high_watermark" | "buffer_low_watermark" | "read_buffer_bytes" => "65536",
                    "max_backpressure" => "2097152",
                    "max_held_bytes" => "8388608",
                    "compression_level" | "server_max_window_bits" | "client_max_window_bits" => "9",
                    _ => "200",
                },
                Kind::Switch if defaults[*name] == toml::Value::Boolean(true) => "false",
                Kind::Switch => "true",
                Kind::Word(words) => words[1],
                Kind::Texts if *name == "allowed_origins" => "https://example.org",
                Kind::Addresses => "[::1]:80",
                Kind::Time if *name == "heartbeat_check_interval" => "0.5",
                _ => "7",
            };
            if matches!(*name, "ssl_cert_file" | "ssl_key_file") {
                // They are no unknown flags, but go only together.
                assert!(parsed(&[flag.as_str(), word]).unwrap_err().contains("ssl-cert-file"), "{flag}");
                continue;
            }
            let more = if *name == "heartbeat_check_interval" { &["--heartbeat-idle-time", "8"][..] } else { &[] };
            let settings = parsed(&[&[flag.as_str(), word], more].concat()).unwrap_or_else(|why| panic!("{why}"));
            let (base, own) = (parsed(more).unwrap(), settings);
            let [base, own] = [base, own].map(|settings| toml::Table::try_from(settings).unwrap());
            let changed: Vec<_> = own.iter().filter(|(name, value)| base.get(*name) != Some(value)).collect();
            assert_eq!(changed.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), [*name], "{flag} {word}");
        }
    }

    #[test]
    fn a_switch_needs_no_value() {
        let settings = parsed(&["--metrics", "--healthz", "--tcp-nodelay", "false"]).unwrap();
        assert!(settings.metrics && settings.healthz && !settings.tcp_nodelay);
    }

    #[test]
    fn what_is_wrong_is_one_line_that_names_it() {
        for (arguments, wanted) in [
            (&["--bogus"][..], "unexpected argument '--bogus'"),
            (&["surplus"], "unexpected argument 'surplus'"),
            (&["--listen=nowhere"], "--listen: \"nowhere\" is no address"),
            (&["--worker-num=0"], "--worker-num: must be 1 to 255"),
            (&["--worker-num=-1"], "--worker-num: "),
            (&["--worker-num", "-1"], "--worker-num: "),
            (&["--worker-num", "many"], "--worker-num: "),
            (&["--worker-num"], "a value is required for '--worker-num"),
            (&["--worker-num=1", "--worker-num=2"], "the argument '--worker-num"),
            (&["--ping-interval", "soon"], "--ping-interval: "),
            (&["--metrics=maybe"], "invalid value 'maybe'"),
            (&["--backpressure-policy=panic"], "invalid value 'panic'"),
            (&["--buffer-high-watermark=2000000"], "--max-backpressure: must be at least buffer_high_watermark"),
            (&["--config=/nonexistent/martlet.toml"], "/nonexistent/martlet.toml: "),
        ] {
            let why = parsed(arguments).unwrap_err();
            assert!(why.starts_with(wanted) && why.lines().count() == 1, "{arguments:?}: {why}");
        }
        for (arguments, wanted) in [
            (&["x", "y"][..], "unrecognized subcommand 'x' (martlet --help says what is possible)"),
            (
                &["frames", "--role=boss"],
                "invalid value 'boss' for '--role <WORD>' (martlet frames --help says what is possible)",
            ),
            (
                &["completions"],
                "the following required arguments were not provided: <SHELL> (martlet completions --help says what is possible)",
            ),
        ] {
            let error = command().try_get_matches_from([&["martlet"][..], arguments].concat()).unwrap_err();
            assert_eq!(one_line(&error.to_string(), arguments.first().copied()), wanted);
        }
    }

    /// A file that is gone with this.
    struct File(PathBuf);

    impl File {
        fn new(name: &str, text: &str) -> Self {
            let path = std::env::temp_dir().join(format!("martlet-{}-{name}.toml", std::process::id()));
            std::fs::write(&path, text).unwrap();
            Self(path)
        }

        fn flag(&self) -> String {
            format!("--config={}", self.0.display())
        }
    }

    impl Drop for File {
        fn drop(&mut self) {
            let _ = std::fs::remove_file(&self.0);
        }
    }

    #[test]
    fn flags_are_laid_over_the_file_and_the_one_to_blame_is_named() {
        let file = File::new("good", "worker_num = 3\nping_interval = 9\n");
        let settings = parsed(&[&file.flag(), "--ping-interval", "250ms"]).unwrap();
        assert_eq!((settings.worker_num, settings.ping_interval.as_millis()), (3, 250));
        let why = parsed(&[&file.flag(), "--backlog", "0"]).unwrap_err();
        assert!(why.starts_with("--backlog: "), "{why}");
        let file = File::new("bad", "\nworker_nums = 3\n");
        let why = parsed(&[&file.flag()]).unwrap_err();
        assert_eq!(why, format!("{}: worker_nums: there is no such setting", file.0.display()));
        let file = File::new("no", "\nworker_num = \n");
        let why = parsed(&[&file.flag(), "--backlog=1"]).unwrap_err();
        assert!(why.contains(": line 2: ") && why.lines().count() == 1, "{why}");
    }
}
