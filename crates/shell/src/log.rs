//! What the app tells to whoever started it, on stderr; `RUST_LOG` says how much.

use tracing_subscriber::EnvFilter;

/// What is told when `RUST_LOG` is not set.
const USUAL: &str = "warn,fleetlens_host=info,fleetlens_shell=info";

/// Starts the log, and puts panics of every thread into it. A second call does nothing.
pub fn start() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(USUAL));
    let started = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).try_init();
    if started.is_err() {
        return;
    }
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        tracing::error!("{panic}");
        before(panic);
    }));
}
