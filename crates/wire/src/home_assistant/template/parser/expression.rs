//! Expressions. Precedence is Jinja's, from `if … else` down to `.`.

use serde_json::Value as Json;

use super::super::functions::{Filter, Function};
use super::super::lexer::Token;
use super::super::methods::{Method, Test};
use super::super::{Arguments, Arithmetic, Binary, Expr, Fault};
use super::{Parser, unexpected};
use crate::quote::quote;

/// A reading of one level of precedence.
type Level = fn(&mut Parser) -> Result<Expr, Fault>;

impl Parser {
    /// A whole expression.
    pub(super) fn expr(&mut self) -> Result<Expr, Fault> {
        self.deeper(|parser| {
            if parser.depth == 1 {
                parser.links = 0;
            }
            let then = parser.or()?;
            if !parser.takes_word("if") {
                return Ok(then);
            }
            let condition = parser.or()?;
            let otherwise = if parser.takes_word("else") { Some(Box::new(parser.expr()?)) } else { None };
            Ok(Expr::Either(Box::new(condition), Box::new(then), otherwise))
        })
    }

    fn or(&mut self) -> Result<Expr, Fault> {
        let mut left = self.and()?;
        while self.takes_word("or") {
            self.link()?;
            left = Expr::Or(Box::new(left), Box::new(self.and()?));
        }
        Ok(left)
    }

    fn and(&mut self) -> Result<Expr, Fault> {
        let mut left = self.not()?;
        while self.takes_word("and") {
            self.link()?;
            left = Expr::And(Box::new(left), Box::new(self.not()?));
        }
        Ok(left)
    }

    fn not(&mut self) -> Result<Expr, Fault> {
        if self.takes_word("not") {
            return self.deeper(|parser| Ok(Expr::Not(Box::new(parser.not()?))));
        }
        self.comparison()
    }

    /// `a < b < c` means `a < b and b < c`, where `b` is said once: only what costs nothing is said twice.
    fn comparison(&mut self) -> Result<Expr, Fault> {
        let left = self.sum()?;
        let Some(op) = self.comparing()? else { return Ok(left) };
        let middle = self.sum()?;
        let again = is_path(&middle).then(|| middle.clone());
        let first = Expr::Binary(op, Box::new(left), Box::new(middle));
        let Some(op) = self.comparing()? else { return Ok(first) };
        let again = again.ok_or_else(|| {
            Fault::Unreadable("a comparison of three is read only with a plain value in the middle".to_owned())
        })?;
        let second = Expr::Binary(op, Box::new(again), Box::new(self.sum()?));
        Ok(Expr::And(Box::new(first), Box::new(second)))
    }

    fn comparing(&mut self) -> Result<Option<Binary>, Fault> {
        if self.takes_word("in") {
            return Ok(Some(Binary::In));
        }
        if self.takes_word("not") {
            return if self.takes_word("in") { Ok(Some(Binary::NotIn)) } else { Err(unexpected(self.tokens.peek())) };
        }
        Ok(self.operator(&[
            ("==", Binary::Equal),
            ("!=", Binary::Unequal),
            ("<=", Binary::LessOrEqual),
            (">=", Binary::GreaterOrEqual),
            ("<", Binary::Less),
            (">", Binary::Greater),
        ]))
    }

    fn sum(&mut self) -> Result<Expr, Fault> {
        self.chain(
            Parser::concat,
            &[("+", Binary::Calculate(Arithmetic::Add)), ("-", Binary::Calculate(Arithmetic::Subtract))],
        )
    }

    fn concat(&mut self) -> Result<Expr, Fault> {
        self.chain(Parser::product, &[("~", Binary::Concat)])
    }

    fn product(&mut self) -> Result<Expr, Fault> {
        let operators = [
            ("*", Binary::Calculate(Arithmetic::Multiply)),
            ("/", Binary::Calculate(Arithmetic::Divide)),
            ("//", Binary::Calculate(Arithmetic::FloorDivide)),
            ("%", Binary::Calculate(Arithmetic::Remainder)),
        ];
        self.chain(Parser::power, &operators)
    }

