//! The windows of the desktop: which there are, what each shows and where it stands. They are kept in a file of the data folder and opened
//! again at the next start; so they belong to the machine with its screens, not to a profile (docs/adr/0022-windows-and-links.md).
//!
//! Of several programs on one data folder the first has the file and the door ([`crate::door`]); the others have one window each.

mod kept;
mod screens;

use std::collections::BTreeSet;
use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use fleetlens_host::ipc::address::{Address, View, escaped, harmless};
use fleetlens_host::keep_file;
use tauri::{
    App, AppHandle, Manager, Monitor, PhysicalPosition, PhysicalSize, WebviewUrl, WebviewWindow, WebviewWindowBuilder,
};
use thiserror::Error;
use tokio::sync::Notify;

use self::kept::Kept;
use self::screens::{Rect, onto};
use crate::door::{Door, Wish};
use crate::life::Life;
use crate::{Flags, pages, start};

/// The most windows there are. Each is a page of its own, with a map of its own.
pub const WINDOWS_MAX: usize = 8;

/// The file of windows, and who has it.
const FILE: &str = "windows.json";
const LOCK: &str = "windows.lock";

/// The first window's name; the others are called after it with a number (`capabilities/window.json`).
const FIRST: &str = "main";

/// How long what changed may change again before it is written: a window that is dragged stands somewhere else every few milliseconds.
const REST: Duration = Duration::from_millis(500);

/// How long a start that was not let in waits for a program that is ending to leave the windows to it.
const LEAVES_WITHIN: Duration = Duration::from_secs(3);

/// Why no window is opened.
#[derive(Debug, Error)]
pub enum WindowError {
    /// [`WINDOWS_MAX`].
    #[error("there are {WINDOWS_MAX} windows already; close one first")]
    Enough,
    /// Tauri says so.
    #[error("the window cannot be opened: {0}")]
    Tauri(#[from] tauri::Error),
}

/// The windows. Clones are the same.
#[derive(Clone)]
pub struct Windows(Arc<Inner>);

struct Inner {
    open: Mutex<Open>,
    changed: Notify,
    /// Where they are kept, and the lock by which nobody else keeps theirs there; `None` where another program does.
    file: Option<(PathBuf, File)>,
    /// One writes at a time, each what there is when its turn comes.
    writing: tokio::sync::Mutex<()>,
    /// Who answers those who start the program again.
    door: Mutex<Option<tauri::async_runtime::JoinHandle<()>>>,
    flags: Flags,
}

/// Which windows there are. Pure.
#[derive(Debug, Default)]
struct Open {
    /// By their labels, in the order in which they were opened.
    windows: Vec<(String, Kept)>,
    /// Those that were put where they were: what is told of the place of one that is being made is not where a person wants it.
    placed: BTreeSet<String>,
    /// The one that somebody was in last.
    front: Option<String>,
    /// Whether the program ends: windows that go now come back at the next start.
    ends: bool,
}

impl Open {
    /// A label that no window has; `None` when there are enough.
    fn free_label(&self) -> Option<String> {
        let labels = (1..=WINDOWS_MAX).map(|number| match number {
            1 => FIRST.to_owned(),
            number => format!("{FIRST}-{number}"),
        });
        let is_free = |label: &String| self.windows.iter().all(|(known, _)| known != label);
        labels.into_iter().find(is_free)
    }

    fn of(&mut self, label: &str) -> Option<&mut Kept> {
        self.windows.iter_mut().find(|(known, _)| known == label).map(|(_, kept)| kept)
    }

    /// A window shows this. Whether that is news.
    fn shows(&mut self, label: &str, address: Address, profile: String) -> bool {
        let Some(kept) = self.of(label) else { return false };
        let now = Kept { address, profile, ..kept.clone() };
        let is_news = *kept != now;
        *kept = now;
        is_news
    }

