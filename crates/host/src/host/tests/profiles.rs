//! The first question, and profiles that are made and changed while the program runs.

use fleetlens_ipc::profile::{
    BrokerForm, Checked, Field, MistakeRow, Password, ProfileAsk, ProfileDone, TrialStep, Try, TryBroker, Typed,
};

use super::*;

const HARBOUR: &str = "name = \"Harbour\"\nidentity.role = \"operator\"\n[broker]\nurl = \"mqtt://127.0.0.1:9\"\n\
                       [shadows]\nenabled = true\n";

impl TestWindow<'_> {
    async fn wish(&mut self, number: u32, ask: ProfileAsk) -> Result<ProfileDone, Fault> {
        match self.ask(number, Intent::Profile(ask)).await? {
            Done::Profile(done) => Ok(done),
            other => panic!("asked for a profile and got {other:?}"),
        }
    }

    async fn save(
        &mut self,
        number: u32,
        replaces: Option<&str>,
        text: &str,
        and_use: bool,
    ) -> Result<ProfileDone, Fault> {
        let (replaces, text) = (replaces.map(str::to_owned), text.to_owned());
        self.wish(number, ProfileAsk::Save { replaces, text, password: None, and_use }).await
    }

    /// Begins again, as the host says, and waits for another profile.
    async fn begin(&mut self, times: u32, profile: &str) {
        self.until("the word to begin again", |w| w.begun == times).await;
        self.revisions.clear();
        (self.status, self.settings) = (None, None);
        self.look().await;
        self.until("the profile", |w| w.profile().is_some_and(|(name, _)| name == profile)).await;
    }

    fn is_undecided(&self) -> Option<bool> {
        self.status.as_ref().map(|status| status.undecided)
    }
}

fn first(folder: &TempDir) -> HostOptions {
    HostOptions { ask: true, ..small_city(folder) }
}

