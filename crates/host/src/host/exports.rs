//! What a person takes out in a window: a sheet read from the cache, into a new file where the person sits before this machine, else
//! to the window.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use fleetlens_ipc::{EXPORT_MAX_BYTES, Export, Exported, Fault, FaultCode};
use fleetlens_model::audit::Filter;
use fleetlens_model::id::BulkId;
use fleetlens_store::Reading;
use tokio_util::sync::CancellationToken;

use super::{Host, ended, who};
use crate::ports::wall_now;
use crate::sheet::{Format, Sheet, audit, bulk, rfc3339};

/// The longest file that is written; the command line knows no end.
const FILE_MAX_BYTES: usize = 1 << 30;

/// Files of one name and day in a folder.
const NAMES_MAX: u32 = 1_000;

impl Host {
    /// Writes a sheet, for those who steer.
    pub(super) async fn export(&self, export: Export) -> Result<Exported, Fault> {
        let cache = {
            let home = self.home.lock().await;
            let run = self.run.read().await;
            let run = run.as_ref().ok_or_else(ended)?;
            let who = who(&home, &run.profile);
            if !who.role.may_command() {
                let message = format!("{}s of this profile take nothing out", who.role.label());
                return Err(Fault::new(FaultCode::Forbidden, message));
            }
            run.cache.clone()
        };
        let folder = (!self.options.served).then(|| self.options.downloads.clone());
        let ending = self.ending.clone();
        let written = tokio::task::spawn_blocking(move || match folder {
            Some(folder) => into_file(&cache, &export, &folder, ending),
            None => as_text(&cache, &export, ending),
        });
        written.await.unwrap_or_else(|_| Err(ended()))
    }
}

fn into_file(cache: &Path, export: &Export, folder: &Path, ending: CancellationToken) -> Result<Exported, Fault> {
    let wrong = |path: &Path, error: io::Error| {
        Fault::new(FaultCode::Store, format!("{} cannot be written: {error}", path.display()))
    };
    let reading = open(cache)?;
    let (mut file, path) = create(folder, &name(export)).map_err(|error| wrong(folder, error))?;
    let too_long = too_long(export, "a file from here holds at most", FILE_MAX_BYTES);
    let done = write(&reading, export, Bounded { sink: &mut file, left: FILE_MAX_BYTES, too_long, ending });
    let done = done.and_then(|()| file.sync_all().map_err(|error| wrong(&path, error)));
    if done.is_err() {
        // Half a sheet looks like a whole one.
        let _ = fs::remove_file(&path);
    }
    done.map(|()| Exported::File(path.display().to_string()))
}

fn as_text(cache: &Path, export: &Export, ending: CancellationToken) -> Result<Exported, Fault> {
    let mut bytes = Vec::new();
    let too_long = too_long(export, "a browser is given at most", EXPORT_MAX_BYTES);
    write(&open(cache)?, export, Bounded { sink: &mut bytes, left: EXPORT_MAX_BYTES, too_long, ending })?;
    let text = String::from_utf8(bytes).map_err(|error| Fault::new(FaultCode::Store, error.to_string()))?;
    Ok(Exported::Text { name: format!("{}.csv", name(export)), text })
}

fn open(cache: &Path) -> Result<Reading, Fault> {
    Reading::open(cache).map_err(|error| Fault::new(FaultCode::Store, error.to_string()))
}

fn write(reading: &Reading, export: &Export, sink: Bounded<'_>) -> Result<(), Fault> {
    match export {
        Export::Bulk(id) => write_bulk(reading, *id, sink),
        Export::Audit(filter) => write_audit(reading, filter, sink),
    }
}

fn write_bulk(reading: &Reading, id: BulkId, sink: Bounded<'_>) -> Result<(), Fault> {
    let kept = reading.bulks().map_err(|error| fault(&error))?;
    let not_found = || Fault::new(FaultCode::NotFound, "this bulk command is not kept here");
    let head = kept.into_iter().find(|head| head.id == id).ok_or_else(not_found)?;
    let mut sheet = Sheet::begin(Format::Csv, Box::new(sink), bulk::FIELDS).map_err(|error| fault(&error))?;
    let written = bulk::write(reading, &head, &mut sheet).map_err(|error| fault(&error))?;
    written.and_then(|()| sheet.end()).map_err(|error| fault(&error))
}

