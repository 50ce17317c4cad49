//! A document as it lies in memory while nobody looks at it. A map takes 600 bytes for each object in it, the time of every value
//! being one; this takes some ten a value. What documents of one kind of thing have in common (everything but their values) is one
//! text for all of them.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Document, Object};
use crate::shared::{SharedText, Texts};

/// Stands in the shape for a value. No JSON holds it: in its texts control characters are written otherwise.
const PLACE: char = '\0';

/// Stands between two values, for the same reason.
const BETWEEN: char = '\n';

/// One shadow's document, packed.
#[derive(Clone)]
pub struct Packed {
    /// See [`Document::version`].
    pub version: u64,
    shape: SharedText,
    values: Box<str>,
}

/// One half of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Half {
    /// What is wanted.
    Desired,
    /// What the thing says that it is.
    Reported,
}

/// What stands at a place in the documents of one shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stands {
    /// Nothing.
    Nothing,
    /// A value: which of them.
    Value(usize),
    /// A list or an object.
    Whole,
}

/// In whatever order the fields stand.
impl PartialEq for Packed {
    fn eq(&self, other: &Packed) -> bool {
        self.is_identical(other) || self.open() == other.open()
    }
}

/// For people the document.
impl std::fmt::Debug for Packed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.open().fmt(f)
    }
}

/// A document as JSON, as the cache keeps it too: the sections that are there, their times, and when it changed.
#[derive(Serialize)]
struct Kept<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    desired: Option<&'a Object>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reported: Option<&'a Object>,
    desired_meta: &'a Object,
    reported_meta: &'a Object,
    timestamp_s: i64,
}

#[derive(Deserialize)]
struct Read {
    #[serde(default)]
    desired: Option<Object>,
    #[serde(default)]
    reported: Option<Object>,
    #[serde(default)]
    desired_meta: Object,
    #[serde(default)]
    reported_meta: Object,
    #[serde(default)]
    timestamp_s: i64,
}

/// What of it is no time of a value.
#[derive(Default, Deserialize)]
struct State {
    #[serde(default)]
    desired: Option<Object>,
    #[serde(default)]
    reported: Option<Object>,
    #[serde(default)]
    timestamp_s: i64,
}

impl Document {
    /// All of it but the version, as compact JSON.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        let Document { desired, reported, desired_meta, reported_meta, version: _, timestamp_s } = self;
        let (desired, reported) = (desired.as_ref(), reported.as_ref());
        serde_json::to_string(&Kept { desired, reported, desired_meta, reported_meta, timestamp_s: *timestamp_s })
    }

    /// What [`Document::to_json`] wrote.
    pub fn from_json(version: u64, json: &str) -> Result<Document, serde_json::Error> {
        let Read { desired, reported, desired_meta, reported_meta, timestamp_s } = serde_json::from_str(json)?;
        Ok(Document { desired, reported, desired_meta, reported_meta, version, timestamp_s })
    }
}

impl Packed {
    /// Packs a document; its shape is one with all others of `texts`.
    pub fn of(document: &Document, texts: &mut Texts) -> Packed {
        // Maps with text keys can always be written.
        let json = document.to_json().unwrap_or_default();
        let (shape, values) = split(&json);
        Packed { version: document.version, shape: texts.get(&shape), values: values.into() }
    }

    /// Packs what [`Document::to_json`] wrote, or says why it is no document.
    pub fn from_json(version: u64, json: &str, texts: &mut Texts) -> Result<Packed, serde_json::Error> {
        let (shape, values) = split(json);
        // A shape that is known was read before; with plain values in it, it is a document again.
        let known = texts.find(&shape).filter(|_| values.split(BETWEEN).all(is_plain));
        let shape = match known {
            Some(shape) => shape,
            None => {
                Document::from_json(version, json)?;
                texts.get(&shape)
            }
        };
        Ok(Packed { version, shape, values: values.into() })
    }

    /// Whether they say the same in the same order, which is known without unpacking either.
    pub fn is_identical(&self, other: &Packed) -> bool {
        let Packed { version, shape, values } = self;
        *version == other.version && *values == other.values && *shape == other.shape
    }

