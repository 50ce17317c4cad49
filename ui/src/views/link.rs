//! Whether what is on the screen is live: the sign in the bar and the notice when our own link is down.

use fleetlens_ipc::rows::{LinkState, Status};
use fleetlens_model::time::WallMs;
use leptos::prelude::*;
use tr::tr;

use crate::bridge::Line;
use crate::clock::{local, shown_ms, today};
use crate::components::icon::Icon;
use crate::form::{Form, form};
use crate::format;
use crate::lang::said;
use crate::state::{Cut, store};

/// What the sign says.
#[derive(Clone, Debug, PartialEq)]
enum Sign {
    Starting,
    Live,
    Held(WallMs),
    Offline,
}

fn sign(link: Option<&LinkState>, held: Option<WallMs>, cut: bool) -> Sign {
    match (link, held) {
        (_, Some(at)) => Sign::Held(at),
        (_, None) if cut => Sign::Offline,
        (None | Some(LinkState::Starting), None) => Sign::Starting,
        (Some(LinkState::Connecting { .. }), None) => Sign::Offline,
        (Some(LinkState::Up { .. }), None) => Sign::Live,
    }
}

/// Live, held, offline; a click holds and resumes.
#[component]
pub fn LiveSign() -> impl IntoView {
    let store = store();
    let sign = Memo::new(move |_| {
        let is_cut = store.cut.get().is_some();
        store.status.with(|status| sign(status.as_ref().map(|status| &status.row.link), store.held.get(), is_cut))
    });
    let (class, words) = (
        move || match sign.get() {
            Sign::Live => "live-sign live",
            Sign::Held(_) => "live-sign held",
            Sign::Offline => "live-sign offline",
            Sign::Starting => "live-sign starting",
        },
        move || match sign.get() {
            Sign::Live => said("Live").to_owned(),
            Sign::Held(at) => tr!("Held at {}", local(at).seconds(&today())),
            Sign::Offline => said("Offline").to_owned(),
            Sign::Starting => said("Starting").to_owned(),
        },
    );
    let is_held = move || matches!(sign.get(), Sign::Held(_));
    view! {
        <button
            type="button"
            class=class
            data-testid="live"
            aria-pressed=move || is_held().to_string()
            title=move || if is_held() { said("Go on with live values (Space)") } else { said("Hold live values still (Space)") }
            on:click=move |_| store.hold(!is_held(), shown_ms())
        >
            <span class="lamp" />
            <b>{words}</b>
            <kbd>{said("Space")}</kbd>
        </button>
    }
}

/// The notice while our link is down: since when, as of when, what waits. While the window has lost its host, that comes first.
#[component]
pub fn OfflineNotice() -> impl IntoView {
    let store = store();
    view! {
        {move || match store.cut.get() {
            Some(cut) => view! { <CutNotice cut /> }.into_any(),
            None => view! { <LinkNotice /> }.into_any(),
        }}
    }
}

/// The window has lost its host: what is on the screen stays, and grows old.
#[component]
fn CutNotice(cut: Cut) -> impl IntoView {
    let since = cut.since_ms.map(|at| tr!("Cut off since {}", local(at).short(&today())));
    view! {
        <section class="offline-notice" data-testid="cut" data-line=line_word(cut.line) aria-label=said("Cut off")>
            <Icon of=icondata_lu::LuUnplug />
            <p>
                <b>{since.unwrap_or_else(|| said("Cut off").into())}</b>
                <span>{cut_words(cut.line)}</span>
            </p>
        </section>
    }
}

#[component]
fn LinkNotice() -> impl IntoView {
    let (store, form) = (store(), form());
    let told = Memo::new(move |_| store.status.with(|status| status.as_ref().and_then(|status| offline(&status.row))));
    let details = RwSignal::new(false);
    let reason = move || told.with(|told| told.as_ref().and_then(|told| told.reason.clone()));
    view! {
        <Show when=move || told.with(Option::is_some)>
            <section class="offline-notice" data-testid="offline" aria-label=said("Offline")>
                <Icon of=icondata_lu::LuUnplug />
                <p>
                    <b>{move || told.with(|told| told.as_ref().map(since_words))}</b>
                    <span>{move || told.with(|told| told.as_ref().map(|told| knew_words(told, form)))}</span>
                    <span>{move || told.with(|told| told.as_ref().map(waiting_words))}</span>
                </p>
                <Show when=move || reason().is_some()>
                    <button
                        type="button"
                        class="link"
                        aria-expanded=move || details.get().to_string()
                        on:click=move |_| details.update(|shown| *shown = !*shown)
                    >
                        {said("Why")}
                    </button>
                </Show>
                <Show when=move || details.get()>
                    <p class="reason" data-testid="offline-reason">{reason}</p>
                </Show>
            </section>
        </Show>
    }
}

#[derive(Clone, Debug, PartialEq)]
struct Offline {
    since_ms: WallMs,
    as_of_ms: Option<WallMs>,
    open_commands: u32,
    reason: Option<String>,
}

fn offline(status: &Status) -> Option<Offline> {
    match &status.link {
        LinkState::Starting | LinkState::Up { .. } => None,
        LinkState::Connecting { reason, since_ms } => Some(Offline {
            since_ms: *since_ms,
            as_of_ms: status.newest_value_ms,
            open_commands: status.open_commands,
            reason: reason.clone(),
        }),
    }
}

fn line_word(line: Line) -> &'static str {
    match line {
        Line::Open => "open",
        Line::Cut => "cut",
        Line::Ended => "ended",
        Line::Locked => "locked",
    }
}

fn cut_words(line: Line) -> &'static str {
    match line {
        Line::Open | Line::Cut => said("this page has lost the program that serves it and is looking for it again"),
        Line::Ended => {
            said("the program that serves this page has ended or cannot be reached; this page goes on looking for it")
        }
        Line::Locked => said(
            "the program that serves this page was started anew with another token; open the address it has printed",
        ),
    }
}

fn since_words(told: &Offline) -> String {
    tr!("Offline since {}", local(told.since_ms).short(&today()))
}

fn knew_words(told: &Offline, form: Form) -> String {
    let at = told.as_of_ms.map(|at| local(at).short(&today()));
    match (form, at) {
        (Form::Desktop, Some(at)) => tr!("showing what this computer knew at {}", at),
        (Form::Phone, Some(at)) => tr!("showing what this phone knew at {}", at),
        (Form::Desktop, None) => said("this computer has not heard anything yet").into(),
        (Form::Phone, None) => said("this phone has not heard anything yet").into(),
    }
}

fn waiting_words(told: &Offline) -> Option<String> {
    match told.open_commands {
        0 => None,
        n => Some(tr!(
            "1 command waits for the link" | "{shown} commands wait for the link" % n,
            shown = format::count(u64::from(n))
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sign_never_says_live_while_the_link_is_down_or_values_are_held() {
        let at = WallMs(7);
        let up = LinkState::Up { since_ms: at };
        let down = LinkState::Connecting { reason: None, since_ms: at };
        for (link, held, cut, want) in [
            (None, None, false, Sign::Starting),
            (Some(&LinkState::Starting), None, false, Sign::Starting),
            (Some(&up), None, false, Sign::Live),
            (Some(&up), None, true, Sign::Offline),
            (None, None, true, Sign::Offline),
            (Some(&up), Some(at), false, Sign::Held(at)),
            (Some(&up), Some(at), true, Sign::Held(at)),
            (Some(&down), None, false, Sign::Offline),
            (Some(&down), Some(at), false, Sign::Held(at)),
        ] {
            assert_eq!(sign(link, held, cut), want);
        }
    }
}
