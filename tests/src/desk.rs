//! A window without a screen: it looks, applies the frames it is sent, and holds the host to its promises about them.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use fleetlens_host::{Host, HostOptions, WindowId};
use fleetlens_ipc::map::{FLAG_GONE, MapRow, read};
use fleetlens_ipc::profile::{ProfileAsk, ProfileDone, Trial, TrialStep, Try};
use fleetlens_ipc::replay::Moment;
use fleetlens_ipc::rows::{Change, Chart, CommandRow, FoundRow, LeafRow, LinkState, Rows, Status, ThingPage, ValueRow};
use fleetlens_ipc::{
    CONTRACT, Call, Done, Fault, Frame, Intent, Look, Parcel, RequestId, ViewId, Wish, decode, encode,
};
use fleetlens_model::geo::GeoBox;
use fleetlens_model::id::{CommandId, ThingKey};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

/// How long the host may take to answer a request.
const ANSWERS_WITHIN: Duration = Duration::from_secs(20);

/// How long the link may take to come up: two cores, and other tests beside this one.
const UP_WITHIN: Duration = Duration::from_secs(60);

/// An attached window and everything it shows.
pub struct Desk {
    host: Arc<Host>,
    window: WindowId,
    parcels: mpsc::UnboundedReceiver<Vec<u8>>,
    last_parcel: u64,
    views: BTreeMap<ViewId, View>,
    looks: u32,
    answers: BTreeMap<RequestId, Result<Done, Fault>>,
    requests: u32,
    notices: Vec<Fault>,
    begun: u32,
    opened: Vec<ThingKey>,
    moment: Option<Moment>,
    trials: Vec<Trial>,
}

/// One view: everything since its snapshot applied.
#[derive(Debug, Default)]
struct View {
    rev: u64,
    patches: u64,
    snapshots: u64,
    rows: Option<Rows>,
    map: BTreeMap<ThingKey, MapRow>,
}

/// A host with its link up: what the broker has kept for it meanwhile is judged with the next value.
pub async fn started_up(options: HostOptions) -> Arc<Host> {
    let host = Arc::new(Host::start(options).await.unwrap_or_else(|e| panic!("the host does not start: {e}")));
    let mut desk = Desk::attach(&host).await;
    let status = desk.look(Look::Status).await;
    let up = |desk: &Desk| match &desk.status(status).link {
        LinkState::Up { .. } => Ok(()),
        other @ (LinkState::Starting | LinkState::Connecting { .. }) => Err(format!("{other:?}")),
    };
    desk.wait_for("the link", UP_WITHIN, up).await;
    desk.detach().await;
    host
}

impl Desk {
    /// Attaches to a host and says hello.
    pub async fn attach(host: &Arc<Host>) -> Desk {
        let (sent, parcels) = mpsc::unbounded_channel();
        let sink = move |bytes| match sent.send(bytes) {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        };
        let window = host.attach(Box::new(sink)).await.unwrap_or_else(|e| panic!("nobody may attach: {e}"));
        let desk = Desk {
            host: Arc::clone(host),
            window,
            parcels,
            last_parcel: 0,
            views: BTreeMap::new(),
            looks: 0,
            answers: BTreeMap::new(),
            requests: 0,
            notices: Vec::new(),
            begun: 0,
            opened: Vec::new(),
            moment: None,
            trials: Vec::new(),
        };
        desk.say(&Call::Hello { contract: CONTRACT }).await;
        desk
    }

    /// Looks at something in a view of its own and waits for its first picture.
    pub async fn look(&mut self, at: Look) -> ViewId {
        self.looks += 1;
        let view = ViewId(self.looks);
        self.views.insert(view, View::default());
        self.say(&Call::Look { view, at }).await;
        self.wait_for(&format!("the snapshot of view {}", view.0), ANSWERS_WITHIN, |desk| {
            if desk.view(view).rows.is_some() { Ok(()) } else { Err("nothing came".to_owned()) }
        })
        .await;
        view
    }

    /// Looks at everything on the map.
    pub async fn look_at_map(&mut self) -> ViewId {
        let area = GeoBox { west_deg: -180.0, south_deg: -85.0, east_deg: 180.0, north_deg: 85.0 };
        self.look(Look::Map { area }).await
    }

