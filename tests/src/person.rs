//! What a person does at the window and reads from it, in the words of its `data-testid`s.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use thirtyfour::Key;

use crate::page::{Page, by_testid, plain};
use crate::picture::Area;

/// Generous: two cores, software rendering, and other tests beside this one.
pub const SOON: Duration = Duration::from_secs(40);

/// The app ends in order within five seconds; what takes longer than this hangs, whatever else the machine does.
pub const ENDS_WITHIN: Duration = Duration::from_secs(20);

/// A value as it stands on the screen.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Card {
    /// JSON pointer of the series.
    pub pointer: String,
    /// Number and unit, as read.
    pub number: String,
    /// The line below: `live · 4 s`.
    pub age: String,
    /// `live`, `quiet` or `old`.
    pub tone: String,
}

impl Card {
    /// The age in seconds, of a line that ends with a whole age: `was live · 4 s`, `cached · 2 min`.
    pub fn age_s(&self) -> Option<u64> {
        let (_, age) = self.age.rsplit_once('·')?;
        let (number, unit) = age.trim().split_once(' ')?;
        let number: u64 = number.parse().ok()?;
        let seconds = match unit.split_whitespace().next()? {
            "s" => 1,
            "min" => 60,
            "h" => 3_600,
            _ => return None,
        };
        Some(number * seconds)
    }
}

/// A command as it stands on the screen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Timeline {
    /// `waiting`, `settled`, `rejected`, `expired` or `ended`.
    pub standing: String,
    /// What it is: `Dim to 40 %`.
    pub title: String,
    /// Where it stands, as a sentence.
    pub sentence: String,
    /// Its steps: word and state (`done`, `waiting`, `rejected`, `expired`, `ended`).
    pub steps: Vec<(String, String)>,
    /// Everything that can be read of the steps.
    pub text: String,
}

impl Timeline {
    /// Whether a step has been taken.
    pub fn has(&self, step: &str) -> bool {
        self.steps.iter().any(|(word, state)| word == step && state != "waiting")
    }

    /// The steps taken so far, in order.
    pub fn taken(&self) -> Vec<&str> {
        self.steps.iter().filter(|(_, state)| state != "waiting").map(|(word, _)| word.as_str()).collect()
    }
}

/// One row of a shadow's table: pointer, wanted, reported.
pub type Leaf = (String, String, String);

impl Page {
    /// Waits until the map shows things and the link is up.
    pub async fn wait_until_live(&self) {
        let script = "const h = document.documentElement.dataset; \
                      const b = document.querySelector('[data-testid=status-broker]'); \
                      return [h.live ?? '', h.things ?? '', b ? b.dataset.link : '']";
        self.wait_for("live things on the map", SOON, script, |[live, things, link]: [String; 3]| {
            let drawn = things.parse().unwrap_or(0);
            let is_live = live == "true" && drawn > 0 && link == "up";
            if is_live { Ok(()) } else { Err(format!("live {live:?}, {things:?} things, link {link:?}")) }
        })
        .await;
    }

    /// How many things the map's last picture held.
    pub async fn things_drawn(&self) -> usize {
        let things: String = self.ask("return document.documentElement.dataset.things ?? ''", Vec::new()).await;
        things.parse().unwrap_or(0)
    }

    /// Finds a thing by its name and opens it with the keyboard. On the phone the list has a tab of its own.
    pub async fn open_thing(&self, name: &str) {
        if self.count(&by_testid("tab-find")).await > 0 {
            self.click(&by_testid("tab-find")).await;
        }
        let box_ = self.wait_for_element(&by_testid("find"), SOON).await;
        box_.click().await.unwrap_or_else(|e| panic!("cannot click into the find box: {e}"));
        self.ask::<()>("document.activeElement?.select?.()", Vec::new()).await;
        box_.send_keys(name).await.unwrap_or_else(|e| panic!("cannot type into the find box: {e}"));
        let script = "const e = document.querySelector('[data-testid=found-row]'); \
                      return e && (e.querySelector('.name')?.textContent || e.querySelector('b')?.textContent)";
        self.wait_for(&format!("{name} to be found"), SOON, script, |first: Option<String>| {
            if first.as_deref() == Some(name) { Ok(()) } else { Err(format!("{first:?}")) }
        })
        .await;
        box_.send_keys(Key::Enter).await.unwrap_or_else(|e| panic!("cannot press Enter: {e}"));
        self.wait_for_title(name).await;
    }

