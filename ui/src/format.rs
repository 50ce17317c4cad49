//! Numbers, ages, sizes and times as people read them. Pure: no clock, no DOM, no time zone (see [`crate::clock`] for that).

use fleetlens_ipc::rows::{ThingHead, ValueRow};
use fleetlens_model::freshness::Freshness;
use fleetlens_model::kind::Kind;
use fleetlens_model::telemetry::{Quality, Source, Timed, Value};
use fleetlens_model::text::shown;
use tr::tr;

use crate::lang::{Language, language, said, term};

/// Groups thousands and never breaks the line: U+202F, the narrow no-break space.
const THIN: char = '\u{202f}';

/// Parts a number from its unit and never breaks the line.
const GAP: char = '\u{a0}';

/// A wall-clock moment in the reader's own time zone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LocalTime {
    /// Year.
    pub year: i32,
    /// Month, 1–12.
    pub month: u8,
    /// Day of the month, 1–31.
    pub day: u8,
    /// Hour, 0–23.
    pub hour: u8,
    /// Minute, 0–59.
    pub minute: u8,
    /// Second, 0–60.
    pub second: u8,
    /// Millisecond, 0–999.
    pub milli: u16,
}

const WEEKDAYS: [&str; 7] = [term("Sun"), term("Mon"), term("Tue"), term("Wed"), term("Thu"), term("Fri"), term("Sat")];

const MONTHS: [&str; 12] = [
    term("Jan"),
    term("Feb"),
    term("Mar"),
    term("Apr"),
    term("May"),
    term("Jun"),
    term("Jul"),
    term("Aug"),
    term("Sep"),
    term("Oct"),
    term("Nov"),
    term("Dec"),
];

impl LocalTime {
    fn same_day(&self, other: &LocalTime) -> bool {
        (self.year, self.month, self.day) == (other.year, other.month, other.day)
    }

    /// The day of the week (Sakamoto's method).
    fn weekday(&self) -> &'static str {
        const OFFSETS: [i32; 12] = [0, 3, 2, 5, 0, 3, 5, 1, 4, 6, 2, 4];
        let year = if self.month < 3 { self.year - 1 } else { self.year };
        let offset = OFFSETS.get(usize::from(self.month.saturating_sub(1))).copied().unwrap_or(0);
        let day =
            year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + offset + i32::from(self.day);
        usize::try_from(day.rem_euclid(7)).ok().and_then(|day| WEEKDAYS.get(day)).map_or("?", |day| said(day))
    }

    fn date(&self) -> String {
        let month = MONTHS.get(usize::from(self.month.saturating_sub(1))).map_or("?", |month| said(month));
        tr!("{day} {month}", day = self.day, month)
    }

    /// `10:42`, with the date in front when it is not today.
    pub fn short(&self, today: &LocalTime) -> String {
        let clock = format!("{:02}:{:02}", self.hour, self.minute);
        if self.same_day(today) { clock } else { format!("{} {clock}", self.date()) }
    }

    /// `10:42:07`, with the date in front when it is not today.
    pub fn seconds(&self, today: &LocalTime) -> String {
        format!("{}:{:02}", self.short(today), self.second)
    }

    /// `10:42:07.204`, with the date in front when it is not today.
    pub fn millis(&self, today: &LocalTime) -> String {
        format!("{}.{:03}", self.seconds(today), self.milli)
    }

    /// `Sat 21 Nov 14:03:10`, with the year where it is not today's.
    pub fn day_and_clock(&self, today: &LocalTime) -> String {
        let year = if self.year == today.year { String::new() } else { format!(" {}", self.year) };
        let clock = format!("{:02}:{:02}:{:02}", self.hour, self.minute, self.second);
        format!("{} {}{year} {clock}", self.weekday(), self.date())
    }

    /// `14:03`.
    pub fn minutes(&self) -> String {
        format!("{:02}:{:02}", self.hour, self.minute)
    }

    /// `Sat 21`.
    pub fn day(&self) -> String {
        tr!("{weekday} {day}", weekday = self.weekday(), day = self.day)
    }

    /// As a field for a moment has it: `2026-11-21T14:03:10`.
    pub fn field(&self) -> String {
        let LocalTime { year, month, day, hour, minute, second, milli: _ } = self;
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")
    }

    /// The whole moment, for titles: `21 Nov 2025, 10:42:07.204`.
    pub fn exact(&self) -> String {
        let clock = format!("{:02}:{:02}:{:02}.{:03}", self.hour, self.minute, self.second, self.milli);
        format!("{} {}, {clock}", self.date(), self.year)
    }
}

