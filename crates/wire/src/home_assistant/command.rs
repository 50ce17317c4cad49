//! What is sent so that an entity does what is wanted.

use serde_json::Value as Json;

use super::entity::{Entity, Known, Steer, json_number};
use super::template::Fuel;
use crate::convention::{NoCommand, Outgoing};

/// What is sent for one wish, in the order in which it is sent.
pub(super) fn outgoing(entity: &Entity, steer: &Steer, want: &Json) -> Result<Vec<Outgoing>, NoCommand> {
    let label = &steer.control.label;
    steer.control.check(want).map_err(NoCommand::Impossible)?;
    if *want == Json::Bool(true)
        && let Some(by) = &steer.on_by
    {
        let by = entity.steer(by).filter(|by| by.on_by.is_none());
        let by = by.ok_or_else(|| NoCommand::Impossible(format!("nothing is announced that switches {label} on")))?;
        return outgoing(entity, by, &Json::from(100));
    }
    let Some(value) = steer.sends.value(want) else {
        return Err(NoCommand::Impossible(format!("nothing is announced that {label} takes for {want}")));
    };
    let template = if *want == Json::Bool(false) { steer.off_template.as_ref() } else { None };
    let payload = match template.or(steer.template.as_ref()) {
        Some(template) => {
            let wanted = want.as_f64().and_then(json_number).unwrap_or_else(|| want.clone());
            let mut given = vec![("value", &value)];
            given.extend(steer.known_as.map(|(name, known)| match known {
                Known::Wanted => (name, &wanted),
                Known::Sent => (name, &value),
            }));
            // A template that switches a light on for its brightness asks for the state as well.
            let on = Json::from("on");
            if steer.known_as.is_some_and(|(name, _)| name == "brightness") {
                given.push(("state", &on));
            }
            given.extend(entity.constants.iter().map(|(name, json)| (*name, json)));
            let rendered = template.render(&given, &mut Fuel::of_a_message());
            rendered.map_err(|fault| NoCommand::Impossible(entity.failed("command template", &fault).to_string()))?
        }
        None => value.as_str().map_or_else(|| value.to_string(), str::to_owned),
    };
    let other = |said: &Option<(String, String)>| {
        said.clone().map(|(topic, payload)| Outgoing { topic, payload: payload.into_bytes() })
    };
    let own = Outgoing { topic: steer.topic.clone(), payload: payload.into_bytes() };
    Ok(other(&steer.before).into_iter().chain([own]).chain(other(&steer.after)).collect())
}
