//! What a window shows, as words that people pass on: the page's own address after its `#/`, what a remembered window comes back to, and
//! links (`fleetlens://thing/lamp-12`). The same words everywhere.
//!
//! A link comes from anybody. It says where to go and never what to do, it is bounded before it is read, and every way in which it can be
//! wrong has a sentence.

use std::fmt::{self, Display, Formatter};

use fleetlens_model::geo::LonLat;
use fleetlens_model::id::{AlarmId, NameError, ThingName};
use fleetlens_model::query::TEXT_MAX_BYTES;
use fleetlens_model::text::is_hidden;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use thiserror::Error;

/// What a link begins with, before `://`.
pub const SCHEME: &str = "fleetlens";

/// The longest link that is read, in bytes: the longest query with every byte of it escaped, and then some.
pub const LINK_MAX_BYTES: usize = 4096;

/// The longest id of a board, in bytes.
const BOARD_MAX_BYTES: usize = 256;

/// The closest that a map is shown.
const ZOOM_MAX: f64 = 24.0;

/// RFC 3986, "unreserved": everything else is escaped.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A part of the desktop's window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum View {
    /// The map alone.
    #[default]
    Map,
    /// The table of things.
    Things,
    /// The alarms.
    Alarms,
    /// The boards.
    Boards,
    /// The commands.
    Commands,
    /// The jobs.
    Jobs,
    /// The settings.
    Settings,
}

impl View {
    /// Every one.
    pub const ALL: [View; 7] =
        [View::Map, View::Things, View::Alarms, View::Boards, View::Commands, View::Jobs, View::Settings];

    /// Its word in an address.
    pub fn word(self) -> &'static str {
        match self {
            View::Map => "map",
            View::Things => "things",
            View::Alarms => "alarms",
            View::Boards => "boards",
            View::Commands => "commands",
            View::Jobs => "jobs",
            View::Settings => "settings",
        }
    }

    fn of_word(word: &str) -> Option<View> {
        View::ALL.into_iter().find(|view| view.word() == word)
    }
}

/// What a window shows.
#[derive(Clone, Debug, PartialEq)]
pub enum Address {
    /// A part of the window: `view/alarms`.
    View(View),
    /// The map, at a place: `view/map?at=35.895500,14.507000,14.10`.
    Spot {
        /// The middle of the picture.
        center: LonLat,
        /// The map's zoom, 0 to 24.
        zoom: f64,
    },
    /// A thing: `thing/lamp-12`.
    Thing {
        /// Its name.
        name: ThingName,
        /// What it lies over: `?in=alarms`.
        over: View,
        /// Whether it fills the window: `&page`.
        page: bool,
    },
    /// The thing of an alarm, among the alarms: `alarm/7`. Numbers of alarms mean something only within one cache.
    Alarm(AlarmId),
    /// The table of things with a query: `find?q=kind%3Alamp`.
    Find(String),
    /// A board by its id: `board/overview`.
    Board(String),
}

/// Why a text is no address.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum AddressError {
    /// More than [`LINK_MAX_BYTES`].
    #[error("it has {0} bytes; at most {LINK_MAX_BYTES} are read")]
    TooLong(usize),
    /// Another scheme.
    #[error("it is not one of ours; they begin with fleetlens://")]
    NotOurs,
    /// A word that leads nowhere.
    #[error("it does not begin with thing/, alarm/, board/, view/ or find?q=")]
    Unknown,
    /// No such part of the window.
    #[error("there is no such view; there are map, things, alarms, boards, commands, jobs and settings")]
    NoView,
    /// What it leads to is not named, or there is more behind it.
    #[error("what it leads to is not complete")]
    Incomplete,
    /// A `%` without two hexadecimal digits, or bytes that are no UTF-8.
    #[error("it is not encoded as links are: % and two hexadecimal digits, in UTF-8")]
    Encoding,
    /// Characters that hide, or forge what a person reads.
    #[error("it holds characters that cannot be seen")]
    Hidden,
    /// A name that no thing can have.
    #[error("{0}")]
    Name(#[from] NameError),
    /// No number of an alarm.
    #[error("an alarm is a number")]
    NoAlarm,
    /// A place that is not on the earth.
    #[error("a place on the map is latitude, longitude and zoom")]
    NoPlace,
    /// A query or an id that is too long.
    #[error("what it looks for has {given} bytes; at most {most} are read")]
    LongText {
        /// How many it has.
        given: usize,
        /// How many are read.
        most: usize,
    },
}

