use std::sync::atomic::{AtomicBool, Ordering};

use super::super::notice::tests::told;
use super::*;

/// A phone whose person answers as they are set to, and which writes down what it is asked to do.
#[derive(Default)]
struct Paper {
    may: AtomicBool,
    answers_yes: bool,
    breaks: AtomicBool,
    done: Mutex<Vec<String>>,
}

impl Paper {
    fn note(&self, what: String) {
        self.done.lock().unwrap().push(what);
    }

    fn done(&self) -> Vec<String> {
        std::mem::take(&mut self.done.lock().unwrap())
    }
}

impl System for Paper {
    fn may(&self) -> Result<bool, String> {
        if self.breaks.load(Ordering::Relaxed) {
            return Err("no activity".to_owned());
        }
        Ok(self.may.load(Ordering::Relaxed))
    }

    fn ask(&self) -> Result<bool, String> {
        self.note("ask".to_owned());
        self.may.store(self.answers_yes, Ordering::Relaxed);
        Ok(self.answers_yes)
    }

    fn show(&self, spot: Spot, notice: &Notice) -> Result<(), String> {
        self.note(format!("{}: {} / {}", spot.number(), notice.title, notice.body.replace('\n', " / ")));
        Ok(())
    }
}

fn phone(answers_yes: bool) -> Arc<Phone<Paper>> {
    Arc::new(Phone::new(Paper { answers_yes, ..Paper::default() }))
}

fn notice(thing: u32) -> Notice {
    Notice::of(told(thing), None)
}

#[tokio::test]
async fn a_person_is_asked_once_before_the_first_notice_and_names_are_shown_as_they_are() {
    let phone = phone(true);
    phone.show(notice(1)).await.unwrap();
    phone.show(notice(2)).await.unwrap();
    let said = "Bin <one> is burning / 71.5 °C & rising / call the fire brigade";
    assert_eq!(phone.system.done(), ["ask".to_owned(), format!("0: {said}"), format!("1: {said}")]);
}

#[tokio::test]
async fn two_alerts_at_once_ask_one_question() {
    let phone = phone(true);
    let (one, two) = tokio::join!(phone.show(notice(1)), phone.show(notice(2)));
    assert!(one.is_ok() && two.is_ok());
    let done = phone.system.done();
    assert_eq!((done.len(), done.iter().filter(|what| *what == "ask").count()), (3, 1), "{done:?}");
}

#[tokio::test]
async fn a_refusal_is_said_once_and_nothing_is_shown_until_the_settings_allow_it() {
    let phone = phone(false);
    assert!(matches!(phone.show(notice(1)).await, Err(Unshown::Refused)));
    assert!(phone.show(notice(2)).await.is_ok());
    assert_eq!(phone.system.done(), ["ask"], "nobody is asked twice");
    phone.system.may.store(true, Ordering::Relaxed);
    phone.show(notice(3)).await.unwrap();
    assert_eq!(phone.system.done().len(), 1);
    assert_eq!(phone.chosen(Spot(0)), Some(told(3)), "what was not shown took no spot");
}

#[tokio::test]
async fn where_it_is_granted_already_nothing_is_asked() {
    let phone = phone(false);
    phone.system.may.store(true, Ordering::Relaxed);
    phone.show(notice(1)).await.unwrap();
    assert_eq!(phone.system.done().len(), 1);
}

#[tokio::test]
async fn what_the_phone_says_against_it_is_told_and_asks_nothing() {
    let phone = phone(true);
    phone.system.breaks.store(true, Ordering::Relaxed);
    let error = phone.show(notice(1)).await.unwrap_err();
    assert_eq!(error.to_string(), "the phone says: no activity");
    assert_eq!(phone.system.done(), Vec::<String>::new());
}

#[tokio::test]
async fn a_chosen_notice_opens_what_stands_in_its_spot() {
    let phone = phone(true);
    assert_eq!(phone.chosen(Spot(0)), None, "left behind by an earlier process");
    for thing in 0..=u32::try_from(SPOTS).unwrap() {
        phone.show(notice(thing)).await.unwrap();
    }
    let last = told(u32::try_from(SPOTS).unwrap());
    assert_eq!(phone.chosen(Spot(0)), Some(last), "the seventeenth took the place of the first");
    assert_eq!(phone.chosen(Spot(1)), Some(told(1)));
    assert_eq!(phone.chosen(Spot(1)), Some(told(1)), "a phone may tell it twice");
}

#[test]
fn what_a_person_did_names_the_spot_or_nothing() {
    for (action, number, want) in [
        ("open-0", None, Some(Spot(0))),
        ("open-15", Some(3), Some(Spot(15))),
        ("tap", Some(3), Some(Spot(3))),
        ("tap", None, None),
        ("tap", Some(16), None),
        ("tap", Some(-1), None),
        ("dismiss", Some(3), None),
        ("open-16", None, None),
        ("open-03", None, None),
        ("open-", None, None),
        ("", Some(3), None),
    ] {
        assert_eq!(Spot::of(action, number), want, "{action:?} {number:?}");
    }
    assert_eq!(Spot::all().count(), SPOTS);
    assert!(Spot::all().all(|spot| Spot::of(&spot.button(), None) == Some(spot)));
}
