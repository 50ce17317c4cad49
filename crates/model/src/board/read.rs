//! A text as a board, and every mistake in it.

use toml::{Table, Value};

use super::print;
use super::{
    Board, Column, HEIGHT_MAX, HOURS_MAX, LAST_ROW, LINES_MAX, Line, Listed, Mistake, NAME_MAX_CHARS, Of, Place, Shows,
    TABLE_COLUMNS_MAX, TEXT_MAX_BYTES, VERSION, WEEKS_MAX, WIDGETS_MAX, WORDS_MAX_CHARS, Widget,
};
use crate::geo::GeoBox;
use crate::identity::Role;
use crate::query::Query;
use crate::text::shown;

/// How alike a word must be to one that there is to be taken for it.
const ALIKE: f64 = 0.75;

/// The longest part of what was written that stands in a sentence, in characters.
const QUOTED_MAX_CHARS: usize = 60;

impl Board {
    /// Reads a text. What is wrong with a widget is told and costs that widget; what is wrong with the text as a whole is the error.
    pub fn read(text: &str) -> Result<(Board, Vec<Mistake>), Mistake> {
        let wrong = |line: usize, message: String| Mistake { line: number(line), message };
        if text.len() > TEXT_MAX_BYTES {
            return Err(wrong(1, format!("the board has {} bytes; at most {TEXT_MAX_BYTES} are read", text.len())));
        }
        let mut table: Table = text.parse().map_err(|error: toml::de::Error| {
            let at = error.span().unwrap_or_default().start;
            wrong(line_of(text, at), error.message().to_owned())
        })?;
        let key_line = |key: &str| text.lines().position(|line| is_key(line, key)).map_or(1, |at| at + 1);
        match table.remove("version") {
            None => return Err(wrong(1, format!("the board says no version; write version = {VERSION} above all"))),
            Some(Value::Integer(1..=VERSION)) => {}
            Some(other) => {
                let why = format!("this program reads boards of version {VERSION}, not {}", quoted(&other));
                return Err(wrong(key_line("version"), why));
            }
        }
        let name = match table.remove("name") {
            Some(Value::String(name)) => called("the name", &name).map_err(|why| wrong(key_line("name"), why))?,
            Some(_) | None => return Err(wrong(1, "a board has a name; write name = \"Lighting\"".into())),
        };
        if name.is_empty() {
            return Err(wrong(key_line("name"), "the name is empty; write name = \"Lighting\"".into()));
        }
        let mut mistakes = Vec::new();
        let (roles, whys) = roles(table.remove("for"));
        mistakes.extend(whys.into_iter().map(|why| wrong(key_line("for"), why)));
        let heads: Vec<usize> = text
            .lines()
            .enumerate()
            .filter(|(_, line)| line.trim_start().starts_with("[[widget]]"))
            .map(|(at, _)| at + 1)
            .collect();
        let written = match table.remove("widget") {
            None => Vec::new(),
            Some(Value::Array(all)) if all.len() <= WIDGETS_MAX => all,
            Some(Value::Array(all)) => {
                let line = heads.get(WIDGETS_MAX).copied().unwrap_or(1);
                return Err(wrong(
                    line,
                    format!("{} widgets are too many; a board has at most {WIDGETS_MAX}", all.len()),
                ));
            }
            Some(_) => return Err(wrong(1, "write each widget below [[widget]]".into())),
        };
        // What is not known would be lost as soon as somebody saves it here.
        if let Some(key) = table.keys().next() {
            let why = format!("a board has no {:?}; it has: version, name, for, [[widget]]", shown(key));
            return Err(wrong(key_line(key), why));
        }
        let mut board = Board { comment: comment(text), name, roles, widgets: Vec::new() };
        for (nth, value) in written.into_iter().enumerate() {
            let line = heads.get(nth).copied().unwrap_or(1);
            let Value::Table(written) = value else {
                return Err(wrong(line, format!("widget {} is no table; write it below [[widget]]", nth + 1)));
            };
            let (widget, whys) = widget(written);
            mistakes.extend(whys.into_iter().map(|why| wrong(line, format!("widget {}: {why}", nth + 1))));
            board.widgets.push(widget);
        }
        let order: Vec<usize> = (0..board.widgets.len()).collect();
        for nth in board.settle(&order) {
            let line = heads.get(nth).copied().unwrap_or(1);
            mistakes.push(wrong(line, format!("widget {} lies over another and is shown below it", nth + 1)));
        }
        if board.widgets.iter().any(|widget| widget.place.y > LAST_ROW) {
            // They lay over each other at the very end. Stacked from the top they are where they can be written and read again.
            board.widgets.iter_mut().for_each(|widget| widget.place.y = 0);
            board.settle(&order);
        }
        mistakes.sort_by_key(|mistake| mistake.line);
        Ok((board, mistakes))
    }
}

