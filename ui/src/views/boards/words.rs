//! What boards say in words. Pure.

use fleetlens_ipc::boards::BoardFigure;
use fleetlens_model::board::{Column, Listed, Of, Shows};
use fleetlens_model::kind::Kind;
use fleetlens_model::time::WallMs;
use tr::tr;

use crate::format;
use crate::lang::said;

/// What a kind of widget is called, and what it shows.
pub(super) fn kind_words(word: &str) -> (&'static str, &'static str) {
    match word {
        "figure" => (said("Figure"), said("one number over many things")),
        "chart" => (said("Chart"), said("values over time")),
        "table" => (said("Table"), said("things, a row each")),
        "map" => (said("Map"), said("where they are")),
        "list" => (said("List"), said("alarms, the worst first")),
        "gauge" => (said("Gauge"), said("one value on its scale")),
        "heat" => (said("Occupancy heat"), said("car parks by hour and weekday")),
        "text" => (said("Text"), said("a note for whoever looks")),
        _ => (said("Widget"), ""),
    }
}

/// What a widget says of itself where nobody gave it a title.
pub(super) fn own_title(shows: &Shows) -> String {
    let over =
        |query: &str| if query.trim().is_empty() { said("all things").to_owned() } else { query.trim().to_owned() };
    let value = |pointer: &str| format::pointer(pointer);
    match shows {
        Shows::Figure { query, of: Of::Count, .. } => tr!("Number of {}", over(query)),
        Shows::Figure { query, of, value: pointer } => {
            let (value, things) = (value(pointer), over(query));
            match of {
                Of::Count | Of::Sum => tr!("Sum of {value}, {things}", value, things),
                Of::Mean => tr!("Mean of {value}, {things}", value, things),
                Of::Min => tr!("Least of {value}, {things}", value, things),
                Of::Max => tr!("Greatest of {value}, {things}", value, things),
            }
        }
        Shows::Chart { lines, .. } => {
            let all: Vec<String> = lines.iter().map(|line| format!("{} {}", line.thing, value(&line.value))).collect();
            all.join(", ")
        }
        Shows::Table { query, .. } | Shows::Map { query, .. } => format::capital(&over(query)),
        Shows::List { of: Listed::Attention, .. } => said("Needs a person").into(),
        Shows::List { of: Listed::Alarms, .. } => said("Open alarms").into(),
        Shows::Gauge { thing, value: pointer, .. } => tr!("{value} of {thing}", value = value(pointer), thing = thing),
        Shows::Heat { .. } => said("How full car parks are").into(),
        Shows::Text(_) => said("Note").into(),
        Shows::Unread { .. } => said("Cannot be read").into(),
    }
}

/// The heading of a column.
pub(super) fn heading(column: &Column) -> String {
    match column {
        Column::Kind => said("Kind").into(),
        Column::Place => said("Place").into(),
        Column::Status => said("State").into(),
        Column::Main => said("Value").into(),
        Column::Heard => said("Heard").into(),
        Column::Alarm => said("Alarm").into(),
        Column::Value(pointer) => match Kind::ALL.into_iter().find_map(|kind| kind.field(pointer)) {
            Some(field) => said(field.label).to_owned(),
            None => format::capital(&format::pointer(pointer).replace('_', " ")),
        },
    }
}

/// The line below a figure: over how many things it goes, of how many of them it is not live, and how old the oldest value is.
pub(super) fn basis(figure: &BoardFigure, of: Of, now: Option<WallMs>) -> String {
    let count = |n: u32| format::count(u64::from(n));
    let all = figure.things;
    if of == Of::Count {
        return if all == 1 { said("thing").into() } else { said("things").into() };
    }
    let over = match (figure.with_value, all) {
        (0, 0) => return said("nothing is found").into(),
        (0, all) => {
            return tr!("none of 1 thing has said it" | "none of {count} things has said it" % all, count = count(all));
        }
        (some, all) if some == all => tr!("over 1 thing" | "over {count} things" % all, count = count(all)),
        (some, all) => {
            tr!(
                "over {some} of 1 thing" | "over {some} of {count} things" % all,
                some = count(some),
                count = count(all)
            )
        }
    };
    let live = match figure.not_live {
        0 => None,
        n if n == figure.with_value => Some(said("none live").to_owned()),
        n => Some(tr!("{} not live", count(n))),
    };
    let age = now.zip(figure.oldest_ms).map(|(now, oldest)| format::age(now.since(oldest)));
    let age = age.map(|age| if figure.with_value == 1 { age } else { tr!("oldest {}", age) });
    [Some(over), live, age].into_iter().flatten().collect::<Vec<_>>().join(" · ")
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