    /// Looks at the thing of this name, which must be there.
    pub async fn look_at_thing(&mut self, name: &str) -> ViewId {
        let thing = self.find(name).await.unwrap_or_else(|| panic!("there is no {name}")).thing;
        self.look(Look::Thing { thing }).await
    }

    /// The thing of this name, as the find box finds it.
    pub async fn find(&mut self, name: &str) -> Option<FoundRow> {
        let view = self.look(Look::Find { text: name.to_owned(), limit: 20 }).await;
        let Some(Rows::Found(found)) = &self.view(view).rows else { panic!("found no rows of finding") };
        let found = found.iter().find(|row| row.name == name).cloned();
        self.look_away(view).await;
        found
    }

    /// Looks no longer.
    pub async fn look_away(&mut self, view: ViewId) {
        self.views.remove(&view);
        self.say(&Call::LookAway { view }).await;
    }

    /// Asks for something and waits for the answer.
    pub async fn ask(&mut self, intent: Intent) -> Result<Done, Fault> {
        self.requests += 1;
        let request = RequestId(self.requests);
        self.say(&Call::Ask { request, intent }).await;
        self.wait_for("the answer to a request", ANSWERS_WITHIN, |desk| {
            desk.answers.get(&request).cloned().ok_or_else(|| "none came".to_owned())
        })
        .await
    }

    /// Asks for many things at once, and waits for all answers; they come in the order of what was asked.
    pub async fn ask_all(&mut self, intents: Vec<Intent>) -> Vec<Result<Done, Fault>> {
        let first = self.requests + 1;
        for intent in intents {
            self.requests += 1;
            self.say(&Call::Ask { request: RequestId(self.requests), intent }).await;
        }
        let requests = first..=self.requests;
        self.wait_for("the answers to many requests", ANSWERS_WITHIN, |desk| {
            let answers = requests.clone().map(|request| desk.answers.get(&RequestId(request)).cloned());
            answers.collect::<Option<Vec<_>>>().ok_or_else(|| format!("{} of them", desk.answers.len()))
        })
        .await
    }

    /// Wants something done with a profile.
    pub async fn ask_profile(&mut self, ask: ProfileAsk) -> Result<ProfileDone, Fault> {
        match self.ask(Intent::Profile(ask)).await? {
            Done::Profile(done) => Ok(done),
            other @ (Done::Command(_)
            | Done::Cancelled(_)
            | Done::Edited(_)
            | Done::Legs { .. }
            | Done::Shown(_)
            | Done::AlarmHealth(_)
            | Done::Acknowledged(_)
            | Done::Steered(_)
            | Done::Changed
            | Done::Rules(_)
            | Done::Boards(_)
            | Done::Map(_)
            | Done::Areas(_)
            | Done::Audit(_)
            | Done::ShadowHistory(_)
            | Done::Small(_)
            | Done::Controls(_)
            | Done::DryRun(_)
            | Done::Bulk(_)
            | Done::Order(_)
            | Done::Exported(_)
            | Done::Diagnosed(_)
            | Done::Places(_)
            | Done::Words(_)
            | Done::MapNames(_)
            | Done::Names(_)
            | Done::Replay(_)) => {
                panic!("asked for a profile and got {other:?}")
            }
        }
    }

    /// Tries a broker to the end and returns everything that was told of it.
    pub async fn try_broker(&mut self, asked: Try) -> Vec<Trial> {
        self.trials.clear();
        let begun = self.ask_profile(ProfileAsk::Try(Box::new(asked))).await;
        assert_eq!(begun, Ok(ProfileDone::Trying));
        self.wait_for("the end of a try", Duration::from_secs(40), |desk| match desk.trials.last() {
            Some(Trial { step: TrialStep::Failed { .. } | TrialStep::Done(_), .. }) => Ok(desk.trials.clone()),
            other => Err(format!("{other:?}")),
        })
        .await
    }

