//! What is known of a thing apart from its values, as it lies in memory: its title and place are its own, everything else it has in
//! common with others and lies there once.

use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use serde::Deserialize;

use crate::geo::LonLat;
use crate::kind::Kind;
use crate::shared::{SharedText, Texts};
use crate::thing::Meta;

/// A thing's description. [`Described::whole`] is all of it.
#[derive(Clone, Debug)]
pub struct Described {
    /// See [`Meta::title`].
    pub title: Box<str>,
    /// See [`Meta::at`].
    pub at: Option<LonLat>,
    /// See [`Meta::area`].
    pub area: SharedText,
    /// See [`Meta::street`].
    pub street: SharedText,
    /// See [`Meta::gateway`].
    pub gateway: SharedText,
    /// Everything else: kind, how often it speaks, units, labels, controls and so on. What has a field here is empty in it.
    pub common: Arc<Meta>,
}

impl Described {
    /// The description as it came.
    pub fn whole(&self) -> Meta {
        Meta {
            title: self.title.to_string(),
            at: self.at,
            area: self.area.to_string(),
            street: self.street.to_string(),
            gateway: self.gateway.to_string(),
            ..Meta::clone(&self.common)
        }
    }
}

impl PartialEq for Described {
    fn eq(&self, other: &Described) -> bool {
        *self == other.whole()
    }
}

impl PartialEq<Meta> for Described {
    fn eq(&self, meta: &Meta) -> bool {
        *self.title == *meta.title
            && self.at == meta.at
            && *self.area == *meta.area
            && *self.street == *meta.street
            && *self.gateway == *meta.gateway
            && is_common(&self.common, meta)
    }
}

/// Whether two descriptions differ at most in what is a thing's own.
fn is_common(one: &Meta, other: &Meta) -> bool {
    let of = |meta: &Meta| {
        let Meta { kind, interval_s, capacity, capacity_accessible, capacity_charging, .. } = *meta;
        (kind, interval_s, capacity, capacity_accessible, capacity_charging)
    };
    let lists = |meta: &Meta| (meta.synthetic.len(), meta.units.len(), meta.labels.len(), meta.controls.len());
    of(one) == of(other)
        && lists(one) == lists(other)
        && one.convention == other.convention
        && one.synthetic == other.synthetic
        && one.units == other.units
        && one.labels == other.labels
        && one.controls == other.controls
}

fn digest(meta: &Meta) -> u64 {
    let mut hasher = DefaultHasher::new();
    (meta.kind, meta.interval_s, meta.capacity, meta.capacity_accessible, meta.capacity_charging).hash(&mut hasher);
    (&meta.convention, &meta.synthetic, &meta.units, &meta.labels, meta.controls.len()).hash(&mut hasher);
    hasher.finish()
}

/// So many are kept without asking who still uses them.
const UNASKED: usize = 4_096;

/// What descriptions have in common, each once. Of what nobody has any more it lets go, as [`Texts`] does.
#[derive(Clone, Debug, Default)]
pub struct Commons {
    of: HashMap<u64, Vec<Arc<Meta>>>,
    count: usize,
    /// What was in use when it was last asked.
    used: usize,
}

/// Which descriptions are known says nothing of anybody's state.
impl PartialEq for Commons {
    fn eq(&self, _: &Commons) -> bool {
        true
    }
}

impl Commons {
    /// A description as it lies in memory.
    pub fn describe(&mut self, meta: Meta, texts: &mut Texts) -> Described {
        let (area, street, gateway) = (texts.get(&meta.area), texts.get(&meta.street), texts.get(&meta.gateway));
        Described { title: meta.title.as_str().into(), at: meta.at, area, street, gateway, common: self.common(meta) }
    }

    fn common(&mut self, meta: Meta) -> Arc<Meta> {
        let digest = digest(&meta);
        let alike = self.of.get(&digest).and_then(|alike| alike.iter().find(|known| is_common(known, &meta)));
        if let Some(known) = alike {
            return Arc::clone(known);
        }
        if self.count >= UNASKED.max(2 * self.used) {
            self.of.retain(|_, alike| {
                alike.retain(|known| Arc::strong_count(known) > 1);
                !alike.is_empty()
            });
            self.used = self.of.values().map(Vec::len).sum();
            self.count = self.used;
        }
        let nothing = String::new;
        let meta = Meta { title: nothing(), at: None, area: nothing(), street: nothing(), gateway: nothing(), ..meta };
        let new = Arc::new(meta);
        self.of.entry(digest).or_default().push(Arc::clone(&new));
        self.count += 1;
        new
    }
}

/// Reads descriptions as the cache keeps them: a [`Meta`] as JSON. What they end with, from the interval on, is the same for many
/// things and is read once.
#[derive(Debug, Default)]
pub struct Reader {
    ends: HashMap<Box<str>, Vec<(Kind, Described)>>,
    head: String,
}