/// A stretch of time: `Tue 10:00 – 11:30` within the last days, `Tue 4 Nov 10:00 – 11:30` before that, with the year where it is another
/// one than today's. Of less than ten minutes with seconds, of two months or more the days alone.
pub fn stretch(
    (from, until): (&LocalTime, &LocalTime),
    span_ms: i64,
    is_of_this_week: bool,
    today: &LocalTime,
) -> String {
    const DAYS_MS: i64 = 60 * 86_400_000;
    let day = |at: &LocalTime| {
        let year = if at.year == today.year { String::new() } else { format!(" {}", at.year) };
        match (at.same_day(today), is_of_this_week) {
            (true, _) => said("Today").to_owned(),
            (false, true) => at.weekday().to_owned(),
            (false, false) => format!("{} {}{year}", at.weekday(), at.date()),
        }
    };
    let clock = |at: &LocalTime| {
        let seconds = if span_ms < 600_000 { format!(":{:02}", at.second) } else { String::new() };
        format!("{:02}:{:02}{seconds}", at.hour, at.minute)
    };
    if span_ms >= DAYS_MS {
        return format!("{} {} – {} {}", from.date(), from.year, until.date(), until.year);
    }
    let end = if from.same_day(until) { clock(until) } else { format!("{} {}", day(until), clock(until)) };
    format!("{} {} – {end}", day(from), clock(from))
}

/// A number with grouped thousands and a real minus sign; `1234.5` with one decimal is `1 234.5`.
pub fn number(value: f64, decimals: u8) -> String {
    let plain = format!("{:.*}", usize::from(decimals), value.abs());
    let (whole, rest) = plain.split_once('.').unwrap_or((&plain, ""));
    let mut text = String::with_capacity(plain.len() + 4);
    let is_zero = plain.chars().all(|c| matches!(c, '0' | '.'));
    if value < 0.0 && !is_zero {
        text.push('−');
    }
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place).is_multiple_of(3) {
            text.push(THIN);
        }
        text.push(digit);
    }
    if !rest.is_empty() {
        text.push(language().decimal_mark());
        text.push_str(rest);
    }
    text
}

/// A whole number with grouped thousands.
pub fn count(n: u64) -> String {
    number(n as f64, 0)
}

/// So many things.
pub fn things(n: u64) -> String {
    tr!("1 thing" | "{shown} things" % n, shown = count(n))
}

/// An age or a time left, in one unit, rounded down: `4 s`, `26 min`, `3 h`, `5 d`.
pub fn age(ms: u64) -> String {
    let s = ms / 1000;
    match s {
        0..60 => format!("{s}{GAP}s"),
        60..3600 => format!("{}{GAP}min", s / 60),
        3600..172_800 => format!("{}{GAP}h", s / 3600),
        _ => format!("{}{GAP}d", s / 86_400),
    }
}

/// Like [`age`], with tenths below ten seconds.
pub fn fine_age(ms: u64) -> String {
    if ms < 10_000 { format!("{}{GAP}s", number(ms as f64 / 1000.0, 1)) } else { age(ms) }
}

/// The time between two steps: `+86 ms`, `+1.4 s`, `+12 min`.
pub fn delay(ms: u64) -> String {
    format!("+{}", took(ms))
}

/// How long something took: `86 ms`, `1.4 s`, `12 min`.
pub fn took(ms: u64) -> String {
    match ms {
        0..1000 => format!("{ms}{GAP}ms"),
        1000..60_000 => format!("{}{GAP}s", number(ms as f64 / 1000.0, 1)),
        _ => age(ms),
    }
}

