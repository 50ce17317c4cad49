//! Light or dark, and with how much contrast: the system's word unless the person chose; kept in local storage, set as `data-theme` and
//! `data-contrast` on the page. `islands-js/theme.js` does the same before the first paint.

use leptos::prelude::*;
use wasm_bindgen::prelude::*;

use crate::lang::term;

const KEY: &str = "fleetlens.theme";
const CONTRAST_KEY: &str = "fleetlens.contrast";

/// What is on the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Theme {
    /// For dark rooms.
    Dark,
    /// For the sun.
    Light,
}

impl Theme {
    /// The word in `data-theme` and in the storage.
    pub fn word(self) -> &'static str {
        match self {
            Theme::Dark => "dark",
            Theme::Light => "light",
        }
    }

    /// The other one.
    pub fn other(self) -> Theme {
        match self {
            Theme::Dark => Theme::Light,
            Theme::Light => Theme::Dark,
        }
    }

    fn from_word(word: &str) -> Option<Theme> {
        [Theme::Dark, Theme::Light].into_iter().find(|theme| theme.word() == word)
    }
}

/// What the person wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// Whatever the system says, also when it changes its mind.
    System,
    /// Always this one.
    Always(Theme),
}

impl Choice {
    /// The word in the storage.
    fn word(self) -> &'static str {
        match self {
            Choice::System => "system",
            Choice::Always(theme) => theme.word(),
        }
    }

    fn from_word(word: &str) -> Option<Choice> {
        let system = (word == Choice::System.word()).then_some(Choice::System);
        system.or_else(|| Theme::from_word(word).map(Choice::Always))
    }
}

/// How far everything stands out from its ground.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contrast {
    /// As much as the system asks for, also when it changes its mind.
    System,
    /// Quiet where nothing is wrong.
    Usual,
    /// As much as the screen can.
    More,
}

impl Contrast {
    /// All of them with what a person chooses, in the order of the screen.
    pub const CHOICES: [(Contrast, &str); 3] =
        [(Contrast::System, term("System")), (Contrast::Usual, term("Usual")), (Contrast::More, term("More"))];

    /// The word in `data-contrast` and in the storage.
    fn word(self) -> &'static str {
        match self {
            Contrast::System => "system",
            Contrast::Usual => "usual",
            Contrast::More => "more",
        }
    }

    fn from_word(word: &str) -> Option<Contrast> {
        Contrast::CHOICES.into_iter().map(|(contrast, _)| contrast).find(|contrast| contrast.word() == word)
    }
}

/// The theme of the window, shared by everything that draws.
#[derive(Clone, Copy)]
pub struct ThemeSwitch {
    shown: RwSignal<Theme>,
    choice: RwSignal<Choice>,
    contrast: RwSignal<Contrast>,
    /// Rises with every change of the page's colours.
    colours: RwSignal<u32>,
}

impl ThemeSwitch {
    /// Takes over what the page started with, and follows the system from now on where that is wanted.
    pub fn start() -> ThemeSwitch {
        let shown = page_word().and_then(|word| Theme::from_word(&word)).unwrap_or(Theme::Dark);
        // A phone that was never told starts light, whatever its system says.
        let preset = if Some(shown) == system_theme() { Choice::System } else { Choice::Always(shown) };
        let choice = said_word().and_then(|word| Choice::from_word(&word)).unwrap_or(preset);
        let contrast = stored(CONTRAST_KEY).and_then(|word| Contrast::from_word(&word)).unwrap_or(Contrast::System);
        let switch = ThemeSwitch {
            shown: RwSignal::new(shown),
            choice: RwSignal::new(choice),
            contrast: RwSignal::new(contrast),
            colours: RwSignal::new(0),
        };
        switch.follow_system();
        switch
    }

    /// For what is drawn in the page's colours: tracked, changes whenever one of them may have.
    pub fn follow(self) {
        self.colours.track();
    }

    /// How much contrast the person wants; tracked.
    pub fn contrast(self) -> Contrast {
        self.contrast.get()
    }

    /// Does what the person wants, and keeps it.
    pub fn choose_contrast(self, contrast: Contrast) {
        keep(CONTRAST_KEY, contrast.word());
        self.contrast.set(contrast);
        self.show_contrast();
    }

    /// The theme now; tracked.
    pub fn get(self) -> Theme {
        self.shown.get()
    }

    /// What the person wants; tracked.
    pub fn choice(self) -> Choice {
        self.choice.get()
    }

    /// Goes to the other one and keeps the choice.
    pub fn turn(self) {
        self.choose(Choice::Always(self.shown.get_untracked().other()));
    }

    /// Does what the person wants, and keeps it.
    pub fn choose(self, choice: Choice) {
        keep(KEY, choice.word());
        self.choice.set(choice);
        self.show(match choice {
            Choice::System => system_theme().unwrap_or(Theme::Dark),
            Choice::Always(theme) => theme,
        });
    }

