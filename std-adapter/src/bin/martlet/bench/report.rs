//! What the figures are, for people and as JSON; and the CPU time of processes.

use serde::Serialize;
use std::fmt;
use std::time::Duration;

/// The figures of a run.
#[derive(Serialize)]
pub(crate) struct Report {
    pub(crate) url: String,
    pub(crate) connections: usize,
    pub(crate) depth: usize,
    pub(crate) payload_bytes: usize,
    pub(crate) kind: &'static str,
    pub(crate) seconds: f64,
    pub(crate) messages: u64,
    pub(crate) messages_per_second: f64,
    /// Payload, in each direction.
    pub(crate) bytes_per_second: f64,
    pub(crate) latency_us: Latency,
    /// User and system time of this process.
    pub(crate) own_cpu_us_per_message: Option<f64>,
    /// The same of the process that was named.
    pub(crate) server_cpu_us_per_message: Option<f64>,
}

/// From where a message may be sent to where all of its echo has come, in microseconds.
#[derive(Serialize)]
pub(crate) struct Latency {
    pub(crate) p50: f64,
    pub(crate) p90: f64,
    pub(crate) p99: f64,
    #[serde(rename = "p99.9")]
    pub(crate) p99_9: f64,
    pub(crate) max: f64,
    pub(crate) mean: f64,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { connections, depth, payload_bytes, kind, seconds, messages, latency_us: times, .. } = self;
        let plural = if *connections == 1 { "" } else { "s" };
        writeln!(f, "{}", self.url)?;
        writeln!(
            f,
            "{connections} connection{plural}, {depth} under way on each, {kind} of {payload_bytes} octets, {seconds:.1} s"
        )?;
        let megabytes = self.bytes_per_second / 1e6;
        let rate = grouped(self.messages_per_second);
        writeln!(
            f,
            "{:<12}{rate} a second, {megabytes:.1} MB/s each way, {} in all",
            "messages",
            grouped(*messages as f64)
        )?;
        let [p50, p90, p99, p99_9, max] = [times.p50, times.p90, times.p99, times.p99_9, times.max].map(time);
        writeln!(f, "{:<12}p50 {p50}, p90 {p90}, p99 {p99}, p99.9 {p99_9}, max {max}", "latency")?;
        let cpu = [("this program", self.own_cpu_us_per_message), ("the server", self.server_cpu_us_per_message)];
        let cpu: Vec<_> = cpu.iter().filter_map(|(who, us)| us.map(|us| format!("{who} {us:.2} us"))).collect();
        if cpu.is_empty() { Ok(()) } else { writeln!(f, "{:<12}{} a message", "CPU", cpu.join(", ")) }
    }
}

/// `1234567` as `1,234,567`.
pub(crate) fn grouped(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Microseconds with a unit that fits.
fn time(us: f64) -> String {
    match us {
        ..1e3 => format!("{us:.1} us"),
        ..1e6 => format!("{:.2} ms", us / 1e3),
        _ => format!("{:.2} s", us / 1e6),
    }
}

/// User and system time that a process has used, `self` for this one; `None` where the system does not tell, or it is gone.
pub(crate) fn cpu_time(process: &str) -> Option<Duration> {
    // In Linux's `stat`, fields 14 and 15, in hundredths of a second; the name, field 2, may hold anything.
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let (_, fields) = stat.rsplit_once(") ")?;
    let mut ticks = fields.split(' ').skip(11).map(str::parse::<u64>);
    let (user, system) = (ticks.next()?.ok()?, ticks.next()?.ok()?);
    Some(Duration::from_millis((user + system) * 10))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_written_for_people() {
        let latency_us = Latency { p50: 12.34, p90: 999.96, p99: 1500.0, p99_9: 2e6, max: 3e6, mean: 20.0 };
        let report = Report {
            url: "ws://x/".to_owned(),
            connections: 1,
            depth: 16,
            payload_bytes: 20,
            kind: "text",
            seconds: 10.04,
            messages: 12_345_678,
            messages_per_second: 1_234_567.8,
            bytes_per_second: 24_691_356.0,
            latency_us,
            own_cpu_us_per_message: Some(0.5),
            server_cpu_us_per_message: Some(1.234),
        };
        assert_eq!(
            report.to_string(),
            "ws://x/\n1 connection, 16 under way on each, text of 20 octets, 10.0 s\n\
             messages    1,234,568 a second, 24.7 MB/s each way, 12,345,678 in all\n\
             latency     p50 12.3 us, p90 1000.0 us, p99 1.50 ms, p99.9 2.00 s, max 3.00 s\n\
             CPU         this program 0.50 us, the server 1.23 us a message\n"
        );
        let silent = Report { own_cpu_us_per_message: None, server_cpu_us_per_message: None, ..report };
        assert!(!silent.to_string().contains("CPU"));
        assert_eq!([0.0, 999.0, 1000.0].map(grouped), ["0", "999", "1,000"]);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn cpu_time_is_told_of_processes_that_there_are() {
        assert!(cpu_time("self").is_some());
        assert_eq!(cpu_time("0"), None);
    }
}
