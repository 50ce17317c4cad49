//! Where the time went: the legs of one command's way, out of the audit log, and of many.

use fleetlens_ipc::rows::CommandRow;
use fleetlens_ipc::{AUDIT_MAX, Done, Intent};
use fleetlens_model::audit::Filter;
use fleetlens_model::audit::legs::{Leg, LegSpread, legs};
use leptos::prelude::*;
use tr::tr;

use super::may_command;
use crate::clock::Aged;
use crate::components::coming::Coming;
use crate::format;
use crate::lang::said;
use crate::state::store;

/// What a leg ends with, as a person says it.
fn leg_words(leg: Leg) -> &'static str {
    match leg {
        Leg::Committed => said("on the disk"),
        Leg::Published => said("published"),
        Leg::Acknowledged => said("with the broker"),
        Leg::Accepted => said("accepted"),
        Leg::Reported => said("reported"),
    }
}

/// For the style sheets and the tests.
fn leg_word(leg: Leg) -> &'static str {
    match leg {
        Leg::Committed => "committed",
        Leg::Published => "published",
        Leg::Acknowledged => "acknowledged",
        Leg::Accepted => "accepted",
        Leg::Reported => "reported",
    }
}

/// How long each leg of a command took so far; nothing for who may not read the log. Looked at again with every step.
#[component]
pub fn Legs(
    /// The command.
    row: RwSignal<Aged<CommandRow>>,
) -> impl IntoView {
    let store = store();
    let may = may_command(store);
    let taken = RwSignal::new(Vec::<(Leg, u64)>::new());
    let trace = row.with_untracked(|row| row.row.trace.clone());
    let steps = Memo::new(move |_| row.with(|row| row.row.steps.len()));
    Effect::new(move |_| {
        // A memo that nobody reads is not worked out, and then never changes.
        let _ = steps.get();
        if !may.get() {
            return;
        }
        let filter = Filter { trace: Some(trace.clone()), ..Filter::default() };
        store.audit(filter, AUDIT_MAX, move |outcome| {
            // Without the log there are still the steps; the log's own page says what is wrong with it.
            if let Ok(entries) = outcome {
                taken.try_set(legs(entries.iter().rev()));
            }
        });
    });
    view! {
        <Show when=move || taken.with(|taken| !taken.is_empty())>
            <dl class="legs" data-testid="legs" aria-label=said("Time spent in each leg")>
                <For each=move || taken.get() key=|leg| *leg let:leg>
                    <div data-leg=leg_word(leg.0) style:flex-grow=weight(leg.1).to_string()>
                        <dt>{leg_words(leg.0)}</dt>
                        <dd>{format::took(leg.1)}</dd>
                    </div>
                </For>
            </dl>
        </Show>
    }
}

/// How wide a leg is drawn: ten times as long is one step wider, so that milliseconds stand beside minutes.
fn weight(ms: u64) -> u64 {
    u64::from(ms.max(1).ilog10()) + 1
}

/// How long each leg takes, over the newest commands; looked at again when `ended` changes.
#[component]
pub fn LegFigures(
    /// How many commands have ended, as far as the window knows.
    ended: Memo<usize>,
) -> impl IntoView {
    let store = store();
    let may = may_command(store);
    let told = RwSignal::new(None::<(u32, Vec<LegSpread>)>);
    let fault = RwSignal::new(None::<String>);
    Effect::new(move |_| {
        let _ = ended.get();
        if !may.get() {
            return;
        }
        store.ask(Intent::Legs, move |outcome| match outcome {
            Ok(Done::Legs { commands, spreads }) => {
                fault.try_set(None);
                told.try_set(Some((commands, spreads)));
            }
            Ok(_) => {}
            Err(why) => {
                fault.try_set(Some(why.message));
            }
        });
    });
    let of = move || match told.with(|told| told.as_ref().map(|(commands, _)| *commands)) {
        None | Some(0) => String::new(),
        Some(commands) => tr!(
            "of the newest command" | "of the newest {shown} commands" % commands,
            shown = format::count(u64::from(commands))
        ),
    };
    let spreads = move || told.with(|told| told.as_ref().map(|(_, spreads)| spreads.clone()).unwrap_or_default());
    let is_coming = move || told.with(Option::is_none) && fault.with(Option::is_none);
    let is_empty = move || told.with(|told| told.as_ref().is_some_and(|(_, spreads)| spreads.is_empty()));
    view! {
        <Show when=move || may.get()>
            <section class="orders leg-figures" data-testid="leg-figures" aria-label=said("Time spent in each leg")>
                <h2>{said("Where the time goes")}<small>{of}</small></h2>
                <Show when=move || !spreads().is_empty()>
                    <table>
                        <thead>
                            <tr>
                                <th scope="col">{said("until it is")}</th>
                                <th scope="col">{said("half within")}</th>
                                <th scope="col">{said("99 % within")}</th>
                                <th scope="col">{said("commands")}</th>
                            </tr>
                        </thead>
                        <tbody>
                            <For each=spreads key=|spread| *spread let:spread>
                                <tr data-leg=leg_word(spread.leg)>
                                    <th scope="row">{leg_words(spread.leg)}</th>
                                    <td data-testid="p50">{format::took(spread.p50_ms)}</td>
                                    <td data-testid="p99">{format::took(spread.p99_ms)}</td>
                                    <td>{format::count(u64::from(spread.count))}</td>
                                </tr>
                            </For>
                        </tbody>
                    </table>
                </Show>
                <Show when=is_coming>
                    <Coming rows=2 />
                </Show>
                {move || fault.get().map(|why| view! { <p class="fault" role="alert">{why}</p> })}
                <Show when=is_empty>
                    <div class="nothing small" data-testid="legs-none">
                        <b>{said("No command has gone its way yet")}</b>
                        <p>{said("Here stands how long commands wait for the disk, the broker, the shadow and the device.")}</p>
                    </div>
                </Show>
            </section>
        </Show>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_longer_leg_is_wider_and_none_is_too_thin_to_see() {
        assert_eq!([0, 1, 9, 10, 1_000, 60_000].map(weight), [1, 1, 1, 2, 4, 5]);
    }
}
