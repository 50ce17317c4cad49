//! What `target/ui` is put together from: bindings, pages, styles, islands and the npm parts.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::{require, sheets};
use crate::place::Place;

/// Finished files by their path in `target/ui`.
pub type Files = BTreeMap<PathBuf, Part>;

/// Where a finished file comes from.
#[derive(Debug)]
pub enum Part {
    /// A file as it is.
    Of(PathBuf),
    /// Made here.
    Made(String),
}

/// The pages: the desktop's, the phone's, which is its own entry into the same window, and the one with every component.
const PAGES: [&str; 3] = ["index", "phone", "gallery"];

/// The folders of `ui/` that are copied as they are: scripts, and the words of other languages than English.
const COPIED: [&str; 2] = ["islands-js", "locales"];

/// Single files out of `node_modules`, with the licence that has to go along.
const VENDORED: [(&str, &str); 11] = [
    ("maplibre-gl/dist/maplibre-gl.mjs", "vendor/maplibre-gl/maplibre-gl.mjs"),
    ("maplibre-gl/dist/maplibre-gl-worker.mjs", "vendor/maplibre-gl/maplibre-gl-worker.mjs"),
    ("maplibre-gl/dist/maplibre-gl.css", "vendor/maplibre-gl/maplibre-gl.css"),
    ("maplibre-gl/LICENSE.txt", "vendor/maplibre-gl/LICENSE.txt"),
    ("leaflet/dist/leaflet.js", "vendor/leaflet/leaflet.js"),
    ("leaflet/dist/leaflet.css", "vendor/leaflet/leaflet.css"),
    ("leaflet/LICENSE", "vendor/leaflet/LICENSE"),
    ("world-atlas/countries-110m.json", "vendor/world-atlas/countries-110m.json"),
    ("world-atlas/LICENSE", "vendor/world-atlas/LICENSE"),
    ("@fontsource-variable/inter/LICENSE", "vendor/inter/LICENSE"),
    ("@fontsource-variable/jetbrains-mono/LICENSE", "vendor/jetbrains-mono/LICENSE"),
];

/// Fonts: the sheet `index.css` of the npm package goes to `vendor/<name>/index.css` with every file it names.
const FONTS: [(&str, &str); 2] =
    [("@fontsource-variable/inter", "vendor/inter"), ("@fontsource-variable/jetbrains-mono", "vendor/jetbrains-mono")];

/// Lists every file of the finished window.
pub fn collect(place: &Place, bindings: &Path) -> Result<Files> {
    let mut files = Files::new();
    add_folder(&mut files, bindings, Path::new(""))?;
    for name in PAGES {
        let page = format!("{name}.html");
        let text = read(place, &place.ui.join(&page))?;
        let sheet = |sheet: &str| read(place, &place.ui.join("styles").join(sheet));
        let (html, css) = sheets::in_one(&text, &format!("/{name}.css"), sheet)?;
        files.insert(page.into(), Part::Made(html));
        files.insert(format!("{name}.css").into(), Part::Made(css));
    }
    for folder in COPIED {
        add_folder(&mut files, &place.ui.join(folder), Path::new(folder))?;
    }
    let modules = place.ui.join("node_modules");
    for (from, to) in VENDORED {
        require(place, &modules.join(from))?;
        files.insert(to.into(), Part::Of(modules.join(from)));
    }
    for (package, to) in FONTS {
        let package = modules.join(package);
        let sheet = package.join("index.css");
        let css = read(place, &sheet)?;
        for file in named_files(&css) {
            require(place, &package.join(file))?;
            files.insert(Path::new(to).join(file), Part::Of(package.join(file)));
        }
        files.insert(Path::new(to).join("index.css"), Part::Of(sheet));
    }
    Ok(files)
}

fn read(place: &Place, file: &Path) -> Result<String> {
    fs::read_to_string(file).with_context(|| format!("cannot read {}", place.show(file)))
}

