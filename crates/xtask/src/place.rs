//! Where things are: the folders of the checkout and of its build output.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// The folders that the verbs read and write, all absolute.
#[derive(Clone, Debug)]
pub struct Place {
    /// The checkout.
    pub root: PathBuf,
    /// `ui/`: the window's sources and its npm parts.
    pub ui: PathBuf,
    /// `target/`: everything that is built. The Tauri configurations name `../target/ui`, so it does not move with
    /// `CARGO_TARGET_DIR`.
    pub target: PathBuf,
    /// `target/debug`, or its counterpart below `CARGO_TARGET_DIR`: the programs of a development build.
    pub programs: PathBuf,
}

impl Place {
    /// The checkout this program was built from; a moved checkout is a new build to cargo.
    pub fn find() -> Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .ancestors()
            .nth(2)
            .context("the xtask package lies two folders below the checkout, but its path is shorter than that")?
            .to_path_buf();
        let target = root.join("target");
        let programs = match env::var_os("CARGO_TARGET_DIR") {
            Some(folder) => root.join(folder).join("debug"),
            None => target.join("debug"),
        };
        Ok(Self { ui: root.join("ui"), programs, target, root })
    }

    /// `target/ui`: the finished window, which both Tauri apps embed.
    pub fn window(&self) -> PathBuf {
        self.target.join("ui")
    }

    /// Intermediate results of the window's build and the stamps that say what they were made from.
    pub fn window_work(&self) -> PathBuf {
        self.target.join("ui-work")
    }

    /// `target/run`: the picture, the summary and the log of the last `cargo xtask run`.
    pub fn run(&self) -> PathBuf {
        self.target.join("run")
    }

    /// `target/release`, or its counterpart below `CARGO_TARGET_DIR`: what is built as users get it.
    pub fn optimised(&self) -> PathBuf {
        self.programs.with_file_name("release")
    }

    /// A program of the development build, by its name without a suffix.
    pub fn program(&self, name: &str) -> PathBuf {
        self.programs.join(format!("{name}{}", env::consts::EXE_SUFFIX))
    }

    /// A path as a person reads it: relative to the checkout where it lies in it.
    pub fn show<'a>(&self, path: &'a Path) -> std::path::Display<'a> {
        path.strip_prefix(&self.root).unwrap_or(path).display()
    }
}
