//! What a dialog is made of: fields, what may stand in each, and how it gets into the command line.

use super::verbs::DIALOGS;
use crate::bench::protocols;
use crate::failures::probe::Factor;

/// A verb that has a dialog.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    /// Score the workspace.
    Score,
    /// Run a benchmark.
    Bench,
    /// Select candidates.
    Curate,
    /// Measure what edits did.
    Measure,
    /// Hold the model's scores against that.
    Analyse,
    /// Change one factor and rate again.
    Probe,
    /// Any other program.
    Command,
}

/// What may stand in a field.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Check {
    /// Anything.
    Any,
    /// Something.
    Must,
    /// A query.
    Query,
    /// A model's name or folder.
    Model,
    /// A whole number of at least this.
    Whole(u64),
    /// Any whole number.
    Integer,
    /// A number of at least this.
    Least(f64),
    /// A share: more than 0, 1 at most.
    Share,
    /// One of what is offered.
    Offered,
    /// Some of what is offered, each at most once.
    Several,
}

/// What is offered for a field, with the arrow keys.
#[derive(Debug, Clone, Copy)]
pub(super) enum Offer {
    /// Nothing.
    Nothing,
    /// These; an empty one leaves the field to its default.
    These(&'static [&'static str]),
    /// The models there are.
    Models,
    /// The benchmarks there are.
    Benchmarks,
    /// What can be probed.
    Factors,
}

/// How a field gets into the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flag {
    /// By itself.
    Word,
    /// As one or more words.
    Words,
    /// After this flag.
    Value(&'static str),
    /// As this flag, where the field says yes.
    Switch(&'static str),
    /// `--queue`, with `--launcher local` where the settings have another one, or `--launcher slurm`.
    Launcher,
    /// Words as a shell has them, after `--`.
    Rest,
}

/// A field.
#[derive(Debug)]
pub(super) struct Spec {
    /// Its name.
    pub(super) label: &'static str,
    /// How it gets into the command line.
    pub(super) flag: Flag,
    /// What is in it at first.
    pub(super) start: &'static str,
    /// What an empty one means.
    pub(super) empty: &'static str,
    /// What is offered.
    pub(super) offer: Offer,
    /// What may stand in it.
    pub(super) check: Check,
    /// What it is about.
    pub(super) words: &'static str,
}

/// A dialog.
#[derive(Debug)]
pub(super) struct Dialog {
    /// What it starts.
    pub(super) kind: Kind,
    /// Its title.
    pub(super) title: &'static str,
    /// What the command line begins with.
    pub(super) verb: &'static [&'static str],
    /// It has no run of its own: it is run as any other program is.
    pub(super) attended: bool,
    /// It works on the groups of the workspace.
    pub(super) needs_groups: bool,
    /// Its fields.
    pub(super) fields: &'static [Spec],
}

/// What can be chosen, as far as it has to be read from somewhere.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Offers {
    /// The names of models.
    pub(crate) models: Vec<String>,
    /// Who starts what is put into a queue, by the settings.
    pub(crate) launcher: Option<String>,
}

impl Offer {
    /// What is offered, once it is known.
    pub(super) fn list(self, offers: Option<&Offers>) -> Vec<String> {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let or_default = |names: &[String]| {
            let all = [String::new()].into_iter().chain(names.iter().cloned());
            all.collect()
        };
        match self {
            Self::Nothing => Vec::new(),
            Self::These(names) => owned(names),
            Self::Models => offers.map_or_else(Vec::new, |o| or_default(&o.models)),
            Self::Benchmarks => {
                let all = protocols::ALL.iter().map(|p| p.about().key.to_owned());
                all.collect()
            }
            Self::Factors => Factor::ALL.iter().map(|f| f.name().to_owned()).collect(),
        }
    }
}

impl Kind {
    /// All of them, in the order in which they are offered.
    pub(crate) const ALL: [Self; 7] = [
        Self::Score,
        Self::Bench,
        Self::Curate,
        Self::Measure,
        Self::Analyse,
        Self::Probe,
        Self::Command,
    ];

    /// What it does, for a list.
    pub(crate) fn title(self) -> &'static str {
        self.dialog().title
    }

    /// Its dialog.
    pub(super) fn dialog(self) -> &'static Dialog {
        DIALOGS
            .iter()
            .find(|dialog| dialog.kind == self)
            .unwrap_or(&DIALOGS[0])
    }
}
