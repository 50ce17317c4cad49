//! Groups that a window keeps, and the names of the map.

use std::path::PathBuf;

use fleetlens_ipc::ThingsQuery;
use fleetlens_ipc::profile::{KeptGroup, ProfileAsk, ProfileDone};
use fleetlens_ipc::rows::ThingsPage;

use super::*;

const HARBOUR: &str = "# ours\nname = \"Harbour\"\nidentity.role = \"operator\"\n[broker]\nurl = \"mqtt://127.0.0.1:9\"\n\
                       [shadows]\nenabled = true\n\n[[group]]\nname = \"Crew\"\nthings = [\"lamp-1\"]\n";

fn harbour(folder: &TempDir, text: &str) -> (HostOptions, PathBuf) {
    let file = folder.path().join("harbour.toml");
    std::fs::write(&file, text).unwrap();
    let options = HostOptions { profile: Some(file.clone()), demo: None, ..without_broker(folder) };
    (options, file)
}

/// The table that a window is told next.
async fn page(parcels: &mut mpsc::UnboundedReceiver<Vec<u8>>) -> ThingsPage {
    loop {
        let bytes = timeout(HANGS, parcels.recv()).await.unwrap().unwrap();
        let parcel: Parcel = decode(&bytes).unwrap();
        for frame in parcel.frames {
            if let Frame::Snapshot { rows: Rows::Things(page), .. } = frame {
                return page;
            }
        }
    }
}

fn keep(name: &str, search: &str, replaces: bool) -> Intent {
    let group = KeptGroup { name: name.into(), search: search.into(), kinds: Vec::new(), replaces };
    Intent::Profile(ProfileAsk::KeepGroup(Box::new(group)))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_group_is_there_without_a_new_beginning_and_one_that_replaces_another_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let (options, file) = harbour(&folder, HARBOUR);
    let host = started(options).await;
    let mut window = TestWindow::open(&host).await;
    let kept = |name: &str| Ok(Done::Profile(ProfileDone::Saved(name.to_owned())));
    assert_eq!(window.ask(1, keep(" Lit ", "kind:lamp", false)).await, kept("Lit"));
    let are = |window: &TestWindow<'_>| window.status.as_ref().is_some_and(|status| status.groups == ["Crew", "Lit"]);
    window.until("the new group is told", are).await;
    assert_eq!(window.begun, 0, "nothing begins anew");
    let text = std::fs::read_to_string(&file).unwrap();
    assert_eq!(text, format!("{HARBOUR}\n[[group]]\nname = \"Lit\"\nsearch = \"kind:lamp\"\n"));
    assert_eq!(std::fs::read_to_string(folder.path().join("harbour.toml.fleetlens-before")).unwrap(), HARBOUR);

    for (number, (ask, why)) in (20..).zip([
        (keep("Crew", "kind:lamp", false), "there is a group \"Crew\" already"),
        (keep(" ", "kind:lamp", false), "the group's name has 0 characters"),
        (keep("Odd", "kimd:lamp", false), "no field is called \"kimd\""),
        (keep("Odd", "group:Crew", false), "names no group"),
    ]) {
        let fault = window.ask(number, ask).await.unwrap_err();
        assert!(fault.code == FaultCode::Invalid && fault.message.contains(why), "{fault}");
    }
    assert_eq!(std::fs::read_to_string(&file).unwrap(), text, "nothing of it was written");

    assert_eq!(window.ask(3, keep("Crew", "kind:bin", true)).await, kept("Crew"));
    window.begin_again(1).await;
    let told = window.ask(4, Intent::Audit { filter: Filter::default(), limit: 20 }).await.unwrap();
    let Done::Audit(entries) = told else { panic!("no log") };
    for what in ["group kept: Lit", "group kept: Crew"] {
        assert!(entries.iter().any(|entry| entry.detail.contains(what)), "{what}: {entries:?}");
    }
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_windows_that_keep_a_group_at_once_both_keep_it() {
    let folder = tempfile::tempdir().unwrap();
    let (options, file) = harbour(&folder, HARBOUR);
    let host = started(options).await;
    let (mut one, mut other) = (TestWindow::open(&host).await, TestWindow::open(&host).await);
    let (bins, lamps) = (keep("Bins", "kind:bin", false), keep("Lamps", "kind:lamp", false));
    let (bins, lamps) = tokio::join!(one.ask(1, bins), other.ask(1, lamps));
    assert!(bins.is_ok() && lamps.is_ok(), "{bins:?} {lamps:?}");
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(["Bins", "Lamps"].iter().all(|name| text.contains(&format!("name = \"{name}\""))), "{text}");
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_of_a_group_that_nobody_knew_is_of_it_once_it_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let (options, _) = harbour(&folder, HARBOUR);
    let host = started(options).await;
    let (sent, mut parcels) = mpsc::unbounded_channel();
    let sink = move |bytes| if sent.send(bytes).is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) };
    let table = host.attach(Box::new(sink)).await.unwrap();
    let query = ThingsQuery { text: "group:Lit".into(), ..ThingsQuery::default() };
    let at = Look::Things { query, first: 0, count: 10, again: false };
    for call in [Call::Hello { contract: CONTRACT }, Call::Look { view: ViewId(1), at }] {
        host.call(table, &encode(&call).unwrap()).await.unwrap();
    }
    assert!(page(&mut parcels).await.mistake.is_some(), "nobody has the group");
    let mut window = TestWindow::open(&host).await;
    assert!(window.ask(1, keep("Lit", "kind:lamp", false)).await.is_ok());
    assert_eq!(page(&mut parcels).await.mistake, None, "and now the profile has it");
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_only_watches_keeps_no_group_and_hears_the_names_of_the_map() {
    let folder = tempfile::tempdir().unwrap();
    let (options, file) = harbour(&folder, &HARBOUR.replace("operator", "viewer"));
    let before = std::fs::read_to_string(&file).unwrap();
    let host = started(options).await;
    let mut window = TestWindow::open(&host).await;
    let refused = window.ask(1, keep("Lit", "kind:lamp", false)).await.unwrap_err();
    assert_eq!((refused.code, std::fs::read_to_string(&file).unwrap()), (FaultCode::Forbidden, before));
    let Ok(Done::MapNames(names)) = window.ask(2, Intent::MapNames).await else { panic!("no names") };
    assert!(names.iter().any(|one| one.name == "Valletta"), "{names:?}");
    host.stop().await;
}
