//! `fleetlens sim` as a shell sees it.
#![cfg(test)]

use std::process::{Command, Output};

fn sim(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_fleetlens")).arg("sim").args(arguments).output().unwrap()
}

#[test]
fn it_says_where_its_broker_is_and_ends_in_order() {
    let output = sim(&["--listen", "127.0.0.1:0", "--things", "3", "--for", "200ms"]);
    let said = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<&str> = said.lines().collect();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(lines[0].starts_with("mqtt://127.0.0.1:") && !lines[0].contains(":0 "), "{said}");
    assert!(lines[0].contains("3 things") && lines[0].contains("OpenStreetMap"), "{said}");
    assert!(lines.last().unwrap().starts_with("stopped after "), "{said}");
}

#[test]
fn it_names_the_faults_and_who_has_them() {
    let lines = |faults: &[&str]| {
        let output = sim(&[&["--listen", "127.0.0.1:0", "--things", "50", "--for", "10ms"], faults].concat());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let said = String::from_utf8(output.stdout).unwrap();
        said.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(lines(&[]).len(), 2, "the address and the end");
    let all = lines(&["--faults"]);
    let faults = |lines: &[String]| lines[1..lines.len() - 1].to_vec(); // between the address and the end
    assert_eq!(faults(&all), faults(&lines(&["--faults", "all"])), "the same seed chooses the same");
    for fault in ["dead-gateway  gateway-", "silence ", "slow "] {
        assert!(all.iter().any(|line| line.starts_with(fault)), "{fault}: {all:?}");
    }
    let some = lines(&["--faults", "late,slow"]);
    assert_eq!(some.len(), 4, "{some:?}");
    assert!(some[1].starts_with("late") && some[2].starts_with("slow"), "{some:?}");
}

#[test]
fn what_cannot_be_is_refused_with_a_sentence() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    for (arguments, sentence) in [
        (&["--things", "0"][..], "give 1 to 200000"),
        (&["--speed=-1"], "give a number above 0"),
        (&["--broker", "http://x"], "mqtt://host:1883"),
        (&["--broker", "mqtt://x", "--listen", "127.0.0.1:0"], "cannot be used with"),
        (&["--user", "ada"], "--broker"),
        (&["--for", "soon"], "--for"),
        (&["--faults", "fire"], "no fault is called \"fire\""),
        (&["--listen", &taken], "give another address"),
    ] {
        let output = sim(arguments);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains(sentence), "{arguments:?}: {said}");
    }
}
