//! Links that open the program on a Linux desktop: a desktop entry of its own that takes the scheme (freedesktop.org, "Desktop Entry
//! Specification", 1.5). Packages bring theirs (`plugins.deep-link` in `tauri.conf.json`, which the bundler reads); this is for a program that
//! was unpacked or built.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use fleetlens_host::flags::desktop_data_dir;
use fleetlens_host::ipc::address::SCHEME;

/// The entry's file. Another name than a package's, which it must not replace.
const FILE: &str = "org.fleetlens.desktop.links.desktop";

/// Writes the entry and makes it the one for our links; the entry's file.
pub fn register() -> io::Result<PathBuf> {
    // An AppImage is mounted anew at each start; this variable names the file itself.
    let program = std::env::var_os("APPIMAGE").map_or_else(std::env::current_exe, |image| Ok(image.into()))?;
    let data = desktop_data_dir().and_then(|folder| folder.parent().map(Path::to_owned));
    let folder = data.ok_or(io::ErrorKind::NotFound)?.join("applications");
    std::fs::create_dir_all(&folder)?;
    let file = folder.join(FILE);
    let entry = entry(&program).ok_or_else(|| {
        io::Error::new(io::ErrorKind::InvalidInput, "the program lies where no desktop entry can name it")
    })?;
    let new = folder.join(format!("{FILE}.new"));
    std::fs::write(&new, entry)?;
    std::fs::rename(&new, &file)?;
    run("xdg-mime", ["default".as_ref(), FILE.as_ref(), format!("x-scheme-handler/{SCHEME}").as_ref()])?;
    // Some desktops go by the cache alone; where the program for it is missing there is none.
    if let Err(error) = run("update-desktop-database", [folder.as_os_str()]) {
        tracing::debug!(%error, "there is no cache of desktop entries");
    }
    Ok(file)
}

/// The entry; `None` for a program whose path cannot stand in one.
fn entry(program: &Path) -> Option<String> {
    let program = quoted(program.to_str()?)?;
    Some(format!(
        "[Desktop Entry]\nType=Application\nName=Fleetlens\nComment=Open links to things, alarms and boards\nExec={program} %u\n\
         Terminal=false\nNoDisplay=true\nMimeType=x-scheme-handler/{SCHEME};\n"
    ))
}

/// A path as an argument of `Exec`: in quotes, with what means something in them escaped, and that escaped again as in every string of an
/// entry; `%` begins a field code. `None` for one with a line's end in it.
fn quoted(path: &str) -> Option<String> {
    if path.chars().any(char::is_control) {
        return None;
    }
    let escaped: String = path
        .chars()
        .map(|sign| match sign {
            '"' | '`' | '$' => format!("\\\\{sign}"),
            '\\' => "\\\\\\\\".to_owned(),
            '%' => "%%".to_owned(),
            sign => sign.to_string(),
        })
        .collect();
    Some(format!("\"{escaped}\""))
}

fn run<'a>(program: &str, arguments: impl IntoIterator<Item = &'a std::ffi::OsStr>) -> io::Result<()> {
    let status = Command::new(program).args(arguments).stdin(Stdio::null()).status()?;
    if status.success() { Ok(()) } else { Err(io::Error::other(format!("{program} ended with {status}"))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_named_in_a_desktop_entry_wherever_it_lies() {
        for (path, want) in [
            ("/opt/fleetlens/fleetlens-desktop", Some(r#""/opt/fleetlens/fleetlens-desktop""#)),
            ("/opt/a b/x", Some(r#""/opt/a b/x""#)),
            (r#"/a"b$c`d\e%f"#, Some(r#""/a\\"b\\$c\\`d\\\\e%%f""#)),
            ("/a\nExec=rm", None),
        ] {
            assert_eq!(quoted(path).as_deref(), want, "{path}");
        }
        let entry = entry("/opt/x".as_ref()).unwrap();
        assert!(entry.contains("Exec=\"/opt/x\" %u\n") && entry.contains("MimeType=x-scheme-handler/fleetlens;"));
    }
}
