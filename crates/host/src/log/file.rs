//! The log's file: a thread that writes, files that take turns, and what happens when the disk takes nothing.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use fleetlens_ipc::diagnostics::masked;

/// The largest a file becomes, in bytes.
pub const FILE_MAX_BYTES: u64 = 2 * 1024 * 1024;

/// How many files there are: the one that is written, and the last ones. 10 MiB together.
pub const FILES: u32 = 5;

/// Lines that may wait for the disk.
const LINES: usize = 4_096;

/// What a line is cut to: a panic with its backtrace fits.
const LINE_MAX_BYTES: usize = 32 * 1024;

/// How many programs may keep a log in one folder.
const PROGRAMS: u32 = 9;

/// How long a file that could not be written is left alone.
const REST: Duration = Duration::from_secs(10);

/// As much of the end of a file as is looked through for trouble.
const LOOKED_AT_BYTES: u64 = 512 * 1024;

static QUEUE: OnceLock<SyncSender<Order>> = OnceLock::new();
static DROPPED: AtomicU64 = AtomicU64::new(0);
static PATH: Mutex<Option<PathBuf>> = Mutex::new(None);

enum Order {
    Line(Vec<u8>),
    /// Answered when everything before it is written, or was dropped.
    Flush(SyncSender<()>),
}

/// Starts the thread; false when there is one already.
pub fn begin(folder: PathBuf) -> bool {
    let (queue, orders) = sync_channel(LINES);
    if QUEUE.set(queue).is_err() {
        return false;
    }
    let thread = std::thread::Builder::new().name("fleetlens-log".to_owned());
    if let Err(error) = thread.spawn(move || run(&folder, &orders)) {
        tracing::warn!(%error, "no log is kept in a file");
    }
    true
}

pub fn flush(within: Duration) {
    let Some(queue) = QUEUE.get() else { return };
    let end = Instant::now() + within;
    let (done, written) = sync_channel(1);
    let mut order = Order::Flush(done);
    loop {
        match queue.try_send(order) {
            Ok(()) => break,
            Err(TrySendError::Full(again)) if Instant::now() < end => order = again,
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => return,
        }
        // A bounded queue of the standard library has no sending with a time limit, and a panic hook must not wait without one for a
        // disk that stands still. So it is asked again; only a queue that is full comes here.
        std::thread::sleep(Duration::from_millis(5));
    }
    // A disk that takes longer keeps nobody.
    let _ = written.recv_timeout(end.saturating_duration_since(Instant::now()));
}

pub fn dropped() -> u64 {
    DROPPED.load(Ordering::Relaxed)
}

