//! What a file may say, and what it is told otherwise.

use super::*;
use core::time::Duration;

fn refused(text: &str) -> String {
    Settings::from_toml(text).unwrap_err().to_string()
}

#[test]
fn nothing_is_the_default() {
    assert_eq!(Settings::from_toml(""), Ok(Settings::default()));
    assert_eq!(toml::from_str::<Settings>("# nothing\n").unwrap(), Settings::default());
}

#[test]
fn settings_come_back_as_they_were_written() {
    let base =
        || Settings { max_push_bytes: Some(9), ping_interval: Duration::from_millis(250), ..Settings::default() };
    let own = Settings { max_headers: 16, document_root: Some("www".into()), ..base() };
    let settings = Settings {
        listen: vec![
            "127.0.0.1:80".parse::<Address>().unwrap().into(),
            Listener { address: "unix:/run/a b".parse().unwrap(), settings: Some(Box::new(own)) },
        ],
        ..base()
    };
    let text = toml::to_string(&settings).unwrap();
    assert!(text.contains("max_headers = 16") && text.matches("max_push_bytes").count() == 1, "{text}");
    assert_eq!(Settings::from_toml(&text), Ok(settings));
}

#[test]
fn a_listener_has_the_settings_of_the_server_but_for_those_it_names() {
    let settings = Settings::from_toml(
        "max_headers = 20\nlisten = [\"[::1]:0\", { address = \"127.0.0.1:0\", package_max_length = 7 }]\nmax_topics = 3",
    )
    .unwrap();
    assert_eq!(settings.listen[0], "[::1]:0".parse::<Address>().unwrap().into());
    let own = settings.listen[1].settings.as_deref().unwrap();
    assert_eq!((own.max_headers, own.package_max_length, own.max_topics), (20, 7, 3));
    assert_eq!(settings.package_max_length, Settings::default().package_max_length);
    // The other way of TOML to write the same.
    let tables = "[[listen]]\naddress = \"127.0.0.1:80\"\n[[listen]]\naddress = \"unix:x\"\nmax_headers = 9";
    let settings = Settings::from_toml(tables).unwrap();
    assert_eq!(settings.listen[1].settings.as_deref().unwrap().max_headers, 9);
}

#[test]
fn times_are_seconds_or_texts() {
    for (text, ms) in [("2", 2000), ("0.25", 250), ("\"250ms\"", 250), ("\"1m 5s\"", 65_000)] {
        let settings = Settings::from_toml(&format!("ping_interval = {text}")).unwrap();
        assert_eq!(settings.ping_interval, Duration::from_millis(ms), "{text}");
    }
    for text in ["-1", "-0.5", "inf", "nan", "\"\"", "\"soon\"", "\"5\"", "true", "1e300"] {
        let why = refused(&format!("ping_interval = {text}"));
        assert!(why.starts_with("ping_interval: "), "{text}: {why}");
    }
}

#[test]
fn what_is_wrong_is_told_by_name_in_one_line() {
    let rows = [
        ("worker_nums = 4", "worker_nums: there is no such setting"),
        ("address = \"127.0.0.1:1\"", "address: there is no such setting"),
        ("worker_num = \"four\"", "worker_num: "),
        ("worker_num = -1", "worker_num: "),
        ("max_headers = 65536", "max_headers: "),
        ("backpressure_policy = \"panic\"", "backpressure_policy: "),
        ("worker_num = 0", "worker_num: must be 1 to 255"),
        ("buffer_high_watermark = 2097152", "max_backpressure: must be at least buffer_high_watermark"),
        ("listen = \"127.0.0.1:1\"", "listen: a list"),
        ("listen = []", "listen: a server listens somewhere"),
        ("listen = [\"127.0.0.1\"]", "listen[0].address: \"127.0.0.1\" is no address"),
        ("listen = [9501]", "listen[0].address: an address or a table"),
        ("listen = [{ max_headers = 9 }]", "listen[0].address: a text"),
        ("listen = [{ address = \"unix:x\", max_header = 9 }]", "listen[0].max_header: there is no such setting"),
        ("listen = [{ address = \"unix:x\", max_headers = -9 }]", "listen[0].max_headers: "),
        ("listen = [{ address = \"unix:x\", max_headers = 1 }]", "max_headers: "),
        ("listen = [{ address = \"unix:x\", worker_num = 1 }]", "listen[0].worker_num: is for the server as a whole"),
        ("listen = [{ address = \"unix:x\", listen = [] }]", "listen[0].listen: is for the server as a whole"),
        ("worker_num = 1\nworker_num = 2", "line 2: "),
        ("\n\nworker_num =", "line 3: "),
        ("[server]\nworker_num = 1", "server: there is no such setting"),
    ];
    for (text, wanted) in rows {
        let why = refused(text);
        assert!(why.starts_with(wanted) && why.lines().count() == 1, "{text:?}: {why:?}");
    }
    for setting in Settings::TABLE.iter().filter(|setting| setting.scope == Scope::Server) {
        let why = refused(&format!("listen = [{{ address = \"unix:x\", {} = 1 }}]", setting.name));
        assert_eq!(
            why,
            format!("listen[0].{}: is for the server as a whole, and cannot differ at a listener", setting.name)
        );
    }
}

#[test]
fn a_command_line_is_laid_over_a_file() {
    let file = "worker_num = 2\nping_interval = 1\nlisten = [\"127.0.0.1:1\"]\nwebsocket_subprotocol = [\"a\"]";
    let others = [
        ("ping_interval", "2.5"),
        ("pong_timeout", "70ms"),
        ("metrics", "true"),
        ("backpressure_policy", "drop"),
        ("document_root", "www"),
        ("listen", "127.0.0.1:2"),
        ("listen", "unix:x"),
        ("websocket_subprotocol", "b, c"),
    ];
    let settings = Settings::from_toml_and(file, others).unwrap();
    assert_eq!((settings.worker_num, settings.metrics), (2, true));
    assert_eq!((settings.ping_interval.as_millis(), settings.pong_timeout.as_millis()), (2500, 70));
    assert_eq!(
        settings.listen.iter().map(|one| one.address.to_string()).collect::<Vec<_>>(),
        ["127.0.0.1:2", "unix:x"]
    );
    assert_eq!(settings.websocket_subprotocol, ["b", "c"]);
    for (name, word) in [("max_headers", "9.5"), ("metrics", "maybe"), ("ping_interval", "nan"), ("worker_num", "")] {
        let error = Settings::from_toml_and("", [(name, word)]).unwrap_err();
        assert_eq!(error.setting(), Some(name), "{error}");
    }
}
