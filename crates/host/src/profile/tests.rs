use super::*;
use fleetlens_engine::wire::pointer::Pointer;
use fleetlens_engine::wire::telemetry::Reading;
use fleetlens_link::{Protocol, Secret};
use fleetlens_model::alarm::Priority;

const FULL: &str = r#"name = "Valletta lamps"

[identity]
name = "J. Borg"
role = "technician"

[broker]
url = "mqtt://broker.city.example:1884"
protocol = "3.1.1"
client_id = "desk-4"
session_expiry_s = 7200

[[telemetry]]
template = "city/{area}/{kind}/{thing}/telemetry"
envelope = "/values"
time = "/ts"
meta = "city/{area}/{kind}/{thing}/meta"

[[telemetry]]
template = "raw/{thing}"
meta = "city/{area}/{kind}/{thing}/meta"

[shadows]
enabled = true

[commands]
expiry_s = { "/dim_pct" = 600, "/barrier" = 20 }
not_converged_after_min = 15
requests_in_flight = 50
[map]
tiles = "maps/valletta.mbtiles"

[limits]
things = 5000
"#;

#[test]
fn a_profile_says_what_the_engine_and_the_link_need() {
    let profile = Profile::parse(FULL, "x.toml").unwrap();
    assert_eq!(profile.who, Actor { name: "J. Borg".into(), role: Role::Technician });
    assert_eq!(profile.expiry_ms, [("/barrier".into(), 20_000), ("/dim_pct".into(), 600_000)]);
    assert_eq!(profile.cache_file(), format!("profile-valletta-lamps-{:08x}.db", xxh3_64(b"Valletta lamps") >> 32));

    let fleet = profile.fleet_config("mqtt://x · MQTT 5".into());
    assert_eq!((fleet.things_max, fleet.not_converged_after_ms, fleet.requests_in_flight), (5_000, Some(900_000), 50));
    let filters = fleet.filters();
    assert_eq!(filters[..3], ["city/+/+/+/telemetry", "raw/+", "city/+/+/+/meta"], "the shared description once");
    assert!(filters.iter().any(|filter| filter.starts_with("$aws/things/+/shadow/")));
    let read = |text| Pointer::parse(text).unwrap();
    let enveloped = Reading { envelope: read("/values"), time: Some(read("/ts")), ..Reading::default() };
    assert_eq!((&fleet.telemetry[0].reading, &fleet.telemetry[1].reading), (&enveloped, &Reading::default()));

    let link = profile.link_config(7, filters);
    assert_eq!(link.validate(), Ok(()));
    assert_eq!((link.client_id.as_str(), link.protocol, link.session_expiry_s), ("desk-4", Protocol::V4, 7_200));
    assert!(!link.clean_start && link.filters.iter().all(|(_, qos)| *qos == 1));
}

#[test]
fn what_is_left_out_is_safe() {
    let least = "name = \"a\"\nbroker.url = \"mqtt://h\"\nshadows.enabled = true";
    let profile = Profile::parse(least, "x.toml").unwrap();
    assert_eq!(profile.who.role, Role::Viewer, "nobody steers by accident");
    let link = profile.link_config(0xfeed, vec![]);
    assert_eq!((link.client_id.as_str(), link.protocol), ("fl-000000000000feed", Protocol::V5));
}

#[test]
fn the_demo_citys_profile_is_right_and_known_as_made_up() {
    let demo = Profile::demo().unwrap();
    assert!(demo.demo && demo.shadows && demo.who.role.may_command());
    assert_eq!(demo.cache_file(), "demo.db");
    let config = demo.fleet_config(String::new());
    assert!(config.demo);
    let said = |rule: &&Rule| !rule.cause.is_empty() && !rule.consequence.is_empty() && !rule.what_to_do.is_empty();
    assert_eq!(config.rules.iter().filter(said).count(), 12, "every rule says why it matters and what to do");
}

