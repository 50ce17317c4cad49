use super::*;
use crate::telemetry::{About, Shape, decode};
use crate::testing::chance;

const NOW: WallMs = WallMs(1_790_000_000_000);

/// A status as version 2.3 has it, written after the standard: an extension of the parking profile, groups, an override.
const V2: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<d2LogicalModel xmlns="http://datex2.eu/schema/2/2_0" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" modelBaseVersion="2">
  <exchange><supplierIdentification><country>lu</country></supplierIdentification></exchange>
  <payloadPublication xsi:type="GenericPublication" lang="en">
    <publicationTime>2026-10-05T04:45:00+02:00</publicationTime>
    <genericPublicationExtension><parkingStatusPublication>
      <parkingRecordStatus xsi:type="ParkingSiteStatus">
        <parkingRecordReference targetClass="ParkingRecord" id="G-MB-B" version="1"/>
        <parkingStatusOriginTime>2026-10-05T04:40:00+02:00</parkingStatusOriginTime>
        <parkingOccupancy>
          <parkingNumberOfSpacesOverride>41</parkingNumberOfSpacesOverride>
          <parkingNumberOfVacantSpaces> 3 </parkingNumberOfVacantSpaces>
          <parkingNumberOfOccupiedSpaces>38</parkingNumberOfOccupiedSpaces>
          <parkingOccupancy>92.7</parkingOccupancy>
          <parkingOccupancyTrend>stable</parkingOccupancyTrend>
        </parkingOccupancy>
        <groupOfParkingSpacesStatus groupIndex="7"><groupOfParkingSpacesStatus>
          <parkingNumberOfVacantSpaces>1</parkingNumberOfVacantSpaces>
        </groupOfParkingSpacesStatus></groupOfParkingSpacesStatus>
        <parkingSiteStatus>full</parkingSiteStatus>
        <parkingSiteOpeningStatus>open</parkingSiteOpeningStatus>
      </parkingRecordStatus>
      <parkingRecordStatus><parkingRecordReference id="B-MB-G"/>
        <parkingOccupancy><parkingNumberOfVacantSpaces>-1</parkingNumberOfVacantSpaces></parkingOccupancy>
      </parkingRecordStatus>
    </parkingStatusPublication></genericPublicationExtension>
  </payloadPublication>
</d2LogicalModel>"#;

/// A table as version 3 has it.
const V3_TABLE: &str = r#"<d2:payload xmlns:d2="http://datex2.eu/schema/3/d2Payload" xmlns:par="http://datex2.eu/schema/3/parking"
    xmlns:com="http://datex2.eu/schema/3/common" xmlns:loc="http://datex2.eu/schema/3/locationReferencing"
    xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="par:ParkingTablePublication">
  <com:publicationTime>2026-10-01T00:00:00Z</com:publicationTime>
  <par:parkingTable id="T" version="1"><par:parkingRecord xsi:type="par:UrbanParkingSite" id="P1" version="4">
    <par:parkingName><com:values><com:value lang="de">Parkhaus Mitte &amp; Dom</com:value>
      <com:value lang="en">Centre</com:value></com:values></par:parkingName>
    <par:parkingNumberOfSpaces>500</par:parkingNumberOfSpaces>
    <par:parkingLocation xsi:type="loc:PointLocation"><loc:pointByCoordinates><loc:pointCoordinates>
      <loc:latitude>49.01</loc:latitude><loc:longitude>8.4</loc:longitude>
    </loc:pointCoordinates></loc:pointByCoordinates></par:parkingLocation>
    <par:groupOfParkingSpaces groupIndex="7"><par:parkingSpaceBasics xsi:type="par:GroupOfParkingSpaces">
      <par:onlyAssignedParking><par:applicableForUser>disabled</par:applicableForUser></par:onlyAssignedParking>
      <par:parkingNumberOfSpaces>12</par:parkingNumberOfSpaces>
    </par:parkingSpaceBasics></par:groupOfParkingSpaces>
    <par:groupOfParkingSpaces groupIndex="8"><par:parkingSpaceBasics>
      <par:onlyAssignedParking><par:vehicleCharacteristics><com:fuelType>battery</com:fuelType></par:vehicleCharacteristics>
      </par:onlyAssignedParking><par:parkingNumberOfSpaces>6</par:parkingNumberOfSpaces>
    </par:parkingSpaceBasics></par:groupOfParkingSpaces>
  </par:parkingRecord></par:parkingTable>
