//! An app's life: flags, host, window, and the end in order.

use std::collections::HashMap;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use clap::Parser;
use fleetlens_host::ipc::{Fault, FaultCode};
use fleetlens_host::{Host, HostOptions, Theme, WindowId, log};
use tauri::http::StatusCode;
#[cfg(any(target_os = "android", target_os = "ios"))]
use tauri::{App, WebviewWindowBuilder};
use tauri::{AppHandle, Builder, Context, Manager, RunEvent, WindowEvent, Wry};
use tokio::sync::watch;

use crate::flags::ThemeFlag;
#[cfg(any(target_os = "android", target_os = "ios"))]
use crate::pages;
#[cfg(not(any(target_os = "android", target_os = "ios")))]
use crate::start;
#[cfg(not(any(target_os = "android", target_os = "ios")))]
use crate::windows::Windows;
use crate::{Flags, alerts, commands, tiles};

/// The exit code after a part has failed that the app cannot do without (sysexits: "internal software error").
const FAILED: i32 = 70;

/// What is told on stderr when `RUST_LOG` does not say it.
const USUAL: &str = "warn,fleetlens_host=info,fleetlens_shell=info";

/// The host, once it is there, and which window of it each webview is. Clones are the same.
#[derive(Clone)]
pub struct Life {
    host: watch::Sender<Option<Result<Arc<Host>, Fault>>>,
    windows: Arc<Mutex<HashMap<String, WindowId>>>,
    ended: Arc<AtomicBool>,
    /// What the command line says; else the system's as it said last.
    theme: Option<ThemeFlag>,
    system_is_dark: Arc<AtomicBool>,
    /// The link that the system handed over before there was a window.
    #[cfg(not(any(target_os = "android", target_os = "ios")))]
    early_link: Arc<Mutex<Option<String>>>,
}

impl Life {
    fn new(theme: Option<ThemeFlag>) -> Life {
        Life {
            host: watch::Sender::new(None),
            windows: Arc::default(),
            ended: Arc::default(),
            theme,
            system_is_dark: Arc::default(),
            #[cfg(not(any(target_os = "android", target_os = "ios")))]
            early_link: Arc::default(),
        }
    }

    /// The theme of what is shown outside the window: that of the command line, else the system's, else light. What a person chose in the
    /// window only its page knows.
    pub fn theme(&self) -> Theme {
        match self.theme {
            Some(ThemeFlag::Dark) => Theme::Dark,
            Some(ThemeFlag::Light) => Theme::Light,
            None if self.system_is_dark.load(Ordering::Relaxed) => Theme::Dark,
            None => Theme::Light,
        }
    }

    /// The system has this theme now.
    pub fn system_says(&self, theme: tauri::Theme) {
        self.system_is_dark.store(theme == tauri::Theme::Dark, Ordering::Relaxed);
    }

    /// The host; waits for it while it starts. Fails, each time, with why it could not.
    pub async fn host(&self) -> Result<Arc<Host>, Fault> {
        let mut started = self.host.subscribe();
        let host = started.wait_for(Option::is_some).await.ok().and_then(|host| host.clone());
        // The sender lives as long as we do, so there is always a word.
        host.unwrap_or_else(|| Err(Fault::new(FaultCode::Store, "Fleetlens has stopped; start it again")))
    }

    /// The window of a webview.
    pub fn window(&self, label: &str) -> Option<WindowId> {
        self.lock().get(label).copied()
    }

    /// A webview has this window now; returns the one it had until now.
    pub fn remember(&self, label: &str, window: WindowId) -> Option<WindowId> {
        self.lock().insert(label.to_owned(), window)
    }

