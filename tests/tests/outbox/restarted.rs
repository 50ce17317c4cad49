//! A thousand commands to five hundred devices with faults, and a broker that dies twice in the middle of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use fleetlens_host::{Host, HostOptions, Profile};
use fleetlens_ipc::rows::{LinkState, Rows, ThingRow};
use fleetlens_ipc::{Done, Intent, Look, Scope, ThingsQuery, ViewId, Wish};
use fleetlens_model::command::Phase;
use fleetlens_model::id::CommandId;
use fleetlens_model::kind::Kind;
use fleetlens_sim::{CityOptions, Faults};
use fleetlens_tests::broker::Mosquitto;
use fleetlens_tests::desk::Desk;
use fleetlens_tests::profile::ProfileText;
use fleetlens_tests::town::Town;

use crate::judged::{all_end, counted, ended, faults};

/// Generous: two cores, and other tests beside this one.
const SOON: Duration = Duration::from_secs(90);
const THINGS: usize = 500;
const COMMANDS: usize = 1_000;
/// Commands that are asked for at once.
const AT_ONCE: usize = 50;
/// One device in so many hears what is wanted and never does it.
const STUCK_ONE_IN: usize = 25;
/// How long a command may take, and one of those asked for while there is no broker, in milliseconds.
const EXPIRES_MS: u64 = 20_000;
const EXPIRES_UNSENT_MS: u64 = 1_000;

/// The `n`th command, for one of the things: a value that no other has there.
fn command(n: usize, things: &[ThingRow], expires_in_ms: u64) -> Intent {
    let thing = &things[n % things.len()];
    let (round, place) = (n / things.len(), n % things.len());
    let (pointer, value) = match thing.kind {
        Kind::Lamp => ("/dim_pct", 10 + 40 * round + place % 30),
        Kind::Parking | Kind::Bin | Kind::Charger | Kind::Vehicle | Kind::Gateway | Kind::Other => {
            ("/interval_s", 600 + 1_000 * round + 5 * (place % 100))
        }
    };
    // The person at this screen saw nothing wanted; what their own first command did since is no conflict.
    let wish = Wish { pointer: pointer.into(), value_json: value.to_string(), seen_json: None };
    let wishes = vec![wish];
    Intent::Command { thing: thing.thing, shadow: String::new(), wishes, expires_in_ms: Some(expires_in_ms) }
}

/// Asks for the commands of one batch, and takes back the first of them.
async fn ask(desk: &mut Desk, batch: usize, things: &[ThingRow], expires_in_ms: u64) -> Vec<CommandId> {
    let batch = batch * AT_ONCE..(batch + 1) * AT_ONCE;
    let intents = batch.map(|n| command(n, things, expires_in_ms)).collect();
    let answers = desk.ask_all(intents).await.into_iter();
    let asked: Vec<CommandId> = answers
        .map(|answer| match answer {
            Ok(Done::Command(id)) => id,
            other => panic!("asked for a command and got {other:?}"),
        })
        .collect();
    // It may be over by now.
    _ = desk.ask(Intent::CancelCommand { command: asked[0] }).await;
    asked
}

async fn wait_for_link(desk: &mut Desk, status: ViewId, is_up: bool) {
    let is = |desk: &Desk| matches!(desk.status(status).link, LinkState::Up { .. }) == is_up;
    let seen = |desk: &Desk| if is(desk) { Ok(()) } else { Err(format!("{:?}", desk.status(status).link)) };
    desk.wait_for(if is_up { "the link to be up" } else { "the link to fall" }, SOON, seen).await;
}

