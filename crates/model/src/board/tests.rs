use proptest::prelude::*;

use super::*;

const WHOLE: &str = "# Lighting, for the night shift.\n# Ask Maria.\nversion = 1\nname = \"Lighting\"\nfor = [\"operator\"]\n\n\
    [[widget]]\nkind = \"figure\"\ntitle = \"Power\"\nat = { x = 0, y = 0, w = 3, h = 2 }\nquery = \"kind:lamp\"\nof = \"sum\"\n\
    value = \"power_w\"\n\n\
    [[widget]]\nkind = \"chart\"\nat = { x = 3, y = 0, w = 6, h = 4 }\nlines = [\"lamp-0417 power_w\", \"lamp-0418 power_w\"]\n\
    hours = 24\n\n\
    [[widget]]\nkind = \"table\"\nat = { x = 0, y = 4, w = 6, h = 5 }\nquery = \"status:critical\"\n\
    columns = [\"place\", \"value.temp_c\", \"heard\"]\n\n\
    [[widget]]\nkind = \"map\"\nat = { x = 6, y = 4, w = 6, h = 5 }\nbox = [14.5, 35.8, 14.6, 35.9]\n\n\
    [[widget]]\nkind = \"list\"\nat = { x = 0, y = 9, w = 6, h = 4 }\nof = \"alarms\"\nquery = \"kind:lamp\"\n\n\
    [[widget]]\nkind = \"gauge\"\nat = { x = 9, y = 0, w = 3, h = 2 }\nthing = \"lamp-0417\"\nvalue = \"dim_pct\"\nmax = 80.0\n\n\
    [[widget]]\nkind = \"heat\"\nat = { x = 6, y = 9, w = 6, h = 6 }\nweeks = 4\n\n\
    [[widget]]\nkind = \"text\"\nat = { x = 0, y = 13, w = 6, h = 2 }\ntext = \"Depot: 2122 0000\"\n";

#[test]
fn every_kind_of_widget_is_read_and_printed_as_it_was_written() {
    let (board, mistakes) = Board::read(WHOLE).unwrap();
    assert_eq!(mistakes, []);
    assert_eq!(board.print(), WHOLE);
    let kinds: Vec<&str> = board.widgets.iter().map(|widget| widget.shows.word()).collect();
    assert_eq!(kinds, Shows::WORDS.into_iter().filter(|word| kinds.contains(word)).collect::<Vec<_>>());
    assert_eq!(kinds.len(), Shows::WORDS.len());
}

fn with(widget: &str) -> String {
    format!(
        "version = 1\nname = \"B\"\n[[widget]]\nkind = \"text\"\ntext = \"a\"\nat = {{ x = 0, y = 0, w = 4, h = 2 }}\n[[widget]]\n{widget}"
    )
}

#[test]
fn a_mistake_in_a_widget_names_it_and_costs_no_other() {
    let at = "at = { x = 4, y = 0, w = 4, h = 2 }\n";
    for (what, text, says) in [
        (
            "an unknown widget",
            format!("kind = \"gage\"\n{at}"),
            "widget 2: there is no widget \"gage\"; did you mean \"gauge\"? there are: figure",
        ),
        ("no kind", at.to_owned(), "widget 2: it says no kind; there are: figure, chart"),
        (
            "an unknown word",
            format!("kind = \"figure\"\nqerry = \"a\"\n{at}"),
            "a figure has no \"qerry\"; did you mean \"query\"?",
        ),
        (
            "no value",
            format!("kind = \"figure\"\nof = \"sum\"\n{at}"),
            "a figure says its value, such as value = \"power_w\"",
        ),
        (
            "a figure of nothing",
            format!("kind = \"figure\"\nof = \"most\"\n{at}"),
            "of is one of count, sum, mean, min, max, not \"most\"",
        ),
        ("a line of one word", format!("kind = \"chart\"\nlines = [\"lamp\"]\n{at}"), "a line is a thing and a value"),
        ("no lines", format!("kind = \"chart\"\n{at}"), "lines is a list of 1 to 4 texts"),
        ("too far back", format!("kind = \"heat\"\nweeks = 99\n{at}"), "weeks goes from 1 to 26, not 99"),
        (
            "an unknown column",
            format!("kind = \"table\"\ncolumns = [\"colour\"]\n{at}"),
            "a table has no column \"colour\"",
        ),
        ("a box upside down", format!("kind = \"map\"\nbox = [1, 2, 0, 3]\n{at}"), "box goes from the south-west"),
        (
            "a scale upside down",
            format!("kind = \"gauge\"\nthing = \"a\"\nvalue = \"b\"\nmin = 2\nmax = 1\n{at}"),
            "the greater one is max",
        ),
        ("a wrong query", format!("kind = \"figure\"\nquery = \"kind:lmp\"\n{at}"), "the query, column 6"),
        ("no place", "kind = \"figure\"\n".to_owned(), "it says no place"),
        (
            "beside the grid",
            "kind = \"figure\"\nat = { x = 10, y = 0, w = 4, h = 2 }".to_owned(),
            "does not fit into 12 columns",
        ),
        (
            "over another",
            "kind = \"figure\"\nat = { x = 2, y = 1, w = 4, h = 2 }".to_owned(),
            "widget 2 lies over another and is shown below it",
        ),
    ] {
        let text = with(&text);
        let (board, mistakes) = Board::read(&text).unwrap();
        assert_eq!(board.widgets.len(), 2, "{what}: both are there");
        assert_eq!(board.widgets[0].shows, Shows::Text("a".into()), "{what}: the other is as it was");
        let [mistake, ..] = mistakes.as_slice() else { panic!("{what}: {mistakes:?}") };
        assert!(mistake.message.contains(says), "{what}: {}", mistake.message);
        assert_eq!(mistake.line, 7, "{what}");
    }
}

