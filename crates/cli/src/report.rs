//! `fleetlens report`: what happened in a fleet over a span of time, as one page of HTML (see `fleetlens_report`).

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context, ensure};
use clap::Args;
use fleetlens_host::{Asked, Home, Profile, TimeZone, flags, ground, report};

use crate::moment::{self, Moment};
use crate::{cache, profile};

#[derive(Args)]
pub struct Report {
    /// From this time on: 2026-11-21T22:00:00+01:00, or -8h.
    #[arg(long, value_name = "TIME", value_parser = Moment::parse, allow_hyphen_values = true)]
    from: Moment,
    /// Up to this time, which is not included.
    #[arg(long, value_name = "TIME", value_parser = Moment::parse, allow_hyphen_values = true, default_value = "now")]
    to: Moment,
    /// Of the cache of this profile: a file (TOML), the name of one in the data folder, or `demo` [default: the one in use].
    #[arg(long, value_name = "PROFILE")]
    profile: Option<String>,
    /// Where caches and profiles are kept [default: the app's folder].
    #[arg(long, alias = "data", value_name = "FOLDER")]
    data_dir: Option<PathBuf>,
    /// Of this cache's file, whose ever it is; the app may have it open.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["profile", "data_dir"])]
    db: Option<PathBuf>,
    /// Whose days and hours it has: a name of the time zone database, such as Europe/Malta [default: this computer's].
    #[arg(long, value_name = "ZONE", value_parser = zone)]
    zone: Option<TimeZone>,
    /// Where to write [default: to the next program].
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl Report {
    /// Writes the page and ends.
    pub fn run(self) -> anyhow::Result<()> {
        let now = moment::now();
        let span = moment::span(self.from, self.to, now)?;
        ensure!(
            span.start < now,
            "nothing has happened from {} on, which is still to come; --from must lie before now",
            moment::rfc3339(span.start)
        );
        // An hour that is still to come is no quiet one.
        let span = span.start..span.end.min(now);
        let (db, profile) = self.cache()?;
        let reading = cache::open(&db)?;
        let asked = Asked { span, zone: self.zone.unwrap_or_else(of_this_computer), now };
        let page = report(&reading, &asked, &ground(&profile)?, &|| true)?;
        let mut sink = cache::sink(self.out.as_deref(), &db)?;
        cache::unless_unread(sink.write_all(page.as_bytes()).and_then(|()| sink.flush()))?;
        Ok(())
    }

    /// The file of the cache, and the profile whose map it has.
    fn cache(&self) -> anyhow::Result<(PathBuf, Profile)> {
        if let Some(db) = &self.db {
            // Whose it is nobody says: the map is the program's.
            return Ok((db.clone(), profile::read(None)?));
        }
        let folder = self.data_dir.clone().or_else(flags::desktop_data_dir);
        let folder = folder.context("say with --data-dir where the cache is kept")?;
        let profile = match &self.profile {
            Some(named) => profile::read(profile::file(named, Some(folder.clone()))?.as_deref())?,
            None => in_use(&folder)?,
        };
        Ok((cache::of_profile(&profile, &folder)?, profile))
    }
}

/// The profile that was chosen in the window, else the demo city's.
fn in_use(folder: &std::path::Path) -> anyhow::Result<Profile> {
    let (home, _) = Home::open(folder);
    let chosen = home.chosen.profile.clone();
    let file = chosen.map(|name| profile::file(&name, Some(folder.to_owned()))).transpose()?;
    profile::read(file.flatten().as_deref())
}

/// A time zone by its name.
fn zone(given: &str) -> Result<TimeZone, String> {
    TimeZone::get(given).map_err(|_| {
        format!("{given:?} is no time zone; give a name of the time zone database, such as Europe/Malta or UTC")
    })
}

/// What this computer's clock shows; UTC where it does not say.
fn of_this_computer() -> TimeZone {
    TimeZone::try_system().unwrap_or(TimeZone::UTC)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_is_known_by_its_name() {
        assert_eq!(zone("Europe/Malta").unwrap().iana_name(), Some("Europe/Malta"));
        assert_eq!(zone("UTC").unwrap(), TimeZone::UTC);
        for wrong in ["", "Malta time", "+01:00", "Europe/Nowhere"] {
            assert!(zone(wrong).is_err_and(|why| why.contains("such as Europe/Malta")), "{wrong}");
        }
    }
}
