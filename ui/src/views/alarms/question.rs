//! What both questions about alarms have in common: which alarms, what is to be said of them, and what came of it.

use fleetlens_ipc::{Done, Fault};
use leptos::html;
use leptos::prelude::*;
use tr::tr;

use crate::format;
use crate::state::{Store, store};

/// How many are named in a question.
const NAMED: usize = 5;

/// What becomes of a question. Copy: a bundle of signals.
#[derive(Clone, Copy)]
pub struct Asking {
    open: RwSignal<bool>,
    fault: RwSignal<Option<Fault>>,
    sending: RwSignal<bool>,
    on_done: Callback<()>,
    store: Store,
}

impl Asking {
    /// One that was just opened; `on_done` is told once it was done.
    pub fn new(open: RwSignal<bool>, on_done: Callback<()>) -> Asking {
        Asking { store: store(), open, fault: RwSignal::new(None), sending: RwSignal::new(false), on_done }
    }

    /// The answer is on its way.
    pub fn sent(self) {
        self.sending.set(true);
        self.fault.set(None);
    }

    /// What came of it: `shortfall` says what to tell where fewer were concerned than were asked for.
    pub fn came(self, outcome: Result<Done, Fault>, shortfall: impl Fn(&Done) -> Option<String>) {
        // The view may have been left meanwhile; then nobody looks at these any more.
        self.sending.try_set(false);
        match outcome {
            Ok(done) => {
                if let Some(words) = shortfall(&done) {
                    self.store.notify(words);
                }
                self.open.try_set(false);
                self.on_done.try_run(());
            }
            Err(error) => drop(self.fault.try_set(Some(error))),
        }
    }
}

/// Shuts a question as soon as the host begins anew with another fleet.
pub fn shut_with_the_city(store: Store, open: RwSignal<bool>) {
    Effect::new(move |before: Option<u32>| {
        let begun = store.begun.get();
        if before.is_some_and(|before| before != begun) {
            open.set(false);
        }
        begun
    });
}

/// The question: heading, the first of the alarms by what is wrong, what is to be filled in, and its two answers.
#[component]
pub fn Question(
    /// What becomes of it.
    asking: Asking,
    /// What is asked.
    heading: String,
    /// What is wrong, of each alarm.
    titles: Vec<String>,
    /// What the answer is called that does it, and how tests find it.
    yes: (&'static str, &'static str),
    /// The same of the one that does not.
    no: (&'static str, &'static str),
    /// Told when the person wants it done.
    on_send: Callback<()>,
    /// What is to be filled in.
    children: Children,
) -> impl IntoView {
    let more = titles.len().saturating_sub(NAMED);
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        if !asking.sending.get_untracked() {
            on_send.run(());
        }
    };
    view! {
        <h2>{heading}</h2>
        <ul class="titles">
            {titles.into_iter().take(NAMED).map(|title| view! { <li>{title}</li> }).collect_view()}
            {(more != 0).then(|| view! { <li>{tr!("and {} more", format::count(more as u64))}</li> })}
        </ul>
        <form on:submit=submit>
            {children()}
            {move || {
                asking.fault.get().map(|fault| view! { <p class="fault" role="alert" data-testid="fault">{fault.message}</p> })
            }}
            <div class="answers">
                <button type="button" class="plain" data-testid=no.1 on:click=move |_| asking.open.set(false)>
                    {no.0}
                </button>
                <button type="submit" class="send" data-testid=yes.1 disabled=move || asking.sending.get()>
                    {yes.0}
                </button>
            </div>
        </form>
    }
}

/// A line to write in, which has the cursor as soon as the question is there.
#[component]
pub fn TextLine(
    /// What is written, for programs and tests.
    id: &'static str,
    /// How tests find it.
    testid: &'static str,
    /// What is to be written.
    label: &'static str,
    /// For example.
    placeholder: &'static str,
    /// At most so many characters.
    most: usize,
    /// Whether something must be.
    #[prop(default = false)]
    required: bool,
    /// What is written.
    text: RwSignal<String>,
) -> impl IntoView {
    let input = NodeRef::<html::Input>::new();
    Effect::new(move |_| {
        if let Some(input) = input.get() {
            // After the dialog has opened, which takes the focus to its first button.
            request_animation_frame(move || drop(input.focus()));
        }
    });
    view! {
        <label for=id>{label}</label>
        <input
            id=id
            type="text"
            class="text"
            data-testid=testid
            maxlength=most.to_string()
            autocomplete="off"
            placeholder=placeholder
            required=required
            node_ref=input
            prop:value=text
            on:input=move |event| text.set(event_target_value(&event))
        />
    }
}
