//! A host that knows one convention, a window without a screen to look at it, and the client that its devices speak through.

use std::sync::Arc;
use std::time::Instant;

use fleetlens_host::{BrokerChoice, Host, HostOptions};
use fleetlens_ipc::rows::{CommandRow, LinkState};
use fleetlens_ipc::{Look, ViewId};
use fleetlens_model::command::Phase;
use fleetlens_model::freshness::Freshness;
use fleetlens_model::id::CommandId;
use fleetlens_model::telemetry::Value;
use fleetlens_tests::broker::Mosquitto;
use fleetlens_tests::desk::Desk;
use fleetlens_tests::peer::Peer;

use super::SOON;

/// A host on a broker of the test's own.
pub struct Square {
    pub desk: Desk,
    pub devices: Peer,
    pub status: ViewId,
    host: Arc<Host>,
    options: HostOptions,
    _broker: Mosquitto,
    _folder: tempfile::TempDir,
}

impl Square {
    /// Starts a host with `convention` in its profile, and a client for devices that hears `heard`. `None` without Mosquitto.
    pub async fn start(name: &str, convention: &str, heard: &[&str]) -> Option<Square> {
        let broker = Mosquitto::start(&format!("convention-{name}"))?;
        let folder = tempfile::tempdir().unwrap();
        let profile = folder.path().join("profile.toml");
        let text = format!(
            "name = \"{name}\"\n[identity]\nname = \"T. Ester\"\nrole = \"operator\"\n[broker]\nurl = \"{}\"\n{convention}",
            broker.url()
        );
        std::fs::write(&profile, text).unwrap();
        let options = HostOptions {
            profile: Some(profile),
            cache: Some(folder.path().join("cache.db")),
            demo: None,
            broker: BrokerChoice::At(broker.url()),
            started: Instant::now(),
            ..HostOptions::demo(folder.path())
        };
        let devices = Peer::connect(&broker.url(), name, heard).await;
        let (host, desk, status) = listen(options.clone()).await;
        Some(Square { desk, devices, status, host, options, _broker: broker, _folder: folder })
    }

    /// Ends the program and starts it anew on its cache.
    pub async fn start_again(self) -> Square {
        let Square { desk, devices, host, options, _broker, _folder, .. } = self;
        desk.detach().await;
        host.stop().await;
        let (host, desk, status) = listen(options.clone()).await;
        Square { desk, devices, status, host, options, _broker, _folder }
    }

    /// The page of a thing, once it is known and says `value` at `pointer`.
    pub async fn page(&mut self, thing: &str, pointer: &str, value: &Value) -> ViewId {
        let end = Instant::now() + SOON;
        while self.desk.find(thing).await.is_none() {
            assert!(Instant::now() < end, "{thing} is not known in time");
        }
        let page = self.desk.look_at_thing(thing).await;
        self.says(page, pointer, value).await;
        page
    }

    /// Waits until a thing says a value.
    pub async fn says(&mut self, page: ViewId, pointer: &str, value: &Value) {
        let what = format!("{pointer} to be {value:?}");
        self.desk
            .wait_for(&what, SOON, |desk| match desk.value(page, pointer) {
                Some(row) if row.value == *value => Ok(()),
                other => Err(format!("{:?}; {:?}", other.map(|row| &row.value), pointers(desk, page))),
            })
            .await;
    }

    /// Waits for what a thing's last word is worth.
    pub async fn is(&mut self, page: ViewId, wanted: fn(Freshness) -> bool) {
        self.desk
            .wait_for("the thing's freshness", SOON, |desk| {
                let freshness = desk.page(page).head.freshness;
                if wanted(freshness) { Ok(()) } else { Err(format!("{freshness:?}")) }
            })
            .await;
    }

    /// Asks for something and waits until it was sent.
    pub async fn send(&mut self, page: ViewId, pointer: &str, value_json: &str) -> CommandId {
        let command = self.desk.command(page, pointer, value_json).await.unwrap_or_else(|e| panic!("{pointer}: {e:?}"));
        self.phase(page, command, |phase| *phase == Phase::Sent).await;
        command
    }

    /// Waits until a command stands as wanted.
    pub async fn phase(&mut self, page: ViewId, command: CommandId, wanted: fn(&Phase) -> bool) -> CommandRow {
        self.desk
            .wait_for("the command's phase", SOON, |desk| match desk.command_row(page, command) {
                Some(row) if wanted(&row.phase) => Ok(row.clone()),
                other => Err(format!("{:?}", other.map(|row| &row.phase))),
            })
            .await
    }

    /// Waits until a command is settled.
    pub async fn settles(&mut self, page: ViewId, command: CommandId) {
        self.phase(page, command, |phase| *phase == Phase::Settled).await;
    }

    /// What the devices heard on a topic: the first message with it.
    pub async fn heard(&self, topic: &str) -> Vec<u8> {
        self.devices
            .wait_for(&format!("a message on {topic}"), |message| {
                assert!(!message.retained, "a command is never retained");
                (message.topic == topic).then(|| message.payload.clone())
            })
            .await
    }

    /// What they heard on it as text.
    pub async fn heard_text(&self, topic: &str) -> String {
        String::from_utf8(self.heard(topic).await).unwrap()
    }

    /// Ends everything in order.
    pub async fn end(self) {
        self.devices.leave().await;
        self.desk.detach().await;
        self.host.stop().await;
    }
}

/// What a page offers to set, by pointer.
pub fn offered(desk: &Desk, page: ViewId) -> Vec<String> {
    desk.page(page).head.controls.iter().map(|control| control.pointer.to_string()).collect()
}

fn pointers(desk: &Desk, page: ViewId) -> Vec<(&str, &Value)> {
    desk.page(page).values.iter().map(|row| (row.pointer.as_str(), &row.value)).collect()
}

async fn listen(options: HostOptions) -> (Arc<Host>, Desk, ViewId) {
    let host = Arc::new(Host::start(options).await.unwrap());
    let mut desk = Desk::attach(&host).await;
    let status = desk.look(Look::Status).await;
    desk.wait_for("the link to be up", SOON, |desk| match &desk.status(status).link {
        LinkState::Up { .. } => Ok(()),
        other @ (LinkState::Starting | LinkState::Connecting { .. }) => Err(format!("{other:?}")),
    })
    .await;
    (host, desk, status)
}
