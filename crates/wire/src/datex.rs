//! Car parks of DATEX II, the road authorities' exchange format, as XML: versions 2 and 3, told apart element by element.
//!
//! A status publication says what is free (`parkingRecordStatus`, in version 3.7 `parkingStatusInformation`, in the parking
//! extension of version 2.0 `parkingFacilityStatus`); a table publication says where the car parks are and what they hold
//! (`parkingRecord`, `parkingFacility`). Only what stands directly in a record is the car park's: its groups of spaces have
//! counts of the same names. Source: DATEX II 2.3 parking extension, DATEX II 3 `DATEXII_3_Parking.xsd`.

use fleetlens_model::kind::Kind;
use fleetlens_model::shadow::pointer_of;
use fleetlens_model::telemetry::{TEXT_MAX_BYTES, Value};
use fleetlens_model::time::WallMs;
use serde_json::Value as Json;

use crate::telemetry::{
    Fact, MESSAGES_MAX, PAYLOAD_MAX_BYTES, PAYLOAD_VALUES_MAX, Reading, Telemetry, Whose, add, check_length, finish,
};
use crate::xml::{self, Element};
use crate::{WireError, json, time};

/// Elements that say what is so now, and those that name the car park in them.
const STATUS: [&str; 3] = ["parkingRecordStatus", "parkingFacilityStatus", "parkingStatusInformation"];
const REFERENCE: [&str; 4] =
    ["parkingRecordReference", "parkingFacilityReference", "parkingSiteReference", "reference"];

/// Elements that describe a car park.
const TABLE: [&str; 2] = ["parkingRecord", "parkingFacility"];

/// When a status was so, in the record itself and around it.
const TIMES: [&str; 3] = ["parkingStatusOriginTime", "parkingFacilityStatusTime", "lastUpdated"];
const PUBLICATION_TIME: &str = "publicationTime";

/// Counts, in the words of the versions.
const VACANT: [&str; 4] = [
    "parkingNumberOfVacantSpaces",
    "numberOfVacantSpaces",
    "totalNumberOfVacantParkingSpaces",
    "numberOfVacantAssignedParkingSpaces",
];
const OCCUPIED: [&str; 4] = [
    "parkingNumberOfOccupiedSpaces",
    "numberOfOccupiedSpaces",
    "totalNumberOfOccupiedParkingSpaces",
    "numberOfOccupiedAssignedParkingSpaces",
];
const CAPACITY: [&str; 5] = [
    "parkingNumberOfSpacesOverride",
    "parkingNumberOfSpaces",
    "numberOfSpaces",
    "totalParkingCapacityShortTermOverride",
    "totalParkingCapacity",
];

/// Groups of spaces in a status, each in an element of its own name that carries its number.
const GROUPS: [&str; 2] = ["groupOfParkingSpacesStatus", "assignedParkingSpacesStatus"];

/// Words of a status, and what they are called here.
const WORDS: [(&[&str], &str); 3] = [
    (&["parkingSiteStatus", "parkingFacilityStatus", "status"], "/status"),
    (&["parkingSiteOpeningStatus", "openingStatus"], "/opening_status"),
    (&["parkingOccupancyTrend", "occupancyTrend"], "/trend"),
];

/// What a publication holds.
struct Found<'a> {
    /// Records with the time of the publication around them.
    records: Vec<(&'a Element, Option<&'a Element>)>,
    /// What the publication calls itself.
    publication: Option<String>,
}

