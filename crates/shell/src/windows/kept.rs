//! The file of windows: which there were and what each showed. Pure, but for reading it.

use std::io::Read;
use std::path::Path;

use fleetlens_host::ipc::address::{Address, View};
use serde::{Deserialize, Serialize};

use super::WINDOWS_MAX;
use super::screens::Rect;

/// The largest file that is read, in bytes.
const FILE_MAX_BYTES: u64 = 64 * 1024;

/// What the file is now. A later one is read as far as its words are known.
const VERSION: u32 = 1;

/// A window as it is remembered.
#[derive(Clone, Debug, PartialEq)]
pub struct Kept {
    /// What it shows.
    pub address: Address,
    /// The profile in which it shows it; empty where nobody knows. Another has other things, and its own map.
    pub profile: String,
    /// Where it stands while it does not fill the screen; `None` where nobody knows, as before it was there.
    pub place: Option<Rect>,
    /// Whether it fills the screen.
    pub maximised: bool,
}

impl Default for Kept {
    fn default() -> Kept {
        Kept { address: Address::View(View::Map), profile: String::new(), place: None, maximised: false }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(default)]
struct Row {
    address: String,
    profile: String,
    place: Option<serde_json::Value>,
    maximised: bool,
}

impl Default for Row {
    fn default() -> Row {
        Row { address: View::Map.word().to_owned(), profile: String::new(), place: None, maximised: false }
    }
}

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct File {
    version: u32,
    windows: Vec<serde_json::Value>,
}

impl Row {
    fn of(kept: &Kept) -> Row {
        let place = kept.place.and_then(|place| serde_json::to_value(place).ok());
        Row { address: kept.address.to_string(), profile: kept.profile.clone(), place, maximised: kept.maximised }
    }

    fn window(self) -> Kept {
        Kept {
            // One that leads nowhere any more is a window nevertheless.
            address: Address::read(&self.address).unwrap_or(Address::View(View::Map)),
            profile: self.profile,
            place: self.place.and_then(|place| serde_json::from_value(place).ok()),
            maximised: self.maximised,
        }
    }
}

/// The windows of the file; none where there is no file, or where nothing of it can be read, which is told.
pub fn read(file: &Path) -> Vec<Kept> {
    let mut text = String::new();
    let read = std::fs::File::open(file).and_then(|opened| opened.take(FILE_MAX_BYTES).read_to_string(&mut text));
    match read.map(|_| windows(&text)) {
        Ok(Ok(windows)) => windows,
        Ok(Err(why)) => {
            tracing::warn!(file = %file.display(), why, "what windows there were is not known; one is opened");
            Vec::new()
        }
        Err(error) => {
            if error.kind() != std::io::ErrorKind::NotFound {
                tracing::warn!(%error, file = %file.display(), "what windows there were cannot be read; one is opened");
            }
            Vec::new()
        }
    }
}

fn windows(text: &str) -> Result<Vec<Kept>, String> {
    let file: File = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let rows = file.windows.into_iter().filter_map(|row| serde_json::from_value::<Row>(row).ok());
    Ok(rows.take(WINDOWS_MAX).map(Row::window).collect())
}

/// The text of the file.
pub fn text(windows: &[Kept]) -> Vec<u8> {
    let rows = windows.iter().filter_map(|kept| serde_json::to_value(Row::of(kept)).ok()).collect();
    serde_json::to_vec_pretty(&File { version: VERSION, windows: rows }).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alarms() -> Kept {
        Kept {
            address: Address::View(View::Alarms),
            profile: "Valletta & harbour".into(),
            place: Some(Rect { x: -1280, y: 20, width: 1200, height: 900 }),
            maximised: true,
        }
    }

    #[test]
    fn windows_are_kept_and_read_as_they_were() {
        let kept = vec![alarms(), Kept { address: Address::Find("kind:lamp".into()), ..Kept::default() }];
        let text = String::from_utf8(text(&kept)).unwrap();
        assert_eq!(windows(&text), Ok(kept), "{text}");
    }

    #[test]
    fn a_damaged_file_an_older_one_and_a_newer_one_give_the_windows_that_can_be_read() {
        let map = Kept::default();
        for (name, text, want) in [
            ("nothing in it", "{}", Some(vec![])),
            ("no JSON", "PK\u{3}\u{4}", None),
            ("cut", r#"{"version":1,"windows":[{"address":"view/al"#, None),
            ("another shape", "[1, 2]", None),
            (
                "before places were kept",
                r#"{"windows":[{"address":"view/alarms"}]}"#,
                Some(vec![Kept { address: Address::View(View::Alarms), ..map.clone() }]),
            ),
            (
                "a later one",
                r#"{"version":9,"screens":{},"windows":[{"address":"view/alarms","pinned":true}]}"#,
                Some(vec![Kept { address: Address::View(View::Alarms), ..map.clone() }]),
            ),
            (
                "a view that is no more",
                r#"{"windows":[{"address":"view/radar","maximised":true}]}"#,
                Some(vec![Kept { maximised: true, ..map.clone() }]),
            ),
            (
                "a place that is none",
                r#"{"windows":[{"address":"view/map","place":{"x":1e99}}]}"#,
                Some(vec![map.clone()]),
            ),
            ("one of two", r#"{"windows":[{"address":7},{"address":"view/map"}]}"#, Some(vec![map.clone()])),
        ] {
            assert_eq!(windows(text).ok(), want, "{name}");
        }
        let many = format!(r#"{{"windows":[{}]}}"#, vec![r#"{"address":"view/map"}"#; 500].join(","));
        assert_eq!(windows(&many).map(|windows| windows.len()), Ok(WINDOWS_MAX));
    }

    #[test]
    fn without_a_file_there_were_no_windows_and_a_huge_one_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("windows.json");
        assert_eq!(read(&file), []);
        std::fs::write(&file, text(&[alarms()])).unwrap();
        assert_eq!(read(&file), [alarms()]);
        std::fs::write(&file, format!("{}{}", " ".repeat(70_000), r#"{"windows":[{}]}"#)).unwrap();
        assert_eq!(read(&file), []);
        std::fs::write(&file, [0xff, 0xfe]).unwrap();
        assert_eq!(read(&file), []);
    }
}
