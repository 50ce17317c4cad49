//! Profiles as files: read for an editor, checked against each other, and kept whole or not at all.

mod disk;

use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use fleetlens_ipc::profile::{Field, TEXT_MAX_BYTES, TryBroker, Typed};
use fleetlens_link::{Credentials, LinkConfig, Secret};
use fleetlens_reach::Outlet;

use crate::profile::{Profile, file_stem};
use crate::secrets::{self, Refusal};
use crate::settings::{Home, whole};
use crate::trial::password_file as typed_file;
pub(crate) use disk::write as write_whole;
pub use disk::{finish, tidy};

/// What the file of a password that was typed in a window ends in.
const PASSWORD: &str = "password";

/// What a profile's file ends in.
const TOML: &str = "toml";

/// How many names are tried for a copy.
const COPIES_MAX: usize = 99;

/// The demo city's name stands for no file.
const BUILT_IN: &str = "the demo city is built in and cannot be changed; copy it";

/// A profile that is to be kept.
pub struct Draft<'a> {
    /// The profile it replaces; `None` for a new one.
    pub replaces: Option<&'a str>,
    /// The text.
    pub text: &'a str,
    /// What to write into the file that the text names for the password.
    pub password: Option<&'a Typed>,
    /// Whether it may have been written at another machine: then it names no secret of this one but those that are known.
    pub served: bool,
}

impl Home {
    /// The text of a profile, whatever is wrong with it, and its file; with another name and without a file for a copy.
    pub fn open_profile(
        &self,
        name: &str,
        copy: bool,
        named: Option<&Path>,
    ) -> Result<(String, Option<PathBuf>), String> {
        let file = self.file_of(name, named)?;
        let text = match &file {
            None if !copy => return Err(BUILT_IN.into()),
            None => Profile::DEMO.to_owned(),
            Some(path) => read(path)?,
        };
        if !copy {
            return Ok((text, file));
        }
        let rows = self.profiles(named, None);
        let is_free = |name: &String| !rows.iter().any(|row| row.name == *name) && !self.path_for(name).exists();
        let names = std::iter::once(format!("{name} copy")).chain((2..=COPIES_MAX).map(|n| format!("{name} copy {n}")));
        let free = names
            .into_iter()
            .find(is_free)
            .ok_or_else(|| format!("there are {COPIES_MAX} copies of {name:?} already"))?;
        Ok((renamed(&text, &free), None))
    }

    /// What is wrong with a profile beside the others: another one has its name.
    pub fn fault_among_others(
        &self,
        profile: &Profile,
        replaces: Option<&str>,
        named: Option<&Path>,
    ) -> Option<String> {
        if replaces == Some(profile.name.as_str()) {
            return None;
        }
        let taken = self.profiles(named, None).iter().any(|row| row.name == profile.name);
        taken.then(|| format!("another profile is called {:?} already; give this one a name of its own", profile.name))
    }

    /// Keeps a profile and returns its name. A text with a mistake is not kept; what was there before stays until all of the new one
    /// is on the disk.
    pub fn save_profile(&self, draft: &Draft<'_>, named: Option<&Path>) -> Result<String, String> {
        let Draft { replaces, text, password, served } = *draft;
        check_size(text)?;
        let profile = Profile::parse(text, "the profile").map_err(|error| error.to_string())?;
        if let Some(fault) = self.fault_among_others(&profile, replaces, named) {
            return Err(fault);
        }
        let path = match replaces {
            Some(name) => self.file_of(name, named)?.ok_or(BUILT_IN)?,
            None => self.path_for(&profile.name),
        };
        if replaces.is_none() && path.exists() {
            return Err(format!("there is a file {} already; give the profile another name", path.display()));
        }
        let folder = path.parent().unwrap_or(Path::new(""));
        Profile::parse_in(folder, text, "the profile").map_err(|error| error.to_string())?;
        if served {
            self.check_secrets(draft, folder, named)?;
        }
        let kept = |what: &Path, error: io::Error| format!("{} cannot be written: {error}", what.display());
        fs::create_dir_all(folder).map_err(|error| kept(folder, error))?;
        match password {
            Some(Typed(password)) => {
                let file = folder.join(password_file(&profile)?);
                let written = disk::write_both(&path, text, &file, password);
                written.map_err(|error| {
                    format!("{} with {} cannot be written: {error}", path.display(), file.display())
                })?;
            }
            None => disk::write(&path, text).map_err(|error| kept(&path, error))?,
        }
        Ok(profile.name)
    }

