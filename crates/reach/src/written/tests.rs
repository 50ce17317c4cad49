use super::*;
use fleetlens_model::time::WallMs;

#[derive(Deserialize)]
struct Profile {
    reach: Vec<WrittenReach>,
}

/// What a profile of these lines leads to, or what is wrong as `line N: field: …`.
fn read(lines: &str) -> Result<Vec<Outlet>, String> {
    let profile: Profile = toml::from_str(lines).map_err(|error| error.to_string())?;
    outlets(profile.reach, Path::new("/city")).map_err(|error| {
        let line = lines.get(..error.at.start).unwrap().lines().count().max(1);
        format!("line {line}: {error}")
    })
}

const HOOK: &str =
    "[[reach]]\nname = \"duty\"\nwebhook = \"https://duty.city.example/hook\"\nsecret = { file = \"duty.secret\" }\n";
const MAIL: &str = "[[reach]]\nname = \"office\"\nmail = \"smtps://mail.city.example\"\nfrom = \"Fleetlens <alarms@city.example>\"\nto = [\"ada@city.example\", \"Ben <ben@city.example>\"]\nuser = \"alarms\"\npassword = { keychain = \"mail\" }\n";

#[test]
fn an_entry_with_nothing_but_where_it_leads_to_has_the_usual_route() {
    let outlets = read(HOOK).unwrap();
    let want = Route {
        name: "duty".into(),
        from: Priority::Critical,
        after_ms: 0,
        cleared: true,
        quiet: None,
        at_once: Some(Priority::Critical),
    };
    assert_eq!(outlets.iter().map(|outlet| &outlet.route).collect::<Vec<_>>(), [&want]);
    assert!(format!("{outlets:?}").contains("/city/duty.secret"), "{outlets:?}");
}

#[test]
fn each_address_of_mail_is_a_route_of_its_own() {
    let outlets = read(MAIL).unwrap();
    let names: Vec<&str> = outlets.iter().map(|outlet| outlet.route.name.as_str()).collect();
    assert_eq!(names, ["office/ada@city.example", "office/ben@city.example"]);
}

#[test]
fn where_secrets_go_and_which_files_are_named_can_be_asked() {
    let clear = "[[reach]]\nname = \"b\"\nmail = \"smtp://LOCALHOST\"\nclear = true\nfrom = \"a@b.example\"\nto = [\"a@b.example\"]\n";
    let written = format!("{}ca = \"ca.pem\"\n{clear}{}", HOOK, MAIL.replace(", \"Ben <ben@city.example>\"", ""));
    let asked: Vec<_> = read(&written)
        .unwrap()
        .into_iter()
        .map(|Outlet { output, .. }| {
            let to = output.destination();
            let secret = output.secret().map(|secret| format!("{secret:?}"));
            (format!("{}:{} {}", to.host, to.port, to.is_encrypted), secret, output.ca().map(Path::to_path_buf))
        })
        .collect();
    let want = [
        ("duty.city.example:443 true", Some("File(\"/city/duty.secret\")"), Some("/city/ca.pem")),
        ("localhost:25 false", None, None),
        ("mail.city.example:465 true", Some("Keychain(\"mail\")"), None),
    ];
    let want = want.map(|(to, secret, ca)| (to.to_owned(), secret.map(str::to_owned), ca.map(PathBuf::from)));
    assert_eq!(asked, want);
}

#[test]
fn a_route_is_read_with_quiet_hours_and_escalation() {
    let written = format!(
        "{HOOK}priority = \"warning\"\nafter = \"15 min\"\ncleared = false\nzone = \"Europe/Malta\"\nat_once = \"none\"\n\
         [[reach.quiet]]\nfrom = \"22:00\"\nto = \"06:00\"\n[[reach.quiet]]\ndays = [\"sat\", \"sun\"]\nfrom = \"00:00\"\nto = \"24:00\"\n"
    );
    let route = read(&written).unwrap().remove(0).route;
    assert_eq!((route.from, route.after_ms, route.cleared, route.at_once), (Priority::Warning, 900_000, false, None));
    let quiet = route.quiet.unwrap();
    let at = |text: &str| WallMs(text.parse::<jiff::Timestamp>().unwrap().as_millisecond());
    for (moment, want) in
        [("2026-11-23T21:30:00Z", true), ("2026-11-24T11:00:00Z", false), ("2026-11-28T11:00:00Z", true)]
    {
        assert_eq!(quiet.is_quiet(at(moment)), want, "{moment}");
    }
}

