#![expect(clippy::wildcard_enum_match_arm, reason = "a test window looks at what the test is about")]

mod boards;
mod exports;
mod groups;
mod history;
mod maps;
mod online;
mod profiles;
mod replay;
mod rules;
mod window;

use std::ops::ControlFlow;

use fleetlens_engine::port::Ui;
use fleetlens_ipc::rows::{LinkState, Rows};
use fleetlens_ipc::{
    CONTRACT, Call, Done, Frame, Intent, Look, Parcel, RequestId, Setting, ViewId, Wish, decode, encode,
};
use fleetlens_model::audit::Event;
use fleetlens_model::audit::Filter;
use fleetlens_model::id::{CommandId, SeriesKey, ThingKey};
use fleetlens_model::kind::Kind;
use fleetlens_model::record::Retention;
use fleetlens_model::telemetry::{Source, Value};
use tempfile::TempDir;
use tokio::sync::mpsc;
use tokio::time::{Duration, timeout};

use super::*;
use window::TestWindow;

/// A host ends within five seconds; what takes longer than this hangs, whatever else the machine does.
const HANGS: Duration = Duration::from_secs(20);

const STATUS: ViewId = ViewId(1);
const MAP: ViewId = ViewId(2);
const THING: ViewId = ViewId(3);
const SETTINGS: ViewId = ViewId(4);

fn small_city(folder: &TempDir) -> HostOptions {
    let city = CityOptions { things: 40, rate: Some(40.0), ..CityOptions::default() };
    HostOptions { demo: Some(city), ..HostOptions::demo(folder.path()) }
}

fn without_broker(folder: &TempDir) -> HostOptions {
    HostOptions { broker: BrokerChoice::None, ..small_city(folder) }
}