impl Address {
    /// Reads a link, or what stands after the `#` of the page's address. What an address does not know it leaves out: a later program may
    /// say more.
    pub fn read(text: &str) -> Result<Address, AddressError> {
        let text = text.trim();
        if text.len() > LINK_MAX_BYTES {
            return Err(AddressError::TooLong(text.len()));
        }
        let words = without_scheme(text)?;
        let (path, query) = words.split_once('?').unwrap_or((words, ""));
        // Some programs put a slash behind everything.
        let path = path.strip_suffix('/').unwrap_or(path);
        let (word, rest) = path.split_once('/').unwrap_or((path, ""));
        match word {
            "view" => view(rest, query),
            "thing" => {
                let over = param(query, "in")?.map_or(Ok(View::Map), |word| known_view(&word))?;
                let page = param(query, "page")?.is_some();
                Ok(Address::Thing { name: ThingName::new(one(rest)?)?, over, page })
            }
            "alarm" => Ok(Address::Alarm(AlarmId(one(rest)?.parse().map_err(|_| AddressError::NoAlarm)?))),
            "board" => Ok(Address::Board(bounded(one(rest)?, BOARD_MAX_BYTES)?)),
            "find" if rest.is_empty() => {
                let text = param(query, "q")?.unwrap_or_default();
                let text = bounded(text.trim().to_owned(), TEXT_MAX_BYTES)?;
                if text.is_empty() { Err(AddressError::Incomplete) } else { Ok(Address::Find(text)) }
            }
            _ => Err(AddressError::Unknown),
        }
    }

    /// The link that leads there.
    pub fn link(&self) -> String {
        format!("{SCHEME}://{self}")
    }
}

/// As it stands in the page's address after `#/`: letters, digits, and `-._~/?&=,%`.
impl Display for Address {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let escaped = |text| utf8_percent_encode(text, ESCAPED);
        match self {
            Address::View(view) => write!(f, "view/{}", view.word()),
            Address::Spot { center, zoom } => {
                write!(f, "view/map?at={:.6},{:.6},{zoom:.2}", center.lat_deg, center.lon_deg)
            }
            Address::Thing { name, over, page } => {
                write!(f, "thing/{}", escaped(name.as_str()))?;
                match (over, page) {
                    (View::Map, false) => Ok(()),
                    (View::Map, true) => f.write_str("?page"),
                    (over, false) => write!(f, "?in={}", over.word()),
                    (over, true) => write!(f, "?in={}&page", over.word()),
                }
            }
            Address::Alarm(alarm) => write!(f, "alarm/{}", alarm.0),
            Address::Find(text) => write!(f, "find?q={}", escaped(text)),
            Address::Board(id) => write!(f, "board/{}", escaped(id)),
        }
    }
}

/// A text with everything escaped that is not a letter, a digit or one of `-._~`.
pub fn escaped(text: &str) -> String {
    utf8_percent_encode(text, ESCAPED).to_string()
}

/// A text that may be no address, with everything in it escaped that an address does not have: whatever it is put into, it is a text there,
/// and who reads it says what is wrong with it.
pub fn harmless(text: &str) -> String {
    const KEPT: &AsciiSet =
        &ESCAPED.remove(b'/').remove(b'?').remove(b'&').remove(b'=').remove(b',').remove(b'%').remove(b':');
    let mut end = text.len().min(LINK_MAX_BYTES + 1);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    utf8_percent_encode(text.get(..end).unwrap_or_default(), KEPT).to_string()
}

