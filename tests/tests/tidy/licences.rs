//! Licences of everything we ship or build with.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use serde_json::Value;
use spdx::{Expression, ParseMode};

use super::{DRAWER, WORKSPACE, assert_none};

/// Our own.
const OURS: &str = "MIT OR Apache-2.0";

/// Licences that ask for no more than a notice, or (MPL) for changes to their own files.
const ALLOWED: [&str; 9] = [
    "MIT",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "Zlib",
    "MPL-2.0",
    "Unicode-3.0",
];

/// A package with another licence → that licence and why it may stay.
const EXCEPTIONS: [(&str, &str, &str); 11] = [
    ("async_io_stream", "Unlicense", "given away; under the WebSocket of rumqttc"),
    ("base16", "CC0-1.0", "given away; a procedural macro of Leptos, not shipped"),
    ("doctest-file", "0BSD", "asks for nothing, not even a notice; a macro under interprocess, not shipped"),
    ("hexf-parse", "CC0-1.0", "given away; reads numbers of shaders, under maplibre"),
    ("pharos", "Unlicense", "given away; under the WebSocket of rumqttc"),
    ("quoted_printable", "0BSD", "asks for nothing, not even a notice; under lettre, which sends mail"),
    (
        "webpki-roots",
        "CDLA-Permissive-2.0",
        "a list of certificates under a permissive data licence; through mqtt5, and our own on phones",
    ),
    ("ws_stream_tungstenite", "Unlicense", "given away; the WebSocket of rumqttc"),
    ("xxhash-rust", "BSL-1.0", "Boost: permissive, and asks for no notice in programs; our engine and Leptos use it"),
    ("@fontsource-variable/inter", "OFL-1.1", "a font: may be shipped inside a program with its licence file"),
    ("@fontsource-variable/jetbrains-mono", "OFL-1.1", "a font: may be shipped inside a program with its licence file"),
];

/// Whether the licence, or one that may be chosen in its stead, is allowed. Old crates write `MIT/Apache-2.0`.
fn is_allowed(licence: &str) -> bool {
    Expression::parse_mode(licence, ParseMode::LAX)
        .is_ok_and(|expression| expression.evaluate(|wanted| ALLOWED.contains(&wanted.to_string().as_str())))
}

#[test]
fn our_own_packages_carry_our_licence() {
    let others = WORKSPACE.ours().chain(DRAWER.ours()).filter(|package| package.license.as_deref() != Some(OURS));
    assert_none(&format!("packages without the licence {OURS}"), others.map(|package| package.name.to_string()));
}

#[test]
fn what_we_use_is_under_a_licence_we_allow() {
    let crates = WORKSPACE.third_party().chain(DRAWER.third_party()).map(|package| {
        let licence = package.license.clone().unwrap_or_else(|| "no SPDX expression".to_owned());
        (package.name.to_string(), licence)
    });
    let reasons: BTreeMap<&str, &str> = EXCEPTIONS.iter().map(|(name, licence, _)| (*name, *licence)).collect();
    let mut needed = BTreeSet::new();
    let mut violations = BTreeSet::new();
    for (name, licence) in crates.chain(npm_packages()) {
        if is_allowed(&licence) {
            continue;
        }
        if reasons.get(name.as_str()) == Some(&licence.as_str()) {
            needed.insert(name);
        } else {
            violations.insert(format!("{name}: {licence}"));
        }
    }
    violations.extend(
        reasons
            .keys()
            .filter(|name| !needed.contains(**name))
            .map(|name| format!("{name} needs no exception any more")),
    );
    assert_none("licences that are not allowed", violations);
}

/// Names and licences out of npm's lockfile, which records both.
fn npm_packages() -> Vec<(String, String)> {
    let lock = fs::read_to_string(WORKSPACE.root.join("ui/package-lock.json")).unwrap();
    let lock: Value = serde_json::from_str(&lock).unwrap();
    let packages = lock["packages"].as_object().unwrap();
    packages
        .iter()
        .filter_map(|(path, package)| Some((path.rsplit_once("node_modules/")?.1, package)))
        .map(|(name, package)| (name.to_owned(), package["license"].as_str().unwrap_or("no licence").to_owned()))
        .collect()
}

#[test]
fn an_expression_is_allowed_when_one_choice_is() {
    for (licence, want) in [
        ("MIT", true),
        ("MIT/Apache-2.0", true),
        ("Unlicense OR MIT", true),
        ("GPL-3.0-only", false),
        ("GPL-3.0-only OR MIT", true),
        ("GPL-3.0-only AND MIT", false),
        ("(MIT OR GPL-2.0-only) AND Unicode-3.0", true),
        ("Apache-2.0 WITH LLVM-exception", true),
        ("GPL-2.0-only WITH Classpath-exception-2.0", false),
        ("no SPDX expression", false),
        ("", false),
    ] {
        assert_eq!(is_allowed(licence), want, "{licence:?}");
    }
}
