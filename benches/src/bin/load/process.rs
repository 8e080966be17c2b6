//! What the system says of a process.

use std::io;

pub struct Process {
    folder: String,
}

impl Process {
    pub fn new(pid: &str) -> Self {
        Self { folder: format!("/proc/{pid}") }
    }

    /// User and system time: fields 14 and 15 of its `stat`, in hundredths of a second.
    pub fn cpu_seconds(&self) -> io::Result<f64> {
        let stat = std::fs::read_to_string(format!("{}/stat", self.folder))?;
        let after_name = stat.rsplit_once(") ").map_or("", |(_, rest)| rest);
        let ticks: u64 = after_name.split(' ').skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
        Ok(ticks as f64 / 100.0)
    }

    /// Octets of memory that are this process's alone.
    pub fn private_octets(&self) -> io::Result<u64> {
        let rollup = std::fs::read_to_string(format!("{}/smaps_rollup", self.folder))?;
        let kilobytes = rollup.lines().filter(|line| line.starts_with("Private_"));
        Ok(kilobytes.filter_map(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok()).sum::<u64>() * 1024)
    }
}