</d2:payload>"#;

fn reading(whose: Whose) -> Reading {
    Reading { shape: Shape::Datex2, whose, ..Reading::default() }
}

fn read(payload: &str) -> Result<Vec<Telemetry>, WireError> {
    decode(payload.as_bytes(), &reading(Whose::Shape), NOW)
}

#[test]
fn a_status_of_version_2_says_what_is_free_of_the_whole_car_park() {
    let said = read(V2).unwrap();
    let n = Value::Number;
    let word = |text: &str| Value::Text(text.into());
    let values = [
        ("/free", n(3.0)),
        ("/groups/7/free", n(1.0)),
        ("/occupancy_pct", n(92.7)),
        ("/occupied", n(38.0)),
        ("/opening_status", word("open")),
        ("/status", word("full")),
        ("/trend", word("stable")),
    ];
    let full = &said[0];
    assert_eq!(full.values, values.map(|(pointer, value)| (pointer.to_owned(), value)));
    assert_eq!((full.thing.as_deref(), full.claimed), (Some("G-MB-B"), Some(WallMs(1_791_168_000_000))));
    assert_eq!(full.about, About { kind: Some(Kind::Parking), capacity: Some(41), ..About::default() });
    let unknown = &said[1];
    assert_eq!((unknown.thing.as_deref(), unknown.values.len()), (Some("B-MB-G"), 0), "−1 is no count");
    assert_eq!(unknown.claimed, Some(WallMs(1_791_168_300_000)), "as of the publication");
}

#[test]
fn statuses_of_other_versions_say_the_same() {
    let v3 = r#"<p:payload xmlns:p="d" xmlns:par="p" xmlns:xsi="x" xsi:type="par:ParkingStatusPublication">
        <par:parkingRecordStatus><par:parkingRecordReference id="S1"/>
        <par:parkingStatusOriginTime>2026-10-01T08:00:00Z</par:parkingStatusOriginTime>
        <par:parkingOccupancy><par:parkingNumberOfVacantSpaces>40</par:parkingNumberOfVacantSpaces></par:parkingOccupancy>
        <par:parkingSiteStatus>spacesAvailable</par:parkingSiteStatus></par:parkingRecordStatus></p:payload>"#;
    let v3_7 = r#"<d2:payload xmlns:d2="d" xmlns:prk="p" xmlns:fac="f" xmlns:xsi="x" xsi:type="prk:ParkingStatusPublication">
        <prk:parkingStatusInformation xsi:type="prk:PlaceStatus"><fac:reference id="S1"/>
        <fac:lastUpdated>2026-10-01T08:00:00Z</fac:lastUpdated>
        <prk:occupancy><prk:numberOfVacantSpaces>40</prk:numberOfVacantSpaces></prk:occupancy>
        <prk:status>spacesAvailable</prk:status></prk:parkingStatusInformation></d2:payload>"#;
    let v2_0 = r#"<d2LogicalModel><payloadPublication><genericPublicationExtension><parkingFacilityTableStatusPublication>
        <parkingFacilityStatus><parkingFacilityReference id="S1"/>
        <parkingFacilityStatus>spacesAvailable</parkingFacilityStatus>
        <parkingFacilityStatusTime>2026-10-01T08:00:00Z</parkingFacilityStatusTime>
        <totalNumberOfVacantParkingSpaces>40</totalNumberOfVacantParkingSpaces></parkingFacilityStatus>
        </parkingFacilityTableStatusPublication></genericPublicationExtension></payloadPublication></d2LogicalModel>"#;
    for (name, payload) in [("3", v3), ("3.7", v3_7), ("2.0", v2_0)] {
        let said = read(payload).unwrap_or_else(|error| panic!("{name}: {error}")).remove(0);
        let values = [("/free", Value::Number(40.0)), ("/status", Value::Text("spacesAvailable".into()))];
        assert_eq!(said.values, values.map(|(pointer, value)| (pointer.to_owned(), value)), "{name}");
        assert_eq!((said.thing.as_deref(), said.claimed), (Some("S1"), Some(WallMs(1_790_841_600_000))), "{name}");
        let by_topic = decode(payload.as_bytes(), &reading(Whose::Topic), NOW).unwrap().remove(0);
        assert_eq!((by_topic.thing, by_topic.values.len()), (None, 2), "{name}");
    }
}

