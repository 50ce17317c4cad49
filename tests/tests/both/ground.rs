//! The map's ground is drawn, in whichever page.

use fleetlens_tests::page::Page;
use fleetlens_tests::picture::{Area, Picture};

/// Streets and their names are in the picture.
pub async fn is_drawn(page: &Page, shown: &Picture, map: Area) {
    let colours = shown.colours(map);
    assert!(colours > 150, "only {colours} colours: no streets are drawn");
    let names = shown.count_of(map, page.token("--map-place").await, 20);
    assert!(names > 100, "only {names} pixels of the names' colour: no names are drawn");
}
