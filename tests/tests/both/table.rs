//! The table of things: every row is the right one however one scrolls, sorts and filters.

use std::collections::{BTreeMap, BTreeSet};

use fleetlens_tests::page::{Page, by_testid};
use fleetlens_tests::person::SOON;
use serde::Deserialize;
use serde_json::json;
use thirtyfour::Key;

use super::{rail, told};

/// How many things the demo city has.
const ALL: &str = "1 650 things";

/// The element that scrolls.
const TABLE: &str = "[data-testid=things-table]";

/// A row as it stands on the screen.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
struct Row {
    /// Its place, from 0.
    place: usize,
    /// The place its pixels are at.
    drawn_at: usize,
    name: String,
    title: String,
    kind: String,
    wrong: String,
    pending: String,
}

/// The rows within the table's window, first to last; an answer only when none of them is still on its way.
const ROWS: &str = "const table = document.querySelector('[data-testid=things-table]'); \
    const rows = [...table.querySelectorAll('[data-testid=things-row]')].filter(e => e.style.display !== 'none'); \
    const text = (e, css) => (e.querySelector(css)?.innerText ?? '').trim(); \
    const top = table.scrollTop, bottom = top + table.clientHeight - 32; \
    const seen = rows.map(e => ({ e, y: new DOMMatrix(e.style.transform).f })).filter(r => r.y + 30 > top && r.y < bottom); \
    seen.sort((a, b) => a.y - b.y); \
    if (table.getAttribute('aria-busy') === 'true' || seen.some(r => !r.e.dataset.thing)) return null; \
    return seen.map(({ e, y }) => ({ place: e.getAttribute('aria-rowindex') - 2, drawn_at: Math.round(y / 30), \
    name: e.querySelector('.title').title, title: text(e, '.title b'), kind: text(e, '.kind'), wrong: text(e, '.wrong'), \
    pending: text(e, '.pending') }))";

/// The rows on the screen once they are as wanted.
async fn rows(page: &Page, what: &str, wanted: impl Fn(&[Row]) -> bool) -> Vec<Row> {
    let rows = page
        .wait_for(what, SOON, ROWS, |rows: Option<Vec<Row>>| match rows {
            Some(rows) if wanted(&rows) => Ok(rows),
            other => Err(format!("{other:?}")),
        })
        .await;
    for (nth, row) in rows.iter().enumerate() {
        assert_eq!(row.place, row.drawn_at, "a row stands where another belongs: {row:?}");
        assert_eq!(row.place, rows[0].place + nth, "rows are missing between {rows:?}");
    }
    rows
}

/// The names on the screen once there are just these many things in the table.
pub async fn names_of(page: &Page, total: &str) -> Vec<String> {
    page.wait_for_text(&by_testid("things-total"), SOON, |text| text == total).await;
    let count: usize = total.split(" of ").next().and_then(|count| count.split(' ').next()?.parse().ok()).unwrap_or(0);
    let rows = rows(page, "the rows of the filter", |rows| rows.len() == count).await;
    rows.into_iter().map(|row| row.name).collect()
}

async fn scroll_to(page: &Page, row: usize) -> Vec<Row> {
    let top = row * 30;
    page.ask::<()>("document.querySelector(arguments[0]).scrollTop = arguments[1]", vec![TABLE.into(), json!(top)])
        .await;
    rows(page, &format!("the rows around {row}"), |rows| {
        rows.first().is_some_and(|first| first.place <= row) && rows.last().is_some_and(|last| last.place >= row)
    })
    .await
}

/// Every row of the demo city's table is where its number says, to the end and back.
pub async fn scrolls_to_the_end_and_back(page: &Page) {
    rail::go(page, "things").await;
    page.wait_for_text(&by_testid("things-total"), SOON, |text| text == ALL).await;
    sort(page, "title", "ascending").await;
    assert_eq!(
        page.ask::<String>(
            "return document.querySelector(arguments[0]).getAttribute('aria-rowcount')",
            vec![TABLE.into()]
        )
        .await,
        "1651"
    );
    let stops: Vec<usize> = (0..1650).step_by(150).chain([1649]).collect();
    let mut known: BTreeMap<usize, Row> = BTreeMap::new();
    for stop in stops.iter().chain(stops.iter().rev()) {
        for row in scroll_to(page, *stop).await {
            let before = known.entry(row.place).or_insert_with(|| row.clone());
            assert_eq!((&before.name, &before.title), (&row.name, &row.title), "row {} became another", row.place);
        }
    }
    assert!(known.contains_key(&0) && known.contains_key(&1649), "the ends were not seen");
    let names: BTreeSet<&String> = known.values().map(|row| &row.name).collect();
    assert_eq!(names.len(), known.len(), "a thing stands in two rows");
    told("1 650 things are counted, and every row is the right one to the end and back");
}

async fn sort(page: &Page, column: &str, order: &str) {
    let head = format!("[role=columnheader]:has([data-column={column}])");
    for _ in 0..2 {
        page.click(&format!("[data-testid=sort][data-column={column}]")).await;
        let script = format!(
            "return document.querySelector({}).ariaSort ?? document.querySelector({0}).getAttribute('aria-sort')",
            json!(head)
        );
        let now = page
            .wait_for("the column to sort", SOON, &script, |now: String| if now == "none" { Err(now) } else { Ok(now) })
            .await;
        if now == order {
            // A new order is read from its top.
            rows(page, "the top of the order", |rows| rows.first().is_some_and(|row| row.place == 0)).await;
            return;
        }
    }
    panic!("the column {column} does not sort {order}");
}

