//! Home Assistant's templates: Jinja, as much of it as announcements carry, evaluated within bounds.
//!
//! Read are `{{ … }}`, `{# … #}`, `{% if %}`, `{% set %}`, whitespace control, all of Jinja's expressions, and those filters, tests
//! and functions that need nothing but the message. What needs Home Assistant itself (`states`, `now`, timestamps) or has no bounds
//! (loops, macros, regular expressions) is refused where it is announced, by name.
//!
//! Our own, because a stranger writes them: every step costs fuel in proportion to the bytes it touches, and no text grows beyond
//! [`BUILT_MAX_BYTES`]. A template engine that only counts instructions lets `{{ 'a' * 100000000 }}` allocate as it likes, already
//! while it folds constants. Source: Jinja 3, "Template Designer Documentation"; Home Assistant, "Templating" and "Using templates
//! with the MQTT integration".

/// Makes an enum of words, and the way from a word to it.
macro_rules! named {
    ($(#[$doc:meta])* $name:ident { $($variant:ident: $($word:literal)|+),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum $name {
            $($variant),+
        }

        impl $name {
            /// The one a word means, if it is known.
            pub(super) fn named(word: &str) -> Option<$name> {
                match word {
                    $($($word)|+ => Some($name::$variant),)+
                    _ => None,
                }
            }
        }
    };
}

mod functions;
mod lexer;
mod methods;
mod parser;
mod value;

use std::collections::BTreeMap;

use serde_json::Value as Json;
use thiserror::Error;

use functions::{Filter, Function};
use methods::{Method, Test};
use value::Val;

/// The longest template, in bytes.
pub(super) const SOURCE_MAX_BYTES: usize = 8 * 1024;

/// The longest text a template may put together, in bytes.
pub(super) const BUILT_MAX_BYTES: usize = 64 * 1024;

/// What one message may cost in all its templates, in steps; a step is a node of an expression or 64 bytes touched.
pub(super) const MESSAGE_FUEL: u32 = 1_000_000;

/// A template that was read; rendered for every message.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Template {
    nodes: Vec<Node>,
    /// Of its words when it was read.
    words: usize,
}

/// Why a template could not be read or rendered. Its texts are bounded where they are made.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(super) enum Fault {
    /// It is not written as templates are, or asks for what is not known here.
    #[error("{0}")]
    Unreadable(String),
    /// It asks for something the message does not carry.
    #[error("{0} is not in the message")]
    Undefined(String),
    /// A step cannot be done with what it was given.
    #[error("{0}")]
    Impossible(String),
    /// It costs more than a message may.
    #[error("its templates take more steps than the {MESSAGE_FUEL} that one message may cost")]
    OutOfFuel,
    /// It puts together more text than allowed.
    #[error("it puts together more than {BUILT_MAX_BYTES} bytes")]
    TooLong,
}

/// What the templates of one message may still cost.
#[derive(Debug)]
pub(super) struct Fuel(u32);

impl Fuel {
    /// A full tank.
    pub(super) fn of_a_message() -> Fuel {
        Fuel(MESSAGE_FUEL)
    }

    /// Takes what touching `bytes` costs.
    pub(super) fn spend(&mut self, bytes: usize) -> Result<(), Fault> {
        let steps = u32::try_from(bytes / 64).unwrap_or(u32::MAX).saturating_add(1);
        self.0 = self.0.checked_sub(steps).ok_or(Fault::OutOfFuel)?;
        Ok(())
    }
}

/// A piece of a template.
#[derive(Clone, Debug, PartialEq)]
enum Node {
    Raw(String),
    Emit(Expr),
    Set(String, Expr),
    /// Branches in their order, and what stands for none of them.
    If(Vec<(Expr, Vec<Node>)>, Vec<Node>),
}

#[derive(Clone, Debug, PartialEq)]
enum Expr {
    Literal(Json),
    Name(String),
    List(Vec<Expr>),
    Map(Vec<(Expr, Expr)>),
    Get(Box<Expr>, Box<Expr>),
    Slice(Box<Expr>, Option<Box<Expr>>, Option<Box<Expr>>),
    Not(Box<Expr>),
    Negative(Box<Expr>),
    And(Box<Expr>, Box<Expr>),
    Or(Box<Expr>, Box<Expr>),
    /// Condition, then, else; without an else undefined.
    Either(Box<Expr>, Box<Expr>, Option<Box<Expr>>),
    Binary(Binary, Box<Expr>, Box<Expr>),
    Filter(Filter, Box<Expr>, Arguments),
    Test(Test, Box<Expr>, Vec<Expr>),
    Call(Function, Arguments),
    Method(Method, Box<Expr>, Vec<Expr>),
}

