//! `cargo xtask doctor`: what is on this machine, what is missing, in which versions. It changes nothing.

use std::env;
use std::io::{Write, stdout};
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result};
use serde::Serialize;

use crate::place::Place;
use crate::program;
use crate::setup::npm;
use crate::setup::packages::{self, PACKAGES, Package, Probe, Purpose};
use crate::setup::rust::{COMPONENTS, TARGET, has_target, has_verb};

/// How to print it.
#[derive(clap::Args)]
pub struct Options {
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Everything that was looked at.
#[derive(Serialize)]
struct Report {
    /// Whether nothing needed is missing.
    ok: bool,
    findings: Vec<Finding>,
}

/// One thing that is needed, or good to know.
#[derive(Serialize)]
struct Finding {
    name: String,
    /// What it is needed for; null when it is only good to know.
    needed_to: Option<&'static str>,
    found: bool,
    version: Option<String>,
    /// What brings it when it is missing.
    hint: Option<String>,
}

impl Finding {
    fn needed(name: &str, purpose: Purpose, found: bool) -> Self {
        Self { name: name.to_owned(), needed_to: Some(purpose.verb()), found, version: None, hint: None }
    }

    fn version(self, version: Option<String>) -> Self {
        Self { version: version.filter(|_| self.found), ..self }
    }

    fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: (!self.found).then(|| hint.into()), ..self }
    }

    fn is_well(&self) -> bool {
        self.found || self.needed_to.is_none()
    }
}

/// Looks, prints, and ends with exit code 1 when something needed is missing.
pub fn run(place: &Place, options: &Options) -> Result<ExitCode> {
    let findings = look(place)?;
    let report = Report { ok: findings.iter().all(Finding::is_well), findings };
    let mut out = stdout().lock();
    if options.json {
        writeln!(out, "{}", serde_json::to_string_pretty(&report).context("cannot write the report as JSON")?)?;
    } else {
        for finding in &report.findings {
            writeln!(out, "{}", line(finding))?;
        }
    }
    Ok(if report.ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn look(place: &Place) -> Result<Vec<Finding>> {
    let purposes = [Purpose::Run, Purpose::Screenless, Purpose::Test];
    let missing: Vec<&str> = packages::missing(&purposes)?.iter().map(|package| package.name).collect();
    let mut findings = vec![
        rust("rustc", "install Rust through rustup"),
        rust("cargo", "install Rust through rustup"),
        Finding::needed(TARGET, Purpose::Run, has_target()?).hint(format!("rustup target add {TARGET}")),
    ];
    findings.extend(COMPONENTS.iter().map(|component| {
        Finding::needed(component.name, Purpose::Test, has_verb(place, component.verb))
            .hint(format!("rustup component add {}", component.name))
    }));
    findings.extend(PACKAGES.iter().map(|package| {
        Finding::needed(package.name, package.purpose, !missing.contains(&package.name))
            .version(package_version(package))
            .hint(format!("{}; cargo xtask installs it on Debian", package.what))
    }));
    findings.push(
        Finding::needed("npm parts of the window", Purpose::Run, npm::is_installed(place))
            .version(optimiser_version(place))
            .hint("cargo xtask ui"),
    );
    findings.push(Finding {
        name: "a screen".to_owned(),
        needed_to: None,
        found: !crate::run::is_screenless(),
        version: env::var("WAYLAND_DISPLAY").or_else(|_| env::var("DISPLAY")).ok(),
        hint: None,
    });
    Ok(findings)
}

fn rust(name: &'static str, hint: &'static str) -> Finding {
    let version = program::find(name).and_then(|path| program::version(&path, "--version"));
    Finding::needed(name, Purpose::Run, version.is_some()).version(version).hint(hint)
}

fn package_version(package: &Package) -> Option<String> {
    match package.probe {
        Probe::Program(name) => {
            let argument = match name {
                "Xvfb" => return None, // knows no such question
                "import" => "-version",
                "mosquitto" => "-h",
                _ => "--version",
            };
            // Some answer an unknown question with their usage.
            program::version(&program::find(name)?, argument).filter(|said| said.contains(|c: char| c.is_ascii_digit()))
        }
        Probe::Library(name) => {
            let output = Command::new("pkg-config").args(["--modversion", name]).stderr(Stdio::null()).output().ok()?;
            let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
            (!version.is_empty()).then_some(version)
        }
        Probe::None => None,
    }
}

fn optimiser_version(place: &Place) -> Option<String> {
    let optimiser = place.ui.join("node_modules/binaryen/bin/wasm-opt");
    let output = Command::new(program::find("node")?).arg(optimiser).arg("--version").output().ok()?;
    String::from_utf8_lossy(&output.stdout).lines().next().map(str::to_owned)
}

fn line(finding: &Finding) -> String {
    let mark = match (finding.found, finding.needed_to) {
        (true, _) => "ok     ".to_owned(),
        (false, Some(_)) => "MISSING".to_owned(),
        (false, None) => "none   ".to_owned(),
    };
    let rest = match (&finding.version, &finding.hint, finding.needed_to) {
        (Some(version), _, _) => version.clone(),
        (None, Some(hint), Some(purpose)) => format!("needed to {purpose}: {hint}"),
        (None, _, _) => String::new(),
    };
    format!("{mark} {:<28} {rest}", finding.name).trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_part_is_told_with_what_it_is_for_and_what_brings_it() {
        let finding = |found| {
            Finding::needed("mosquitto", Purpose::Test, found)
                .version(Some("2.0.11".to_owned()))
                .hint("the Mosquitto broker")
        };
        assert_eq!(line(&finding(true)), "ok      mosquitto                    2.0.11");
        assert_eq!(line(&finding(false)), "MISSING mosquitto                    needed to test: the Mosquitto broker");
    }

    #[test]
    fn only_what_is_needed_makes_a_machine_unwell() {
        let screen = Finding { name: "a screen".to_owned(), needed_to: None, found: false, version: None, hint: None };
        assert!(screen.is_well());
        assert!(!Finding::needed("npm", Purpose::Run, false).is_well());
    }
}