/// A size in decimal units: `1.9 GB`.
pub fn bytes(n: u64) -> String {
    let (value, unit) = match n {
        0..1_000 => return format!("{n}{GAP}B"),
        1_000..1_000_000 => (n as f64 / 1e3, "kB"),
        1_000_000..1_000_000_000 => (n as f64 / 1e6, "MB"),
        _ => (n as f64 / 1e9, "GB"),
    };
    let decimals = u8::from(value < 100.0);
    format!("{}{GAP}{unit}", number(value, decimals))
}

/// Messages a second: whole from ten up, one decimal below.
pub fn rate(per_s: f32) -> String {
    number(f64::from(per_s), u8::from(per_s < 10.0 && per_s > 0.0))
}

/// A word with a capital first letter.
pub fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// Words of values that are written in capitals.
const ABBREVIATIONS: [&str; 6] = ["ac", "dc", "gps", "gsm", "lte", "poe"];

/// Whether a value is one that goes up and down: a switch and a word do not.
pub fn is_number(value: &Value) -> bool {
    matches!(value, Value::Number(_))
}

/// A value without its unit; flags are `On` and `Off`.
pub fn value(value: &Value, decimals: u8) -> String {
    match value {
        Value::Number(n) => number(*n, decimals),
        Value::Flag(true) => said("On").into(),
        Value::Flag(false) => said("Off").into(),
        Value::Text(word) if ABBREVIATIONS.contains(&word.as_str()) => word.to_uppercase(),
        Value::Text(word) => capital(word),
    }
}

/// How a value's age line is meant: what colour and weight follow from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Said just now, while we listen.
    Live,
    /// Not live, but young enough.
    Quiet,
    /// Old: the number is dimmed, the line is amber.
    Old,
}

impl Tone {
    /// The word for the style sheets and the tests.
    pub fn word(self) -> &'static str {
        match self {
            Tone::Live => "live",
            Tone::Quiet => "quiet",
            Tone::Old => "old",
        }
    }
}

/// The line under a value: what it is and how old. `age_ms` is its age now, not as of the frame.
pub fn age_line(row: &ValueRow, age_ms: u64, link_up: bool) -> (String, Tone) {
    let old = age_ms > row.old_after_ms;
    let (word, tone) = match (row.source, link_up) {
        (Source::Live, true) if !old => (said("live"), Tone::Live),
        (Source::Live, true) => (said("silent"), Tone::Old),
        (Source::Live, false) => (said("was live"), Tone::Old),
        (Source::Retained, true) if !old => (said("retained"), Tone::Quiet),
        (Source::Retained, _) => (said("retained"), Tone::Old),
        (Source::Cached, _) => (said("cached"), Tone::Old),
    };
    // A retained message without a time of its own is at least as old as our copy of it (docs/adr/0002-clocks.md).
    let is_least = row.source == Source::Retained && row.timed == Timed::ByUs;
    let age = if is_least { tr!("at least {}", age(age_ms)) } else { age(age_ms) };
    let line = match row.quality {
        Quality::Good | Quality::Synthetic => format!("{word} · {age}"),
        Quality::Stale => format!("{word} · {age} · {}", said("stale")),
        Quality::Estimated => format!("{word} · {age} · {}", said("estimated")),
    };
    (line, tone)
}

/// What a thing's last word is worth, as a sentence. `since` is the freshness's own moment as a clock time.
pub fn freshness(freshness: Freshness, heard_age_ms: Option<u64>, since: &str) -> String {
    let and = |state: String, heard: Option<String>| match heard {
        Some(heard) => format!("{state} · {heard}"),
        None => state,
    };
    let heard = heard_age_ms.map(|ms| tr!("last word {} ago", age(ms)));
    match (freshness, heard) {
        (Freshness::Never, _) => said("No value yet").into(),
        (Freshness::Live, heard) => and(said("Speaks").into(), heard),
        (Freshness::Silent { .. }, heard) => and(tr!("Silent since {}", since), heard),
        (Freshness::Unknown { .. }, heard) => and(tr!("Unknown since {}, when our link fell", since), heard),
    }
}

/// One word of the same, for the card at the pointer.
pub fn freshness_word(freshness: Freshness) -> &'static str {
    match freshness {
        Freshness::Never => said("no word yet"),
        Freshness::Live => said("speaks"),
        Freshness::Silent { .. } => said("silent"),
        Freshness::Unknown { .. } => said("unknown"),
    }
}

