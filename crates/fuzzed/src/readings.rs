//! The readings that a payload is tried with: every shape, each with and without what a profile may say of it.

use fleetlens_wire::pointer::Pointer;
use fleetlens_wire::telemetry::{Fact, Reading, Shape, Use, Whose};
use fleetlens_wire::time::Zone;

/// How many there are.
pub const COUNT: u8 = 12;

/// What each is for, in the order of their numbers.
pub const NAMES: [&str; COUNT as usize] = [
    "plain",
    "thingsboard",
    "list",
    "envelope",
    "senml",
    "senml-by-name",
    "fiware",
    "fiware-by-name",
    "parkapi",
    "datex2",
    "datex2-by-topic",
    "scalar",
];

/// The reading of a number; numbers begin again after [`COUNT`].
pub fn reading(number: u8) -> Reading {
    let at = |text| Pointer::parse(text).expect("it is a pointer");
    let madrid = || Some(Zone::parse("Europe/Madrid").expect("it is a zone"));
    let renamed = |name: &str, times| Use::As { pointer: name.to_owned(), times, least: Some(0.0) };
    match number % COUNT {
        0 => Reading { time: Some(at("/ts")), ..Reading::default() },
        1 => Reading { envelope: at("/values"), time: Some(at("/ts")), ..Reading::default() },
        2 => Reading {
            list: at("/data"),
            time: Some(at("/when")),
            zone: madrid(),
            whose: Whose::Pointer(at("/id")),
            uses: [
                ("/libres".to_owned(), renamed("/free", 1.0)),
                ("/nombre".to_owned(), Use::Says(Fact::Title)),
                ("/capacidad".to_owned(), Use::Says(Fact::Capacity)),
            ]
            .into(),
            ..Reading::default()
        },
        3 => Reading {
            envelope: at("/*"),
            time: Some(at("/*/tst")),
            uses: [
                ("/spd".to_owned(), renamed("/speed_kmh", 3.6)),
                ("/tsi".to_owned(), Use::Nothing),
                ("/long".to_owned(), Use::Says(Fact::Lon)),
                ("/lat".to_owned(), Use::Says(Fact::Lat)),
            ]
            .into(),
            ..Reading::default()
        },
        4 => Reading { shape: Shape::Senml, ..Reading::default() },
        5 => Reading { shape: Shape::Senml, whose: Whose::Shape, ..Reading::default() },
        6 => Reading { shape: Shape::Fiware, ..Reading::default() },
        7 => Reading { shape: Shape::Fiware, whose: Whose::Shape, zone: madrid(), ..Reading::default() },
        8 => Reading { shape: Shape::Parkapi, whose: Whose::Shape, ..Reading::default() },
        9 => Reading { shape: Shape::Datex2, whose: Whose::Shape, zone: madrid(), ..Reading::default() },
        10 => Reading { shape: Shape::Datex2, ..Reading::default() },
        _ => Reading { shape: Shape::Scalar, value: "/free".to_owned(), ..Reading::default() },
    }
}

/// Values with a time beside them.
pub fn timed(zone: Option<Zone>) -> Reading {
    Reading { time: Some(Pointer::parse("/t").expect("it is a pointer")), zone, ..Reading::default() }
}
