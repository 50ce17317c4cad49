//! A made-up night shift in a cache of its own: `cargo run -p fleetlens-report --example shift -- FOLDER` makes `shift.db` there. The
//! guide's picture is of its report: `fleetlens report --db FOLDER/shift.db --from 2026-11-21T22:00:00+01:00
//! --to 2026-11-22T08:00:00+01:00 --zone Europe/Malta --out shift.html`. The same dice fall each time.

use std::path::PathBuf;
use std::sync::Arc;

use fleetlens_model::alarm::state::State;
use fleetlens_model::alarm::{Acknowledgement, Alarm, Priority};
use fleetlens_model::audit::{By, Entry, Event};
use fleetlens_model::geo::LonLat;
use fleetlens_model::id::{AlarmId, CommandId, ThingKey, ThingName};
use fleetlens_model::identity::{Actor, Role};
use fleetlens_model::kind::Kind;
use fleetlens_model::record::Write;
use fleetlens_model::thing::Meta;
use fleetlens_model::time::WallMs;
use fleetlens_store::Store;

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;

/// 2026-11-21T21:00:00Z, 22:00 in Malta.
const FROM: i64 = 1_795_294_800_000;
const SHIFT_MS: i64 = 10 * HOUR;
const THINGS: u32 = 420;

/// Kind, first words of a title, rule, its name, what is seen, what to do.
const SORTS: [(Kind, &str, &str, &str, &str, &str); 6] = [
    (
        Kind::Lamp,
        "Lamp",
        "lamp-hot",
        "hot",
        "temperature 81 °C, 75 °C or more for 30 s",
        "Look whether the fan turns; dim it until then.",
    ),
    (Kind::Bin, "Bin", "bin-full", "nearly full", "fill 96 %, 90 % or more for 2 min", "Have it emptied today."),
    (
        Kind::Charger,
        "Charger",
        "charger-fault",
        "out of order",
        "state is fault for 1 min",
        "Restart it from its page; if it stays, send a technician.",
    ),
    (
        Kind::Parking,
        "Car park",
        "car-park-full",
        "full",
        "taken 100 %, 98 % or more for 5 min",
        "Nothing, unless its barrier stands open.",
    ),
    (
        Kind::Lamp,
        "Lamp",
        "silent",
        "silent",
        "said nothing for 6 min; speaks every minute",
        "Look whether its gateway and its fuse are well.",
    ),
    (
        Kind::Gateway,
        "Gateway",
        "gateway-silent",
        "silent gateway",
        "said nothing for 4 min; 31 things stand behind it",
        "Call the network; do not send anybody to the things behind it.",
    ),
];

/// A street, its district, and about where it is: degrees east and north.
const STREETS: [(&str, &str, (f64, f64)); 7] = [
    ("Triq ir-Repubblika", "Valletta", (14.5130, 35.8985)),
    ("Triq it-Torri", "Sliema", (14.5040, 35.9140)),
    ("Triq San Ġorġ", "San Ġiljan", (14.4890, 35.9180)),
    ("Triq il-Kbira", "Mosta", (14.4260, 35.9090)),
    ("Triq Ħaż-Żabbar", "Il-Fgura", (14.5220, 35.8720)),
    ("Xatt l-Għassara tal-Għeneb", "Il-Marsa", (14.4990, 35.8830)),
    ("Triq Mater Dei", "L-Imsida", (14.4770, 35.9010)),
];

const PEOPLE: [(&str, Role); 3] =
    [("M. Vella", Role::Operator), ("J. Borg", Role::Technician), ("S. Camilleri", Role::Operator)];

const COMMENTS: [&str; 5] = ["", "on my way", "the crew is told", "known; works in the street until Monday", ""];

/// A linear congruential generator (Knuth): the same on every machine.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: i64) -> i64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        i64::try_from(self.0 >> 33).unwrap_or_default() % n.max(1)
    }

    fn one_of<'a, T>(&mut self, of: &'a [T]) -> Option<&'a T> {
        let place = self.below(i64::try_from(of.len()).unwrap_or(1));
        of.get(usize::try_from(place).unwrap_or_default())
    }
}

fn thing(key: u32) -> Option<Write> {
    let (kind, word, ..) = SORTS.get(key as usize % SORTS.len())?;
    let (street, area, (lon_deg, lat_deg)) = STREETS.get(key as usize % STREETS.len())?;
    // Some hundred metres around it.
    let off = |step: u32| f64::from(key * step % 61) / 61.0 - 0.5;
    let meta = Meta {
        kind: *kind,
        title: format!("{word} {key}"),
        street: (*street).to_owned(),
        area: (*area).to_owned(),
        at: LonLat::new(lon_deg + 0.012 * off(17), lat_deg + 0.007 * off(29)),
        ..Meta::default()
    };
    let name = ThingName::new(format!("{}-{key:04}", word.to_lowercase().replace(' ', "-"))).ok()?;
    Some(Write::Thing { thing: ThingKey(key), name, meta: Box::new(meta) })
}