fn without_scheme(text: &str) -> Result<&str, AddressError> {
    // A link that was handed over stands in the page's address as it came.
    let text = text.strip_prefix("#/").or_else(|| text.strip_prefix('/')).unwrap_or(text);
    let (before, rest) = text.split_once(':').filter(|(before, _)| !before.contains(['/', '?'])).unwrap_or(("", text));
    match before {
        "" => Ok(text),
        scheme if scheme.eq_ignore_ascii_case(SCHEME) => Ok(rest.trim_start_matches('/')),
        _ => Err(AddressError::NotOurs),
    }
}

fn view(rest: &str, query: &str) -> Result<Address, AddressError> {
    let view = known_view(&one(rest)?)?;
    match param(query, "at")? {
        Some(at) if view == View::Map => spot(&at),
        Some(_) | None => Ok(Address::View(view)),
    }
}

fn known_view(word: &str) -> Result<View, AddressError> {
    View::of_word(word).ok_or(AddressError::NoView)
}

fn spot(at: &str) -> Result<Address, AddressError> {
    let mut numbers = at.split(',').map(|number| number.parse::<f64>().ok().filter(|number| number.is_finite()));
    let mut next = || numbers.next().flatten().ok_or(AddressError::NoPlace);
    let (lat_deg, lon_deg, zoom) = (next()?, next()?, next()?);
    let center = LonLat::new(lon_deg, lat_deg).ok_or(AddressError::NoPlace)?;
    if numbers.next().is_some() || !(0.0..=ZOOM_MAX).contains(&zoom) {
        return Err(AddressError::NoPlace);
    }
    Ok(Address::Spot { center, zoom })
}

/// The one word of a path.
fn one(rest: &str) -> Result<String, AddressError> {
    if rest.is_empty() || rest.contains('/') { Err(AddressError::Incomplete) } else { decoded(rest) }
}

/// What a query says of a word; empty where it says the word alone.
fn param(query: &str, word: &str) -> Result<Option<String>, AddressError> {
    let mut pairs = query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    pairs.find(|(key, _)| *key == word).map(|(_, value)| decoded(value)).transpose()
}

fn decoded(text: &str) -> Result<String, AddressError> {
    let is_escape = |after: &str| {
        let mut signs = after.chars();
        (0..2).all(|_| signs.next().is_some_and(|sign| sign.is_ascii_hexdigit()))
    };
    if !text.split('%').skip(1).all(is_escape) {
        return Err(AddressError::Encoding);
    }
    let text = percent_decode_str(text).decode_utf8().map_err(|_| AddressError::Encoding)?;
    if text.chars().any(is_hidden) { Err(AddressError::Hidden) } else { Ok(text.into_owned()) }
}

