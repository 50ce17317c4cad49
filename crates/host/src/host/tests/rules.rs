//! The rules of a profile, as a window reads, tries and changes them.

use std::path::PathBuf;

use fleetlens_ipc::rules::{RuleAsk, RuleBook, RuleChange, RuleDone, RuleDraft, RuleField, RuleForm};

use super::*;

const HARBOUR: &str = "# ours\nname = \"Harbour\"\nidentity.role = \"operator\"\n[broker]\nurl = \"mqtt://127.0.0.1:9\"\n\
                       [shadows]\nenabled = true\n";

impl TestWindow<'_> {
    async fn rule(&mut self, number: u32, ask: RuleAsk) -> Result<RuleDone, Fault> {
        match self.ask(number, Intent::Rules(ask)).await? {
            Done::Rules(done) => Ok(done),
            other => panic!("asked for rules and got {other:?}"),
        }
    }

    async fn book(&mut self, number: u32) -> RuleBook {
        match self.rule(number, RuleAsk::Read).await {
            Ok(RuleDone::Book(book)) => *book,
            other => panic!("no rules: {other:?}"),
        }
    }
}

/// A host with this profile, named on the command line, without a broker.
fn harbour(folder: &TempDir) -> (HostOptions, PathBuf) {
    let file = folder.path().join("harbour.toml");
    std::fs::write(&file, HARBOUR).unwrap();
    let options = HostOptions { profile: Some(file.clone()), demo: None, ..without_broker(folder) };
    (options, file)
}

fn draft(id: &str, when: &str, replaces: Option<&str>) -> RuleDraft {
    let form = RuleForm { id: id.into(), when: when.into(), what_to_do: "go".into(), ..RuleForm::default() };
    RuleDraft { form, replaces: replaces.map(str::to_owned) }
}

fn keep(draft: RuleDraft) -> RuleChange {
    RuleChange::Keep(Box::new(draft))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_is_checked_kept_and_taken_out_and_a_file_that_was_changed_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (options, file) = harbour(&folder);
    let host = started(options).await;
    let mut window = TestWindow::open(&host).await;
    let book = window.book(1).await;
    assert_eq!((book.profile.as_str(), book.locked, book.usual, book.rules.len()), ("Harbour", None, true, 3));

    let wrong = RuleAsk::Check(Box::new(draft("hot", "temp_c >", None)));
    let Ok(RuleDone::Checked(Some(mistake))) = window.rule(2, wrong).await else { panic!("no mistake") };
    assert_eq!((mistake.field, mistake.column), (Some(RuleField::When), Some(9)));
    let right = draft("hot", "temp_c > 60", None);
    assert_eq!(window.rule(3, RuleAsk::Check(Box::new(right.clone()))).await, Ok(RuleDone::Checked(None)));
    let Ok(RuleDone::Resets(resets)) = window.rule(4, RuleAsk::Resets(keep(right.clone()))).await else {
        panic!("nothing told")
    };
    assert!(resets[0].contains("usual ones") && resets.last().unwrap().contains("made anew"), "{resets:?}");
    let tried = window.rule(5, RuleAsk::Try { draft: Box::new(right.clone()), days: 7 }).await;
    let Ok(RuleDone::Tried(tried)) = tried else { panic!("{tried:?}") };
    assert!(tried.unanswered.unwrap().contains("holds nothing"));

    let change = keep(right);
    assert_eq!(window.rule(6, RuleAsk::Do { change: change.clone(), seen: book.seen }).await, Ok(RuleDone::Kept));
    window.begin_again(1).await;
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.starts_with("# ours\n") && text.contains("when = \"temp_c > 60\""), "{text}");
    assert_eq!(std::fs::read_to_string(folder.path().join("harbour.toml.fleetlens-before")).unwrap(), HARBOUR);
    let late = window.rule(7, RuleAsk::Do { change, seen: book.seen }).await.unwrap_err();
    assert!(late.code == FaultCode::TooLate && late.message.contains("changed meanwhile"), "{late}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), text);

    let book = window.book(8).await;
    assert_eq!((book.usual, book.rules.len(), book.rules[3].form.when.as_str()), (false, 4, "temp_c > 60"));
    let change = RuleChange::Remove("hot".into());
    assert_eq!(window.rule(9, RuleAsk::Do { change, seen: book.seen }).await, Ok(RuleDone::Kept));
    window.begin_again(2).await;
    assert_eq!(window.book(10).await.rules.len(), 3);
    let told = window.ask(11, Intent::Audit { filter: Filter::default(), limit: 20 }).await.unwrap();
    let Done::Audit(entries) = told else { panic!("no log") };
    for what in ["rule made: hot", "rule removed: hot"] {
        assert!(entries.iter().any(|entry| entry.detail.contains(what)), "{what}: {entries:?}");
    }
    host.stop().await;
}

