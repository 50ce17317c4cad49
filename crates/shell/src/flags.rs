//! The apps' flags. Both apps have the same.

use std::path::PathBuf;
use std::time::Instant;

use clap::{Parser, ValueEnum};
use fleetlens_host::model::identity::Role;
use fleetlens_host::{BrokerChoice, CityOptions, HostOptions};

/// The environment variable with the file that the app tells about itself in, once a second.
const SUMMARY: &str = "FLEETLENS_SUMMARY";

/// Watch and steer a city's connected things over MQTT.
///
/// Without flags: the demo city, with a broker of its own inside the program.
#[derive(Clone, Debug, Default, Parser)]
#[command(name = "fleetlens", version)]
pub struct Flags {
    /// Where the caches are kept; the system's place for data without it
    #[arg(long, value_name = "FOLDER")]
    pub data_dir: Option<PathBuf>,
    /// Which profile (TOML); the demo city without it
    #[arg(long, value_name = "FILE")]
    pub profile: Option<PathBuf>,
    /// Connect to this broker instead, with the profile's topics: mqtt://host[:port]
    #[arg(long, value_name = "URL")]
    pub broker: Option<String>,
    /// Start without any broker and show what the cache holds
    #[arg(long, conflicts_with = "broker")]
    pub no_broker: bool,
    /// A role instead of the profile's
    #[arg(long)]
    pub role: Option<RoleFlag>,
    /// Light or dark, instead of the system's
    #[arg(long)]
    pub theme: Option<ThemeFlag>,
    /// How many things the demo city has
    #[arg(long, value_name = "COUNT", conflicts_with = "profile")]
    pub things: Option<usize>,
    /// How many messages the demo city sends, per second
    #[arg(long, value_name = "PER_SECOND", conflicts_with = "profile")]
    pub rate: Option<f64>,
    /// Which demo city: the same number makes the same one
    #[arg(long, value_name = "NUMBER", conflicts_with = "profile")]
    pub seed: Option<u64>,
    /// How fast the demo city's day passes; 1 is as in life
    #[arg(long, value_name = "FACTOR", conflicts_with = "profile")]
    pub speed: Option<f64>,
}

/// A role by its word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum RoleFlag {
    /// Watches and steers everything.
    Operator,
    /// Works on things on site.
    Technician,
    /// Sees everything, steers nothing.
    Viewer,
    /// Looks for a place to park.
    Driver,
}

/// A theme by its word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ThemeFlag {
    /// For dark rooms.
    Dark,
    /// For the sun.
    Light,
}

impl Flags {
    /// What the host is told; `default_data_dir` is the system's place for data.
    pub fn host_options(&self, default_data_dir: impl FnOnce() -> PathBuf, started: Instant) -> HostOptions {
        let usual = CityOptions::default();
        let city = CityOptions {
            things: self.things.unwrap_or(usual.things),
            rate: self.rate.or(usual.rate),
            seed: self.seed.unwrap_or(usual.seed),
            speed: self.speed.unwrap_or(usual.speed),
            ..usual
        };
        let broker = match (&self.broker, self.no_broker) {
            (Some(url), _) => BrokerChoice::At(url.clone()),
            (None, true) => BrokerChoice::None,
            (None, false) => BrokerChoice::Own,
        };
        HostOptions {
            data_dir: self.data_dir.clone().unwrap_or_else(default_data_dir),
            profile: self.profile.clone(),
            demo: self.profile.is_none().then_some(city),
            broker,
            role: self.role.map(RoleFlag::role),
            summary: std::env::var_os(SUMMARY).map(PathBuf::from),
            started,
        }
    }
}

impl RoleFlag {
    fn role(self) -> Role {
        match self {
            RoleFlag::Operator => Role::Operator,
            RoleFlag::Technician => Role::Technician,
            RoleFlag::Viewer => Role::Viewer,
            RoleFlag::Driver => Role::Driver,
        }
    }
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

    fn options(arguments: &[&str]) -> HostOptions {
        let flags = Flags::try_parse_from([&["fleetlens"], arguments].concat()).unwrap();
        flags.host_options(|| "system".into(), Instant::now())
    }

    #[test]
    fn without_flags_it_is_the_demo_city() {
        let usual = options(&[]);
        assert_eq!((usual.demo, usual.broker, usual.profile), (Some(CityOptions::default()), BrokerChoice::Own, None));
        assert_eq!(usual.data_dir, PathBuf::from("system"));
    }

    #[test]
    fn flags_say_what_differs() {
        let city = options(&["--things", "50", "--rate", "9.5", "--seed", "7", "--speed", "60", "--data-dir", "d"]);
        let want = CityOptions { things: 50, rate: Some(9.5), seed: 7, speed: 60.0, ..CityOptions::default() };
        assert_eq!((city.demo, city.data_dir), (Some(want), PathBuf::from("d")));

        let real = options(&["--profile", "malta.toml", "--role", "driver"]);
        assert_eq!((real.demo, real.profile, real.role), (None, Some("malta.toml".into()), Some(Role::Driver)));

        let elsewhere = options(&["--broker", "mqtt://h:1884"]);
        assert_eq!(elsewhere.broker, BrokerChoice::At("mqtt://h:1884".into()));
        assert_eq!(options(&["--no-broker", "--things", "50"]).broker, BrokerChoice::None);
    }

    #[test]
    fn flags_that_exclude_each_other_are_refused() {
        for wrong in [
            &["--no-broker", "--broker", "mqtt://h"][..],
            &["--profile", "x.toml", "--things", "5"],
            &["--role", "boss"],
            &["--things", "-1"],
            &["somewhere.toml"],
        ] {
            assert!(Flags::try_parse_from([&["fleetlens"], wrong].concat()).is_err(), "{wrong:?}");
        }
    }
}
