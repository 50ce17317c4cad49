//! What a program tells of itself: on stderr to whoever started it, as much as `RUST_LOG` says, and into a file in the data folder
//! ([`keep_in`]) for whoever asks later, as much as `FLEETLENS_LOG` says. Panics of every thread are in both.
//!
//! The file is bounded ([`FILES`] of [`FILE_MAX_BYTES`]) and written by a thread of its own: a disk that is slow, full or gone costs
//! lines, which are counted, and nothing else. Passwords, tokens and keys are not logged; should one come by in a sentence of
//! somebody else's, what looks like one is masked on its way into the file.

mod file;

use std::backtrace::{Backtrace, BacktraceStatus};
use std::cell::Cell;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _, fmt};

pub use file::{FILE_MAX_BYTES, FILES};

/// What the file is told when `FLEETLENS_LOG` does not say it.
const USUAL_IN_FILE: &str = "warn,mqtt5=error,fleetlens=info";

/// How long whoever ends waits for the last lines to be written.
const FLUSH_WITHIN: Duration = Duration::from_secs(1);

/// The folder of the logs in a data folder.
const FOLDER: &str = "logs";

/// How many of the last lines that tell of trouble are found again.
const TROUBLES: usize = 10;

thread_local! {
    /// Whether this thread said something on stderr since it looked.
    static SAID: Cell<bool> = const { Cell::new(false) };
}

/// Starts the log on stderr, with what is `usual` when `RUST_LOG` does not say it, and puts panics of every thread into it instead of
/// beside it, with a backtrace where `RUST_BACKTRACE` asks for one. The file begins with [`keep_in`]. A second call does nothing.
pub fn start(usual: &str) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(usual));
    let in_file = EnvFilter::try_from_env("FLEETLENS_LOG").unwrap_or_else(|_| EnvFilter::new(USUAL_IN_FILE));
    let started = tracing_subscriber::registry()
        .with(fmt::layer().with_writer(|| ToStderr).with_filter(filter))
        .with(fmt::layer().with_ansi(false).with_writer(|| file::ToFile).with_filter(in_file))
        .try_init();
    if started.is_err() {
        return;
    }
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        SAID.set(false);
        let trace = Backtrace::capture();
        if trace.status() == BacktraceStatus::Captured {
            tracing::error!("{panic}\n{trace}");
        } else {
            tracing::error!("{panic}");
        }
        if !SAID.get() {
            // Whoever silenced the log still hears of a panic.
            before(panic);
        }
        // It may be the last thing this process does.
        flush();
    }));
}

/// Keeps the log in `logs/fleetlens.log` in this data folder from now on. The first folder holds for the whole process. Where another
/// program keeps its log there, this is `fleetlens-2.log`, and so on.
pub fn keep_in(data_dir: &Path) {
    if file::begin(data_dir.join(FOLDER)) {
        tracing::info!(version = env!("CARGO_PKG_VERSION"), process = std::process::id(), "the log begins");
    }
}

/// Waits until the lines told up to now are in the file, a second at most.
pub fn flush() {
    file::flush(FLUSH_WITHIN);
}

/// How many lines did not get into the file, because the disk did not keep up or took nothing.
pub fn dropped() -> u64 {
    file::dropped()
}

/// The file that is written now; `None` before [`keep_in`], and while it cannot be written.
pub fn path() -> Option<PathBuf> {
    file::path()
}

/// The last lines of the logs in a data folder that tell of trouble, the oldest first: at most ten, masked once more.
pub fn troubles(data_dir: &Path) -> Vec<String> {
    file::last_lines(&data_dir.join(FOLDER), TROUBLES, |line| line.contains(" ERROR ") || line.contains(" WARN "))
}

/// Stderr, and that something was said there.
struct ToStderr;

impl Write for ToStderr {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        SAID.set(true);
        io::stderr().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

#[cfg(test)]
mod tests;