/// What a filter or a function is given, in order or by name.
type Arguments = Vec<(Option<String>, Expr)>;

/// Operators between two values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Binary {
    Calculate(Arithmetic),
    Concat,
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
    NotIn,
}

/// Operators between two numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    FloorDivide,
    Remainder,
    Power,
}

impl Template {
    /// Reads a template, or says what in it cannot be read.
    pub(super) fn parse(source: &str) -> Result<Template, Fault> {
        if source.len() > SOURCE_MAX_BYTES {
            let given = source.len();
            return Err(Fault::Unreadable(format!("it has {given} bytes; at most {SOURCE_MAX_BYTES} are read")));
        }
        let tokens = lexer::tokens(source)?;
        let words = tokens.len();
        Ok(Template { nodes: parser::parse(tokens)?, words })
    }

    /// What remembering it takes, in bytes: no word becomes more than two nodes.
    pub(super) fn weight(&self) -> usize {
        self.words * 2 * size_of::<Expr>()
    }

    /// What it makes of the variables given, without the space around it, as Home Assistant takes it.
    pub(super) fn render(&self, given: &[(&str, &Json)], fuel: &mut Fuel) -> Result<String, Fault> {
        let mut scope = Scope { given, set: BTreeMap::new(), fuel, out: String::new() };
        scope.run(&self.nodes)?;
        Ok(scope.out.trim().to_owned())
    }
}

/// A rendering on its way.
struct Scope<'a, 'f> {
    given: &'a [(&'a str, &'a Json)],
    set: BTreeMap<&'a str, Val<'a>>,
    fuel: &'f mut Fuel,
    out: String,
}

