//! The last messages of a thing as they came: what it really said, when nothing else explains what is on the screen.

use fleetlens_ipc::rows::{MessageProperties, MessageRow};
use fleetlens_model::text::{shown, shown_in_lines};
use leptos::prelude::*;
use tr::tr;

use crate::clock::{clock, local, today};
use crate::components::clipboard::copy;
use crate::components::icon::Icon;
use crate::format;
use crate::lang::said;
use crate::state::store;
use crate::state::thing::Thing;

/// A guarantee, in the words of the protocol.
const QOS: &str = "QoS";

/// The messages, folded away until somebody wants to see them: only then is the host asked.
#[component]
pub fn RawMessages(
    /// Whose messages.
    thing: Thing,
) -> impl IntoView {
    let open = RwSignal::new(false);
    let key = thing.key;
    view! {
        <section class="messages" data-testid="messages">
            <button
                type="button"
                class="fold"
                data-testid="messages-fold"
                aria-expanded=move || open.get().to_string()
                on:click=move |_| open.update(|open| *open = !*open)
            >
                <span class="turn" class:down=move || open.get()>
                    <Icon of=icondata_lu::LuChevronRight />
                </span>
                {said("Last messages as they came")}
            </button>
            <Show when=move || open.get()>
                <Rows key />
            </Show>
        </section>
    }
}

#[component]
fn Rows(key: fleetlens_model::id::ThingKey) -> impl IntoView {
    let store = store();
    store.look_at_messages(key);
    on_cleanup(move || store.look_away_from_messages());
    let rows = store.messages.rows;
    let is_known = Memo::new(move |_| rows.with(Option::is_some));
    let is_empty = Memo::new(move |_| rows.with(|rows| rows.as_ref().is_none_or(Vec::is_empty)));
    let newest_first = move || rows.with(|rows| rows.iter().flatten().rev().cloned().collect::<Vec<_>>());
    view! {
        <p class="note">{said("Since this program was started, at most 20, newest first.")}</p>
        <Show when=move || is_known.get() fallback=|| view! { <div class="skeleton"><div class="bone line" /></div> }>
            <Show when=move || !is_empty.get() fallback=|| view! { <p class="none">{said("None came since then.")}</p> }>
                <ul>
                    <For each=newest_first key=|(number, _)| *number let:item>
                        <Message row=item.1 />
                    </For>
                </ul>
            </Show>
        </Show>
    }
}

#[component]
fn Message(row: MessageRow) -> impl IntoView {
    let (store, clock) = (store(), clock());
    let open = RwSignal::new(row.refused.is_some());
    let at = row.received_ms;
    let age = Memo::new(move |_| Some(format::age(store.wall_now(clock.now_ms())?.since(at))));
    let facts = facts(&row);
    let payload = StoredValue::new(payload(&row));
    let cut = (usize::try_from(row.bytes).unwrap_or(usize::MAX) > row.payload.len())
        .then(|| tr!("… cut: {} in all", format::bytes(u64::from(row.bytes))));
    let refused = row.refused.clone();
    let besides = StoredValue::new(row.properties.as_deref().map(besides).unwrap_or_default());
    view! {
        <li class="message" class:refused=row.refused.is_some() data-testid="message" data-topic=row.topic.clone()>
            <button
                type="button"
                class="topic"
                aria-expanded=move || open.get().to_string()
                on:click=move |_| open.update(|open| *open = !*open)
            >
                <code>{row.topic.clone()}</code>
                <span class="facts">
                    <time title=local(at).exact()>{move || age.get().map(|age| tr!("{} ago", age))}</time>
                    {facts}
                </span>
            </button>
            {refused.map(|why| view! { <p class="why" data-testid="message-refused">{tr!("Refused: {}", why)}</p> })}
            <Show when=move || open.get()>
                <div class="payload">
                    <pre tabindex="0" aria-label=said("Payload")>{payload.get_value()}</pre>
                    {cut.clone().map(|cut| view! { <p class="note">{cut}</p> })}
                    <Copy text=payload.get_value() />
                    {besides
                        .with_value(|besides| !besides.is_empty())
                        .then(|| view! { <Besides properties=besides.get_value() /> })}
                    <p class="note">{tr!("received {}", local(at).millis(&today()))}</p>
                </div>
            </Show>
        </li>
    }
}

/// What the message carried besides its payload, in a table of names and values.
#[component]
fn Besides(properties: Vec<(String, String)>) -> impl IntoView {
    let row = |(name, value): (String, String)| {
        view! {
            <dt>{name}</dt>
            <dd>{value}</dd>
        }
    };
    view! {
        <dl class="besides" data-testid="message-properties">
            {properties.into_iter().map(row).collect_view()}
        </dl>
    }
}