    /// Waits until the thing on the screen is the one of this name.
    pub async fn wait_for_title(&self, name: &str) {
        let script = "const e = document.querySelector('[data-testid=title]'); return e && e.title";
        self.wait_for(&format!("{name} on the screen"), SOON, script, |title: Option<String>| {
            if title.as_deref() == Some(name) { Ok(()) } else { Err(format!("{title:?}")) }
        })
        .await;
    }

    /// Closes what is open, and sees it gone.
    pub async fn close_thing(&self) {
        let close = by_testid("close");
        self.click(&close).await;
        self.wait_until_gone(&close, SOON).await;
    }

    /// The value cards of the open thing, by pointer.
    pub async fn cards(&self) -> BTreeMap<String, Card> {
        let cards: Vec<Card> = self.ask(CARDS, Vec::new()).await;
        by_pointer(cards)
    }

    /// Waits until the cards are as wanted.
    pub async fn wait_for_cards(
        &self,
        what: &str,
        within: Duration,
        wanted: impl Fn(&BTreeMap<String, Card>) -> bool,
    ) -> BTreeMap<String, Card> {
        self.wait_for(what, within, CARDS, |cards: Vec<Card>| {
            let cards = by_pointer(cards);
            if wanted(&cards) { Ok(cards) } else { Err(format!("{cards:?}")) }
        })
        .await
    }

    /// The classic shadow's table.
    pub async fn leaves(&self) -> Vec<Leaf> {
        let leaves: Vec<Leaf> = self.ask(LEAVES, Vec::new()).await;
        leaves
    }

    /// Waits until a leaf of the classic shadow reads as wanted.
    pub async fn wait_for_leaf(&self, pointer: &str, wanted: impl Fn(&str, &str) -> bool) -> Leaf {
        self.wait_for(&format!("the leaf {pointer}"), SOON, LEAVES, |leaves: Vec<Leaf>| {
            let leaf = leaves.iter().find(|(at, _, _)| at == pointer);
            leaf.filter(|(_, desired, reported)| wanted(desired, reported))
                .cloned()
                .ok_or_else(|| format!("{leaves:?}"))
        })
        .await
    }

    /// The newest command of the open thing.
    pub async fn timeline(&self) -> Option<Timeline> {
        self.ask(TIMELINE, Vec::new()).await
    }

    /// Waits until the newest command is as wanted.
    pub async fn wait_for_timeline(
        &self,
        what: &str,
        within: Duration,
        wanted: impl Fn(&Timeline) -> bool,
    ) -> Timeline {
        self.wait_for(what, within, TIMELINE, |timeline: Option<Timeline>| match timeline {
            Some(timeline) if wanted(&timeline) => Ok(timeline),
            other => Err(format!("{other:?}")),
        })
        .await
    }

    /// Dims the open lamp: the slider, then Send. Returns the expiry beside it as it is read. Every picture of the timeline from
    /// now on is kept, see [`Page::timelines_shown`].
    pub async fn dim(&self, pct: u8) -> String {
        self.prepare_dim(pct).await;
        self.send_dim().await
    }

    /// Moves the slider and waits until it can be sent.
    pub async fn prepare_dim(&self, pct: u8) {
        self.slide(&format!("{DIM} [data-testid=slider]"), f64::from(pct)).await;
        let shown = format!("{DIM} [data-testid=slider-value]");
        self.wait_for_text(&shown, SOON, |text| text == format!("{pct} %")).await;
        self.wait_for_element(&format!("{DIM} [data-testid=send]:not([disabled])"), SOON).await;
    }

