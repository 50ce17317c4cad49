//! A window in the past: it sees what was, nobody steers there, and everything else goes on.

use fleetlens_ipc::replay::{ReplayAsk, ReplayDone};
use fleetlens_model::time::WallMs;

use super::*;
use crate::past::IS_PAST;
use crate::ports::wall_now;

async fn replay(window: &mut TestWindow<'_>, request: u32, asked: ReplayAsk) -> ReplayDone {
    match window.ask(request, Intent::Replay(asked)).await {
        Ok(Done::Replay(done)) => done,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_in_the_past_sees_what_was_and_steers_nothing_while_the_cache_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let host = started(small_city(&folder)).await;
    let mut window = TestWindow::open(&host).await;
    let mut other = TestWindow::open(&host).await;
    window.until("the whole city", |w| w.is_up() && w.kinds.len() == 40 && w.lamp().is_some()).await;
    let lamp = window.lamp().unwrap();
    window.say(Call::Look { view: THING, at: Look::Thing { thing: lamp } }).await;
    window.until("the lamp speaks", |w| w.value("/power_w").is_some_and(|row| row.source == Source::Live)).await;
    let then = wall_now();
    let newest = |w: &TestWindow<'_>| w.value("/power_w").map(|row| row.device_ms);
    window.until("it spoke again, and that is on the disk", |w| newest(w) > Some(then.plus(4_000))).await;

    let shown = replay(&mut window, 1, ReplayAsk::Seek(then)).await;
    let ReplayDone::Shown(moment) = shown else { panic!("{shown:?}") };
    assert_eq!((moment.at_ms, moment.speed, moment.is_other), (then, 0, false));
    window.until("the lamp as it was", |w| newest(w).is_some_and(|at| at <= then) && w.moment == Some(moment)).await;
    window
        .until("who is there looks on", |w| {
            w.status.as_ref().is_some_and(|s| {
                s.wall_ms == then && !s.who.role.may_command() && matches!(s.link, LinkState::Up { .. })
            })
        })
        .await;
    assert!(!window.page.as_ref().unwrap().may_command);
    assert_eq!(window.kinds.len(), 40);

    let wish = Wish { pointer: "/dim_pct".into(), value_json: "40".into(), seen_json: None };
    let command = Intent::Command { thing: lamp, shadow: String::new(), wishes: vec![wish], expires_in_ms: None };
    for (request, intent) in [
        (2, command.clone()),
        (3, Intent::CancelCommand { command: CommandId(1) }),
        (4, Intent::Change(Setting::Retention(Retention::default()))),
    ] {
        let refused = window.ask(request, intent).await.unwrap_err();
        assert_eq!((refused.code, refused.message.as_str()), (FaultCode::Forbidden, IS_PAST));
    }
    // The writer goes on, and so does the other window.
    let before = host.counters().await.borrow().stored;
    timeout(HANGS, host.counters().await.wait_for(|now| now.stored > before + 20)).await.unwrap().unwrap();
    other.until("the present", |w| w.status.as_ref().is_some_and(|s| s.wall_ms > then.plus(5_000))).await;
    assert_eq!(other.moment, None);
    assert_eq!(window.status.as_ref().unwrap().wall_ms, then, "it stands still");

    // It is played, faster than life, up to the present.
    let ReplayDone::Shown(playing) = replay(&mut window, 5, ReplayAsk::Play(10)).await else { panic!() };
    assert_eq!(playing.speed, 10);
    window.until("what came then", |w| newest(w) > Some(then)).await;
    window.until("the present stops it", |w| w.moment.is_some_and(|m| m.speed == 0 && m.at_ms > then)).await;

    // A moment before the first is the first.
    let ReplayDone::Span(Some((begins, ends))) = replay(&mut window, 6, ReplayAsk::Span).await else { panic!() };
    assert!(begins < then && then < ends);
    let ReplayDone::Shown(first) = replay(&mut window, 7, ReplayAsk::Seek(WallMs(0))).await else { panic!() };
    assert_eq!((first.at_ms, first.is_other), (begins, true));

    assert_eq!(replay(&mut window, 8, ReplayAsk::Now).await, ReplayDone::Now);
    window.until("the lamp as it is", |w| w.moment.is_none() && newest(w) > Some(then.plus(4_000))).await;
    window.until("and who is there steers", |w| w.page.as_ref().is_some_and(|page| page.may_command)).await;
    assert!(matches!(window.ask(9, command).await, Ok(Done::Command(_))));

    // Whoever goes back to now while a moment is read is shown the present, whichever is done first.
    let seek = Intent::Replay(ReplayAsk::Seek(then));
    window.say(Call::Ask { request: RequestId(10), intent: seek.clone() }).await;
    assert_eq!(replay(&mut window, 11, ReplayAsk::Now).await, ReplayDone::Now);
    window.until("an answer", |w| w.answers.contains_key(&RequestId(10))).await;
    let sought = &window.answers[&RequestId(10)];
    assert!(sought.is_ok() || sought.as_ref().is_err_and(|fault| fault.code == FaultCode::TooLate), "{sought:?}");
    assert_eq!(host.moment_of(window.id).await, None);

    // On the driver's screen there is no sign of the past.
    assert!(window.ask(12, seek.clone()).await.is_ok());
    window.until("the past", |w| w.moment.is_some()).await;
    window.say(Call::LookAway { view: THING }).await;
    let driver = Actor { name: "Dan".into(), role: Role::Driver };
    assert_eq!(other.ask(13, Intent::Change(Setting::Identity(driver))).await, Ok(Done::Changed));
    window.until("the present", |w| w.moment.is_none()).await;
    assert_eq!(window.ask(14, seek).await.unwrap_err().code, FaultCode::Forbidden);
    host.stop().await;
}
