//! The app without a window at a broker of the test's choice, and what a window would show of it.

use std::sync::Arc;
use std::time::Duration;

use fleetlens_host::{BrokerChoice, Host, HostError, HostOptions};
use fleetlens_ipc::rows::{LinkState, Status};
use fleetlens_ipc::{Look, ViewId};
use fleetlens_link::Protocol;
use fleetlens_store::StoreError;
use fleetlens_tests::desk::Desk;
use fleetlens_tests::profile::ProfileText;
use tokio::sync::{Mutex, MutexGuard};
use tokio::task::LocalSet;

/// Generous: two cores, and other tests beside this one. A link that failed some times waits seconds before it tries again.
pub const SOON: Duration = Duration::from_secs(60);

/// A running host and a window that looks at its status.
pub struct Station {
    pub desk: Desk,
    pub host: Arc<Host>,
    status: ViewId,
}

impl Station {
    /// A host with the tests' profile and its cache in a folder, which may be that of an earlier one.
    pub async fn start(url: &str, protocol: Protocol, folder: &std::path::Path) -> Station {
        let protocol = match protocol {
            Protocol::V4 => "3.1.1",
            Protocol::V5 => "5",
        };
        let text = ProfileText { protocol, ..ProfileText::new("hostile", url.to_owned()) }.toml();
        Station::start_with(&text, folder).await
    }

    /// A host with a profile as it is written.
    pub async fn start_with(profile: &str, folder: &std::path::Path) -> Station {
        let path = folder.join("profile.toml");
        std::fs::write(&path, profile).unwrap();
        let options =
            HostOptions { profile: Some(path), demo: None, broker: BrokerChoice::Own, ..HostOptions::demo(folder) };
        let end = std::time::Instant::now() + Duration::from_secs(30);
        let host = loop {
            match Host::start(options.clone()).await {
                Ok(host) => break Arc::new(host),
                // On a machine that does much else the one before may still be letting go of the cache.
                Err(HostError::Store(StoreError::InUse { .. })) if std::time::Instant::now() < end => {
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
                Err(error) => panic!("{error}"),
            }
        };
        let mut desk = Desk::attach(&host).await;
        let status = desk.look(Look::Status).await;
        Station { desk, host, status }
    }

    /// What the status bar says now.
    pub fn status(&self) -> &Status {
        self.desk.status(self.status)
    }

    /// Waits for something of the status.
    pub async fn wait_for<T>(&mut self, what: &str, mut look: impl FnMut(&Status) -> Option<T>) -> T {
        let status = self.status;
        let seen = |desk: &Desk| look(desk.status(status)).ok_or_else(|| format!("{:?}", desk.status(status)));
        self.desk.wait_for(what, SOON, seen).await
    }

    /// The same where it may not come in so much time.
    pub async fn try_wait_for<T>(&mut self, within: Duration, mut look: impl FnMut(&Status) -> Option<T>) -> Option<T> {
        let status = self.status;
        let seen = |desk: &Desk| look(desk.status(status)).ok_or_else(String::new);
        self.desk.try_wait_for("something", within, seen).await.ok()
    }

    pub async fn wait_until_up(&mut self) {
        self.wait_for("the link to be up", |status| matches!(status.link, LinkState::Up { .. }).then_some(())).await;
    }

    /// Waits until the link is not up, and says what a person reads then.
    pub async fn wait_until_down(&mut self) -> String {
        self.wait_for("the link to fall", down).await
    }

    pub async fn stop(self) {
        self.desk.detach().await;
        self.host.stop().await;
    }
}

/// Does all of it at the same time, since most of it is waiting.
pub async fn beside_each_other<T: 'static>(all: impl IntoIterator<Item = impl Future<Output = T> + 'static>) -> Vec<T> {
    let here = LocalSet::new();
    let tasks: Vec<_> = all.into_iter().map(|one| here.spawn_local(one)).collect();
    here.await;
    let mut done = Vec::new();
    for task in tasks {
        done.push(task.await.unwrap());
    }
    done
}

/// What a person reads while there is no link, once something has failed.
pub fn down(status: &Status) -> Option<String> {
    match &status.link {
        LinkState::Connecting { reason, .. } => reason.clone(),
        LinkState::Starting | LinkState::Up { .. } => None,
    }
}

/// One at a time: each measures the memory of the process they share.
static MEASURES: Mutex<()> = Mutex::const_new(());

/// Memory while a test runs.
pub struct Memory {
    before_mb: u64,
    _alone: MutexGuard<'static, ()>,
}

impl Memory {
    /// Waits until nobody else measures.
    pub async fn measured() -> Memory {
        let alone = MEASURES.lock().await;
        Memory { before_mb: resident_mb(), _alone: alone }
    }

    /// Fails where the process has grown by more, in megabytes.
    pub fn has_grown_by_at_most(&self, mb: u64, what: &str) {
        let grown_mb = resident_mb().saturating_sub(self.before_mb);
        assert!(grown_mb <= mb, "{what}: {grown_mb} MB more than before; at most {mb} are right");
    }
}

/// Memory of this process that is not on the disk, in megabytes (proc_pid_status(5)).
fn resident_mb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() / 1024
}