    /// Sends what was prepared; returns the expiry beside it as it is read.
    pub async fn send_dim(&self) -> String {
        self.keep_timelines().await;
        let script = "return document.querySelector(arguments[0]).selectedOptions[0].text";
        let expiry: String = self.ask(script, vec![format!("{DIM} [data-testid=expiry]").into()]).await;
        self.click(&format!("{DIM} [data-testid=send]")).await;
        plain(&expiry)
    }

    /// Chooses how far back the chart goes, by the word on its button.
    pub async fn choose_span(&self, word: &str) {
        let script = "const b = [...document.querySelectorAll('[data-testid=chart] [role=radio]')]\
                      .find(b => b.textContent.trim() === arguments[0]); b?.click(); return !!b";
        let clicked: bool = self.ask(script, vec![word.into()]).await;
        assert!(clicked, "the chart has no span {word}");
    }

    /// From now on, keeps every state of the newest command that was on the page.
    async fn keep_timelines(&self) {
        let script = format!(
            "const look = () => {{ {TIMELINE} }}; window.e2eTimelines = []; window.e2eObserver?.disconnect(); \
             const keep = () => {{ const t = look(); const s = JSON.stringify(t); \
             if (t && window.e2eTimelines.at(-1) !== s) window.e2eTimelines.push(s); }}; \
             window.e2eObserver = new MutationObserver(keep); \
             window.e2eObserver.observe(document.body, {{ subtree: true, childList: true, characterData: true, attributes: true }})"
        );
        self.ask::<()>(&script, Vec::new()).await;
    }

    /// Every state of the newest command that was on the page since [`Page::dim`].
    pub async fn timelines_shown(&self) -> Vec<Timeline> {
        let shown: Vec<String> = self.ask("return window.e2eTimelines ?? []", Vec::new()).await;
        shown.iter().map(|json| serde_json::from_str(json).expect("our own script wrote it")).collect()
    }

    /// Empties the find box and scrolls everything to its top, for a picture.
    pub async fn tidy_up(&self) {
        let script = "document.querySelector('.find .clear[title^=Clear]')?.click(); document.activeElement?.blur?.(); \
                      for (const e of document.querySelectorAll('*')) if (e.scrollTop) e.scrollTop = 0";
        self.ask::<()>(script, Vec::new()).await;
    }

    /// Where an element stands in a picture of the page.
    pub async fn area_of(&self, css: &str) -> Area {
        let script = "const r = document.querySelector(arguments[0]).getBoundingClientRect(); \
                      return [r.x, r.y, r.width, r.height].map(n => n * window.devicePixelRatio)";
        let [x, y, width, height]: [f64; 4] = self.ask(script, vec![css.into()]).await;
        Area { x: x as usize, y: y as usize, width: width as usize, height: height as usize }
    }

    /// The colour of a design token, e.g. `--accent`.
    pub async fn token(&self, name: &str) -> [u8; 3] {
        // The canvas knows every way to write a colour.
        let script = "const c = document.createElement('canvas').getContext('2d'); \
                      c.fillStyle = getComputedStyle(document.documentElement).getPropertyValue(arguments[0]).trim(); \
                      c.fillRect(0, 0, 1, 1); return [...c.getImageData(0, 0, 1, 1).data].slice(0, 3)";
        self.ask(script, vec![name.into()]).await
    }

    /// How many pixels of a canvas differ from its corner: something was drawn on it.
    pub async fn drawn_on_canvas(&self, css: &str) -> usize {
        let script = "const e = document.querySelector(arguments[0]); if (!e) return 0; \
                      const d = e.getContext('2d').getImageData(0, 0, e.width, e.height).data; let n = 0; \
                      for (let i = 4; i < d.length; i += 4) \
                      if (d[i] !== d[0] || d[i + 1] !== d[1] || d[i + 2] !== d[2] || d[i + 3] !== d[3]) n++; return n";
        self.ask(script, vec![css.into()]).await
    }