/// A host; one before it may still be letting go of the cache, on a machine that does much else.
async fn started(options: HostOptions) -> Host {
    let end = Instant::now() + Duration::from_secs(30);
    loop {
        match Host::start(options.clone()).await {
            Ok(host) => return host,
            Err(HostError::Store(StoreError::InUse { .. })) if Instant::now() < end => {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            Err(error) => panic!("{error}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lamp_is_seen_dimmed_and_found_again_without_a_broker() {
    let folder = tempfile::tempdir().unwrap();
    let host = started(small_city(&folder)).await;
    let mut window = TestWindow::open(&host).await;
    window.until("the whole city is on the map", |w| w.is_up() && w.kinds.len() == 40 && w.lamp().is_some()).await;
    let lamp = window.lamp().unwrap();
    window.say(Call::Look { view: THING, at: Look::Thing { thing: lamp } }).await;
    window
        .until("the lamp speaks and its shadow is known", |w| {
            w.value("/dim_pct").is_some_and(|row| row.source == Source::Live)
                && w.page.as_ref().is_some_and(|page| page.shadows.iter().any(|s| s.current && !s.leaves.is_empty()))
        })
        .await;
    window.say(Call::Drawn { things: 40, on_ground: true }).await;
    timeout(Duration::from_secs(10), host.counters().await.wait_for(|now| now.live_seen)).await.unwrap().unwrap();

    let classic = window.page.as_ref().unwrap().shadows.iter().find(|s| s.name.is_empty()).unwrap();
    let seen_json = classic.leaves.iter().find(|leaf| leaf.pointer == "/dim_pct").and_then(|leaf| leaf.desired.clone());
    let wish = Wish { pointer: "/dim_pct".into(), value_json: "40".into(), seen_json };
    let intent = Intent::Command { thing: lamp, shadow: String::new(), wishes: vec![wish], expires_in_ms: None };
    window.say(Call::Ask { request: RequestId(1), intent }).await;
    window.until("the command is in the outbox", |w| w.answers.contains_key(&RequestId(1))).await;
    let Ok(Done::Command(command)) = window.answers[&RequestId(1)] else { panic!("{:?}", window.answers) };
    window
        .until("the lamp obeys and says so", |w| {
            let page = w.page.as_ref().unwrap();
            let row = page.commands.iter().find(|row| row.id == command);
            let settled = row.is_some_and(|row| row.phase == fleetlens_model::command::Phase::Settled);
            settled && w.value("/dim_pct").is_some_and(|row| row.value == Value::Number(40.0))
        })
        .await;

    host.stop_broker().await;
    window.until("the link is down", |w| !w.is_up()).await;
    let before = window.values();
    assert!(before.len() >= 3, "{before:?}");
    drop(window);
    host.stop().await;
    drop(host);

    let host = started(without_broker(&folder)).await;
    let mut window = TestWindow::open(&host).await;
    window.until("the city is there again", |w| w.kinds.len() == 40).await;
    window.say(Call::Look { view: THING, at: Look::Thing { thing: lamp } }).await;
    window.until("the lamp's page", |w| w.page.is_some()).await;
    assert_eq!(window.values(), before);
    assert!(window.page.as_ref().unwrap().values.iter().all(|row| row.source == Source::Cached));
    window
        .until("the reason stands in the status", |w| {
            let status = w.status.as_ref().unwrap();
            matches!(&status.link, LinkState::Connecting { reason: Some(why), .. } if why == "started without a broker")
        })
        .await;
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_ends_and_takes_no_intent_after_that_began() {
    let folder = tempfile::tempdir().unwrap();
    let host = started(small_city(&folder)).await;
    let mut window = TestWindow::open(&host).await;
    window.until("up", TestWindow::is_up).await;
    let began = Instant::now();
    host.stop().await;
    assert!(began.elapsed() < HANGS, "{:?}", began.elapsed());
    let ask = Call::Ask { request: RequestId(1), intent: Intent::CancelCommand { command: CommandId(1) } };
    let refused = host.call(window.id, &encode(&ask).unwrap()).await.unwrap_err();
    assert_eq!(refused.code, FaultCode::TooLate);
    assert!(host.attach(Box::new(|_| ControlFlow::Continue(()))).await.is_err());
    assert!(timeout(Duration::ZERO, host.failed()).await.is_err(), "an orderly end is no failure");
    host.stop().await;
    assert!(!folder.path().join("demo.db-wal").exists(), "the log was moved into the file");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_a_second_time_to_end_waits_for_the_first() {
    let folder = tempfile::tempdir().unwrap();
    let host = started(small_city(&folder)).await;
    let mut window = TestWindow::open(&host).await;
    window.until("up", TestWindow::is_up).await;
    let (mut first, mut second) = (std::pin::pin!(host.stop()), std::pin::pin!(host.stop()));
    tokio::select! {
        biased;
        () = &mut first => panic!("a living city does not end at once"),
        () = std::future::ready(()) => {}
    }
    tokio::select! {
        biased;
        () = &mut second => panic!("it ended before the first"),
        () = &mut first => {}
    }
    timeout(Duration::ZERO, second).await.expect("everything has ended, and it knows");
    assert!(!folder.path().join("demo.db-wal").exists(), "the log was moved into the file");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_is_not_there_keeps_nobody_from_starting() {
    let folder = tempfile::tempdir().unwrap();
    // The discard port: nothing listens there.
    let broker = BrokerChoice::At("mqtt://127.0.0.1:9".into());
    let host = started(HostOptions { broker, ..small_city(&folder) }).await;
    let mut window = TestWindow::open(&host).await;
    window
        .until("it says why", |w| {
            let status = w.status.as_ref();
            status.is_some_and(
                |s| matches!(&s.link, LinkState::Connecting { reason: Some(why), .. } if why.contains("127.0.0.1")),
            )
        })
        .await;
    assert_eq!(window.status.as_ref().unwrap().broker, "mqtt://127.0.0.1:9 · MQTT 5");
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_never_work_is_told_before_anything_runs() {
    let folder = tempfile::tempdir().unwrap();
    let profile = folder.path().join("city.toml");
    let start =
        async |options: HostOptions| Host::start(options).await.err().map(|e| e.to_string()).unwrap_or_default();

    let at = |url: &str| HostOptions { broker: BrokerChoice::At(url.into()), ..small_city(&folder) };
    assert!(start(at("somewhere")).await.contains("write mqtt://host:1883"));

    let given = || HostOptions { profile: Some(profile.clone()), ..small_city(&folder) };
    assert!(start(given()).await.contains("city.toml cannot be read"));
    std::fs::write(&profile, "name = 7").unwrap();
    assert!(start(given()).await.contains("line 1"));
    std::fs::write(&profile, "name='x'\nbroker.url='mqtt://h'\nshadows.enabled=true\nmap.tiles='gone.mbtiles'")
        .unwrap();
    assert!(start(given()).await.contains("gone.mbtiles"));

    let first = started(without_broker(&folder)).await;
    assert!(start(without_broker(&folder)).await.contains("in use by another Fleetlens"));
    first.stop().await;
    started(without_broker(&folder)).await.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_is_none_is_refused_and_tiles_are_there_from_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let host = started(HostOptions { role: Some(Role::Driver), ..without_broker(&folder) }).await;
    let mut window = TestWindow::open(&host).await;
    assert_eq!(host.call(window.id, &[250, 250]).await.unwrap_err().code, FaultCode::Invalid);
    window.until("the status", |w| w.status.is_some()).await;
    let status = window.status.as_ref().unwrap();
    assert_eq!((status.who.role, status.broker.as_str(), status.demo), (Role::Driver, "no broker", true));
    assert!(host.tile(14, 8852, 6439).unwrap().is_some(), "Valletta");
    assert!(host.tile(14, 1 << 14, 0).is_err());
    host.detach(window.id).await;
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_that_was_let_go_is_refused_instead_of_left_waiting() {
    let folder = tempfile::tempdir().unwrap();
    let host = started(without_broker(&folder)).await;
    let window = TestWindow::open(&host).await;
    host.sinks.clone().close(window.id);
    let who = Actor { name: "M. Vella".into(), role: Role::Operator };
    for intent in
        [Intent::Acknowledge { alarms: Vec::new(), comment: String::new() }, Intent::Change(Setting::Identity(who))]
    {
        let call = encode(&Call::Ask { request: RequestId(7), intent }).unwrap();
        let fault = host.call(window.id, &call).await.unwrap_err();
        assert!(fault.code == FaultCode::Invalid && fault.message.contains("load it again"), "{fault}");
    }
    let anew = TestWindow::open(&host).await;
    assert_ne!(anew.id, window.id);
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_audit_log_is_read_by_those_who_may_steer() {
    let folder = tempfile::tempdir().unwrap();
    let all = |limit| Intent::Audit { filter: Filter::default(), limit };
    let host = started(without_broker(&folder)).await;
    let mut window = TestWindow::open(&host).await;
    assert_eq!(window.ask(1, all(0)).await, Ok(Done::Audit(Vec::new())), "nothing was asked for yet");
    // There is no such command: a refusal is an entry like any other.
    let cancel = Intent::CancelCommand { command: CommandId(99) };
    let refused = window.ask(2, cancel).await.unwrap_err();
    let Ok(Done::Audit(entries)) = window.ask(3, all(u32::MAX)).await else { panic!("the log was not told") };
    let told: Vec<_> = entries.iter().map(|entry| (entry.seq, entry.event)).collect();
    assert_eq!(told, [(1, Event::Refused)]);
    assert!(entries[0].detail.contains(&refused.message), "{entries:?}");
    host.stop().await;

    let driver = HostOptions { role: Some(Role::Driver), ..without_broker(&folder) };
    let host = started(driver).await;
    let mut window = TestWindow::open(&host).await;
    let refused = window.ask(1, all(10)).await.unwrap_err();
    assert_eq!(refused.code, FaultCode::Forbidden);
    host.stop().await;

    // What the host refuses stands in it as well.
    let host = started(without_broker(&folder)).await;
    let mut window = TestWindow::open(&host).await;
    let Ok(Done::Audit(entries)) = window.ask(1, all(u32::MAX)).await else { panic!("the log was not told") };
    let told: Vec<_> = entries.iter().map(|entry| (entry.event, entry.detail.contains(&refused.message))).collect();
    assert_eq!(told, [(Event::Refused, true), (Event::Refused, false)], "the newest first: {entries:?}");
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn how_well_the_alarms_serve_is_read_by_those_who_see_everything() {
    let folder = tempfile::tempdir().unwrap();
    let of_a_day = Intent::AlarmHealth { span_ms: 86_400_000, utc_offset_min: 60 };
    let host = started(without_broker(&folder)).await;
    let mut window = TestWindow::open(&host).await;
    let Ok(Done::AlarmHealth(health)) = window.ask(1, of_a_day.clone()).await else { panic!("it was not told") };
    assert_eq!((health.raised, health.figures.len(), health.pictures.len()), (0, 8, 2));
    assert!(health.told.ends_with("24 h"), "{}", health.told);
    let longest = Intent::AlarmHealth { span_ms: u64::MAX, utc_offset_min: i32::MAX };
    assert!(matches!(window.ask(2, longest).await, Ok(Done::AlarmHealth(_))), "a year at most, and some clock");
    host.stop().await;

    let driver = HostOptions { role: Some(Role::Driver), ..without_broker(&folder) };
    let host = started(driver).await;
    let mut window = TestWindow::open(&host).await;
    assert_eq!(window.ask(1, of_a_day).await.unwrap_err().code, FaultCode::Forbidden);
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_ends_by_itself_is_told_and_leaves_no_window_waiting() {
    let folder = tempfile::tempdir().unwrap();
    let host = started(without_broker(&folder)).await;
    let window = TestWindow::open(&host).await;
    let engine = host.run.write().await.as_mut().and_then(Run::take_engine).unwrap();
    engine.stop().await;
    let told = timeout(Duration::from_secs(10), host.failed()).await.unwrap();
    assert_eq!(told, "the engine has failed");
    let hello = encode(&Call::Hello { contract: CONTRACT }).unwrap();
    assert_eq!(host.call(window.id, &hello).await.unwrap_err().code, FaultCode::Store);
    host.stop().await;
}

/// A profile that can be chosen by its name.
fn profile_called(folder: &TempDir, name: &str) {
    let profiles = folder.path().join("profiles");
    std::fs::create_dir_all(&profiles).unwrap();
    let text = format!(
        "name = \"{name}\"\nidentity.role = \"technician\"\nbroker.url = \"mqtt://127.0.0.1:9\"\nshadows.enabled = true\n"
    );
    std::fs::write(profiles.join(format!("{name}.toml")), text).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn another_profile_is_used_without_a_restart_and_after_one() {
    let folder = tempfile::tempdir().unwrap();
    profile_called(&folder, "Harbour");
    let host = started(without_broker(&folder)).await;
    let mut window = TestWindow::open(&host).await;
    window.until("the demo city", |w| w.profile() == Some(("Demo city", true)) && w.settings.is_some()).await;
    let names: Vec<_> = window.settings.as_ref().unwrap().profiles.iter().map(|p| (p.name.clone(), p.active)).collect();
    assert_eq!(names, [("Demo city".to_owned(), true), ("Harbour".to_owned(), false)]);

    let unknown = window.set(1, Setting::Profile("Depot".into())).await.unwrap_err();
    assert!(unknown.message.contains("no profile \"Depot\""), "{unknown}");
    assert_eq!(window.set(2, Setting::Profile("Harbour".into())).await, Ok(Done::Changed));
    window.until("the word to begin again", |w| w.begun == 1).await;
    window.revisions.clear();
    window.look().await;
    window.until("the other profile", |w| w.profile() == Some(("Harbour", false))).await;
    window
        .until("its settings", |w| {
            w.settings.as_ref().is_some_and(|s| s.profiles.iter().any(|p| p.name == "Harbour" && p.active))
        })
        .await;
    assert!(host.tile(14, 8852, 6439).unwrap().is_some(), "a map is there");
    host.stop().await;

    let host = started(without_broker(&folder)).await;
    let mut window = TestWindow::open(&host).await;
    window.until("the profile that was chosen", |w| w.profile() == Some(("Harbour", false))).await;
    host.stop().await;

    std::fs::write(folder.path().join("profiles/Harbour.toml"), "name = 7").unwrap();
    let host = started(without_broker(&folder)).await;
    let mut window = TestWindow::open(&host).await;
    window
        .until("the demo city instead, and why", |w| w.profile() == Some(("Demo city", true)) && !w.notices.is_empty())
        .await;
    assert!(window.notices[0].message.contains("\"Harbour\" cannot be used"), "{:?}", window.notices);
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_at_the_screen_and_how_much_is_kept_survive_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let options = || HostOptions { role: Some(Role::Technician), ..without_broker(&folder) };
    let host = started(options()).await;
    let mut window = TestWindow::open(&host).await;
    let who = |name: &str, role| Setting::Identity(Actor { name: name.into(), role });
    for (number, wrong, word) in [
        (1, who("R. Borg", Role::Operator), "Technician, Viewer, Driver"),
        (2, who(" ", Role::Viewer), "0 characters"),
        (3, Setting::Retention(Retention { keep_days: 0, ..Retention::default() }), "0 days"),
    ] {
        let fault = window.set(number, wrong).await.unwrap_err();
        assert!(fault.message.contains(word), "{fault}");
    }
    let keep = Retention { keep_days: 3, minutes_days: 30, hours_days: Some(300), max_mb: 64 };
    assert_eq!(window.set(4, Setting::Retention(keep)).await, Ok(Done::Changed));
    assert_eq!(window.set(5, who(" R. Borg", Role::Viewer)).await, Ok(Done::Changed));
    let fault = window
        .set(6, Setting::Retention(Retention { keep_days: 1, max_mb: 16, ..Retention::default() }))
        .await
        .unwrap_err();
    assert_eq!(fault.code, FaultCode::Forbidden, "{fault}");
    let fault = window.set(7, Setting::Profile("Demo city".into())).await.unwrap_err();
    assert_eq!(fault.code, FaultCode::Forbidden, "{fault}");
    window
        .until("both on the screen", |w| {
            w.settings.as_ref().is_some_and(|s| s.retention == keep && s.who.name == "R. Borg")
        })
        .await;
    window.until("the status bar as well", |w| w.status.as_ref().is_some_and(|s| s.who.role == Role::Viewer)).await;
    host.stop().await;

    let host = started(options()).await;
    let mut window = TestWindow::open(&host).await;
    window.until("the same after a restart", |w| w.settings.is_some() && w.status.is_some()).await;
    let settings = window.settings.as_ref().unwrap();
    assert_eq!((settings.retention, settings.who.name.as_str(), settings.who.role), (keep, "R. Borg", Role::Viewer));
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mistake_in_the_settings_is_told_and_deletes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("settings.toml"), "[cache]\nkeep_days = 0\nmax_mb = 0\n").unwrap();
    let host = started(without_broker(&folder)).await;
    let mut window = TestWindow::open(&host).await;
    window
        .until("what is wrong with them", |w| w.notices.iter().any(|n| n.message.contains("0 days are outside")))
        .await;
    assert_eq!(host.home.lock().await.limits(), None);
    host.stop().await;
}

#[tokio::test]
async fn whoever_opens_a_damaged_cache_is_told_where_it_is_and_what_was_taken_over() {
    let folder = TempDir::new().unwrap();
    let cache = folder.path().join("city.db");
    std::fs::write(&cache, "a shopping list, and a long one: bread, milk, eggs").unwrap();
    let options = HostOptions { cache: Some(cache), broker: BrokerChoice::None, ..HostOptions::demo(folder.path()) };
    let host = started(options).await;
    for _ in 0..2 {
        let mut window = TestWindow::open(&host).await;
        let says = |w: &TestWindow| w.notices.iter().any(|n| n.message.contains("city.db.broken-"));
        window.until("what became of it", says).await;
    }
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn small_charts_come_beside_everything_else_one_answer_at_a_time_for_those_who_see_everything() {
    let folder = tempfile::tempdir().unwrap();
    let host = started(without_broker(&folder)).await;
    let mut window = TestWindow::open(&host).await;
    let day = || Intent::Small { series: (0..200).map(SeriesKey).collect(), span_ms: 24 * 3_600_000 };
    // Nobody reads while another table is read; the window has the rest meanwhile.
    let other = reads::SMALLS.acquire().await.unwrap();
    window.say(Call::Ask { request: RequestId(1), intent: day() }).await;
    let second = window.ask(2, day()).await.unwrap_err();
    assert_eq!(second.code, FaultCode::Invalid, "one answer at a time");
    assert!(matches!(window.ask(3, Intent::Legs).await, Ok(Done::Legs { .. })), "and everything else");
    drop(other);
    window.until("the charts", |w| w.answers.contains_key(&RequestId(1))).await;
    let Ok(Done::Small(smalls)) = &window.answers[&RequestId(1)] else { panic!("{:?}", window.answers) };
    assert_eq!(smalls.all.len(), fleetlens_ipc::small::SMALL_SERIES_MAX);
    assert!(matches!(window.ask(4, day()).await, Ok(Done::Small(_))), "it may ask again");
    host.stop().await;
}