fn number(line: usize) -> u32 {
    u32::try_from(line).unwrap_or(u32::MAX)
}

fn line_of(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1
}

fn is_key(line: &str, key: &str) -> bool {
    line.split_once('=').is_some_and(|(word, _)| word.trim() == key)
}

/// The lines above everything that begin with `#`.
fn comment(text: &str) -> Vec<String> {
    text.lines().map_while(|line| line.strip_prefix('#')).map(str::to_owned).collect()
}

fn quoted(value: &Value) -> String {
    let text = value.to_string();
    let beginning: String = text.chars().take(QUOTED_MAX_CHARS).collect();
    let more = if beginning.len() < text.len() { "…" } else { "" };
    format!("{}{more}", shown(&beginning))
}

fn called(what: &str, text: &str) -> Result<String, String> {
    let name = text.trim();
    let chars = name.chars().count();
    if chars > NAME_MAX_CHARS || name.chars().any(char::is_control) {
        return Err(format!("{what} has {chars} characters; it has at most {NAME_MAX_CHARS}, in one line"));
    }
    Ok(name.to_owned())
}

/// Those that there are, and what is wrong with the others: one that nobody knows takes the board from nobody else.
fn roles(value: Option<Value>) -> (Vec<Role>, Vec<String>) {
    let words: Vec<&str> = Role::ALL.into_iter().map(Role::word).collect();
    let says = |found: &str| format!("for names roles: {}; not {found}", words.join(", "));
    let (mut roles, mut whys) = (Vec::new(), Vec::new());
    match value {
        None => {}
        Some(Value::Array(all)) => {
            for value in &all {
                match value.as_str().and_then(Role::of_word) {
                    Some(role) if roles.contains(&role) => {}
                    Some(role) => roles.push(role),
                    None => whys.push(says(&quoted(value))),
                }
            }
        }
        Some(other) => whys.push(says(&quoted(&other))),
    }
    (roles, whys)
}

/// The JSON pointer of a value as people write it: `power_w` is `/power_w`.
pub fn value_pointer(name: &str) -> String {
    if name.is_empty() || name.starts_with('/') { name.to_owned() } else { format!("/{name}") }
}

/// A widget, and what is wrong with it. What is wrong with a query or a title leaves it as it is: whoever changes it sees both.
fn widget(mut written: Table) -> (Widget, Vec<String>) {
    let (place, why) = place(written.remove("at"));
    let mut whys = Vec::from_iter(why);
    let title = match written.remove("title") {
        None => String::new(),
        Some(Value::String(title)) => called("the title", &title).unwrap_or_else(|why| {
            whys.push(why);
            title
        }),
        Some(other) => {
            whys.push(format!("the title is a text, not {}", quoted(&other)));
            other.to_string()
        }
    };
    let as_written = print::lines(&written);
    let shows = match shows(&mut written) {
        Ok(shows) => shows,
        Err(why) => {
            whys.push(why.clone());
            Shows::Unread { written: as_written, why }
        }
    };
    whys.extend(wrong_query(&shows));
    (Widget { title, place, shows }, whys)
}

pub(super) fn wrong_query(shows: &Shows) -> Option<String> {
    let query = match shows {
        Shows::Figure { query, .. }
        | Shows::Table { query, .. }
        | Shows::Map { query, .. }
        | Shows::List { query, .. }
        | Shows::Heat { query, .. } => query,
        Shows::Chart { .. } | Shows::Gauge { .. } | Shows::Text(_) | Shows::Unread { .. } => return None,
    };
    let mistake = Query::read(query).err()?;
    Some(format!("the query, column {}: {}", mistake.column, mistake.why))
}

/// The place that is nearest to what was written, and what is wrong with that.
fn place(value: Option<Value>) -> (Place, Option<String>) {
    let right = "write at = { x = 0, y = 0, w = 4, h = 2 }";
    let usual = Place { x: 0, y: 0, w: 4, h: 2 };
    let Some(Value::Table(mut at)) = value else { return (usual, Some(format!("it says no place; {right}"))) };
    let mut why = None;
    let mut side = |key: &str, usual: u16| {
        let (side, wrong) = match at.remove(key) {
            Some(Value::Integer(n)) => match u16::try_from(n) {
                Ok(side) => (side, None),
                Err(_) => {
                    let side = if n < 0 { 0 } else { u16::MAX };
                    (side, Some(format!("{key} = {n} is outside the grid; {right}")))
                }
            },
            Some(other) => (usual, Some(format!("{key} is a whole number, not {}; {right}", quoted(&other)))),
            None => (usual, Some(format!("its place says no {key}; {right}"))),
        };
        why = why.take().or(wrong);
        side
    };
    let written = Place { x: side("x", usual.x), y: side("y", usual.y), w: side("w", usual.w), h: side("h", usual.h) };
    // What gave way stands further down than anything is put.
    let place = Place { y: written.y.min(LAST_ROW), ..written.fitted() };
    let no_such = || at.keys().next().map(|key| format!("a place has no {:?}; {right}", shown(key)));
    let no_room = || {
        (place != written).then(|| {
            format!(
                "its place {{ x = {}, y = {}, w = {}, h = {} }} does not fit into 12 columns and {HEIGHT_MAX} rows a widget",
                written.x, written.y, written.w, written.h
            )
        })
    };
    let why = why.or_else(no_such).or_else(no_room);
    (place, why)
}

