//! The rules of the profile in use: as the host told of them, and the one that is being written. What is written stays while a person
//! looks at something else.

use fleetlens_ipc::rules::{RuleAsk, RuleBook, RuleChange, RuleDone, RuleDraft, RuleForm, RuleRow};
use fleetlens_ipc::{Done, Fault, FaultCode, Intent};
use leptos::prelude::*;
use tr::tr;

use super::Store;

/// Where the rule that is being written comes from: the file as it stood on the screen. It is only ever what a person has seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// The profile's name.
    pub profile: String,
    /// Its file.
    pub file: String,
    /// [`RuleBook::seen`].
    pub seen: u64,
}

impl Origin {
    fn of(book: &RuleBook) -> Origin {
        Origin { profile: book.profile.clone(), file: book.file.clone(), seen: book.seen }
    }

    fn is_of(&self, book: &RuleBook) -> bool {
        self.profile == book.profile && self.file == book.file
    }
}

/// What became of keeping a rule.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Kept {
    /// Nobody asked.
    #[default]
    No,
    /// It goes on.
    Asked,
    /// It was not kept.
    Refused(String),
}

/// What was written when something was asked, by which it is told whether that is still what is written when the answer comes.
#[derive(Clone, Debug, PartialEq)]
pub struct Sent {
    turn: u32,
    change: RuleChange,
    form: RuleForm,
}

/// What the page of rules shows. Copy: it is a bundle of signals.
#[derive(Clone, Copy)]
pub struct RuleDesk {
    /// Whether the page is there, in the place of the alarms.
    pub open: RwSignal<bool>,
    /// The rules, as they were last read; `None` until they are.
    pub book: RwSignal<Option<Result<RuleBook, Fault>>>,
    /// Whether one of them is being written.
    pub editing: RwSignal<bool>,
    /// What is written.
    pub form: RwSignal<RuleForm>,
    /// What it was before.
    pub opened: RwSignal<RuleForm>,
    /// Whether it stands in no file even as it was opened.
    pub is_copy: RwSignal<bool>,
    /// The id of the rule that it replaces; `None` for a new one.
    pub replaces: RwSignal<Option<String>>,
    /// Where it comes from; `None` while nothing is written.
    pub origin: RwSignal<Option<Origin>>,
    /// What became of keeping it.
    pub kept: RwSignal<Kept>,
    /// What was done last, for whoever did it.
    pub said: RwSignal<Option<String>>,
    /// How many were begun and put away.
    turn: StoredValue<u32>,
    /// How many readings were asked for.
    asked: StoredValue<u32>,
    /// The last one that was answered.
    answered: StoredValue<u32>,
}

impl RuleDesk {
    /// Nothing is read or written yet.
    pub fn new() -> RuleDesk {
        RuleDesk {
            open: RwSignal::new(false),
            book: RwSignal::new(None),
            editing: RwSignal::new(false),
            form: RwSignal::default(),
            opened: RwSignal::default(),
            is_copy: RwSignal::new(false),
            replaces: RwSignal::new(None),
            origin: RwSignal::new(None),
            kept: RwSignal::default(),
            said: RwSignal::new(None),
            turn: StoredValue::new(0),
            asked: StoredValue::new(0),
            answered: StoredValue::new(0),
        }
    }

    /// Whether something was written that undoing would take back.
    pub fn is_changed(self) -> bool {
        self.form.with(|form| self.opened.with(|opened| form != opened))
    }

    /// Whether something would be lost.
    pub fn is_dirty(self) -> bool {
        self.is_copy.get() || self.is_changed()
    }

    /// What is written, as the host is told of it.
    pub fn draft(self) -> RuleDraft {
        RuleDraft { form: self.form.get_untracked(), replaces: self.replaces.get_untracked() }
    }

    /// The profile that the rule comes from, where another one is in use by now.
    pub fn elsewhere(self) -> Option<String> {
        self.origin.with(|origin| {
            self.book.with(|book| match (origin, book) {
                (Some(origin), Some(Ok(book))) if !origin.is_of(book) => Some(origin.profile.clone()),
                (Some(_) | None, Some(Ok(_) | Err(_)) | None) => None,
            })
        })
    }

    /// Begins to write one that stands on the screen, or a new one.
    pub fn edit(self, form: RuleForm, replaces: Option<String>) {
        self.turn.update_value(|turn| *turn += 1);
        self.said.set(None);
        self.kept.set(Kept::No);
        self.form.set(form.clone());
        self.opened.set(form);
        self.is_copy.set(false);
        self.replaces.set(replaces);
        self.origin.set(self.book.with_untracked(|book| book.as_ref()?.as_ref().ok().map(Origin::of)));
        self.editing.set(true);
    }

