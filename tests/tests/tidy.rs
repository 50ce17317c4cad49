//! The house rules that a machine can check: who may use whom, licences, duplicates, names, classes of the window, what no file
//! may hold, and where the documents lead.
//!
//! Each part is data and one reading of it; a rule that something must break carries the reason, and a reason that is no
//! longer needed fails as well.
#![cfg(test)]

#[path = "tidy/duplicates.rs"]
mod duplicates;
#[path = "tidy/edges.rs"]
mod edges;
#[path = "tidy/licences.rs"]
mod licences;
#[path = "tidy/links.rs"]
mod links;
#[path = "tidy/sharing.rs"]
mod sharing;
#[path = "tidy/styles.rs"]
mod styles;
#[path = "tidy/text.rs"]
mod text;

use std::collections::{BTreeSet, HashMap};
use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use cargo_metadata::{Metadata, MetadataCommand, Node, Package, PackageId};

/// The platforms we build for; what only others would bring is nobody's concern.
const PLATFORMS: [&str; 2] = ["x86_64-unknown-linux-gnu", "wasm32-unknown-unknown"];

/// The only one that the program which draws small maps is built for here (docs/adr/0015-snapshots.md).
const DRAWER_PLATFORMS: [&str; 1] = ["x86_64-unknown-linux-gnu"];

static WORKSPACE: LazyLock<Workspace> = LazyLock::new(|| Workspace::read(".", &PLATFORMS));

/// The workspace of that program.
static DRAWER: LazyLock<Workspace> = LazyLock::new(|| Workspace::read("snapshot-draw", &DRAWER_PLATFORMS));

/// What cargo knows about our packages and everything they resolve to on some platforms.
struct Workspace {
    root: PathBuf,
    packages: HashMap<PackageId, Package>,
    ours: BTreeSet<PackageId>,
    nodes: Vec<Node>,
}

impl Workspace {
    fn read(folder: &str, platforms: &[&str]) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf();
        let mut options = vec!["--locked".to_owned()];
        for platform in platforms {
            options.extend(["--filter-platform".to_owned(), (*platform).to_owned()]);
        }
        let at = root.join(folder);
        let metadata: Metadata = MetadataCommand::new().current_dir(at).other_options(options).exec().unwrap();
        Self {
            root,
            ours: metadata.workspace_members.into_iter().collect(),
            nodes: metadata.resolve.unwrap().nodes,
            packages: metadata.packages.into_iter().map(|package| (package.id.clone(), package)).collect(),
        }
    }

    fn ours(&self) -> impl Iterator<Item = &Package> {
        self.ours.iter().map(|id| &self.packages[id])
    }

    fn third_party(&self) -> impl Iterator<Item = &Package> {
        self.nodes.iter().filter(|node| !self.ours.contains(&node.id)).map(|node| &self.packages[&node.id])
    }

    /// A package's folder below the checkout, with slashes.
    fn folder(&self, package: &Package) -> String {
        let folder = package.manifest_path.parent().unwrap().as_std_path();
        folder.strip_prefix(&self.root).unwrap().to_str().unwrap().replace('\\', "/")
    }
}

/// Fails with every violation at once.
fn assert_none<T: Display>(what: &str, violations: impl IntoIterator<Item = T>) {
    let lines: Vec<String> = violations.into_iter().map(|violation| format!("\n  {violation}")).collect();
    assert!(lines.is_empty(), "{what}:{}", lines.concat());
}
