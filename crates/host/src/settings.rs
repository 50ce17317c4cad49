//! How the program is set, beyond any profile: which profile is used, who is at the screen, how much the cache keeps. One TOML
//! file in the data folder that the program writes itself; people may edit it, so a mistake in it is told and the file kept.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use fleetlens_ipc::rows::ProfileRow;
use fleetlens_model::identity::{Actor, Role};
use fleetlens_model::record::Retention;
use serde::{Deserialize, Serialize};

use crate::profile::Profile;

/// The file in the data folder.
const FILE: &str = "settings.toml";

/// What a settings file with a mistake in it is moved to before a new one is written.
const BROKEN: &str = "settings.broken.toml";

/// The folder in the data folder where profiles are looked for.
const PROFILES: &str = "profiles";

/// The longest name of a person, in characters.
const NAME_MAX_CHARS: usize = 80;

/// What the program was told, as the file holds it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Chosen {
    /// The profile's name; `None` for the demo city.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// Servers of this network, `host:port`, that a window from elsewhere may name for a map.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub map_hosts: Vec<String>,
    /// Who is at the screen; `None` for whom the profile names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity: Option<Actor>,
    /// How much the cache keeps.
    pub cache: Retention,
}

/// The data folder with what is set in it.
#[derive(Clone, Debug)]
pub struct Home {
    folder: PathBuf,
    /// What the program was told.
    pub chosen: Chosen,
    /// Nobody has said yet what to show, and the window is to ask.
    pub undecided: bool,
    /// The file could not be read: it is moved aside before anything is written.
    broken: bool,
}

impl Home {
    /// Reads what is set in a folder; nothing where there is no file. Comes with a sentence when the file is there and of no use.
    pub fn open(folder: &Path) -> (Home, Option<String>) {
        let path = folder.join(FILE);
        let home = |chosen, broken| Home { folder: folder.to_owned(), chosen, undecided: false, broken };
        let (chosen, why) = match fs::read_to_string(&path) {
            Ok(text) => match read(&text) {
                Ok(chosen) => (chosen, None),
                Err(why) => (Chosen::default(), Some(why)),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => (Chosen::default(), None),
            Err(error) => (Chosen::default(), Some(error.to_string())),
        };
        let told = why.map(|why| format!("{} cannot be used, so nothing of it is: {why}", path.display()));
        (home(chosen, told.is_some()), told)
    }

    /// How much the cache keeps; `None` for everything, while the file that would say it has a mistake: what is deleted does not
    /// come back when the mistake is mended.
    pub fn limits(&self) -> Option<Retention> {
        (!self.broken).then_some(self.chosen.cache)
    }

    /// Keeps `chosen` on the disk: whole or not at all.
    pub fn keep(&mut self, chosen: Chosen) -> io::Result<()> {
        let text = toml::to_string_pretty(&chosen).map_err(io::Error::other)?;
        let path = self.folder.join(FILE);
        if self.broken {
            fs::rename(&path, self.folder.join(BROKEN))?;
            self.broken = false;
        }
        let new = self.folder.join(format!("{FILE}.new"));
        let mut file = fs::File::create(&new)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(new, path)?;
        self.chosen = chosen;
        Ok(())
    }

    /// Where profiles are looked for.
    pub fn profile_folder(&self) -> PathBuf {
        self.folder.join(PROFILES)
    }

    /// Where copies of maps are.
    pub fn map_folder(&self) -> PathBuf {
        self.folder.join(crate::maps::FOLDER)
    }

    /// Every folder where the file of a profile may be saved: that of profiles, and those of files that lie elsewhere, by a link from
    /// there or because they were `named`.
    pub fn profile_folders(&self, named: Option<&Path>) -> BTreeSet<PathBuf> {
        let rows = self.profiles(named, None).into_iter().filter(|row| !row.file.is_empty());
        let folders = rows.filter_map(|row| Path::new(&row.file).parent().map(Path::to_path_buf));
        folders.chain([whole(&self.profile_folder())]).collect()
    }

    /// The file of a profile that can be chosen by its name; `None` for the demo city.
    pub fn find(&self, name: &str, named: Option<&Path>) -> Result<Option<PathBuf>, String> {
        let rows = self.profiles(named, None);
        match rows.iter().find(|row| row.name == name) {
            Some(ProfileRow { fault: Some(fault), .. }) => Err(fault.clone()),
            Some(row) if row.file.is_empty() => Ok(None),
            Some(row) => Ok(Some(PathBuf::from(&row.file))),
            None => Err(format!("there is no profile \"{name}\" in {}", self.profile_folder().display())),
        }
    }

    /// Every profile that can be chosen, the demo city first; and the `named` one, which may lie elsewhere. `used` is the file of
    /// the one in use.
    pub fn profiles(&self, named: Option<&Path>, used: Option<Option<&Path>>) -> Vec<ProfileRow> {
        let mut files: Vec<PathBuf> = match fs::read_dir(self.profile_folder()) {
            Ok(entries) => entries.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect(),
            // No folder is no profiles; one that cannot be read is told by its emptiness and the path beside it.
            Err(_) => Vec::new(),
        };
        files.retain(|file| file.extension().is_some_and(|ending| ending == "toml"));
        files.extend(named.map(Path::to_path_buf));
        let mut files: Vec<PathBuf> = files.iter().map(|file| whole(file)).collect();
        files.sort();
        files.dedup();
        let is_used = |file: Option<&Path>| used == Some(file);
        let mut rows = Vec::with_capacity(files.len() + 1);
        if let Ok(demo) = Profile::demo() {
            rows.push(ProfileRow {
                name: demo.name,
                file: String::new(),
                broker: "embedded broker".into(),
                active: is_used(None),
                fault: None,
            });
        }
        for file in files {
            let row = match Profile::read(&file) {
                Ok(profile) => {
                    let taken = rows.iter().any(|row: &ProfileRow| row.name == profile.name);
                    let fault = taken.then(|| format!("another profile is called \"{}\" already", profile.name));
                    let broker = profile.broker.url;
                    ProfileRow { name: profile.name, file: shown(&file), broker, active: is_used(Some(&file)), fault }
                }
                Err(error) => ProfileRow {
                    name: file.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned()),
                    file: shown(&file),
                    broker: String::new(),
                    active: false,
                    fault: Some(error.to_string()),
                },
            };
            rows.push(row);
        }
        rows
    }
}

