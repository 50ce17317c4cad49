//! Which things are meant by what a person looks for.
//!
//! A [`Finder`] is what was read of it; an [`Asking`] is the same while it goes through the fleet: what is the same for many things is
//! looked up once (groups, the place of a leaf in shadows of one shape, whether a street is meant), and nothing outlives the walk.

mod facts;

use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::sync::LazyLock;

use fleetlens_ipc::{AlarmScope, Only, Search};
use fleetlens_model::freshness::Freshness;
use fleetlens_model::group::{Group, within};
use fleetlens_model::id::ThingKey;
use fleetlens_model::kind::Kind;
use fleetlens_model::query::{Mistake, Query};
use fleetlens_model::shadow::Stands;
use fleetlens_model::time::Now;
use rustc_hash::FxHashMap;

use super::index::natural;
use super::{Fleet, Thing};
use facts::OfThing;

/// What is found is put in order by itself where it is no more than one in so many of all; else all titles are gone through, which stand
/// in order already. To write and to compare a title takes as long as to pass by some sixty.
const FEW_IN: usize = 64;

/// A search, ready to be asked of many things.
#[derive(Debug)]
pub(crate) struct Finder {
    search: Search,
    read: Result<Query, Mistake>,
    goes_by_description: bool,
}

impl Finder {
    /// What is meant in a profile with these groups.
    pub(crate) fn new(search: Search, groups: &[Group]) -> Finder {
        let read = Query::read(&search.text).and_then(|query| {
            query.check_groups(groups.iter().map(|group| group.name.as_str()))?;
            Ok(query)
        });
        let is_asked = |group: &&Group| {
            group.name == search.group
                || read.as_ref().is_ok_and(|query| query.groups().iter().any(|name| name.holds(&group.name)))
        };
        let mut asked = groups.iter().filter(is_asked).flat_map(|group| within(&group.name, groups));
        let goes_by_description = search.only == Only::All
            && read.as_ref().is_ok_and(Query::goes_by_description)
            && asked.all(Group::goes_by_description);
        Finder { search, read, goes_by_description }
    }

    /// What is wrong with it; then it finds nothing.
    pub(crate) fn mistake(&self) -> Option<&Mistake> {
        self.read.as_ref().err()
    }

    /// Whether only descriptions decide about it, and no value, age, alarm or command.
    pub(crate) fn goes_by_description(&self) -> bool {
        self.goes_by_description
    }

    /// To be asked of the fleet as it is now.
    pub(crate) fn ask<'a>(&'a self, fleet: &'a Fleet, now: Now) -> Option<Asking<'a>> {
        let query = self.read.as_ref().ok()?;
        let group = match self.search.group.as_str() {
            "" => None,
            name => Some(fleet.group(name)?),
        };
        Some(Asking {
            search: &self.search,
            group: group.map(|group| Membership::of(&group.name, fleet, now)),
            walk: Walk::of(query, fleet, now),
        })
    }

    /// Every thing that is meant, by title.
    pub(crate) fn by_title(&self, fleet: &Fleet, now: Now) -> Vec<ThingKey> {
        let Some(asking) = self.ask(fleet, now) else { return Vec::new() };
        if asking.is_of_all() {
            return fleet.index.by_title(&fleet.things).collect();
        }
        let found = asking.all();
        if found.len() < fleet.things.len() / FEW_IN {
            let mut titled: Vec<(String, ThingKey)> =
                found.into_iter().filter_map(|key| Some((natural(fleet.things.get(&key)?.title()), key))).collect();
            titled.sort_unstable();
            return titled.into_iter().map(|(_, key)| key).collect();
        }
        let found = Keys::of(found);
        fleet.index.by_title(&fleet.things).filter(|key| found.have(*key)).collect()
    }
}

/// A search on its walk through the fleet.
pub(crate) struct Asking<'a> {
    search: &'a Search,
    group: Option<Membership<'a>>,
    walk: Walk<'a>,
}

