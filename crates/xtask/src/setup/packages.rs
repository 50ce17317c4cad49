//! Packages of the operating system: Debian's and its relatives' are installed, elsewhere the list is printed.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use super::apt;
use crate::program;
use crate::steps::Step;

/// What a package is needed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Building the programs and opening a window.
    Run,
    /// Opening a window on a machine without a screen, and taking its picture.
    Screenless,
    /// The tests: brokers, browsers and their drivers.
    Test,
}

impl Purpose {
    /// The purpose as it stands in a sentence after "to".
    pub fn verb(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Screenless => "run without a screen",
            Self::Test => "test",
        }
    }
}

/// How to see, whatever the system, that a package's content is there.
#[derive(Clone, Copy, Debug)]
pub enum Probe {
    /// A program on the `PATH`, from wherever it came: many machines have Node.js from elsewhere.
    Program(&'static str),
    /// A library's development files, asked from `pkg-config`.
    Library(&'static str),
    /// Only the package database knows.
    None,
}

/// A package by its Debian name.
#[derive(Clone, Copy, Debug)]
pub struct Package {
    /// Debian's name.
    pub name: &'static str,
    /// What brings it into the list.
    pub purpose: Purpose,
    /// How else to find it.
    pub probe: Probe,
    /// What it is, for people whose system calls it otherwise.
    pub what: &'static str,
}

const fn package(name: &'static str, purpose: Purpose, probe: Probe, what: &'static str) -> Package {
    Package { name, purpose, probe, what }
}

/// Every package, in the order in which it is told.
pub const PACKAGES: &[Package] = &[
    package("build-essential", Purpose::Run, Probe::Program("cc"), "a C compiler and make"),
    package("pkg-config", Purpose::Run, Probe::Program("pkg-config"), "pkg-config"),
    package("libwebkit2gtk-4.1-dev", Purpose::Run, Probe::Library("webkit2gtk-4.1"), "WebKitGTK 4.1 to build against"),
    package("librsvg2-dev", Purpose::Run, Probe::Library("librsvg-2.0"), "librsvg to build against"),
    package("libgl1-mesa-dri", Purpose::Run, Probe::None, "Mesa's drivers, software ones too (the map is WebGL)"),
    package("libegl1", Purpose::Run, Probe::None, "EGL"),
    package("libgles2", Purpose::Run, Probe::None, "OpenGL ES"),
    package("fonts-dejavu-core", Purpose::Run, Probe::None, "a font with wide coverage (DejaVu)"),
    package("nodejs", Purpose::Run, Probe::Program("node"), "Node.js 18 or newer"),
    package("npm", Purpose::Run, Probe::Program("npm"), "npm"),
    package("xvfb", Purpose::Screenless, Probe::Program("Xvfb"), "Xvfb, the X server without a screen"),
    package("imagemagick", Purpose::Screenless, Probe::Program("import"), "ImageMagick (`import`, `identify`)"),
    package("dbus", Purpose::Screenless, Probe::Program("dbus-daemon"), "dbus-daemon"),
    package("mosquitto", Purpose::Test, Probe::Program("mosquitto"), "the Mosquitto broker"),
    package("mosquitto-clients", Purpose::Test, Probe::Program("mosquitto_pub"), "Mosquitto's clients"),
    package("webkit2gtk-driver", Purpose::Test, Probe::Program("WebKitWebDriver"), "WebKitGTK's WebDriver"),
    package("mesa-vulkan-drivers", Purpose::Test, Probe::None, "Mesa's Vulkan drivers (lavapipe draws without a card)"),
    package("chromium", Purpose::Test, Probe::Program("chromium"), "Chromium"),
    package("chromium-driver", Purpose::Test, Probe::Program("chromedriver"), "Chromium's WebDriver"),
];

/// Ubuntu's `chromium` is a snap, which cannot be driven on a build machine; there the browser tests are told as skipped.
const SNAPS_ON_UBUNTU: [&str; 2] = ["chromium", "chromium-driver"];

/// Which family of package names this machine speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum System {
    /// Debian and its descendants other than Ubuntu.
    Debian,
    /// Ubuntu and its descendants.
    Ubuntu,
    /// Anything else.
    Other,
}

impl System {
    /// Reads `/etc/os-release`; a machine without `apt-get` and `dpkg-query` is [`System::Other`] whatever it says.
    pub fn detect() -> Self {
        if program::find("apt-get").is_none() || program::find("dpkg-query").is_none() {
            return Self::Other;
        }
        Self::parse(&fs::read_to_string("/etc/os-release").unwrap_or_default())
    }

    fn parse(os_release: &str) -> Self {
        let family: Vec<&str> = os_release
            .lines()
            .filter_map(|line| line.strip_prefix("ID=").or_else(|| line.strip_prefix("ID_LIKE=")))
            .flat_map(|value| value.trim_matches(['"', '\'']).split(' '))
            .collect();
        if family.contains(&"ubuntu") {
            Self::Ubuntu
        } else if family.contains(&"debian") {
            Self::Debian
        } else {
            Self::Other
        }
    }

