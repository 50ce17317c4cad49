//! What the ages of single kinds have taken out of runs that stay for the sake of other kinds (`mover/cut.rs`): one row of `meta`,
//! because it is read and written as a whole.

use std::collections::BTreeMap;

use fleetlens_model::kind::Kind;
use rusqlite::Connection;
use serde::{Deserialize, Serialize};

use super::run::Tier;
use super::{count, counted, from_json, meta, to_json};

const NAME: &str = "cuts";
const CHANGES: &str = "kind_changes";

/// How far the runs were gone through for the sake of single kinds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Cuts {
    /// The ages, in words, by which every run was gone through; `None` from when that is begun until it is done.
    pub by: Option<String>,
    /// [`kind_changes`] when going through them was begun.
    pub kind_changes: u64,
    /// Before when not everything of a kind is there any more, by its word and by tier: samples, minutes, hours. A newer program may
    /// have kinds that we do not know; theirs stays as it is.
    gone: BTreeMap<String, [Option<i64>; 3]>,
}

impl Cuts {
    /// As noted; nothing where nothing was cut.
    pub fn read(db: &Connection) -> rusqlite::Result<Cuts> {
        let noted: Option<String> = meta::get(db, NAME)?;
        noted.map_or(Ok(Cuts::default()), |noted| from_json(0, &noted))
    }

    pub fn write(&self, db: &Connection) -> rusqlite::Result<()> {
        meta::set(db, NAME, to_json(self)?)
    }

    /// Takes them over from another file: what was salvaged of it is to be gone through anew.
    pub fn take_over(db: &Connection, noted: &str) -> rusqlite::Result<()> {
        from_json::<Cuts>(0, noted)?.begun().write(db)
    }

    /// The same, and not every run has been gone through.
    pub fn begun(&self) -> Cuts {
        Cuts { by: None, ..self.clone() }
    }

    /// The name of the row.
    pub const fn name() -> &'static str {
        NAME
    }

    /// Whether nothing was ever cut.
    pub fn is_empty(&self) -> bool {
        self.gone.is_empty()
    }

    /// Before when not everything of a kind in this tier is there any more; `None` while nothing was cut.
    pub fn gone(&self, kind: Kind, tier: Tier) -> Option<i64> {
        let of_kind = self.gone.get(kind.word())?;
        place(tier).and_then(|place| of_kind.get(place).copied().flatten())
    }

    /// What is older than this is cut.
    pub fn set_gone(&mut self, kind: Kind, tier: Tier, before_ms: i64) {
        let of_kind = self.gone.entry(kind.word().to_owned()).or_default();
        if let Some(gone) = place(tier).and_then(|place| of_kind.get_mut(place)) {
            *gone = Some(gone.map_or(before_ms, |known| known.max(before_ms)));
        }
    }
}

fn place(tier: Tier) -> Option<usize> {
    match tier {
        Tier::Samples => Some(0),
        Tier::Minutes => Some(1),
        Tier::Hours => Some(2),
        Tier::Days => None,
    }
}

/// How often a thing that was there has become one of another kind.
pub(crate) fn kind_changes(db: &Connection) -> rusqlite::Result<u64> {
    count(0, meta::get(db, CHANGES)?.unwrap_or_default())
}

/// A thing has become one of another kind: what was cut by its old one may have to be cut by its new one.
pub(crate) fn kind_changed(db: &Connection) -> rusqlite::Result<()> {
    meta::set(db, CHANGES, counted(kind_changes(db)?.saturating_add(1))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_newer_program_notes_of_kinds_we_do_not_know_is_no_damage_and_stays() {
        let folder = tempfile::tempdir().unwrap();
        let (db, _) = crate::open::open(&folder.path().join("malta.db"), "malta", 1).unwrap();
        let noted = r#"{"by":"x","kind_changes":3,"gone":{"drone":[7,null,null],"lamp":[5,6,null]}}"#;
        Cuts::take_over(&db, noted).unwrap();
        let mut cuts = Cuts::read(&db).unwrap();
        assert_eq!((cuts.gone(Kind::Lamp, Tier::Samples), cuts.gone(Kind::Lamp, Tier::Minutes)), (Some(5), Some(6)));
        assert_eq!((cuts.gone(Kind::Lamp, Tier::Hours), cuts.gone(Kind::Other, Tier::Samples)), (None, None));
        cuts.set_gone(Kind::Bin, Tier::Hours, 9);
        cuts.write(&db).unwrap();
        let noted: String = meta::get(&db, NAME).unwrap().unwrap();
        assert!(noted.contains(r#""bin":[null,null,9],"drone":[7,null,null]"#), "{noted}");
    }
}
