//! GeoJSON: a collection of features, each a thing with its properties. One feature is held at a time, so that a large file is not
//! several times as large in memory.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{BufReader, Read};

use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value as Json};

use super::{Bounded, Column, Columns, Registry, RegistryError, entry, names};
use crate::quote::{QUOTE_MAX_CHARS, quote};

/// Reads a registry from GeoJSON. A mistake of JSON itself refuses the whole file, since nobody knows where the next feature begins.
pub fn read_geojson(input: impl Read, columns: &Columns) -> Result<Registry, RegistryError> {
    let mut registry = Registry::default();
    let mut json = serde_json::Deserializer::from_reader(BufReader::new(Bounded::new(input)));
    let collection = Collection { registry: &mut registry, columns };
    let read = collection.deserialize(&mut json).and_then(|()| json.end());
    match read {
        Ok(()) => Ok(registry),
        Err(error) if error.is_io() => Err(RegistryError::Unreadable(error.into())),
        Err(error) => Err(RegistryError::NotGeoJson(quote(&error.to_string(), QUOTE_MAX_CHARS))),
    }
}

/// The whole file.
struct Collection<'a> {
    registry: &'a mut Registry,
    columns: &'a Columns,
}

impl<'de> DeserializeSeed<'de> for Collection<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Collection<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a FeatureCollection")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let mut found = false;
        while let Some(name) = members.next_key::<String>()? {
            if name == "features" && !found {
                found = true;
                members.next_value_seed(Features { registry: self.registry, columns: self.columns })?;
            } else {
                members.next_value::<IgnoredAny>()?;
            }
        }
        if found { Ok(()) } else { Err(A::Error::custom("it has no member \"features\"")) }
    }
}

/// Its features.
struct Features<'a> {
    registry: &'a mut Registry,
    columns: &'a Columns,
}

impl<'de> DeserializeSeed<'de> for Features<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Features<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of features")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut features: A) -> Result<(), A::Error> {
        let mut number = 0_usize;
        let mut open = true;
        while let Some(feature) = features.next_element::<Json>()? {
            number += 1;
            // What lies behind the last thing is read over: the file must be JSON to its end.
            if open {
                let row = row(&feature, self.columns).and_then(|row| entry(&row));
                open = self.registry.take(&format!("feature {number}"), row);
            }
        }
        Ok(())
    }
}

/// What a feature says, by columns.
fn row(feature: &Json, columns: &Columns) -> Result<BTreeMap<Column, Json>, String> {
    if feature.get("type").and_then(Json::as_str) != Some("Feature") {
        return Err("it is no Feature".to_owned());
    }
    let none = Map::new();
    let properties = feature.get("properties").and_then(Json::as_object).unwrap_or(&none);
    let mut row = BTreeMap::new();
    for column in Column::ALL {
        let named = names(column, columns).into_iter().find_map(|name| properties.get(name));
        if let Some(value) = named.filter(|value| !value.is_null()) {
            row.insert(column, value.clone());
        }
    }
    // A feature's own id is outside its properties (RFC 7946, section 3.2).
    if let (false, Some(id)) = (row.contains_key(&Column::Thing), feature.get("id").filter(|id| !id.is_null())) {
        row.insert(Column::Thing, id.clone());
    }
    let geometry =
        feature.get("geometry").filter(|geometry| geometry.get("type").and_then(Json::as_str) == Some("Point"));
    let point = geometry.and_then(|geometry| geometry.get("coordinates")).and_then(Json::as_array);
    // West to east comes first (RFC 7946, section 3.1.1). Of other geometries nothing: a thing stands in one place.
    if let Some([lon, lat, ..]) = point.map(Vec::as_slice) {
        row.entry(Column::Lat).or_insert_with(|| lat.clone());
        row.entry(Column::Lon).or_insert_with(|| lon.clone());
    }
    Ok(row)
}