fn write_audit(reading: &Reading, filter: &Filter, sink: Bounded<'_>) -> Result<(), Fault> {
    let mut sheet = Sheet::begin(Format::Csv, Box::new(sink), audit::fields()).map_err(|error| fault(&error))?;
    let told = audit::write(reading, filter, None, &mut sheet).map_err(|error| fault(&error))?;
    told.written.and_then(|()| sheet.end()).map_err(|error| fault(&error))
}

fn fault(error: &dyn std::error::Error) -> Fault {
    Fault::new(FaultCode::Store, format!("the sheet cannot be written: {error}"))
}

/// Why a sheet is not written, and what writes it however long it is.
fn too_long(export: &Export, holds: &str, most_bytes: usize) -> String {
    let most = format!("{holds} {} MiB", most_bytes >> 20);
    match export {
        Export::Bulk(id) => format!("{most}; write it with `fleetlens bulk export --bulk {}`", id.0),
        Export::Audit(_) => format!("{most}; narrow it down, or write it with `fleetlens audit export`"),
    }
}

/// `fleetlens-bulk-3-2026-11-22`, by this machine's clock in UTC.
fn name(export: &Export) -> String {
    let now = rfc3339(wall_now());
    let day = now.get(..10).unwrap_or_default();
    match export {
        Export::Bulk(id) => format!("fleetlens-bulk-{}-{day}", id.0),
        Export::Audit(_) => format!("fleetlens-audit-{day}"),
    }
}

/// A new file of this name; what is there already stays, and this one gets a number.
fn create(folder: &Path, name: &str) -> io::Result<(File, PathBuf)> {
    fs::create_dir_all(folder)?;
    let numbers = std::iter::once(String::new()).chain((2..=NAMES_MAX).map(|number| format!("-{number}")));
    for number in numbers {
        let path = folder.join(format!("{name}{number}.csv"));
        match File::create_new(&path) {
            Ok(file) => return Ok((file, path)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::other(format!("there are {NAMES_MAX} files {name} already")))
}

/// Takes so many bytes, and none once the program ends.
struct Bounded<'a> {
    sink: &'a mut dyn Write,
    left: usize,
    /// What is said of more.
    too_long: String,
    ending: CancellationToken,
}

impl Write for Bounded<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.ending.is_cancelled() {
            return Err(io::Error::other("Fleetlens is closing"));
        }
        let Some(left) = self.left.checked_sub(bytes.len()) else {
            return Err(io::Error::other(self.too_long.clone()));
        };
        self.left = left;
        self.sink.write_all(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.sink.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_is_never_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let names: Vec<String> = (0..3)
            .map(|_| create(&folder.path().join("new"), "fleetlens-bulk-3").unwrap().1)
            .map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
            .collect();
        assert_eq!(names, ["fleetlens-bulk-3.csv", "fleetlens-bulk-3-2.csv", "fleetlens-bulk-3-3.csv"]);
    }

    #[test]
    fn what_is_too_long_or_comes_too_late_is_refused_with_a_reason() {
        let ending = CancellationToken::new();
        let mut sink = Vec::new();
        let too_long = too_long(&Export::Bulk(BulkId(3)), "a window takes", EXPORT_MAX_BYTES);
        assert_eq!(too_long, "a window takes 8 MiB; write it with `fleetlens bulk export --bulk 3`");
        let mut bounded = Bounded { sink: &mut sink, left: 4, too_long, ending: ending.clone() };
        bounded.write_all(b"abc").unwrap();
        assert!(bounded.write_all(b"de").unwrap_err().to_string().contains("8 MiB"));
        bounded.write_all(b"d").unwrap();
        ending.cancel();
        assert!(bounded.write_all(b"").is_ok() && bounded.write(b"e").unwrap_err().to_string().contains("closing"));
        assert_eq!(sink, b"abcd");
    }
}