    fn show(self, theme: Theme) {
        if let Some(root) = document().document_element() {
            // Cannot fail: the name is an attribute's.
            let _ = root.set_attribute("data-theme", theme.word());
        }
        if self.shown.get_untracked() != theme {
            self.shown.set(theme);
            self.colours.update(|colours| *colours += 1);
        }
    }

    fn show_contrast(self) {
        let more = match self.contrast.get_untracked() {
            Contrast::System => system_query(MORE_CONTRAST).is_some_and(|query| query.matches()),
            Contrast::Usual => false,
            Contrast::More => true,
        };
        if let Some(root) = document().document_element() {
            let word = if more { Contrast::More } else { Contrast::Usual }.word();
            // Cannot fail: the name is an attribute's.
            let _ = root.set_attribute("data-contrast", word);
        }
        self.colours.update(|colours| *colours += 1);
    }

    fn follow_system(self) {
        listen(LIGHT, move || {
            if self.choice.get_untracked() == Choice::System {
                self.show(system_theme().unwrap_or(Theme::Dark));
            }
        });
        listen(MORE_CONTRAST, move || {
            if self.contrast.get_untracked() == Contrast::System {
                self.show_contrast();
            }
        });
    }
}

/// The switch of the window.
pub fn theme() -> ThemeSwitch {
    expect_context()
}

/// What was wanted before this start: by the app's flag `--theme`, else by an earlier choice.
fn said_word() -> Option<String> {
    let search = window().location().search().unwrap_or_default();
    let flag =
        search.trim_start_matches('?').split('&').find_map(|pair| pair.strip_prefix("theme=").map(str::to_owned));
    flag.or_else(|| stored(KEY))
}

fn stored(key: &str) -> Option<String> {
    window().local_storage().ok().flatten()?.get_item(key).ok().flatten()
}

fn keep(key: &str, word: &str) {
    if let Ok(Some(storage)) = window().local_storage() {
        // A full or forbidden storage only costs the choice at the next start.
        let _ = storage.set_item(key, word);
    }
}

const LIGHT: &str = "(prefers-color-scheme: light)";
const MORE_CONTRAST: &str = "(prefers-contrast: more)";

fn system_query(query: &str) -> Option<web_sys::MediaQueryList> {
    window().match_media(query).ok().flatten()
}

fn listen(query: &str, changed: impl Fn() + 'static) {
    if let Some(query) = system_query(query) {
        let ear = Closure::<dyn Fn()>::new(changed).into_js_value();
        // Fails for no name; then the page follows at the next start.
        let _ = query.add_event_listener_with_callback("change", ear.unchecked_ref());
    }
}

fn system_theme() -> Option<Theme> {
    system_query(LIGHT).map(|query| if query.matches() { Theme::Light } else { Theme::Dark })
}

fn page_word() -> Option<String> {
    document().document_element()?.get_attribute("data-theme")
}

/// A token of `styles/tokens.css` as it is now, e.g. `--warn`; empty when there is none.
pub fn token(name: &str) -> String {
    let root = document().document_element();
    let styles = root.and_then(|root| window().get_computed_style(&root).ok().flatten());
    styles.and_then(|styles| styles.get_property_value(name).ok()).unwrap_or_default().trim().to_owned()
}

