//! From text to a query. An error says where it is and what could stand there.

use super::{Condition, Field, Query, Relation};

/// What is wrong with a query.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("at letter {}: {what}", at + 1)]
pub struct QueryError {
    /// How many letters stand before the mistake.
    pub at: usize,
    /// What is wrong and what could be there.
    pub what: String,
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    /// A name, a number or a bare word.
    Word(String),
    /// In quotation marks.
    Quoted(String),
    Relation(Relation),
    /// `~`, or with `true` `!~`.
    Part(bool),
    Open,
    Close,
}

/// A token and how many letters stand before it.
type Placed = (Token, usize);

/// More brackets and `not`s in each other than anybody writes; the parser recurses into them.
const DEEPEST: usize = 64;

pub(super) fn parse(text: &str) -> Result<Query, QueryError> {
    let tokens = tokens(text)?;
    let mut parser = Parser {
        tokens: &tokens,
        next: 0,
        end: text.chars().count(),
        depth: 0,
    };
    let mut query = Query::default();
    if !parser.at_end() && !parser.at_order() {
        query.condition = Some(parser.any()?);
    }
    if parser.at_order() {
        query.order = Some(parser.order()?);
    }
    if parser.at_end() {
        Ok(query)
    } else {
        Err(parser.wrong("expected 'and', 'or', 'sort by' or the end"))
    }
}

pub(super) fn is_meant(text: &str) -> bool {
    let Ok(tokens) = tokens(text) else {
        // Words are looked for as they are; only what compares a field can be a query with a mistake in it.
        return text
            .split_whitespace()
            .next()
            .is_some_and(|word| Field::of_name(word).is_some());
    };
    let keyword = |at: usize, wanted: &str| matches!(tokens.get(at), Some((Token::Word(word), _)) if word.eq_ignore_ascii_case(wanted));
    let compared = tokens.windows(2).any(|pair| {
        matches!(&pair[0].0, Token::Word(word) if looks_like_field(word))
            && matches!(pair[1].0, Token::Relation(_) | Token::Part(_))
    });
    compared || (0..tokens.len()).any(|at| keyword(at, "sort") && keyword(at + 1, "by"))
}

fn looks_like_field(word: &str) -> bool {
    let first = word.chars().next();
    first.is_some_and(char::is_alphabetic)
        && word
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '_' | '.'))
}

fn tokens(text: &str) -> Result<Vec<Placed>, QueryError> {
    let letters: Vec<char> = text.chars().collect();
    let (mut tokens, mut at) = (Vec::new(), 0);
    while let Some(&letter) = letters.get(at) {
        let followed = letters.get(at + 1) == Some(&'=');
        let (token, length) = match letter {
            c if c.is_whitespace() => {
                at += 1;
                continue;
            }
            '(' => (Token::Open, 1),
            ')' => (Token::Close, 1),
            '~' => (Token::Part(false), 1),
            '!' if letters.get(at + 1) == Some(&'~') => (Token::Part(true), 2),
            '!' if followed => (Token::Relation(Relation::Unequal), 2),
            '>' if followed => (Token::Relation(Relation::AtLeast), 2),
            '<' if followed => (Token::Relation(Relation::AtMost), 2),
            '≥' => (Token::Relation(Relation::AtLeast), 1),
            '≤' => (Token::Relation(Relation::AtMost), 1),
            '≠' => (Token::Relation(Relation::Unequal), 1),
            '>' => (Token::Relation(Relation::More), 1),
            '<' => (Token::Relation(Relation::Less), 1),
            '=' => (Token::Relation(Relation::Equal), 1 + usize::from(followed)),
            '"' | '\'' => quoted(&letters, at)?,
            _ => {
                let ends = |c: &char| c.is_whitespace() || "()~!<>=≥≤≠\"".contains(*c);
                let length = letters[at..].iter().position(ends);
                let length = length.unwrap_or(letters.len() - at);
                if length == 0 {
                    let what = format!("'{letter}' means nothing here; did you mean '!=' or '!~'?");
                    return Err(QueryError { at, what });
                }
                (
                    Token::Word(letters[at..at + length].iter().collect()),
                    length,
                )
            }
        };
        tokens.push((token, at));
        at += length;
    }
    Ok(tokens)
}

/// A text in quotation marks, and its length with them.
fn quoted(letters: &[char], at: usize) -> Result<(Token, usize), QueryError> {
    let rest = &letters[at + 1..];
    let Some(length) = rest.iter().position(|c| *c == letters[at]) else {
        let what = format!("the {} that opens here is never closed", letters[at]);
        return Err(QueryError { at, what });
    };
    Ok((Token::Quoted(rest[..length].iter().collect()), length + 2))
}

struct Parser<'a> {
    tokens: &'a [Placed],
    next: usize,
    /// Where the text ends, for what is missing there.
    end: usize,
    depth: usize,
}