/// A file by its one full name, so that it is not two files; as it is where there is no such file.
pub fn whole(file: &Path) -> PathBuf {
    fs::canonicalize(file).unwrap_or_else(|_| file.to_path_buf())
}

/// What a settings file says, or what is wrong with it.
fn read(text: &str) -> Result<Chosen, String> {
    let chosen: Chosen = toml::from_str(text).map_err(|e| e.message().to_owned())?;
    // Not their order: what was once kept otherwise is raised where it is used, and costs nobody the rest of the file.
    check_limits(chosen.cache)?;
    if let Some(who) = &chosen.identity {
        check_name(&who.name)?;
    }
    Ok(chosen)
}

fn shown(file: &Path) -> String {
    file.display().to_string()
}

/// Checks a person's name and role before they are kept; the error is the sentence for the screen.
pub fn check_identity(who: &Actor, roles: &[Role]) -> Result<(), String> {
    check_name(&who.name)?;
    if !roles.contains(&who.role) {
        let may: Vec<&str> = roles.iter().map(|role| role.label()).collect();
        return Err(format!("this profile lets you be {}, not {}", may.join(", "), who.role.label()));
    }
    Ok(())
}

fn check_name(name: &str) -> Result<(), String> {
    let length = name.trim().chars().count();
    if !(1..=NAME_MAX_CHARS).contains(&length) || name.chars().any(char::is_control) {
        return Err(format!("the name has {length} characters; 1 to {NAME_MAX_CHARS} printable ones are right"));
    }
    Ok(())
}

/// Checks how much a cache is to keep; the error is the sentence for the screen.
pub fn check_retention(retention: Retention) -> Result<(), String> {
    check_limits(retention)?;
    let Retention { keep_days, minutes_days, hours_days, max_mb: _ } = retention;
    let hours = hours_days.map(|days| ("hours", days, "minutes", minutes_days));
    let pairs = [("minutes", minutes_days, "values", keep_days)].into_iter().chain(hours);
    for (coarser, days, finer, longer) in pairs {
        if days < longer {
            return Err(format!(
                "{days} days of {coarser} are less than the {longer} days of {finer}; what is coarser stays as long or longer"
            ));
        }
    }
    Ok(())
}