fn bounded(text: String, most: usize) -> Result<String, AddressError> {
    if text.len() > most { Err(AddressError::LongText { given: text.len(), most }) } else { Ok(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn thing(name: &str, over: View, page: bool) -> Address {
        Address::Thing { name: ThingName::new(name).unwrap(), over, page }
    }

    #[test]
    fn what_a_window_shows_is_the_same_words_there_and_back() {
        let center = LonLat::new(14.507, 35.8955).unwrap();
        for (address, words) in [
            (Address::View(View::Map), "view/map"),
            (Address::View(View::Settings), "view/settings"),
            (Address::Spot { center, zoom: 14.1 }, "view/map?at=35.895500,14.507000,14.10"),
            (thing("lamp-12", View::Map, false), "thing/lamp-12"),
            (thing("lamp-12", View::Alarms, true), "thing/lamp-12?in=alarms&page"),
            (thing("a/b?c&d=é #%", View::Map, true), "thing/a%2Fb%3Fc%26d%3D%C3%A9%20%23%25?page"),
            (Address::Alarm(AlarmId(7)), "alarm/7"),
            (Address::Find("kind:lamp triq \"x\"".into()), "find?q=kind%3Alamp%20triq%20%22x%22"),
            (Address::Board("west side".into()), "board/west%20side"),
        ] {
            assert_eq!(address.to_string(), words);
            for text in [words.to_owned(), format!("#/{words}"), address.link(), format!("#/{}", address.link())] {
                assert_eq!(Address::read(&text), Ok(address.clone()), "{text}");
            }
        }
    }

    #[test]
    fn links_are_read_as_programs_hand_them_over() {
        for (text, want) in [
            ("FleetLens://thing/lamp-12", thing("lamp-12", View::Map, false)),
            ("fleetlens:thing/lamp-12", thing("lamp-12", View::Map, false)),
            (" fleetlens://thing/lamp-12\n", thing("lamp-12", View::Map, false)),
            ("fleetlens://view/alarms/", Address::View(View::Alarms)),
            ("fleetlens://find/?q=triq", Address::Find("triq".into())),
            ("fleetlens://thing/größe", thing("größe", View::Map, false)),
            ("fleetlens://thing/lamp-12?newer=1", thing("lamp-12", View::Map, false)),
            ("fleetlens://thing/home:lamp", thing("home:lamp", View::Map, false)),
            ("thing/home:lamp", thing("home:lamp", View::Map, false)),
        ] {
            assert_eq!(Address::read(text), Ok(want), "{text}");
        }
    }

    #[test]
    fn a_hostile_link_is_refused_with_the_reason() {
        let long_name = format!("fleetlens://thing/{}", "x".repeat(257));
        let long_query = format!("fleetlens://find?q={}", "x".repeat(TEXT_MAX_BYTES + 1));
        let long = format!("fleetlens://find?q={}", "x".repeat(LINK_MAX_BYTES));
        for (text, want) in [
            ("", AddressError::Unknown),
            ("https://thing/lamp-12", AddressError::NotOurs),
            ("javascript:alert(1)", AddressError::NotOurs),
            ("fleetlens://", AddressError::Unknown),
            ("fleetlens://set/lamp-12?on=true", AddressError::Unknown),
            ("fleetlens://thing", AddressError::Incomplete),
            ("fleetlens://thing/", AddressError::Incomplete),
            ("fleetlens://thing/../../etc/passwd", AddressError::Incomplete),
            ("fleetlens://thing/lamp/set", AddressError::Incomplete),
            ("fleetlens://thing/lamp%2", AddressError::Encoding),
            ("fleetlens://thing/lamp%é0", AddressError::Encoding),
            ("fleetlens://thing/%ff%fe", AddressError::Encoding),
            ("fleetlens://thing/a%00b", AddressError::Hidden),
            ("fleetlens://thing/a%E2%80%AEb", AddressError::Hidden),
            ("fleetlens://thing/lamp?in=kitchen", AddressError::NoView),
            (long_name.as_str(), AddressError::Name(NameError::TooLong(257))),
            ("fleetlens://alarm/-1", AddressError::NoAlarm),
            ("fleetlens://alarm/99999999999999999999", AddressError::NoAlarm),
            ("fleetlens://view/rules", AddressError::NoView),
            ("fleetlens://view/map?at=91,0,3", AddressError::NoPlace),
            ("fleetlens://view/map?at=35,14,NaN", AddressError::NoPlace),
            ("fleetlens://view/map?at=35,14,3,1", AddressError::NoPlace),
            ("fleetlens://view/map?at=35", AddressError::NoPlace),
            ("fleetlens://find?q=%20", AddressError::Incomplete),
            (long_query.as_str(), AddressError::LongText { given: TEXT_MAX_BYTES + 1, most: TEXT_MAX_BYTES }),
            (long.as_str(), AddressError::TooLong(long.len())),
        ] {
            assert_eq!(Address::read(text), Err(want), "{text}");
        }
    }

    #[test]
    fn whatever_a_stranger_wrote_is_harmless_text_wherever_it_is_put() {
        for text in ["\"); alert(1); (\"", "</script>\u{2028}\n\\", "fleetlens://thing/größe%20x", &"é".repeat(9_000)]
        {
            let harmless = harmless(text);
            assert!(harmless.chars().all(|c| c.is_ascii_alphanumeric() || "-._~/?&=,%:".contains(c)), "{harmless}");
        }
        assert_eq!(Address::read(&harmless("fleetlens://thing/größe%20x")), Ok(thing("größe x", View::Map, false)));
        let long = harmless(&"é".repeat(9_000));
        assert!(matches!(Address::read(&long), Err(AddressError::TooLong(_))), "it is not made a shorter one");
    }
}