    /// A webview has no window any more; returns the one it had.
    pub fn forget(&self, label: &str) -> Option<WindowId> {
        self.lock().remove(label)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, WindowId>> {
        self.windows.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn start(self, options: HostOptions, app: AppHandle) {
        let host = match Host::start(options).await {
            Ok(host) => Arc::new(host),
            Err(error) => {
                // The window says it as well: whoever started the app by its icon sees no stderr.
                tracing::error!("{error}");
                self.host.send_replace(Some(Err(Fault::new(FaultCode::Invalid, error.to_string()))));
                return;
            }
        };
        self.host.send_replace(Some(Ok(Arc::clone(&host))));
        tauri::async_runtime::spawn(alerts::tell(Arc::clone(&host), self.clone(), app.clone()));
        #[cfg(not(any(target_os = "android", target_os = "ios")))]
        tauri::async_runtime::spawn(crate::tray::tell(Arc::clone(&host), app.clone()));
        let what = host.failed().await;
        tracing::error!("{what}; Fleetlens cannot go on");
        app.exit(FAILED);
    }

    /// Stops the host, if it ever started; within five seconds.
    async fn end(&self) {
        let host = self.host.borrow().clone();
        if let Some(Ok(host)) = host {
            host.stop().await;
        }
    }
}

/// Reads the flags, opens the window and stays until the end. On most systems the process ends in here.
pub fn run(context: Context) -> ExitCode {
    let started = Instant::now();
    log::start(USUAL);
    let flags = flags();
    #[cfg(not(any(target_os = "android", target_os = "ios")))]
    if let Some(ended) = start::instead(&flags) {
        log::flush();
        return ended;
    }
    match builder(flags, started).build(context) {
        Ok(app) => {
            app.run(on_event);
            log::flush();
            ExitCode::SUCCESS
        }
        Err(error) => {
            tracing::error!("the window cannot be opened: {error}");
            ExitCode::FAILURE
        }
    }
}

/// A phone has no command line.
fn flags() -> Flags {
    if cfg!(any(target_os = "android", target_os = "ios")) { Flags::default() } else { Flags::parse() }
}

/// Everything of the app but its configuration.
pub fn builder(flags: Flags, started: Instant) -> Builder<Wry> {
    let life = Life::new(flags.theme);
    let tile_life = life.clone();
    let app = Builder::default();
    #[cfg(any(target_os = "android", target_os = "ios"))]
    let app = app.plugin(tauri_plugin_notification::init());
    app.manage(life.clone())
        .invoke_handler(tauri::generate_handler![
            commands::attach,
            commands::call,
            commands::open_window,
            commands::shows
        ])
        .register_asynchronous_uri_scheme_protocol(tiles::SCHEME, move |_, request, responder| {
            let life = tile_life.clone();
            let path = request.uri().path().to_owned();
            tauri::async_runtime::spawn(async move {
                responder.respond(match life.host().await {
                    Ok(host) => tiles::at(host, path).await,
                    Err(fault) => tiles::refuse(StatusCode::SERVICE_UNAVAILABLE, fault.message),
                });
            });
        })
        .setup(move |app| {
            let system = app.path().app_data_dir()?;
            let options = flags.host.options(|| system, started);
            log::keep_in(&options.data_dir);
            #[cfg(not(any(target_os = "android", target_os = "ios")))]
            let (data_dir, early_link) = (options.data_dir.clone(), Arc::clone(&life.early_link));
            tauri::async_runtime::spawn(life.start(options, app.handle().clone()));
            tauri::async_runtime::spawn(end_on_signal(app.handle().clone()));
            #[cfg(any(target_os = "android", target_os = "ios"))]
            open_window(app)?;
            #[cfg(not(any(target_os = "android", target_os = "ios")))]
            {
                let early = early_link.lock().unwrap_or_else(PoisonError::into_inner).take();
                let flags = Flags { link: early.or_else(|| flags.link.clone()), ..flags.clone() };
                let windows = Windows::open(app, &flags, &data_dir)?;
                windows.serve(app.handle());
                app.manage(windows);
            }
            Ok(())
        })
}

/// Opens the one window of a phone.
#[cfg(any(target_os = "android", target_os = "ios"))]
fn open_window(app: &App) -> tauri::Result<()> {
    let Some(config) = app.config().app.windows.first() else { return Err(tauri::Error::WindowNotFound) };
    let window = WebviewWindowBuilder::from_config(app, config)?.on_navigation(pages::are_ours).build()?;
    if let Ok(theme) = window.theme() {
        app.state::<Life>().system_says(theme);
    }
    Ok(())
}

fn on_event(app: &AppHandle, event: RunEvent) {
    let life = app.state::<Life>().inner().clone();
    #[cfg(not(any(target_os = "android", target_os = "ios")))]
    tell_windows(app, &event);
    if let RunEvent::WindowEvent { label, event: WindowEvent::Destroyed, .. } = &event {
        if let Some(window) = life.forget(label) {
            tauri::async_runtime::spawn(async move {
                if let Ok(host) = life.host().await {
                    host.detach(window).await;
                }
            });
        }
    } else if let RunEvent::WindowEvent { event: WindowEvent::ThemeChanged(theme), .. } = &event {
        life.system_says(*theme);
    } else if let RunEvent::ExitRequested { code, api, .. } = &event
        && !life.ended.load(Ordering::Acquire)
    {
        // First everything ends in order, then the process: what is on its way to the disk arrives.
        api.prevent_exit();
        let (app, code) = (app.clone(), code.unwrap_or(0));
        tauri::async_runtime::spawn(async move {
            #[cfg(not(any(target_os = "android", target_os = "ios")))]
            app.state::<Windows>().end().await;
            life.end().await;
            life.ended.store(true, Ordering::Release);
            // On most systems nothing of ours runs after the exit.
            log::flush();
            app.exit(code);
        });
    }
}

/// What happens to windows is remembered.
#[cfg(not(any(target_os = "android", target_os = "ios")))]
fn tell_windows(app: &AppHandle, event: &RunEvent) {
    // How this system hands links over; the one that the program is started for comes before its window.
    #[cfg(target_os = "macos")]
    if let RunEvent::Opened { urls } = event {
        match app.try_state::<Windows>() {
            Some(windows) => urls.iter().for_each(|url| drop(windows.follow(app, url.as_str()))),
            None => {
                let life = app.state::<Life>();
                let mut early = life.early_link.lock().unwrap_or_else(PoisonError::into_inner);
                *early = urls.last().map(ToString::to_string);
            }
        }
    }
    // Before they are opened there is nothing to remember.
    let Some(windows) = app.try_state::<Windows>() else { return };
    if let RunEvent::ExitRequested { .. } = event {
        windows.ends();
    } else if let RunEvent::WindowEvent { label, event, .. } = event {
        if let WindowEvent::Moved(_) | WindowEvent::Resized(_) = event {
            windows.stands(app, label);
        } else if let WindowEvent::Focused(true) = event {
            windows.to_front(label);
        } else if let WindowEvent::Destroyed = event {
            windows.closed(label);
        }
    }
}

/// Ends the app in order when the system or Ctrl-C asks for it.
async fn end_on_signal(app: AppHandle) {
    if let Err(error) = asked_to_end().await {
        tracing::warn!(%error, "signals to end cannot be heard");
        return;
    }
    tracing::info!("asked to end");
    app.exit(0);
}

#[cfg(unix)]
async fn asked_to_end() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut end, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::select! {
        _ = end.recv() => Ok(()),
        _ = interrupt.recv() => Ok(()),
    }
}

#[cfg(not(unix))]
async fn asked_to_end() -> std::io::Result<()> {
    tokio::signal::ctrl_c().await
}