#[test]
fn what_is_wrong_with_the_whole_text_is_told_with_its_line() {
    let many = format!("version = 1\nname = \"B\"\n{}", "[[widget]]\nkind = \"text\"\n".repeat(WIDGETS_MAX + 1));
    for (text, line, says) in [
        ("version = 1\nname = ", 2, "quoted"),
        ("name = \"B\"\n", 1, "write version = 1"),
        ("version = 2\nname = \"B\"\n", 1, "reads boards of version 1, not 2"),
        ("version = 1\n", 1, "a board has a name"),
        ("version = 1\nname = \"B\"\ncolour = 1\n", 3, "a board has no \"colour\""),
        (&many, 51, "25 widgets are too many"),
        (&" ".repeat(TEXT_MAX_BYTES + 1), 1, "at most 65536"),
    ] {
        let mistake = Board::read(text).unwrap_err();
        assert!(mistake.message.contains(says), "{}", mistake.message);
        assert_eq!(mistake.line, line, "{}", mistake.message);
    }
}

#[test]
fn what_cannot_be_read_stays_in_the_text_when_the_rest_is_changed() {
    let text = with(
        "kind = \"radar\"\nsweep = 3\n\"odd key\" = [{ a = 1 }]\ntitle = \"Later\"\nat = { x = 4, y = 0, w = 4, h = 2 }\n",
    );
    let (mut board, _) = Board::read(&text).unwrap();
    board.widgets[0].shows = Shows::Text("b".into());
    let (again, mistakes) = Board::read(&board.print()).unwrap();
    assert_eq!(again, board);
    assert_eq!(mistakes.len(), 1);
    assert!(board.print().contains("kind = \"radar\"\n\"odd key\" = [{ a = 1 }]\nsweep = 3\n"), "{}", board.print());
    let nested = with("kind = \"radar\"\nat = { x = 4, y = 0, w = 4, h = 2 }\n[widget.beam]\nwidth = 2\n");
    let (board, mistakes) = Board::read(&nested).unwrap();
    assert_eq!((Board::read(&board.print()).unwrap().0, mistakes.len()), (board, 1), "a table within stays within");
}

#[test]
fn what_is_wrong_beside_the_fields_is_told_and_the_rest_of_it_kept() {
    let long = "t".repeat(NAME_MAX_CHARS + 1);
    let text = format!(
        "version = 1\nname = \"B\"\nfor = [\"driver\", \"captain\"]\n[[widget]]\nkind = \"text\"\ntext = \"a\"\n\
         title = \"{long}\"\nat = {{ x = 10, y = 7, w = 4, h = \"high\" }}\n"
    );
    let (board, mistakes) = Board::read(&text).unwrap();
    let says: Vec<&str> = mistakes.iter().map(|mistake| mistake.message.as_str()).collect();
    let [of_for, at, title] = says[..] else { panic!("{says:?}") };
    assert!(of_for.contains("captain") && at.contains("h is a whole number") && title.contains("81 characters"));
    assert_eq!(board.roles, [Role::Driver], "who drives does not lose the board");
    assert_eq!(board.widgets[0].title, long);
    assert_eq!(board.widgets[0].place, Place { x: 8, y: 7, w: 4, h: 2 }, "as near as can be");
    assert_eq!(Board::read(&board.print()).unwrap().0, board);
}

