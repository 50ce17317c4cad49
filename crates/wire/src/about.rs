//! What telemetry says of the thing itself, beside its values: its kind, its name, where it stands, how much it holds.

use fleetlens_model::geo::LonLat;
use fleetlens_model::kind::{Control, Kind};
use fleetlens_model::thing::{DEFAULT_INTERVAL_S, Meta};

use crate::meta::words;

/// Units one thing may be told, and names for values: as many as it may have values.
const WORDS_MAX: usize = 512;

/// What a message says of its thing; whatever is `None` or empty it does not say.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct About {
    /// What it is.
    pub kind: Option<Kind>,
    /// What people call it.
    pub title: Option<String>,
    /// Street.
    pub street: Option<String>,
    /// District or village.
    pub area: Option<String>,
    /// Where it stands, degrees north and east; said only when both are, and together a place on earth.
    pub lat_deg: Option<f64>,
    /// See [`About::lat_deg`].
    pub lon_deg: Option<f64>,
    /// Spaces in all, for a car park; at least 1.
    pub capacity: Option<u32>,
    /// Spaces for people with a disability among them; at least 1.
    pub capacity_accessible: Option<u32>,
    /// Spaces with a charging point among them; at least 1.
    pub capacity_charging: Option<u32>,
    /// How often it speaks, in seconds; at least 1.
    pub interval_s: Option<u32>,
    /// The name of the thing that carries what it says.
    pub gateway: Option<String>,
    /// Units by JSON pointer.
    pub units: Vec<(String, String)>,
    /// What values are called, by JSON pointer.
    pub labels: Vec<(String, String)>,
    /// The convention that carries the thing's commands, and what can be set by it; nobody else knows better.
    pub steering: Option<Steering>,
}

/// How a thing of a convention is commanded.
#[derive(Clone, Debug, PartialEq)]
pub struct Steering {
    /// [`crate::convention::Convention::word`].
    pub convention: &'static str,
    /// In the order of the screen.
    pub controls: Vec<Control>,
}

/// Which word of a description a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fact {
    /// [`About::title`].
    Title,
    /// [`About::street`].
    Street,
    /// [`About::area`].
    Area,
    /// [`About::lat_deg`].
    Lat,
    /// [`About::lon_deg`].
    Lon,
    /// [`About::capacity`].
    Capacity,
    /// [`About::capacity_accessible`].
    Accessible,
    /// [`About::capacity_charging`].
    Charging,
}

impl About {
    /// Takes a text for people, cleaned and cut; an empty one says nothing.
    pub(crate) fn say(&mut self, fact: Fact, text: &str) {
        let text = Some(words(text)).filter(|text| !text.is_empty());
        match fact {
            Fact::Title => self.title = text,
            Fact::Street => self.street = text,
            Fact::Area => self.area = text,
            Fact::Lat | Fact::Lon | Fact::Capacity | Fact::Accessible | Fact::Charging => {
                // Numbers are written as texts where everything is.
                if let Some(number) = text.and_then(|text| text.parse().ok()) {
                    self.count(fact, number);
                }
            }
        }
    }

    /// Takes a number; what is no count of spaces, such as the −1 of feeds that do not know, says nothing.
    pub(crate) fn count(&mut self, fact: Fact, number: f64) {
        match fact {
            Fact::Title | Fact::Street | Fact::Area => self.say(fact, &number.to_string()),
            Fact::Lat => self.lat_deg = Some(number),
            Fact::Lon => self.lon_deg = Some(number),
            Fact::Capacity => self.capacity = spaces(number),
            Fact::Accessible => self.capacity_accessible = spaces(number),
            Fact::Charging => self.capacity_charging = spaces(number),
        }
    }

    /// Where it says that the thing stands.
    fn at(&self) -> Option<LonLat> {
        LonLat::new(self.lon_deg?, self.lat_deg?)
    }

    /// Whether it says nothing that a thing of this kind which speaks this often would not be known by already; most messages do not.
    pub fn says_at_most(&self, kind: Kind, interval_s: u32) -> bool {
        let nothing = About { kind: self.kind, interval_s: self.interval_s, ..About::default() };
        self.kind.is_none_or(|said| said == kind)
            && self.interval_s.is_none_or(|said| said == interval_s)
            && *self == nothing
    }