    fn has(self, package: &Package) -> bool {
        self != Self::Ubuntu || !SNAPS_ON_UBUNTU.contains(&package.name)
    }
}

/// The packages for these purposes that are not here.
pub fn missing(purposes: &[Purpose]) -> Result<Vec<Package>> {
    let system = System::detect();
    let wanted = || PACKAGES.iter().filter(|package| purposes.contains(&package.purpose) && system.has(package));
    let installed = match system {
        System::Debian | System::Ubuntu => installed(wanted())?,
        System::Other => BTreeSet::new(),
    };
    let known_only_to_dpkg = |package: &Package| system == System::Other && matches!(package.probe, Probe::None);
    Ok(wanted()
        .filter(|package| !installed.contains(package.name) && !known_only_to_dpkg(package) && !found(package.probe))
        .copied()
        .collect())
}

/// Installs what is missing on Debian and its relatives; elsewhere prints exactly what to install and fails.
pub fn prepare(step: &Step, purposes: &[Purpose]) -> Result<()> {
    if !cfg!(target_os = "linux") {
        // Other systems bring their own web view; the programs below are all that can be missing there.
        return tell(
            &missing(purposes)?.into_iter().filter(|p| matches!(p.probe, Probe::Program(_))).collect::<Vec<_>>(),
        );
    }
    let missing = missing(purposes)?;
    if missing.is_empty() {
        return Ok(());
    }
    match System::detect() {
        System::Other => tell(&missing),
        System::Debian | System::Ubuntu => {
            let names: Vec<&str> = missing.iter().map(|package| package.name).collect();
            apt::install(step, &names)
        }
    }
}

fn tell(missing: &[Package]) -> Result<()> {
    if missing.is_empty() {
        return Ok(());
    }
    let mut list = String::new();
    for package in missing {
        write!(list, "\n  {} (Debian: {})", package.what, package.name)?;
        match package.probe {
            Probe::Program(name) => write!(list, ", seen by the program `{name}`")?,
            Probe::Library(name) => write!(list, ", seen by `pkg-config {name}`")?,
            Probe::None => {}
        }
    }
    bail!("this is not Debian or a relative of it, so please install by hand and start again:{list}");
}

/// Which of these packages dpkg has fully installed.
fn installed<'a>(packages: impl Iterator<Item = &'a Package>) -> Result<BTreeSet<String>> {
    let output = Command::new("dpkg-query")
        .args(["--show", "--showformat=${Package} ${db:Status-Status}\n"])
        .args(packages.map(|package| package.name))
        .stderr(Stdio::null()) // one line for each package it does not know, which is an answer, not a failure
        .output()
        .context("cannot start `dpkg-query`")?;
    Ok(parse_installed(&String::from_utf8_lossy(&output.stdout)))
}

fn parse_installed(text: &str) -> BTreeSet<String> {
    text.lines().filter_map(|line| line.strip_suffix(" installed")).map(str::to_owned).collect()
}

/// Whether the probe sees the package's content.
pub fn found(probe: Probe) -> bool {
    match probe {
        Probe::Program(name) => program::find(name).is_some(),
        Probe::Library(name) => Command::new("pkg-config")
            .args(["--exists", name])
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success()),
        Probe::None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_is_known_by_its_own_name_or_its_family() {
        for (os_release, want) in [
            ("PRETTY_NAME=\"Debian GNU/Linux 12\"\nID=debian\n", System::Debian),
            ("ID=raspbian\nID_LIKE=debian\n", System::Debian),
            ("NAME=\"Ubuntu\"\nID=ubuntu\nID_LIKE=debian\n", System::Ubuntu),
            ("ID=linuxmint\nID_LIKE=\"ubuntu debian\"\n", System::Ubuntu),
            ("ID=fedora\nVARIANT_ID=debian\n", System::Other),
            ("", System::Other),
        ] {
            assert_eq!(System::parse(os_release), want, "{os_release:?}");
        }
    }

    #[test]
    fn only_a_fully_installed_package_counts() {
        let said = "xvfb installed\nmosquitto config-files\nchromium unpacked\nnpm not-installed\n";
        assert_eq!(parse_installed(said), BTreeSet::from(["xvfb".to_owned()]));
    }

    #[test]
    fn ubuntu_is_not_asked_for_chromium() {
        let names = |system: System| -> Vec<&str> {
            PACKAGES.iter().filter(|package| system.has(package)).map(|package| package.name).collect()
        };
        assert!(names(System::Debian).contains(&"chromium"));
        assert!(!names(System::Ubuntu).iter().any(|name| name.starts_with("chromium")));
        assert_eq!(names(System::Ubuntu).len(), PACKAGES.len() - SNAPS_ON_UBUNTU.len());
    }

    #[test]
    fn elsewhere_the_list_names_every_part_and_how_it_is_seen() {
        let wanted: Vec<Package> = PACKAGES.iter().filter(|package| package.purpose == Purpose::Run).copied().collect();
        let message = tell(&wanted).unwrap_err().to_string();
        for package in wanted {
            assert!(message.contains(package.name) && message.contains(package.what), "{}: {message}", package.name);
        }
        assert!(tell(&[]).is_ok());
    }
}