#[tokio::test(flavor = "multi_thread")]
async fn at_the_first_start_nothing_is_connected_until_somebody_says_what_to_show() {
    let folder = tempfile::tempdir().unwrap();
    let host = started(first(&folder)).await;
    let mut window = TestWindow::open(&host).await;
    window.until("the question", |w| w.is_undecided() == Some(true)).await;
    assert_eq!(host.demo_address().await, None, "no city lives yet");
    assert_eq!(window.ask(1, Intent::Profile(ProfileAsk::Demo)).await, Ok(Done::Changed));
    window.begin(1, "Demo city").await;
    window.until("the city", |w| w.is_up() && w.kinds.len() == 40).await;
    assert_eq!(window.is_undecided(), Some(false));
    host.stop().await;

    let host = started(first(&folder)).await;
    let mut window = TestWindow::open(&host).await;
    window.until("the city at once", |w| w.is_up() && w.is_undecided() == Some(false)).await;
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_profile_is_made_used_and_changed_while_it_is_used() {
    let folder = tempfile::tempdir().unwrap();
    let host = started(first(&folder)).await;
    let mut window = TestWindow::open(&host).await;
    window.until("the question", |w| w.is_undecided() == Some(true)).await;

    let check = ProfileAsk::Check { text: HARBOUR.replace("shadows", "shadow"), replaces: None };
    let ProfileDone::Checked(checked) = window.wish(1, check).await.unwrap() else { panic!("not checked") };
    assert!(
        matches!(*checked, Checked { mistake: Some(MistakeRow { line: 5, .. }), preview: None, .. }),
        "{checked:?}"
    );
    let fault = window.save(2, None, "name = \"Harbour\"", true).await.unwrap_err();
    assert!(fault.message.contains("missing field `broker`"), "{fault}");
    assert_eq!(window.save(3, None, HARBOUR, true).await, Ok(ProfileDone::Saved("Harbour".into())));
    window.begin(1, "Harbour").await;
    assert_eq!(window.is_undecided(), Some(false));

    // In use: it begins anew as it stands in its file now, with the same cache.
    let elsewhere = HARBOUR.replace(":9", ":10");
    assert_eq!(window.save(4, Some("Harbour"), &elsewhere, false).await, Ok(ProfileDone::Saved("Harbour".into())));
    window.begin(2, "Harbour").await;
    assert!(window.status.as_ref().unwrap().broker.contains("127.0.0.1:10"), "{:?}", window.status);

    // Not in use: nothing begins anew, and it is listed.
    assert_eq!(
        window.save(5, None, &HARBOUR.replace("Harbour", "Quay"), false).await,
        Ok(ProfileDone::Saved("Quay".into()))
    );
    window
        .until("the list with it", |w| w.settings.as_ref().is_some_and(|s| s.profiles.iter().any(|p| p.name == "Quay")))
        .await;
    assert_eq!(window.begun, 2);

    // Another name is another cache.
    let renamed = HARBOUR.replace("Harbour", "Port");
    assert_eq!(window.save(6, Some("Harbour"), &renamed, false).await, Ok(ProfileDone::Saved("Port".into())));
    window.begin(3, "Port").await;
    host.stop().await;

    let host = started(first(&folder)).await;
    let mut window = TestWindow::open(&host).await;
    window.until("the same after a restart", |w| w.profile() == Some(("Port", false))).await;
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn windows_that_are_gone_keep_no_place_among_the_tries() {
    let folder = tempfile::tempdir().unwrap();
    let host = started(without_broker(&folder)).await;
    let form = BrokerForm { name: "X".into(), url: "mqtt://127.0.0.1:9".into(), ..BrokerForm::default() };
    let attempt = || {
        let asked = Try { broker: TryBroker::Form(form.clone()), filters: vec!["city/#".into()] };
        ProfileAsk::Try(Box::new(asked))
    };
    // More than may try at the same time. What they asked was under way when they went.
    for _ in 0..10 {
        let window = TestWindow::open(&host).await;
        host.detach(window.id).await;
        assert_eq!(host.profile(window.id, attempt()).await.map(drop).unwrap_err().code, FaultCode::TooLate);
    }
    for _ in 0..10 {
        let mut window = TestWindow::open(&host).await;
        assert_eq!(window.wish(1, attempt()).await, Ok(ProfileDone::Trying));
        host.sinks.clone().close(window.id);
    }
    let mut window = TestWindow::open(&host).await;
    assert_eq!(window.wish(1, attempt()).await, Ok(ProfileDone::Trying));
    window.until("its end", |w| w.trials.last().is_some_and(|t| matches!(t.step, TrialStep::Failed { .. }))).await;
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_ends_what_was_half_saved_when_the_machine_stopped() {
    let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let with_password = HARBOUR.replace(":9\"", ":9\"\nuser = \"ada\"\npassword = { file = \"h.password\" }");
    let named = elsewhere.path().join("h.toml");
    std::fs::write(&named, HARBOUR).unwrap();
    let profiles = folder.path().join("profiles");
    std::fs::create_dir(&profiles).unwrap();
    for half in [elsewhere.path(), &profiles] {
        std::fs::write(half.join("h.toml.fleetlens-both"), &with_password).unwrap();
        std::fs::write(half.join("h.password.fleetlens-new"), "secret").unwrap();
    }
    std::fs::write(profiles.join("left.password.fleetlens-new"), "secr").unwrap();
    let options = HostOptions { profile: Some(named.clone()), ..without_broker(&folder) };
    started(options).await.stop().await;
    for whole in [elsewhere.path(), &profiles] {
        assert_eq!(std::fs::read_to_string(whole.join("h.toml")).unwrap(), with_password);
        assert_eq!(std::fs::read_to_string(whole.join("h.password")).unwrap(), "secret");
        assert_eq!(std::fs::read_dir(whole).unwrap().count(), 2, "nothing is left beside them");
    }
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_start_ends_what_was_half_saved_beside_the_file_that_a_link_leads_to() {
    let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (profiles, linked) = (folder.path().join("profiles"), elsewhere.path().join("h.toml"));
    std::fs::create_dir(&profiles).unwrap();
    std::fs::write(&linked, HARBOUR).unwrap();
    std::os::unix::fs::symlink(&linked, profiles.join("harbour.toml")).unwrap();
    let with_password = HARBOUR.replace(":9\"", ":9\"\nuser = \"ada\"\npassword = { file = \"h.password\" }");
    std::fs::write(elsewhere.path().join("h.toml.fleetlens-both"), &with_password).unwrap();
    std::fs::write(elsewhere.path().join("h.password.fleetlens-new"), "secret").unwrap();
    started(without_broker(&folder)).await.stop().await;
    assert_eq!(std::fs::read_to_string(linked).unwrap(), with_password);
    assert_eq!(std::fs::read_to_string(elsewhere.path().join("h.password")).unwrap(), "secret");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_is_not_there_is_told_beside_its_field_and_those_who_watch_try_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let host = started(without_broker(&folder)).await;
    let mut window = TestWindow::open(&host).await;
    let form = |url: &str| BrokerForm { name: "X".into(), url: url.into(), ..BrokerForm::default() };
    let attempt = |url: &str, filter: &str| {
        let asked = Try { broker: TryBroker::Form(form(url)), filters: vec![filter.into()] };
        ProfileAsk::Try(Box::new(asked))
    };
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for (number, url, filter, field, says) in [
        (1, format!("mqtt://{nobody}"), "city/#", Field::Port, "no broker listens at"),
        (2, "mqtt://nowhere.invalid".into(), "city/#", Field::Host, "the host nowhere.invalid is not known"),
        (3, format!("mqtt://{nobody}"), "#", Field::Filters, "everything a broker has"),
    ] {
        window.trials.clear();
        assert_eq!(window.wish(number, attempt(&url, filter)).await, Ok(ProfileDone::Trying));
        window.until("its end", |w| w.trials.last().is_some_and(|t| matches!(t.step, TrialStep::Failed { .. }))).await;
        let TrialStep::Failed { field: told, message } = &window.trials.last().unwrap().step else {
            panic!("no failure")
        };
        assert!(*told == field && message.contains(says), "{told:?}: {message}");
    }
    // One that never answers is left alone when the person says so.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    window.trials.clear();
    window.wish(4, attempt(&format!("mqtt://{}", silent.local_addr().unwrap()), "city/#")).await.unwrap();
    let (mut caller, _) = silent.accept().unwrap();
    assert_eq!(window.wish(5, ProfileAsk::EndTry).await, Ok(ProfileDone::Trying));
    caller.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let left = std::io::Read::read_to_end(&mut caller, &mut Vec::new());
    assert!(left.is_ok(), "the connection is closed: {left:?}");
    assert!(window.trials.iter().all(|trial| trial.step == TrialStep::Connecting), "{:?}", window.trials);

    let viewer = Setting::Identity(Actor { name: "V".into(), role: Role::Viewer });
    assert_eq!(window.set(6, viewer).await, Ok(Done::Changed));
    let password = Some(Typed("secret".into()));
    let save = ProfileAsk::Save { replaces: None, text: HARBOUR.into(), password, and_use: false };
    for (number, ask) in [(7, attempt("mqtt://127.0.0.1", "city/#")), (8, save), (9, ProfileAsk::Demo)] {
        assert_eq!(window.wish(number, ask).await.unwrap_err().code, FaultCode::Forbidden);
    }
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn from_another_machine_nobody_has_a_secret_of_this_one_sent_anywhere() {
    let folder = tempfile::tempdir().unwrap();
    let broker = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    broker.set_nonblocking(true).unwrap();
    let url = format!("mqtt://{}", broker.local_addr().unwrap());
    let host = started(HostOptions { served: true, ..without_broker(&folder) }).await;
    let mut window = TestWindow::open(&host).await;
    let with = |secret: &str| {
        HARBOUR.replace("mqtt://127.0.0.1:9\"", &format!("{url}\"\nuser = \"ada\"\npassword = {{ {secret} }}"))
    };
    let text = |secret: &str| TryBroker::Text { text: with(secret), replaces: None, password: None };
    let form = |password| {
        let (name, user) = ("X".into(), "ada".into());
        TryBroker::Form(BrokerForm { name, user, url: url.clone(), password, ..BrokerForm::default() })
    };
    for (number, broker, says) in [
        (1, text("env = \"PATH\""), "the variable PATH is a secret of the machine"),
        (2, text("file = \"/etc/hostname\""), "the file /etc/hostname"),
        (3, text("keychain = \"city\""), "city in the keychain"),
        (4, form(Password::Env("PATH".into())), "type the password in a new profile, or edit the profile's file"),
        (5, form(Password::File("/etc/hostname".into())), "the file /etc/hostname"),
        (6, form(Password::Keychain("city".into())), "city in the keychain"),
    ] {
        window.trials.clear();
        let asked = Try { broker, filters: vec!["city/#".into()] };
        assert_eq!(window.wish(number, ProfileAsk::Try(Box::new(asked))).await, Ok(ProfileDone::Trying));
        window.until("its end", |w| w.trials.last().is_some_and(|t| matches!(t.step, TrialStep::Failed { .. }))).await;
        let TrialStep::Failed { field, message } = &window.trials.last().unwrap().step else { panic!("no failure") };
        assert!(*field == Field::Password && message.contains(says), "{field:?}: {message}");
    }
    let fault = window.save(7, None, &with("env = \"PATH\""), false).await.unwrap_err();
    assert!(fault.message.contains("the variable PATH"), "{fault}");
    let nobody_came = broker.accept().map(drop).map_err(|error| error.kind());
    assert_eq!(nobody_came, Err(std::io::ErrorKind::WouldBlock), "nothing was connected to");

    // What was typed is nobody's secret but the typist's.
    let typed = form(Password::Typed(Typed("typed".into())));
    let asked = Try { broker: typed, filters: vec!["city/#".into()] };
    window.wish(8, ProfileAsk::Try(Box::new(asked))).await.unwrap();
    let came = async {
        while broker.accept().is_err() {
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(10), came).await.expect("somebody came");
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn from_another_machine_nobody_reads_a_file_of_this_one_by_naming_it() {
    let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let profiles = folder.path().join("profiles");
    std::fs::create_dir(&profiles).unwrap();
    for (place, file) in [(elsewhere.path(), "secret.csv"), (elsewhere.path(), "kept.csv"), (&profiles, "own.csv")] {
        std::fs::write(place.join(file), "thing,kind\nx,top secret\n").unwrap();
    }
    let host = started(HostOptions { served: true, ..small_city(&folder) }).await;
    let mut window = TestWindow::open(&host).await;
    window.until("the city", TestWindow::is_up).await;
    let url = host.demo_address().await.unwrap().to_string();
    let with = |name: &str, file: &Path| {
        format!(
            "name = {name:?}\nidentity.role = \"operator\"\nbroker.url = {url:?}\nregistry.file = {file:?}\n[[telemetry]]\n\
             template = \"city/{{area}}/{{kind}}/{{thing}}/telemetry\"\nenvelope = \"/values\"\ntime = \"/ts\"\n"
        )
    };
    // On this machine somebody keeps a profile that names a file elsewhere.
    std::fs::write(profiles.join("kept.toml"), with("Kept", &elsewhere.path().join("kept.csv"))).unwrap();
    let asked = |broker| ProfileAsk::Try(Box::new(Try { broker, filters: vec!["city/#".into()] }));
    let text = |file: &Path| TryBroker::Text { text: with("X", file), replaces: None, password: None };
    let secret = elsewhere.path().join("secret.csv");
    let up = Path::new("../../").join(elsewhere.path().file_name().unwrap()).join("secret.csv");

    let form = |ca: String, certificate: String, key: String| {
        let url = "mqtts://127.0.0.1:9".into();
        TryBroker::Form(BrokerForm { name: "X".into(), url, ca, certificate, key, ..BrokerForm::default() })
    };
    let pem = secret.display().to_string();
    for (number, broker, at) in [
        (1, text(&secret), Field::Broker),
        (2, text(&up), Field::Broker),
        (3, form(pem.clone(), String::new(), String::new()), Field::Ca),
        (4, form(String::new(), pem, "x.key".into()), Field::Certificate),
    ] {
        window.trials.clear();
        assert_eq!(window.wish(number, asked(broker)).await, Ok(ProfileDone::Trying));
        window.until("its end", |w| w.trials.last().is_some_and(|t| matches!(t.step, TrialStep::Failed { .. }))).await;
        let TrialStep::Failed { field, message } = &window.trials.last().unwrap().step else { panic!("no failure") };
        assert!(*field == at && message.contains("is not in the profile's folder"), "{field:?}: {message}");
    }
    let fault = window.save(5, None, &with("X", &secret), false).await.unwrap_err();
    assert!(fault.message.contains("is not in the profile's folder"), "{fault}");

    window.trials.clear();
    window.wish(6, asked(text(Path::new("own.csv")))).await.unwrap();
    window.until("messages", |w| w.trials.last().is_some_and(|trial| trial.messages > 0)).await;
    window.wish(7, ProfileAsk::EndTry).await.unwrap();
    for (number, file, is_read) in [
        (8, secret.as_path(), false),
        (9, &up, false),
        (10, &elsewhere.path().join("kept.csv"), true),
        (11, Path::new("own.csv"), true),
    ] {
        let check = ProfileAsk::Check { text: with("X", file), replaces: None };
        let ProfileDone::Checked(checked) = window.wish(number, check).await.unwrap() else { panic!("not checked") };
        let name = file.file_name().unwrap().to_str().unwrap();
        let preview = checked.preview.unwrap();
        let told = preview.refused.iter().find(|row| row.topic == name).unwrap_or_else(|| panic!("{preview:?}"));
        let told = told.why.clone();
        assert_eq!(told.contains("top secret"), is_read, "{told}");
        assert_eq!(told.contains("is not in the profile's folder"), !is_read, "{told}");
    }
    assert_eq!(
        window.save(12, None, &with("X", Path::new("own.csv")), false).await,
        Ok(ProfileDone::Saved("X".into()))
    );
    host.stop().await;
}

impl TestWindow<'_> {
    /// Waits until the audit log of the cache in use tells this of profiles, who and what, the oldest first.
    async fn until_told(&mut self, number: &mut u32, want: &[(String, String)]) {
        let filter = Filter { text: Some("profile".into()), ..Filter::default() };
        let end = Instant::now() + HANGS;
        loop {
            *number += 1;
            let answer = self.ask(*number, Intent::Audit { filter: filter.clone(), limit: 50 }).await;
            let Ok(Done::Audit(entries)) = answer else { panic!("asked for the audit log and got {answer:?}") };
            let set = entries.into_iter().rev().filter(|entry| entry.event == Event::Set);
            let told: Vec<_> = set.map(|entry| (entry.by.person().unwrap().name.clone(), entry.detail)).collect();
            if told == want {
                return;
            }
            assert!(Instant::now() < end && told.len() <= want.len(), "{told:?} for {want:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_made_changed_and_chose_a_profile_stands_in_the_log_of_the_cache_before_and_of_the_one_after() {
    let folder = tempfile::tempdir().unwrap();
    let host = started(HostOptions { ask: true, ..without_broker(&folder) }).await;
    let mut window = TestWindow::open(&host).await;
    window.until("the question", |w| w.is_undecided() == Some(true)).await;
    let mut number = 100;
    let demo_s = window.status.as_ref().unwrap().who.name.clone();
    let lines = |by: &str, lines: &[&str]| -> Vec<(String, String)> {
        lines.iter().map(|line| (by.to_owned(), (*line).to_owned())).collect()
    };

    let first = HARBOUR.replace("identity.role", "identity.name = \"J. Camilleri\"\nidentity.role");
    window.save(1, None, &first, true).await.unwrap();
    window.begin(1, "Harbour").await;
    let made = lines(&demo_s, &["profile made: Harbour", "profile in use: nothing chosen → Harbour"]);
    // The log of the cache after.
    window.until_told(&mut number, &made).await;

    // In use, with the same cache: told once.
    let elsewhere = first.replace("url = ", "user = \"secret-user\"\npassword = { env = \"SECRET\" }\nurl = ");
    window.save(3, Some("Harbour"), &elsewhere, false).await.unwrap();
    window.begin(2, "Harbour").await;
    let mut here = made.clone();
    here.extend(lines("J. Camilleri", &["profile changed: Harbour: broker.password, broker.user"]));
    window.until_told(&mut number, &here).await;

    // Not in use: told where it was done.
    window.save(5, None, &HARBOUR.replace("Harbour", "Quay"), false).await.unwrap();
    assert!(window.save(6, None, "name = \"Quay\"", false).await.is_err(), "nothing is made of what has a mistake");
    here.extend(lines("J. Camilleri", &["profile made: Quay"]));
    window.until_told(&mut number, &here).await;
    assert_eq!(window.ask(8, Intent::Change(Setting::Profile("Harbour".into()))).await, Ok(Done::Changed));
    // It is in use already.
    window.until_told(&mut number, &here).await;

    assert_eq!(window.ask(10, Intent::Profile(ProfileAsk::Demo)).await, Ok(Done::Changed));
    window.begin(3, "Demo city").await;
    let mut demos = made;
    demos.extend(lines("J. Camilleri", &["profile in use: Harbour → Demo city"]));
    // The log of the cache before, which is the one after again.
    window.until_told(&mut number, &demos).await;
    host.stop().await;

    let told: Vec<_> = here.into_iter().chain(demos).collect();
    assert!(told.iter().all(|(_, line)| !line.contains("secret-user") && !line.contains("SECRET")), "{told:?}");
}

/// What the log of the cache in use tells of profiles, newest first, once it is so many entries: what was told last may still be on its
/// way to the disk. `number` of the first question, which has a thousand.
async fn told_of_profiles(window: &mut TestWindow<'_>, number: u32, count: usize) -> Vec<String> {
    let mut told = Vec::new();
    for number in number..number + 1_000 {
        let filter = Filter { text: Some("profile".into()), ..Filter::default() };
        let Ok(Done::Audit(entries)) = window.ask(number, Intent::Audit { filter, limit: 100 }).await else {
            panic!("no log")
        };
        told = entries.into_iter().map(|entry| entry.detail).collect();
        if told.len() >= count {
            return told;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("never {count}: {told:?}")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_profile_made_under_the_name_of_the_one_in_use_whose_file_is_gone_is_in_effect_and_told() {
    let folder = tempfile::tempdir().unwrap();
    let host = started(first(&folder)).await;
    let mut window = TestWindow::open(&host).await;
    assert_eq!(window.save(1, None, HARBOUR, true).await, Ok(ProfileDone::Saved("Harbour".into())));
    window.begin(1, "Harbour").await;
    for entry in std::fs::read_dir(folder.path().join("profiles")).unwrap() {
        std::fs::remove_file(entry.unwrap().path()).unwrap();
    }
    let elsewhere = HARBOUR.replace(":9", ":10");
    assert_eq!(window.save(2, None, &elsewhere, true).await, Ok(ProfileDone::Saved("Harbour".into())));
    window.begin(2, "Harbour").await;
    assert!(window.status.as_ref().unwrap().broker.contains("127.0.0.1:10"), "{:?}", window.status);
    let told = told_of_profiles(&mut window, 1_000, 3).await;
    assert_eq!(told.iter().filter(|told| *told == "profile made: Harbour").count(), 2, "{told:?}");
    host.stop().await;
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn where_a_profile_cannot_be_opened_after_all_the_log_says_what_is_in_use_instead_and_why() {
    let folder = tempfile::tempdir().unwrap();
    let host = started(first(&folder)).await;
    let mut window = TestWindow::open(&host).await;
    assert_eq!(window.save(1, None, HARBOUR, true).await, Ok(ProfileDone::Saved("Harbour".into())));
    window.begin(1, "Harbour").await;
    let told = told_of_profiles(&mut window, 1_000, 2).await;
    assert_eq!(told, ["profile in use: nothing chosen → Harbour", "profile made: Harbour"]);
    // Its cache cannot be opened again: somebody has taken the right to it.
    let cache = host.run.read().await.as_ref().unwrap().cache.clone();
    let right = cache.with_file_name(format!("{}.lock", cache.file_name().unwrap().to_string_lossy()));
    std::fs::remove_file(&right).unwrap();
    let right = std::fs::File::create(right).unwrap();
    right.try_lock().unwrap();
    let saved = window.save(3, Some("Harbour"), &HARBOUR.replace(":9", ":10"), false).await;
    assert_eq!(saved, Ok(ProfileDone::Saved("Harbour".into())));
    window.begin(2, "Demo city").await;
    let told = told_of_profiles(&mut window, 5_000, 4).await;
    let [last, saved] = &told[..2] else { panic!("{told:?}") };
    assert!(
        last.starts_with("profile in use: Harbour → Demo city; the profile \"Harbour\" cannot be used"),
        "{told:?}"
    );
    assert!(last.contains("in use by another") && saved == "profile changed: Harbour: broker.url", "{told:?}");
    let harbour = told.iter().filter(|told| told.ends_with("→ Harbour")).count();
    assert_eq!(harbour, 1, "only the first time: {told:?}");
    host.stop().await;
}
