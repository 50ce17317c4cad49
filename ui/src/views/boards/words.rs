//! What boards say in words. Pure.

use fleetlens_ipc::boards::BoardFigure;
use fleetlens_model::board::{Column, Listed, Of, Shows};
use fleetlens_model::kind::Kind;
use fleetlens_model::time::WallMs;

use crate::format;

/// What a kind of widget is called, and what it shows.
pub(super) fn kind_words(word: &str) -> (&'static str, &'static str) {
    match word {
        "figure" => ("Figure", "one number over many things"),
        "chart" => ("Chart", "values over time"),
        "table" => ("Table", "things, a row each"),
        "map" => ("Map", "where they are"),
        "list" => ("List", "alarms, the worst first"),
        "gauge" => ("Gauge", "one value on its scale"),
        "heat" => ("Occupancy heat", "car parks by hour and weekday"),
        "text" => ("Text", "a note for whoever looks"),
        _ => ("Widget", ""),
    }
}

/// What a widget says of itself where nobody gave it a title.
pub(super) fn own_title(shows: &Shows) -> String {
    let over = |query: &str| if query.trim().is_empty() { "all things".to_owned() } else { query.trim().to_owned() };
    let value = |pointer: &str| format::pointer(pointer);
    match shows {
        Shows::Figure { query, of: Of::Count, .. } => format!("Number of {}", over(query)),
        Shows::Figure { query, of, value: pointer } => {
            let of = match of {
                Of::Count | Of::Sum => "Sum",
                Of::Mean => "Mean",
                Of::Min => "Least",
                Of::Max => "Greatest",
            };
            format!("{of} of {}, {}", value(pointer), over(query))
        }
        Shows::Chart { lines, .. } => {
            let all: Vec<String> = lines.iter().map(|line| format!("{} {}", line.thing, value(&line.value))).collect();
            all.join(", ")
        }
        Shows::Table { query, .. } | Shows::Map { query, .. } => format::capital(&over(query)),
        Shows::List { of: Listed::Attention, .. } => "Needs a person".into(),
        Shows::List { of: Listed::Alarms, .. } => "Open alarms".into(),
        Shows::Gauge { thing, value: pointer, .. } => format!("{} of {thing}", value(pointer)),
        Shows::Heat { .. } => "How full car parks are".into(),
        Shows::Text(_) => "Note".into(),
        Shows::Unread { .. } => "Cannot be read".into(),
    }
}

/// The heading of a column.
pub(super) fn heading(column: &Column) -> String {
    match column {
        Column::Kind => "Kind".into(),
        Column::Place => "Place".into(),
        Column::Status => "State".into(),
        Column::Main => "Value".into(),
        Column::Heard => "Heard".into(),
        Column::Alarm => "Alarm".into(),
        Column::Value(pointer) => match Kind::ALL.into_iter().find_map(|kind| kind.field(pointer)) {
            Some(field) => field.label.to_owned(),
            None => format::capital(&format::pointer(pointer).replace('_', " ")),
        },
    }
}

/// The line below a figure: over how many things it goes, of how many of them it is not live, and how old the oldest value is.
pub(super) fn basis(figure: &BoardFigure, of: Of, now: Option<WallMs>) -> String {
    let things = |n: u32| match n {
        1 => "1 thing".to_owned(),
        n => format!("{} things", format::count(u64::from(n))),
    };
    if of == Of::Count {
        return if figure.things == 1 { "thing".into() } else { "things".into() };
    }
    let over = match (figure.with_value, figure.things) {
        (0, 0) => return "nothing is found".into(),
        (0, all) => return format!("none of {} has said it", things(all)),
        (some, all) if some == all => format!("over {}", things(all)),
        (some, all) => format!("over {} of {}", format::count(u64::from(some)), things(all)),
    };
    let live = match figure.not_live {
        0 => String::new(),
        n if n == figure.with_value => " · none live".into(),
        n => format!(" · {} not live", format::count(u64::from(n))),
    };
    let age = now.zip(figure.oldest_ms).map(|(now, oldest)| format::age(now.since(oldest)));
    let age = age.map(|age| format!(" · {}{age}", if figure.with_value == 1 { "" } else { "oldest " }));
    format!("{over}{live}{}", age.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_says_over_how_many_things_it_goes() {
        for (things, with_value, not_live, of, want) in [
            (3, 3, 0, Of::Count, "things"),
            (1, 1, 0, Of::Count, "thing"),
            (0, 0, 0, Of::Sum, "nothing is found"),
            (3, 0, 0, Of::Sum, "none of 3 things has said it"),
            (3, 3, 0, Of::Mean, "over 3 things"),
            (3, 2, 0, Of::Min, "over 2 of 3 things"),
            (1, 1, 1, Of::Max, "over 1 thing · none live"),
            (5, 4, 1, Of::Sum, "over 4 of 5 things · 1 not live"),
        ] {
            let figure = BoardFigure { things, with_value, not_live, ..BoardFigure::default() };
            assert_eq!(basis(&figure, of, None), want);
        }
        let figure =
            BoardFigure { things: 3, with_value: 3, oldest_ms: Some(WallMs(10_000)), ..BoardFigure::default() };
        assert_eq!(basis(&figure, Of::Mean, Some(WallMs(250_000))), "over 3 things · oldest 4\u{a0}min");
        let figure = BoardFigure { things: 1, with_value: 1, ..figure };
        assert_eq!(basis(&figure, Of::Mean, Some(WallMs(250_000))), "over 1 thing · 4\u{a0}min");
    }

    #[test]
    fn a_widget_without_a_title_says_what_it_shows() {
        let figure = |of, value: &str| Shows::Figure { query: "kind:lamp".into(), of, value: value.into() };
        assert_eq!(own_title(&figure(Of::Count, "")), "Number of kind:lamp");
        assert_eq!(own_title(&figure(Of::Mean, "/power_w")), "Mean of power_w, kind:lamp");
        let all = Shows::Table { query: " ".into(), columns: vec![Column::Kind] };
        assert_eq!(own_title(&all), "All things");
        for word in Shows::WORDS {
            assert!(!kind_words(word).1.is_empty(), "{word}");
        }
    }
}