/// Street and area, whichever are known.
pub fn place(street: &str, area: &str) -> String {
    [street, area].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" · ")
}

/// What of a thing's description was made up, as a sentence; empty when nothing was.
pub fn made_up(head: &ThingHead) -> String {
    let mut words: Vec<String> = head.synthetic.iter().map(|field| field_word(field)).collect();
    words.dedup(); // latitude and longitude are one word here
    let subject = match words.as_slice() {
        [] => return String::new(),
        [one] => one.clone(),
        [most @ .., last] => tr!("{most} and {last}", most = most.join(", "), last),
    };
    // Also one word may mean several, as that of the spaces does.
    let is_one = words.len() == 1 && !head.synthetic.iter().any(|field| is_of_many(field));
    if is_one { tr!("{} is made up", capital(&subject)) } else { tr!("{} are made up", capital(&subject)) }
}

fn field_word(field: &str) -> String {
    match field {
        "title" => said("name").into(),
        "at" | "lat" | "lon" => said("position").into(),
        "area" => said("district").into(),
        "accessible" => said("accessible spaces").into(),
        "charging" => said("charging spaces").into(),
        "interval_s" => said("interval").into(),
        other => other.replace('_', " "),
    }
}

fn is_of_many(field: &str) -> bool {
    matches!(field, "accessible" | "charging") || field.ends_with('s') && field != "interval_s"
}

/// Words of the schemas that come with the program (`assets/kinds`), beside those of [`Kind::fields`].
const OF_CONTROLS: [&str; 8] = [
    term("Dim to"),
    term("Limit to"),
    term("Open"),
    term("Close"),
    term("Yes"),
    term("No"),
    term("Look first whether somebody stands under it."),
    term("Whoever charges there now is cut off: the session ends."),
];

/// The words of the program's own kinds, which the host sends as texts among those of descriptions and profiles.
pub fn words_of_kinds() -> impl Iterator<Item = &'static str> {
    let of_fields = Kind::ALL.into_iter().flat_map(Kind::fields).flat_map(|field| [field.label, field.unit]);
    OF_CONTROLS.into_iter().chain(of_fields).filter(|word| !word.is_empty())
}

/// A label, a unit or a sentence that the host sent: in the language that is spoken where it is the program's own, else as it is.
pub fn known(word: &str) -> &str {
    if language() == Language::English {
        return word;
    }
    match words_of_kinds().find(|own| *own == word) {
        Some(own) => said(own),
        None => word,
    }
}

/// A noun as it stands within a sentence: small, but in German.
pub fn noun(word: &str) -> String {
    if language() == Language::German { word.to_owned() } else { word.to_lowercase() }
}

/// One of the program's own words as it stands within a sentence.
pub fn within(word: &'static str) -> String {
    noun(said(word))
}

/// What is done, as it stands behind what it is done to: small in German, where it stands last.
pub fn act(word: &str) -> String {
    let is_own = || words_of_kinds().any(|own| said(own) == word);
    if language() == Language::German && is_own() { word.to_lowercase() } else { word.to_owned() }
}

/// A leaf's JSON text with the unit that belongs to its pointer: `40` → `40 %`, `"open"` → `open`, `true` → `on`.
pub fn leaf(json: &str, unit: &str) -> String {
    match serde_json::from_str::<serde_json::Value>(json) {
        Ok(serde_json::Value::Bool(on)) => if on { said("on") } else { said("off") }.into(),
        Ok(serde_json::Value::String(word)) => word,
        Ok(serde_json::Value::Number(_)) if !unit.is_empty() => format!("{json}{GAP}{unit}"),
        _ => json.to_owned(),
    }
}

/// A pointer as people read it: `/dim_pct` → `dim_pct`, `/a/b` → `a.b`.
pub fn pointer(pointer: &str) -> String {
    let words = pointer.strip_prefix('/').unwrap_or(pointer).replace('/', ".").replace("~1", "/").replace("~0", "~");
    shown(&words).into_owned()
}

