//! `/metrics` and `/healthz`, where the settings ask for them.

use crate::http::Response;
use crate::settings::Settings;
use crate::stats::Stats;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, text};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;
use std::fmt;
use std::time::UNIX_EPOCH;

/// The text that Prometheus reads.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The answer, if this path is one of the two and switched on.
pub(crate) fn answer(settings: &Settings, path: &str, stats: impl FnOnce() -> Stats) -> Option<Response> {
    match path {
        "/healthz" if settings.healthz => Some(Response::text(200, "ok\n")),
        "/metrics" if settings.metrics => Some(Response::new(200, OPEN_METRICS, exposition(stats()).into_bytes())),
        _ => None,
    }
}

fn exposition(stats: Stats) -> String {
    let mut registry = Registry::with_prefix("martlet");
    registry.register_collector(Box::new(Exposed(stats)));
    let mut text = String::new();
    // Writing into a String does not fail.
    let written = text::encode(&mut text, &registry);
    debug_assert!(written.is_ok());
    text
}

#[derive(Debug)]
struct Exposed(Stats);

impl Collector for Exposed {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let stats = &self.0;
        let started = stats.start_time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let gauges = [
            ("start_time_seconds", "When the server started, in seconds since the epoch", started),
            ("workers", "Worker threads", stats.worker_num as u64),
            ("connections", "Connections that are open", stats.connections),
            ("websockets", "WebSockets that are open", stats.websockets),
        ];
        for (name, help, value) in gauges {
            let gauge = ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX));
            gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)?;
        }
        let counters = [
            ("connections_accepted", "Connections that came", stats.accepted),
            ("websockets_opened", "WebSockets that were opened", stats.opened),
            ("requests", "Requests that came, handshakes included", stats.requests),
            ("frames_received", "Frames that came", stats.frames_in),
            ("frames_sent", "Frames that went or wait to go", stats.frames_out),
            ("bytes_received", "Octets that came", stats.bytes_in),
            ("bytes_sent", "Octets that went or wait to go", stats.bytes_out),
            ("overloads", "Messages, requests and pushes that a full worker refused", stats.overloads),
        ];
        for (name, help, value) in counters {
            let counter = ConstCounter::new(value);
            counter.encode(encoder.encode_descriptor(name, help, None, counter.metric_type())?)?;
        }
        Ok(())
    }
}
