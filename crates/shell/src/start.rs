//! What a start does that opens no window of its own: it hands over to the program that runs already, or registers links.

use std::process::ExitCode;

use fleetlens_host::flags::desktop_data_dir;

use crate::Flags;
use crate::door::{Wish, knock};

/// What this start is for, if another program may do it; `None` for one that says itself what to show, such as a profile: that is a program of
/// its own.
pub fn wish(flags: &Flags) -> Option<Wish> {
    match &flags.link {
        Some(link) => Some(Wish::Link(link.clone())),
        None if flags.new_window => Some(Wish::NewWindow),
        None if flags.host.says_what() => None,
        None => Some(Wish::Forward),
    }
}

/// Does it, where it is no start of a program of its own; how that ended.
pub fn instead(flags: &Flags) -> Option<ExitCode> {
    if flags.register_links {
        return Some(register());
    }
    let folder = flags.host.data_dir.clone().or_else(desktop_data_dir)?;
    let taken = wish(flags).is_some_and(|wish| knock(&folder, &wish));
    if taken {
        tracing::info!("handed over to the program that runs already");
    }
    taken.then_some(ExitCode::SUCCESS)
}

#[cfg(target_os = "linux")]
fn register() -> ExitCode {
    match crate::schemes::register() {
        Ok(file) => {
            #[expect(clippy::print_stdout, reason = "whoever asked for it looks at a terminal")]
            {
                println!("Links that begin with fleetlens:// open this program now ({}).", file.display());
            }
            ExitCode::SUCCESS
        }
        Err(error) => {
            tracing::error!("links do not open this program: {error}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(not(target_os = "linux"))]
fn register() -> ExitCode {
    tracing::error!("on this system the installer lets links open the program");
    ExitCode::FAILURE
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[test]
    fn a_start_is_for_the_program_that_runs_unless_it_says_itself_what_to_show() {
        for (arguments, want) in [
            (vec![], Some(Wish::Forward)),
            (vec!["--data-dir", "x", "--theme", "dark"], Some(Wish::Forward)),
            (vec!["--new-window"], Some(Wish::NewWindow)),
            (vec!["fleetlens://thing/a"], Some(Wish::Link("fleetlens://thing/a".into()))),
            (vec!["--demo", "fleetlens://thing/a"], Some(Wish::Link("fleetlens://thing/a".into()))),
            (vec!["--profile", "p.toml"], None),
            (vec!["--things", "5"], None),
            (vec!["--no-broker"], None),
            (vec!["--role", "viewer"], None),
        ] {
            let flags = Flags::try_parse_from(std::iter::once("fleetlens").chain(arguments.clone())).unwrap();
            assert_eq!(wish(&flags), want, "{arguments:?}");
        }
    }
}
