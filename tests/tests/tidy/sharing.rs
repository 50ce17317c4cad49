//! What keeps `cargo xtask run` and `cargo xtask test` from compiling half of everything twice.

use cargo_metadata::{Dependency, DependencyKind};

use super::{WORKSPACE, assert_none};

/// The package whose ordinary dependencies stand for everybody's test dependencies; its manifest says why.
const STANDS_FOR_ALL: &str = "fleetlens-tests";

/// Whether one dependency asks for everything that the other asks for.
fn covers(all: &Dependency, one: &Dependency) -> bool {
    all.name == one.name
        && (all.uses_default_features || !one.uses_default_features)
        && one.features.iter().all(|feature| all.features.contains(feature))
}

#[test]
fn a_dependency_of_one_packages_tests_is_an_ordinary_one_of_the_test_package() {
    let tests = WORKSPACE.ours().find(|package| *package.name == STANDS_FOR_ALL).unwrap();
    let ordinary: Vec<&Dependency> = tests.dependencies.iter().filter(|d| d.kind == DependencyKind::Normal).collect();
    let mut violations = Vec::new();
    for package in WORKSPACE.ours() {
        for dependency in &package.dependencies {
            let concerned = dependency.kind == DependencyKind::Development && dependency.path.is_none();
            if concerned && !ordinary.iter().any(|all| covers(all, dependency)) {
                violations.push(format!("{} of {}: {:?}", dependency.name, package.name, dependency.features));
            }
        }
    }
    assert_none(&format!("test dependencies that {STANDS_FOR_ALL} does not have among its ordinary ones"), violations);
}
