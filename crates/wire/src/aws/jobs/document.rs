//! What a job's document has things do, in words. Its author may write anything (AWS IoT Jobs knows no fields); what is common is
//! `operation`, and the `steps` of AWS's own templates.

use serde_json::Value as Json;

/// The longest words, in characters.
const WHAT_MAX_CHARS: usize = 120;

/// Steps that are named.
const STEPS_MAX: usize = 8;

/// What a document has things do: `firmware_update 2.5.0`, `Download-File, Reboot`; `None` where it does not say in a way that is known.
pub(super) fn what(document: &Json) -> Option<String> {
    let of_step = |step: &Json| step.pointer("/action/name").and_then(Json::as_str).map(str::to_owned);
    let steps = || {
        let steps = document.get("steps")?.as_array()?.iter().take(STEPS_MAX).filter_map(of_step).collect::<Vec<_>>();
        (!steps.is_empty()).then(|| steps.join(", "))
    };
    let operation = ["operation", "action", "type"].into_iter().find_map(|field| document.get(field)?.as_str());
    let told = match (operation, document.get("version").and_then(Json::as_str)) {
        (Some(operation), Some(version)) => format!("{operation} {version}"),
        (Some(operation), None) => operation.to_owned(),
        (None, _) => steps()?,
    };
    let told: String = told.trim().chars().take(WHAT_MAX_CHARS).collect();
    (!told.is_empty()).then_some(told)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_document_says_what_it_does_in_the_ways_that_are_common() {
        for (document, want) in [
            (
                json!({"operation": "firmware_update", "version": "2.5.0", "url": "https://x"}),
                Some("firmware_update 2.5.0"),
            ),
            (json!({"operation": "reboot"}), Some("reboot")),
            (
                json!({"version": "1.0", "steps": [{"action": {"name": "Download-File"}}, {"action": {"name": "Reboot"}}]}),
                Some("Download-File, Reboot"),
            ),
            (json!({"steps": [7, {}]}), None),
            (json!({"operation": " "}), None),
            (json!([1]), None),
            (json!("reboot"), None),
        ] {
            assert_eq!(what(&document).as_deref(), want, "{document}");
        }
        assert_eq!(what(&json!({"operation": "x".repeat(1_000)})).map(|what| what.len()), Some(WHAT_MAX_CHARS));
    }
}