#[cfg(test)]
mod tests {
    use fleetlens_model::id::SeriesKey;
    use fleetlens_model::time::WallMs;

    use super::*;

    #[test]
    fn a_stretch_of_time_is_said_as_short_as_it_can_be_mistaken_for_no_other() {
        let at = |year, month, day, hour, minute| LocalTime { year, month, day, hour, minute, ..LocalTime::default() };
        let today = at(2025, 11, 14, 18, 0);
        const HOUR_MS: i64 = 3_600_000;
        for (from, until, span_ms, this_week, want) in [
            (at(2025, 11, 14, 10, 0), at(2025, 11, 14, 11, 30), 3 * HOUR_MS / 2, true, "Today 10:00 – 11:30"),
            (at(2025, 11, 11, 10, 0), at(2025, 11, 11, 11, 30), 3 * HOUR_MS / 2, true, "Tue 10:00 – 11:30"),
            (at(2025, 11, 4, 10, 0), at(2025, 11, 4, 11, 30), 3 * HOUR_MS / 2, false, "Tue 4 Nov 10:00 – 11:30"),
            (at(2025, 11, 13, 23, 0), at(2025, 11, 14, 1, 0), 2 * HOUR_MS, true, "Thu 23:00 – Today 01:00"),
            (
                at(2024, 2, 29, 10, 0),
                at(2024, 3, 1, 10, 0),
                24 * HOUR_MS,
                false,
                "Thu 29 Feb 2024 10:00 – Fri 1 Mar 2024 10:00",
            ),
            (at(2024, 1, 31, 10, 0), at(2025, 1, 30, 10, 0), 8_760 * HOUR_MS, false, "31 Jan 2024 – 30 Jan 2025"),
            (at(2025, 11, 14, 10, 0), at(2025, 11, 14, 10, 5), HOUR_MS / 12, true, "Today 10:00:00 – 10:05:00"),
        ] {
            assert_eq!(stretch((&from, &until), span_ms, this_week, &today), want);
        }
    }

    fn plain(text: &str) -> String {
        text.replace([THIN, GAP], " ")
    }

    #[test]
    fn numbers_group_their_thousands_and_keep_their_sign() {
        for (value, decimals, want) in [
            (0.0, 0, "0"),
            (999.0, 0, "999"),
            (1420.0, 0, "1 420"),
            (11_402.0, 0, "11 402"),
            (1_234_567.891, 2, "1 234 567.89"),
            (61.84, 1, "61.8"),
            (-4.25, 1, "−4.2"),
            (-0.04, 1, "0.0"),
        ] {
            assert_eq!(plain(&number(value, decimals)), want, "{value} with {decimals}");
        }
    }

    #[test]
    fn ages_are_told_in_one_unit_rounded_down() {
        for (ms, want) in [
            (0, "0 s"),
            (59_999, "59 s"),
            (60_000, "1 min"),
            (26 * 60_000 + 40_000, "26 min"),
            (3_600_000, "1 h"),
            (47 * 3_600_000, "47 h"),
            (48 * 3_600_000, "2 d"),
        ] {
            assert_eq!(plain(&age(ms)), want, "{ms}");
        }
        assert_eq!(plain(&fine_age(140)), "0.1 s");
        assert_eq!(plain(&fine_age(10_400)), "10 s");
        assert_eq!(plain(&delay(86)), "+86 ms");
        assert_eq!(plain(&delay(1_440)), "+1.4 s");
        assert_eq!(plain(&delay(720_000)), "+12 min");
    }

    #[test]
    fn sizes_and_rates_keep_two_or_three_digits() {
        for (n, want) in [(812, "812 B"), (4_200, "4.2 kB"), (412_000_000, "412 MB"), (1_940_000_000, "1.9 GB")] {
            assert_eq!(plain(&bytes(n)), want, "{n}");
        }
        assert_eq!(plain(&rate(0.0)), "0");
        assert_eq!(plain(&rate(3.25)), "3.2");
        assert_eq!(plain(&rate(4812.4)), "4 812");
    }