/// Reads a publication.
pub(crate) fn decode(payload: &[u8], reading: &Reading) -> Result<Vec<Telemetry>, WireError> {
    let root = xml::document(payload, PAYLOAD_MAX_BYTES)?;
    let Found { records, publication } = found(&root);
    if records.is_empty() {
        let parking = publication.as_ref().is_some_and(|word| word.contains("Parking"));
        let word = Json::from(publication.unwrap_or_else(|| root.name.clone()));
        let wanted = "a ParkingStatusPublication or a ParkingTablePublication of DATEX II";
        return if parking { Ok(Vec::new()) } else { Err(json::wrong("payload", &word, wanted)) };
    }
    if records.len() > MESSAGES_MAX {
        return Err(WireError::TooLong { given: records.len(), max: MESSAGES_MAX });
    }
    if let (Whose::Topic, Some((second, _))) = (&reading.whose, records.get(1)) {
        let word = Json::from(second.name.as_str());
        return Err(json::wrong("payload", &word, "the only record where the topic names the thing"));
    }
    let mut said = Vec::with_capacity(records.len());
    let mut values = 0;
    for (record, published) in records {
        let one = if TABLE.contains(&record.name.as_str()) {
            described(record)?
        } else {
            status(record, published, reading)?
        };
        values += one.values.len();
        if values > PAYLOAD_VALUES_MAX {
            return Err(WireError::TooMany { max: PAYLOAD_VALUES_MAX });
        }
        let thing = if reading.whose == Whose::Topic { None } else { one.thing };
        said.push(finish(Telemetry { thing, ..one }, reading)?);
    }
    Ok(said)
}

/// Where the times stand that date the values of a publication, as ranges of its bytes.
pub(crate) fn times(payload: &[u8]) -> Vec<std::ops::Range<usize>> {
    let Ok(root) = xml::document(payload, PAYLOAD_MAX_BYTES) else { return Vec::new() };
    let of = |(record, published): (&Element, Option<&Element>)| record.child(&TIMES).or(published)?.place.clone();
    let mut places: Vec<_> = found(&root).records.into_iter().filter_map(of).collect();
    places.sort_by_key(|place| place.start);
    // Records without a time of their own share that of the publication.
    places.dedup();
    places
}

/// Every record of a document.
fn found(root: &Element) -> Found<'_> {
    let mut found = Found { records: Vec::new(), publication: None };
    walk(root, None, &mut found);
    found
}

fn walk<'a>(element: &'a Element, published: Option<&'a Element>, found: &mut Found<'a>) {
    let name = element.name.as_str();
    if (STATUS.contains(&name) && element.child(&REFERENCE).is_some()) || TABLE.contains(&name) {
        found.records.push((element, published));
        return;
    }
    // In version 3 an attribute says which publication it is, in extensions of version 2 the element's own name.
    let word = element.attribute("type").map(|word| word.rsplit(':').next().unwrap_or(word));
    if let Some(word) = word.into_iter().chain([name]).find(|word| word.ends_with("Publication")) {
        found.publication = Some(word.to_owned());
    }
    let published = element.child(&[PUBLICATION_TIME]).or(published);
    element.children.iter().for_each(|child| walk(child, published, found));
}

/// What is so now.
fn status(record: &Element, published: Option<&Element>, reading: &Reading) -> Result<Telemetry, WireError> {
    let mut said = Telemetry::default();
    said.about.kind = Some(Kind::Parking);
    let id = record.child(&REFERENCE).and_then(|reference| reference.attribute("id"));
    said.thing = Some(name(id, "the id of its reference")?);
    if let Some(at) = record.child(&TIMES).or(published) {
        said.claimed = moment(at, reading)?;
    }
    let counts = record.child(&["parkingOccupancy", "occupancy"]).unwrap_or(record);
    let values = &mut said.values;
    count(counts, &VACANT, "/free".into(), values)?;
    count(counts, &OCCUPIED, "/occupied".into(), values)?;
    count(counts, &["parkingOccupancy", "occupancy"], "/occupancy_pct".into(), values)?;
    for (names, pointer) in WORDS {
        let inside = (!std::ptr::eq(record, counts)).then_some(counts);
        let words: Vec<&str> = [record]
            .into_iter()
            .chain(inside)
            .flat_map(|place| names.iter().flat_map(|name| place.all(name)))
            .map(Element::text)
            .filter(|text| !text.is_empty())
            .collect();
        if !words.is_empty() {
            add(pointer.into(), text(words.join(", "), pointer)?, values)?;
        }
    }
    for (at, group) in GROUPS.iter().flat_map(|name| numbered(record, name)) {
        count(group, &VACANT, at.clone() + "/free", values)?;
        count(group, &OCCUPIED, at + "/occupied", values)?;
    }
    if let Some(spaces) = counts.child(&CAPACITY) {
        said.about.count(Fact::Capacity, number(spaces)?);
    }
    Ok(said)
}

