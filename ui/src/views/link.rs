//! Whether what is on the screen is live: the sign in the bar and the notice when our own link is down.

use fleetlens_ipc::rows::{LinkState, Status};
use fleetlens_model::time::WallMs;
use leptos::prelude::*;

use crate::clock::{local, mono_ms, today};
use crate::components::icon::Icon;
use crate::form::{Form, form};
use crate::format;
use crate::state::store;

/// What the sign says.
#[derive(Clone, Debug, PartialEq)]
enum Sign {
    Starting,
    Live,
    Held(WallMs),
    Offline,
}

fn sign(link: Option<&LinkState>, held: Option<WallMs>) -> Sign {
    match (link, held) {
        (_, Some(at)) => Sign::Held(at),
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
        store.status.with(|status| sign(status.as_ref().map(|status| &status.row.link), store.held.get()))
    });
    let (class, words) = (
        move || match sign.get() {
            Sign::Live => "live-sign live",
            Sign::Held(_) => "live-sign held",
            Sign::Offline => "live-sign offline",
            Sign::Starting => "live-sign starting",
        },
        move || match sign.get() {
            Sign::Live => "Live".to_owned(),
            Sign::Held(at) => format!("Held at {}", local(at).seconds(&today())),
            Sign::Offline => "Offline".to_owned(),
            Sign::Starting => "Starting".to_owned(),
        },
    );
    let is_held = move || matches!(sign.get(), Sign::Held(_));
    view! {
        <button
            type="button"
            class=class
            data-testid="live"
            aria-pressed=move || is_held().to_string()
            title=move || if is_held() { "Go on with live values (Space)" } else { "Hold live values still (Space)" }
            on:click=move |_| store.hold(!is_held(), mono_ms())
        >
            <span class="lamp" />
            <b>{words}</b>
            <kbd>"Space"</kbd>
        </button>
    }
}

/// The notice while our link is down: since when, as of when, what waits.
#[component]
pub fn OfflineNotice() -> impl IntoView {
    let (store, form) = (store(), form());
    let told = Memo::new(move |_| store.status.with(|status| status.as_ref().and_then(|status| offline(&status.row))));
    let details = RwSignal::new(false);
    let reason = move || told.with(|told| told.as_ref().and_then(|told| told.reason.clone()));
    view! {
        <Show when=move || told.with(Option::is_some)>
            <section class="offline-notice" data-testid="offline" aria-label="Offline">
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
                        "Why"
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

fn since_words(told: &Offline) -> String {
    format!("Offline since {}", local(told.since_ms).short(&today()))
}

fn knew_words(told: &Offline, form: Form) -> String {
    let who = match form {
        Form::Desktop => "this computer",
        Form::Phone => "this phone",
    };
    match told.as_of_ms {
        Some(at) => format!("showing what {who} knew at {}", local(at).short(&today())),
        None => format!("{who} has not heard anything yet"),
    }
}

fn waiting_words(told: &Offline) -> Option<String> {
    match told.open_commands {
        0 => None,
        1 => Some("1 command waits for the link".into()),
        many => Some(format!("{} commands wait for the link", format::count(u64::from(many)))),
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
        for (link, held, want) in [
            (None, None, Sign::Starting),
            (Some(&LinkState::Starting), None, Sign::Starting),
            (Some(&up), None, Sign::Live),
            (Some(&up), Some(at), Sign::Held(at)),
            (Some(&down), None, Sign::Offline),
            (Some(&down), Some(at), Sign::Held(at)),
        ] {
            assert_eq!(sign(link, held), want);
        }
    }
}