    /// How many pixels of a canvas have the colour of a token, or nearly so.
    pub async fn pixels_of(&self, css: &str, token: &str) -> usize {
        let script = "const e = document.querySelector(arguments[0]); if (!e) return 0; \
                      const h = getComputedStyle(document.documentElement).getPropertyValue(arguments[1]).trim(); \
                      const want = [1, 3, 5].map(i => parseInt(h.slice(i, i + 2), 16)); \
                      const d = e.getContext('2d').getImageData(0, 0, e.width, e.height).data; let n = 0; \
                      for (let i = 0; i < d.length; i += 4) if (want.every((c, j) => Math.abs(c - d[i + j]) < 24)) n++; return n";
        self.ask(script, vec![css.into(), token.into()]).await
    }

    /// Changes between dark and light until the page is as wanted.
    pub async fn set_theme(&self, wanted: &str) {
        let now: String = self.ask("return document.documentElement.dataset.theme ?? ''", Vec::new()).await;
        if now != wanted {
            self.click(&by_testid("theme")).await;
        }
        let script = "return document.documentElement.dataset.theme ?? ''";
        self.wait_for("the theme", SOON, script, |now: String| if now == wanted { Ok(()) } else { Err(now) }).await;
    }
}

fn by_pointer(cards: Vec<Card>) -> BTreeMap<String, Card> {
    let clean = |card: Card| Card { number: plain(&card.number), age: plain(&card.age), ..card };
    cards.into_iter().map(|card| (card.pointer.clone(), clean(card))).collect()
}

/// What a driver or a reader compares between two pictures: numbers with their units, without ages.
pub fn numbers(cards: &BTreeMap<String, Card>) -> BTreeMap<String, String> {
    cards.iter().map(|(pointer, card)| (pointer.clone(), card.number.clone())).collect()
}

/// The control of a lamp's light.
const DIM: &str = "[data-testid=control][data-pointer=\"/dim_pct\"]";

const CARDS: &str = "const number = e => [...(e?.childNodes ?? [])].map(n => n.textContent).join(' '); \
    return [...document.querySelectorAll('[data-testid=value]')].map(e => ({ \
    pointer: e.dataset.pointer, number: number(e.querySelector('.number')), \
    age: e.querySelector('[data-testid=age]')?.innerText ?? '', tone: e.dataset.tone ?? '' }))";

const LEAVES: &str = "const side = e => [...(e?.childNodes ?? [])].filter(n => n.nodeName !== 'TIME').map(n => n.textContent).join('').trim(); \
    return [...document.querySelectorAll('[data-testid=shadow][data-shadow=\"\"] tr[data-pointer]')] \
    .map(e => [e.dataset.pointer, side(e.querySelector('[data-testid=wanted]')), side(e.querySelector('[data-testid=reported]'))])";

const TIMELINE: &str = "const e = document.querySelector('[data-testid=command]'); if (!e) return null; \
    const flat = t => (t ?? '').replace(/\\s+/g, ' ').trim(); \
    return { standing: e.dataset.standing ?? '', title: flat(e.querySelector('header b')?.innerText), \
    sentence: flat(e.querySelector('[data-testid=sentence]')?.innerText), \
    steps: [...e.querySelectorAll('[data-step]')].map(s => [s.dataset.step, s.dataset.state ?? '']), \
    text: flat(e.innerText) }";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_read_as_people_read_them() {
        let card = |age: &str| Card { pointer: "/a".into(), number: "1".into(), age: age.into(), tone: "old".into() };
        for (age, want) in
            [("live · 4 s", Some(4)), ("was live · 2 min", Some(120)), ("cached · 3 h", Some(10_800)), ("now", None)]
        {
            assert_eq!(card(age).age_s(), want, "{age}");
        }
    }

    #[test]
    fn a_step_that_is_waited_for_has_not_been_taken() {
        let step = |word: &str, state: &str| (word.to_owned(), state.to_owned());
        let timeline =
            Timeline { steps: vec![step("asked", "done"), step("accepted", "waiting")], ..Timeline::default() };
        assert!(timeline.has("asked") && !timeline.has("accepted"));
        assert_eq!(timeline.taken(), ["asked"]);
    }
}