impl Asking<'_> {
    fn is_of_all(&self) -> bool {
        self.search.kinds.is_empty()
            && self.group.is_none()
            && self.search.only == Only::All
            && self.walk.query.is_everything()
    }

    /// Every thing that is meant, by key. Only those are asked that may be: of a kind that can be found, with an alarm where it takes
    /// one.
    pub(crate) fn all(&self) -> Vec<ThingKey> {
        let fleet = self.walk.fleet;
        let kinds: Vec<Kind> = self.walk.query.kinds().into_iter().filter(|kind| self.is_of_kind(*kind)).collect();
        let finds = |key: &ThingKey| fleet.things.get(key).is_some_and(|thing| self.finds(thing));
        if self.walk.query.needs_an_alarm() || self.search.only == Only::Alarmed {
            let alarms = [AlarmScope::Open, AlarmScope::Hidden].into_iter().flat_map(|scope| fleet.alarms.of(scope));
            let mut alarmed: Vec<ThingKey> = alarms.map(|alarm| alarm.thing).collect();
            alarmed.sort_unstable();
            alarmed.dedup();
            alarmed.retain(finds);
            return alarmed;
        }
        if kinds.len() == Kind::ALL.len() {
            return fleet.things.values().filter(|thing| self.finds(thing)).map(|thing| thing.key).collect();
        }
        kinds.into_iter().flat_map(|kind| fleet.index.of_kind(kind)).filter(finds).collect()
    }

    fn is_of_kind(&self, kind: Kind) -> bool {
        self.search.kinds.is_empty() || self.search.kinds.contains(&kind)
    }

    /// Whether a thing is meant.
    pub(crate) fn finds(&self, thing: &Thing) -> bool {
        let is_so = match self.search.only {
            Only::All => true,
            Only::Alarmed => !thing.alarms.is_empty(),
            Only::Silent => matches!(thing.silence.freshness(), Freshness::Silent { .. }),
            Only::Pending => self.walk.fleet.waiting_of(thing).next().is_some(),
        };
        is_so
            && self.is_of_kind(thing.meta.common.kind)
            && (self.walk.query.is_everything() || self.walk.finds(thing))
            && self.group.as_ref().is_none_or(|group| group.has(thing))
    }
}

/// A group while things are asked whether they are in it: that itself and those within it, each with the walk of its search, whose names
/// that answers for.
struct Membership<'a>(Vec<(&'a Group, Walk<'a>)>);

impl<'a> Membership<'a> {
    fn of(name: &str, fleet: &'a Fleet, now: Now) -> Membership<'a> {
        // A group's search names no group; one that does is in none.
        let walk = |group: &'a Group| {
            (group, Walk::new(group.search.as_ref().unwrap_or(&NOTHING_ASKED), Vec::new(), fleet, now))
        };
        Membership(within(name, &fleet.config.groups).into_iter().map(walk).collect())
    }

    fn has(&self, thing: &Thing) -> bool {
        self.0.iter().any(|(group, walk)| group.has(&OfThing { thing, walk }))
    }
}

/// A group without a search asks nothing.
static NOTHING_ASKED: LazyLock<Query> = LazyLock::new(Query::default);

/// One query on its walk through the fleet, with what it found out on the way.
struct Walk<'a> {
    query: &'a Query,
    fleet: &'a Fleet,
    now: Now,
    /// The groups of each name that it asks for.
    groups: Vec<Vec<Membership<'a>>>,
    /// Where each of its values stood in the series of the last thing that had it.
    series: Vec<Cell<usize>>,
    /// Where each of its leaves stands in shadows of one shape.
    places: RefCell<FxHashMap<(usize, usize), Stands>>,
    /// Whether a street, a district or a gateway is meant by a term.
    texts: RefCell<FxHashMap<(usize, usize), bool>>,
}

impl<'a> Walk<'a> {
    fn of(query: &'a Query, fleet: &'a Fleet, now: Now) -> Walk<'a> {
        let named = query.groups().iter().map(|name| {
            let groups = fleet.config.groups.iter().filter(|group| name.holds(&group.name));
            groups.map(|group| Membership::of(&group.name, fleet, now)).collect()
        });
        Walk::new(query, named.collect(), fleet, now)
    }

    fn new(query: &'a Query, groups: Vec<Vec<Membership<'a>>>, fleet: &'a Fleet, now: Now) -> Walk<'a> {
        let series = query.values().iter().map(|_| Cell::default()).collect();
        Walk { query, fleet, now, groups, series, places: RefCell::default(), texts: RefCell::default() }
    }

    fn finds(&self, thing: &Thing) -> bool {
        self.query.finds(&OfThing { thing, walk: self })
    }
}

/// Keys to be asked for often.
pub(crate) struct Keys {
    /// A bit for each key, as far as they stand close together.
    near: Vec<u64>,
    far: HashSet<ThingKey>,
}

/// Keys up to this have a bit each.
const NEAR: u32 = 1 << 24;

impl Keys {
    pub(crate) fn of(keys: Vec<ThingKey>) -> Keys {
        let (near, far): (Vec<ThingKey>, Vec<ThingKey>) = keys.into_iter().partition(|key| key.0 < NEAR);
        let last = near.iter().map(|key| key.0).max().unwrap_or(0);
        let mut bits = vec![0_u64; last as usize / 64 + 1];
        for key in near {
            if let Some(word) = bits.get_mut(key.0 as usize / 64) {
                *word |= 1 << (key.0 % 64);
            }
        }
        Keys { near: bits, far: far.into_iter().collect() }
    }

    pub(crate) fn have(&self, key: ThingKey) -> bool {
        if key.0 >= NEAR {
            return self.far.contains(&key);
        }
        self.near.get(key.0 as usize / 64).is_some_and(|word| word & 1 << (key.0 % 64) != 0)
    }
}