#[test]
fn two_profiles_never_share_a_file_and_a_plain_name_is_its_own() {
    let named = |name: &str| Profile { name: name.into(), ..Profile::parse(FULL, "x.toml").unwrap() }.cache_file();
    assert_eq!(named("depot7"), "profile-depot7.db");
    let mut files = std::collections::BTreeSet::new();
    for name in ["北京", "上海", "Ħamrun", "Żamrun", "depot a", "depot-a", "Depot a", "depot/a", "İ", "i"] {
        let file = named(name);
        assert!(file.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.".contains(c)), "{file}");
        assert_eq!(named(name), file, "the same name, the same file");
        assert!(files.insert(file.clone()), "{name}: {file}");
    }
}

#[test]
fn every_mistake_is_told_with_its_line() {
    for (given, instead, line, want) in [
        ("name = \"Valletta lamps\"", "name = \" \"", 1, "1 to 64"),
        ("role = \"technician\"", "role = \"boss\"", 5, "unknown variant `boss`"),
        ("role = \"technician\"", "rôle = 1", 5, ""),
        ("role = \"technician\"", "rank = 1", 5, "unknown field `rank`"),
        ("mqtt://broker.city.example:1884", "broker.city.example", 8, "write mqtt://host:1883"),
        ("mqtt://broker.city.example:1884", "http://broker", 8, "http:// is not spoken here"),
        ("mqtt://broker.city.example:1884", "mqtt://ada:secret@broker", 8, "do not belong into the address"),
        ("protocol = \"3.1.1\"", "protocol = \"4\"", 9, "write \"5\" or \"3.1.1\""),
        ("protocol = \"3.1.1\"", "protocol = 5", 9, "5 is no protocol"),
        ("client_id = \"desk-4\"", "client_id = \"\"", 10, "client id is empty"),
        ("session_expiry_s = 7200", "session_expiry_s = -1", 11, "-1"),
        ("{thing}/telemetry", "thing/telemetry", 14, "write {thing}"),
        ("envelope = \"/values\"", "envelope = \"values\"", 15, "write \"/values\""),
        ("time = \"/ts\"", "time = \"ts\"", 16, "write \"/ts\""),
        ("\nmeta = \"city", "\nmeta = \"#/city", 17, "wildcard"),
        ("raw/{thing}", "{x}/{thing}", 20, "does not begin with a word"),
        ("600", "0", 27, "outside 1–86400 s"),
        ("min = 15", "min = 0", 28, "outside 1–10080 min"),
        ("min = 15", "min = 10081", 28, "outside 1–10080 min"),
        ("\"/dim_pct\"", "dim_pct", 27, "write \"/dim_pct\""),
        ("enabled = true", "enabled = \"yes\"", 24, "expected a boolean"),
        ("requests_in_flight = 50", "requests_in_flight = 0", 29, "outside 1–1000"),
        ("things = 5000", "things = 0", 34, "outside 1–1000000"),
        ("things = 5000", "things = 2000000", 34, "outside 1–1000000"),
        ("[map]", "[mop]", 30, "unknown field `mop`"),
    ] {
        let text = FULL.replacen(given, instead, 1);
        let error = Profile::parse(&text, "city.toml").unwrap_err();
        let ProfileError::Wrong { line: at, ref why, .. } = error else { panic!("{instead}: {error}") };
        assert_eq!(at, line, "{instead}: {error}");
        assert!(why.contains(want), "{instead}: {error}");
        assert!(error.to_string().starts_with(&format!("city.toml, line {line}: ")), "{error}");
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}

#[test]
fn a_profile_that_listens_to_nothing_is_refused() {
    let error = Profile::parse("name = \"a\"\nbroker.url = \"mqtt://h\"", "x.toml").unwrap_err();
    assert!(error.to_string().contains("listens to nothing"), "{error}");
}

#[test]
fn a_file_is_read_with_its_folder_and_a_missing_one_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("city.toml");
    assert!(Profile::read(&path).unwrap_err().to_string().contains("city.toml cannot be read"));
    std::fs::write(&path, FULL).unwrap();
    assert_eq!(Profile::read(&path).unwrap().tiles, Some(folder.path().join("maps/valletta.mbtiles")));
}

#[test]
fn every_profile_that_is_shipped_can_be_used() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets/profiles");
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let profile = Profile::read(&entry.unwrap().path()).unwrap_or_else(|e| panic!("{e}"));
        names.push(profile.cache_file());
    }
    assert!(names.len() >= 6, "{names:?}");
    names.sort();
    names.dedup();
    assert!(names.len() >= 6, "each has a cache of its own: {names:?}");
}

#[test]
fn what_a_broker_does_not_allow_is_told_at_its_address() {
    let text = "name = \"X\"\n[broker]\nlimits = \"aws\"\nurl = \"mqtts://h\"\n[[telemetry]]\ntemplate = \"a/b/c/d/e/f/g/h/{thing}\"";
    let why = Profile::parse(text, "x.toml").unwrap_err().to_string();
    assert!(why.contains("line 4:") && why.contains("8 slashes"), "{why}");
}

/// A technician who may steer what one crew looks after.
const CREW: &str = r#"name = "a"
broker.url = "mqtt://h"
shadows.enabled = true
identity.role = "technician"
identity.groups = ["Crew"]
[[group]]
name = "Crew"
kinds = ["lamp"]
areas = ["Marsa"]
words = "Triq ALDO"
[[group]]
name = "Two bins"
things = ["bin-1", "bin-2"]
"#;

