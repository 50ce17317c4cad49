//! The apps' flags. Both apps have the same.

use clap::{Parser, ValueEnum};
use fleetlens_host::HostFlags;

/// Watch and steer a city's connected things over MQTT.
///
/// Without flags: the demo city, with a broker of its own inside the program.
#[derive(Clone, Debug, Default, Parser)]
#[command(name = "fleetlens", version)]
pub struct Flags {
    /// What every program with a host is told.
    #[command(flatten)]
    pub host: HostFlags,
    /// Light or dark, instead of the system's
    #[arg(long)]
    pub theme: Option<ThemeFlag>,
}

/// A theme by its word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ThemeFlag {
    /// For dark rooms.
    Dark,
    /// For the sun.
    Light,
}

impl ThemeFlag {
    /// The word the page knows it by.
    pub fn word(self) -> &'static str {
        match self {
            ThemeFlag::Dark => "dark",
            ThemeFlag::Light => "light",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_app_has_the_flags_of_a_host_and_a_theme() {
        let flags = Flags::try_parse_from(["fleetlens", "--theme", "dark", "--things", "50"]).unwrap();
        assert_eq!((flags.theme, flags.host.things), (Some(ThemeFlag::Dark), Some(50)));
        assert!(Flags::try_parse_from(["fleetlens", "--theme", "blue"]).is_err());
    }
}
