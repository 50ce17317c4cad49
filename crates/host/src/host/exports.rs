//! What a person takes out in a window: a sheet or a report read from the cache, into a new file where the person sits before this
//! machine, else to the window.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use fleetlens_engine::port::WindowId;
use fleetlens_ipc::{
    CHART_COLUMNS_MAX, CHART_LINES_MAX, ChartColumn, Done, EXPORT_MAX_BYTES, Export, Exported, Fault, FaultCode,
    HEADING_MAX_CHARS, PICTURE_MAX_BYTES, Picture, RequestId, ZONE_MAX_CHARS,
};
use fleetlens_model::audit::Filter;
use fleetlens_model::id::BulkId;
use fleetlens_model::time::WallMs;
use fleetlens_report::{Asked, ReportError, TimeZone};
use fleetlens_store::{Reading, StoreError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::{Host, ended, who};
use crate::pictures::Ground;
use crate::ports::wall_now;
use crate::report::report;
use crate::run::Run;
use crate::sheet::{Format, Sheet, audit, bulk, chart, rfc3339};

/// The longest file that is written; the command line knows no end.
const FILE_MAX_BYTES: usize = 1 << 30;

/// Files of one name and day in a folder.
const NAMES_MAX: u32 = 1_000;

/// How long one that is under way may take to see that the program ends: between two rows, or when the disk is done with a file.
const ENDS_WITHIN: Duration = Duration::from_secs(3);

/// The right to write a file: who exports, exports one at a time.
#[derive(Clone, Debug)]
pub struct Exports(Arc<Semaphore>);

impl Default for Exports {
    fn default() -> Exports {
        Exports(Arc::new(Semaphore::new(1)))
    }
}

impl Exports {
    fn begin(&self) -> Result<OwnedSemaphorePermit, Fault> {
        let busy = |_| Fault::new(FaultCode::Invalid, "another file is being saved; ask again when that is done");
        Arc::clone(&self.0).try_acquire_owned().map_err(busy)
    }

    /// Waits until none is written, but not for ever; with the program's end none goes on.
    pub(super) async fn over(&self) {
        if timeout(ENDS_WITHIN, self.0.acquire()).await.is_err() {
            tracing::warn!("a file that was being saved did not end in time");
        }
    }
}

impl Host {
    /// Begins to write a file, for those who steer; the window is answered when it is done, and has everything else meanwhile.
    pub(super) async fn export(&self, window: WindowId, request: RequestId, export: Export) -> Result<(), Fault> {
        let (store, ground) = {
            let home = self.home.lock().await;
            let run = self.run.read().await;
            let run = run.as_ref().ok_or_else(ended)?;
            let who = who(&home, &run.profile);
            if !who.role.may_command() {
                let message = format!("{}s of this profile take nothing out", who.role.label());
                return Err(Fault::new(FaultCode::Forbidden, message));
            }
            let tiles = self.tiles();
            (run.store().clone(), Ground { tiles, built_in: run.profile.tiles.is_none() })
        };
        let right = self.exports.begin()?;
        let folder = (!self.options.served).then(|| self.options.downloads.clone());
        let (run, ending) = (Arc::clone(&self.run), self.ending.clone());
        tokio::spawn(async move {
            let written = tokio::task::spawn_blocking(move || {
                // Until its file is whole or gone.
                let _right = right;
                let reading = store.reading().map_err(|error| read_fault(&error))?;
                let from = Source { reading, ground, ending };
                // Nobody is kept from closing it by this.
                drop(store);
                match folder {
                    Some(folder) => into_file(&from, &export, &folder),
                    None => as_text(&from, &export),
                }
            });
            let outcome = written.await.unwrap_or_else(|_| Err(ended())).map(Done::Exported);
            if let Some(engine) = run.read().await.as_ref().and_then(Run::engine) {
                engine.answer(window, request, outcome).await;
            }
        });
        Ok(())
    }
}

/// Where a file's content comes from, and what ends it early.
struct Source {
    reading: Reading,
    ground: Ground,
    ending: CancellationToken,
}

impl Source {
    /// Why it does not go on, if it does not.
    fn goes_on(&self) -> io::Result<()> {
        if self.ending.is_cancelled() {
            return Err(io::Error::other("Fleetlens is closing"));
        }
        if self.reading.is_closed() {
            return Err(io::Error::other("another profile is in use now"));
        }
        Ok(())
    }
}

fn into_file(from: &Source, export: &Export, folder: &Path) -> Result<Exported, Fault> {
    let wrong = |path: &Path, error: io::Error| {
        Fault::new(FaultCode::Store, format!("{} cannot be written: {error}", path.display()))
    };
    let (name, ending) = name(export);
    let (mut file, part) = create(folder, &name).map_err(|error| wrong(folder, error))?;
    let too_long = too_long(export, "a file from here holds at most", FILE_MAX_BYTES);
    let written = write(from, export, Bounded { sink: &mut file, left: FILE_MAX_BYTES, too_long });
    let done = written.and_then(|unread| {
        let named = file.sync_all().and_then(|()| publish(&part, folder, &name, ending));
        Ok(Exported::File { path: named.map_err(|error| wrong(folder, error))?.display().to_string(), unread })
    });
    // Half a sheet looks like a whole one, and a whole one has its name by now.
    let _ = fs::remove_file(&part);
    done
}

fn as_text(from: &Source, export: &Export) -> Result<Exported, Fault> {
    let mut bytes = Vec::new();
    let too_long = too_long(export, "a browser is given at most", EXPORT_MAX_BYTES);
    let unread = write(from, export, Bounded { sink: &mut bytes, left: EXPORT_MAX_BYTES, too_long })?;
    let text = String::from_utf8(bytes).map_err(|error| Fault::new(FaultCode::Store, error.to_string()))?;
    let (name, ending) = name(export);
    Ok(Exported::Text { name: format!("{name}.{ending}"), text, unread })
}

/// Writes it; tells how many rows could not be read and are missing.
fn write(from: &Source, export: &Export, mut sink: Bounded<'_>) -> Result<u64, Fault> {
    match export {
        Export::Bulk(id) => write_bulk(from, *id, sink).map(|()| 0),
        Export::Audit(filter) => write_audit(from, filter, sink),
        Export::Report { from_ms, to_ms, zone } => {
            let page = page(from, *from_ms..*to_ms, zone)?;
            sink.write_all(page.as_bytes()).map(|()| 0).map_err(|error| fault(&error))
        }
        Export::Chart { columns, from_ms, until_ms, bucket_ms } => {
            let stretch = chart::Stretch { from_ms: *from_ms, until_ms: *until_ms, bucket_ms: *bucket_ms };
            write_chart(from, columns, stretch, sink).map(|()| 0)
        }
        Export::Picture { picture, bytes } => {
            check_picture(*picture, bytes)?;
            sink.write_all(bytes).map(|()| 0).map_err(|error| fault(&error))
        }
    }
}

fn write_chart(
    from: &Source,
    columns: &[ChartColumn],
    stretch: chart::Stretch,
    sink: Bounded<'_>,
) -> Result<(), Fault> {
    let invalid = |why: &str| Err(Fault::new(FaultCode::Invalid, why));
    let span_ms = stretch.until_ms.since(stretch.from_ms);
    if columns.is_empty() || columns.len() > CHART_COLUMNS_MAX {
        return invalid("a sheet of a chart has between 1 and 8 values");
    }
    if columns.iter().any(|column| column.heading.chars().count() > HEADING_MAX_CHARS) {
        return invalid("a value's heading is at most 200 characters long");
    }
    if span_ms == 0 || span_ms / stretch.bucket_ms.max(1) > CHART_LINES_MAX {
        return invalid("a sheet of a chart has between 1 and 10000 lines");
    }
    let fields = chart::fields(columns);
    let mut sheet =
        Sheet::begin(Format::Csv, Box::new(sink), fields.iter().map(String::as_str)).map_err(|error| fault(&error))?;
    let written = chart::write_while(&from.reading, columns, stretch, &mut sheet, || from.goes_on());
    written.map_err(|error| read_fault(&error))?.and_then(|()| sheet.end()).map_err(|error| fault(&error))
}

/// A window is believed that it drew a picture, not that any bytes are one.
fn check_picture(picture: Picture, bytes: &[u8]) -> Result<(), Fault> {
    let is_one = match picture {
        Picture::Png => bytes.starts_with(b"\x89PNG\r\n\x1a\n"),
        Picture::Svg => bytes.starts_with(b"<svg "),
    };
    match bytes.len() {
        len if len > PICTURE_MAX_BYTES => {
            let most = PICTURE_MAX_BYTES >> 10;
            Err(Fault::new(
                FaultCode::Invalid,
                format!("a picture of {len} bytes is too large; the most is {most} KiB"),
            ))
        }
        _ if !is_one => Err(Fault::new(FaultCode::Invalid, "that is no picture of a chart")),
        _ => Ok(()),
    }
}

fn page(from: &Source, span: Range<WallMs>, zone: &str) -> Result<String, Fault> {
    let now = wall_now();
    let invalid = |why: String| Fault::new(FaultCode::Invalid, why);
    if span.start >= now {
        return Err(invalid("nothing has happened in a time that is still to come".to_owned()));
    }
    let zone = match zone {
        "" => TimeZone::try_system().unwrap_or(TimeZone::UTC),
        named if named.chars().count() > ZONE_MAX_CHARS => {
            return Err(invalid("no time zone has so long a name".into()));
        }
        named => TimeZone::get(named).map_err(|_| invalid(format!("{named:?} is no time zone that is known here")))?,
    };
    // An hour that is still to come is no quiet one.
    let asked = Asked { span: span.start..span.end.min(now), zone, now };
    let page =
        report(&from.reading, &asked, &from.ground, &|| from.goes_on().is_ok()).map_err(|error| match error {
            ReportError::Store(error) => read_fault(&error),
            ReportError::NoSpan { .. } | ReportError::NoMoment(_) => invalid(error.to_string()),
            ReportError::Chart(error) => fault(&error),
        })?;
    from.goes_on().map_err(|error| fault(&error))?;
    Ok(page)
}

fn write_bulk(from: &Source, id: BulkId, sink: Bounded<'_>) -> Result<(), Fault> {
    let kept = from.reading.bulks().map_err(|error| read_fault(&error))?;
    let not_found = || Fault::new(FaultCode::NotFound, "this bulk command is not kept here");
    let head = kept.into_iter().find(|head| head.id == id).ok_or_else(not_found)?;
    let mut sheet = Sheet::begin(Format::Csv, Box::new(sink), bulk::FIELDS).map_err(|error| fault(&error))?;
    let written = bulk::write_while(&from.reading, &head, &mut sheet, || from.goes_on());
    written.map_err(|error| read_fault(&error))?.and_then(|()| sheet.end()).map_err(|error| fault(&error))
}

fn write_audit(from: &Source, filter: &Filter, sink: Bounded<'_>) -> Result<u64, Fault> {
    let mut sheet = Sheet::begin(Format::Csv, Box::new(sink), audit::fields()).map_err(|error| fault(&error))?;
    let told = audit::write_while(&from.reading, filter, None, &mut sheet, || from.goes_on());
    let told = told.map_err(|error| read_fault(&error))?;
    told.written.and_then(|()| sheet.end()).map_err(|error| fault(&error))?;
    Ok(told.unread)
}

fn read_fault(error: &StoreError) -> Fault {
    Fault::new(FaultCode::Store, format!("it cannot be read from the cache: {error}"))
}

fn fault(error: &dyn std::error::Error) -> Fault {
    Fault::new(FaultCode::Store, format!("it cannot be written: {error}"))
}

/// Why a file is not written, and what writes it however long it is.
fn too_long(export: &Export, holds: &str, most_bytes: usize) -> String {
    let most = format!("{holds} {} MiB", most_bytes >> 20);
    match export {
        Export::Bulk(id) => format!("{most}; write it with `fleetlens bulk export --bulk {}`", id.0),
        Export::Audit(_) => format!("{most}; narrow it down, or write it with `fleetlens audit export`"),
        Export::Report { .. } => format!("{most}; take a shorter time, or write it with `fleetlens report`"),
        Export::Chart { .. } | Export::Picture { .. } => format!("{most}; take a shorter time"),
    }
}

/// `fleetlens-bulk-3-2026-11-22` and `csv`, by this machine's clock in UTC.
fn name(export: &Export) -> (String, &'static str) {
    let now = rfc3339(wall_now());
    let day = now.get(..10).unwrap_or_default();
    match export {
        Export::Bulk(id) => (format!("fleetlens-bulk-{}-{day}", id.0), "csv"),
        Export::Audit(_) => (format!("fleetlens-audit-{day}"), "csv"),
        Export::Report { .. } => (format!("fleetlens-report-{day}"), "html"),
        Export::Chart { .. } => (format!("fleetlens-chart-{day}"), "csv"),
        Export::Picture { picture: Picture::Png, .. } => (format!("fleetlens-chart-{day}"), "png"),
        Export::Picture { picture: Picture::Svg, .. } => (format!("fleetlens-chart-{day}"), "svg"),
    }
}

/// A new file for what becomes the one of this name, for nobody else to read.
fn create(folder: &Path, name: &str) -> io::Result<(File, PathBuf)> {
    fs::create_dir_all(folder)?;
    let path = folder.join(format!("{name}.{:08x}.part", rand::random::<u32>()));
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    Ok((options.open(&path)?, path))
}

/// Gives what is whole its name; what is there already stays, and this one gets a number.
fn publish(part: &Path, folder: &Path, name: &str, ending: &str) -> io::Result<PathBuf> {
    let numbers = std::iter::once(String::new()).chain((2..=NAMES_MAX).map(|number| format!("-{number}")));
    for number in numbers {
        let path = folder.join(format!("{name}{number}.{ending}"));
        match fs::hard_link(part, &path) {
            Ok(()) => return Ok(path),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            // Not every file system has a second name for a file.
            Err(_) if !path.exists() => return fs::rename(part, &path).map(|()| path),
            Err(_) => {}
        }
    }
    Err(io::Error::other(format!("there are {NAMES_MAX} files {name} already")))
}

/// Takes so many bytes.
struct Bounded<'a> {
    sink: &'a mut dyn Write,
    left: usize,
    /// What is said of more.
    too_long: String,
}

