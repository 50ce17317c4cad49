//! XML that strangers sent, as a tree: bounded in size, depth and count. A document type is refused, and with it every entity but
//! the five that XML has by itself: nothing can be fetched, and nothing grows.
//!
//! Names are without their prefixes: which one stands for which namespace differs from publisher to publisher, and the standards
//! read here call nothing by one name twice at one place.

use std::ops::Range;

use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use crate::WireError;
use crate::quote::{QUOTE_MAX_CHARS, quote};

/// Elements within each other.
const NESTING_MAX: usize = 32;

/// Elements in all.
const ELEMENTS_MAX: usize = 20_000;

/// Attributes of one element.
const ATTRIBUTES_MAX: usize = 32;

/// An element and what is in it.
#[derive(Debug, Default)]
pub(crate) struct Element {
    /// Its name without a prefix.
    pub(crate) name: String,
    /// Names without prefixes, and values.
    attributes: Vec<(String, String)>,
    /// Elements in it, in their order.
    pub(crate) children: Vec<Element>,
    /// All its own text.
    text: String,
    /// Where its text stands in the document, in bytes, where it is in one piece and as it is written.
    pub(crate) place: Option<Range<usize>>,
}

impl Element {
    /// The first element in it of one of these names, the best name first.
    pub(crate) fn child(&self, names: &[&str]) -> Option<&Element> {
        names.iter().find_map(|name| self.children.iter().find(|child| child.name == *name))
    }

    /// The elements in it of a name.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Element> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The first element below it, however deep, of which `is` holds.
    pub(crate) fn find(&self, is: &impl Fn(&Element) -> bool) -> Option<&Element> {
        self.children.iter().find_map(|child| if is(child) { Some(child) } else { child.find(is) })
    }

    /// An attribute's value.
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(has, _)| has == name).map(|(_, value)| value.as_str())
    }

    /// Its own text without the space around it.
    pub(crate) fn text(&self) -> &str {
        self.text.trim()
    }
}

/// The root of a document of at most `max_bytes`.
pub(crate) fn document(payload: &[u8], max_bytes: usize) -> Result<Element, WireError> {
    if payload.len() > max_bytes {
        return Err(WireError::TooLarge { given: payload.len(), max: max_bytes });
    }
    let text = std::str::from_utf8(payload).map_err(|error| WireError::NotUtf8 { at: error.valid_up_to() })?;
    // A byte order mark is no part of the text, but of the places in it.
    let marked = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mark = text.len() - marked.len();
    let mut reader = Reader::from_str(marked);
    let mut tree = Tree::default();
    loop {
        let from = reader.buffer_position();
        let event = reader.read_event().map_err(|error| bad(&error.to_string()))?;
        match event {
            Event::Start(start) => tree.open(&start)?,
            Event::Empty(start) => {
                tree.open(&start)?;
                tree.close()?;
            }
            Event::End(_) => tree.close()?,
            Event::Text(piece) => {
                let place = usize::try_from(from).ok().zip(usize::try_from(reader.buffer_position()).ok());
                tree.say(&piece.xml10_content(), place.map(|(from, to)| mark + from..mark + to))?;
            }
            Event::CData(piece) => tree.say(&piece.xml10_content(), None)?,
            Event::GeneralRef(entity) => tree.say(&replaced(&entity)?, None)?,
            Event::DocType(_) => return Err(bad("it declares a document type, which nobody here follows")),
            Event::Decl(decl) => {
                let encoding = decl.encoding().and_then(Result::ok);
                if let Some(other) = encoding.filter(|name| !name.eq_ignore_ascii_case("utf-8")) {
                    return Err(bad(&format!("it says that it is written in {}; UTF-8 is read", quote(&other, 40))));
                }
            }
            Event::Comment(_) | Event::PI(_) => {}
            Event::Eof => return tree.root(),
        }
    }
}

/// What an entity or a numbered character stands for.
fn replaced(entity: &BytesRef<'_>) -> Result<String, WireError> {
    let unknown = || bad(&format!("nobody said what &{}; stands for", quote(entity, 40)));
    let character = entity.resolve_char_ref().map_err(|_| unknown())?;
    match character {
        Some(c) if c.is_control() && !matches!(c, '\t' | '\n' | '\r') => Err(unknown()),
        Some(c) => Ok(c.to_string()),
        None => resolve_predefined_entity(entity).map(str::to_owned).ok_or_else(unknown),
    }
}

fn bad(why: &str) -> WireError {
    WireError::BadXml { why: quote(why, QUOTE_MAX_CHARS) }
}

/// A document while it is read.
#[derive(Default)]
struct Tree {
    /// What is not closed yet, outermost first.
    open: Vec<Element>,
    root: Option<Element>,
    elements: usize,
}

