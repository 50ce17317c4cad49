//! Boards: the operator's shows what the table counts, a widget is added, moved and sized by keys, saved and there again; a file that
//! somebody else changed is not written over; and a driver looks at their board and arranges nothing.

use std::time::Duration;

use fleetlens_tests::axe::assert_accessible;
use fleetlens_tests::browser::{Browser, DESKTOP};
use fleetlens_tests::page::{Page, by_testid};
use fleetlens_tests::serve::Serve;
use thirtyfour::prelude::Key;

use super::alone;
use super::both::told;

const SOON: Duration = Duration::from_secs(30);

/// A widget of this heading.
async fn widget(page: &Page, title: &str) -> String {
    let script = "return [...document.querySelectorAll('[data-testid=board-widget]')]
        .find(it => it.querySelector('h2').textContent === arguments[0])?.outerText ?? ''";
    page.ask(script, vec![title.into()]).await
}

async fn place(page: &Page, title: &str) -> String {
    let script = "return [...document.querySelectorAll('[data-testid=board-widget]')]
        .find(it => it.querySelector('h2').textContent === arguments[0])?.dataset.place ?? ''";
    page.ask(script, vec![title.into()]).await
}

/// Waits until a widget says something.
async fn says(page: &Page, title: &str, wanted: impl Fn(&str) -> bool) -> String {
    for _ in 0..300 {
        let text = widget(page, title).await;
        if wanted(&text) {
            return text;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{title:?} says {:?}", widget(page, title).await);
}

/// The first number in a text, without its gaps.
fn number(text: &str) -> Option<u32> {
    let digits: String = text
        .chars()
        .skip_while(|c| !c.is_ascii_digit())
        .take_while(|c| !c.is_alphabetic())
        .filter(char::is_ascii_digit)
        .collect();
    digits.parse().ok()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_board_shows_what_the_table_counts_and_is_arranged_by_keys() {
    let _alone = alone().await;
    let data = tempfile::tempdir().unwrap();
    let serve = Serve::start("boards", data.path(), &[]);
    let Some(page) = Browser::open("browser-boards", &serve, serve.window(), DESKTOP, "dark").await else { return };
    page.wait_until_live().await;
    page.keys("gb").await;
    page.wait_for_element(&by_testid("board-grid"), SOON).await;
    page.wait_for_text(&by_testid("board-switch"), SOON, |text| text.contains("City operator")).await;
    let lit = says(&page, "Lamps that are lit", |text| number(text).is_some()).await;
    says(&page, "Power of the lighting", |text| text.contains("kW") || text.contains('W')).await;
    page.wait_for_element(&by_testid("board-heat"), SOON).await;
    page.wait_for_element(".board-map canvas", SOON).await;
    for theme in ["dark", "light"] {
        page.set_theme(theme).await;
        tokio::time::sleep(Duration::from_secs(2)).await;
        page.screenshot(&format!("boards-operator-{theme}-1440")).await;
        assert_accessible(&page, &format!("the operator's board, {theme}")).await;
    }
    page.resize(1024, 700).await;
    page.screenshot("boards-operator-light-1024").await;
    page.resize(430, 900).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    page.screenshot("boards-operator-light-430").await;
    page.resize(DESKTOP.0, DESKTOP.1).await;
    page.set_theme("dark").await;
    told("the operator's board is live");

    // The same query in the table of things.
    page.click(&by_testid("board-edit")).await;
    add_by_keys(&page).await;
    let mine = says(&page, "All my lamps", |text| number(text).is_some_and(|n| n > 0)).await;
    page.screenshot("boards-arranged-dark-1440").await;
    assert_accessible(&page, "a board that is arranged").await;
    let before = place(&page, "All my lamps").await;
    assert_eq!(before, "0,14,3,2", "below everything, where there is room");
    page.press(Key::Right).await;
    page.press(Key::Down).await;
    let script = "document.activeElement.dispatchEvent(new KeyboardEvent('keydown', {key: 'ArrowRight', shiftKey: true, bubbles: true, cancelable: true}))";
    page.ask::<Option<bool>>(script, vec![]).await;
    assert_eq!(place(&page, "All my lamps").await, "1,15,4,2", "one to the right, one down, one wider");
    let said = page.text("board-said").await.unwrap_or_default();
    assert_eq!(said, "Column 2, row 16, 4 wide, 2 high");
    page.click(&by_testid("board-undo")).await;
    assert_eq!(place(&page, "All my lamps").await, "1,15,3,2");
    page.click(&by_testid("board-save")).await;
    page.wait_for_element(&by_testid("board-edit"), SOON).await;
    let file = data.path().join("profiles/boards/operator.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains("title = \"All my lamps\"\nat = { x = 1, y = 15, w = 3, h = 2 }"), "{text}");
    told("a widget is added, moved and kept by keys");

    page.keys("gt").await;
    page.type_into(&by_testid("things-filter"), "kind:lamp").await;
    let total = page.wait_for_text(&by_testid("things-total"), SOON, |text| number(text) == number(&mine)).await;
    assert!(number(&lit) <= number(&total), "no more are lit than there are: {lit} of {total}");
    page.goto(&format!("http://{}/", serve.authority())).await;
    page.wait_until_live().await;
    page.keys("gb").await;
    says(&page, "All my lamps", |text| number(text) == number(&mine)).await;
    assert_eq!(place(&page, "All my lamps").await, "1,15,3,2", "where it was left");
    told("after a reload it is there, and counts what the table counts");

    // By the pointer, and over a file that somebody else changed meanwhile.
    page.click(&by_testid("board-edit")).await;
    let head = "[data-place='0,0,3,2'] .board-title h2";
    let (x, y) = page.middle_of(head).await;
    page.drag(&[(x, y), (x + 60.0, y + 10.0), (x, y + 128.0)], false).await;
    assert_eq!(place(&page, "Things that do not speak").await, "0,2,3,2", "dragged two rows down");
    assert_eq!(place(&page, "Needs a person").await, "0,4,6,6", "which gave way");
    std::fs::write(&file, format!("# by hand\n{text}")).unwrap();
    page.click(&by_testid("board-save")).await;
    page.wait_for_text(&by_testid("board-refused"), SOON, |text| text.contains("changed meanwhile")).await;
    page.screenshot("boards-refused-dark-1440").await;
    assert_accessible(&page, "a board that was refused").await;
    assert!(std::fs::read_to_string(&file).unwrap().starts_with("# by hand"), "nothing was written over");
    page.click(&by_testid("board-keep-as-new")).await;
    page.wait_for_element(&by_testid("board-edit"), SOON).await;
    assert_eq!(std::fs::read_dir(file.parent().unwrap()).unwrap().count(), 2, "and mine is a board of its own");
    told("what somebody else wrote is not written over");

    // Wrong in one widget, and pasted by somebody.
    page.click(&by_testid("board-paste")).await;
    let board = "version = 1\nname = \"Odd\"\n[[widget]]\nkind = \"radar\"\nat = { x = 0, y = 0, w = 4, h = 2 }\n[[widget]]\nkind = \"text\"\ntext = \"hello\"\nat = { x = 4, y = 0, w = 4, h = 2 }";
    page.ask::<Option<bool>>(
        "const area = document.querySelector('[data-testid=board-paste-area]'); area.value = arguments[0];
         area.dispatchEvent(new Event('input', {bubbles: true}))",
        vec![board.into()],
    )
    .await;
    page.wait_for_text(&by_testid("board-paste-wrong"), SOON, |text| text.contains("there is no widget \"radar\""))
        .await;
    page.click(&by_testid("board-paste-yes")).await;
    says(&page, "Note", |text| text.contains("hello")).await;
    page.wait_for_text(&by_testid("board-mistakes"), SOON, |text| text.contains("radar")).await;
    page.screenshot("boards-mistake-dark-1440").await;
    told("a board with a mistake opens with the rest");
    assert_eq!(page.faults().await, Vec::<String>::new(), "something went wrong in the page");
    page.close().await;
    serve.close().await;
}

/// Adds a figure over all lamps without a pointer.
async fn add_by_keys(page: &Page) {
    let focus = format!("document.querySelector('{} button').focus()", ".board-add");
    page.ask::<Option<bool>>(&focus, vec![]).await;
    page.press(Key::Enter).await;
    page.wait_for_element(&by_testid("board-add-card"), SOON).await;
    page.press(Key::Tab).await;
    page.press(Key::Enter).await;
    page.wait_for_element(&by_testid("board-field-title"), SOON).await;
    page.screenshot("boards-form-dark-1440").await;
    assert_accessible(page, "the form of a widget").await;
    page.type_into(&by_testid("board-field-title"), "All my lamps").await;
    page.type_into(&by_testid("board-field-query"), "kind:lmp").await;
    page.press(Key::Enter).await;
    page.wait_for_text(&by_testid("board-form-wrong"), SOON, |text| text.contains("column 6")).await;
    page.replace(&by_testid("board-field-query"), "kind:lamp").await;
    page.press(Key::Enter).await;
    page.wait_for_element("[data-testid=board-widget]:focus", SOON).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_driver_has_a_board_and_arranges_nothing() {
    let _alone = alone().await;
    let data = tempfile::tempdir().unwrap();
    let serve = Serve::start("boards-driver", data.path(), &["--role", "driver"]);
    let Some(page) = Browser::open("browser-boards-driver", &serve, serve.window(), DESKTOP, "light").await else {
        return;
    };
    page.wait_for_element(&by_testid("rail-boards"), SOON).await;
    page.click(&by_testid("rail-boards")).await;
    page.wait_for_element(&by_testid("board-grid"), SOON).await;
    says(&page, "Free spaces", |text| text.contains("spaces") && number(text).is_some()).await;
    page.wait_for_element(&by_testid("board-row"), SOON).await;
    let boards: Vec<String> = page
        .ask(
            "return [...document.querySelectorAll('[data-testid=board-switch] option')].map(it => it.textContent)",
            vec![],
        )
        .await;
    assert_eq!(boards, ["Parking"], "a driver is shown no board of others");
    for control in ["board-edit", "board-new", "board-paste", "board-remove"] {
        assert_eq!(page.count(&by_testid(control)).await, 0, "{control}");
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    page.screenshot("boards-driver-light-1440").await;
    assert_accessible(&page, "the driver's board").await;
    assert_eq!(page.faults().await, Vec::<String>::new(), "something went wrong in the page");
    page.close().await;
    serve.close().await;
}