#[test]
fn a_profile_names_groups_and_leaves_some_to_the_person_here() {
    let fleet = Profile::parse(CREW, "x.toml").unwrap().fleet_config(String::new());
    assert_eq!(fleet.scope, Some(vec!["Crew".to_owned()]));
    let names: Vec<&str> = fleet.groups.iter().map(|group| group.name.as_str()).collect();
    assert_eq!(
        (names, &fleet.groups[0].words),
        (vec!["Crew", "Two bins"], &vec!["triq".to_owned(), "aldo".to_owned()])
    );
    let everything = Profile::parse(&CREW.replace("identity.groups = [\"Crew\"]", ""), "x.toml").unwrap();
    assert_eq!(everything.scope, None);
}

#[test]
fn a_saved_search_is_a_group_and_where_messages_decide_it_no_rule_is_for_it() {
    let saved = "[[group]]\nname = \"Hot\"\nsearch = \"temp_c>60\"\n";
    let profile = Profile::parse(&format!("{CREW}{saved}"), "x.toml").unwrap();
    let hot = profile.groups.last().unwrap();
    assert_eq!(hot.search.as_ref().map(|search| search.text()), Some("temp_c>60"));
    let rule = "[[alarm]]\nid = \"a\"\nwhen = \"silent\"\nwhat_to_do = \"go\"\ngroup = \"Hot\"\n";
    let error = Profile::parse(&format!("{CREW}{saved}{rule}"), "x.toml").unwrap_err().to_string();
    assert!(error.contains("line 21: a rule goes by what is described, and who is in \"Hot\" changes"), "{error}");
}

#[test]
fn groups_hold_groups_and_what_is_left_to_somebody_goes_by_all_of_them() {
    let nested = CREW.replace("things = [\"bin-1\", \"bin-2\"]", "groups = [\"Crew\"]");
    assert_eq!(Profile::parse(&nested, "x.toml").unwrap().groups[1].groups, ["Crew"]);
    let ring = nested.replacen("words = \"Triq ALDO\"", "groups = [\"Two bins\"]", 1);
    let error = Profile::parse(&ring, "x.toml").unwrap_err().to_string();
    assert!(error.contains("within itself: \"Crew\" has \"Two bins\" has \"Crew\"; take one of them out"), "{error}");
    let hot = nested
        .replacen("words = \"Triq ALDO\"", "search = \"temp_c>60\"", 1)
        .replace("[\"Crew\"]\n[[", "[\"Two bins\"]\n[[");
    let error = Profile::parse(&hot, "x.toml").unwrap_err().to_string();
    assert!(error.contains("who is in \"Two bins\" changes with each message"), "{error}");
}

#[test]
fn a_mistake_in_a_group_is_told_with_its_line() {
    for (given, instead, line, want) in [
        ("[\"Crew\"]", "[\"crew\"]", 5, "no group is called \"crew\"; there are: Crew, Two bins"),
        ("name = \"Two bins\"", "name = \"Crew\"", 12, "two groups \"Crew\""),
        ("name = \"Two bins\"", "name = \" \"", 12, "1 to 64"),
        ("things = [\"bin-1\", \"bin-2\"]", "", 12, "says nothing of its things"),
        ("kinds = [\"lamp\"]", "kinds = [\"lamps\"]", 8, "unknown variant `lamps`"),
        ("words =", "wurds =", 10, "unknown field `wurds`"),
        ("words = \"Triq ALDO\"", "search = \"kimd:lamp\"", 10, "column 1: no field is called \"kimd\"; there is kind"),
        ("words = \"Triq ALDO\"", "search = \"group:Crew\"", 10, "column 7: a group's search names no group"),
        ("words = \"Triq ALDO\"", "search = \" \"", 10, "the search is empty"),
        (
            "things = [\"bin-1\", \"bin-2\"]",
            "groups = [\"Crews\"]",
            13,
            "no group is called \"Crews\"; there are: Crew, Two bins",
        ),
        (
            "things = [\"bin-1\", \"bin-2\"]",
            "groups = [\"Two bins\"]",
            13,
            "within itself: \"Two bins\" has \"Two bins\"",
        ),
        ("words = \"Triq ALDO\"", "search = \"temp_c>60\"", 5, "who is in \"Crew\" changes with each message"),
    ] {
        let error = Profile::parse(&CREW.replacen(given, instead, 1), "x.toml").unwrap_err();
        let ProfileError::Wrong { line: at, ref why, .. } = error else { panic!("{instead}: {error}") };
        assert!(at == line && why.contains(want), "{instead}: {error}");
    }
}

