//! A window without a screen, for the tests of the host.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use fleetlens_ipc::profile::Trial;
use fleetlens_ipc::replay::Moment;
use fleetlens_ipc::rows::{Change, LinkState, Rows, Settings, Status, ThingPage, ValueRow};
use fleetlens_ipc::{
    CONTRACT, Call, Done, Fault, Frame, Intent, Look, Parcel, RequestId, Setting, ViewId, decode, encode,
};
use fleetlens_model::geo::GeoBox;
use fleetlens_model::id::{SeriesKey, ThingKey};
use fleetlens_model::kind::Kind;
use fleetlens_model::telemetry::Value;
use tokio::sync::mpsc;
use tokio::time::{Duration, timeout};

use super::*;

/// A window without a screen: applies what it is sent like a real one, and fails on a gap.
pub(super) struct TestWindow<'a> {
    pub(super) host: &'a Host,
    pub(super) id: WindowId,
    pub(super) parcels: mpsc::UnboundedReceiver<Vec<u8>>,
    pub(super) revisions: BTreeMap<ViewId, u64>,
    pub(super) status: Option<Status>,
    pub(super) kinds: BTreeMap<ThingKey, Kind>,
    pub(super) page: Option<ThingPage>,
    pub(super) answers: BTreeMap<RequestId, Result<Done, Fault>>,
    pub(super) settings: Option<Settings>,
    pub(super) notices: Vec<Fault>,
    pub(super) begun: u32,
    /// The moment of the past that it was told of last.
    pub(super) moment: Option<Moment>,
    pub(super) trials: Vec<Trial>,
}

impl<'a> TestWindow<'a> {
    pub(super) async fn open(host: &'a Host) -> TestWindow<'a> {
        let (sent, parcels) = mpsc::unbounded_channel();
        let sink =
            move |bytes| if sent.send(bytes).is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) };
        let id = host.attach(Box::new(sink)).await.unwrap();
        let window = TestWindow {
            host,
            id,
            parcels,
            revisions: BTreeMap::new(),
            status: None,
            kinds: BTreeMap::new(),
            page: None,
            answers: BTreeMap::new(),
            settings: None,
            notices: Vec::new(),
            begun: 0,
            moment: None,
            trials: Vec::new(),
        };
        window.look().await;
        window
    }

    pub(super) async fn look(&self) {
        let window = self;
        window.say(Call::Hello { contract: CONTRACT }).await;
        window.say(Call::Look { view: STATUS, at: Look::Status }).await;
        let area = GeoBox { west_deg: 14.0, south_deg: 35.0, east_deg: 15.0, north_deg: 37.0 };
        window.say(Call::Look { view: MAP, at: Look::Map { area } }).await;
        window.say(Call::Look { view: SETTINGS, at: Look::Settings }).await;
    }

    pub(super) async fn say(&self, call: Call) {
        self.host.call(self.id, &encode(&call).unwrap()).await.unwrap();
    }

    /// Reads parcels until the condition holds; a window that waits in vain fails with what it knows.
    pub(super) async fn until(&mut self, what: &str, met: impl Fn(&TestWindow<'a>) -> bool) {
        let reading = async {
            while !met(self) {
                let bytes = self.parcels.recv().await.unwrap();
                let parcel: Parcel = decode(&bytes).unwrap();
                parcel.frames.into_iter().for_each(|frame| self.apply(frame));
                self.say(Call::Seen { parcel: parcel.number }).await;
            }
        };
        if timeout(Duration::from_secs(30), reading).await.is_err() {
            panic!(
                "never: {what}; {:?}, {} things, {:?}, {:?}",
                self.status,
                self.kinds.len(),
                self.page,
                self.notices
            );
        }
    }

    pub(super) fn apply(&mut self, frame: Frame) {
        match frame {
            Frame::Snapshot { view, rows } => {
                self.revisions.insert(view, 1);
                match rows {
                    Rows::Status(status) => self.status = Some(*status),
                    Rows::Map(bytes) => self.map(&bytes),
                    Rows::Thing(page) => self.page = Some(*page),
                    Rows::Settings(settings) => self.settings = Some(*settings),
                    other => panic!("not asked for: {other:?}"),
                }
            }
            Frame::Patch { view, rev, changes } => {
                assert_eq!(self.revisions.insert(view, rev), Some(rev - 1), "{view:?} has a gap");
                changes.into_iter().for_each(|change| self.change(change));
            }
            Frame::Answer { request, outcome } => {
                self.answers.insert(request, outcome);
            }
            Frame::Notice(fault) => self.notices.push(fault),
            Frame::Begin => self.begun += 1,
            Frame::Open(thing) => panic!("nobody chose {thing:?}"),
            Frame::Trial(trial) => self.trials.push(*trial),
            Frame::Past(moment) => self.moment = moment,
        }
    }

    pub(super) fn change(&mut self, change: Change) {
        match change {
            Change::Status(status) => self.status = Some(*status),
            Change::Map(bytes) => self.map(&bytes),
            Change::Settings(settings) => self.settings = Some(*settings),
            change => {
                let page = self.page.as_mut().unwrap();
                match change {
                    Change::Value(value) => {
                        page.values.retain(|known| known.series != value.series);
                        page.values.push(value);
                    }
                    Change::Shadow(shadow) => {
                        page.shadows.retain(|known| known.name != shadow.name);
                        page.shadows.push(shadow);
                    }
                    Change::Command(command) => {
                        page.commands.retain(|known| known.id != command.id);
                        page.commands.push(command);
                    }
                    _ => {}
                }
            }
        }
    }

    pub(super) fn map(&mut self, bytes: &[u8]) {
        self.kinds.extend(fleetlens_ipc::map::read(bytes).map(|row| (row.thing, row.kind)));
    }

    pub(super) fn is_up(&self) -> bool {
        self.status.as_ref().is_some_and(|status| matches!(status.link, LinkState::Up { .. }))
    }

    pub(super) fn lamp(&self) -> Option<ThingKey> {
        self.kinds.iter().find(|(_, kind)| **kind == Kind::Lamp).map(|(thing, _)| *thing)
    }

    pub(super) fn value(&self, pointer: &str) -> Option<&ValueRow> {
        self.page.as_ref()?.values.iter().find(|value| value.pointer == pointer)
    }

    pub(super) fn values(&self) -> BTreeMap<SeriesKey, (Value, i64)> {
        let values = self.page.iter().flat_map(|page| &page.values);
        values.map(|row| (row.series, (row.value.clone(), row.device_ms.0))).collect()
    }

    /// Asks for another setting and waits for the answer.
    pub(super) async fn set(&mut self, number: u32, setting: Setting) -> Result<Done, Fault> {
        self.ask(number, Intent::Change(setting)).await
    }

    /// Asks for something and waits for the answer.
    pub(super) async fn ask(&mut self, number: u32, intent: Intent) -> Result<Done, Fault> {
        let request = RequestId(number);
        self.say(Call::Ask { request, intent }).await;
        self.until("the answer", |w| w.answers.contains_key(&request)).await;
        self.answers[&request].clone()
    }

    pub(super) fn profile(&self) -> Option<(&str, bool)> {
        self.status.as_ref().map(|status| (status.profile.as_str(), status.demo))
    }
}