/// What comes before the interval.
#[derive(Deserialize)]
struct Head<'a> {
    kind: Kind,
    #[serde(borrow)]
    title: Cow<'a, str>,
    at: Option<LonLat>,
    #[serde(borrow)]
    area: Cow<'a, str>,
    #[serde(borrow)]
    street: Cow<'a, str>,
}

/// Where the end begins. No text of JSON holds it, since its quotes are none there.
const END: &str = ",\"interval_s\":";

impl Reader {
    /// Reads one, or says why it is none.
    pub fn read(
        &mut self,
        json: &str,
        commons: &mut Commons,
        texts: &mut Texts,
    ) -> Result<Described, serde_json::Error> {
        let Some((head, end)) = json.split_once(END) else {
            return Ok(commons.describe(serde_json::from_str(json)?, texts));
        };
        let alike = self.ends.get(end).map_or(&[][..], Vec::as_slice);
        if !alike.is_empty() {
            self.head.clear();
            self.head.push_str(head);
            self.head.push('}');
            // One that does not look like that is read as any other.
            if let Ok(Head { kind, title, at, area, street }) = serde_json::from_str(&self.head)
                && let Some((_, known)) = alike.iter().find(|(of, _)| *of == kind)
            {
                let (area, street) = (texts.get(&area), texts.get(&street));
                return Ok(Described { title: title.into(), at, area, street, ..known.clone() });
            }
        }
        let described = commons.describe(serde_json::from_str(json)?, texts);
        let known = Described { title: Box::default(), ..described.clone() };
        // Of ends that are each one thing's there may be as many as things.
        if self.ends.len() >= UNASKED {
            self.ends.clear();
        }
        self.ends.entry(end.into()).or_default().push((described.common.kind, known));
        Ok(described)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lamp(n: u32) -> Meta {
        Meta {
            kind: Kind::Lamp,
            title: format!("Lamp {n}"),
            at: LonLat::new(14.0 + f64::from(n) / 1_000.0, 35.0),
            area: "Sliema".into(),
            street: format!("Triq {}", n % 7),
            gateway: format!("gw-{}", n % 3),
            units: vec![("/power_w".into(), "W".into())],
            capacity: (n % 2 == 1).then_some(n % 4),
            ..Meta::default()
        }
    }

    #[test]
    fn a_description_comes_back_as_it_was_and_what_is_common_lies_there_once() {
        let (mut commons, mut texts) = (Commons::default(), Texts::default());
        let all: Vec<Described> = (0..1_000).map(|n| commons.describe(lamp(n), &mut texts)).collect();
        for (n, described) in (0..).zip(&all) {
            assert_eq!(described.whole(), lamp(n));
            assert!(*described == lamp(n) && *described != lamp(n + 4));
        }
        assert_eq!(commons.count, 3, "no capacity, one, and three");
        assert!(Arc::ptr_eq(&all[1].common, &all[5].common));
    }

    #[test]
    fn what_nobody_has_any_more_is_let_go_of() {
        let (mut commons, mut texts) = (Commons::default(), Texts::default());
        let kept = commons.describe(lamp(0), &mut texts);
        for interval_s in 1..3 * u32::try_from(UNASKED).unwrap() {
            commons.describe(Meta { interval_s, ..lamp(1) }, &mut texts);
            assert!(commons.count <= UNASKED);
        }
        assert!(Arc::ptr_eq(&commons.describe(lamp(0), &mut texts).common, &kept.common));
    }

    #[test]
    fn what_the_cache_keeps_is_read_as_it_was_written() {
        let (mut commons, mut texts, mut reader) = (Commons::default(), Texts::default(), Reader::default());
        let mut all: Vec<Meta> = (0..100).map(lamp).collect();
        all.extend((0..10).map(|n| Meta { kind: Kind::Bin, at: None, title: format!("\"{END}\\ {n}"), ..lamp(n) }));
        for meta in all.iter().chain(&all) {
            let json = serde_json::to_string(meta).unwrap();
            let described = reader.read(&json, &mut commons, &mut texts).unwrap();
            assert_eq!(described.whole(), *meta, "{json}");
        }
        let json = serde_json::to_string(&lamp(1)).unwrap();
        let (head, end) = json.split_once(END).unwrap();
        assert!(reader.ends.contains_key(end));
        for bad in [
            String::new(),
            format!("{head}{END}"),
            format!("{}{END}{end}", head.replace("\"lamp\"", "\"nothing\"")),
            format!("{}{END}{end}", head.replace("\"title\"", "title")),
            format!("{}{END}{end}", head.replace('{', "")),
        ] {
            assert!(reader.read(&bad, &mut commons, &mut texts).is_err(), "{bad}");
        }
        let short = r#"{"kind":"bin","interval_s":7}"#;
        let (described, want) = (
            reader.read(short, &mut commons, &mut texts).unwrap(),
            Meta { kind: Kind::Bin, interval_s: 7, ..Meta::default() },
        );
        assert_eq!(described.whole(), want);
    }
}
