//! What the palette offers, and what of it fits a text. Pure.

use std::sync::Arc;

use fleetlens_ipc::rows::{FoundRow, MapName, PlaceRow};
use fleetlens_model::geo::GeoBox;
use fleetlens_model::kind::{Control, Takes};
use fleetlens_model::query::Choice;
use nucleo_matcher::pattern::{AtomKind, CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};
use tr::tr;

use crate::components::control::{Draft, verb};
use crate::format;
use crate::keys::Act;
use crate::lang::said;
use crate::state::palette::Spot;
use crate::state::section::Section;

/// What a letter that is found is worth to the matcher: a name in which gaps cost more than all other merits is no match.
const WORTH_OF_A_LETTER: u32 = 16;

/// A part of the list, under a heading of its own. In the order of the list: what answers at once stands above what comes later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Part {
    /// What was used last.
    Recent,
    /// What can be set on the thing that is open.
    Commands,
    /// Views and acts.
    Acts,
    /// Groups.
    Groups,
    /// What can come next in a query, and the table of what it finds. Nobody who goes on typing means these.
    Next,
    /// Things.
    Things,
    /// Places.
    Places,
}

/// Acts that have no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum More {
    /// The other theme.
    Theme,
    /// How the program stands.
    Diagnostics,
    /// How to find things.
    Syntax,
    /// One more window, with the map.
    NewWindow,
    /// One more window, with what is on the screen.
    ThisInNewWindow,
    /// A link to what is on the screen.
    CopyLink,
}

impl More {
    /// All of them, in the order in which they are offered.
    pub const ALL: [More; 6] =
        [More::ThisInNewWindow, More::NewWindow, More::CopyLink, More::Theme, More::Diagnostics, More::Syntax];

    /// A driver's.
    pub const OF_DRIVER: [More; 4] = [More::ThisInNewWindow, More::NewWindow, More::CopyLink, More::Theme];
}

/// One line of the list.
#[derive(Clone, Debug, PartialEq)]
pub enum Entry {
    /// What a key does as well.
    Act(Act),
    /// What none does.
    More(More),
    /// Opens a thing.
    Thing(FoundRow),
    /// Moves the map there.
    Place {
        /// Where.
        spot: Spot,
        /// What it is: `street in Marsa, 12 things`.
        what: String,
    },
    /// Opens a control of the thing that is open.
    Control {
        /// Which one.
        control: Arc<Control>,
        /// What it would do.
        word: String,
        /// What the control begins with.
        wants: Option<Draft>,
    },
    /// The table, with the things of a group.
    Group(String),
    /// The table, with what a query finds.
    Table(String),
    /// Goes on with the query.
    Choice(Choice),
}

impl Entry {
    /// Tells it from every other, whatever is known of it meanwhile.
    pub fn id(&self) -> String {
        match self {
            Entry::Act(act) => format!("act-{}", act.line().0.join("-")),
            Entry::More(more) => format!("more-{more:?}"),
            Entry::Thing(row) => format!("thing-{}", row.thing.0),
            Entry::Place { spot, what } => format!("place-{}-{what}", spot.name),
            Entry::Control { control, .. } => format!("control-{}", control.pointer),
            Entry::Group(name) => format!("group-{name}"),
            Entry::Table(_) => "table".to_owned(),
            Entry::Choice(choice) => format!("choice-{}", choice.text),
        }
    }

    /// Whether it is worth offering again.
    pub fn is_remembered(&self) -> bool {
        match self {
            Entry::Act(_)
            | Entry::More(_)
            | Entry::Thing(_)
            | Entry::Place { .. }
            | Entry::Group(_)
            | Entry::Table(_) => true,
            Entry::Control { .. } | Entry::Choice(_) => false,
        }
    }
}