#[test]
fn what_gave_way_below_the_last_row_is_read_where_it_went() {
    for y in [ROWS_MAX, LAST_ROW, u16::MAX] {
        let widget = format!("[[widget]]\nkind = \"text\"\ntext = \"a\"\nat = {{ x = 0, y = {y}, w = 12, h = 24 }}\n");
        let (board, _) = Board::read(&format!("version = 1\nname = \"B\"\n{}", widget.repeat(WIDGETS_MAX))).unwrap();
        assert_eq!(Board::read(&board.print()), Ok((board, Vec::new())), "{y}");
    }
}

#[test]
fn what_is_moved_stands_and_what_is_in_its_way_gives_way_downwards() {
    let (mut board, _) = Board::read(WHOLE).unwrap();
    board.put(1, Place { x: 0, y: 0, w: 6, h: 4 });
    assert_eq!(board.widgets[1].place, Place { x: 0, y: 0, w: 6, h: 4 });
    assert_eq!(board.widgets[0].place, Place { x: 0, y: 4, w: 3, h: 2 }, "it was there");
    assert_eq!(board.widgets[2].place, Place { x: 0, y: 6, w: 6, h: 5 }, "and that was below it");
    assert_eq!(board.widgets[3].place.y, 4, "nothing is in its way");
    board.put(0, Place { x: 40, y: 0, w: 40, h: 0 });
    assert_eq!(board.widgets[0].place, Place { x: 0, y: 0, w: 12, h: 1 }, "within the grid");
}

#[test]
fn a_new_widget_stands_where_there_is_room() {
    let (board, _) = Board::read(WHOLE).unwrap();
    assert_eq!(board.free(3, 2), Place { x: 0, y: 2, w: 3, h: 2 });
    assert_eq!(board.free(12, 2), Place { x: 0, y: 15, w: 12, h: 2 });
    assert_eq!(Board::default().free(6, 4), Place { x: 0, y: 0, w: 6, h: 4 });
    let order = board.in_reading_order();
    assert_eq!(order, [0, 1, 5, 2, 3, 4, 6, 7]);
}

fn words() -> impl Strategy<Value = String> {
    "[ -~\u{e0}-\u{17f}\n\"'\\\\#]{1,24}"
        .prop_map(|text| text.trim().to_owned())
        .prop_filter("some", |text| !text.is_empty())
}

fn name() -> impl Strategy<Value = String> {
    "[a-z][a-z0-9_-]{0,12}"
}

fn shows() -> impl Strategy<Value = Shows> {
    let value = || name().prop_map(|name| format!("/{name}"));
    let column = prop_oneof![proptest::sample::select(Column::ALL.to_vec()), value().prop_map(Column::Value),];
    let line = (name(), value()).prop_map(|(thing, value)| Line { thing, value });
    prop_oneof![
        name().prop_map(|query| Shows::Figure { query, of: Of::Count, value: String::new() }),
        (name(), value()).prop_map(|(query, value)| Shows::Figure { query, of: Of::Mean, value }),
        (prop::collection::vec(line, 1..=LINES_MAX), 1..=HOURS_MAX)
            .prop_map(|(lines, hours)| Shows::Chart { lines, hours }),
        (name(), prop::collection::vec(column, 1..=TABLE_COLUMNS_MAX))
            .prop_map(|(query, columns)| Shows::Table { query, columns }),
        (name(), prop::option::of((-179.0..0.0, -89.0..0.0, 0.0..179.0, 0.0..89.0))).prop_map(|(query, area)| {
            let area = area.map(|(west_deg, south_deg, east_deg, north_deg)| GeoBox {
                west_deg,
                south_deg,
                east_deg,
                north_deg,
            });
            Shows::Map { query, area }
        }),
        (proptest::sample::select(Listed::ALL.to_vec()), name()).prop_map(|(of, query)| Shows::List { of, query }),
        (words(), value(), prop::option::of(-1e9..0.0), prop::option::of(1.0..1e9))
            .prop_map(|(thing, value, min, max)| Shows::Gauge { thing, value, min, max }),
        (name(), 1..=WEEKS_MAX).prop_map(|(query, weeks)| Shows::Heat { query, weeks }),
        words().prop_map(Shows::Text),
    ]
}