/// A colour as three parts 0–255, from `#rrggbb`; further digits (opacity) are left out. `None` for anything else.
pub fn rgb(hex: &str) -> Option<(u8, u8, u8)> {
    let digits = hex.trim().strip_prefix('#').filter(|digits| digits.is_ascii() && matches!(digits.len(), 6 | 8))?;
    let part = |from: usize| digits.get(from..from + 2).and_then(|two| u8::from_str_radix(two, 16).ok());
    Some((part(0)?, part(2)?, part(4)?))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// The hexadecimal colours of each theme, read from the sheet itself.
    fn tokens(theme: &str) -> BTreeMap<String, (u8, u8, u8)> {
        let sheet = include_str!("../styles/tokens.css");
        let (_, from) = sheet.split_once(&format!("[data-theme=\"{theme}\"] {{")).unwrap();
        colours_of(from)
    }

    /// The same where somebody wants more contrast.
    fn tokens_of_more(theme: &str) -> BTreeMap<String, (u8, u8, u8)> {
        let sheet = include_str!("../styles/tokens.css");
        let (_, from) = sheet.split_once(&format!("[data-theme=\"{theme}\"][data-contrast=\"more\"] {{")).unwrap();
        colours_of(from)
    }

    fn colours_of(from: &str) -> BTreeMap<String, (u8, u8, u8)> {
        let block = from.split('}').next().unwrap();
        block
            .split(['{', ';'])
            .filter_map(|line| line.trim().strip_prefix("--")?.split_once(':'))
            .filter_map(|(name, value)| Some((name.to_owned(), rgb(value)?)))
            .collect()
    }

    /// WCAG 2.2, "relative luminance" and "contrast ratio".
    fn contrast(a: (u8, u8, u8), b: (u8, u8, u8)) -> f64 {
        let luminance = |(r, g, b): (u8, u8, u8)| {
            let part = |c: u8| {
                let c = f64::from(c) / 255.0;
                if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
            };
            0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b)
        };
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn text_can_be_read_on_every_surface_it_stands_on() {
        for theme in ["dark", "light"] {
            let tokens = tokens(theme);
            for text in ["text", "muted", "faint", "accent", "warn", "crit", "pending", "good"] {
                for surface in ["bg", "surface", "raised", "warn-bg", "crit-bg", "pending-bg"] {
                    let ratio = contrast(tokens[text], tokens[surface]);
                    assert!(ratio >= 4.5, "{theme}: --{text} on --{surface} is {ratio:.2}");
                }
            }
            let tones = ["chart-line", "chart-2", "chart-3", "chart-4"].map(|tone| (tone, "surface"));
            let past = [("past", "past-bg"), ("past", "surface"), ("past", "bg")];
            for (text, ground) in
                [("accent-ink", "accent"), ("map-place", "map-land")].into_iter().chain(tones).chain(past)
            {
                let ratio = contrast(tokens[text], tokens[ground]);
                assert!(ratio >= 4.5, "{theme}: --{text} on --{ground} is {ratio:.2}");
            }
            for mark in ["mark-ok", "mark-warn", "mark-crit", "mark-unknown", "pending"] {
                let ratio = contrast(tokens[mark], tokens["map-land"]);
                assert!(ratio >= 3.0, "{theme}: --{mark} on the map is {ratio:.2}");
            }
        }
    }

    /// WCAG 2.2, 1.4.6 (text) and 1.4.11 (what a control is bounded by).
    #[test]
    fn who_wants_more_contrast_gets_seven_for_text_and_three_for_every_line() {
        for theme in ["dark", "light"] {
            let tokens = tokens_of_more(theme);
            let at_least = |least: f64, names: &[&str], grounds: &[&str]| {
                for (name, ground) in names.iter().flat_map(|name| grounds.iter().map(move |ground| (name, ground))) {
                    let ratio = contrast(tokens[*name], tokens[*ground]);
                    assert!(ratio >= least, "{theme}: --{name} on --{ground} is {ratio:.2}");
                }
            };
            let surfaces = ["bg", "surface", "raised", "warn-bg", "crit-bg", "pending-bg"];
            at_least(7.0, &["text", "muted", "faint", "accent", "warn", "crit", "pending", "good"], &surfaces);
            at_least(7.0, &["accent-ink"], &["accent"]);
            at_least(7.0, &["past"], &["past-bg", "surface", "bg"]);
            at_least(7.0, &["map-place", "map-label"], &["map-land"]);
            at_least(3.0, &["line", "line-strong", "focus"], &surfaces);
            at_least(4.5, &["mark-ok", "mark-warn", "mark-crit", "mark-unknown"], &["map-land"]);
            at_least(4.5, &["chart-line", "chart-2", "chart-3", "chart-4"], &["surface"]);
        }
    }

    #[test]
    fn a_choice_is_kept_as_a_word_and_comes_back_from_it() {
        for choice in [Choice::System, Choice::Always(Theme::Light), Choice::Always(Theme::Dark)] {
            assert_eq!(Choice::from_word(choice.word()), Some(choice));
        }
        assert_eq!(Choice::from_word("sepia"), None);
        for contrast in [Contrast::System, Contrast::Usual, Contrast::More] {
            assert_eq!(Contrast::from_word(contrast.word()), Some(contrast));
        }
        assert_eq!(Contrast::from_word("less"), None);
    }

    #[test]
    fn both_themes_name_the_same_tokens() {
        let names = |theme| tokens(theme).into_keys().collect::<Vec<_>>();
        assert!(names("dark").len() > 30);
        assert_eq!(names("dark"), names("light"));
        for theme in ["dark", "light"] {
            assert_eq!(tokens_of_more(theme).into_keys().collect::<Vec<_>>(), names("dark"), "{theme}, more contrast");
        }
    }

    #[test]
    fn colours_are_read_and_anything_else_is_not_one() {
        assert_eq!(rgb(" #1b222b"), Some((0x1b, 0x22, 0x2b)));
        assert_eq!(rgb("#00000080"), Some((0, 0, 0)));
        for bad in ["", "#fff", "red", "#12345ä", "#gggggg"] {
            assert_eq!(rgb(bad), None, "{bad}");
        }
    }
}