    /// Lays what a profile's file holds beside it, under the ending `fleetlens-before`: what was there before the last change of a rule.
    pub fn keep_before(&self, name: &str, named: Option<&Path>) -> Result<(), String> {
        let path = self.file_of(name, named)?.ok_or(BUILT_IN)?;
        disk::copy_before(&path).map_err(|error| format!("{} cannot be kept as it was: {error}", path.display()))
    }

    /// Checks that a draft for this folder sends no secret of this machine where none of the kept profiles sends it, and names no file
    /// elsewhere that none of them names.
    fn check_secrets(&self, draft: &Draft<'_>, folder: &Path, named: Option<&Path>) -> Result<(), String> {
        let folder = whole(folder);
        let profile = Profile::parse_in(&folder, draft.text, "the profile").map_err(|error| error.to_string())?;
        if let Some(refusal) = self.refusal_of_open(secrets::open_files(&profile), &folder, named) {
            return Err(refusal.why);
        }
        let outlets: Vec<Outlet> = self.kept(named).flat_map(|kept| kept.reach).collect();
        if let Some(why) = secrets::refusal_of_reach(&profile.reach, &outlets) {
            return Err(why);
        }
        let mut link = profile.link_config(0, Vec::new());
        if let (Some(Typed(typed)), Some(credentials)) = (draft.password, &mut link.credentials)
            && let Some(Secret::File(file)) = credentials.password.replace(Secret::Given(typed.clone()))
        {
            // In a file of another name the profile would wait for the password of whoever uses that file later.
            let own = typed_file(&profile.name);
            let replaced = draft.replaces.and_then(|name| self.file_of(name, named).ok()?);
            let before = replaced.and_then(|path| Profile::read(&path).ok()).map(|it| it.link_config(0, Vec::new()));
            if file != folder.join(&own) && !before.is_some_and(|before| secrets::is_kept_in(&before, &file)) {
                return Err(format!("a password that is typed is kept beside the profile; name its file {own:?}"));
            }
            if let Some(why) = secrets::refusal_of_file(&link, &file, &self.links(named, draft.replaces), &outlets) {
                return Err(why);
            }
        }
        secrets::refusal(&link, &self.links(named, None)).map_or(Ok(()), |refusal| Err(refusal.why))
    }

    /// How the profiles that are kept connect, `but` for one.
    pub fn links(&self, named: Option<&Path>, but: Option<&str>) -> Vec<LinkConfig> {
        let others = self.kept(named).filter(|profile| but != Some(profile.name.as_str()));
        others.map(|profile| profile.link_config(0, Vec::new())).collect()
    }

    /// The profiles that are kept and have no mistake.
    fn kept(&self, named: Option<&Path>) -> impl Iterator<Item = Profile> {
        let rows = self.profiles(named, None).into_iter().filter(|row| !row.file.is_empty());
        rows.filter_map(|row| Profile::read(Path::new(&row.file)).ok())
    }

    /// Why a profile that may have been written at another machine may not name one of these files, seen from its folder.
    pub fn refusal_of_open<'a>(
        &self,
        files: impl IntoIterator<Item = (Field, &'a Path)>,
        folder: &Path,
        named: Option<&Path>,
    ) -> Option<Refusal> {
        // Copies of maps that were taken here are no secrets, and which file of this machine they are was asked when they were.
        let maps = whole(&self.map_folder());
        let is_copy = |file: &Path| fs::canonicalize(file).is_ok_and(|file| file.starts_with(&maps));
        let files = files.into_iter().filter(|(_, file)| !is_copy(file));
        let kept: Vec<PathBuf> = self
            .kept(named)
            .flat_map(|kept| secrets::open_files(&kept).map(|(_, file)| whole(file)).collect::<Vec<_>>())
            .collect();
        secrets::refusal_of_open(files, folder, &kept)
    }