fn board() -> impl Strategy<Value = Board> {
    let one = ("[ -~]{0,20}", 1..=COLUMNS, 1..=HEIGHT_MAX, shows());
    let roles = prop::sample::subsequence(Role::ALL.to_vec(), 0..=4);
    ("[ -~]{1,20}", roles, prop::collection::vec("[ -~]{0,20}", 0..3), prop::collection::vec(one, 0..7)).prop_map(
        |(name, roles, comment, widgets)| {
            let name = if name.trim().is_empty() { "B".into() } else { name.trim().to_owned() };
            let mut board = Board { comment, name, roles, widgets: Vec::new() };
            for (title, w, h, shows) in widgets {
                let place = board.free(w, h);
                board.widgets.push(Widget { title: title.trim().to_owned(), place, shows });
            }
            board
        },
    )
}

#[test]
fn a_form_is_judged_by_the_code_that_reads_files() {
    let form = |word: &str, texts: &[&str]| {
        Shows::of_fields(word, &texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>())
    };
    assert_eq!(
        form("figure", &["", "count", "power_w"]),
        Ok(Shows::Figure { query: String::new(), of: Of::Count, value: String::new() })
    );
    assert_eq!(form("heat", &["kind:parking", " 8 "]), Ok(Shows::Heat { query: "kind:parking".into(), weeks: 8 }));
    for (word, texts, says) in [
        ("figure", vec!["kind:lmp", "count", ""], "column 6"),
        ("figure", vec!["", "sum", " "], "says its value"),
        ("gauge", vec!["", "dim_pct", "", ""], "says its thing"),
        ("gauge", vec!["a", "b", "x", ""], "min is a number"),
        ("chart", vec!["lamp-0417", "24"], "a line is a thing and a value"),
        ("map", vec!["", "1, 2, 3"], "box is [west"),
        ("heat", vec!["", "soon"], "weeks is a whole number"),
        ("text", vec![" \n"], "a text says its text"),
    ] {
        assert!(form(word, &texts).is_err_and(|why| why.contains(says)), "{word} {texts:?}: {:?}", form(word, &texts));
    }
    for word in Shows::WORDS {
        assert!(!Shows::fields_of(word).is_empty(), "{word}");
    }
}

proptest! {
    #[test]
    fn a_widget_is_what_its_form_says(shows in shows()) {
        prop_assert_eq!(Shows::fields_of(shows.word()).len(), shows.fields().len());
        let is_read = read::wrong_query(&shows).is_none();
        if is_read {
            prop_assert_eq!(Shows::of_fields(shows.word(), &shows.fields()), Ok(shows));
        }
    }

    #[test]
    fn a_board_that_is_printed_is_read_as_it_was(board in board()) {
        let text = board.print();
        let (read, mistakes) = Board::read(&text).map_err(|mistake| TestCaseError::fail(format!("{mistake:?}\n{text}")))?;
        prop_assert_eq!(mistakes.into_iter().filter(|mistake| !mistake.message.contains("the query")).collect::<Vec<_>>(), vec![]);
        prop_assert_eq!(&read, &board);
        prop_assert_eq!(read.print(), text);
    }

    #[test]
    fn whatever_is_moved_nothing_lies_over_anything(board in board(), nth in 0..7_usize, x in 0..14_u16, y in 0..40_u16, w in 0..14_u16, h in 0..30_u16) {
        let mut board = board;
        board.put(nth, Place { x, y, w, h });
        for (one, widget) in board.widgets.iter().enumerate() {
            prop_assert_eq!(widget.place, Place { y: widget.place.y, ..widget.place.fitted() });
            for other in board.widgets.iter().skip(one + 1) {
                prop_assert!(!widget.place.lies_over(other.place));
            }
        }
    }

    #[test]
    fn no_text_is_too_odd_to_be_told_what_is_wrong_with_it(text in "\\PC{0,200}") {
        let _ = Board::read(&text);
        let _ = Board::read(&format!("version = 1\nname = \"B\"\n[[widget]]\n{text}"));
    }
}