    /// Wants one leaf of a thing's classic shadow otherwise than it stands on this desk.
    pub async fn command(&mut self, page: ViewId, pointer: &str, value_json: &str) -> Result<CommandId, Fault> {
        let thing = self.page(page).head.thing;
        let seen_json = self.leaf(page, pointer).and_then(|leaf| leaf.desired.clone());
        let wish = Wish { pointer: pointer.to_owned(), value_json: value_json.to_owned(), seen_json };
        let intent = Intent::Command { thing, shadow: String::new(), wishes: vec![wish], expires_in_ms: None };
        match self.ask(intent).await? {
            Done::Command(command) => Ok(command),
            other @ (Done::Cancelled(_)
            | Done::Edited(_)
            | Done::Legs { .. }
            | Done::Shown(_)
            | Done::AlarmHealth(_)
            | Done::Acknowledged(_)
            | Done::Steered(_)
            | Done::Changed
            | Done::Profile(_)
            | Done::Rules(_)
            | Done::Boards(_)
            | Done::Map(_)
            | Done::Areas(_)
            | Done::Audit(_)
            | Done::ShadowHistory(_)
            | Done::Small(_)
            | Done::Controls(_)
            | Done::DryRun(_)
            | Done::Bulk(_)
            | Done::Order(_)
            | Done::Exported(_)
            | Done::Diagnosed(_)
            | Done::Places(_)
            | Done::Words(_)
            | Done::MapNames(_)
            | Done::Names(_)
            | Done::Replay(_)) => {
                panic!("asked for a command and got {other:?}")
            }
        }
    }

    /// Applies what comes until `look` finds what it wants.
    pub async fn wait_for<T>(
        &mut self,
        what: &str,
        within: Duration,
        look: impl FnMut(&Desk) -> Result<T, String>,
    ) -> T {
        let found = self.try_wait_for(what, within, look).await;
        found.unwrap_or_else(|seen| panic!("waited {} s for: {what}; the last look saw: {seen}", within.as_secs()))
    }

    /// [`Desk::wait_for`] where it may not come: what the last look saw instead.
    pub async fn try_wait_for<T>(
        &mut self,
        what: &str,
        within: Duration,
        mut look: impl FnMut(&Desk) -> Result<T, String>,
    ) -> Result<T, String> {
        let end = Instant::now() + within;
        loop {
            let seen = match look(self) {
                Ok(found) => return Ok(found),
                Err(seen) => seen,
            };
            match timeout_at(end, self.parcels.recv()).await {
                Ok(Some(bytes)) => self.apply(&bytes).await,
                Ok(None) => panic!("the host let go of the window while waiting for: {what}"),
                Err(_) => return Err(seen),
            }
        }
    }

    /// Whatever a view shows.
    pub fn rows(&self, view: ViewId) -> Option<&Rows> {
        self.view(view).rows.as_ref()
    }

    /// Of a view of [`Look::Find`].
    pub fn found(&self, view: ViewId) -> &[FoundRow] {
        let Some(Rows::Found(found)) = &self.view(view).rows else { panic!("view {} finds nothing", view.0) };
        found
    }

    /// Of a view of [`Look::Status`].
    pub fn status(&self, view: ViewId) -> &Status {
        let Some(Rows::Status(status)) = &self.view(view).rows else { panic!("view {} is no status", view.0) };
        status
    }

    /// Of a view of [`Look::Thing`].
    pub fn page(&self, view: ViewId) -> &ThingPage {
        let Some(Rows::Thing(page)) = &self.view(view).rows else { panic!("view {} is no thing", view.0) };
        page
    }

    /// Of a view of [`Look::Chart`].
    pub fn chart(&self, view: ViewId) -> &Chart {
        let Some(Rows::Chart(chart)) = &self.view(view).rows else { panic!("view {} is no chart", view.0) };
        chart
    }

    /// Of a view of [`Look::Map`].
    pub fn map(&self, view: ViewId) -> &BTreeMap<ThingKey, MapRow> {
        &self.view(view).map
    }

    /// A value of a thing.
    pub fn value(&self, page: ViewId, pointer: &str) -> Option<&ValueRow> {
        self.page(page).values.iter().find(|value| value.pointer == pointer)
    }

    /// A leaf of a thing's classic shadow.
    pub fn leaf(&self, page: ViewId, pointer: &str) -> Option<&LeafRow> {
        let classic = self.page(page).shadows.iter().find(|shadow| shadow.name.is_empty())?;
        classic.leaves.iter().find(|leaf| leaf.pointer == pointer)
    }

    /// A command of a thing.
    pub fn command_row(&self, page: ViewId, command: CommandId) -> Option<&CommandRow> {
        self.page(page).commands.iter().find(|row| row.id == command)
    }

