//! A picture of a cache that can be opened neither for writing nor as it is: one that is damaged, or an older program's, where nothing
//! can be written beside it. What can be read of it is taken into memory as a salvage takes it into a file, but for the history, of which
//! a picture needs none.

use std::path::Path;

use fleetlens_model::record::Restored;
use rusqlite::Connection;

use crate::error::StoreError;
use crate::open;
use crate::salvage::{self, Wanted};
use crate::table::meta;

/// What a start needs of the cache at `path`, as far as it can be read. Takes as much memory as its small tables, twice, while it is
/// read. Fails on one of which nothing can be read.
pub(crate) fn of(path: &Path, profile: &str) -> Result<Restored, StoreError> {
    let says = |as_it_lies| meta::profile(&open::open_reader_of(path, as_it_lies).ok()?).ok().flatten();
    if let Some(found) = says(false).or_else(|| says(true)).filter(|found| found != profile) {
        return Err(StoreError::OtherProfile { path: path.to_owned(), found, wanted: profile.to_owned() });
    }
    let at = StoreError::at(path);
    let mut db = Connection::open_in_memory().map_err(&at)?;
    // Without a number of its installation, which is taken over if it can be read.
    open::migrate(&mut db, 0, profile, 0).map_err(&at)?;
    let told = salvage::into(&db, path, path, profile, Wanted::Picture)?;
    if told.things == 0
        && let Some(detail) = told.ended_early
    {
        return Err(StoreError::Corrupt { path: path.to_owned(), detail });
    }
    tracing::warn!(cache = %path.display(), "{told}; its history is left where it is");
    open::restore_alone(&db, path)
}