    /// A window stands there, or fills its screen. Whether that is news.
    fn stands(&mut self, label: &str, place: Option<Rect>, maximised: bool) -> bool {
        if !self.placed.contains(label) {
            return false;
        }
        let Some(kept) = self.of(label) else { return false };
        let now = Kept { place: place.or(kept.place), maximised, ..kept.clone() };
        let is_news = *kept != now;
        *kept = now;
        is_news
    }

    /// A window is gone. The last one comes back at the next start, and so do all where the program ends.
    fn closed(&mut self, label: &str) -> bool {
        if self.front.as_deref() == Some(label) {
            self.front = None;
        }
        if self.ends || self.windows.len() < 2 {
            return false;
        }
        let before = self.windows.len();
        self.placed.remove(label);
        self.windows.retain(|(known, _)| known != label);
        self.windows.len() != before
    }

    /// The window that a person means who says nothing of windows: the one they were in last.
    fn front(&self) -> Option<String> {
        self.front.clone().or_else(|| self.windows.last().map(|(label, _)| label.clone()))
    }
}

impl Windows {
    /// Takes the windows of this data folder, and opens those that there were; the first one shows what the program was started for. Fails
    /// only where there is no window at all.
    pub fn open(app: &App, flags: &Flags, folder: &Path) -> Result<Windows, WindowError> {
        // Whoever may hand over and was not let in comes before a program that is gone, or is about to be.
        let patience = start::wish(flags).map_or(Duration::ZERO, |_| LEAVES_WITHIN);
        let file = taken_within(folder, patience)
            .inspect_err(|error| tracing::info!(%error, "windows are not remembered: another program has this folder"))
            .ok()
            .map(|lock| (folder.join(FILE), lock));
        let mut were = file.as_ref().map(|(file, _)| kept::read(file)).unwrap_or_default();
        if were.is_empty() {
            were.push(Kept::default());
        }
        let windows = Windows(Arc::new(Inner {
            open: Mutex::default(),
            changed: Notify::new(),
            file,
            writing: tokio::sync::Mutex::default(),
            door: Mutex::default(),
            flags: flags.clone(),
        }));
        let screens = screens_of(app.handle());
        let mut failed = None;
        for (nth, mut kept) in were.into_iter().enumerate() {
            let link = flags.link.as_deref().filter(|_| nth == 0);
            if link.is_some() {
                // Of no profile that was.
                kept.profile.clear();
            }
            let at = link.map_or_else(|| kept.address.to_string(), harmless);
            if let Err(error) = windows.add(app.handle(), kept, &at, &screens) {
                tracing::warn!(%error, "a window does not come back");
                failed = Some(error);
            }
        }
        if flags.new_window
            && let Err(error) = windows.open_one(app.handle(), Address::View(View::Map))
        {
            tracing::warn!(%error, "no new window is opened");
        }
        match failed.filter(|_| windows.lock().windows.is_empty()) {
            Some(error) => Err(error),
            None => Ok(windows),
        }
    }

    /// Answers whoever starts the program again on this data folder, and keeps the file; both until the runtime ends.
    pub fn serve(&self, app: &AppHandle) {
        let Some((file, _)) = &self.0.file else { return };
        let (windows, path) = (self.clone(), file.clone());
        tauri::async_runtime::spawn(async move {
            loop {
                windows.0.changed.notified().await;
                tokio::time::sleep(REST).await;
                windows.write(&path).await;
            }
        });
        let (windows, app, folder) = (self.clone(), app.clone(), file.parent().map(Path::to_owned).unwrap_or_default());
        let answers = tauri::async_runtime::spawn(async move {
            let door = match Door::open(&folder) {
                Ok(door) => door,
                Err(error) => {
                    tracing::warn!(%error, "links cannot be handed over to this program by a second start");
                    return;
                }
            };
            loop {
                let visitor = door.next().await;
                tracing::info!(wish = ?visitor.wish, "started again");
                if windows.grant(&app, &visitor.wish) {
                    visitor.taken().await;
                }
            }
        });
        *self.0.door.lock().unwrap_or_else(PoisonError::into_inner) = Some(answers);
    }