    /// Whether both sections certainly hold the same, whatever their times and versions: known without unpacking either. False where
    /// that is not seen at once.
    pub fn has_the_values_of(&self, other: &Packed) -> bool {
        let places = places_of_state(&self.shape);
        let state = |values| str::split(values, BETWEEN).take(places);
        self.shape == other.shape && state(&self.values).eq(state(&other.values))
    }

    /// What it has in common with others of its kind: everything but the values.
    pub fn shape(&self) -> &SharedText {
        &self.shape
    }

    /// Which of its values stands at a JSON pointer in `reported`; `None` where none does. The same for all of one shape.
    pub fn place_in_reported(&self, pointer: &str) -> Option<usize> {
        match self.stands(Half::Reported, pointer) {
            Stands::Value(place) => Some(place),
            Stands::Nothing | Stands::Whole => None,
        }
    }

    /// What stands at a JSON pointer in one half of it. The same for all of one shape.
    pub fn stands(&self, half: Half, pointer: &str) -> Stands {
        let places = self.values.split(BETWEEN).enumerate().map(|(place, _)| place.to_string());
        let places = places.collect::<Vec<_>>().join(&BETWEEN.to_string());
        let of_places = Packed { version: self.version, shape: self.shape.clone(), values: places.into() }.open();
        let section = match half {
            Half::Desired => of_places.desired,
            Half::Reported => of_places.reported,
        };
        let section = section.map(Value::Object);
        match section.as_ref().and_then(|section| section.pointer(pointer)) {
            None => Stands::Nothing,
            Some(place) => {
                let place = place.as_u64().and_then(|place| usize::try_from(place).ok());
                place.map_or(Stands::Whole, Stands::Value)
            }
        }
    }

    /// A value by its place, as JSON text; nothing else is unpacked.
    pub fn value(&self, place: usize) -> Option<&str> {
        self.values.split(BETWEEN).nth(place)
    }

    /// The document without the times of its values, for whoever looks at many and needs none.
    pub fn open_state(&self) -> Document {
        let State { desired, reported, timestamp_s } = serde_json::from_str(&self.json()).unwrap_or_default();
        Document { desired, reported, version: self.version, timestamp_s, ..Document::default() }
    }

    /// The document.
    pub fn open(&self) -> Document {
        // It was a document when it was packed.
        Document::from_json(self.version, &self.json())
            .unwrap_or_else(|_| Document { version: self.version, ..Document::default() })
    }

    fn json(&self) -> String {
        let mut json = String::with_capacity(self.shape.len() + self.values.len());
        let mut values = self.values.split(BETWEEN);
        for (n, part) in self.shape.split(PLACE).enumerate() {
            if n > 0 {
                json.push_str(values.next().unwrap_or("null"));
            }
            json.push_str(part);
        }
        json
    }
}

/// The values of a JSON text, and the text with a mark in the place of each. Keys are no values, and `{}` and `[]` hold none.
fn split(json: &str) -> (String, String) {
    let (mut shape, mut values) = (String::with_capacity(json.len()), String::with_capacity(json.len() / 2));
    let mut rest = json;
    while let Some(first) = rest.chars().next() {
        let len = match first {
            '"' => text_len(rest),
            '{' | '}' | '[' | ']' | ',' | ':' => {
                shape.push(first);
                1
            }
            _ => rest.find([',', '}', ']']).unwrap_or(rest.len()),
        };
        let (token, after) = rest.split_at(len);
        match first {
            '{' | '}' | '[' | ']' | ',' | ':' => {}
            '"' if after.starts_with(':') => shape.push_str(token),
            _ => {
                shape.push(PLACE);
                values.push_str(token);
                values.push(BETWEEN);
            }
        }
        rest = after;
    }
    values.pop();
    (shape, values)
}

/// How many of the values in a shape are of `desired` and `reported`: those before their times, which come after both.
fn places_of_state(shape: &str) -> usize {
    let (mut places, mut depth) = (0, 0_usize);
    let mut rest = shape;
    while let Some(first) = rest.chars().next() {
        let len = if first == '"' { text_len(rest) } else { first.len_utf8() };
        let (token, after) = rest.split_at(len);
        match first {
            '{' | '[' => depth += 1,
            '}' | ']' => depth = depth.saturating_sub(1),
            PLACE => places += 1,
            '"' if depth == 1 && token == "\"desired_meta\"" => break,
            _ => {}
        }
        rest = after;
    }
    places
}

