//! The history of a shadow: which leaves become otherwise when its document is replaced, and who did it.
//!
//! Who is known only of what was heard as it happened: one accepted request, told with its token and with the version after the one
//! that is known. What a `get` shows beyond that happened unheard.

use fleetlens_model::command::Want;
use fleetlens_model::id::ThingKey;
use fleetlens_model::record::Write;
use fleetlens_model::shadow::change::{Author, Change, ChangedLeaf, Side, TOKEN_MAX_CHARS, between, shortened};
use fleetlens_model::shadow::{Document, Packed, leaf_at, same_value};
use fleetlens_model::text::shown;
use fleetlens_model::time::Now;

use super::{Effects, Fleet};

/// How we came to know a document, or that there is none.
#[derive(Clone, Copy, Debug)]
pub(super) enum Told<'a> {
    /// The service told of an accepted request with this token.
    Accepted(Option<&'a str>),
    /// It answered a `get`.
    Got,
}

impl Fleet {
    /// A shadow's document is this from now on, `None` where there is none: what changed is to be kept. Before it takes the place of
    /// the one that is known. Where none is known, only a shadow that is made now has changed; what another holds is no news.
    pub(super) fn note_change(
        &mut self,
        key: ThingKey,
        name: &str,
        next: Option<(&Document, &Packed)>,
        told: Told<'_>,
        now: Now,
        effects: &mut Effects,
    ) {
        let Some(shadow) = self.things.get(&key).and_then(|thing| thing.shadows.get(name)) else { return };
        let known = shadow.document.as_ref();
        let (version, deleted_at) = (known.map_or(shadow.deleted_at, |known| known.version), shadow.deleted_at);
        let is_next = next.is_none_or(|(next, _)| next.version.checked_sub(version) == Some(1));
        let token = match told {
            Told::Accepted(token) if is_next => Some(token),
            Told::Accepted(_) | Told::Got => None,
        };
        let before = match (known, next) {
            (Some(known), Some((_, next))) if known.has_the_values_of(next) => return,
            (Some(known), _) => known.open(),
            (None, _) if token.is_none() => return,
            (None, _) => Document::default(),
        };
        let nothing = Document::default();
        let after = next.map_or(&nothing, |(next, _)| next);
        let (leaves, more) = between(&before, after, now.wall);
        if leaves.is_empty() {
            return;
        }
        let by = match token {
            Some(token) => self.author((key, name), token, next.map(|(next, _)| next), &leaves),
            None => Author::Unheard,
        };
        self.last_change += 1;
        let version = next.map_or(version.max(deleted_at), |(next, _)| next.version);
        let change = Change { seq: self.last_change, version, heard_ms: now.wall, by, leaves, more };
        effects.writes.push(Write::ShadowChanged { thing: key, name: name.to_owned(), change: Box::new(change) });
    }

    /// Who sent a request with this token, of which these leaves came.
    fn author(
        &self,
        (key, name): (ThingKey, &str),
        token: Option<&str>,
        after: Option<&Document>,
        leaves: &[ChangedLeaf],
    ) -> Author {
        if let Some(command) = self.command_by_token(key, name, token) {
            let desired = after.and_then(|after| after.desired.as_ref());
            let stands = desired.is_some_and(|desired| {
                let is_so = |want: &Want| leaf_at(desired, &want.pointer).is_some_and(|at| same_value(at, &want.value));
                command.wants.iter().any(is_so)
            });
            // A request of ours that does not leave what was wanted takes it back.
            return match &command.cancelled_by {
                _ if stands => Author::Person { actor: command.by.clone(), command: command.id },
                Some(by) => Author::Person { actor: by.clone(), command: command.id },
                None => Author::Program { command: command.id },
            };
        }
        // Only apps delete a shadow, and only its device writes `reported`, also where it clears a wish with it.
        if after.is_some() && leaves.iter().any(|leaf| leaf.side == Side::Reported) {
            return Author::Device;
        }
        let token = token.filter(|token| !token.is_empty());
        Author::Other { token: token.map(|token| shortened(shown(token).into_owned(), TOKEN_MAX_CHARS)) }
    }
}