    /// What a second start is for is done here; false where it is not, as in a program that ends.
    fn grant(&self, app: &AppHandle, wish: &Wish) -> bool {
        if self.lock().ends {
            return false;
        }
        match wish {
            Wish::Forward => self.bring_forward(app).is_some(),
            Wish::NewWindow => match self.open_one(app, Address::View(View::Map)) {
                Ok(()) => true,
                Err(error) => {
                    tracing::warn!(%error, "no window is opened");
                    self.bring_forward(app).is_some()
                }
            },
            Wish::Link(link) => self.follow(app, link),
        }
    }

    /// Shows where a link leads in the window that somebody was in last. The page reads it, and says what is wrong with it: what comes from
    /// strangers goes through one reader. Whether there is such a window.
    pub fn follow(&self, app: &AppHandle, link: &str) -> bool {
        let Some(window) = self.bring_forward(app) else { return false };
        // Letters, digits and a few signs, none of which ends a text in a script.
        let asked = window.eval(format!("location.hash = \"#/{}\"", harmless(link)));
        if let Err(error) = &asked {
            tracing::warn!(%error, "a link is not followed");
        }
        asked.is_ok()
    }

    /// Brings the window forward that somebody was in last.
    pub fn bring_forward(&self, app: &AppHandle) -> Option<WebviewWindow> {
        let front = self.lock().front();
        let window = front.and_then(|label| app.get_webview_window(&label))?;
        if let Err(error) = window.show().and_then(|()| window.unminimize()).and_then(|()| window.set_focus()) {
            tracing::debug!(%error, "the window does not come forward");
        }
        Some(window)
    }

    /// Opens one more window, beside the one that somebody was in last.
    pub fn open_one(&self, app: &AppHandle, address: Address) -> Result<(), WindowError> {
        let beside = {
            let open = self.lock();
            let front = open.front();
            let kept = open.windows.iter().find(|(label, _)| Some(label) == front.as_ref());
            kept.and_then(|(_, kept)| kept.place).map(Rect::beside)
        };
        let at = address.to_string();
        let label = self.add(app, Kept { address, place: beside, ..Kept::default() }, &at, &screens_of(app))?;
        // Whoever wants a window is in it, also where nobody tells who has the focus.
        self.to_front(&label);
        self.0.changed.notify_one();
        Ok(())
    }

    /// A window shows something else now.
    pub fn shows(&self, label: &str, address: Address, profile: String) {
        if self.lock().shows(label, address, profile) {
            self.0.changed.notify_one();
        }
    }

    /// A window was moved, or has another size.
    pub fn stands(&self, app: &AppHandle, label: &str) {
        let Some(window) = app.get_webview_window(label) else { return };
        // Windows says of a minimised one that it stands far away.
        if window.is_minimized().unwrap_or(false) {
            return;
        }
        let maximised = window.is_maximized().unwrap_or(false);
        let place = if maximised { None } else { place_of(&window) };
        if self.lock().stands(label, place, maximised) {
            self.0.changed.notify_one();
        }
    }

    /// Somebody is in this window.
    pub fn to_front(&self, label: &str) {
        self.lock().front = Some(label.to_owned());
    }

    /// A window is gone.
    pub fn closed(&self, label: &str) {
        if self.lock().closed(label) {
            self.0.changed.notify_one();
        }
    }

    /// The program ends: what windows there are now come back, and the door is closed, so that whoever starts it now is not sent here.
    pub fn ends(&self) {
        self.lock().ends = true;
        if let Some(answers) = self.0.door.lock().unwrap_or_else(PoisonError::into_inner).take() {
            answers.abort();
        }
    }

    /// Writes what is not written yet.
    pub async fn end(&self) {
        if let Some((file, _)) = &self.0.file {
            self.write(file).await;
        }
    }

    async fn write(&self, file: &Path) {
        let _turn = self.0.writing.lock().await;
        let kept: Vec<Kept> = self.lock().windows.iter().map(|(_, kept)| kept.clone()).collect();
        if let Err(error) = keep_file(file, &kept::text(&kept)).await {
            tracing::warn!(%error, file = %file.display(), "which windows there are is not kept");
        }
    }