impl Parser<'_> {
    fn at_end(&self) -> bool {
        self.next == self.tokens.len()
    }

    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.next).map(|(token, _)| token)
    }

    fn is_word(&self, by: usize, wanted: &str) -> bool {
        matches!(self.tokens.get(self.next + by), Some((Token::Word(word), _)) if word.eq_ignore_ascii_case(wanted))
    }

    fn take_word(&mut self, wanted: &str) -> bool {
        let is = self.is_word(0, wanted);
        self.next += usize::from(is);
        is
    }

    fn at_order(&self) -> bool {
        self.is_word(0, "sort") && self.is_word(1, "by")
    }

    fn wrong(&self, what: impl Into<String>) -> QueryError {
        let at = self.tokens.get(self.next).map_or(self.end, |(_, at)| *at);
        QueryError {
            at,
            what: what.into(),
        }
    }

    fn any(&mut self) -> Result<Condition, QueryError> {
        let mut parts = vec![self.all()?];
        while self.take_word("or") {
            parts.push(self.all()?);
        }
        Ok(one_or(parts, Condition::Or))
    }

    fn all(&mut self) -> Result<Condition, QueryError> {
        let mut parts = vec![self.one()?];
        while self.take_word("and") {
            parts.push(self.one()?);
        }
        Ok(one_or(parts, Condition::And))
    }

    fn one(&mut self) -> Result<Condition, QueryError> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(self.wrong("this is nested too deeply"));
        }
        let condition = if self.take_word("not") {
            Condition::Not(Box::new(self.one()?))
        } else if self.peek() == Some(&Token::Open) {
            self.next += 1;
            let inner = self.any()?;
            if self.peek() != Some(&Token::Close) {
                return Err(self.wrong("expected ')'"));
            }
            self.next += 1;
            inner
        } else {
            self.comparison()?
        };
        self.depth -= 1;
        Ok(condition)
    }

    fn field(&mut self) -> Result<Field, QueryError> {
        let Some(Token::Word(name)) = self.peek() else {
            return Err(
                self.wrong("expected a field, such as sat_delta, if.mean, human.vq or editor")
            );
        };
        let Some(field) = Field::of_name(&name.to_lowercase()) else {
            let near = nearest(name).map_or_else(String::new, |n| format!("; did you mean '{n}'?"));
            return Err(self.wrong(format!("there is no field '{name}'{near}")));
        };
        self.next += 1;
        Ok(field)
    }

    fn comparison(&mut self) -> Result<Condition, QueryError> {
        let field = self.field()?;
        let relation = self.peek().cloned();
        let known = matches!(relation, Some(Token::Relation(_) | Token::Part(_)));
        if !known {
            let name = field.name();
            return Err(self.wrong(format!(
                "expected a comparison after '{name}': one of > >= < <= = != ~ !~"
            )));
        }
        self.next += 1;
        if self.is_word(0, "none") {
            let unequal = match relation {
                Some(Token::Relation(Relation::Equal)) => false,
                Some(Token::Relation(Relation::Unequal)) => true,
                _ => return Err(self.wrong("'none' can only be compared by = and !=")),
            };
            self.next += 1;
            return Ok(negated(Condition::Nothing(field), unequal));
        }
        match (field, relation) {
            (Field::Number(number), Some(Token::Relation(relation))) => {
                let value = self.number()?;
                Ok(Condition::Compare(number, relation, value))
            }
            (Field::Number(_), _) => {
                self.next -= 1;
                let name = field.name();
                Err(self.wrong(format!(
                    "'{name}' is a number: compare it by > >= < <= = !="
                )))
            }
            (Field::Text(field), relation) => {
                let (whole, unequal) = match relation {
                    Some(Token::Part(unequal)) => (false, unequal),
                    Some(Token::Relation(Relation::Equal)) => (true, false),
                    Some(Token::Relation(Relation::Unequal)) => (true, true),
                    _ => {
                        self.next -= 1;
                        let name = Field::Text(field).name();
                        return Err(
                            self.wrong(format!("'{name}' is a text: compare it by = != ~ !~"))
                        );
                    }
                };
                let text = self.text()?.to_lowercase();
                Ok(negated(Condition::Says { field, text, whole }, unequal))
            }
        }
    }

    fn number(&mut self) -> Result<f64, QueryError> {
        let Some(Token::Word(word)) = self.peek() else {
            return Err(self.wrong("expected a number"));
        };
        let (digits, over) = match word.strip_suffix('%') {
            Some(digits) => (digits, 100.0),
            None => (word.as_str(), 1.0),
        };
        match digits.parse::<f64>() {
            Ok(number) if number.is_finite() => {
                self.next += 1;
                Ok(number / over)
            }
            _ => Err(self.wrong(format!("'{word}' is no number"))),
        }
    }

    fn text(&mut self) -> Result<String, QueryError> {
        let Some(Token::Word(text) | Token::Quoted(text)) = self.peek() else {
            return Err(self.wrong("expected a word, or words in quotation marks"));
        };
        let text = text.clone();
        self.next += 1;
        Ok(text)
    }

    fn order(&mut self) -> Result<(super::Number, bool), QueryError> {
        self.next += 2;
        let start = self.next;
        let field = self.field()?;
        let Field::Number(number) = field else {
            self.next = start;
            let name = field.name();
            return Err(self.wrong(format!("'{name}' is a text; groups are sorted by numbers")));
        };
        if self.take_word("desc") {
            return Ok((number, true));
        }
        self.take_word("asc");
        Ok((number, false))
    }
}

fn one_or(mut parts: Vec<Condition>, many: impl Fn(Vec<Condition>) -> Condition) -> Condition {
    match (parts.len(), parts.pop()) {
        (1, Some(one)) => one,
        (_, last) => {
            parts.extend(last);
            many(parts)
        }
    }
}

fn negated(condition: Condition, not: bool) -> Condition {
    if not {
        Condition::Not(Box::new(condition))
    } else {
        condition
    }
}

/// The known name with the fewest letters to change, if they are few.
fn nearest(name: &str) -> Option<&'static str> {
    let name = name.to_lowercase();
    Field::all()
        .map(|(known, _)| (edits(&name, known), known))
        .filter(|(edits, known)| *edits <= known.chars().count().div_ceil(3))
        .min()
        .map(|(_, known)| known)
}

/// Levenshtein's distance.
fn edits(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().take(64).enumerate() {
        let mut corner = i;
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let change = corner + usize::from(x != *y);
            corner = row[j + 1];
            row[j + 1] = change.min(row[j] + 1).min(corner + 1);
        }
    }
    row[b.len()]
}