/// What is asked of the fields of a widget, one after the other.
struct Fields<'a> {
    kind: &'static str,
    written: &'a mut Table,
    known: Vec<&'static str>,
}

impl Fields<'_> {
    fn take(&mut self, key: &'static str) -> Option<Value> {
        self.known.push(key);
        self.written.remove(key)
    }

    fn text(&mut self, key: &'static str) -> Result<Option<String>, String> {
        match self.take(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(format!("{key} is a text, not {}", quoted(&other))),
        }
    }

    fn needed(&mut self, key: &'static str, such_as: &str) -> Result<String, String> {
        let text = self.text(key)?.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        text.ok_or_else(|| format!("a {} says its {key}, such as {key} = {such_as}", self.kind))
    }

    fn query(&mut self) -> Result<String, String> {
        Ok(self.text("query")?.unwrap_or_default())
    }

    fn whole(&mut self, key: &'static str, most: u32, usual: u32) -> Result<u32, String> {
        match self.take(key) {
            None => Ok(usual),
            Some(Value::Integer(n)) => match u32::try_from(n) {
                Ok(n) if (1..=most).contains(&n) => Ok(n),
                Ok(_) | Err(_) => Err(format!("{key} goes from 1 to {most}, not {n}")),
            },
            Some(other) => Err(format!("{key} is a whole number, not {}", quoted(&other))),
        }
    }

    fn bound(&mut self, key: &'static str) -> Result<Option<f64>, String> {
        match self.take(key) {
            None => Ok(None),
            Some(value) => match of_number(&value) {
                Some(number) => Ok(Some(number)),
                None => Err(format!("{key} is a number, not {}", quoted(&value))),
            },
        }
    }

    fn list(&mut self, key: &'static str, most: usize) -> Result<Vec<String>, String> {
        let right = || format!("{key} is a list of 1 to {most} texts");
        match self.take(key) {
            Some(Value::Array(all)) if (1..=most).contains(&all.len()) => {
                all.into_iter().map(|one| one.as_str().map(str::to_owned).ok_or_else(right)).collect()
            }
            Some(_) | None => Err(right()),
        }
    }

    /// Whether all that was written was asked for.
    fn all_known(&self) -> Result<(), String> {
        let Some(key) = self.written.keys().next() else { return Ok(()) };
        let nearest = nearest(key, self.known.iter().copied());
        let hint = match nearest {
            Some(word) => format!("did you mean {word:?}?"),
            None => format!("it has: title, at, {}", self.known.join(", ")),
        };
        Err(format!("a {} has no {:?}; {hint}", self.kind, shown(key)))
    }
}

fn of_number(value: &Value) -> Option<f64> {
    let number = value.as_float().or_else(|| value.as_integer().map(|whole| whole as f64))?;
    number.is_finite().then_some(number)
}

fn nearest<'a>(word: &str, there: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let scored = there.into_iter().map(|one| (strsim::jaro_winkler(word, one), one));
    scored.filter(|(score, _)| *score >= ALIKE).max_by(|(a, _), (b, _)| a.total_cmp(b)).map(|(_, one)| one)
}

fn one_of<T: Copy>(key: &str, found: &str, all: &[T], word: impl Fn(T) -> &'static str) -> Result<T, String> {
    let words: Vec<&str> = all.iter().map(|one| word(*one)).collect();
    let found_one = all.iter().copied().find(|one| word(*one) == found);
    found_one.ok_or_else(|| format!("{key} is one of {}, not {:?}", words.join(", "), shown(found)))
}