    /// Begins to write one that is as another and stands in no file yet.
    pub fn copy(self, form: RuleForm) {
        self.edit(form, None);
        self.is_copy.set(true);
    }

    /// Nothing is written any more.
    pub fn put_away(self) {
        self.turn.update_value(|turn| *turn += 1);
        self.editing.set(false);
        self.kept.set(Kept::No);
        self.form.set(RuleForm::default());
        self.opened.set(RuleForm::default());
        self.is_copy.set(false);
        self.replaces.set(None);
        self.origin.set(None);
    }

    /// This is asked of the host now, of what is written now.
    pub fn send(self, change: RuleChange) -> Sent {
        self.kept.set(Kept::Asked);
        let form = match &change {
            RuleChange::Keep(draft) => draft.form.clone(),
            RuleChange::Remove(_) => self.form.get_untracked(),
        };
        Sent { turn: self.turn.get_value(), change, form }
    }

    fn is_still(self, sent: &Sent) -> bool {
        self.turn.get_value() == sent.turn
    }

    /// It was done. What was written meanwhile stays, over what is kept now.
    pub fn done(self, sent: Sent) {
        if !self.is_still(&sent) {
            return;
        }
        if self.form.with_untracked(|form| *form == sent.form) {
            return self.put_away();
        }
        self.kept.set(Kept::No);
        match sent.change {
            RuleChange::Keep(draft) => {
                self.replaces.set(Some(draft.form.id.trim().to_owned()));
                self.opened.set(draft.form);
                self.is_copy.set(false);
            }
            RuleChange::Remove(_) => {
                self.replaces.set(None);
                self.is_copy.set(true);
            }
        }
        // The file is another one by our own hand.
        self.look(false);
    }

    /// It was not done, which is shown together with the rule as it is now: so the next try goes on from there.
    pub fn refused(self, sent: &Sent, fault: &Fault) {
        if !self.is_still(sent) {
            return;
        }
        let news = if fault.code == FaultCode::TooLate { self.look(true) } else { None };
        let news = news.map_or_else(String::new, |news| format!("; {news}"));
        self.kept.set(Kept::Refused(format!("{}{news}", fault.message)));
    }

    /// What is written goes on from the book as it was last read, if that is of the same profile; tells what the rule is there, of which
    /// `anew` makes what undoing leads back to.
    fn look(self, anew: bool) -> Option<String> {
        let book = self.book.get_untracked()?.ok()?;
        if !self.origin.get_untracked()?.is_of(&book) || book.mistake.is_some() {
            return None;
        }
        self.origin.set(Some(Origin::of(&book)));
        let was = self.replaces.get_untracked().filter(|_| anew)?;
        let Some(RuleRow { form, .. }) = book.rules.into_iter().find(|row| row.form.id == was) else {
            self.replaces.set(None);
            self.is_copy.set(true);
            return Some(tr!("this rule is not in it any more, saving it makes it anew"));
        };
        if self.opened.with_untracked(|opened| *opened == form) {
            return Some(tr!("this rule is in it as it was, so it can be saved once more"));
        }
        let news = if form.when.is_empty() {
            tr!("this rule is another one there: Undo shows it, saving once more writes yours over it")
        } else {
            tr!(
                "this rule is another one there (condition: {}): Undo shows it, saving once more writes yours over it",
                form.when
            )
        };
        self.opened.set(form);
        Some(news)
    }

    /// One step back: from a rule to the list, from there to the alarms. False where there is none.
    pub fn step_back(self) -> bool {
        if !self.open.get_untracked() {
            return false;
        }
        if self.editing.get_untracked() {
            self.editing.set(false);
        } else {
            self.open.set(false);
        }
        true
    }
}

impl Store {
    /// Wants something of the rules; `then` is called once with what came of it.
    pub fn ask_rules(self, ask: RuleAsk, then: impl FnOnce(Result<RuleDone, Fault>) + 'static) {
        let pick = |done| if let Done::Rules(done) = done { Some(done) } else { None };
        self.ask_for(Intent::Rules(ask), pick, then);
    }

    /// Reads the rules anew.
    pub fn read_rules(self) {
        self.read_rules_then(|| ());
    }