    fn power(&mut self) -> Result<Expr, Fault> {
        self.chain(Parser::unary, &[("**", Binary::Calculate(Arithmetic::Power))])
    }

    /// Operators of one precedence, from left to right.
    fn chain(&mut self, next: Level, operators: &[(&'static str, Binary)]) -> Result<Expr, Fault> {
        let mut left = next(self)?;
        while let Some(op) = self.operator(operators) {
            self.link()?;
            left = Expr::Binary(op, Box::new(left), Box::new(next(self)?));
        }
        Ok(left)
    }

    /// Filters and tests belong to the number with its sign: `-5|abs` is 5.
    fn unary(&mut self) -> Result<Expr, Fault> {
        let signed = self.signed()?;
        self.filters(signed)
    }

    fn signed(&mut self) -> Result<Expr, Fault> {
        if self.takes("-") {
            return self.deeper(|parser| Ok(Expr::Negative(Box::new(parser.signed()?))));
        }
        if self.takes("+") {
            return self.deeper(Parser::signed);
        }
        let primary = self.primary()?;
        self.postfix(primary)
    }

    fn primary(&mut self) -> Result<Expr, Fault> {
        match self.tokens.next() {
            Some(Token::Literal(Json::String(mut text))) => {
                // Texts beside each other are one.
                while let Some(Token::Literal(Json::String(more))) =
                    self.tokens.next_if(|token| matches!(token, Token::Literal(Json::String(_))))
                {
                    text.push_str(&more);
                }
                Ok(Expr::Literal(Json::String(text)))
            }
            Some(Token::Literal(literal)) => Ok(Expr::Literal(literal)),
            Some(Token::Name(name)) if self.tokens.peek() == Some(&Token::Sign("(")) => {
                let function = Function::named(&name).ok_or_else(|| unknown("function", &name))?;
                self.sign("(")?;
                Ok(Expr::Call(function, self.arguments()?))
            }
            Some(Token::Name(name)) => Ok(match name.as_str() {
                "true" | "True" => Expr::Literal(Json::Bool(true)),
                "false" | "False" => Expr::Literal(Json::Bool(false)),
                "none" | "None" => Expr::Literal(Json::Null),
                _ => Expr::Name(name),
            }),
            Some(Token::Sign("(")) => {
                let (mut items, is_tuple) = self.items(")")?;
                match (items.pop(), is_tuple || !items.is_empty()) {
                    (Some(only), false) => Ok(only),
                    (last, _) => {
                        items.extend(last);
                        Ok(Expr::List(items))
                    }
                }
            }
            Some(Token::Sign("[")) => Ok(Expr::List(self.items("]")?.0)),
            Some(Token::Sign("{")) => {
                let mut members = Vec::new();
                while !self.takes("}") {
                    let key = self.expr()?;
                    self.sign(":")?;
                    members.push((key, self.expr()?));
                    if !self.takes(",") {
                        self.sign("}")?;
                        break;
                    }
                }
                Ok(Expr::Map(members))
            }
            token => Err(unexpected(token.as_ref())),
        }
    }

    /// Expressions up to a bracket, and whether a comma follows the last.
    fn items(&mut self, closes: &'static str) -> Result<(Vec<Expr>, bool), Fault> {
        let mut items = Vec::new();
        while !self.takes(closes) {
            items.push(self.expr()?);
            if !self.takes(",") {
                self.sign(closes)?;
                return Ok((items, false));
            }
        }
        Ok((items, true))
    }

    fn arguments(&mut self) -> Result<Arguments, Fault> {
        let mut arguments = Vec::new();
        while !self.takes(")") {
            let given = self.expr()?;
            let is_name = self.takes("=");
            arguments.push(match (given, is_name) {
                (Expr::Name(name), true) => (Some(name), self.expr()?),
                (_, true) => return Err(unexpected(Some(&Token::Sign("=")))),
                (given, false) => (None, given),
            });
            if !self.takes(",") {
                self.sign(")")?;
                break;
            }
        }
        Ok(arguments)
    }

    fn postfix(&mut self, mut of: Expr) -> Result<Expr, Fault> {
        loop {
            if self.takes(".") {
                self.link()?;
                let at = match self.tokens.next() {
                    Some(Token::Name(name)) if self.takes("(") => {
                        let method = Method::named(&name).ok_or_else(|| unknown("method", &name))?;
                        of = Expr::Method(method, Box::new(of), self.items(")")?.0);
                        continue;
                    }
                    Some(Token::Name(name)) => Json::String(name),
                    Some(Token::Literal(number @ Json::Number(_))) => number,
                    token => return Err(unexpected(token.as_ref())),
                };
                of = Expr::Get(Box::new(of), Box::new(Expr::Literal(at)));
            } else if self.takes("[") {
                self.link()?;
                of = self.subscript(of)?;
            } else {
                return Ok(of);
            }
        }
    }

    fn subscript(&mut self, of: Expr) -> Result<Expr, Fault> {
        let from = if self.tokens.peek() == Some(&Token::Sign(":")) { None } else { Some(Box::new(self.expr()?)) };
        if !self.takes(":") {
            self.sign("]")?;
            let at = from.ok_or_else(|| unexpected(None))?;
            return Ok(Expr::Get(Box::new(of), at));
        }
        let to = if self.tokens.peek() == Some(&Token::Sign("]")) { None } else { Some(Box::new(self.expr()?)) };
        self.sign("]")?;
        Ok(Expr::Slice(Box::new(of), from, to))
    }

    fn filters(&mut self, mut of: Expr) -> Result<Expr, Fault> {
        loop {
            if self.takes("|") {
                self.link()?;
                let name = self.name()?;
                let filter = Filter::named(&name).ok_or_else(|| unknown("filter", &name))?;
                let arguments = if self.takes("(") { self.arguments()? } else { Vec::new() };
                of = Expr::Filter(filter, Box::new(of), arguments);
            } else if self.takes_word("is") {
                self.link()?;
                let negated = self.takes_word("not");
                of = self.test(of)?;
                if negated {
                    of = Expr::Not(Box::new(of));
                }
            } else {
                return Ok(of);
            }
        }
    }

    fn test(&mut self, of: Expr) -> Result<Expr, Fault> {
        let name = self.name()?;
        let test = Test::named(&name).ok_or_else(|| unknown("test", &name))?;
        let arguments = if self.takes("(") {
            self.items(")")?.0
        } else if test.takes_one() {
            let one = self.primary()?;
            vec![self.postfix(one)?]
        } else {
            Vec::new()
        };
        Ok(Expr::Test(test, Box::new(of), arguments))
    }

    fn operator(&mut self, operators: &[(&'static str, Binary)]) -> Option<Binary> {
        operators.iter().find_map(|(sign, op)| self.takes(sign).then_some(*op))
    }
}

/// Whether it only names a value, perhaps through filters that are given nothing.
fn is_path(expr: &Expr) -> bool {
    match expr {
        Expr::Name(_) | Expr::Literal(_) => true,
        Expr::Get(of, at) => is_path(of) && matches!(**at, Expr::Literal(_)),
        Expr::Filter(_, of, arguments) => arguments.is_empty() && is_path(of),
        Expr::List(_)
        | Expr::Map(_)
        | Expr::Slice(..)
        | Expr::Not(_)
        | Expr::Negative(_)
        | Expr::And(..)
        | Expr::Or(..)
        | Expr::Either(..)
        | Expr::Binary(..)
        | Expr::Test(..)
        | Expr::Call(..)
        | Expr::Method(..) => false,
    }
}

fn unknown(what: &str, name: &str) -> Fault {
    Fault::Unreadable(format!("the {what} {:?} is not known here", quote(name, 40)))
}
