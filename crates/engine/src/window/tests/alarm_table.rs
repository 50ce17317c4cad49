use fleetlens_ipc::rows::{AlarmLine, AlarmTable, AlarmTableHead, ShownAlarm};
use fleetlens_ipc::{AlarmGrouping, AlarmScope, AlarmSort, AlarmsQuery, Folds};
use fleetlens_model::alarm::Priority;
use fleetlens_model::id::AlarmId;
use fleetlens_model::record::Restored;

use super::*;
use crate::fleet::tests::{config, fleet_with, meta, over, rule, says};

/// Lamps and bins that can be too warm, in two districts.
fn town() -> Fleet {
    let mut fleet = fleet_with(vec![
        rule("warm", Some(Kind::Lamp), over("/temp_c", 60.0, 0.0, 0), Priority::Warning),
        rule("burning", Some(Kind::Bin), over("/temp_c", 60.0, 0.0, 0), Priority::Critical),
    ]);
    give(&mut fleet, up(), at(0));
    for n in 1..=12 {
        let area = if n % 2 == 0 { "Marsa" } else { "Sliema" };
        let lamp = format!(r#"{{"name":"Lamp {n}","area":"{area}","lat":35.9,"lon":14.5}}"#);
        give(&mut fleet, meta("lamp", &format!("l{n}"), &lamp), at(0));
    }
    give(&mut fleet, meta("bin", "b1", r#"{"name":"Bin 1","area":"Marsa","lat":35.9,"lon":14.5}"#), at(0));
    fleet
}

fn temp(fleet: &mut Fleet, kind: &str, thing: &str, s: u64, temp_c: i32) {
    give(fleet, says(kind, thing, s, &format!(r#"{{"temp_c":{temp_c}}}"#)), at(s));
}

/// Three lamps 1 s apart, then a bin.
fn troubled() -> Fleet {
    let mut fleet = town();
    for n in 1..=3 {
        temp(&mut fleet, "lamp", &format!("l{n}"), n, 70);
    }
    temp(&mut fleet, "bin", "b1", 4, 70);
    fleet
}

fn table(query: AlarmsQuery) -> Look {
    stretch(query, Folds::default(), (0, 50), false)
}

fn stretch(query: AlarmsQuery, folds: Folds, (first, count): (u32, u32), hold: bool) -> Look {
    Look::AlarmTable { query: Box::new(query), folds, first, count, hold, again: false }
}

fn whole(told: &[Frame]) -> AlarmTable {
    let [Frame::Snapshot { rows: Rows::AlarmTable(table), .. }] = told else { panic!("{told:?}") };
    (**table).clone()
}

fn changes(told: Vec<Frame>) -> Vec<Change> {
    let [Frame::Patch { changes, .. }] = &told[..] else { panic!("{told:?}") };
    changes.clone()
}

/// `Lamp 3 warm` of an alarm, with `*` of a first one and `-` of one that is gone; `[warm 3/2 open]` of a heading.
fn words(lines: &[AlarmLine]) -> Vec<String> {
    let word = |line: &AlarmLine| match line {
        AlarmLine::Group(row) => {
            let open = if row.open { " open" } else { "" };
            format!("[{} {}/{}{open}]", row.title, row.count, row.unseen)
        }
        AlarmLine::Alarm(listed) => {
            let mark = |so: bool, mark| if so { mark } else { "" };
            format!("{}{}{}", listed.row.title, mark(listed.first, " *"), mark(listed.gone, " -"))
        }
    };
    lines.iter().map(word).collect()
}

fn look(query: AlarmsQuery, fleet: &mut Fleet) -> AlarmTable {
    let (mut windows, _) = looking(table(query), fleet);
    whole(&frames(&mut windows, fleet, at(5)))
}

#[test]
fn a_table_is_sorted_filtered_and_grouped_as_it_is_asked_for() {
    let mut fleet = troubled();
    let usual = AlarmsQuery::default;
    for (name, query, want) in [
        ("worst", usual(), vec!["Bin 1 burning", "Lamp 3 warm", "Lamp 2 warm", "Lamp 1 warm"]),
        (
            "oldest",
            AlarmsQuery { sort: AlarmSort::Oldest, ..usual() },
            vec!["Lamp 1 warm", "Lamp 2 warm", "Lamp 3 warm", "Bin 1 burning"],
        ),
        (
            "newest lamps",
            AlarmsQuery { sort: AlarmSort::Newest, kind: Some(Kind::Lamp), ..usual() },
            vec!["Lamp 3 warm", "Lamp 2 warm", "Lamp 1 warm"],
        ),
        (
            "by thing",
            AlarmsQuery { sort: AlarmSort::Thing, ..usual() },
            vec!["Bin 1 burning", "Lamp 1 warm", "Lamp 2 warm", "Lamp 3 warm"],
        ),
        ("critical", AlarmsQuery { priority: Some(Priority::Critical), ..usual() }, vec!["Bin 1 burning"]),
        ("of a rule", AlarmsQuery { rule: "burning".into(), ..usual() }, vec!["Bin 1 burning"]),
        ("words", AlarmsQuery { text: "LAMP marsa".into(), ..usual() }, vec!["Lamp 2 warm"]),
        ("nothing", AlarmsQuery { text: "gozo".into(), ..usual() }, vec![]),
        (
            "by cause",
            AlarmsQuery { group: Some(AlarmGrouping::Cause), ..usual() },
            vec!["[burning 1/1 open]", "Bin 1 burning", "[warm 3/3 open]", "Lamp 3 warm", "Lamp 2 warm", "Lamp 1 warm"],
        ),
        (
            "by district",
            AlarmsQuery { group: Some(AlarmGrouping::Area), sort: AlarmSort::Oldest, ..usual() },
            vec!["[Sliema 2/2 open]", "Lamp 1 warm", "Lamp 3 warm", "[Marsa 2/2 open]", "Lamp 2 warm", "Bin 1 burning"],
        ),
    ] {
        let table = look(query, &mut fleet);
        assert_eq!(words(&table.lines), want, "{name}");
        let causes = [("burning".to_owned(), "burning".to_owned()), ("warm".to_owned(), "warm".to_owned())];
        assert_eq!((table.head.of, &table.head.causes[..]), (4, &causes[..]), "{name}");
    }
}

#[test]
fn a_stretch_goes_across_headings_and_folded_groups() {
    let mut fleet = troubled();
    let query = AlarmsQuery { group: Some(AlarmGrouping::Cause), ..AlarmsQuery::default() };
    let folds =
        |folded, except: &[&str]| Folds { folded, except: except.iter().map(|key| (*key).to_owned()).collect() };
    for (folds, stretch_of, want, lines) in [
        (folds(None, &[]), (1, 2), vec!["Bin 1 burning", "[warm 3/3 open]"], 6),
        (folds(None, &["burning"]), (0, 3), vec!["[burning 1/1]", "[warm 3/3 open]", "Lamp 3 warm"], 5),
        (folds(Some(true), &[]), (0, 9), vec!["[burning 1/1]", "[warm 3/3]"], 2),
        (folds(Some(true), &["warm"]), (3, 9), vec!["Lamp 2 warm", "Lamp 1 warm"], 5),
        (folds(Some(true), &[]), (7, 9), vec!["[warm 3/3]"], 2),
    ] {
        let (mut windows, _) = looking(stretch(query.clone(), folds.clone(), stretch_of, false), &mut fleet);
        let table = whole(&frames(&mut windows, &mut fleet, at(5)));
        assert_eq!(
            (words(&table.lines), table.head.lines),
            (want.into_iter().map(str::to_owned).collect(), lines),
            "{folds:?}"
        );
    }
}

#[test]
fn while_somebody_is_in_the_list_nothing_moves_and_what_is_new_is_counted() {
    let mut fleet = troubled();
    let query = AlarmsQuery { kind: Some(Kind::Lamp), ..AlarmsQuery::default() };
    let (mut windows, _) = looking(table(query.clone()), &mut fleet);
    frames(&mut windows, &mut fleet, at(5));
    let hold = |hold, again, windows: &mut Windows, fleet: &mut Fleet| {
        let mut at_what = stretch(query.clone(), Folds::default(), (0, 50), hold);
        if let Look::AlarmTable { again: it, .. } = &mut at_what {
            *it = again;
        }
        seen(windows, fleet, u64::MAX);
        windows.call(WINDOW, Call::Look { view: ViewId(1), at: at_what }, fleet, at(5));
    };
    hold(true, false, &mut windows, &mut fleet);
    let held = whole(&frames(&mut windows, &mut fleet, at(5)));
    assert_eq!(words(&held.lines), ["Lamp 3 warm", "Lamp 2 warm", "Lamp 1 warm"]);

    temp(&mut fleet, "lamp", "l4", 6, 70);
    seen(&mut windows, &mut fleet, u64::MAX);
    let told = changes(frames(&mut windows, &mut fleet, at(6)));
    let [Change::AlarmTableHead(head)] = &told[..] else { panic!("{told:?}") };
    assert_eq!((head.fresh, head.lines, head.of), (1, 3, 5), "{head:?}");
    // What is over stands where it stood, and says so.
    temp(&mut fleet, "lamp", "l2", 7, 20);
    let intent = Intent::Acknowledge { alarms: vec![(AlarmId(2), at(2).wall)], comment: String::new() };
    give(&mut fleet, Input::Asked { window: WINDOW, request: RequestId(1), intent }, at(7));
    seen(&mut windows, &mut fleet, u64::MAX);
    let told = changes(frames(&mut windows, &mut fleet, at(8)));
    let [Change::AlarmTableHead(_), Change::AlarmLine { at: 1, line }] = &told[..] else { panic!("{told:?}") };
    assert_eq!(words(std::slice::from_ref(line)), ["Lamp 2 warm -"]);

    hold(true, true, &mut windows, &mut fleet);
    let let_in = whole(&frames(&mut windows, &mut fleet, at(9)));
    assert_eq!(
        (words(&let_in.lines), let_in.head.fresh),
        (vec!["Lamp 4 warm".into(), "Lamp 3 warm".into(), "Lamp 1 warm".into()], 0)
    );
    temp(&mut fleet, "lamp", "l5", 9, 70);
    seen(&mut windows, &mut fleet, u64::MAX);
    frames(&mut windows, &mut fleet, at(10));
    hold(false, false, &mut windows, &mut fleet);
    assert_eq!(whole(&frames(&mut windows, &mut fleet, at(11))).head.alarms, 4, "left, it catches up");
}

#[test]
fn in_a_flood_the_list_folds_by_cause_until_it_is_over() {
    let mut fleet = town();
    for n in 1..=11 {
        temp(&mut fleet, "lamp", &format!("l{n}"), n, 70);
    }
    temp(&mut fleet, "bin", "b1", 12, 70);
    let (mut windows, _) = looking(table(AlarmsQuery::default()), &mut fleet);
    let flooded = whole(&frames(&mut windows, &mut fleet, at(13)));
    assert_eq!(words(&flooded.lines), ["[burning 1/1]", "[warm 11/11]"]);
    let AlarmTableHead { alarms, folded, by_itself, group, .. } = flooded.head;
    assert_eq!((alarms, folded, by_itself, group), (12, true, true, AlarmGrouping::Cause));
    let flood = fleet.alarms.flood().expect("there is one");
    assert_eq!((flood.since_ms, flood.count), (at(11).wall, 12));
    // Whoever chose does not have it their way undone.
    let query = AlarmsQuery { group: Some(AlarmGrouping::Nothing), ..AlarmsQuery::default() };
    assert_eq!(look(query, &mut fleet).lines.len(), 12);

    give(&mut fleet, Input::Ticked, at(11 + 10 * 60));
    seen(&mut windows, &mut fleet, u64::MAX);
    assert_eq!(fleet.alarms.flood(), None);
    let told = changes(frames(&mut windows, &mut fleet, at(11 + 10 * 60)));
    let [Change::AlarmTable(table)] = &told[..] else { panic!("{told:?}") };
    assert_eq!((table.lines.len(), table.head.by_itself), (12, false));
}

#[test]
fn the_first_of_those_that_began_together_in_a_district_is_marked() {
    let mut fleet = town();
    for (n, s) in [(2, 10), (4, 11), (6, 12), (1, 5), (3, 100)] {
        temp(&mut fleet, "lamp", &format!("l{n}"), s, 70);
    }
    let table = look(AlarmsQuery { sort: AlarmSort::Oldest, ..AlarmsQuery::default() }, &mut fleet);
    assert_eq!(words(&table.lines), ["Lamp 1 warm", "Lamp 2 warm *", "Lamp 4 warm", "Lamp 6 warm", "Lamp 3 warm"]);
}

#[test]
fn whole_groups_and_stretches_are_told_as_they_stood() {
    let mut fleet = troubled();
    let query = AlarmsQuery { group: Some(AlarmGrouping::Cause), ..AlarmsQuery::default() };
    let folds = Folds { folded: Some(true), except: vec!["burning".into()] };
    let (mut windows, _) = looking(stretch(query, folds, (0, 9), true), &mut fleet);
    frames(&mut windows, &mut fleet, at(5));
    // Raised again after it was told: the time is that of before, so an acknowledgement does not cover it.
    temp(&mut fleet, "lamp", "l1", 6, 20);
    temp(&mut fleet, "lamp", "l1", 7, 70);
    temp(&mut fleet, "lamp", "l9", 7, 70);
    let mut shown = |what: ShownPart| -> Vec<ShownAlarm> {
        let intent = Intent::Shown { view: ViewId(1), what };
        let request = RequestId(9);
        assert_eq!(windows.call(WINDOW, Call::Ask { request, intent }, &mut fleet, at(8)), None);
        seen(&mut windows, &mut fleet, u64::MAX);
        let told = frames(&mut windows, &mut fleet, at(8));
        let answer = told.into_iter().find_map(|frame| {
            if let Frame::Answer { outcome: Ok(Done::Shown(shown)), .. } = frame { Some(shown) } else { None }
        });
        answer.expect("it is answered")
    };
    let ids = |shown: &[ShownAlarm]| shown.iter().map(|alarm| alarm.id.0).collect::<Vec<_>>();
    let warm = shown(ShownPart::Group("warm".into()));
    assert_eq!(ids(&warm), [3, 2, 1]);
    assert_eq!((warm[2].raised_ms, warm[2].unseen, warm[2].title.as_str()), (at(1).wall, true, "Lamp 1 warm"));
    // With that answer came a frame, and with it the heading as it is now: what is asked from then on is the new raise.
    let again = shown(ShownPart::Group("warm".into()));
    assert_eq!((ids(&again), again[2].raised_ms), (vec![3, 2, 1], at(7).wall));
    assert_eq!(ids(&shown(ShownPart::All)), [4, 3, 2, 1]);
    assert_eq!(ids(&shown(ShownPart::Lines { from: 2, to: 1 })), [4, 3, 2, 1], "a folded heading stands for its group");
    assert_eq!(ids(&shown(ShownPart::Lines { from: 0, to: 1 })), [4]);
    assert_eq!(ids(&shown(ShownPart::Group("gone".into()))), [] as [u64; 0]);
}

#[test]
fn what_is_raised_again_out_of_sight_stays_as_it_was_told() {
    let mut fleet = troubled();
    let (mut windows, _) = looking(stretch(AlarmsQuery::default(), Folds::default(), (0, 2), true), &mut fleet);
    frames(&mut windows, &mut fleet, at(5));
    for lamp in ["l1", "l3"] {
        temp(&mut fleet, "lamp", lamp, 6, 20);
        temp(&mut fleet, "lamp", lamp, 7, 70);
    }
    seen(&mut windows, &mut fleet, u64::MAX);
    frames(&mut windows, &mut fleet, at(8));
    let intent = Intent::Shown { view: ViewId(1), what: ShownPart::All };
    assert_eq!(windows.call(WINDOW, Call::Ask { request: RequestId(9), intent }, &mut fleet, at(9)), None);
    let told = frames(&mut windows, &mut fleet, at(9));
    let [Frame::Answer { outcome: Ok(Done::Shown(shown)), .. }] = &told[..] else { panic!("{told:?}") };
    let raised: Vec<_> = shown.iter().map(|alarm| (alarm.id.0, alarm.raised_ms)).collect();
    assert_eq!(raised, [(4, at(4).wall), (3, at(7).wall), (2, at(2).wall), (1, at(1).wall)]);
}

#[test]
fn after_a_restart_the_flood_is_what_the_history_says() {
    let mut before = town();
    for n in 1..=12 {
        temp(&mut before, "lamp", &format!("l{n}"), n, 70);
    }
    let started = |s: u64| {
        let restored = Restored {
            things: before.things.values().map(|thing| (thing.key, thing.name.clone(), thing.meta.clone())).collect(),
            alarms: before.alarms.of(AlarmScope::Open).cloned().collect(),
            ..Restored::default()
        };
        Fleet::new(config(Role::Operator), restored, at(s))
    };
    let flood = started(60).alarms.flood().expect("it goes on");
    assert_eq!((flood.since_ms, flood.count), (at(11).wall, 12));
    assert_eq!(started(11 + 10 * 60).alarms.flood(), None, "it ended while nobody listened");
}

#[test]
fn an_advisory_is_told_and_needs_no_person() {
    let mut fleet = fleet_with(vec![rule("warm", Some(Kind::Lamp), over("/temp_c", 60.0, 0.0, 0), Priority::Advisory)]);
    give(&mut fleet, up(), at(0));
    give(&mut fleet, meta("lamp", "l1", r#"{"name":"Lamp 1","lat":35.9,"lon":14.5}"#), at(0));
    temp(&mut fleet, "lamp", "l1", 1, 70);
    let table = look(AlarmsQuery::default(), &mut fleet);
    assert_eq!(words(&table.lines), ["Lamp 1 warm"]);
    let counts = fleet.alarms.counts();
    assert_eq!((counts.open, counts.active, counts.unacknowledged, counts.advisory), (1, 1, 1, 1));
    assert_eq!((fleet.alarms.needing_count(), fleet.alarms.told()), (0, &[1, 0, 0][..]));
    let (mut windows, _) = looking(Look::Map { area: GeoBox::EARTH }, &mut fleet);
    let told = frames(&mut windows, &mut fleet, at(2));
    let [Frame::Snapshot { rows: Rows::Map(bytes), .. }] = &told[..] else { panic!("{told:?}") };
    assert_eq!(map::read(bytes).next().unwrap().status, map::Status::Normal);
}