#[test]
fn a_table_describes_its_car_parks() {
    let said = read(V3_TABLE).unwrap().remove(0);
    let about = About {
        kind: Some(Kind::Parking),
        title: Some("Parkhaus Mitte & Dom".into()),
        lat_deg: Some(49.01),
        lon_deg: Some(8.4),
        capacity: Some(500),
        capacity_accessible: Some(12),
        capacity_charging: Some(6),
        ..About::default()
    };
    assert_eq!((said.thing.as_deref(), said.claimed, said.values.len(), said.about), (Some("P1"), None, 0, about));
}

#[test]
fn what_is_no_publication_about_parking_is_refused_with_the_reason() {
    let record = |inside: &str| format!("<a><parkingRecordStatus>{inside}</parkingRecordStatus></a>");
    let referred = |inside: &str| record(&format!("<parkingRecordReference id=\"x\"/>{inside}"));
    let free = |text: &str| referred(&format!("<parkingNumberOfVacantSpaces>{text}</parkingNumberOfVacantSpaces>"));
    let situation =
        r#"<d2LogicalModel><payloadPublication xmlns:x="i" x:type="SituationPublication"/></d2LogicalModel>"#;
    let many = format!("<a>{}</a>", "<parkingRecord id=\"x\"/>".repeat(513));
    for (payload, says) in [
        (r#"{"realtime_free_capacity":3}"#.to_owned(), "XML that cannot be read: there is text outside its root"),
        ("<html><body/></html>".to_owned(), "\"payload\" is \"html\"; it must be a ParkingStatusPublication"),
        (situation.to_owned(), "is \"SituationPublication\"; it must be"),
        (record("<parkingRecordReference/>"), "\"the id of its reference\" is missing"),
        ("<a><parkingRecord/></a>".to_owned(), "\"the id of its record\" is missing"),
        (free("lots"), "\"parkingNumberOfVacantSpaces\" is \"lots\"; it must be a number"),
        (free("inf"), "is \"inf\"; it must be a number"),
        (referred("<parkingStatusOriginTime>now</parkingStatusOriginTime>"), "\"parkingStatusOriginTime\" is \"now\""),
        (many, "lists 513 entries; at most 512"),
    ] {
        let error = read(&payload).unwrap_err().to_string();
        assert!(error.contains(says), "{payload:.60}: {error}");
    }
    let error = decode(V2.as_bytes(), &reading(Whose::Topic), NOW).unwrap_err().to_string();
    assert!(error.contains("the only record where the topic names the thing"), "{error}");
    let nothing = r#"<p xmlns:x="i" x:type="par:ParkingStatusPublication"><publicationTime/></p>"#;
    assert_eq!(read(nothing), Ok(vec![]), "a publication of no car park is one");
}

/// Bytes taken out of and put into a publication at random, the same every time: it is read or refused in bounds.
#[test]
fn whatever_is_done_to_a_publication_it_is_read_or_refused_in_bounds() {
    let mut below = chance(0x2545_f491_4f6c_dd1d);
    let pieces: [&[u8]; 8] =
        [b"<a>", b"</par:parkingRecord>", b"&x;", b"&#1;", b"<!DOCTYPE a>", b"\xff", b"\"", b"1e999"];
    let mut read = 0;
    for turn in 0..4_000 {
        let mut payload = if turn % 2 == 0 { V2 } else { V3_TABLE }.as_bytes().to_vec();
        for _ in 0..=below(2) {
            let at = below(payload.len());
            match below(2) {
                0 => drop(payload.drain(at..(at + below(12)).min(payload.len()))),
                _ => drop(payload.splice(at..at, pieces[below(8)].iter().copied())),
            }
        }
        match decode(&payload, &reading(Whose::Shape), NOW) {
            Ok(said) => read += usize::from(!said.is_empty()),
            Err(error) => assert!(error.to_string().chars().count() <= crate::REFUSAL_MAX_CHARS, "{error}"),
        }
    }
    assert!(read > 200, "{read}: what is only refused tries nothing");
}