    /// `meta` with what this says, or `None` when it says nothing new. Where `only_gaps` is set, because a retained description
    /// is the better witness, only what `meta` leaves open is filled.
    pub fn told(&self, meta: &Meta, only_gaps: bool) -> Option<Meta> {
        let mut new = None::<Meta>;
        let mut set = |change: &dyn Fn(&mut Meta)| change(new.get_or_insert_with(|| meta.clone()));
        let text = |said: &Option<String>, has: &str| {
            said.clone().filter(|said| said != has && (!only_gaps || has.is_empty()))
        };
        if let Some(kind) = self.kind.filter(|kind| *kind != meta.kind && (!only_gaps || meta.kind == Kind::Other)) {
            set(&|new| new.kind = kind);
        }
        if let Some(title) = text(&self.title, &meta.title) {
            set(&|new| new.title.clone_from(&title));
        }
        if let Some(street) = text(&self.street, &meta.street) {
            set(&|new| new.street.clone_from(&street));
        }
        if let Some(area) = text(&self.area, &meta.area) {
            set(&|new| new.area.clone_from(&area));
        }
        if let Some(gateway) = text(&self.gateway, &meta.gateway) {
            set(&|new| new.gateway.clone_from(&gateway));
        }
        if let Some(at) = self.at().filter(|at| Some(*at) != meta.at && (!only_gaps || meta.at.is_none())) {
            set(&|new| new.at = Some(at));
        }
        let count =
            |said: Option<u32>, has: Option<u32>| said.is_some() && said != has && (!only_gaps || has.is_none());
        if count(self.capacity, meta.capacity) {
            set(&|new| new.capacity = self.capacity);
        }
        if count(self.capacity_accessible, meta.capacity_accessible) {
            set(&|new| new.capacity_accessible = self.capacity_accessible);
        }
        if count(self.capacity_charging, meta.capacity_charging) {
            set(&|new| new.capacity_charging = self.capacity_charging);
        }
        let interval_s = self.interval_s.filter(|s| *s != meta.interval_s);
        if let Some(interval_s) = interval_s.filter(|_| !only_gaps || meta.interval_s == DEFAULT_INTERVAL_S) {
            set(&|new| new.interval_s = interval_s);
        }
        for (pointer, unit) in news(&self.units, &meta.units, only_gaps) {
            set(&|new| put(&mut new.units, pointer, unit));
        }
        for (pointer, label) in news(&self.labels, &meta.labels, only_gaps) {
            set(&|new| put(&mut new.labels, pointer, label));
        }
        if let Some(Steering { convention, controls }) = &self.steering
            && (meta.convention != *convention || meta.controls != *controls)
        {
            set(&|new| {
                (*convention).clone_into(&mut new.convention);
                new.controls.clone_from(controls);
            });
        }
        // A thing with as many words as there may be learns no more.
        new.filter(|new| new != meta)
    }
}

/// The words for values that are not known yet, or otherwise.
fn news<'a>(
    said: &'a [(String, String)],
    known: &[(String, String)],
    only_gaps: bool,
) -> impl Iterator<Item = (&'a str, &'a str)> {
    let is_news = move |(pointer, word): &&(String, String)| {
        let has = known.iter().find(|(at, _)| at == pointer).map(|(_, word)| word);
        has != Some(word) && (!only_gaps || has.is_none())
    };
    said.iter().filter(is_news).map(|(pointer, word)| (pointer.as_str(), word.as_str()))
}

fn put(words: &mut Vec<(String, String)>, pointer: &str, word: &str) {
    words.retain(|(at, _)| at != pointer);
    if words.len() < WORDS_MAX {
        words.push((pointer.to_owned(), word.to_owned()));
    }
}

/// A count of spaces; `None` for what is none.
fn spaces(number: f64) -> Option<u32> {
    let is_count = (1.0..=f64::from(u32::MAX)).contains(&number) && number.fract() == 0.0;
    is_count.then_some(number as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_message_says_of_its_thing_is_taken_unless_somebody_knows_better() {
        let bare = Meta { interval_s: DEFAULT_INTERVAL_S, ..Meta::default() };
        let mut about = About { kind: Some(Kind::Parking), interval_s: Some(900), ..About::default() };
        about.say(Fact::Title, " Salitre\u{202e}\n");
        about.gateway = Some("city/hub".into());
        about.count(Fact::Capacity, 342.0);
        about.count(Fact::Lat, 36.7);
        about.say(Fact::Lon, "-4.4");
        about.units.push(("/temp".into(), "°C".into()));
        let told = about.told(&bare, false).unwrap();
        assert_eq!((told.title.as_str(), told.kind, told.capacity), ("Salitre", Kind::Parking, Some(342)));
        assert_eq!((told.interval_s, told.unit("/temp"), told.at), (900, "°C", LonLat::new(-4.4, 36.7)));
        assert_eq!(told.gateway, "city/hub");
        assert_eq!(about.told(&told, false), None, "said again it is no news");

        let described = Meta { title: "Salitre 1".into(), capacity: None, ..told.clone() };
        assert_eq!(about.told(&described, false), Some(told.clone()));
        let filled = about.told(&described, true).unwrap();
        assert_eq!((filled.title.as_str(), filled.capacity), ("Salitre 1", Some(342)), "only the gap");
    }

    #[test]
    fn what_feeds_write_when_they_do_not_know_says_nothing() {
        let mut about = About::default();
        for spaces in [-1.0, 0.0, 2.5, 1e12, f64::NAN] {
            about.count(Fact::Capacity, spaces);
            assert_eq!(about.capacity, None, "{spaces}");
        }
        for spaces in ["None", "-1", "", "0"] {
            about.say(Fact::Capacity, spaces);
            assert_eq!(about.capacity, None, "{spaces}");
        }
        about.say(Fact::Title, "\u{202e}");
        assert_eq!(about, About::default());
        for (lat_deg, lon_deg) in [(0.0, 0.0), (91.0, 1.0), (f64::NAN, 1.0)] {
            about.count(Fact::Lat, lat_deg);
            about.count(Fact::Lon, lon_deg);
            assert_eq!(about.told(&Meta::default(), false), None, "{lat_deg} {lon_deg}");
        }
    }
}