    /// The view's revision, and how many snapshots and patches it took.
    pub fn revision(&self, view: ViewId) -> (u64, u64, u64) {
        let view = self.view(view);
        (view.rev, view.snapshots, view.patches)
    }

    /// What the host told although nobody asked.
    pub fn notices(&self) -> &[Fault] {
        &self.notices
    }

    /// How often the host began anew, after which nothing is looked at.
    pub fn begun(&self) -> u32 {
        self.begun
    }

    /// The moment of the past that it is shown; `None` for the present.
    pub fn moment(&self) -> Option<Moment> {
        self.moment
    }

    /// Things that somebody chose outside the window.
    pub fn opened(&self) -> &[ThingKey] {
        &self.opened
    }

    /// Tells the host that the window is gone.
    pub async fn detach(self) {
        self.host.detach(self.window).await;
    }

    fn view(&self, view: ViewId) -> &View {
        self.views.get(&view).unwrap_or_else(|| panic!("nobody looks at view {}", view.0))
    }

    async fn say(&self, call: &Call) {
        let bytes = encode(call).expect("a call can be packed");
        self.host.call(self.window, &bytes).await.unwrap_or_else(|e| panic!("the host does not take {call:?}: {e}"));
    }

    /// One parcel: its number and every revision must be the next, or the host broke its word.
    async fn apply(&mut self, bytes: &[u8]) {
        let parcel: Parcel = decode(bytes).unwrap_or_else(|e| panic!("not a parcel: {e}"));
        // Another engine answers after a new beginning, and counts from the start.
        let is_anew = parcel.number == 1 && parcel.frames.contains(&Frame::Begin);
        assert!(is_anew || parcel.number == self.last_parcel + 1, "a parcel is missing or came twice");
        self.last_parcel = parcel.number;
        for frame in parcel.frames {
            match frame {
                Frame::Snapshot { view, rows } => {
                    // Of a view that was looked away from meanwhile: nothing.
                    if let Some(shown) = self.views.get_mut(&view) {
                        shown.snapshot(rows);
                    }
                }
                Frame::Patch { view, rev, changes } => {
                    if let Some(shown) = self.views.get_mut(&view) {
                        assert_eq!(rev, shown.rev + 1, "view {} has a gap", view.0);
                        shown.rev = rev;
                        shown.patches += 1;
                        changes.into_iter().for_each(|change| shown.change(change));
                    }
                }
                Frame::Answer { request, outcome } => {
                    assert!(self.answers.insert(request, outcome).is_none(), "request {} has two answers", request.0);
                }
                Frame::Notice(fault) => self.notices.push(fault),
                Frame::Begin => {
                    self.views.clear();
                    self.begun += 1;
                    self.say(&Call::Hello { contract: CONTRACT }).await;
                }
                Frame::Open(thing) => self.opened.push(thing),
                Frame::Trial(trial) => self.trials.push(*trial),
                Frame::Past(moment) => self.moment = moment,
            }
        }
        self.say(&Call::Seen { parcel: parcel.number }).await;
    }
}

impl View {
    fn snapshot(&mut self, rows: Rows) {
        self.rev = 1;
        self.snapshots += 1;
        if let Rows::Map(packed) = &rows {
            self.map = read(packed).map(|row| (row.thing, row)).collect();
        }
        self.rows = Some(rows);
    }