/// A query is counted, a mistake stands under the box by its column while the table stays as it is, and what can come next is offered.
async fn asks_by_query(page: &Page) {
    let (filter, total) = (by_testid("things-filter"), by_testid("things-total"));
    let nine = "9 of 1 650 things";
    page.replace(&filter, "kind:lamp AND thingName:lamp-000*").await;
    page.wait_for_text(&total, SOON, |text| text == nine).await;
    page.replace(&filter, "kind:lamp AND thingNam:lamp-000*").await;
    let wrong = page.wait_for_text(&by_testid("query-wrong"), SOON, |text| text.contains("Column 15:")).await;
    assert!(wrong.contains("there is thingName"), "{wrong}");
    assert_eq!(page.text_of(&total).await.as_deref(), Some(nine), "the table stays as it was");
    page.replace(&filter, "kind:b").await;
    page.wait_for_element(&by_testid("query-choice"), SOON).await;
    page.press(Key::Down).await;
    page.press(Key::Tab).await;
    let all = page.text_of("[data-testid=kind-chip][data-kind=bin] .count").await.unwrap_or_default();
    page.wait_for_text(&total, SOON, |text| text == format!("{all} of 1 650 things")).await;
    page.press(Key::Escape).await;
    page.wait_for_text(&total, SOON, |text| text == ALL).await;
    told("a query is counted, its mistake told by the column, and Tab takes what the arrows went to");
}

/// By a column both ways; by text and by kind; Enter opens; a changed order is offered, not forced.
pub async fn sorts_filters_and_opens(page: &Page) {
    sort(page, "title", "ascending").await;
    let first = rows(page, "the first rows", |rows| rows.first().is_some_and(|row| row.place == 0)).await;
    sort(page, "title", "descending").await;
    page.click(TABLE_HEAD).await;
    focus_table(page).await;
    page.press(Key::End).await;
    let last = rows(page, "the last rows", |rows| rows.last().is_some_and(|row| row.place == 1649)).await;
    let titles = |rows: &[Row]| rows.iter().map(|row| row.title.clone()).collect::<Vec<_>>();
    let backwards: Vec<String> = titles(&last).into_iter().rev().collect();
    let both = first.len().min(last.len()) - 1;
    assert_eq!(titles(&first)[..both], backwards[..both], "the other way round is another order");
    told("a column sorts both ways");

    page.replace(&by_testid("things-filter"), "lamp-000").await;
    page.wait_for_text(&by_testid("things-total"), SOON, |text| text == "9 of 1 650 things").await;
    let lamps = rows(page, "nine lamps", |rows| rows.len() == 9).await;
    assert!(lamps.iter().all(|row| row.name.starts_with("lamp-000") && row.kind == "Lamp"), "{lamps:?}");
    page.press(Key::Escape).await;
    page.wait_for_text(&by_testid("things-total"), SOON, |text| text == ALL).await;
    asks_by_query(page).await;
    let bins = "[data-testid=kind-chip][data-kind=bin]";
    let count = page.text_of(&format!("{bins} .count")).await.unwrap_or_default();
    page.click(bins).await;
    page.wait_for_text(&by_testid("things-total"), SOON, |text| text == format!("{count} of 1 650 things")).await;
    let shown = rows(page, "bins", |rows| rows.len() > 5).await;
    assert!(shown.iter().all(|row| row.name.starts_with("bin-")), "{shown:?}");
    page.replace(&by_testid("things-filter"), "nosuchthing").await;
    page.click(&by_testid("things-all")).await;
    page.wait_for_text(&by_testid("things-total"), SOON, |text| text == ALL).await;
    assert_eq!(
        page.count("[data-testid=kind-chip][aria-pressed=true]").await,
        0,
        "all are shown, and a kind is pressed"
    );
    told("text and kind filter, and what matches nothing is told with a way back");

    sort(page, "title", "ascending").await;
    focus_table(page).await;
    page.press(Key::Home).await;
    page.press(Key::Down).await;
    page.wait_for_element("#row-1.at", SOON).await;
    let second = rows(page, "the first rows", |rows| rows.first().is_some_and(|row| row.place == 0)).await[1].clone();
    page.press(Key::Enter).await;
    page.wait_for_title(&second.name).await;
    page.close_thing().await;
    told("the arrows go through the table and Enter opens what they are on");

    sort(page, "heard", "descending").await;
    focus_table(page).await;
    page.press(Key::PageDown).await;
    let moved = page.wait_for_text(&by_testid("things-moved"), SOON, |text| text.ends_with("would move")).await;
    page.click(&by_testid("sort-again")).await;
    rows(page, "the top of the new order", |rows| rows.first().is_some_and(|row| row.place == 0)).await;
    told(&format!("nothing moves by itself; “{moved}”, and Sort again makes the order anew"));
    sort(page, "title", "ascending").await;
    rail::go(page, "map").await;
}

/// The table's words, where a click chooses nothing.
const TABLE_HEAD: &str = "[data-testid=things] h1";

async fn focus_table(page: &Page) {
    page.ask::<()>("document.querySelector(arguments[0]).focus()", vec![TABLE.into()]).await;
}
