//! The part of a profile that says what the desired state of its kinds of things may hold. docs/guide/profiles.md describes every
//! keyword.

use std::ops::Range;
use std::path::{Path, PathBuf};

use fleetlens_model::kind::{Kind, KindSchema, Schemas};
use fleetlens_model::schema::SCHEMA_MAX_BYTES;
use serde::Deserialize;
use toml::Spanned;

use super::{Mistake, beside, line_of};

/// `[[kind]]` as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenKind {
    kind: Spanned<String>,
    desired_schema: Spanned<String>,
}

/// A schema's file, not read yet.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct SchemaFile {
    kind: Kind,
    name: PathBuf,
    at: Range<usize>,
}

/// The schemas that stand in the profile itself, over those of the program, and the files of the others.
pub(super) fn schemas(written: Vec<WrittenKind>, text: &str) -> Result<(Schemas, Vec<SchemaFile>), Mistake> {
    let (mut schemas, mut files, mut seen) = (Schemas::default(), Vec::new(), Vec::new());
    for WrittenKind { kind, desired_schema } in written {
        let of = named(&kind)?;
        if seen.contains(&of) {
            return Err(Mistake::new(kind.span(), format!("the kind {:?} stands here twice", of.word())));
        }
        seen.push(of);
        let at = desired_schema.span();
        let said = desired_schema.into_inner();
        if said.trim_start().starts_with('{') {
            schemas.put(of, KindSchema::parse(&said).map_err(|error| inside(&at, text, &error))?);
        } else {
            files.push(SchemaFile::named(of, said, at)?);
        }
    }
    Ok((schemas, files))
}

/// The kind of this name.
pub(super) fn named(word: &Spanned<String>) -> Result<Kind, Mistake> {
    let kind = Kind::from_word(word.get_ref());
    if kind.word() == word.get_ref() {
        return Ok(kind);
    }
    let words: Vec<&str> = Kind::ALL.iter().map(|kind| kind.word()).collect();
    let why = format!("{:?} is no kind; there are {}", word.get_ref(), words.join(", "));
    Err(Mistake::new(word.span(), why))
}

/// A mistake in a schema that stands in the profile: its line is the profile's own where the text is written over several.
fn inside(at: &Range<usize>, text: &str, error: &fleetlens_model::schema::SchemaError) -> Mistake {
    let said = text.get(at.clone()).unwrap_or_default();
    let opens = said.find('{').unwrap_or_default();
    let lines = said.get(opens..).unwrap_or_default().split_inclusive('\n');
    // What stands before the first brace has lines of its own in the schema's text only after the one that opens the quotes.
    let before = said.get(..opens).map_or(0, |before| line_of(before, before.len()) - 1);
    let skipped = if before == 0 { 0 } else { before - 1 };
    let line = error.line.saturating_sub(1).saturating_sub(skipped);
    let inner: usize = lines.take(line).map(str::len).sum();
    let place = if error.pointer.is_empty() { String::new() } else { format!(", at {}", error.pointer) };
    let start = at.start + opens + inner;
    Mistake::new(start..start, format!("the schema{place}: {}", error.why))
}

impl SchemaFile {
    fn named(kind: Kind, name: String, at: Range<usize>) -> Result<SchemaFile, Mistake> {
        let Some(path) = beside::named(&name) else {
            let why = format!(
                "{name:?} is no file beside the profile; write a name such as \"{}.schema.json\", or the schema itself, which begins \
                 with a brace",
                kind.word()
            );
            return Err(Mistake::new(at, why));
        };
        Ok(SchemaFile { kind, name: path, at })
    }

