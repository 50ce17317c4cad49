//! The door of a running program: a second start on the same data folder knocks, says what it was started for, and ends. A socket in the data
//! folder (on Windows a pipe named after it) that only its owner may open; two data folders are two programs, which one name for all on
//! a bus, as Tauri's plugin has it, would not let be (docs/adr/0022-windows-and-links.md).
//!
//! Who knocks may have the program show something, and nothing else.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use fleetlens_host::ipc::address::{LINK_MAX_BYTES, harmless};
use interprocess::local_socket::tokio::{Listener, Stream};
use interprocess::local_socket::traits::tokio::{Listener as _, Stream as _};
use interprocess::local_socket::{GenericFilePath, ListenerOptions, Name, ToFsName};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::time::timeout;

/// How long a visitor has to say what for.
const PATIENCE: Duration = Duration::from_secs(3);

/// How long a visitor waits to be answered: a window may have to be made first, on a machine that is busy.
const ANSWERED_WITHIN: Duration = Duration::from_secs(10);

/// The longest that a visitor says, in bytes: a link whose every byte is escaped, and a word before it.
const SAID_MAX_BYTES: u64 = 3 * LINK_MAX_BYTES as u64 + 64;

/// What is answered.
const TAKEN: &str = "taken\n";

/// What a second start is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wish {
    /// The program comes forward.
    Forward,
    /// One more window.
    NewWindow,
    /// What somebody handed over as a link; it may be anything.
    Link(String),
}

impl Wish {
    fn line(&self) -> String {
        match self {
            Wish::Forward => "forward\n".to_owned(),
            Wish::NewWindow => "new-window\n".to_owned(),
            Wish::Link(link) => format!("link {}\n", harmless(link)),
        }
    }

    fn of_line(line: &str) -> Option<Wish> {
        match line.strip_suffix('\n')? {
            "forward" => Some(Wish::Forward),
            "new-window" => Some(Wish::NewWindow),
            line => line.strip_prefix("link ").map(|link| Wish::Link(link.to_owned())),
        }
    }
}

/// Whether a program runs on this data folder and took the wish. One that does not answer has not.
pub fn knock(folder: &Path, wish: &Wish) -> bool {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return false };
    let said = runtime.block_on(async { timeout(ANSWERED_WITHIN, say(folder, wish)).await });
    match said {
        Ok(Ok(taken)) => taken,
        Ok(Err(error)) => {
            tracing::debug!(%error, "no program runs on this data folder");
            false
        }
        Err(_) => {
            tracing::warn!("a program runs on this data folder and does not answer");
            false
        }
    }
}

async fn say(folder: &Path, wish: &Wish) -> io::Result<bool> {
    let path = path_of(folder);
    let visitor = Stream::connect(name(&path)?).await?;
    let mut answer = String::new();
    (&visitor).write_all(wish.line().as_bytes()).await?;
    BufReader::new((&visitor).take(64)).read_line(&mut answer).await?;
    Ok(answer == TAKEN)
}

/// Somebody at the door who said what for, and waits. One who is not told that it was taken does it alone.
#[derive(Debug)]
pub struct Visitor {
    /// What for.
    pub wish: Wish,
    stream: Stream,
}

impl Visitor {
    /// It is done.
    pub async fn taken(self) {
        let mut answers = &self.stream;
        if let Err(error) = answers.write_all(TAKEN.as_bytes()).await {
            tracing::debug!(%error, "somebody knocked and did not wait");
        }
    }
}

/// An open door. Closed, and its socket taken away, when it is dropped.
pub struct Door(Listener);

impl Door {
    /// Opens the door of this data folder. Whoever does holds the folder's lock: a socket that stands there is nobody's. Fails where a
    /// socket cannot be, as in a folder whose name is too long for one.
    pub fn open(folder: &Path) -> io::Result<Door> {
        let path = path_of(folder);
        let options = ListenerOptions::new().name(name(&path)?).try_overwrite(true);
        #[cfg(unix)]
        let options = {
            use interprocess::os::unix::local_socket::ListenerOptionsExt;
            options.mode(0o600)
        };
        options.create_tokio().map(Door)
    }