#[test]
fn jobs_are_asked_for_where_the_profile_says_so_and_firmware_is_read_where_it_says() {
    let read = |more: &str| {
        let text = format!("name = \"x\"\nbroker.url = \"mqtt://h\"\n[shadows]\nenabled = true\n{more}");
        Profile::parse(&text, "x.toml").map(|profile| profile.fleet_config(String::new()))
    };
    let asks = |filters: Vec<String>| filters.iter().filter(|filter| filter.contains("/job")).count();
    let (without, with) = (read("").unwrap(), read("jobs = true\n[firmware]\npointer = \"/v\"").unwrap());
    assert_eq!((asks(without.filters()), without.firmware), (0, None));
    assert_eq!((asks(with.filters()), with.firmware.as_deref()), (5, Some("/v")));
    let wrong = read("[firmware]\npointer = \"v\"").unwrap_err().to_string();
    assert!(wrong.contains("\"v\" is not a JSON pointer; write \"/v\""), "{wrong}");
}

#[test]
fn topics_of_availability_are_named_with_their_words() {
    let with = |lines: &str| Profile::parse(&format!("{FULL}\n[[availability]]\n{lines}"), "x.toml");
    let profile = with("template = \"tele/{thing}/LWT\"\noffline = \"Offline\"\nonline = \"Online\"").unwrap();
    assert_eq!(profile.fleet_config(String::new()).filters()[0], "tele/+/LWT");
    let usual = &with("template = \"a/{thing}\"\npointer = \"/state\"").unwrap().availability[0];
    assert_eq!((usual.online.as_str(), usual.offline.as_str()), ("online", "offline"));
    assert_eq!(usual.pointer, Some(Pointer::parse("/state").unwrap()));
    for (lines, says) in [
        ("template = \"a/b\"", "does not say where the thing's name stands"),
        ("template = \"a/{thing}/{value}\"", "{value} does nothing here"),
        ("template = \"a/{thing}\"\nonline = \"1\"\noffline = \"1\"", "cannot mean both"),
        ("template = \"a/{thing}\"\nonline = \"offline\"", "cannot mean both"),
        ("template = \"a/{thing}\"\npointer = \"state\"", "/state"),
        ("template = \"a/{thing}\"\nword = \"x\"", "unknown field"),
        ("template = \"a/{thing}\"\noffline = \"\"", "write the bare word"),
        ("template = \"a/{thing}\"\nonline = \"Online \"", "write the bare word"),
    ] {
        let error = with(lines).unwrap_err().to_string();
        assert!(error.contains(says), "{lines}: {error}");
    }
}

#[test]
fn who_is_reached_outside_is_named_in_the_profile_and_a_mistake_is_told_with_its_line() {
    let read = |lines: &str| {
        let text = format!("name = \"x\"\nbroker.url = \"mqtt://h\"\nshadows.enabled = true\n{lines}");
        Profile::parse_in(Path::new("/city"), &text, "x.toml")
    };
    let duty = "[[reach]]\nname = \"duty\"\nwebhook = \"https://duty\"\nca = \"ca.pem\"\nsecret = { file = \"s\" }\n";
    let office = "[[reach]]\nname = \"office\"\nmail = \"smtps://m\"\nfrom = \"a@b.example\"\nto = [\"c@b.example\"]\n\
                  priority = \"warning\"\n";
    let profile = read(&format!("{duty}{office}")).unwrap();
    let [webhook, mail] = &profile.reach[..] else { panic!("{:?}", profile.reach) };
    assert_eq!((webhook.route.name.as_str(), mail.route.name.as_str()), ("duty", "office/c@b.example"));
    assert_eq!(webhook.output.secret(), Some(&Secret::File("/city/s".into())));
    assert_eq!(webhook.output.ca(), Some(Path::new("/city/ca.pem")));
    for (lines, want) in
        [("", None), (duty, Some(Priority::Critical)), (&format!("{duty}{office}"), Some(Priority::Warning))]
    {
        assert_eq!(read(lines).unwrap().fleet_config(String::new()).told_from, want, "{lines}");
    }
    for (lines, line, says) in [
        (duty.replace("https", "http").replace("ca = \"ca.pem\"\n", ""), 6, "webhook: "),
        (duty.replace("{ file = \"s\" }", "\"hunter2\""), 8, "does not stand in a profile"),
        (duty.replace("name =", "nom ="), 5, "nom"),
        (format!("{duty}{duty}"), 10, "already"),
        (format!("{duty}quite = []\n"), 9, "quite"),
    ] {
        let error = read(&lines).unwrap_err();
        let ProfileError::Wrong { line: at, ref why, .. } = error else { panic!("{lines}: {error}") };
        assert!(at == line && why.contains(says) && !why.contains("hunter2"), "{lines}: {error}");
    }
}