#[test]
fn a_mistake_is_told_with_its_line_and_what_to_write_and_never_repeats_a_secret() {
    let quiet = |lines: &str| format!("{HOOK}zone = \"Europe/Malta\"\n[[reach.quiet]]\n{lines}");
    let hook = |lines: &str| format!("{HOOK}{lines}");
    let mail = |lines: &str| format!("[[reach]]\nname = \"office\"\nmail = \"smtps://m\"\n{lines}");
    for (written, line, says) in [
        (format!("{HOOK}{HOOK}"), 6, "name: there is a [[reach]] named \"duty\" already"),
        ("[[reach]]\nname = \"On duty\"".into(), 2, "write 1 to 64 of a–z"),
        ("[[reach]]\nname = \"duty\"".into(), 2, "it leads nowhere; add webhook"),
        (hook("mail = \"smtps://m\""), 5, "write a second [[reach]]"),
        (hook("to = [\"a@b\"]"), 5, "to: a webhook has no such field"),
        (hook("ca = \"\""), 5, "ca: the file's name is empty"),
        (hook("priority = \"loud\""), 5, "priority: \"loud\" is no priority: unknown variant"),
        (hook("after = \"soon\""), 5, "write \"15 min\""),
        (hook("after = \"8 days\""), 5, "a second to a week"),
        (hook("after = \"0s\""), 5, "leave it out"),
        (hook("zone = \"Europe/Malta\""), 5, "add [[reach.quiet]]"),
        (hook("at_once = \"none\""), 5, "nothing is ever held back"),
        (hook("[[reach.quiet]]\nfrom = \"22:00\"\nto = \"06:00\""), 6, "add zone"),
        (quiet("from = \"22:00\"\nto = \"06:00\""), 7, "at_once = \"none\""),
        (
            hook(
                "priority = \"warning\"\nzone = \"UTC\"\nat_once = \"warning\"\n[[reach.quiet]]\nfrom = \"22:00\"\nto = \"06:00\"",
            ),
            7,
            "every alarm of this entry",
        ),
        (quiet("from = \"22\"\nto = \"06:00\""), 7, "write \"22:00\""),
        (quiet("from = \"24:00\"\nto = \"06:00\""), 7, "begins at \"00:00\""),
        (quiet("from = \"06:00\"\nto = \"06:00\""), 8, "to = \"24:00\""),
        (quiet("from = \"06:00\"\nto = \"+6:00\""), 8, "is no time of day"),
        (quiet("days = [\"Monday\"]\nfrom = \"22:00\"\nto = \"06:00\""), 7, "write \"mon\""),
        (quiet("days = []\nfrom = \"22:00\"\nto = \"06:00\""), 7, "leave days out"),
        (quiet("from = \"00:00\"\nto = \"24:00\""), 7, "quiet all week"),
        (
            hook("zone = \"Malta\"\n[[reach.quiet]]\nfrom = \"22:00\"\nto = \"06:00\""),
            5,
            "there is no time zone \"Malta\"",
        ),
        ("[[reach]]\nname = \"d\"\nwebhook = \"https://h/hunter2\"".into(), 3, "secret: what is sent has to be signed"),
        ("[[reach]]\nname = \"d\"\nwebhook = \"http://h/hunter2\"\nsecret = { env = \"S\" }".into(), 3, "clear = true"),
        (
            "[[reach]]\nname = \"d\"\nwebhook = \"https://h\"\nsecret = \"hunter2\"".into(),
            4,
            "does not stand in a profile",
        ),
        (
            "[[reach]]\nname = \"d\"\nwebhook = \"https://h\"\nsecret = { env = \"hunter2!\" }".into(),
            4,
            "name of a variable",
        ),
        (
            "[[reach]]\nname = \"d\"\nwebhook = \"https://h\"\nsecret = { file = \"a\", env = \"B\" }".into(),
            4,
            "in one place",
        ),
        (mail("secret = { env = \"S\" }"), 4, "mail is not signed"),
        (mail("to = [\"a@b.example\"]"), 3, "from: mail has a sender"),
        (mail("from = \"a@b.example\""), 3, "to: mail goes to somebody"),
        (mail("from = \"a@b.example\"\nto = []"), 5, "0 addresses; write 1 to 20"),
        (mail("from = \"nobody\"\nto = [\"a@b.example\"]"), 4, "from: \"nobody\" is no address"),
        (mail("from = \"a@b.example\"\nto = [\"a@b.example\", \"x\\r\\nRCPT\"]"), 5, "to: \"x\\\\u{d}"),
        (mail("from = \"a@b.example\"\nto = [\"a@b.example\", \"A@b.example\"]"), 5, "stands there twice"),
        (mail("user = \"ada\""), 4, "user: a user without a password"),
        (mail("password = { env = \"P\" }"), 4, "password: a password without a user"),
        (mail("clear = true"), 3, "smtps:// is encrypted"),
        ("[[reach]]\nname = \"d\"\nmail = \"smtps://ada:hunter2@m\"".into(), 3, "do not belong into the address"),
        (
            "[[reach]]\nname = \"d\"\nmail = \"smtp://m\"\nclear = true\nuser = \"ada\"\npassword = { env = \"P\" }"
                .into(),
            6,
            "would go unencrypted",
        ),
    ] {
        let why = read(&written).unwrap_err();
        assert!(why.starts_with(&format!("line {line}: ")) && why.contains(says), "{written}\n→ {why}, not {says}");
        assert!(!why.contains("hunter2"), "{why}");
    }
    assert!(read("[[reach]]\nname = \"d\"\nsms = \"1\"").unwrap_err().contains("unknown field `sms`"));
    let many = (0..21).map(|n| HOOK.replace("duty\"", &format!("d{n}\""))).collect::<String>();
    assert!(read(&many).unwrap_err().contains("at most 20"));
}

/// The guide's page, and what stands in it between a line of this and three backticks.
fn of_the_guide(language: &str) -> &'static str {
    let page = include_str!("../../../../docs/guide/reach.md");
    let (_, rest) = page.split_once(&format!("```{language}\n")).unwrap();
    rest.split_once("```").unwrap().0
}

#[test]
fn the_guide_shows_what_can_be_written_and_what_is_sent() {
    let names: Vec<String> = read(of_the_guide("toml")).unwrap().into_iter().map(|outlet| outlet.route.name).collect();
    assert_eq!(names, ["duty", "office/ada@city.example", "office/ben@city.example", "chief"]);
    let body: serde_json::Value = serde_json::from_str(of_the_guide("json")).unwrap();
    assert_eq!(body["version"], crate::VERSION);
    let shown = &body["notices"][0];
    let notice: crate::Notice = serde_json::from_value(shown.clone()).unwrap();
    assert_eq!(&serde_json::to_value(&notice).unwrap(), shown, "every field that is sent is shown, and no other");
}
