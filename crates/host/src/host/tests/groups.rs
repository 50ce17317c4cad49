//! Groups that a window keeps, and the names of the map.

use std::path::PathBuf;

use fleetlens_ipc::profile::{KeptGroup, ProfileAsk, ProfileDone};

use super::*;

const HARBOUR: &str = "# ours\nname = \"Harbour\"\nidentity.role = \"operator\"\n[broker]\nurl = \"mqtt://127.0.0.1:9\"\n\
                       [shadows]\nenabled = true\n\n[[group]]\nname = \"Crew\"\nthings = [\"lamp-1\"]\n";

fn harbour(folder: &TempDir, text: &str) -> (HostOptions, PathBuf) {
    let file = folder.path().join("harbour.toml");
    std::fs::write(&file, text).unwrap();
    let options = HostOptions { profile: Some(file.clone()), demo: None, ..without_broker(folder) };
    (options, file)
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
