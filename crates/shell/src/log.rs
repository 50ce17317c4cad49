//! What the app tells to whoever started it, on stderr; `RUST_LOG` says how much.

use std::backtrace::{Backtrace, BacktraceStatus};

use tracing::Level;
use tracing_subscriber::EnvFilter;

/// What is told when `RUST_LOG` is not set.
const USUAL: &str = "warn,fleetlens_host=info,fleetlens_shell=info";

/// Starts the log, and puts panics of every thread into it instead of beside it, with a backtrace where `RUST_BACKTRACE` asks for
/// one. A second call does nothing.
pub fn start() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(USUAL));
    let started = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).try_init();
    if started.is_err() {
        return;
    }
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let trace = Backtrace::capture();
        if !tracing::enabled!(Level::ERROR) {
            // Whoever silenced the log still hears of a panic.
            before(panic);
        } else if trace.status() == BacktraceStatus::Captured {
            tracing::error!("{panic}\n{trace}");
        } else {
            tracing::error!("{panic}");
        }
    }));
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    /// Set in the process that panics.
    const CHILD: &str = "FLEETLENS_TEST_PANICS";
    const NAME: &str = "log::tests::a_panic_is_told_once_even_in_a_silenced_log";

    #[test]
    fn a_panic_is_told_once_even_in_a_silenced_log() {
        if std::env::var_os(CHILD).is_some() {
            start();
            let panicked = std::thread::spawn(|| panic!("said on purpose")).join();
            assert!(panicked.is_err());
            return;
        }
        for level in ["warn", "off"] {
            // The hook is the process's, so it needs one of its own.
            let mut child = Command::new(std::env::current_exe().unwrap());
            let ran =
                child.args(["--exact", NAME, "--nocapture"]).env(CHILD, "1").env("RUST_LOG", level).output().unwrap();
            let told = String::from_utf8_lossy(&ran.stderr);
            assert!(ran.status.success(), "{told}");
            assert_eq!(told.matches("said on purpose").count(), 1, "RUST_LOG={level}: {told}");
        }
    }
}
