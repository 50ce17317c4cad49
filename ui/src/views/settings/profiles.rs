//! The profiles there are, which one is in use, and why another cannot be.

use fleetlens_ipc::Setting;
use fleetlens_ipc::rows::ProfileRow;
use leptos::prelude::*;
use tr::tr;

use crate::components::confirm::Confirm;
use crate::components::icon::Icon;
use crate::format;
use crate::lang::said;
use crate::state::profiles::Setup;
use crate::state::store;
use crate::views::settings::{Answer, AnswerLine, told};

/// The list.
#[component]
pub fn Profiles() -> impl IntoView {
    let store = store();
    let rows = told(|settings| settings.profiles.clone());
    let folder = told(|settings| settings.profile_folder.clone());
    // Who only watches does not change what concerns everybody.
    let may_change = told(|settings| settings.who.role.may_command());
    let answer = RwSignal::new(Answer::Rest);
    let asked = RwSignal::new(None::<String>);
    let open = RwSignal::new(false);
    let ask = Callback::new(move |name: String| {
        answer.set(Answer::Rest);
        asked.set(Some(name));
        open.set(true);
    });
    let choose = move |()| {
        let Some(name) = asked.get_untracked() else { return };
        answer.set(Answer::Asked);
        store.change_setting(Setting::Profile(name), move |outcome| {
            // The list may be gone by now: another profile brings settings of its own.
            drop(answer.try_set(match outcome {
                Ok(_) => Answer::Done,
                Err(fault) => Answer::Refused(fault),
            }));
        });
    };
    let question = Signal::derive(move || tr!("Use {}?", asked.get().unwrap_or_default()));
    let waiting = move || {
        let open = store.status.with(|status| status.as_ref().map_or(0, |status| status.row.open_commands));
        waiting_words(open)
    };
    view! {
        <section class="card" data-testid="settings-profiles">
            <header class="card-head">
                <h2>{said("Profiles")}</h2>
                <Show when=move || may_change.get()>
                    <button
                        type="button"
                        class="plain"
                        data-testid="profile-new"
                        on:click=move |_| store.setup.set(Some(Setup::New))
                    >
                        <Icon of=icondata_lu::LuPlus />
                        {said("New profile")}
                    </button>
                </Show>
            </header>
            <ul class="profiles">
                <For each=move || rows.get() key=|row| (row.name.clone(), row.active, row.fault.clone(), row.broker.clone()) let:row>
                    <Profile row may_change on_choose=ask />
                </For>
            </ul>
            <p class="note">
                {said("A profile is a file that names a broker, how its messages are read, and who is here. They are looked for in ")}
                <code>{folder}</code>
            </p>
            <AnswerLine answer done=said("It is in use.") />
            <Confirm open asks=question yes=said("Use it") no=said("Stay") on_yes=Callback::new(choose)>
                <p>
                    {said("The window begins anew with that profile's broker and its own cache. Nothing is lost: what this one has stored stays in its cache.")}
                    {waiting}
                </p>
            </Confirm>
        </section>
    }
}

fn waiting_words(open_commands: u32) -> String {
    if open_commands == 0 {
        return String::new();
    }
    tr!(
        " 1 command still waits here; it goes on when this profile is used again, unless its time has run out."
            | " {shown} commands still wait here; they go on when this profile is used again, unless their time has run out."
                % open_commands,
        shown = format::count(u64::from(open_commands))
    )
}

#[component]
fn Profile(row: ProfileRow, may_change: Memo<bool>, on_choose: Callback<String>) -> impl IntoView {
    let store = store();
    let name = row.name.clone();
    let is_file = !row.file.is_empty();
    let named = StoredValue::new(row.name.clone());
    let can_be = !row.active && row.fault.is_none();
    let file = if row.file.is_empty() { said("built in; its values are made up").to_owned() } else { row.file.clone() };
    view! {
        <li class="profile" class:active=row.active data-testid="profile" data-profile=row.name.clone()>
            <span class="mark" aria-hidden="true" />
            <div>
                <b>{row.name.clone()}</b>
                <span class="broker">{row.broker.clone()}</span>
                <span class="file">{file}</span>
                {row.fault.clone().map(|fault| view! {
                    <p class="fault" data-testid="profile-fault">
                        <Icon of=icondata_lu::LuTriangleAlert />
                        {fault}
                    </p>
                })}
            </div>
            <div class="profile-acts">
                {row.active.then(|| view! { <span class="in-use">{said("In use")}</span> })}
                {move || may_change.get().then(|| {
                    let (of_edit, of_copy) = (named.get_value(), named.get_value());
                    view! {
                        {is_file.then(|| view! {
                            <button
                                type="button"
                                class="link"
                                data-testid="profile-edit"
                                aria-label=tr!("Edit {}", of_edit)
                                on:click=move |_| store.setup.set(Some(Setup::Edit(named.get_value())))
                            >
                                {said("Edit")}
                            </button>
                        })}
                        <button
                            type="button"
                            class="link"
                            data-testid="profile-copy"
                            aria-label=tr!("Copy {}", of_copy)
                            on:click=move |_| store.setup.set(Some(Setup::Copy(named.get_value())))
                        >
                            {said("Copy")}
                        </button>
                    }
                })}
                {can_be.then(|| view! {
                    <button
                        type="button"
                        class="plain"
                        data-testid="profile-use"
                        aria-label=tr!("Use {}", name)
                        on:click=move |_| on_choose.run(named.get_value())
                    >
                        {said("Use")}
                    </button>
                })}
            </div>
        </li>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_leaves_a_profile_without_hearing_what_waits_in_it() {
        assert_eq!(waiting_words(0), "");
        assert!(waiting_words(1).contains("1 command still waits"));
        assert!(waiting_words(3).contains("3 commands still wait"));
    }
}