/// Checks that every limit is one that can be set.
fn check_limits(retention: Retention) -> Result<(), String> {
    let Retention { keep_days, minutes_days, hours_days, max_mb } = retention;
    for (told, limits, unit) in [
        (keep_days, Retention::KEEP_DAYS, "days"),
        (minutes_days, Retention::KEEP_DAYS, "days of minutes"),
        (hours_days.unwrap_or(*Retention::KEEP_DAYS.end()), Retention::KEEP_DAYS, "days of hours"),
        (max_mb, Retention::MAX_MB, "MB"),
    ] {
        if !limits.contains(&told) {
            return Err(format!("{told} {unit} are outside {}–{} {unit}", limits.start(), limits.end()));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    fn who(name: &str, role: Role) -> Actor {
        Actor { name: name.into(), role }
    }

    #[test]
    fn what_was_kept_is_read_again_and_a_mistake_costs_nothing() {
        let folder = TempDir::new().unwrap();
        let (mut home, told) = Home::open(folder.path());
        assert_eq!((&home.chosen, told), (&Chosen::default(), None));
        let chosen = Chosen {
            map_hosts: vec!["tiles.city:8080".into()],
            profile: Some("Harbour".into()),
            identity: Some(who("R. Borg", Role::Technician)),
            cache: Retention { keep_days: 7, minutes_days: 90, hours_days: None, max_mb: 64 },
        };
        for hours_days in [Some(700), None] {
            let cache = Retention { hours_days, ..chosen.cache };
            home.keep(Chosen { cache, ..chosen.clone() }).unwrap();
            assert_eq!(Home::open(folder.path()).0.chosen.cache, cache, "hours of years, and for ever");
        }
        assert_eq!(Home::open(folder.path()).0.chosen, chosen);

        fs::write(folder.path().join(FILE), "profile = 7\n# mine").unwrap();
        let (mut home, told) = Home::open(folder.path());
        assert!(told.unwrap().contains("expected a string"));
        assert_eq!(home.limits(), None, "nothing is deleted by a mistake");
        home.keep(chosen.clone()).unwrap();
        assert!(fs::read_to_string(folder.path().join(BROKEN)).unwrap().contains("# mine"));
        assert_eq!(Home::open(folder.path()), (home, None));
    }

    impl PartialEq for Home {
        fn eq(&self, other: &Home) -> bool {
            self.chosen == other.chosen && self.broken == other.broken
        }
    }

    #[test]
    fn profiles_are_listed_with_what_is_wrong_with_them() {
        let folder = TempDir::new().unwrap();
        let (home, _) = Home::open(folder.path());
        fs::create_dir(home.profile_folder()).unwrap();
        let good = "name = \"Harbour\"\n[broker]\nurl = \"mqtt://h\"\n[shadows]\nenabled = true\n";
        for (file, text) in [("a.toml", good), ("b.toml", "name = 3"), ("c.toml", good), ("notes.txt", "")] {
            fs::write(home.profile_folder().join(file), text).unwrap();
        }
        let file = whole(&home.profile_folder().join("a.toml"));
        let beside = home.profile_folder().join("../profiles/a.toml");
        let rows = home.profiles(Some(&beside), Some(Some(&file)));
        let seen: Vec<_> = rows.iter().map(|row| (row.name.as_str(), row.active, row.fault.is_some())).collect();
        assert_eq!(
            seen,
            [("Demo city", false, false), ("Harbour", true, false), ("b", false, true), ("Harbour", false, true)]
        );
        assert_eq!(home.find("Harbour", None), Ok(Some(file)));
        assert_eq!(home.find("Demo city", None), Ok(None));
        assert!(home.find("b", None).unwrap_err().contains("line 1"));
        assert!(home.find("Depot", None).unwrap_err().contains("no profile \"Depot\""));
    }

    #[test]
    fn nobody_takes_more_than_the_profile_gives_nor_an_empty_name() {
        let roles = Role::Technician.and_lesser();
        for (actor, fine) in [
            (who("R. Borg", Role::Technician), true),
            (who("R. Borg", Role::Driver), true),
            (who("R. Borg", Role::Operator), false),
            (who(" ", Role::Viewer), false),
            (who("a\nb", Role::Viewer), false),
            (who(&"x".repeat(NAME_MAX_CHARS + 1), Role::Viewer), false),
        ] {
            assert_eq!(check_identity(&actor, roles).is_ok(), fine, "{actor:?}");
        }
    }

    #[test]
    fn what_a_cache_keeps_is_within_limits_and_the_coarser_no_shorter() {
        for (keep_days, max_mb, fine) in [(1, 16, true), (0, 16, false), (3_651, 16, false), (1, 15, false)] {
            assert_eq!(check_retention(Retention { keep_days, max_mb, ..Retention::default() }).is_ok(), fine);
        }
        for (hours_days, fine) in [(None, true), (Some(3_650), true), (Some(0), false), (Some(3_651), false)] {
            assert_eq!(check_retention(Retention { hours_days, ..Retention::default() }).is_ok(), fine);
        }
        for (keep_days, minutes_days, hours_days, says) in [
            (30, 30, Some(30), ""),
            (30, 29, None, "29 days of minutes are less than the 30 days of values"),
            (30, 365, Some(364), "364 days of hours are less than the 365 days of minutes"),
            (3_650, 3_650, None, ""),
        ] {
            let retention = Retention { keep_days, minutes_days, hours_days, ..Retention::default() };
            let told = check_retention(retention).err().unwrap_or_default();
            assert!(told.starts_with(says) && told.is_empty() == says.is_empty(), "{told}");
        }
    }

    #[test]
    fn a_file_of_before_with_coarser_limits_that_are_shorter_is_read() {
        let cache = Retention { keep_days: 30, minutes_days: 10, hours_days: Some(5), max_mb: 64 };
        let text = toml::to_string(&Chosen { cache, ..Chosen::default() }).unwrap();
        assert_eq!(read(&text).map(|chosen| chosen.cache), Ok(cache));
    }
}