    /// Opens a window whose page begins at `at`, and remembers it.
    fn add(&self, app: &AppHandle, kept: Kept, at: &str, screens: &[Rect]) -> Result<String, WindowError> {
        let label = {
            let mut open = self.lock();
            let label = open.free_label().ok_or(WindowError::Enough)?;
            // Known before it is there: it may be moved while it is made.
            open.windows.push((label.clone(), kept.clone()));
            label
        };
        let place = kept.place.map(|place| onto(place, screens));
        build(app, &self.0.flags, &label, &page(&kept.profile, at), place, kept.maximised).inspect_err(|_| {
            self.lock().windows.retain(|(known, _)| *known != label);
        })?;
        self.lock().placed.insert(label.clone());
        Ok(label)
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.0.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes the windows of a data folder, for as long as the lock lives.
fn taken(folder: &Path) -> io::Result<File> {
    std::fs::create_dir_all(folder)?;
    let lock = File::options().write(true).create(true).truncate(false).open(folder.join(LOCK))?;
    lock.try_lock().map_err(|error| match error {
        TryLockError::WouldBlock => io::Error::from(io::ErrorKind::ResourceBusy),
        TryLockError::Error(error) => error,
    })?;
    Ok(lock)
}

/// The same, from a program that may be ending. Blocks.
fn taken_within(folder: &Path, patience: Duration) -> io::Result<File> {
    let began = Instant::now();
    loop {
        match taken(folder) {
            Err(error) if error.kind() == io::ErrorKind::ResourceBusy && began.elapsed() < patience => {
                // A lock cannot be waited for with an end; nothing runs yet that this would keep.
                std::thread::sleep(Duration::from_millis(50));
            }
            tried => return tried,
        }
    }
}

fn screens_of(app: &AppHandle) -> Vec<Rect> {
    let primary = app.primary_monitor().ok().flatten();
    let all = app.available_monitors().unwrap_or_default();
    primary.iter().chain(&all).map(rect_of).collect()
}

fn rect_of(monitor: &Monitor) -> Rect {
    let (at, size) = (monitor.position(), monitor.size());
    Rect { x: at.x, y: at.y, width: size.width, height: size.height }
}

fn place_of(window: &WebviewWindow) -> Option<Rect> {
    let (at, size) = (window.outer_position().ok()?, window.inner_size().ok()?);
    Some(Rect { x: at.x, y: at.y, width: size.width, height: size.height })
}

/// Where a page begins, for the window's configuration: in which profile it was there, if it was, and its address.
fn page(profile: &str, at: &str) -> (Option<String>, String) {
    ((!profile.is_empty()).then(|| format!("of={}", escaped(profile))), format!("#/{at}"))
}

/// Makes a window of the app's configuration.
fn build(
    app: &AppHandle,
    flags: &Flags,
    label: &str,
    at: &(Option<String>, String),
    place: Option<Rect>,
    maximised: bool,
) -> tauri::Result<()> {
    let Some(config) = app.config().app.windows.first() else { return Err(tauri::Error::WindowNotFound) };
    let mut config = config.clone();
    config.label = label.to_owned();
    if let WebviewUrl::App(page) = &mut config.url {
        let page = page.as_mut_os_string();
        let (of, at) = at;
        // Told to the page, because the system's theme reaches WebKitGTK only through a desktop portal (ui/islands-js/theme.js).
        let theme = flags.theme.map(|theme| format!("theme={}", theme.word()));
        for (nth, said) in theme.iter().chain(of).enumerate() {
            page.push(if nth == 0 { "?" } else { "&" });
            page.push(said);
        }
        page.push(at);
    }
    let mut window = WebviewWindowBuilder::from_config(app, &config)?.on_navigation(|url| {
        let ours = pages::are_ours(url);
        if !ours {
            tracing::warn!(%url, "the window does not go there");
        }
        ours
    });
    // What the system lists windows by: with several of them it is how a person tells one from the other.
    window = window.on_document_title_changed(|window, title| {
        if let Err(error) = window.set_title(&title) {
            tracing::debug!(%error, "the window keeps its title");
        }
    });
    if let Some(folder) = &flags.host.data_dir {
        // What the page itself keeps (the chosen theme) stays with the caches: two data folders are two apps.
        window = window.data_directory(folder.join("window"));
    }
    let window = window.build()?;
    if let Some(place) = place {
        window.set_size(PhysicalSize::new(place.width, place.height))?;
        window.set_position(PhysicalPosition::new(place.x, place.y))?;
    }
    if maximised {
        window.maximize()?;
    }
    if let Ok(theme) = window.theme() {
        app.state::<Life>().system_says(theme);
    }
    #[cfg(target_os = "linux")]
    window.with_webview(|view| {
        if !crate::webkit::scroll_with_the_page(&view.inner()) {
            tracing::warn!(
                "this WebKitGTK scrolls on its own; without a graphics processor long tables may not keep up"
            );
        }
    })?;
    drop(window);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two() -> Open {
        let kept = |view| Kept { address: Address::View(view), ..Kept::default() };
        Open {
            windows: vec![("main".into(), kept(View::Map)), ("main-2".into(), kept(View::Alarms))],
            placed: ["main".into()].into(),
            ..Open::default()
        }
    }

    #[test]
    fn a_window_that_is_closed_is_forgotten_and_the_last_one_is_not() {
        let mut open = two();
        assert!(open.closed("main"));
        assert!(!open.closed("main-2"), "it comes back at the next start");
        let labels: Vec<&str> = open.windows.iter().map(|(label, _)| label.as_str()).collect();
        assert_eq!(labels, ["main-2"]);
        let mut open = two();
        open.ends = true;
        assert!(!open.closed("main") && !open.closed("main-2"));
        assert_eq!(open.windows.len(), 2, "windows that go with the program come back with it");
    }

    #[test]
    fn the_window_that_is_meant_is_the_one_somebody_was_in_last() {
        let mut open = two();
        assert_eq!(open.front().as_deref(), Some("main-2"), "nobody was in any: the newest");
        open.front = Some("main".into());
        assert_eq!(open.front().as_deref(), Some("main"));
        open.closed("main");
        assert_eq!(open.front().as_deref(), Some("main-2"));
    }

    #[test]
    fn there_are_eight_windows_at_most_and_a_free_name_is_used_again() {
        let mut open = two();
        while let Some(label) = open.free_label() {
            open.windows.push((label, Kept::default()));
        }
        assert_eq!(open.windows.len(), WINDOWS_MAX);
        open.closed("main");
        assert_eq!(open.free_label().as_deref(), Some("main"));
    }

    #[test]
    fn what_fills_its_screen_is_remembered_where_it_stood_before() {
        let mut open = two();
        let stood = Rect { x: 5, y: 6, width: 900, height: 700 };
        assert!(open.stands("main", Some(stood), false));
        assert!(!open.stands("main", Some(stood), false), "no news");
        assert!(open.stands("main", None, true));
        let kept = open.of("main").cloned().unwrap();
        assert_eq!((kept.place, kept.maximised), (Some(stood), true));
        assert!(!open.stands("main-2", Some(stood), false), "it is only being made");
        assert!(!open.stands("main-7", Some(stood), false), "one that is gone stands nowhere");
        let mut shows = |profile: &str| open.shows("main", Address::View(View::Jobs), profile.into());
        assert!(shows("Valletta") && !shows("Valletta") && shows("Gozo"), "news is another address or another profile");
    }

    #[test]
    fn of_two_programs_on_one_folder_one_has_the_windows() {
        let folder = tempfile::tempdir().unwrap();
        let first = taken(&folder.path().join("data")).unwrap();
        assert!(taken(&folder.path().join("data")).is_err());
        let at = folder.path().join("data");
        let second = std::thread::spawn(move || taken_within(&at, Duration::from_secs(60)).is_ok());
        drop(first);
        assert!(second.join().unwrap(), "it waits until the first has left");
        assert!(taken(&folder.path().join("data")).is_ok());
    }
}
