//! What places of the fleet are called, for who looks for one.

use super::*;

/// Lamps in two streets of two districts, one of which is called as a street of the other, and a car park.
fn town(role: Role) -> Fleet {
    let mut fleet = Fleet::new(
        FleetConfig { things_max: 9, ..config(role) },
        Restored { installation: 0xabc, ..Restored::default() },
        at(0),
    );
    give(&mut fleet, up(), at(0));
    for (kind, name, street, area, lon) in [
        ("lamp", "l-1", "Triq Aldo Moro", "Marsa", 14.49),
        ("lamp", "l-2", "Triq Aldo Moro", "Marsa", 14.51),
        ("lamp", "l-3", "Triq il-Marsa", "Paola", 14.52),
        ("parking", "p-1", "Xatt il-Marsa", "Sliema", 14.53),
    ] {
        let said = format!(r#"{{"street":"{street}","area":"{area}","lat":35.9,"lon":{lon}}}"#);
        give(&mut fleet, meta(kind, name, &said), at(0));
    }
    fleet
}

#[test]
fn districts_and_streets_are_found_by_their_names_with_where_their_things_are() {
    let fleet = town(Role::Operator);
    let names = |text: &str| {
        let row = |row: fleetlens_ipc::rows::PlaceRow| (row.name, row.within, row.things);
        fleet.places(text, 9).into_iter().map(row).collect::<Vec<_>>()
    };
    let place = |name: &str, within: &str, things| (name.to_owned(), within.to_owned(), things);
    let of_marsa = [place("Marsa", "", 2), place("Triq il-Marsa", "Paola", 1), place("Xatt il-Marsa", "Sliema", 1)];
    assert_eq!(names("marsa"), of_marsa, "a street is not found by its district alone");
    assert_eq!(names("MORO marsa"), [place("Triq Aldo Moro", "Marsa", 2)], "but by both");
    assert_eq!(names("triq il-marsa").first().map(|one| one.0.as_str()), Some("Triq il-Marsa"), "just that name first");
    assert!(names("").is_empty() && names("nowhere").is_empty());
    let area = fleet.places("aldo", 1).first().unwrap().area;
    assert_eq!((area.west_deg, area.east_deg, area.north_deg), (14.49, 14.51, 35.9));
    assert_eq!(fleet.places("marsa", 1).len(), 1);
}

#[test]
fn however_much_somebody_types_little_of_it_is_looked_for() {
    let fleet = town(Role::Operator);
    let found = |text: &str| fleet.places(text, 9).len();
    assert_eq!(found(&"marsa ".repeat(9)), found("marsa"));
    assert_eq!(found(&format!("{}nowhere", "marsa ".repeat(8))), found("marsa"), "the ninth word is not looked for");
    assert_eq!(found(&"marsa ".repeat(1_000)), 0, "nothing has so long a name");
}

#[test]
fn a_driver_hears_of_places_with_car_parks_and_of_no_words() {
    let fleet = town(Role::Driver);
    let names: Vec<String> = fleet.places("marsa", 9).into_iter().map(|row| row.name).collect();
    assert_eq!(names, ["Xatt il-Marsa"]);
    assert!(fleet.words_of_searches().areas.is_empty());
    let words = town(Role::Viewer).words_of_searches();
    assert_eq!(words.areas, ["Marsa", "Paola", "Sliema"], "those with the most things first");
    assert!(!words.rules.is_empty());
}