impl Tree {
    fn open(&mut self, start: &BytesStart<'_>) -> Result<(), WireError> {
        self.elements += 1;
        if self.root.is_some() {
            return Err(bad("it has more than one root"));
        }
        if self.open.len() >= NESTING_MAX {
            return Err(bad(&format!("more than {NESTING_MAX} elements lie within each other")));
        }
        if self.elements > ELEMENTS_MAX {
            return Err(bad(&format!("it has more than {ELEMENTS_MAX} elements")));
        }
        let mut element = Element { name: start.local_name().as_ref().to_owned(), ..Element::default() };
        for attribute in start.attributes() {
            if element.attributes.len() >= ATTRIBUTES_MAX {
                return Err(bad(&format!("an element has more than {ATTRIBUTES_MAX} attributes")));
            }
            let attribute = attribute.map_err(|error| bad(&error.to_string()))?;
            let value = attribute.normalized_value(XmlVersion::Implicit1_0).map_err(|error| bad(&error.to_string()))?;
            element.attributes.push((attribute.key.local_name().as_ref().to_owned(), value.into_owned()));
        }
        self.open.push(element);
        Ok(())
    }

    fn close(&mut self) -> Result<(), WireError> {
        let closed = self.open.pop().ok_or_else(|| bad("an element ends that did not begin"))?;
        match self.open.last_mut() {
            Some(around) => around.children.push(closed),
            None => self.root = Some(closed),
        }
        Ok(())
    }

    fn say(&mut self, text: &str, place: Option<Range<usize>>) -> Result<(), WireError> {
        match self.open.last_mut() {
            Some(element) => {
                element.place = place.filter(|_| element.text.is_empty());
                element.text += text;
                Ok(())
            }
            None if text.trim().is_empty() => Ok(()),
            None => Err(bad("there is text outside its root")),
        }
    }

    fn root(self) -> Result<Element, WireError> {
        match self.open.last() {
            Some(open) => Err(bad(&format!("it ends before its element {}", quote(&open.name, 40)))),
            None => self.root.ok_or_else(|| bad("it has no element")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Element, WireError> {
        document(text.as_bytes(), 64 * 1024)
    }

    #[test]
    fn a_document_is_a_tree_without_prefixes() {
        let text = "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<!-- c --><p:a xmlns:p=\"u\" p:type=\"x&amp;y\">\r\n <b>1</b>\
            <c><![CDATA[<2>]]>&lt;&#x41;</c><b/></p:a>\n";
        let root = read(text).unwrap();
        assert_eq!((root.name.as_str(), root.attribute("type"), root.text()), ("a", Some("x&y"), ""));
        assert_eq!(root.child(&["z", "c"]).unwrap().text(), "<2><A");
        assert_eq!(root.all("b").map(Element::text).collect::<Vec<_>>(), ["1", ""]);
        assert_eq!(text.get(root.child(&["b"]).unwrap().place.clone().unwrap()), Some("1"));
        assert!(root.find(&|element| element.text() == "1").is_some());
    }

    #[test]
    fn what_is_no_bounded_xml_is_refused_with_the_reason() {
        let deep = "<a>".repeat(10_000);
        let wide = format!("<a {}/>", (0..40).map(|i| format!("a{i}=\"\" ")).collect::<String>());
        let bomb = r#"<!DOCTYPE a [<!ENTITY x "ha"><!ENTITY y "&x;&x;">]><a>&y;</a>"#;
        for (text, says) in [
            ("", "it has no element"),
            ("{}", "text outside its root"),
            ("<a>", "ends before its element a"),
            ("<a></b>", "cannot be read"),
            ("</a>", "cannot be read"),
            ("<a/><a/>", "more than one root"),
            ("<a>&y;</a>", "nobody said what &y; stands for"),
            ("<a>&#0;</a>", "nobody said what &#0; stands for"),
            ("<a b=\"&y;\"/>", "cannot be read"),
            ("<a b=\"1\" b=\"2\"/>", "cannot be read"),
            ("<a><b</a>", "cannot be read"),
            ("<?xml version=\"1.0\" encoding=\"latin1\"?><a/>", "written in latin1; UTF-8 is read"),
            (bomb, "declares a document type"),
            (deep.as_str(), "more than 32 elements lie within each other"),
            (wide.as_str(), "more than 32 attributes"),
        ] {
            let error = read(text).unwrap_err().to_string();
            assert!(error.contains(says), "{text:.40}: {error}");
        }
        let many = format!("<a>{}</a>", "<b/>".repeat(ELEMENTS_MAX));
        let error = document(many.as_bytes(), 256 * 1024).unwrap_err().to_string();
        assert!(error.contains("more than 20000 elements"), "{error}");
        assert!(document(b"<a/>", 3).unwrap_err().to_string().contains("at most 3"));
        assert!(document(b"<a>\xff</a>", 99).unwrap_err().to_string().contains("UTF-8 from byte 3"));
    }
}