/// An alarm that was raised so long after the beginning of the shift.
fn alarm(id: u64, after_ms: i64, dice: &mut Dice) -> Option<Alarm> {
    // A few things raise much more than others.
    let key = u32::try_from(if dice.below(3) == 0 { dice.below(9) } else { dice.below(i64::from(THINGS)) }).ok()? + 1;
    let (_, _, rule, name, sentence, what_to_do) = SORTS.get(key as usize % SORTS.len())?;
    let raised = FROM + after_ms;
    let (by, role) = dice.one_of(&PEOPLE)?;
    let seen = raised + 20_000 + dice.below(11 * MINUTE) * (1 + dice.below(12) / 10 * 6);
    let acknowledged = (dice.below(9) > 0 && seen < FROM + SHIFT_MS).then(|| Acknowledgement {
        by: Actor { name: (*by).to_owned(), role: *role },
        at_ms: WallMs(seen),
        comment: dice.one_of(&COMMENTS).map(|comment| (*comment).to_owned()).unwrap_or_default(),
    });
    let cleared = raised + 3 * MINUTE + dice.below(100 * MINUTE);
    let cleared = (dice.below(12) > 0 && cleared < FROM + SHIFT_MS).then_some(WallMs(cleared));
    let is_grave = matches!(*rule, "gateway-silent") || dice.below(40) == 0;
    Some(Alarm {
        id: AlarmId(id),
        thing: ThingKey(key),
        rule: (*rule).to_owned(),
        name: (*name).to_owned(),
        priority: if is_grave { Priority::Critical } else { Priority::Warning },
        sentence: (*sentence).to_owned(),
        what_to_do: (*what_to_do).to_owned(),
        assigned: String::new(),
        state: State::told(WallMs(raised), cleared, if dice.below(15) == 0 { 3 } else { 1 }, acknowledged),
    })
}

/// When after the beginning of the shift, by whom, what, of which command, of which thing, more of it.
type Step = (i64, By, Event, Option<u64>, &'static str, String);

/// What people did, and what came of it, in the order of time.
fn deeds(dice: &mut Dice) -> Vec<Step> {
    let person = |dice: &mut Dice| {
        let (name, role) = dice.one_of(&PEOPLE).copied().unwrap_or(("", Role::Viewer));
        By::Person(Actor { name: name.to_owned(), role })
    };
    let mut all = Vec::new();
    for n in 1..=14_u64 {
        let at = dice.below(SHIFT_MS - HOUR);
        let who = person(dice);
        all.push((at, who, Event::Asked, Some(n), "lamp-0006", format!("/dim_pct = {}", 20 + 5 * n)));
        all.push((at + 40, By::Program, Event::Published, Some(n), "lamp-0006", String::new()));
        all.push((at + 190, By::Service, Event::Accepted, Some(n), "lamp-0006", format!("version {}", 40 + n)));
        match dice.below(6) {
            0 => all.push((at + 10 * MINUTE, By::Program, Event::NeverObeyed, Some(n), "lamp-0006", String::new())),
            _ => all.push((at + 900, By::Device, Event::Settled, Some(n), "lamp-0006", String::new())),
        }
    }
    let bulk = 4 * HOUR;
    let who = By::Person(Actor { name: "M. Vella".into(), role: Role::Operator });
    let detail = "bulk command 7: /dim_pct = 30 for 40 things, 10 at once every 20 s".to_owned();
    all.push((bulk, who.clone(), Event::BulkAsked, None, "", detail));
    for n in 100..140_u64 {
        let at = bulk + 20_000 * i64::try_from((n - 100) / 10).unwrap_or_default();
        all.push((at, who.clone(), Event::Asked, Some(n), "lamp-0012", "/dim_pct = 30 (bulk command 7)".to_owned()));
        let (by, end) = if n % 13 == 0 { (By::Service, Event::Rejected) } else { (By::Device, Event::Settled) };
        all.push((at + 800, by, end, Some(n), "lamp-0012", String::new()));
    }
    all.push((bulk + 2 * MINUTE, By::Program, Event::BulkDone, None, "", "bulk command 7".to_owned()));
    let comment = "silent gateway: the network is told".to_owned();
    all.push((5 * HOUR + 12 * MINUTE, person(dice), Event::AlarmAcknowledged, None, "gateway-0005", comment));
    let viewer = By::Person(Actor { name: "guest".into(), role: Role::Viewer });
    let refused = "viewers may not steer; asked: command /on = false".to_owned();
    all.push((6 * HOUR, viewer, Event::Refused, None, "lamp-0018", refused));
    all.sort_by_key(|(at, ..)| *at);
    all
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = PathBuf::from(std::env::args().nth(1).ok_or("name a folder")?);
    let db = folder.join("shift.db");
    let (store, _) = Store::open(&db, "Malta", 1)?;
    let mut dice = Dice(20_261_121);
    let mut writes: Vec<Write> = (1..=THINGS).filter_map(thing).collect();
    writes.extend([7, 64, 131, 203].map(|key| Write::Silent { thing: ThingKey(key), silent: true }));
    // A quiet night, a storm after half past two, and what stood there since the day before.
    let mut moments: Vec<i64> = (0..62).map(|_| dice.below(SHIFT_MS)).collect();
    moments.extend((0..38).map(|_| 4 * HOUR + 34 * MINUTE + dice.below(21 * MINUTE)));
    moments.extend((0..9).map(|_| -HOUR - dice.below(40 * HOUR)));
    writes.extend(
        (1..).zip(moments).filter_map(|(id, at)| alarm(id, at, &mut dice)).map(|one| Write::Alarm(Box::new(one))),
    );
    let entries = (1..).zip(deeds(&mut dice)).map(|(seq, (at, by, event, command, thing, detail))| Entry {
        seq,
        at_ms: WallMs(FROM + at),
        by,
        thing: thing.to_owned(),
        shadow: String::new(),
        command: command.map(CommandId),
        trace: command.map(|n| format!("01KA0000000000000000000{n:03}")).unwrap_or_default(),
        event,
        after_ms: None,
        detail,
    });
    writes.extend(entries.map(|entry| Write::Audit(Box::new(entry))));
    writes.push(Write::LinkSeen { at_ms: WallMs(FROM + SHIFT_MS + 2_000) });
    store.commit(Arc::new(writes)).await?;
    store.close().await?;
    Ok(())
}
