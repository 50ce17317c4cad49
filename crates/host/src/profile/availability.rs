//! The part of a profile that names topics which say whether a thing is there.

use fleetlens_engine::wire::availability::Availability;
use fleetlens_engine::wire::pointer::Pointer;
use serde::Deserialize;
use toml::Spanned;

use super::{Mistake, template};

/// A `[[availability]]` as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenAvailability {
    template: Spanned<String>,
    pointer: Option<Spanned<String>>,
    #[serde(default = "online")]
    online: String,
    offline: Option<Spanned<String>>,
}

fn online() -> String {
    "online".into()
}

impl WrittenAvailability {
    pub(super) fn check(self) -> Result<Availability, Mistake> {
        let template_at = self.template.span();
        let (offline_at, offline) = match self.offline {
            Some(offline) => (offline.span(), offline.into_inner()),
            None => (template_at.clone(), "offline".into()),
        };
        if self.online == offline {
            let why = format!("{offline:?} cannot mean both that a thing is there and that it is gone");
            return Err(Mistake::new(offline_at, why));
        }
        let is_padded = |word: &str| word.is_empty() || word.trim() != word;
        if self.pointer.is_none() && (is_padded(&self.online) || is_padded(&offline)) {
            let why =
                "a payload is read without the spaces around it, and an empty one says nothing; write the bare word";
            return Err(Mistake::new(offline_at, why));
        }
        let template = template(&self.template)?;
        if template.names_value() {
            return Err(Mistake::new(template_at, "{value} does nothing here; write another word in the braces"));
        }
        let pointer = self.pointer.map(|at| Pointer::parse(at.get_ref()).map_err(|e| Mistake::new(at.span(), e)));
        Ok(Availability { template, pointer: pointer.transpose()?, online: self.online, offline })
    }
}
