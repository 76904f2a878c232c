//! What a query can ask of a candidate, by name: one table, which the parser, the help and the completions read.

use super::super::{Axis, Measure};

/// A field with a number in it, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Number {
    /// What the model says: the mean on an axis, or of the aggregate.
    Mean(Option<Axis>),
    /// The model's standard deviation on an axis, or of the aggregate.
    Sigma(Option<Axis>),
    /// People's mean score on an axis, 1 to 4; of both, their sum, 2 to 8.
    Human(Option<Axis>),
    /// How many annotators scored the candidate.
    Annotators,
    /// How far the group's annotators agree, 0 to 1.
    Agreement,
    /// How many candidates the group has.
    Candidates,
    /// What was measured on the images.
    Measured(Measure),
}

/// A field with words in it; some have several.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Text {
    /// What was asked for.
    Instruction,
    /// The kind of edit.
    Category,
    /// The group's name in the data set.
    Group,
    /// The candidate's name in its group.
    Candidate,
    /// What made the candidate.
    Editor,
    /// The data set.
    Set,
    /// The part of the data.
    Split,
    /// The fault that was put into constructed data.
    Fault,
    /// Whether the edit is global or local, by its instruction's words and what was measured.
    Scope,
    /// The words that people put on the candidate.
    Tag,
    /// The selections that it is in.
    Selection,
}

/// Something that a query can ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Field {
    /// With a number in it.
    Number(Number),
    /// With words in it.
    Text(Text),
}

const IF: Option<Axis> = Some(Axis::InstructionFollowing);
const VQ: Option<Axis> = Some(Axis::VisualQuality);

/// All that are no measures.
#[rustfmt::skip]
const NAMED: &[(&str, Field, &str)] = &[
    ("if.mean", Field::Number(Number::Mean(IF)), "the model's mean on IF"),
    ("if.sigma", Field::Number(Number::Sigma(IF)), "the model's standard deviation on IF"),
    ("vq.mean", Field::Number(Number::Mean(VQ)), "the model's mean on VQ"),
    ("vq.sigma", Field::Number(Number::Sigma(VQ)), "the model's standard deviation on VQ"),
    ("mean", Field::Number(Number::Mean(None)), "the model's overall mean"),
    ("sigma", Field::Number(Number::Sigma(None)), "the model's overall standard deviation"),
    ("human.if", Field::Number(Number::Human(IF)), "people's mean score on IF, 1 to 4"),
    ("human.vq", Field::Number(Number::Human(VQ)), "people's mean score on VQ, 1 to 4"),
    ("human", Field::Number(Number::Human(None)), "the sum of both, 2 to 8"),
    ("annotators", Field::Number(Number::Annotators), "how many people scored it"),
    ("agreement", Field::Number(Number::Agreement), "how far the group's annotators agree, 0 to 1"),
    ("candidates", Field::Number(Number::Candidates), "how many candidates the group has"),
    ("instruction", Field::Text(Text::Instruction), "what was asked for"),
    ("category", Field::Text(Text::Category), "the kind of edit"),
    ("group", Field::Text(Text::Group), "the group's name"),
    ("candidate", Field::Text(Text::Candidate), "the candidate's name"),
    ("editor", Field::Text(Text::Editor), "what made it"),
    ("set", Field::Text(Text::Set), "the data set"),
    ("split", Field::Text(Text::Split), "the part of the data"),
    ("fault", Field::Text(Text::Fault), "the fault of constructed data"),
    ("scope", Field::Text(Text::Scope), "global or local, by the words of the instruction, else by what was measured"),
    ("tag", Field::Text(Text::Tag), "the words put on it, any of them"),
    ("selection", Field::Text(Text::Selection), "the selections it is in, any of them"),
];

impl Field {
    /// The field of that name.
    pub fn of_name(name: &str) -> Option<Self> {
        let named = NAMED.iter().find(|(known, _, _)| *known == name);
        named
            .map(|(_, field, _)| *field)
            .or_else(|| Measure::of_name(name).map(|m| Self::Number(Number::Measured(m))))
    }

    /// Names and meanings of all, for help and completion.
    pub fn all() -> impl Iterator<Item = (&'static str, &'static str)> {
        let measures = Measure::ALL.into_iter().map(|measure| {
            let about = measure.about();
            (about.name, about.words)
        });
        NAMED
            .iter()
            .map(|(name, _, what)| (*name, *what))
            .chain(measures)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        if let Self::Number(Number::Measured(measure)) = self {
            return measure.name();
        }
        let named = NAMED.iter().find(|(_, field, _)| *field == self);
        named.map_or("", |(name, _, _)| name)
    }
}