/// What an act is called where it is chosen by its name.
pub fn name_of(act: Act, is_driver: bool, is_held: bool) -> &'static str {
    match act {
        Act::Fleet if is_driver => said("Show all car parks on the map"),
        Act::Hold if is_held => said("Let live values go on"),
        Act::Hold => said("Hold live values still"),
        Act::Find => said("Find things"),
        Act::Health => said("How well the alarms serve"),
        Act::Silence => said("Silence until the next critical alarm"),
        Act::Replay => said("Replay: show the city as it was"),
        Act::Help => said("Show the keys"),
        Act::Go(
            Section::Map
            | Section::Things
            | Section::Alarms
            | Section::Boards
            | Section::Commands
            | Section::Jobs
            | Section::Settings,
        )
        | Act::Rules
        | Act::Fleet
        | Act::Back
        | Act::Prefix
        | Act::Palette => said(act.line().1),
    }
}

/// What is called nearly so, best first; of a text of nothing but spaces all of it, as it came.
pub fn ranked<T>(text: &str, all: impl IntoIterator<Item = (T, String)>) -> Vec<T> {
    let letters = text.chars().filter(|c| !c.is_whitespace()).count();
    let least = u32::try_from(letters).unwrap_or(u32::MAX).saturating_mul(WORTH_OF_A_LETTER);
    let pattern = Pattern::new(text, CaseMatching::Ignore, Normalization::Smart, AtomKind::Fuzzy);
    let (mut matcher, mut letters) = (Matcher::new(Config::DEFAULT), Vec::new());
    let mut found: Vec<(u32, T)> = all
        .into_iter()
        .filter_map(|(one, name)| {
            let score = pattern.score(Utf32Str::new(&name, &mut letters), &mut matcher)?;
            (score >= least).then_some((score, one))
        })
        .collect();
    found.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
    found.into_iter().map(|(_, one)| one).collect()
}

/// What a control of a thing would do, with an ellipsis because it asks before it does, and what it begins with where that is clear.
pub fn command(control: &Control, now: Option<&Draft>) -> (String, Option<Draft>) {
    let wants = match (&control.takes, now) {
        (Takes::Switch, Some(Draft::Flag(on))) => Some(Draft::Flag(!on)),
        (Takes::Choice(words), Some(Draft::Word(now))) if words.len() == 2 => {
            words.iter().find(|(word, _)| word != now).map(|(word, _)| Draft::Word(word.to_string()))
        }
        (Takes::Range { .. } | Takes::Switch | Takes::Choice(_) | Takes::Text { .. }, _) => None,
    };
    // A thing that describes itself may have several switches; the one of a kind needs no name.
    let names_itself =
        !matches!(control.takes, Takes::Switch) || matches!(control.pointer.as_ref(), "/on" | "/enabled");
    let word = match &wants {
        Some(wants) if names_itself => verb(control, wants),
        Some(wants) => format!("{}: {}", format::known(&control.label), verb(control, wants).to_lowercase()),
        None => format::capital(format::known(&control.label)),
    };
    (format!("{word}…"), wants)
}

/// A district or street of the fleet.
pub fn of_fleet(row: PlaceRow) -> Entry {
    let count = format::count(row.things.into());
    let what = match (row.is_street, row.within.as_str()) {
        (true, "") => tr!("street, 1 thing" | "street, {count} things" % row.things, count = count),
        (true, within) => {
            tr!(
                "street in {within}, 1 thing" | "street in {within}, {count} things" % row.things,
                within = within,
                count = count
            )
        }
        (false, _) => tr!("district, 1 thing" | "district, {count} things" % row.things, count = count),
    };
    Entry::Place { spot: Spot { name: row.name, area: row.area, zoom: None }, what }
}

