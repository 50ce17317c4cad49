//! The map's ground is drawn, in whichever window.

use fleetlens_tests::picture::{Area, Picture};
use fleetlens_tests::window::Window;

/// Streets and their names are in the picture.
pub async fn is_drawn(window: &Window, shown: &Picture, map: Area) {
    let colours = shown.colours(map);
    assert!(colours > 150, "only {colours} colours: no streets are drawn");
    let names = shown.count_of(map, window.token("--map-place").await, 20);
    assert!(names > 100, "only {names} pixels of the names' colour: no names are drawn");
}
