//! Somebody sets the wall clock while the link is up, an hour or a year either way, and puts it right again: what is counted in time
//! goes on as if nothing had happened, nothing is lost, and what is written down says when we heard it and in which order.

use super::*;
use fleetlens_model::telemetry::{FUTURE_TOLERANCE_MS, Quality, Sample, Timed};

const HOUR_MS: i64 = 3_600_000;
const YEAR_MS: i64 = 365 * 24 * HOUR_MS;
/// The clock is wrong in between, in seconds.
const WRONG: std::ops::Range<u64> = 100..600;

/// What a person sees that time has a part in.
#[derive(Debug, PartialEq)]
struct Seen {
    alarms: Vec<(String, String, bool)>,
    silent: Vec<bool>,
    heard_ago_ms: Vec<Option<u64>>,
    /// Of what nobody but us has dated.
    undated: Option<(Value, u64)>,
    dated: Option<Value>,
    phase: Option<Phase>,
}

fn seen(fleet: &Fleet, now: Now) -> Seen {
    let things = || ["a", "b", "c", "lamp-1"].map(|name| fleet.by_name.get(name).and_then(|key| fleet.things.get(key)));
    let latest = |thing: &str, pointer: &str| {
        let thing = &fleet.things[fleet.by_name.get(thing)?];
        let series = fleet.series_at(thing, pointer)?;
        let latest = series.latest()?;
        Some((latest.value.clone(), fleet.age_ms(series, &latest, now)))
    };
    Seen {
        alarms: alarms(fleet).into_iter().map(|(thing, rule, on)| (thing.into(), rule.into(), on)).collect(),
        silent: things()
            .iter()
            .flatten()
            .map(|thing| matches!(thing.silence.freshness(), Freshness::Silent { .. }))
            .collect(),
        heard_ago_ms: things().iter().flatten().map(|thing| thing.heard.map(|at| now.mono.since(at))).collect(),
        undated: latest("b", "/fill_pct"),
        dated: latest("a", "/fill_pct").map(|(value, _)| value),
        phase: fleet.commands.values().last().map(|command| command.phase.clone()),
    }
}

/// A quarter of an hour of three bins and a lamp, with a clock that is wrong by this much in between: what is seen each second, and every
/// sample that is kept with the moment it was heard.
fn quarter_of_an_hour(wrong_by_ms: i64) -> (Vec<Seen>, Vec<(Now, Sample)>) {
    let clock =
        |s: u64| Now { wall: if WRONG.contains(&s) { at(s).wall.plus(wrong_by_ms) } else { at(s).wall }, ..at(s) };
    let mut fleet = fleet_with(vec![
        rule("silent", None, Condition::Silent, Priority::Warning),
        rule("bin-full", Some(Kind::Bin), over("/fill_pct", 90.0, 5.0, 120_000), Priority::Warning),
    ]);
    let mut service = Service { document: Document::default() };
    let (mut all, mut samples) = (Vec::new(), Vec::new());
    give(&mut fleet, up(), clock(0));
    for bin in ["a", "b", "c"] {
        give(&mut fleet, meta("bin", bin, r#"{"interval_s":10}"#), clock(0));
    }
    give(&mut fleet, lamp_is_there(), clock(0));
    let lamp = fleet.by_name["lamp-1"];
    for s in 1..900 {
        let now = clock(s);
        let mut inputs = vec![Input::Ticked];
        if s % 10 == 0 {
            // Dated by the device, whose clock is right; over its limit when the clock jumps there, and when it jumps back.
            let full = [50, 98][usize::from((80..180).contains(&s) || (560..720).contains(&s))] + s % 2;
            inputs.push(says("bin", "a", s, &format!(r#"{{"fill_pct":{full}}}"#)));
            // Dated by nobody.
            inputs.push(telemetry("city/v/bin/b/telemetry", &format!(r#"{{"values":{{"fill_pct":{}}}}}"#, s / 10)));
            inputs.push(says("lamp", "lamp-1", s, &format!(r#"{{"power_w":{s}}}"#)));
            // Falls silent before the first jump, speaks, and falls silent before the second.
            if s < 70 || (300..=570).contains(&s) {
                inputs.push(says("bin", "c", s, r#"{"fill_pct":1}"#));
            }
        }
        if s == 200 {
            inputs.push(service.report(serde_json::json!({"desired":{"dim_pct":100},"reported":{"dim_pct":100}}), now));
            inputs.push(Input::Opened(lamp));
        }
        if s == 210 {
            // Nobody obeys it.
            let wish = Wish { pointer: "/dim_pct".into(), value_json: "40".into(), seen_json: Some("100".into()) };
            let intent = Intent::Command {
                thing: lamp,
                shadow: String::new(),
                wishes: vec![wish],
                expires_in_ms: Some(300_000),
            };
            inputs.push(Input::Asked { window: WindowId(1), request: RequestId(9), intent });
        }
        for input in inputs {
            let mut effects = give(&mut fleet, input, now);
            let kept = std::mem::take(&mut effects.writes);
            let kept =
                kept.into_iter().filter_map(|w| if let Write::Sample(sample) = w { Some((now, sample)) } else { None });
            samples.extend(kept);
            converse(&mut fleet, &mut service, effects, now);
        }
        all.push(seen(&fleet, now));
    }
    (all, samples)
}

#[test]
fn a_clock_that_jumps_and_jumps_back_moves_no_delay_loses_nothing_and_keeps_the_order() {
    let (right, kept) = quarter_of_an_hour(0);
    let raised =
        |rule: &str| right.iter().filter(|seen| seen.alarms.iter().any(|(_, of, on)| of == rule && *on)).count();
    assert!(raised("silent") > 100 && raised("bin-full") > 30, "something has to happen");
    assert!(right.iter().any(|seen| matches!(seen.phase, Some(Phase::Expired { .. }))));
    for wrong_by_ms in [HOUR_MS, -HOUR_MS, YEAR_MS, -YEAR_MS] {
        let (seen, samples) = quarter_of_an_hour(wrong_by_ms);
        for (s, (seen, right)) in seen.iter().zip(&right).enumerate() {
            assert_eq!(seen, right, "wrong by {wrong_by_ms} ms, {} s", s + 1);
        }
        assert_eq!(samples.len(), kept.len());
        for ((now, sample), (_, right)) in samples.iter().zip(&kept) {
            let what = format!("wrong by {wrong_by_ms} ms: {sample:?}");
            assert_eq!((sample.series, sample.seq, &sample.value), (right.series, right.seq, &right.value), "{what}");
            assert_eq!(sample.received_ms, now.wall, "{what}");
            let is_ahead = right.device_ms.0 - now.wall.0 > FUTURE_TOLERANCE_MS;
            let want = if right.timed == Timed::ByUs {
                (now.wall, Timed::ByUs, right.quality)
            } else if is_ahead {
                // Our clock says that the device's is wrong, and is written down in its place.
                (now.wall, Timed::ByUs, Quality::Estimated)
            } else {
                (right.device_ms, Timed::ByDevice, right.quality)
            };
            assert_eq!((sample.device_ms, sample.timed, sample.quality), want, "{what}");
        }
    }
}