/// What a car park is.
fn described(record: &Element) -> Result<Telemetry, WireError> {
    let mut said = Telemetry::default();
    said.about.kind = Some(Kind::Parking);
    said.thing = Some(name(record.attribute("id"), "the id of its record")?);
    // A name has values in several languages, of which the first is the publisher's own.
    let title = record.child(&["parkingName", "parkingFacilityName", "name"]);
    let title = title.map(|title| title.find(&|element| element.name == "value").unwrap_or(title));
    if let Some(title) = title {
        said.about.say(Fact::Title, title.text());
    }
    let is_point =
        |element: &Element| element.child(&["latitude"]).is_some() && element.child(&["longitude"]).is_some();
    let location = record.child(&["parkingLocation", "facilityLocation", "locationReference", "locationAndDimension"]);
    if let Some(point) = location.and_then(|location| location.find(&is_point)) {
        for (name, fact) in [("latitude", Fact::Lat), ("longitude", Fact::Lon)] {
            if let Some(degrees) = point.child(&[name]) {
                said.about.count(fact, number(degrees)?);
            }
        }
    }
    if let Some(spaces) = record.child(&CAPACITY) {
        said.about.count(Fact::Capacity, number(spaces)?);
    }
    let (mut accessible, mut charging) = (0.0, 0.0);
    for (_, group) in numbered(record, "groupOfParkingSpaces") {
        let basics = group.child(&["parkingSpaceBasics"]).unwrap_or(group);
        let Some(spaces) = basics.child(&CAPACITY).map(number).transpose()? else { continue };
        let Some(only) = basics.child(&["onlyAssignedParking"]) else { continue };
        let is_for = |name: &str, word: &str| only.find(&|e| e.name == name && e.text() == word).is_some();
        if is_for("applicableForUser", "disabled") {
            accessible += spaces;
        }
        if is_for("fuelType", "battery") {
            charging += spaces;
        }
    }
    said.about.count(Fact::Accessible, accessible);
    said.about.count(Fact::Charging, charging);
    Ok(said)
}

/// Elements of a name with their numbers, as pointers; what they hold stands in an element of the same name in them, or in them.
fn numbered<'a>(record: &'a Element, name: &'a str) -> impl Iterator<Item = (String, &'a Element)> {
    record.all(name).enumerate().map(move |(nth, group)| {
        let index = group.attribute("groupIndex").or_else(|| group.attribute("index"));
        let index = index.map_or_else(|| nth.to_string(), str::to_owned);
        (pointer_of(["groups", index.as_str()]), group.child(&[name]).unwrap_or(group))
    })
}

/// A count, unless nobody counted: fewer than none is no count.
fn count(
    around: &Element,
    names: &[&str],
    pointer: String,
    values: &mut Vec<(String, Value)>,
) -> Result<(), WireError> {
    // An element may hold others under the name of its own value: of an occupancy the percentage.
    let Some(given) = around.child(names).filter(|given| given.children.is_empty()) else { return Ok(()) };
    let count = number(given)?;
    check_length(&pointer)?;
    if count >= 0.0 { add(pointer, Value::Number(count), values) } else { Ok(()) }
}

fn number(element: &Element) -> Result<f64, WireError> {
    let given = element.text();
    let number = given.parse().ok().filter(|number: &f64| number.is_finite());
    number.ok_or_else(|| json::wrong(&element.name, &Json::from(given), "a number"))
}

fn text(text: String, pointer: &str) -> Result<Value, WireError> {
    if text.len() > TEXT_MAX_BYTES {
        return Err(json::wrong(pointer, &Json::from(text), "a text of at most 1024 bytes"));
    }
    Ok(Value::Text(text))
}

fn name(id: Option<&str>, what: &str) -> Result<String, WireError> {
    id.map(str::trim).filter(|id| !id.is_empty()).map(str::to_owned).ok_or_else(|| json::missing(what))
}

fn moment(element: &Element, reading: &Reading) -> Result<Option<WallMs>, WireError> {
    time::read(&Json::from(element.text()), &element.name, reading.zone.as_ref())
}

#[cfg(test)]
mod tests;
