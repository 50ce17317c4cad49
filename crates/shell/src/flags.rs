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
    /// One more window than there were; of the program that runs already, if one does
    #[arg(long)]
    pub new_window: bool,
    /// Let links open this program (Linux; installers of the other systems do it), and end
    #[arg(long)]
    pub register_links: bool,
    /// What to show: fleetlens://thing/NAME, alarm/NUMBER, board/ID, view/alarms, find?q=WORDS
    #[arg(value_name = "LINK")]
    pub link: Option<String>,
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
    fn a_link_is_taken_whatever_it_is() {
        for link in ["fleetlens://thing/lamp-1", "not a link", "fleetlens://%zz\n"] {
            let flags = Flags::try_parse_from(["fleetlens", link]).unwrap();
            assert_eq!(flags.link.as_deref(), Some(link), "the window says what is wrong with it");
        }
        assert!(Flags::try_parse_from(["fleetlens", "--new-window"]).unwrap().new_window);
    }

    #[test]
    fn an_app_has_the_flags_of_a_host_and_a_theme() {
        let flags = Flags::try_parse_from(["fleetlens", "--theme", "dark", "--things", "50"]).unwrap();
        assert_eq!((flags.theme, flags.host.things), (Some(ThemeFlag::Dark), Some(50)));
        assert!(Flags::try_parse_from(["fleetlens", "--theme", "blue"]).is_err());
    }
}