/// Makes a folder hold exactly these files. A file that holds the right bytes already is not touched, so that nothing
/// that depends on its time is built again.
pub fn sync(files: &Files, folder: &Path) -> Result<()> {
    for (name, source) in files {
        let target = folder.join(name);
        let wanted = match source {
            Part::Of(file) => Cow::Owned(fs::read(file).with_context(|| format!("cannot read {}", file.display()))?),
            Part::Made(text) => Cow::Borrowed(text.as_bytes()),
        };
        if fs::read(&target).is_ok_and(|held| held == *wanted) {
            continue;
        }
        if let Some(parent) = target.parent() {
            fs::create_dir_all(parent).with_context(|| format!("cannot create {}", parent.display()))?;
        }
        fs::write(&target, wanted).with_context(|| format!("cannot write {}", target.display()))?;
    }
    remove_others(files, folder, Path::new(""))
}

/// The relative addresses in a style sheet's `url(…)`s, without a leading `./`.
fn named_files(css: &str) -> impl Iterator<Item = &str> {
    css.split("url(")
        .skip(1)
        .filter_map(|rest| rest.split(')').next())
        .map(|address| address.trim_matches(['"', '\'', ' ']))
        .filter(|address| !address.starts_with("data:"))
        .map(|address| address.trim_start_matches("./"))
}

fn add_folder(files: &mut Files, folder: &Path, name: &Path) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))? {
        let entry = entry.with_context(|| format!("cannot list {}", folder.display()))?;
        let (path, name) = (entry.path(), name.join(entry.file_name()));
        if path.is_dir() {
            add_folder(files, &path, &name)?;
        } else {
            files.insert(name, Part::Of(path));
        }
    }
    Ok(())
}

fn remove_others(files: &Files, folder: &Path, name: &Path) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))? {
        let entry = entry.with_context(|| format!("cannot list {}", folder.display()))?;
        let (path, name) = (entry.path(), name.join(entry.file_name()));
        let removed = if !path.is_dir() {
            if files.contains_key(&name) { Ok(()) } else { fs::remove_file(&path) }
        } else {
            remove_others(files, &path, &name)?;
            match fs::remove_dir(&path) {
                Err(error) if error.kind() == ErrorKind::DirectoryNotEmpty => Ok(()),
                result => result,
            }
        };
        removed.with_context(|| format!("cannot remove {}", path.display()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sheets_own_files_are_found_and_inlined_ones_are_not() {
        let css =
            "src: url(./files/a.woff2) format('woff2'), url(\"files/b.woff2\"); mask: url('data:image/svg+xml,%3Csvg')";
        assert_eq!(named_files(css).collect::<Vec<_>>(), ["files/a.woff2", "files/b.woff2"]);
    }

    #[test]
    fn a_synced_folder_holds_exactly_the_files_and_keeps_the_times_of_equal_ones() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("from"), folder.path().join("to"));
        fs::create_dir_all(from.join("styles")).unwrap();
        fs::create_dir_all(to.join("gone/deep")).unwrap();
        fs::write(from.join("index.html"), "page").unwrap();
        fs::write(from.join("styles/base.css"), "new").unwrap();
        fs::write(to.join("index.html"), "page").unwrap();
        fs::write(to.join("gone/deep/old.js"), "old").unwrap();
        let long_ago = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000);
        fs::File::options().write(true).open(to.join("index.html")).unwrap().set_modified(long_ago).unwrap();

        let mut files = Files::new();
        add_folder(&mut files, &from, Path::new("")).unwrap();
        sync(&files, &to).unwrap();

        assert_eq!(fs::metadata(to.join("index.html")).unwrap().modified().unwrap(), long_ago);
        assert_eq!(fs::read_to_string(to.join("styles/base.css")).unwrap(), "new");
        assert!(!to.join("gone").exists(), "what no longer belongs to the window is removed with its folder");
    }
}