    fn row(source: Source, timed: Timed, quality: Quality) -> ValueRow {
        ValueRow {
            series: SeriesKey(1),
            pointer: "/dim_pct".into(),
            label: "Level when on".into(),
            unit: "%".into(),
            decimals: 0,
            rank: 0,
            value: Value::Number(100.0),
            source,
            quality,
            timed,
            age_ms: 0,
            old_after_ms: 90_000,
            device_ms: WallMs(0),
            received_ms: WallMs(0),
        }
    }

    #[test]
    fn every_value_says_what_it_is_and_how_old() {
        use Quality::{Estimated, Good};
        use Source::{Cached, Live, Retained};
        use Timed::{ByDevice, ByUs};
        for (source, timed, quality, age_ms, link_up, want) in [
            (Live, ByDevice, Good, 4_000, true, ("live · 4 s", Tone::Live)),
            (Live, ByDevice, Good, 91_000, true, ("silent · 1 min", Tone::Old)),
            (Live, ByDevice, Good, 4_000, false, ("was live · 4 s", Tone::Old)),
            (Retained, ByDevice, Good, 40_000, true, ("retained · 40 s", Tone::Quiet)),
            (Retained, ByUs, Good, 40_000, true, ("retained · at least 40 s", Tone::Quiet)),
            (Retained, ByDevice, Good, 1_560_000, true, ("retained · 26 min", Tone::Old)),
            (Cached, ByDevice, Good, 4_000, true, ("cached · 4 s", Tone::Old)),
            (Live, ByUs, Estimated, 4_000, true, ("live · 4 s · estimated", Tone::Live)),
        ] {
            let (text, tone) = age_line(&row(source, timed, quality), age_ms, link_up);
            assert_eq!((plain(&text).as_str(), tone), want);
        }
    }

    #[test]
    fn freshness_is_a_sentence_and_our_own_link_is_not_the_things_fault() {
        let since_ms = WallMs(0);
        for (given, heard, want) in [
            (Freshness::Never, None, "No value yet"),
            (Freshness::Live, Some(4_000), "Speaks · last word 4 s ago"),
            (Freshness::Silent { since_ms }, Some(60_000), "Silent since 10:42 · last word 1 min ago"),
            (Freshness::Unknown { since_ms }, None, "Unknown since 10:42, when our link fell"),
        ] {
            assert_eq!(plain(&freshness(given, heard, "10:42")), want);
        }
    }

    #[test]
    fn a_time_of_another_day_carries_its_date() {
        let then = LocalTime { year: 2025, month: 11, day: 20, hour: 9, minute: 4, second: 7, milli: 20 };
        let today = LocalTime { day: 21, ..then };
        assert_eq!(then.short(&then), "09:04");
        assert_eq!(then.millis(&then), "09:04:07.020");
        assert_eq!(then.seconds(&today), "20 Nov 09:04:07");
        assert_eq!(then.exact(), "20 Nov 2025, 09:04:07.020");
    }

    #[test]
    fn what_was_made_up_is_said_in_words() {
        for (fields, want) in [
            (&[][..], ""),
            (&["capacity"], "Capacity is made up"),
            (&["title", "lat", "lon"], "Name and position are made up"),
            (&["title", "interval_s", "area"], "Name, interval and district are made up"),
            (&["accessible"], "Accessible spaces are made up"),
        ] {
            let head = ThingHead {
                thing: fleetlens_model::id::ThingKey(1),
                name: String::new(),
                title: String::new(),
                kind: Kind::Lamp,
                at: None,
                area: String::new(),
                street: String::new(),
                capacity: None,
                gateway: String::new(),
                synthetic: fields.iter().map(|field| (*field).to_owned()).collect(),
                convention: String::new(),
                controls: Vec::new(),
                freshness: Freshness::Live,
                heard_age_ms: None,
                status: 0,
            };
            assert_eq!(made_up(&head), want);
        }
    }

    #[test]
    fn leaves_and_pointers_are_readable() {
        for (json, unit, want) in
            [("40", "%", "40 %"), ("true", "", "on"), ("\"open\"", "", "open"), ("[1]", "%", "[1]"), ("10", "", "10")]
        {
            assert_eq!(plain(&leaf(json, unit)), want);
        }
        assert_eq!(pointer("/a/b~1c"), "a.b/c");
    }
}