impl TestWindow<'_> {
    pub(super) async fn begin_again(&mut self, times: u32) {
        self.until("the word to begin again", |w| w.begun == times).await;
        self.revisions.clear();
        self.look().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_state_machine_does_not_do_here_is_told_with_its_rule() {
    let folder = tempfile::tempdir().unwrap();
    let (options, file) = harbour(&folder);
    let alarm = "[[alarm]]\nid = \"pump\"\ndetector = \"pump.json\"\nstates = [\"Dangerous\"]\nwhat_to_do = \"go\"\n";
    std::fs::write(&file, format!("{HARBOUR}{alarm}")).unwrap();
    let document = folder.path().join("pump.json");
    std::fs::write(&document, include_str!("../../../../../tests/fixtures/detectors/pump.json")).unwrap();
    let host = started(options).await;
    let mut window = TestWindow::open(&host).await;
    let form = window.book(1).await.rules.remove(0).form;
    assert_eq!(form.machine, "pump.json: Dangerous");
    assert_eq!(form.left_out, ["state Dangerous, onEnter, event Tell: sns"]);
    // Without its document the rules are listed all the same.
    std::fs::remove_file(document).unwrap();
    let book = window.book(2).await;
    assert_eq!((book.rules.len(), &book.rules[0].form.left_out), (1, &Vec::new()));
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_city_is_read_and_not_changed_and_who_may_not_steer_does_neither() {
    let folder = tempfile::tempdir().unwrap();
    let host = started(without_broker(&folder)).await;
    let mut window = TestWindow::open(&host).await;
    let book = window.book(1).await;
    assert!(book.locked.unwrap().contains("comes with the program") && book.rules.len() > 5);
    let change = RuleAsk::Do { change: RuleChange::Remove("bin-full".into()), seen: book.seen };
    let refused = window.rule(2, change).await.unwrap_err();
    assert!(refused.message.contains("cannot be changed"), "{refused}");
    host.stop().await;

    let host = started(HostOptions { role: Some(Role::Viewer), ..without_broker(&folder) }).await;
    let mut window = TestWindow::open(&host).await;
    assert_eq!(window.rule(1, RuleAsk::Read).await.unwrap_err().code, FaultCode::Forbidden);
    let change = RuleAsk::Do { change: RuleChange::Remove("bin-full".into()), seen: book.seen };
    assert_eq!(window.rule(2, change).await.unwrap_err().code, FaultCode::Forbidden);
    host.stop().await;

    let host = started(without_broker(&folder)).await;
    let mut window = TestWindow::open(&host).await;
    let told = window.ask(1, Intent::Audit { filter: Filter::default(), limit: 20 }).await.unwrap();
    let Done::Audit(entries) = told else { panic!("no log") };
    let refused = entries.iter().filter(|entry| entry.event == Event::Refused).count();
    assert_eq!(refused, 1, "who wanted to change a rule is in the log, not who wanted to read: {entries:?}");
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_read_of_one_profile_changes_no_other_one() {
    let folder = tempfile::tempdir().unwrap();
    let (options, file) = harbour(&folder);
    let host = started(options.clone()).await;
    let mut window = TestWindow::open(&host).await;
    let seen = window.book(1).await.seen;
    host.stop().await;
    // The same words in another file.
    let other = folder.path().join("port.toml");
    std::fs::copy(&file, &other).unwrap();
    let host = started(HostOptions { profile: Some(other.clone()), ..options }).await;
    let mut window = TestWindow::open(&host).await;
    let change = keep(draft("hot", "temp_c > 60", None));
    let refused = window.rule(1, RuleAsk::Do { change, seen }).await.unwrap_err();
    assert_eq!(refused.code, FaultCode::TooLate);
    assert_eq!(std::fs::read_to_string(&other).unwrap(), HARBOUR);
    host.stop().await;
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_mistake_in_the_file_is_told_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let (options, file) = harbour(&folder);
    let host = started(options).await;
    let mut window = TestWindow::open(&host).await;
    std::fs::write(&file, HARBOUR.replace("enabled = true", "enabled = maybe")).unwrap();
    let book = window.book(1).await;
    let mistake = book.mistake.unwrap();
    assert!(mistake.line == 7 && book.rules.is_empty(), "{mistake:?}");
    std::fs::write(&file, HARBOUR.replace("//127.0.0.1:9", "")).unwrap();
    let book = window.book(2).await;
    assert_eq!((book.mistake.map(|mistake| mistake.line), book.rules.len()), (Some(5), 3));
    host.stop().await;
}
