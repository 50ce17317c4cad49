//! Boards, as a window reads and keeps them, and how full car parks were.

use fleetlens_ipc::boards::{BoardAsk, BoardDone, BoardFile, Heat};
use fleetlens_model::id::ThingName;
use fleetlens_model::record::Write;
use fleetlens_model::telemetry::{Quality, Sample, Source, Timed};
use fleetlens_model::thing::Meta;
use fleetlens_model::time::WallMs;
use fleetlens_store::Store;

use super::*;
use crate::ports::wall_now;

impl TestWindow<'_> {
    async fn board(&mut self, number: u32, ask: BoardAsk) -> Result<BoardDone, Fault> {
        match self.ask(number, Intent::Boards(ask)).await? {
            Done::Boards(done) => Ok(done),
            other => panic!("asked for boards and got {other:?}"),
        }
    }

    async fn shelf(&mut self, number: u32) -> Vec<BoardFile> {
        match self.board(number, BoardAsk::Read).await {
            Ok(BoardDone::Shelf(all)) => all,
            other => panic!("no boards: {other:?}"),
        }
    }
}

fn ids(all: &[BoardFile]) -> Vec<&str> {
    all.iter().map(|board| board.id.as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn boards_are_changed_by_who_may_steer_and_a_driver_is_handed_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let as_role = |role| HostOptions { role: Some(role), demo: None, ..without_broker(&folder) };
    let keep = || BoardAsk::Keep { id: None, text: "version = 1\nname = \"Night\"\n".into(), seen: None };
    let host = started(as_role(Role::Technician)).await;
    let mut window = TestWindow::open(&host).await;
    assert_eq!(ids(&window.shelf(1).await), ["operator", "technician", "driver"]);
    let Ok(BoardDone::Kept(kept)) = window.board(2, keep()).await else { panic!("not kept") };
    assert!(kept.file.ends_with(&format!("profiles/boards/{}.toml", kept.id)), "{}", kept.file);
    let taken = window.board(3, BoardAsk::Remove { id: kept.id.clone(), seen: 1 }).await;
    assert_eq!(taken.unwrap_err().code, FaultCode::TooLate);
    host.stop().await;

    for (role, want) in
        [(Role::Viewer, vec!["operator", "technician", "driver", kept.id.as_str()]), (Role::Driver, vec!["driver"])]
    {
        let host = started(as_role(role)).await;
        let mut window = TestWindow::open(&host).await;
        assert_eq!(ids(&window.shelf(1).await), want, "{role:?}");
        for (n, ask) in [keep(), BoardAsk::Remove { id: kept.id.clone(), seen: kept.seen }].into_iter().enumerate() {
            let refused = window.board(2 + n as u32, ask).await;
            assert_eq!(refused.unwrap_err().code, FaultCode::Forbidden, "{role:?}");
        }
        host.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn how_full_car_parks_were_is_read_from_the_cache_and_a_driver_learns_it_of_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let profile = Profile::demo().unwrap().name;
    let (store, _) = Store::open(&folder.path().join("demo.db"), &profile, 1).unwrap();
    let hour = WallMs(wall_now().0.div_euclid(3_600_000) * 3_600_000 - 3_600_000);
    let mut writes = Vec::new();
    for (key, kind) in [(1, Kind::Parking), (2, Kind::Bin)] {
        let (thing, series) = (ThingKey(key), SeriesKey(key));
        let name = ThingName::new(format!("thing-{key}")).unwrap();
        writes.push(Write::Thing { thing, name, meta: Box::new(Meta { kind, ..Meta::default() }) });
        writes.push(Write::Series { series, thing, pointer: "/free".into() });
        for minute in 0..3 {
            let at = hour.plus(minute * 60_000);
            writes.push(Write::Sample(Sample {
                series,
                seq: u64::try_from(minute).unwrap() + u64::from(key) * 10,
                device_ms: at,
                received_ms: at,
                value: Value::Number(25.0),
                source: Source::Live,
                quality: Quality::Good,
                timed: Timed::ByDevice,
            }));
        }
    }
    store.commit(Arc::new(writes)).await.unwrap();
    store.close().await.unwrap();

    let ask = || BoardAsk::Heat {
        parks: vec![(SeriesKey(1), 100), (SeriesKey(2), 50), (SeriesKey(9), 10)],
        weeks: 1,
        utc_offset_min: 0,
    };
    for (role, share, parks) in [(Role::Viewer, 100.0 / 150.0, 2), (Role::Driver, 0.75, 1)] {
        let host = started(HostOptions { role: Some(role), ..without_broker(&folder) }).await;
        let mut window = TestWindow::open(&host).await;
        let Ok(BoardDone::Heat(Heat { hours, begins, parks: of })) = window.board(1, ask()).await else { panic!() };
        let known: Vec<f32> = hours.into_iter().flatten().collect();
        assert_eq!((known.len(), begins, of), (1, Some(hour), parks), "{role:?}: everything else is a gap");
        assert!((known[0] - share).abs() < 1e-6, "{role:?}: {known:?}");
        host.stop().await;
    }
}
