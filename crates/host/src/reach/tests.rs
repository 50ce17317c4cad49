use fleetlens_model::alarm::Priority;
use fleetlens_model::id::AlarmId;
use fleetlens_model::time::{MonoMs, Now, WallMs};
use fleetlens_reach::{Kept, Outbox};

use super::outbox::file_of;
use super::*;
use crate::profile::Profile;

/// A clock that stands.
struct Stands;

impl Clock for Stands {
    fn now(&self) -> Now {
        Now { wall: WallMs(1_700_000_000_000), mono: MonoMs(1_000) }
    }
}

/// A webhook where nobody listens: everything waits.
fn nobody() -> Vec<Outlet> {
    let text = "name = \"X\"\nbroker.url = \"mqtt://h\"\nshadows.enabled = true\n[[reach]]\nname = \"duty\"\n\
                webhook = \"http://127.0.0.1:1\"\nsecret = { env = \"FLEETLENS_NOT_THERE\" }";
    Profile::parse(text, "x").unwrap().reach
}

fn raised(alarm: u64) -> Happened {
    Happened::News(Box::new(News {
        event: AlarmEvent::Raised,
        alarm: AlarmId(alarm),
        fleet: "Malta".into(),
        thing: "bin-1".into(),
        title: "Bin 1".into(),
        rule: "fire".into(),
        name: "is burning".into(),
        priority: Priority::Critical,
        sentence: "71 °C".into(),
        cause: String::new(),
        consequence: String::new(),
        what_to_do: "call the fire brigade".into(),
        at_ms: WallMs(1_700_000_000_000),
        place: None,
    }))
}

async fn waiting(cache: &std::path::Path, installation: u64) -> (usize, usize) {
    let all = FileOutbox::beside(cache, installation).all().await.unwrap();
    let waiting = all.iter().filter(|record| matches!(record.kept, Kept::Waiting(_))).count();
    (waiting, all.len() - waiting)
}

#[tokio::test]
async fn what_was_told_until_the_end_is_in_the_file_and_goes_on_from_there() {
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("x.db");
    for (run, want) in [(1, 3), (2, 3)] {
        let (reaching, teller) = Reaching::start(nobody(), FileOutbox::beside(&cache, 7), Stands);
        // The second time they are known.
        (1..=3).for_each(|alarm| teller.tell(raised(alarm)));
        reaching.stop().await;
        assert_eq!(waiting(&cache, 7).await, (want, 3), "run {run}");
        // Whoever still tells then is counted.
        teller.tell(raised(9));
        assert_eq!(teller.missed.load(Ordering::Relaxed), 1);
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(file_of(&cache)).unwrap().permissions().mode() & 0o777, 0o600);
    }
    assert_eq!(waiting(&cache, 8).await, (3, 0), "the alarms of another cache are others");
}

#[tokio::test]
async fn a_file_that_cannot_be_read_is_set_aside_and_one_of_a_newer_program_is_left_alone() {
    for (found, is_ours) in [("", false), ("{\"version\":1", false), ("[]", false), ("{\"version\":2}", true)] {
        let folder = tempfile::tempdir().unwrap();
        let cache = folder.path().join("x.db");
        std::fs::write(file_of(&cache), found).unwrap();
        let read = FileOutbox::beside(&cache, 7).all().await;
        assert_eq!(read.is_err(), is_ours, "{found}: {read:?}");
        assert_eq!(file_of(&cache).exists(), is_ours, "{found}");
        let [one] = &std::fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().path()).collect::<Vec<_>>()[..]
        else {
            panic!("{found}")
        };
        assert_eq!(std::fs::read_to_string(one).unwrap(), found, "nothing is lost");
        assert_eq!(read.is_ok_and(|all| all.is_empty()), !is_ours);
    }
}