    /// The same for what is to be tried. What is wrong with it otherwise is told by trying it.
    pub fn refusal_of_try(&self, broker: &TryBroker, named: Option<&Path>) -> Option<Refusal> {
        match broker {
            TryBroker::Form(form) => {
                let folder = self.folder_of(None, named);
                let files = [(Field::Ca, &form.ca), (Field::Certificate, &form.certificate)];
                let files =
                    files.map(|(field, file)| (field, file.trim())).into_iter().filter(|(_, file)| !file.is_empty());
                let files: Vec<_> = files.map(|(field, file)| (field, folder.join(file))).collect();
                self.refusal_of_open(files.iter().map(|(field, file)| (*field, file.as_path())), &folder, named)
            }
            TryBroker::Text { text, replaces, .. } => {
                check_size(text).ok()?;
                let folder = self.folder_of(replaces.as_deref(), named);
                let profile = Profile::parse_in(&folder, text, "the profile").ok()?;
                self.refusal_of_open(secrets::open_files(&profile), &folder, named)
            }
        }
    }

    /// Beside which file the files are that a profile names; a new one's are in the folder of profiles.
    pub fn folder_of(&self, name: Option<&str>, named: Option<&Path>) -> PathBuf {
        let file = name.and_then(|name| self.file_of(name, named).ok().flatten());
        whole(&file.as_deref().and_then(Path::parent).map_or_else(|| self.profile_folder(), Path::to_path_buf))
    }

    /// The file of a profile, even of one with a mistake; `None` for the demo city.
    fn file_of(&self, name: &str, named: Option<&Path>) -> Result<Option<PathBuf>, String> {
        let rows = self.profiles(named, None);
        let row = rows.iter().find(|row| row.name == name);
        let row = row.ok_or_else(|| format!("there is no profile {name:?} in {}", self.profile_folder().display()))?;
        Ok((!row.file.is_empty()).then(|| PathBuf::from(&row.file)))
    }

    /// Where a new profile of this name goes.
    fn path_for(&self, name: &str) -> PathBuf {
        self.profile_folder().join(file_stem(name)).with_extension(TOML)
    }
}

/// Whether a profile from a window is small enough to be looked at.
pub fn check_size(text: &str) -> Result<(), String> {
    if text.len() > TEXT_MAX_BYTES {
        return Err(format!("the profile has {} bytes; at most {TEXT_MAX_BYTES} are taken", text.len()));
    }
    Ok(())
}

/// The text of a profile's file, of one that is small enough to be looked at.
pub fn read(path: &Path) -> Result<String, String> {
    let unreadable = |why: String| format!("the profile {} cannot be read: {why}", path.display());
    let size = fs::metadata(path).map_err(|error| unreadable(error.to_string()))?.len();
    if size > TEXT_MAX_BYTES as u64 {
        return Err(unreadable(format!("it has {size} bytes, and at most {TEXT_MAX_BYTES} are edited here")));
    }
    fs::read_to_string(path).map_err(|error| unreadable(error.to_string()))
}

/// The same profile under another name. One whose name is not on a line of its own gets a line that people will see and mend.
fn renamed(text: &str, name: &str) -> String {
    let line = format!("name = {}", toml::Value::from(name));
    // Only above the first table a name is the profile's.
    let top = text.lines().take_while(|line| !line.trim_start().starts_with('['));
    let at = top.clone().position(|line| line.split('=').next().is_some_and(|key| key.trim() == "name"));
    match at {
        None => format!("{line}\n{text}"),
        Some(at) => {
            let lines = text.lines().enumerate().map(|(n, was)| if n == at { line.as_str() } else { was });
            let mut text = lines.collect::<Vec<_>>().join("\n");
            text.push('\n');
            text
        }
    }
}