    /// Reads the rules anew; `then` is called once they are there, or a newer reading is.
    pub fn read_rules_then(self, then: impl FnOnce() + 'static) {
        let desk = self.rules;
        desk.asked.update_value(|asked| *asked += 1);
        let mine = desk.asked.get_value();
        self.ask_rules(RuleAsk::Read, move |outcome| {
            // An older one may be of another profile.
            if mine > desk.answered.get_value() {
                desk.answered.set_value(mine);
                desk.book.set(match outcome {
                    Ok(RuleDone::Book(told)) => Some(Ok(*told)),
                    Ok(RuleDone::Checked(_) | RuleDone::Resets(_) | RuleDone::Tried(_) | RuleDone::Kept) => None,
                    Err(fault) => Some(Err(fault)),
                });
            }
            then();
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(when: &str) -> RuleForm {
        RuleForm { id: "hot".into(), when: when.into(), ..RuleForm::default() }
    }

    fn book(profile: &str, seen: u64, rules: &[RuleForm]) -> Option<Result<RuleBook, Fault>> {
        let rules = rules.iter().map(|form| RuleRow { form: form.clone(), ..RuleRow::default() }).collect();
        Some(Ok(RuleBook { profile: profile.into(), seen, rules, ..RuleBook::default() }))
    }

    /// A desk at which `hot` of Harbour is written, which was 1 and is to be 2.
    fn written() -> (Owner, RuleDesk) {
        let owner = Owner::new();
        let desk = owner.with(|| {
            let desk = RuleDesk::new();
            desk.book.set(book("Harbour", 7, &[form("1")]));
            desk.edit(form("1"), Some("hot".into()));
            desk.form.set(form("2"));
            desk
        });
        (owner, desk)
    }

    fn seen(desk: RuleDesk) -> u64 {
        desk.origin.get_untracked().unwrap().seen
    }

    fn keep(desk: RuleDesk) -> Sent {
        desk.send(RuleChange::Keep(Box::new(desk.draft())))
    }

    #[test]
    fn what_is_written_goes_on_from_what_its_writer_saw() {
        let (_owner, desk) = written();
        desk.book.set(book("Harbour", 8, &[form("9")]));
        assert_eq!(seen(desk), 7, "read anew, and nobody was shown it");
        let late = Fault::new(FaultCode::TooLate, "the file was changed meanwhile");
        let sent = keep(desk);
        desk.refused(&sent, &late);
        let Kept::Refused(told) = desk.kept.get_untracked() else { panic!("not told") };
        assert!(told.starts_with("the file was changed meanwhile; ") && told.contains("condition: 9"), "{told}");
        assert_eq!((seen(desk), desk.form.get_untracked(), desk.opened.get_untracked()), (8, form("2"), form("9")));
        desk.book.set(book("Harbour", 9, &[]));
        let sent = keep(desk);
        desk.refused(&sent, &late);
        assert_eq!((seen(desk), desk.replaces.get_untracked()), (9, None), "it is gone");
        assert!(desk.is_dirty());
    }

    #[test]
    fn what_is_written_of_one_profile_is_not_of_another() {
        let (_owner, desk) = written();
        assert_eq!(desk.elsewhere(), None);
        desk.book.set(book("Port", 8, &[form("1")]));
        assert_eq!(desk.elsewhere().as_deref(), Some("Harbour"));
        let sent = keep(desk);
        desk.refused(&sent, &Fault::new(FaultCode::TooLate, "late"));
        assert_eq!((seen(desk), desk.kept.get_untracked()), (7, Kept::Refused("late".into())));
    }

    #[test]
    fn what_is_typed_while_it_is_saved_stays() {
        let (_owner, desk) = written();
        let sent = keep(desk);
        desk.form.set(form("3"));
        assert_eq!(desk.kept.get_untracked(), Kept::Asked);
        desk.book.set(book("Harbour", 8, &[form("2")]));
        desk.done(sent);
        assert_eq!((desk.form.get_untracked(), desk.opened.get_untracked(), seen(desk)), (form("3"), form("2"), 8));
        assert!(desk.editing.get_untracked() && desk.is_dirty());
        let sent = keep(desk);
        desk.done(sent);
        assert!(!desk.editing.get_untracked() && !desk.is_dirty(), "nothing was typed meanwhile");
        // Another one was begun before the answer came.
        desk.edit(form("5"), Some("hot".into()));
        let sent = keep(desk);
        desk.edit(form("6"), None);
        desk.done(sent);
        assert_eq!((desk.form.get_untracked(), desk.replaces.get_untracked()), (form("6"), None));
    }

    #[test]
    fn undoing_leads_back_to_what_a_copy_was() {
        let (_owner, desk) = written();
        desk.copy(form("1"));
        assert!(desk.is_dirty() && !desk.is_changed());
        assert_eq!((desk.opened.get_untracked(), desk.replaces.get_untracked()), (form("1"), None));
    }
}
