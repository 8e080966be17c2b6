//! On a terminal, a bar that fills while it runs.

use std::io::{IsTerminal, Write, stderr};
use std::time::Duration;

/// Characters of the bar.
const WIDTH: usize = 40;
/// Back to the line's beginning, and away with what stands there.
const ANEW: &str = "\r\x1b[K";

/// The bar on standard error, if that is a terminal.
pub(crate) struct Bar {
    whole: Duration,
    on_terminal: bool,
}

impl Bar {
    /// A bar that is full when so much time is over.
    pub(crate) fn new(whole: Duration) -> Self {
        Self { whole, on_terminal: stderr().is_terminal() }
    }

    /// Shows how much time is over, and a message beside it.
    pub(crate) fn show(&self, elapsed: Duration, message: &str) {
        if self.on_terminal {
            say(&format!("{ANEW}{}  {message}", filled(elapsed.as_secs_f64() / self.whole.as_secs_f64())));
        }
    }

    /// Takes it away.
    pub(crate) fn clear(&self) {
        if self.on_terminal {
            say(ANEW);
        }
    }
}

/// If nobody sees it, nobody misses it.
fn say(line: &str) {
    let mut terminal = stderr();
    let _ = terminal.write_all(line.as_bytes()).and_then(|()| terminal.flush());
}

/// The bar with so much of it full, and how much that is. What is no share of anything is all.
fn filled(share: f64) -> String {
    let share = if share.is_finite() { share.clamp(0.0, 1.0) } else { 1.0 };
    let full = (share * WIDTH as f64) as usize;
    format!("{}{} {:>3.0}%", "█".repeat(full), "░".repeat(WIDTH - full), (share * 100.0).floor())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_fills_from_nothing_to_all() {
        for (share, full, percent) in
            [(0.0, 0, "  0%"), (0.024, 0, "  2%"), (0.5, 20, " 50%"), (0.999, 39, " 99%"), (1.0, 40, "100%")]
        {
            assert_eq!(filled(share), format!("{}{} {percent}", "█".repeat(full), "░".repeat(40 - full)));
        }
        assert_eq!([filled(7.0), filled(f64::NAN), filled(f64::INFINITY)], [filled(1.0), filled(1.0), filled(1.0)]);
    }
}