/// The file that a profile names for a password that was typed: beside it, so that nothing else can be overwritten.
fn password_file(profile: &Profile) -> Result<PathBuf, String> {
    let secret = profile.broker.credentials.as_ref().and_then(|Credentials { password, .. }| password.as_ref());
    let Some(Secret::File(path)) = secret else {
        return Err(
            "the password that was typed is kept nowhere; write password = { file = \"….password\" } below [broker]"
                .into(),
        );
    };
    let is_beside = matches!((path.components().count(), path.components().next()), (1, Some(Component::Normal(_))));
    if is_beside && path.extension().is_some_and(|ending| ending == PASSWORD) {
        return Ok(path.clone());
    }
    Err(format!(
        "the password that was typed is kept beside the profile, in a file that ends in .{PASSWORD}, not in {}",
        path.display()
    ))
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    const HARBOUR: &str = "# mine\nname = \"Harbour\"\n[broker]\nurl = \"mqtts://h\"\nuser = \"ada\"\n\
                           password = { file = \"h.password\" }\n[shadows]\nenabled = true\n";

    fn home() -> (TempDir, Home) {
        let folder = TempDir::new().unwrap();
        let (home, _) = Home::open(folder.path());
        (folder, home)
    }

    fn new(text: &str) -> Draft<'_> {
        Draft { replaces: None, text, password: None, served: false }
    }

    #[test]
    fn a_profile_is_kept_opened_replaced_and_a_mistake_costs_nothing() {
        let (_folder, home) = home();
        assert_eq!(home.save_profile(&new(HARBOUR), None), Ok("Harbour".into()));
        let (text, file) = home.open_profile("Harbour", false, None).unwrap();
        assert_eq!(text, HARBOUR);
        let file = file.unwrap();

        let replace = |text: &str| home.save_profile(&Draft { replaces: Some("Harbour"), ..new(text) }, None);
        for (text, says) in [
            (HARBOUR.replace("enabled = true", "enabled = maybe"), "line 8"),
            (HARBOUR.replace("Harbour", "Demo city"), "another profile is called \"Demo city\""),
            (" ".repeat(TEXT_MAX_BYTES + 1), "at most 131072"),
        ] {
            assert!(replace(&text).is_err_and(|why| why.contains(says)), "{says}: {:?}", replace(&text));
            assert_eq!(fs::read_to_string(&file).unwrap(), HARBOUR, "what was there stays");
        }
        assert_eq!(replace(&HARBOUR.replace("Harbour", "Port")), Ok("Port".into()));
        assert_eq!(home.find("Port", None), Ok(Some(file)));
        assert!(home.save_profile(&new(&HARBOUR.replace("Harbour", "Port")), None).is_err(), "the name is taken");
        assert!(home.save_profile(&Draft { replaces: Some("Quay"), ..new(HARBOUR) }, None).is_err());
    }

    #[test]
    fn one_with_a_mistake_can_be_opened_and_the_demo_city_only_copied() {
        let (_folder, home) = home();
        fs::create_dir(home.profile_folder()).unwrap();
        fs::write(home.profile_folder().join("b.toml"), "name = 3").unwrap();
        assert_eq!(home.open_profile("b", false, None).unwrap().0, "name = 3");

        assert!(home.open_profile("Demo city", false, None).is_err_and(|why| why.contains("copy it")));
        let demo = Draft { replaces: Some("Demo city"), ..new(HARBOUR) };
        assert!(home.save_profile(&demo, None).is_err_and(|why| why.contains("built in")));
        for want in ["Demo city copy", "Demo city copy 2"] {
            let (copy, file) = home.open_profile("Demo city", true, None).unwrap();
            assert_eq!((Profile::parse(&copy, "x").unwrap().name.as_str(), file), (want, None));
            assert!(copy.contains("# The demo city") && copy.contains("[[alarm]]"), "comments and all");
            home.save_profile(&new(&copy), None).unwrap();
        }
        let odd = renamed("[broker]\nname = 1\n", "X");
        assert_eq!(odd, "name = \"X\"\n[broker]\nname = 1\n");
    }

    #[test]
    fn from_another_machine_no_profile_takes_a_password_of_this_one_elsewhere() {
        let (_folder, home) = home();
        let typed = Typed("secret".into());
        home.save_profile(&Draft { password: Some(&typed), ..new(HARBOUR) }, None).unwrap();
        let served =
            |replaces, text: &str, password| home.save_profile(&Draft { replaces, text, password, served: true }, None);
        let own = typed_file("Thief");
        let thief = HARBOUR.replace("Harbour", "Thief").replace("mqtts://h", "mqtts://thief");
        for (what, replaces, text, password, says) in [
            (
                "the profile itself at another broker",
                Some("Harbour"),
                HARBOUR.replace("//h", "//t"),
                None,
                "h.password is",
            ),
            ("its file", None, thief.clone(), None, "type the password in a new profile, or edit"),
            ("any file", None, thief.replace("h.password", "/etc/secret"), None, "/etc/secret is a secret"),
            ("a variable", None, thief.replace("file = \"h.password\"", "env = \"P\""), None, "the variable P"),
            (
                "the keychain",
                None,
                thief.replace("file = \"h.password\"", "keychain = \"k\""),
                None,
                "k in the keychain",
            ),
            (
                "a file that another password comes into",
                None,
                thief.clone(),
                Some(&typed),
                &*format!("name its file {own:?}"),
            ),
            (
                "one that is nobody's yet",
                None,
                thief.replace("h.password", "quay.password"),
                Some(&typed),
                "name its file",
            ),
        ] {
            let kept = served(replaces, &text, password);
            assert!(kept.as_ref().is_err_and(|why| why.contains(says)), "{what}: {kept:?}");
        }
        assert_eq!(home.links(None, None).len(), 1, "nothing was kept");

        assert_eq!(served(Some("Harbour"), &HARBOUR.replace("mine", "ours"), None), Ok("Harbour".into()));
        let again = HARBOUR.replace("Harbour", "Quay");
        assert_eq!(served(None, &again, None), Ok("Quay".into()), "the same broker");
        let own = thief.replace("h.password", &own);
        assert_eq!(served(None, &own, Some(&typed)), Ok("Thief".into()), "what was typed is nobody else's");
        assert_eq!(served(Some("Thief"), &own, None), Ok("Thief".into()));
        assert!(served(Some("Thief"), &own.replace("//thief", "//other"), None).is_err());
        assert_eq!(served(Some("Thief"), &own.replace("//thief", "//other"), Some(&typed)), Ok("Thief".into()));
        assert_eq!(
            home.save_profile(&new(&thief.replace("Thief", "Local")), None),
            Ok("Local".into()),
            "at this machine"
        );
    }

    #[tokio::test]
    async fn a_typed_password_goes_into_its_owners_file_beside_the_profile_and_nowhere_else() {
        let (folder, home) = home();
        let typed = Typed("secret".into());
        fn draft<'a>(text: &'a str, typed: &'a Typed) -> Draft<'a> {
            Draft { password: Some(typed), ..new(text) }
        }
        for elsewhere in ["../h.password", "/tmp/h.password", "settings.toml", "h.toml"] {
            let text = HARBOUR.replace("h.password", elsewhere);
            let kept = home.save_profile(&draft(&text, &typed), None);
            assert!(kept.as_ref().is_err_and(|why| why.contains("beside the profile")), "{elsewhere}: {kept:?}");
        }
        let in_env = HARBOUR.replace("{ file = \"h.password\" }", "{ env = \"P\" }");
        assert!(home.save_profile(&draft(&in_env, &typed), None).is_err_and(|why| why.contains("kept nowhere")));
        assert_eq!(fs::read_dir(home.profile_folder()).unwrap().count(), 0, "nothing was written");

        home.save_profile(&draft(HARBOUR, &typed), None).unwrap();
        let profile = Profile::read(&home.find("Harbour", None).unwrap().unwrap()).unwrap();
        let secret = profile.broker.credentials.unwrap().password.unwrap();
        assert_eq!(secret.read().await.as_deref(), Ok("secret"), "with permissions that the link takes");
        assert!(!fs::read_to_string(home.find("Harbour", None).unwrap().unwrap()).unwrap().contains("secret"));
        assert_eq!(fs::read_dir(home.profile_folder()).unwrap().count(), 2, "nothing is left beside them");
        drop(folder);
    }
}
