//! A JSON text with the place of everything in it: names in the order they were written, and where each value begins. For people
//! who are told what is wrong with a text, and where.

use serde_json::Value as Json;

/// A value and where it begins.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Byte of the text.
    pub at: usize,
    /// What it is.
    pub held: Held,
}

/// What a [`Node`] is.
#[derive(Clone, Debug, PartialEq)]
pub enum Held {
    /// Members in the order of the text; one name may stand there twice.
    Object(Vec<Member>),
    /// The items of an array.
    List(Vec<Node>),
    /// Anything else.
    Scalar(Json),
}

/// A name of an object with its value.
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    /// Byte of the text where the name begins.
    pub at: usize,
    /// The name.
    pub name: String,
    /// What it holds.
    pub value: Node,
}

impl Node {
    /// Reads a text; the error is the JSON reader's own, with line and column. Nesting is bounded by `serde_json` (128).
    pub fn read(text: &str) -> Result<Node, serde_json::Error> {
        // What follows reads only what is known to be right.
        let whole: Json = serde_json::from_str(text)?;
        Ok(Scanner { text, at: 0 }.node().unwrap_or(Node { at: 0, held: Held::Scalar(whole) }))
    }

    /// The value without places. Of a name that stands there twice the last one holds.
    pub fn json(&self) -> Json {
        match &self.held {
            Held::Object(members) => members.iter().map(|m| (m.name.clone(), m.value.json())).collect(),
            Held::List(items) => items.iter().map(Node::json).collect(),
            Held::Scalar(json) => json.clone(),
        }
    }

    /// Where a JSON pointer (RFC 6901) leads: the byte of the name or item, else of the innermost thing around it that is there.
    pub fn place(&self, pointer: &str) -> usize {
        let Some((token, rest)) = first_token(pointer) else { return self.at };
        match &self.held {
            Held::Object(members) => match members.iter().rev().find(|member| member.name == token) {
                Some(member) if rest.is_empty() => member.at,
                Some(member) => member.value.place(rest).max(member.at),
                None => self.at,
            },
            Held::List(items) => match token.parse().ok().and_then(|nth: usize| items.get(nth)) {
                Some(item) => item.place(rest),
                None => self.at,
            },
            Held::Scalar(_) => self.at,
        }
    }
}

/// The first step of a pointer, unescaped, and what is left of it; `None` where it leads nowhere further.
pub fn first_token(pointer: &str) -> Option<(String, &str)> {
    let inner = pointer.strip_prefix('/')?;
    let end = inner.find('/').unwrap_or(inner.len());
    let (token, rest) = inner.split_at_checked(end)?;
    Some((token.replace("~1", "/").replace("~0", "~"), rest))
}

/// The line of a byte, from 1.
pub fn line_of(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1
}

/// Walks a text that is JSON.
struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl Scanner<'_> {
    /// The next byte that is no space.
    fn peek(&mut self) -> Option<u8> {
        let rest = self.text.as_bytes().get(self.at..)?;
        let spaces = rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        self.at += spaces;
        rest.get(spaces).copied()
    }

    fn node(&mut self) -> Option<Node> {
        let (first, at) = (self.peek()?, self.at);
        let held = match first {
            b'{' => {
                let mut members = Vec::new();
                self.at += 1;
                while self.peek()? != b'}' {
                    if self.peek()? == b',' {
                        self.at += 1;
                        self.peek()?;
                    }
                    let at = self.at;
                    let name = self.scalar()?.as_str()?.to_owned();
                    self.peek().filter(|byte| *byte == b':')?;
                    self.at += 1;
                    members.push(Member { at, name, value: self.node()? });
                }
                self.at += 1;
                Held::Object(members)
            }
            b'[' => {
                let mut items = Vec::new();
                self.at += 1;
                while self.peek()? != b']' {
                    if self.peek()? == b',' {
                        self.at += 1;
                    }
                    items.push(self.node()?);
                }
                self.at += 1;
                Held::List(items)
            }
            _ => Held::Scalar(self.scalar()?),
        };
        Some(Node { at, held })
    }

    fn scalar(&mut self) -> Option<Json> {
        let rest = self.text.as_bytes().get(self.at..)?;
        let length = if rest.first() == Some(&b'"') {
            let mut escaped = false;
            let is_end = |byte: &u8| {
                let ends = *byte == b'"' && !escaped;
                escaped = *byte == b'\\' && !escaped;
                ends
            };
            rest.iter().skip(1).position(is_end)? + 2
        } else {
            let is_end = |byte: &u8| matches!(byte, b',' | b']' | b'}') || byte.is_ascii_whitespace();
            rest.iter().position(is_end).unwrap_or(rest.len())
        };
        let value = serde_json::from_str(self.text.get(self.at..self.at + length)?).ok()?;
        self.at += length;
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_pointer_leads_to_the_line_of_its_name() {
        let text = "{\n  \"b\": {\n    \"a/~\": [1,\n      {\"x\": \"\\\"}\"}]\n  },\n  \"a\":\n  2\n}";
        let node = Node::read(text).unwrap();
        for (pointer, line) in [
            ("", 1),
            ("/b", 2),
            ("/b/a~1~0", 3),
            ("/b/a~1~0/0", 3),
            ("/b/a~1~0/1/x", 4),
            ("/a", 6),
            ("/b/not/there", 2),
            ("/not", 1),
        ] {
            assert_eq!(line_of(text, node.place(pointer)), line, "{pointer}");
        }
        let Held::Object(members) = &node.held else { panic!("{node:?}") };
        assert_eq!(members.iter().map(|member| member.name.as_str()).collect::<Vec<_>>(), ["b", "a"]);
        assert_eq!(Node::read("{\n\"a\" 1}").unwrap_err().line(), 2);
    }

    fn any_json() -> impl Strategy<Value = Json> {
        let leaf = prop_oneof![
            Just(json!(null)),
            any::<bool>().prop_map(Json::from),
            any::<i64>().prop_map(Json::from),
            (-1e9..1e9).prop_map(|n: f64| json!(n)),
            any::<String>().prop_map(Json::from),
        ];
        leaf.prop_recursive(4, 32, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Json::from),
                prop::collection::btree_map(any::<String>(), inner, 0..6)
                    .prop_map(|map| map.into_iter().collect::<serde_json::Map<_, _>>().into()),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_read_is_what_any_reader_reads(json in any_json(), is_pretty: bool) {
            let text = if is_pretty { format!("{json:#}") } else { json.to_string() };
            let node = Node::read(&text).unwrap();
            prop_assert_eq!(node.json(), serde_json::from_str::<Json>(&text).unwrap());
        }
    }
}