/// Puts a text where it can be pasted from, and says whether it did.
#[component]
fn Copy(text: String) -> impl IntoView {
    let told = RwSignal::new(said("Copy"));
    let press = move |_| {
        let text = text.clone();
        leptos::task::spawn_local(async move {
            told.try_set(if copy(&text).await.is_ok() { said("Copied") } else { said("Could not copy") });
        });
    };
    view! {
        <button type="button" class="link copy" data-testid="copy" on:click=press>
            <span aria-live="polite">{move || told.get()}</span>
        </button>
    }
}

/// Size, guarantee, whether it was replayed, and whether it came before.
fn facts(row: &MessageRow) -> String {
    let retained = row.retained.then(|| said("retained").to_owned());
    let repeated = row.repeated.then(|| said("delivered before, stored already").to_owned());
    let qos = [QOS, &row.qos.to_string()].join(" ");
    let all = [Some(format::bytes(u64::from(row.bytes))), Some(qos), retained, repeated];
    all.into_iter().flatten().map(|fact| format!(" · {fact}")).collect()
}

/// The properties of MQTT 5 as names and values: what the protocol knows first, then the sender's own.
fn besides(properties: &MessageProperties) -> Vec<(String, String)> {
    let MessageProperties { content_type, response_topic, expiry_s, user, left_out } = properties;
    let expiry = expiry_s.map(|s| tr!("{} after it came", format::age(u64::from(s) * 1000)));
    let known = [(said("content type"), content_type), (said("answer to"), response_topic), (said("expires"), &expiry)];
    let known = known.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value.clone()?)));
    let more = (*left_out > 0).then(|| ("…".to_owned(), tr!("{} more", left_out)));
    let all = known.chain(user.iter().cloned()).chain(more);
    all.map(|(name, value)| (shown(&name).into_owned(), shown(&value).into_owned())).collect()
}

/// The payload as people read it: JSON indented, anything else, and what was cut, as it came.
fn payload(row: &MessageRow) -> String {
    let json = serde_json::from_str::<serde_json::Value>(&row.payload);
    match json.and_then(|json| serde_json::to_string_pretty(&json)) {
        // An escape such as \u202e has become the character it stands for.
        Ok(pretty) => shown_in_lines(&pretty).into_owned(),
        Err(_) if row.payload.is_empty() => said("(nothing)").into(),
        Err(_) => row.payload.clone(),
    }
}

#[cfg(test)]
mod tests {
    use fleetlens_model::time::WallMs;

    use super::*;

    fn message(payload: &str, retained: bool) -> MessageRow {
        MessageRow {
            topic: "demo/lamp/1/telemetry".into(),
            payload: payload.into(),
            bytes: 1_420,
            received_ms: WallMs(0),
            retained,
            repeated: false,
            qos: 1,
            properties: None,
            refused: None,
        }
    }

    #[test]
    fn json_is_indented_and_everything_else_stays_as_it_came() {
        for (given, want) in [
            ("{\"a\":1}", "{\n  \"a\": 1\n}"),
            ("{\"a\":\"\\u202eb\"}", "{\n  \"a\": \"\\u{202e}b\"\n}"),
            ("{\"a\":1", "{\"a\":1"),
            ("on", "on"),
            ("", "(nothing)"),
        ] {
            assert_eq!(payload(&message(given, false)), want);
        }
    }

    #[test]
    fn what_a_message_carried_besides_is_named_and_what_was_left_out_counted() {
        assert_eq!(besides(&MessageProperties::default()), []);
        let all = MessageProperties {
            content_type: Some("application/json".into()),
            response_topic: Some("answers/here".into()),
            expiry_s: Some(7_200),
            user: vec![("from".into(), "north".into())],
            left_out: 3,
        };
        let told: Vec<String> = besides(&all).iter().map(|(name, value)| format!("{name}: {value}")).collect();
        assert_eq!(
            told.join("; ").replace('\u{a0}', " "),
            "content type: application/json; answer to: answers/here; expires: 2 h after it came; from: north; …: 3 more"
        );
    }

    #[test]
    fn a_message_says_how_it_came() {
        for (retained, repeated, want) in [
            (false, false, " · 1.4 kB · QoS 1"),
            (true, false, " · 1.4 kB · QoS 1 · retained"),
            (false, true, " · 1.4 kB · QoS 1 · delivered before, stored already"),
        ] {
            let row = MessageRow { repeated, ..message("", retained) };
            assert_eq!(facts(&row).replace('\u{a0}', " "), want);
        }
    }
}