pub(super) fn shows(written: &mut Table) -> Result<Shows, String> {
    let there = Shows::WORDS.join(", ");
    let kind = match written.remove("kind") {
        None => return Err(format!("it says no kind; there are: {there}")),
        Some(Value::String(kind)) => kind,
        Some(other) => return Err(format!("its kind is a word, not {}; there are: {there}", quoted(&other))),
    };
    let Some(kind) = Shows::WORDS.into_iter().find(|word| *word == kind) else {
        let hint = nearest(&kind, Shows::WORDS).map(|word| format!("did you mean {word:?}? ")).unwrap_or_default();
        let kind: String = kind.chars().take(QUOTED_MAX_CHARS).collect();
        return Err(format!("there is no widget {:?}; {hint}there are: {there}", shown(&kind)));
    };
    let mut fields = Fields { kind, written, known: Vec::new() };
    let read = match kind {
        "figure" => {
            let query = fields.query()?;
            let of = match fields.text("of")? {
                None => Of::Count,
                Some(word) => one_of("of", &word, &Of::ALL, Of::word)?,
            };
            let value = match of {
                Of::Count => String::new(),
                Of::Sum | Of::Mean | Of::Min | Of::Max => value_pointer(&fields.needed("value", "\"power_w\"")?),
            };
            Shows::Figure { query, of, value }
        }
        "chart" => {
            let lines = fields.list("lines", LINES_MAX)?;
            let lines = lines.iter().map(|text| line(text)).collect::<Result<_, _>>()?;
            Shows::Chart { lines, hours: fields.whole("hours", HOURS_MAX, 24)? }
        }
        "table" => {
            let query = fields.query()?;
            let columns = fields.list("columns", TABLE_COLUMNS_MAX)?;
            Shows::Table { query, columns: columns.iter().map(|word| column(word)).collect::<Result<_, _>>()? }
        }
        "map" => Shows::Map { query: fields.query()?, area: area(fields.take("box"))? },
        "list" => {
            let of = match fields.text("of")? {
                None => Listed::Attention,
                Some(word) => one_of("of", &word, &Listed::ALL, Listed::word)?,
            };
            Shows::List { of, query: fields.query()? }
        }
        "gauge" => {
            let thing = fields.needed("thing", "\"lamp-0417\"")?;
            let value = value_pointer(&fields.needed("value", "\"dim_pct\"")?);
            let (min, max) = (fields.bound("min")?, fields.bound("max")?);
            if let (Some(min), Some(max)) = (min, max)
                && min >= max
            {
                return Err(format!("its scale goes from {min} to {max}; the greater one is max"));
            }
            Shows::Gauge { thing, value, min, max }
        }
        "heat" => Shows::Heat { query: fields.query()?, weeks: fields.whole("weeks", WEEKS_MAX, 4)? },
        _ => {
            let text = fields.needed("text", "\"Depot: 2122 0000\"")?;
            let chars = text.chars().count();
            if chars > WORDS_MAX_CHARS {
                return Err(format!("its text has {chars} characters; at most {WORDS_MAX_CHARS} are shown"));
            }
            Shows::Text(text)
        }
    };
    fields.all_known()?;
    Ok(read)
}

/// `lamp-0417 power_w`: the last word is the value.
fn line(text: &str) -> Result<Line, String> {
    let (thing, value) = text.trim().rsplit_once(char::is_whitespace).unwrap_or_default();
    if thing.trim().is_empty() {
        return Err(format!("a line is a thing and a value, such as \"lamp-0417 power_w\", not {:?}", shown(text)));
    }
    Ok(Line { thing: thing.trim().to_owned(), value: value_pointer(value) })
}

fn column(word: &str) -> Result<Column, String> {
    Column::of_word(word).ok_or_else(|| {
        let there: Vec<String> = Column::ALL.iter().map(Column::word).collect();
        format!("a table has no column {:?}; there are: {}, and value.NAME", shown(word), there.join(", "))
    })
}

fn area(value: Option<Value>) -> Result<Option<GeoBox>, String> {
    let Some(value) = value else { return Ok(None) };
    let numbers: Option<Vec<f64>> = value.as_array().and_then(|all| all.iter().map(of_number).collect());
    let area = match numbers.as_deref() {
        Some(&[west_deg, south_deg, east_deg, north_deg]) => GeoBox { west_deg, south_deg, east_deg, north_deg },
        Some(_) | None => return Err(format!("box is [west, south, east, north] in degrees, not {}", quoted(&value))),
    };
    let is_on_earth = (-180.0..=180.0).contains(&area.west_deg)
        && (-180.0..=180.0).contains(&area.east_deg)
        && (-90.0..=90.0).contains(&area.south_deg)
        && (-90.0..=90.0).contains(&area.north_deg);
    if !is_on_earth || area.west_deg >= area.east_deg || area.south_deg >= area.north_deg {
        return Err("box goes from the south-west to the north-east: [west, south, east, north] in degrees".into());
    }
    Ok(Some(area))
}