    /// Reads it; blocks on the disk.
    pub(super) fn read(&self, folder: &Path) -> Result<(Kind, KindSchema), Mistake> {
        let name = self.name.display();
        let wrong = |why: String| Mistake::new(self.at.clone(), why);
        let text = beside::read(&folder.join(&self.name), SCHEMA_MAX_BYTES)
            .map_err(|why| wrong(format!("{name} cannot be read: {why}")))?;
        let schema = KindSchema::parse(&text).map_err(|error| wrong(format!("{name}, {error}")))?;
        Ok((self.kind, schema))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::profile::{Profile, ProfileError};

    const TEXT: &str = r#"name = "x"
broker.url = "mqtt://h"
shadows.enabled = true

[[kind]]
kind = "lamp"
desired_schema = "lamp.schema.json"

[[kind]]
kind = "other"
desired_schema = '''
{
  "type": "object",
  "properties": { "level": { "type": "integer" } }
}'''
"#;

    fn parse(text: &str, file: &str) -> Result<Profile, ProfileError> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("lamp.schema.json"), file).unwrap();
        std::fs::create_dir(folder.path().join("folder.json")).unwrap();
        Profile::parse_in(folder.path(), text, "x.toml")
    }

    #[test]
    fn a_profile_says_what_its_kinds_may_hold() {
        let schemas = parse(TEXT, r#"{"properties": {"scene": {"type": "boolean"}}}"#).unwrap().schemas;
        let pointers = |kind| schemas.controls_of_kind(kind).iter().map(|c| c.pointer.to_string()).collect::<Vec<_>>();
        assert_eq!(pointers(Kind::Lamp), ["/scene"], "the file takes the place of what the program says");
        assert_eq!(pointers(Kind::Bin), ["/interval_s"], "what the profile does not speak of stays");
        let other = &schemas.of_kind(Kind::Other).unwrap().schema;
        assert!(other.check(&json!({"level": 1.5})).len() == 1 && other.check(&json!({"level": 2})).is_empty());
        let config = parse(TEXT, "{}").unwrap().fleet_config(String::new());
        assert_eq!(config.schemas.controls_of_kind(Kind::Lamp), []);
    }

    #[test]
    fn the_schema_of_the_guide_is_one() {
        let guide = include_str!("../../../../docs/guide/profiles.md");
        let (_, after) = guide.split_once("```json\n{\n  \"type\": \"object\"").unwrap();
        let (rest, _) = after.split_once("```").unwrap();
        let of = KindSchema::parse(&format!("{{\"type\": \"object\"{rest}")).unwrap();
        let controls: Vec<&str> = of.controls.iter().map(|control| control.pointer.as_ref()).collect();
        assert_eq!(controls, ["/dim_pct", "/radio/apn", "/radio/power"]);
    }

    #[test]
    fn every_mistake_is_told_with_its_line_or_its_file() {
        let good = r#"{"properties": {}}"#;
        for (given, instead, file, line, want) in [
            ("\"lamp\"", "\"lantern\"", good, 6, "\"lantern\" is no kind; there are parking, lamp"),
            ("\"other\"", "\"lamp\"", good, 10, "the kind \"lamp\" stands here twice"),
            ("desired_schema", "schema", good, 7, "unknown field `schema`"),
            ("lamp.schema.json", "../lamp.schema.json", good, 7, "no file beside the profile; write a name such as"),
            ("lamp.schema.json", "/etc/lamp.json", good, 7, "no file beside the profile"),
            ("lamp.schema.json", "lamp.password", good, 7, "no file beside the profile"),
            ("lamp.schema.json", "none.json", good, 7, "none.json cannot be read"),
            ("lamp.schema.json", "folder.json", good, 7, "it is no file"),
            (
                "",
                "",
                "{\n\"properties\": {\n\"a\": {\"type\": \"int\"}}}",
                7,
                "lamp.schema.json, line 3, at /properties/a/type: a type is",
            ),
            ("", "", "{\n\"a\" 1}", 7, "lamp.schema.json, line 2: not JSON"),
            ("", "", "{\"type\": \"array\"}", 7, "what is desired is an object"),
            ("\"integer\"", "\"int\"", good, 14, "the schema, at /properties/level/type: a type is one of"),
            ("'''\n{", "'''{", good, 13, "a type is one of"),
            ("  \"type\": \"object\",", "  \"type\": \"object\"", good, 14, "the schema: not JSON"),
        ] {
            let mut text = TEXT.replacen(given, instead, 1);
            if given.contains('{') {
                text = text.replace("\"integer\"", "\"int\"");
            }
            let error = parse(&text, file).unwrap_err();
            let ProfileError::Wrong { line: at, ref why, .. } = error else { panic!("{instead}: {error}") };
            assert!(why.contains(want) && at == line, "{instead}: {error}");
        }
        let long = parse(TEXT, &" ".repeat(SCHEMA_MAX_BYTES + 100)).unwrap_err().to_string();
        assert!(long.contains("it has more than"), "{long}");
        let one_line =
            TEXT.replace("\n{\n", "{").replace(",\n", ",").replace(" }\n}", " } }").replace("\"integer\"", "\"int\"");
        let ProfileError::Wrong { line, .. } = parse(&one_line, good).unwrap_err() else { panic!("{one_line}") };
        assert_eq!(line, 11);
    }
}