    /// Waits for the next visitor who says something that is understood.
    pub async fn next(&self) -> Visitor {
        loop {
            match self.0.accept().await {
                // One at a time: what a visitor says is a line, and one that says nothing is gone in a moment.
                Ok(stream) => match timeout(PATIENCE, hear(&stream)).await {
                    Ok(Ok(Some(wish))) => return Visitor { wish, stream },
                    Ok(Ok(None)) => tracing::warn!("somebody knocked and said nothing that is known"),
                    Ok(Err(error)) => tracing::debug!(%error, "somebody knocked and left"),
                    Err(_) => tracing::debug!("somebody knocked and said nothing"),
                },
                Err(error) => {
                    tracing::warn!(%error, "a second start cannot be heard");
                    tokio::time::sleep(PATIENCE).await;
                }
            }
        }
    }
}

async fn hear(visitor: &Stream) -> io::Result<Option<Wish>> {
    let mut line = String::new();
    BufReader::new(visitor.take(SAID_MAX_BYTES)).read_line(&mut line).await?;
    Ok(Wish::of_line(&line))
}

#[cfg(not(windows))]
fn path_of(folder: &Path) -> PathBuf {
    folder.join("door")
}

/// Pipes have a folder of their own. No machine of ours has verified it.
#[cfg(windows)]
fn path_of(folder: &Path) -> PathBuf {
    let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    let word: String = folder.to_string_lossy().chars().map(|c| if c.is_alphanumeric() { c } else { '-' }).collect();
    PathBuf::from(format!(r"\\.\pipe\fleetlens-{word}"))
}

fn name(path: &Path) -> io::Result<Name<'_>> {
    path.to_fs_name::<GenericFilePath>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wish_is_one_line_whatever_a_link_holds() {
        for wish in [Wish::Forward, Wish::NewWindow, Wish::Link("fleetlens://thing/lamp-1".into())] {
            assert_eq!(Wish::of_line(&wish.line()), Some(wish));
        }
        let hostile = Wish::Link("fleetlens://thing/a\nnew-window\n\"".into());
        assert_eq!(hostile.line().matches('\n').count(), 1, "{}", hostile.line());
        for line in ["", "\n", "forward", "steer lamp-1\n", "links x\n"] {
            assert_eq!(Wish::of_line(line), None, "{line:?}");
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_second_start_is_heard_and_answered_and_nobody_is_where_nobody_runs() {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path().to_owned();
        let knocks = move |wish: Wish| {
            let at = at.clone();
            tokio::task::spawn_blocking(move || knock(&at, &wish))
        };
        assert!(!knocks(Wish::Forward).await.unwrap(), "nobody runs");
        // What a program leaves that was killed.
        drop(std::os::unix::net::UnixListener::bind(folder.path().join("door")).unwrap());
        assert!(!knocks(Wish::Forward).await.unwrap(), "nobody runs any more");
        let door = Door::open(folder.path()).unwrap();
        for wish in [Wish::Link("fleetlens://thing/lamp-1".into()), Wish::NewWindow] {
            let second = knocks(wish.clone());
            let visitor = door.next().await;
            assert_eq!(visitor.wish, wish);
            visitor.taken().await;
            assert!(second.await.unwrap());
        }
        let refused = knocks(Wish::NewWindow);
        drop(door.next().await);
        assert!(!refused.await.unwrap(), "it was heard and not done");
        drop(door);
        assert!(!knocks(Wish::Forward).await.unwrap(), "it ended");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn whoever_says_nothing_that_is_known_keeps_nobody_from_the_door() {
        let folder = tempfile::tempdir().unwrap();
        let door = Door::open(folder.path()).unwrap();
        let at = folder.path().to_owned();
        let visitors = tokio::task::spawn_blocking(move || {
            use std::io::Write;
            for said in [b"steer lamp-1 on\n".to_vec(), vec![b'x'; 200_000], Vec::new(), vec![0xff, 0xfe, b'\n']] {
                let mut visitor = std::os::unix::net::UnixStream::connect(at.join("door")).unwrap();
                // It may have been shown out before it was done.
                let _ = visitor.write_all(&said);
            }
            knock(&at, &Wish::NewWindow)
        });
        let visitor = door.next().await;
        assert_eq!(visitor.wish, Wish::NewWindow);
        visitor.taken().await;
        assert!(visitors.await.unwrap());
    }
}