impl Write for Bounded<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
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
    fn what_is_there_is_never_written_over_and_nothing_has_a_name_before_it_is_whole() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("new");
        let files = || {
            let name = |entry: io::Result<fs::DirEntry>| entry.unwrap().file_name().into_string().unwrap();
            let mut names: Vec<String> = fs::read_dir(&folder).unwrap().map(name).collect();
            names.sort();
            names
        };
        let names: Vec<String> = (0..3)
            .map(|_| {
                let (mut file, part) = create(&folder, "fleetlens-bulk-3").unwrap();
                file.write_all(b"half").unwrap();
                assert!(files().iter().filter(|name| !name.ends_with(".csv")).all(|name| name.ends_with(".part")));
                let path = publish(&part, &folder, "fleetlens-bulk-3", "csv").unwrap();
                fs::remove_file(&part).unwrap();
                #[cfg(unix)]
                {
                    use std::os::unix::fs::PermissionsExt;
                    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600, "for nobody else");
                }
                path.file_name().unwrap().to_string_lossy().into_owned()
            })
            .collect();
        assert_eq!(names, ["fleetlens-bulk-3.csv", "fleetlens-bulk-3-2.csv", "fleetlens-bulk-3-3.csv"]);
        // Whoever is killed leaves what says that it is no sheet.
        drop(create(&folder, "fleetlens-bulk-3").unwrap());
        assert!(
            files().iter().filter(|name| name.ends_with(".csv")).count() == 3 && files().len() == 4,
            "{:?}",
            files()
        );
    }

    #[test]
    fn what_is_too_long_is_refused_with_a_reason() {
        let mut sink = Vec::new();
        let too_long = too_long(&Export::Bulk(BulkId(3)), "a window takes", EXPORT_MAX_BYTES);
        assert_eq!(too_long, "a window takes 8 MiB; write it with `fleetlens bulk export --bulk 3`");
        let mut bounded = Bounded { sink: &mut sink, left: 4, too_long };
        bounded.write_all(b"abc").unwrap();
        assert!(bounded.write_all(b"de").unwrap_err().to_string().contains("8 MiB"));
        bounded.write_all(b"d").unwrap();
        assert_eq!(sink, b"abcd");
    }
}
