//! The language of filters and orders: `sat_delta > 0.15 and if.mean > 0.5 and human.if <= 2 sort by vq.mean desc`.
//!
//! A query holds or does not hold of one candidate. Comparisons with a field that has no value do not hold, whichever way
//! round, so that `not human.if > 2` also finds what nobody scored; `human.if = none` asks for just that.
//!
//! | form | meaning |
//! |---|---|
//! | `FIELD > 0.5`, `>=`, `<`, `<=`, `=`, `!=` | compares a number; percent are taken (`edit_share > 20%`) |
//! | `FIELD = word`, `!=` | the whole text, letters of either case |
//! | `FIELD ~ "some words"`, `!~` | part of the text, letters of either case |
//! | `FIELD = none`, `!=` | has no value |
//! | `A and B`, `A or B`, `not A`, `( … )` | `and` binds closer than `or` |
//! | `… sort by FIELD`, `desc` | smallest first, or with `desc` largest first |

mod field;
mod parse;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

pub use field::{Field, Number, Text};
pub use parse::QueryError;

/// How a number is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Relation {
    Less,
    AtMost,
    Equal,
    Unequal,
    AtLeast,
    More,
}

impl Relation {
    fn holds(self, a: f64, b: f64) -> bool {
        match self {
            Self::Less => a < b,
            Self::AtMost => a <= b,
            Self::Equal => a == b,
            Self::Unequal => a != b,
            Self::AtLeast => a >= b,
            Self::More => a > b,
        }
    }
}

/// What must hold.
#[derive(Debug, Clone, PartialEq)]
enum Condition {
    Compare(Number, Relation, f64),
    /// The text, in lower case, is the whole, or a part.
    Says {
        field: Text,
        text: String,
        whole: bool,
    },
    Nothing(Field),
    Not(Box<Self>),
    And(Vec<Self>),
    Or(Vec<Self>),
}

/// A filter, an order, or both.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Query {
    condition: Option<Condition>,
    order: Option<(Number, bool)>,
}

/// What there is to know of a candidate.
pub trait Facts {
    /// The number in a field.
    fn number(&self, field: Number) -> Option<f64>;

    /// Tells `each` every text in a field, until it says that it has heard enough (true).
    fn texts(&self, field: Text, each: &mut dyn FnMut(&str) -> bool);
}

impl Query {
    /// Reads a query; an empty one holds of everything.
    pub fn parse(text: &str) -> Result<Self, QueryError> {
        parse::parse(text)
    }

    /// Whether a text is meant as a query and not as words to look for: it compares a field, or says an order.
    pub fn is_meant(text: &str) -> bool {
        parse::is_meant(text)
    }

    /// Whether it holds of a candidate.
    pub fn holds(&self, facts: &(impl Facts + ?Sized)) -> bool {
        self.condition.as_ref().is_none_or(|c| holds(c, facts))
    }

    /// What it orders by, and whether the largest come first.
    pub fn order(&self) -> Option<(Number, bool)> {
        self.order
    }

    /// The fields that it looks at.
    pub fn fields(&self) -> BTreeSet<Field> {
        let mut fields = BTreeSet::new();
        if let Some(condition) = &self.condition {
            collect(condition, &mut fields);
        }
        fields.extend(self.order.map(|(number, _)| Field::Number(number)));
        fields
    }
}

fn holds(condition: &Condition, facts: &(impl Facts + ?Sized)) -> bool {
    match condition {
        Condition::Compare(field, relation, value) => facts
            .number(*field)
            .is_some_and(|number| relation.holds(number, *value)),
        Condition::Says { field, text, whole } => {
            let mut found = false;
            facts.texts(*field, &mut |said| {
                found = if *whole {
                    equal(said, text)
                } else {
                    contains(said, text)
                };
                found
            });
            found
        }
        Condition::Nothing(Field::Number(field)) => facts.number(*field).is_none(),
        Condition::Nothing(Field::Text(field)) => {
            let mut nothing = true;
            facts.texts(*field, &mut |_| {
                nothing = false;
                true
            });
            nothing
        }
        Condition::Not(inner) => !holds(inner, facts),
        Condition::And(all) => all.iter().all(|c| holds(c, facts)),
        Condition::Or(any) => any.iter().any(|c| holds(c, facts)),
    }
}

/// `lower` is in lower case.
fn equal(said: &str, lower: &str) -> bool {
    said.chars().flat_map(char::to_lowercase).eq(lower.chars())
}

fn contains(said: &str, lower: &str) -> bool {
    said.to_lowercase().contains(lower)
}

fn collect(condition: &Condition, fields: &mut BTreeSet<Field>) {
    match condition {
        Condition::Compare(number, _, _) => {
            fields.insert(Field::Number(*number));
        }
        Condition::Says { field, .. } => {
            fields.insert(Field::Text(*field));
        }
        Condition::Nothing(field) => {
            fields.insert(*field);
        }
        Condition::Not(inner) => collect(inner, fields),
        Condition::And(all) | Condition::Or(all) => {
            for condition in all {
                collect(condition, fields);
            }
        }
    }
}