async fn a_thousand_commands_meet_a_broker_that_dies(name: &str, mut broker: Mosquitto) {
    let folder = tempfile::tempdir().unwrap();
    let profile = ProfileText::new(name, broker.url()).write(folder.path());
    let data = folder.path().join("data");
    let options = HostOptions { profile: Some(profile.clone()), demo: None, ..HostOptions::demo(&data) };
    let host = Arc::new(Host::start(options).await.unwrap());
    let mut desk = Desk::attach(&host).await;
    let status = desk.look(Look::Status).await;
    wait_for_link(&mut desk, status, true).await;

    let city = CityOptions { things: THINGS, seed: 11, faults: Faults::all(), ..CityOptions::default() };
    let stuck = Town::names(&city).into_iter().step_by(STUCK_ONE_IN).collect();
    let town = Town::start(&broker.url(), &CityOptions { stuck, ..city }).await;
    let all = |desk: &Desk| match desk.status(status).things as usize {
        THINGS => Ok(()),
        things => Err(format!("{things} things")),
    };
    desk.wait_for("every thing to be known", SOON, all).await;
    let query = ThingsQuery::default();
    let table = desk.look(Look::Things { query, first: 0, count: THINGS as u32, again: false }).await;
    let Some(Rows::Things(page)) = desk.rows(table) else { panic!("no table") };
    let things = page.rows.clone();
    desk.look_away(table).await;
    assert_eq!(things.len(), THINGS);

    let mut asked = BTreeSet::new();
    for batch in 0..COMMANDS / AT_ONCE {
        match batch {
            7 => {
                broker.kill();
                wait_for_link(&mut desk, status, false).await;
            }
            12 => {
                let history = desk.look(Look::Commands { scope: Scope::Ended, limit: 2_000 }).await;
                desk.wait_for("what was asked without a broker to expire", SOON, |desk| {
                    let Some(Rows::Commands(rows)) = desk.rows(history) else { return Err("no rows".into()) };
                    let expired = rows.iter().filter(|row| matches!(row.phase, Phase::Expired { .. })).count();
                    if expired >= 2 * AT_ONCE - 2 { Ok(()) } else { Err(format!("{expired} of {} rows", rows.len())) }
                })
                .await;
                desk.look_away(history).await;
                broker.start_again();
            }
            16 => {
                wait_for_link(&mut desk, status, true).await;
                broker.kill();
                broker.start_again();
            }
            _ => {}
        }
        let expires_ms = if matches!(batch, 9 | 10) { EXPIRES_UNSENT_MS } else { EXPIRES_MS };
        asked.extend(ask(&mut desk, batch, &things, expires_ms).await);
    }
    assert_eq!(asked.len(), COMMANDS, "every command has an id of its own");

    all_end(host, desk, SOON).await;

    let ended = ended(&data.join(Profile::read(&profile).unwrap().cache_file()), name).await;
    let kept: BTreeSet<CommandId> = ended.iter().map(|one| one.command.id).collect();
    assert_eq!(kept, asked, "no command is lost and none is there that nobody asked for");
    let history: BTreeMap<_, _> = town.names.iter().map(|name| (name.clone(), town.did(name))).collect();
    let struck = town.struck.clone();
    let again = town.accepted_again();
    assert!(again.is_empty(), "accepted again:\n{}", again.join("\n"));
    let shadows = town.stop().await;
    let wrong = faults(&ended, &shadows, |name| history[name].clone(), |name| !struck.contains(name));
    let counted = counted(&ended);
    assert!(wrong.is_empty(), "{} of {COMMANDS} ({counted:?}):\n{}", wrong.len(), wrong.join("\n"));
    // Otherwise nothing was tested.
    for way in ["settled", "rejected", "overtaken", "cancelled", "expired unsent", "never obeyed"] {
        assert!(counted.contains_key(way), "none is {way}: {counted:?}");
    }
    println!("{counted:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_commands_end_once_each_while_the_broker_is_killed_and_comes_back() {
    let Some(broker) = Mosquitto::start("outbox-kept") else { return };
    a_thousand_commands_meet_a_broker_that_dies("Kept", broker).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_commands_end_once_each_while_the_broker_loses_every_session() {
    let Some(broker) = Mosquitto::start_plain("outbox-lost") else { return };
    a_thousand_commands_meet_a_broker_that_dies("Lost", broker).await;
}