impl<'a> Scope<'a, '_> {
    fn run(&mut self, nodes: &'a [Node]) -> Result<(), Fault> {
        for node in nodes {
            match node {
                Node::Raw(text) => self.emit(text)?,
                Node::Emit(expr) => {
                    let text = self.eval(expr)?.text().into_owned();
                    self.emit(&text)?;
                }
                Node::Set(name, expr) => {
                    let value = self.eval(expr)?;
                    self.set.insert(name, value);
                }
                Node::If(branches, otherwise) => {
                    let mut body = otherwise;
                    for (condition, then) in branches {
                        if self.eval(condition)?.is_true() {
                            body = then;
                            break;
                        }
                    }
                    self.run(body)?;
                }
            }
        }
        Ok(())
    }

    fn emit(&mut self, text: &str) -> Result<(), Fault> {
        self.fuel.spend(text.len())?;
        if self.out.len() + text.len() > BUILT_MAX_BYTES {
            return Err(Fault::TooLong);
        }
        self.out.push_str(text);
        Ok(())
    }

    /// What an expression is. Each kind has a function of its own, so that a deep expression takes little of the stack.
    fn eval(&mut self, expr: &'a Expr) -> Result<Val<'a>, Fault> {
        self.fuel.spend(0)?;
        match expr {
            Expr::Literal(json) => Ok(Val::of(json)),
            Expr::Name(name) => self.name(name),
            Expr::List(items) => self.list(items),
            Expr::Map(members) => self.map(members),
            Expr::Get(of, at) => self.get(of, at),
            Expr::Slice(of, from, to) => self.slice(of, from.as_deref(), to.as_deref()),
            Expr::Not(of) => Ok(Val::flag(!self.eval(of)?.is_true())),
            Expr::Negative(of) => value::binary(Binary::Calculate(Arithmetic::Subtract), &Val::int(0), &self.eval(of)?),
            Expr::And(left, right) => self.either(left, right, false),
            Expr::Or(left, right) => self.either(left, right, true),
            Expr::Either(condition, then, otherwise) => self.branch(condition, then, otherwise.as_deref()),
            Expr::Binary(op, left, right) => self.binary(*op, left, right),
            Expr::Filter(filter, of, arguments) => self.filter(*filter, of, arguments),
            Expr::Test(test, of, arguments) => self.test(*test, of, arguments),
            Expr::Call(function, arguments) => function.call(&self.arguments(arguments)?),
            Expr::Method(method, of, arguments) => self.method(*method, of, arguments),
        }
    }

    fn name(&mut self, name: &'a str) -> Result<Val<'a>, Fault> {
        if let Some(value) = self.set.get(name) {
            self.fuel.spend(value.bytes())?;
            return Ok(value.clone());
        }
        let given = self.given.iter().find(|(given, _)| *given == name);
        Ok(given.map_or_else(|| Val::Undefined(name.to_owned()), |(_, json)| Val::of(json)))
    }

    fn list(&mut self, items: &'a [Expr]) -> Result<Val<'a>, Fault> {
        let items = items.iter().map(|item| self.built(item)).collect::<Result<Vec<Json>, Fault>>()?;
        Ok(Val::new(Json::Array(items)))
    }

    fn map(&mut self, members: &'a [(Expr, Expr)]) -> Result<Val<'a>, Fault> {
        let mut map = serde_json::Map::new();
        for (key, value) in members {
            let key = self.eval(key)?.text().into_owned();
            map.insert(key, self.built(value)?);
        }
        Ok(Val::new(Json::Object(map)))
    }

    fn get(&mut self, of: &'a Expr, at: &'a Expr) -> Result<Val<'a>, Fault> {
        let of = self.eval(of)?;
        value::get(of, &self.eval(at)?)
    }

    fn slice(&mut self, of: &'a Expr, from: Option<&'a Expr>, to: Option<&'a Expr>) -> Result<Val<'a>, Fault> {
        let of = self.eval(of)?;
        let from = from.map(|from| self.eval(from)).transpose()?;
        let to = to.map(|to| self.eval(to)).transpose()?;
        self.fuel.spend(of.bytes())?;
        value::slice(&of, from.as_ref(), to.as_ref())
    }

    /// The left one where it decides, else the right one: of `or` what is true decides, of `and` what is not.
    fn either(&mut self, left: &'a Expr, right: &'a Expr, decides: bool) -> Result<Val<'a>, Fault> {
        let left = self.eval(left)?;
        if left.is_true() == decides { Ok(left) } else { self.eval(right) }
    }

    fn branch(&mut self, condition: &'a Expr, then: &'a Expr, otherwise: Option<&'a Expr>) -> Result<Val<'a>, Fault> {
        match (self.eval(condition)?.is_true(), otherwise) {
            (true, _) => self.eval(then),
            (false, Some(otherwise)) => self.eval(otherwise),
            (false, None) => Ok(Val::Undefined("the other case".to_owned())),
        }
    }

    fn binary(&mut self, op: Binary, left: &'a Expr, right: &'a Expr) -> Result<Val<'a>, Fault> {
        let (left, right) = (self.eval(left)?, self.eval(right)?);
        self.fuel.spend(left.bytes() + right.bytes())?;
        value::binary(op, &left, &right)
    }

    fn filter(&mut self, filter: Filter, of: &'a Expr, arguments: &'a Arguments) -> Result<Val<'a>, Fault> {
        let of = self.eval(of)?;
        let arguments = self.arguments(arguments)?;
        self.fuel.spend(of.bytes())?;
        filter.apply(of, &arguments)
    }

    fn test(&mut self, test: Test, of: &'a Expr, arguments: &'a [Expr]) -> Result<Val<'a>, Fault> {
        let of = self.eval(of)?;
        let arguments = arguments.iter().map(|argument| self.eval(argument)).collect::<Result<Vec<_>, _>>()?;
        self.fuel.spend(of.bytes())?;
        test.holds(&of, &arguments).map(Val::flag)
    }

    fn method(&mut self, method: Method, of: &'a Expr, arguments: &'a [Expr]) -> Result<Val<'a>, Fault> {
        let of = self.eval(of)?;
        let arguments = arguments.iter().map(|argument| self.eval(argument)).collect::<Result<Vec<_>, _>>()?;
        self.fuel.spend(of.bytes())?;
        method.call(&of, &arguments)
    }

    /// A value that becomes part of another, and is paid for as the copy that it is.
    fn built(&mut self, expr: &'a Expr) -> Result<Json, Fault> {
        let value = self.eval(expr)?;
        self.fuel.spend(value.bytes())?;
        if value.bytes() > BUILT_MAX_BYTES {
            return Err(Fault::TooLong);
        }
        if value.depth() >= functions::NESTING_MAX {
            return Err(Fault::Impossible(format!("it puts together more than {} brackets", functions::NESTING_MAX)));
        }
        Ok(value.into_json())
    }

    fn arguments(&mut self, given: &'a Arguments) -> Result<functions::Given<'a>, Fault> {
        let mut arguments = functions::Given::default();
        for (name, expr) in given {
            let value = self.eval(expr)?;
            match name {
                Some(name) => arguments.named.push((name, value)),
                None => arguments.plain.push(value),
            }
        }
        Ok(arguments)
    }
}

#[cfg(test)]
mod tests;