pub fn path() -> Option<PathBuf> {
    PATH.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// Where the lines go that the subscriber has formatted: into the queue, without waiting. Each comes in one piece.
pub struct ToFile;

impl Write for ToFile {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if let Some(queue) = QUEUE.get()
            // What waits is bounded; secrets are taken out of all that is kept of a line, so it is cut again behind that.
            && queue.try_send(Order::Line(line.get(..2 * LINE_MAX_BYTES).unwrap_or(line).to_vec())).is_err()
        {
            DROPPED.fetch_add(1, Ordering::Relaxed);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn run(folder: &Path, orders: &Receiver<Order>) {
    let mut log: Option<Log> = None;
    let mut rests_until: Option<Instant> = None;
    let mut told = false;
    loop {
        let order = match orders.recv_timeout(REST) {
            Ok(order) => order,
            Err(RecvTimeoutError::Timeout) => continue,
            Err(RecvTimeoutError::Disconnected) => return,
        };
        let line = match order {
            Order::Line(line) => line,
            Order::Flush(done) => {
                // Whoever waited may have given up.
                let _ = done.try_send(());
                continue;
            }
        };
        if log.is_none() && rests_until.is_none_or(|until| Instant::now() >= until) {
            match Log::open(folder) {
                Ok(opened) => {
                    *PATH.lock().unwrap_or_else(PoisonError::into_inner) = Some(opened.path.clone());
                    log = Some(opened);
                }
                Err(error) => {
                    rests_until = Some(Instant::now() + REST);
                    // Once, and to stderr alone: there is no file to tell it to.
                    if !told {
                        told = true;
                        tracing::warn!("no log is kept in {}: {error}", folder.display());
                    }
                }
            }
        }
        let written = log.as_mut().map(|log| log.write(&clean(&line)));
        if !matches!(written, Some(Ok(()))) {
            DROPPED.fetch_add(1, Ordering::Relaxed);
        }
        if matches!(written, Some(Err(_))) {
            // Full, or taken away: it is opened anew after a while.
            log = None;
            *PATH.lock().unwrap_or_else(PoisonError::into_inner) = None;
            rests_until = Some(Instant::now() + REST);
        }
    }
}

/// A line as it may stand in a file that somebody mails.
fn clean(line: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(line.get(..LINE_MAX_BYTES).unwrap_or(line));
    let mut line = masked(&text).into_owned().into_bytes();
    if line.last() != Some(&b'\n') {
        line.push(b'\n');
    }
    line
}

/// The file that is written, and the right to it.
struct Log {
    path: PathBuf,
    file: File,
    bytes: u64,
    _right: File,
}

impl Log {
    fn open(folder: &Path) -> io::Result<Log> {
        fs::create_dir_all(folder)?;
        for n in 1..=PROGRAMS {
            let path = folder.join(if n == 1 { "fleetlens.log".to_owned() } else { format!("fleetlens-{n}.log") });
            let right = OpenOptions::new().create(true).truncate(false).write(true).open(numbered(&path, "lock"))?;
            if right.try_lock().is_ok() {
                let file = append(&path)?;
                let bytes = file.metadata()?.len();
                return Ok(Log { path, file, bytes, _right: right });
            }
        }
        Err(io::Error::other(format!("{PROGRAMS} programs keep a log there")))
    }

    fn write(&mut self, line: &[u8]) -> io::Result<()> {
        let more = u64::try_from(line.len()).unwrap_or(u64::MAX);
        if self.bytes > 0 && self.bytes.saturating_add(more) > FILE_MAX_BYTES {
            self.turn()?;
        }
        self.file.write_all(line)?;
        self.bytes = self.bytes.saturating_add(more);
        Ok(())
    }

    /// Everything moves on by one, and what was the last goes.
    fn turn(&mut self) -> io::Result<()> {
        for n in (1..FILES - 1).rev() {
            match fs::rename(numbered(&self.path, n), numbered(&self.path, n + 1)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                Ok(()) | Err(_) => {}
            }
        }
        fs::rename(&self.path, numbered(&self.path, 1))?;
        self.file = append(&self.path)?;
        self.bytes = 0;
        Ok(())
    }
}

fn numbered(path: &Path, end: impl std::fmt::Display) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{end}"));
    PathBuf::from(name)
}

/// For its owner alone: topics and names of people stand in it.
fn append(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// The last lines of the logs in a folder for which something holds, the oldest first by the time each begins with.
pub fn last_lines(folder: &Path, most: usize, holds: impl Fn(&str) -> bool) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut lines: Vec<String> = Vec::new();
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if !name.starts_with("fleetlens") || !(name.ends_with(".log") || name.ends_with(".log.1")) {
            continue;
        }
        let Ok(text) = end_of(&entry.path()) else { continue };
        lines.extend(told(&text).into_iter().filter(|line| holds(line)).map(|line| masked(&line).into_owned()));
    }
    // Each begins with its time, written so that the order of the letters is that of time.
    lines.sort();
    lines.split_off(lines.len().saturating_sub(most))
}

/// What was told, a line each, with the first lines that go on from it: a panic says in its second line what happened.
fn told(text: &str) -> Vec<String> {
    const GOES_ON: u32 = 2;
    let mut told: Vec<(String, u32)> = Vec::new();
    for line in text.lines() {
        let begins = line.bytes().take(4).all(|byte| byte.is_ascii_digit()) && line.as_bytes().get(4) == Some(&b'-');
        match told.last_mut() {
            Some((before, more)) if !begins => {
                if *more < GOES_ON {
                    *more += 1;
                    before.push(' ');
                    before.push_str(line);
                }
            }
            Some(_) | None => told.push((line.to_owned(), 0)),
        }
    }
    told.into_iter().map(|(line, _)| line).collect()
}

fn end_of(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(LOOKED_AT_BYTES)))?;
    let mut bytes = Vec::new();
    file.take(LOOKED_AT_BYTES).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