/// How long the text in quotes is that this begins with.
fn text_len(json: &str) -> usize {
    let mut escaped = true;
    for (at, byte) in json.bytes().enumerate() {
        match byte {
            b'"' if !escaped => return at + 1,
            b'\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    json.len()
}

/// Whether this is surely one JSON value that is no list and no object: a whole number, a text without escapes, a word of JSON.
fn is_plain(value: &str) -> bool {
    let is_whole = |digits: &str| {
        (1..=15).contains(&digits.len())
            && digits.bytes().all(|byte| byte.is_ascii_digit())
            && (digits.len() == 1 || !digits.starts_with('0'))
    };
    let inside = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let is_text = |inside: &str| inside.bytes().all(|byte| byte >= b' ' && byte != b'"' && byte != b'\\');
    matches!(value, "true" | "false" | "null")
        || is_whole(value.strip_prefix('-').unwrap_or(value))
        || inside.is_some_and(is_text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn lamp(dim_pct: u32, firmware: &str) -> Document {
        let object = |value: Value| value.as_object().unwrap().clone();
        Document {
            desired: Some(object(json!({"dim_pct": dim_pct, "net": {"dns": ["::1", {"a": 1.5}], "none": {}}}))),
            reported: Some(object(json!({"firmware": firmware, "on": true, "dim_pct": -3, "list": [], "a\"b\\": "x"}))),
            desired_meta: object(json!({"dim_pct": {"timestamp": 1_700_000_000}})),
            reported_meta: object(json!({"firmware": {"timestamp": 1_700_000_001}})),
            version: 7,
            timestamp_s: 1_700_000_002,
        }
    }

    #[test]
    fn a_document_comes_back_as_it_was() {
        let mut texts = Texts::default();
        let empty = Document { desired: Some(Object::new()), ..Document::default() };
        for document in [Document::default(), empty, lamp(40, "2.4.1"), lamp(0, "a \"quoted\\\" {},:[]\n\0 ü")] {
            let packed = Packed::of(&document, &mut texts);
            assert_eq!(packed.open(), document);
            let json = document.to_json().unwrap();
            assert_eq!(Packed::from_json(document.version, &json, &mut texts).unwrap(), packed);
        }
    }

    #[test]
    fn things_of_a_kind_share_the_shape_of_their_documents() {
        let mut texts = Texts::default();
        let (one, other) = (Packed::of(&lamp(40, "2.4.1"), &mut texts), Packed::of(&lamp(100, "3"), &mut texts));
        assert_eq!(one.shape, other.shape);
        assert_ne!(one, other);
        assert!(one.values.len() < 80, "{:?}", one.values);
        assert_eq!(size_of::<Option<Packed>>(), 32);
    }

    #[test]
    fn the_same_values_at_another_time_are_seen_packed_and_other_values_never_are() {
        let mut texts = Texts::default();
        let object = |value: Value| value.as_object().unwrap().clone();
        let packed = |document: &Document, texts: &mut Texts| Packed::of(document, texts);
        // A person may call a value like what stands around the sections.
        let named = object(json!({"desired_meta": {"x": 1}, "b": [1, {"c": "2"}]}));
        let known = Document { desired: Some(named), ..lamp(40, "2.4.1") };
        let one = packed(&known, &mut texts);
        let later = object(json!({"dim_pct": {"timestamp": 1_700_000_099}}));
        let again = Document { desired_meta: later, version: 8, timestamp_s: 9, ..known.clone() };
        assert!(one.has_the_values_of(&packed(&again, &mut texts)));
        for (name, other) in [
            ("reported", Document { reported: lamp(0, "2.4.2").reported, ..known.clone() }),
            (
                "desired",
                Document {
                    desired: Some(object(json!({"desired_meta": {"x": 2}, "b": [1, {"c": "2"}]}))),
                    ..known.clone()
                },
            ),
            (
                "a list",
                Document {
                    desired: Some(object(json!({"desired_meta": {"x": 1}, "b": [1, {"c": "3"}]}))),
                    ..known.clone()
                },
            ),
            ("no section", Document { desired: None, ..known.clone() }),
        ] {
            assert!(!one.has_the_values_of(&packed(&other, &mut texts)), "{name}");
        }
    }

    #[test]
    fn what_is_no_document_is_refused_also_where_its_shape_is_known() {
        let mut texts = Texts::default();
        let good = r#"{"reported":{"on":true,"name":"a"},"desired_meta":{},"reported_meta":{},"timestamp_s":1}"#;
        Packed::from_json(1, good, &mut texts).unwrap();
        for (bad, good) in [
            ("", None),
            ("{", None),
            (r#"{"reported":{"on":tru,"name":"a"},"desired_meta":{},"reported_meta":{},"timestamp_s":1}"#, None),
            (r#"{"reported":{"on":01,"name":"a"},"desired_meta":{},"reported_meta":{},"timestamp_s":1}"#, None),
            (r#"{"reported":{"on":1,"name":"a\q"},"desired_meta":{},"reported_meta":{},"timestamp_s":1}"#, None),
            (r#"{"reported":{"on":1,"name":a},"desired_meta":{},"reported_meta":{},"timestamp_s":1}"#, None),
            (
                "{\"reported\":{\"on\":1,\"name\":\"a\u{1}\"},\"desired_meta\":{},\"reported_meta\":{},\"timestamp_s\":1}",
                None,
            ),
            (
                r#"{"reported":{"on":1.5,"name":"a\n"},"desired_meta":{},"reported_meta":{},"timestamp_s":1}"#,
                Some("a\n"),
            ),
        ] {
            let packed = Packed::from_json(1, bad, &mut texts).ok();
            let name = packed.map(|packed| packed.open().reported.unwrap()["name"].as_str().unwrap().to_owned());
            assert_eq!(name.as_deref(), good, "{bad}");
        }
    }

    #[test]
    fn one_value_is_found_without_unpacking_the_others() {
        let mut texts = Texts::default();
        let (one, other) = (Packed::of(&lamp(40, "2.4.1"), &mut texts), Packed::of(&lamp(100, "3"), &mut texts));
        let place = one.place_in_reported("/firmware").unwrap();
        assert_eq!((one.value(place), other.value(place)), (Some("\"2.4.1\""), Some("\"3\"")));
        let object = |value: Value| value.as_object().unwrap().clone();
        let deep = Document { reported: Some(object(json!({"a": {"b/c": [1, {"d": "e"}]}}))), ..Document::default() };
        let deep = Packed::of(&deep, &mut texts);
        let value = |pointer: &str| deep.place_in_reported(pointer).and_then(|place| deep.value(place));
        for (pointer, want) in [
            ("/a/b~1c/1/d", Some("\"e\"")),
            ("/a/b~1c/0", Some("1")),
            ("/a", None),
            ("", None),
            ("/b", None),
            ("a", None),
        ] {
            assert_eq!(value(pointer), want, "{pointer:?}");
        }
        assert_eq!(Packed::of(&Document::default(), &mut texts).place_in_reported("/firmware"), None);
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            // As many figures as JSON gives back to the digit.
            (-1_000_000..1_000_000).prop_map(|n| Value::from(f64::from(n) / 1_000.0)),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::hash_map(any::<String>(), inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    fn any_object() -> impl Strategy<Value = Object> {
        proptest::collection::hash_map(any::<String>(), any_json(), 0..4).prop_map(|map| map.into_iter().collect())
    }

    proptest! {
        #[test]
        fn whatever_a_document_says_comes_back(
            desired in proptest::option::of(any_object()),
            reported in proptest::option::of(any_object()),
            desired_meta in any_object(),
            version in any::<u64>(),
            timestamp_s in any::<i64>(),
        ) {
            let document =
                Document { desired, reported, desired_meta, reported_meta: Object::new(), version, timestamp_s };
            let mut texts = Texts::default();
            prop_assert_eq!(Packed::of(&document, &mut texts).open(), document.clone());
            let json = document.to_json().unwrap();
            for _ in 0..2 {
                prop_assert_eq!(Packed::from_json(version, &json, &mut texts).unwrap().open(), document.clone());
            }
        }
    }
}