/// A name that stands on the map.
pub fn of_map(name: &MapName) -> Entry {
    let zoom = match name.class.as_str() {
        "continent" | "country" => 6.0,
        "state" | "province" | "island" => 10.0,
        "city" => 13.0,
        "town" | "village" => 14.0,
        _ => 15.0,
    };
    let class = match name.class.as_str() {
        "continent" => said("continent").to_owned(),
        "country" => said("country").to_owned(),
        "state" => tr!("a place of the map" => "state"),
        "province" => said("province").to_owned(),
        "island" => said("island").to_owned(),
        "city" => said("city").to_owned(),
        "town" => said("town").to_owned(),
        "village" => said("village").to_owned(),
        other => other.to_owned(),
    };
    let what = if class.is_empty() { said("on the map").to_owned() } else { tr!("{} on the map", class) };
    let spot = Spot { name: name.name.clone(), area: GeoBox::of(name.at), zoom: Some(zoom) };
    Entry::Place { spot, what }
}

#[cfg(test)]
mod tests {
    use fleetlens_model::geo::LonLat;
    use fleetlens_model::kind::{Kind, Schemas};

    use super::*;

    #[test]
    fn names_are_found_by_their_beginnings_and_by_scattered_letters_that_mean_them() {
        let all = || Act::OFFERED.map(|act| (act, name_of(act, false, false).to_owned()));
        for (text, want) in [
            ("things", Some(Act::Go(Section::Things))),
            ("gtj", Some(Act::Go(Section::Jobs))),
            ("  SETT", Some(Act::Go(Section::Settings))),
            ("whole fleet", Some(Act::Fleet)),
            ("hold", Some(Act::Hold)),
            ("lamp-0012", None),
            ("Triq Aldo Moro", None),
            ("kind:lamp", None),
        ] {
            assert_eq!(ranked(text, all()).first().copied(), want, "{text}");
        }
        assert_eq!(ranked(" ", all()), Act::OFFERED, "nothing typed leaves nothing out");
    }

    #[test]
    fn a_command_says_what_it_would_do_and_begins_with_it_where_that_is_clear() {
        let of_kind = |kind: Kind, pointer| Schemas::of_the_program().control_of_kind(kind, pointer).unwrap();
        let (dim, on) = (of_kind(Kind::Lamp, "/dim_pct"), of_kind(Kind::Lamp, "/on"));
        let (barrier, enabled) = (of_kind(Kind::Parking, "/barrier"), of_kind(Kind::Charger, "/enabled"));
        for (control, now, word, wants) in [
            (on, Some(Draft::Flag(true)), "Switch off…", Some(Draft::Flag(false))),
            (on, Some(Draft::Flag(false)), "Switch on…", Some(Draft::Flag(true))),
            (dim, Some(Draft::Number(40.0)), "Dim to…", None),
            (barrier, Some(Draft::Word("closed".into())), "Open barrier…", Some(Draft::Word("open".into()))),
            (barrier, None, "Barrier…", None),
            (enabled, Some(Draft::Flag(true)), "Take out of service…", Some(Draft::Flag(false))),
        ] {
            assert_eq!(command(control, now.as_ref()), (word.to_owned(), wants), "{}", control.pointer);
        }
    }

    #[test]
    fn a_line_is_the_same_whatever_is_known_of_it_and_no_two_are_one() {
        let at = LonLat { lon_deg: 14.5, lat_deg: 35.9 };
        let row = |things, is_street| PlaceRow {
            name: "Marsa".into(),
            within: String::new(),
            is_street,
            area: GeoBox::of(at),
            things,
        };
        let name = MapName { name: "Marsa".into(), class: "town".into(), at };
        let mut ids: Vec<String> = [of_fleet(row(1, false)), of_fleet(row(1, true)), of_map(&name)]
            .iter()
            .chain(&Act::OFFERED.map(Entry::Act))
            .chain(&[Entry::More(More::Theme), Entry::Group("Marsa".into()), Entry::Table("a".into())])
            .map(Entry::id)
            .collect();
        let many = ids.len();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), many);
        assert_eq!(Entry::Table("a".into()).id(), Entry::Table("ab".into()).id(), "it stays while somebody types");
    }
}
