//! From the words of a template to what they mean.

mod expression;

use super::lexer::Token;
use super::{Fault, Node};
use crate::quote::quote;

/// Brackets and branches within each other.
const NESTING_MAX: usize = 24;

/// Operators, filters and members in one expression; each is a level where it is evaluated.
const LINKS_MAX: usize = 120;

/// Reads a whole template.
pub(super) fn parse(tokens: Vec<Token>) -> Result<Vec<Node>, Fault> {
    let mut parser = Parser { tokens: tokens.into_iter().peekable(), depth: 0, links: 0 };
    let (nodes, ended_by) = parser.nodes()?;
    match ended_by {
        None => Ok(nodes),
        Some(word) => Err(Fault::Unreadable(format!("{word} stands where no if is open"))),
    }
}

struct Parser {
    tokens: std::iter::Peekable<std::vec::IntoIter<Token>>,
    depth: usize,
    /// Of the outermost expression that is being read.
    links: usize,
}

impl Parser {
    /// Pieces up to the end or to a word that ends a branch, which is given back.
    fn nodes(&mut self) -> Result<(Vec<Node>, Option<&'static str>), Fault> {
        let mut nodes = Vec::new();
        while let Some(token) = self.tokens.next() {
            match token {
                Token::Raw(text) => nodes.push(Node::Raw(text)),
                Token::EmitOpens => {
                    nodes.push(Node::Emit(self.expr()?));
                    self.closes()?;
                }
                Token::BlockOpens => match self.name()?.as_str() {
                    "if" => nodes.push(self.branches()?),
                    "elif" => return Ok((nodes, Some("elif"))),
                    "else" => return Ok((nodes, Some("else"))),
                    "endif" => return Ok((nodes, Some("endif"))),
                    "set" => {
                        let name = self.name()?;
                        self.sign("=")?;
                        nodes.push(Node::Set(name, self.expr()?));
                        self.closes()?;
                    }
                    word => {
                        let word = quote(word, 40);
                        return Err(Fault::Unreadable(format!("{{% {word} %}} is not read here; if and set are")));
                    }
                },
                token @ (Token::Closes | Token::Name(_) | Token::Literal(_) | Token::Sign(_)) => {
                    return Err(unexpected(Some(&token)));
                }
            }
        }
        Ok((nodes, None))
    }

    fn branches(&mut self) -> Result<Node, Fault> {
        self.deeper(|parser| {
            let mut branches = Vec::new();
            loop {
                let condition = parser.expr()?;
                parser.closes()?;
                let (body, ended_by) = parser.nodes()?;
                branches.push((condition, body));
                match ended_by {
                    Some("elif") => {}
                    Some("else") => {
                        parser.closes()?;
                        let (otherwise, ended_by) = parser.nodes()?;
                        parser.closes()?;
                        return match ended_by {
                            Some("endif") => Ok(Node::If(branches, otherwise)),
                            Some(_) | None => Err(Fault::Unreadable("else is not followed by endif".to_owned())),
                        };
                    }
                    Some(_) => {
                        parser.closes()?;
                        return Ok(Node::If(branches, Vec::new()));
                    }
                    None => return Err(Fault::Unreadable("an if is never closed by endif".to_owned())),
                }
            }
        })
    }

    fn deeper<T>(&mut self, read: impl FnOnce(&mut Parser) -> Result<T, Fault>) -> Result<T, Fault> {
        self.depth += 1;
        if self.depth > NESTING_MAX {
            return Err(Fault::Unreadable(format!("it nests deeper than {NESTING_MAX} levels")));
        }
        let read = read(self);
        self.depth -= 1;
        read
    }

    fn link(&mut self) -> Result<(), Fault> {
        self.links += 1;
        if self.links > LINKS_MAX {
            return Err(Fault::Unreadable(format!("an expression has more than {LINKS_MAX} parts")));
        }
        Ok(())
    }

    fn takes(&mut self, sign: &str) -> bool {
        self.tokens.next_if(|token| matches!(token, Token::Sign(given) if *given == sign)).is_some()
    }

    fn takes_word(&mut self, word: &str) -> bool {
        self.tokens.next_if(|token| matches!(token, Token::Name(name) if name == word)).is_some()
    }

    fn sign(&mut self, sign: &str) -> Result<(), Fault> {
        if self.takes(sign) { Ok(()) } else { Err(unexpected(self.tokens.peek())) }
    }

    fn closes(&mut self) -> Result<(), Fault> {
        match self.tokens.next() {
            Some(Token::Closes) => Ok(()),
            token => Err(unexpected(token.as_ref())),
        }
    }

    fn name(&mut self) -> Result<String, Fault> {
        match self.tokens.next() {
            Some(Token::Name(name)) => Ok(name),
            token => Err(unexpected(token.as_ref())),
        }
    }
}

fn unexpected(token: Option<&Token>) -> Fault {
    let what = match token {
        None | Some(Token::Raw(_) | Token::EmitOpens | Token::BlockOpens | Token::Closes) => "an end".to_owned(),
        Some(Token::Name(name)) => format!("{:?}", quote(name, 40)),
        Some(Token::Literal(literal)) => quote(&literal.to_string(), 40),
        Some(Token::Sign(sign)) => format!("{sign:?}"),
    };
    Fault::Unreadable(format!("{what} stands where something else belongs"))
}