    fn change(&mut self, change: Change) {
        match (self.rows.as_mut(), change) {
            (Some(Rows::Status(status)), Change::Status(now)) => *status = now,
            (Some(Rows::Map(_)), Change::Map(packed)) => {
                for row in read(&packed) {
                    if row.flags & FLAG_GONE == 0 {
                        self.map.insert(row.thing, row);
                    } else {
                        self.map.remove(&row.thing);
                    }
                }
            }
            (Some(Rows::Thing(page)), Change::Head(head)) => page.head = head,
            (Some(Rows::Thing(page)), Change::Value(now)) => {
                put(&mut page.values, now, |value| value.series);
                page.values.sort_by_key(|value| value.rank);
            }
            (Some(Rows::Thing(page)), Change::Shadow(now)) => put(&mut page.shadows, now, |shadow| shadow.name.clone()),
            (Some(Rows::Thing(page)), Change::ShadowGone(name)) => page.shadows.retain(|shadow| shadow.name != name),
            (Some(Rows::Thing(page)), Change::Command(now)) => put(&mut page.commands, now, |command| command.id),
            (Some(Rows::Thing(page)), Change::Alarm(now)) => put(&mut page.alarms, now, |alarm| alarm.id),
            (Some(Rows::Thing(page)), Change::AlarmGone(id)) => page.alarms.retain(|alarm| alarm.id != id),
            (Some(Rows::Chart(chart)), Change::Bucket(now)) => put(&mut chart.buckets, now, |bucket| bucket.start_ms),
            (Some(Rows::Chart(chart)), Change::Mark(mark)) => chart.marks.push(mark),
            (Some(Rows::Chart(chart)), Change::ChartAlarm(now)) => put(&mut chart.alarms, now, |alarm| alarm.id),
            (Some(Rows::Found(found)), Change::Found(now)) => *found = now,
            (Some(Rows::Attention(attention)), Change::Attention(now)) => *attention = now,
            (Some(Rows::Things(page)), Change::Things(now)) => *page = now,
            (Some(Rows::Things(page)), Change::ThingRow { at, row }) => page.rows[(at - page.first) as usize] = row,
            (Some(Rows::Things(page)), Change::ThingsMoved(moved)) => page.moved = moved,
            (Some(Rows::Alarms(list)), Change::Alarm(now)) => put(&mut list.rows, now, |alarm| alarm.id),
            (Some(Rows::Alarms(list)), Change::AlarmGone(id)) => list.rows.retain(|alarm| alarm.id != id),
            (Some(Rows::Alarms(list)), Change::AlarmCounts(counts)) => list.counts = counts,
            (Some(Rows::Commands(rows)), Change::Command(now)) => put(rows, now, |command| command.id),
            (Some(Rows::Commands(rows)), Change::CommandGone(id)) => rows.retain(|command| command.id != id),
            (Some(Rows::Bulks(rows)), Change::Bulk(now)) => put(rows, *now, |bulk| bulk.id),
            (Some(Rows::Bulks(rows)), Change::BulkGone(id)) => rows.retain(|bulk| bulk.id != id),
            (Some(Rows::Bulk(page)), Change::Bulk(now)) => page.head = *now,
            (Some(Rows::Bulk(page)), Change::BulkPage(now)) => *page = now,
            (Some(Rows::Bulk(page)), Change::BulkThing { at, row }) => page.rows[(at - page.first) as usize] = row,
            (Some(Rows::Ground(ground)), Change::Ground(now)) => *ground = now,
            (Some(Rows::NotConverged(rows)), Change::NotConverged(now)) => put(rows, now, |row| row.leaf.clone()),
            (Some(Rows::NotConverged(rows)), Change::NotConvergedGone(leaf)) => rows.retain(|row| row.leaf != leaf),
            (Some(Rows::Thing(page)), Change::ThingJob(now)) => put(&mut page.jobs, now, |row| row.job.clone()),
            (Some(Rows::Thing(page)), Change::ThingJobGone(job)) => page.jobs.retain(|row| row.job != job),
            (Some(Rows::Jobs(rows)), Change::Job(now)) => put(rows, now, |row| row.id.clone()),
            (Some(Rows::Jobs(rows)), Change::JobGone(id)) => rows.retain(|row| row.id != id),
            (Some(Rows::Job(page)), Change::Job(now)) => page.job = now,
            (Some(Rows::Job(page)), Change::JobPage(now)) => *page = now,
            (Some(Rows::Job(page)), Change::ThingJob(now)) => put(&mut page.rows, now, |row| row.name.clone()),
            (Some(Rows::Firmware(rows)), Change::Firmware(now)) => *rows = now,
            (Some(Rows::Parking(rows)), Change::Parking(now)) => *rows = now,
            (Some(Rows::Messages(rows)), Change::Message(now)) => rows.push(now),
            (Some(Rows::Settings(settings)), Change::Settings(now)) => *settings = now,
            (rows, change) => panic!("{change:?} changes nothing of {rows:?}"),
        }
    }
}

/// Replaces what has the same key, or adds it.
fn put<T, K: PartialEq>(all: &mut Vec<T>, now: T, key: impl Fn(&T) -> K) {
    match all.iter_mut().find(|one| key(one) == key(&now)) {
        Some(one) => *one = now,
        None => all.push(now),
    }
}
