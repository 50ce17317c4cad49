//! Interrupts: Ctrl-C, a request to end, a terminal that is gone (an ssh connection drops). They end us at once, as they end
//! any program, except while something runs that must be ended in order or not be left half done.

use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result, bail};

/// The exit code of an interrupted verb, as a shell reports it.
pub const EXIT_CODE: u8 = 130;

static AT_ONCE: AtomicBool = AtomicBool::new(true);
static CAME: AtomicBool = AtomicBool::new(false);

/// Takes the interrupts over; to be called once, before anything is done.
pub fn listen() -> Result<()> {
    let signals = signal_hook::consts::TERM_SIGNALS.iter().copied();
    #[cfg(unix)]
    let signals = signals.chain((!hangup_is_ignored()).then_some(signal_hook::consts::SIGHUP));
    for signal in signals {
        signal_hook::flag::register(signal, &CAME)
            .and_then(|_| signal_hook::flag::register_conditional_default(signal, &AT_ONCE))
            .context("cannot listen for interrupts")?;
    }
    Ok(())
}

/// From here on an interrupt ends nothing: whoever called this asks [`came`] and ends in order.
pub fn hold() {
    AT_ONCE.store(false, Ordering::SeqCst);
}

/// Whether we were interrupted since [`hold`].
pub fn came() -> bool {
    CAME.load(Ordering::SeqCst)
}

/// Does something that must not be left half done. An interrupt takes effect after it, as an error.
pub fn after<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    hold();
    let result = work();
    if came() {
        bail!("interrupted");
    }
    AT_ONCE.store(true, Ordering::SeqCst);
    result
}

/// Whoever starts a program with `nohup` wants it to outlive the terminal.
#[cfg(unix)]
fn hangup_is_ignored() -> bool {
    std::fs::read_to_string("/proc/self/status").is_ok_and(|status| ignores_hangup(&status))
}

/// Reads proc(5), `SigIgn`: a hexadecimal mask whose lowest bit is signal 1, SIGHUP.
#[cfg(unix)]
fn ignores_hangup(status: &str) -> bool {
    status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .is_some_and(|mask| mask & 1 != 0)
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    #[test]
    fn a_hangup_is_ignored_where_the_mask_says_so() {
        for (status, want) in [
            ("Name:\tx\nSigIgn:\t0000000000000001\nSigCgt:\t0000000000000000\n", true),
            ("SigIgn:\t0000000000001003\n", true),
            ("SigIgn:\t0000000000001000\nSigCgt:\t0000000000000001\n", false),
            ("", false),
        ] {
            assert_eq!(ignores_hangup(status), want, "{status:?}");
        }
    }
}
