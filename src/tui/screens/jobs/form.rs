//! A dialog that is being filled in: its fields with what is typed, what is wrong with each, and the command line that comes of
//! them.

use std::path::Path;

use tui_input::{Input, InputRequest};

use super::Ticket;
use super::dialog::{Check, Dialog, Flag, Kind, Offers, Spec};
use super::shell::{quoted, shell_words};
use super::verbs::{LOCAL, WORKSPACE};
use crate::domain::query::Query;
use crate::tui::msg::Work;

/// What a command works on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Ground {
    /// The workspace's folder.
    pub(crate) workspace: String,
    /// Where runs are.
    pub(crate) runs: String,
    /// The workspace has groups.
    pub(crate) has_groups: bool,
    /// The model that is meant where none is named; empty for that of the settings.
    pub(crate) model: String,
}

/// A field with what is typed.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) spec: &'static Spec,
    pub(super) input: Input,
    pub(super) offers: Vec<String>,
    /// Somebody chose what is in it.
    touched: bool,
    /// What is wrong with it.
    pub(super) fault: Option<String>,
}

/// The dialog's state.
#[derive(Debug)]
pub(crate) struct Form {
    dialog: &'static Dialog,
    ticket: Ticket,
    ground: Ground,
    fields: Vec<Field>,
    at: usize,
    models: Option<Vec<String>>,
    /// Who starts what is queued, by the settings, once read.
    launcher: Option<String>,
    /// It was asked to start: nothing more is taken until there is an answer.
    waits: bool,
    /// Why it was not started.
    refusal: Option<String>,
}

impl Form {
    /// The dialog of a verb, with its defaults.
    pub(crate) fn new(kind: Kind, ground: Ground, offers: Option<&Offers>) -> Self {
        let dialog = kind.dialog();
        let start = |spec: &Spec| match spec.check {
            Check::Model => ground.model.clone(),
            _ => spec.start.to_owned(),
        };
        let field = |spec: &'static Spec| Field {
            spec,
            input: Input::new(start(spec)),
            offers: Vec::new(),
            touched: false,
            fault: None,
        };
        let fields = dialog.fields.iter().map(field).collect();
        let mut form = Self {
            dialog,
            ticket: 0,
            ground,
            fields,
            at: 0,
            models: None,
            launcher: None,
            waits: false,
            refusal: None,
        };
        form.fill(offers);
        form.check();
        form
    }

    /// The same with a number, by which an answer finds it.
    pub(super) fn numbered(self, ticket: Ticket) -> Self {
        Self { ticket, ..self }
    }

    /// Its number.
    pub(super) const fn ticket(&self) -> Ticket {
        self.ticket
    }

    /// It is known now what can be chosen.
    pub(super) fn offer(&mut self, offers: &Offers) {
        self.fill(Some(offers));
        self.check();
    }

    fn fill(&mut self, offers: Option<&Offers>) {
        for field in &mut self.fields {
            field.offers = field.spec.offer.list(offers);
        }
        let Some(offers) = offers else {
            return;
        };
        self.models = Some(offers.models.clone());
        let launcher = offers.launcher.as_deref().filter(|name| !name.is_empty());
        let launcher = launcher.unwrap_or(LOCAL);
        self.launcher = Some(launcher.to_owned());
        let mut fields = self.fields.iter_mut();
        // Unless somebody chose one already, be it the usual one.
        if let Some(field) = fields.find(|f| f.spec.flag == Flag::Launcher)
            && !field.touched
        {
            field.input = Input::new(launcher.to_owned());
        }
    }

    /// Its title.
    pub(super) const fn title(&self) -> &'static str {
        self.dialog.title
    }

    /// Its fields.
    pub(super) fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// The field that has the keyboard.
    pub(super) const fn at(&self) -> usize {
        self.at
    }

    /// Moves the keyboard, stopping at both ends.
    pub(crate) fn step(&mut self, by: isize) {
        let last = self.fields.len().saturating_sub(1);
        self.at = self.at.saturating_add_signed(by).min(last);
    }

    /// The next of what is offered, or the one before; where nothing is, the cursor moves.
    pub(crate) fn turn(&mut self, by: isize) {
        if self.waits {
            return;
        }
        let Some(field) = self.fields.get_mut(self.at) else {
            return;
        };
        let count = field.offers.len();
        if count == 0 {
            let request = if by > 0 {
                InputRequest::GoToNextChar
            } else {
                InputRequest::GoToPrevChar
            };
            field.input.handle(request);
            return;
        }
        // Where several may stand, the arrows change the last of them.
        let text = field.input.value().to_owned();
        let (before, last) = match text.rsplit_once(' ') {
            Some((before, last)) if field.spec.check == Check::Several => {
                (format!("{before} "), last.to_owned())
            }
            _ => (String::new(), text),
        };
        let next = match field.offers.iter().position(|offer| *offer == last) {
            Some(now) => (now as isize + by).rem_euclid(count as isize) as usize,
            None if by > 0 => 0,
            None => count - 1,
        };
        field.input = Input::new(format!("{before}{}", field.offers[next]));
        field.touched = true;
        self.changed();
    }

    /// What is typed changes.
    pub(crate) fn type_into(&mut self, change: impl FnOnce(&mut Input)) {
        if self.waits {
            return;
        }
        if let Some(field) = self.fields.get_mut(self.at) {
            let before = field.input.value().to_owned();
            change(&mut field.input);
            field.touched |= field.input.value() != before;
        }
        self.changed();
    }

    fn changed(&mut self) {
        self.refusal = None;
        self.check();
    }

    fn check(&mut self) {
        let models = self.models.as_deref();
        for field in &mut self.fields {
            field.fault = fault(
                field.spec,
                field.input.value().trim(),
                &field.offers,
                models,
            );
        }
        for (label, fault) in self.together() {
            let mut fields = self.fields.iter_mut();
            if let Some(field) = fields.find(|field| field.spec.label == label) {
                field.fault.get_or_insert(fault.into());
            }
        }
    }

    /// What is wrong with fields only beside others.
    fn together(&self) -> Vec<(&'static str, &'static str)> {
        let set = |label: &str| !self.value(label).is_empty();
        let mut faults = Vec::new();
        match self.dialog.kind {
            Kind::Score if set("shards") && self.value("launcher") != "slurm" => {
                faults.push(("shards", "shards are for the launcher slurm"));
            }
            Kind::Bench if self.value("benchmark") != WORKSPACE && !set("data") => {
                faults.push((
                    "data",
                    "name its file or folder: it is not in the workspace",
                ));
            }
            Kind::Curate if set("top") && set("fraction") => {
                faults.push((
                    "fraction",
                    "a number or a share, not both: empty one of them",
                ));
            }
            Kind::Curate if !set("top") && !set("fraction") => {
                faults.push(("top", "say how many are kept: a number, or a share"));
            }
            _ => {}
        }
        if set("priority") && self.value("launcher") == "slurm" {
            faults.push(("priority", "only the queue of this machine has priorities"));
        }
        faults
    }

    fn value(&self, label: &str) -> &str {
        let mut fields = self.fields.iter();
        let field = fields.find(|field| field.spec.label == label);
        field.map_or("", |field| field.input.value().trim())
    }

    /// Why it cannot be started, if it cannot.
    pub(super) fn obstacle(&self) -> Option<String> {
        if self.dialog.needs_groups && !self.ground.has_groups {
            return Some("the workspace has no groups: 'erw import' takes some in".into());
        }
        let mut fields = self.fields.iter();
        let wrong = fields.find_map(|f| Some(format!("{}: {}", f.spec.label, f.fault.as_ref()?)));
        wrong.or_else(|| self.refusal.clone())
    }

    /// Whether it was asked to start and there is no answer yet.
    pub(super) const fn is_waiting(&self) -> bool {
        self.waits
    }

    /// It was not started.
    pub(crate) fn refused(&mut self, why: String) {
        (self.waits, self.refusal) = (false, Some(why));
    }

    /// What starts it, or `None` where something is wrong: then the keyboard is at what is.
    pub(crate) fn start(&mut self) -> Option<Work> {
        if self.waits {
            return None;
        }
        self.changed();
        let wrong = self.fields.iter().position(|field| field.fault.is_some());
        if let Some(wrong) = wrong {
            self.at = wrong;
        }
        if self.obstacle().is_some() {
            return None;
        }
        self.waits = true;
        Some(Work::Launch {
            ticket: self.ticket,
            words: self.words(),
        })
    }

    /// The words of the command line after `erw`.
    pub(crate) fn words(&self) -> Vec<String> {
        let own = |words: &[&str]| words.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>();
        let (mut words, mut queue, mut rest) = (own(self.dialog.verb), Vec::new(), Vec::new());
        let mut launcher = own(&["--queue"]);
        launcher.extend(self.local_by_name());
        for field in &self.fields {
            let text = field.input.value().trim();
            match field.spec.flag {
                Flag::Launcher if text == "slurm" => launcher = own(&["--launcher", "slurm"]),
                Flag::Launcher => {}
                // What is left as it is anyway keeps the line short.
                _ if text.is_empty() || text == field.spec.empty => {}
                Flag::Word => words.push(text.to_owned()),
                Flag::Words => words.extend(text.split_whitespace().map(str::to_owned)),
                Flag::Value(flag @ "--priority") => queue.extend(own(&[flag, text])),
                // A value may look like a flag.
                Flag::Value(flag) if text.starts_with('-') => words.push(format!("{flag}={text}")),
                Flag::Value(flag) => words.extend(own(&[flag, text])),
                Flag::Switch(flag) if text == "yes" => words.push(flag.to_owned()),
                Flag::Switch(_) => {}
                Flag::Rest => rest = shell_words(text).unwrap_or_default(),
            }
        }
        launcher.extend(queue);
        if self.dialog.attended {
            let title = format!("select {}", self.value("name"));
            let mut outer = own(&["jobs", "run", "--title", &title, "--device", "cpu"]);
            outer.extend(self.place(false));
            outer.extend(launcher);
            outer.extend(own(&["--", "erw"]));
            outer.extend(words);
            outer.extend(own(&["--workspace", &self.ground.workspace]));
            return outer;
        }
        words.extend(self.place(rest.is_empty()));
        words.extend(launcher);
        if !rest.is_empty() {
            words.push("--".into());
            words.extend(rest);
        }
        words
    }

    /// The flag that names this machine's queue, where the settings would have another one and somebody chose this.
    fn local_by_name(&self) -> Vec<String> {
        let mut fields = self.fields.iter();
        let field = fields.find(|field| field.spec.flag == Flag::Launcher);
        let is_chosen = match &self.launcher {
            Some(setting) => setting != LOCAL,
            // The settings were not read yet.
            None => field.is_some_and(|field| field.touched),
        };
        if is_chosen {
            vec!["--launcher".into(), LOCAL.into()]
        } else {
            Vec::new()
        }
    }

    /// The flags that say where: on a workspace, whose runs are in it unless something else is said, or with no other place than
    /// that of runs.
    fn place(&self, on_workspace: bool) -> Vec<String> {
        let Ground {
            workspace, runs, ..
        } = &self.ground;
        let mut words = Vec::new();
        if on_workspace {
            words.extend(["--workspace".to_owned(), workspace.clone()]);
        }
        if !on_workspace || Path::new(runs) != Path::new(workspace).join("runs") {
            words.extend(["--runs".to_owned(), runs.clone()]);
        }
        words
    }

    /// The command line as one would type it.
    pub(super) fn command(&self) -> String {
        let words = self.words();
        let words = words.iter().map(|word| quoted(word));
        ["erw".to_owned()]
            .into_iter()
            .chain(words)
            .collect::<Vec<_>>()
            .join(" ")
    }
}

/// What is wrong with a field by itself.
fn fault(spec: &Spec, text: &str, offers: &[String], models: Option<&[String]>) -> Option<String> {
    if text.is_empty() {
        let must = matches!(spec.check, Check::Must | Check::Several) || spec.flag == Flag::Word;
        return must.then(|| "it must not be empty".into());
    }
    match spec.check {
        Check::Must if spec.flag == Flag::Rest => shell_words(text).err().map(str::to_owned),
        Check::Any | Check::Must => None,
        Check::Query => Query::parse(text).err().map(|e| e.what),
        Check::Model => {
            let is_folder = text.contains(['/', '\\', '.']);
            let is_known = |models: &[String]| models.iter().any(|model| model == text);
            (!is_folder && !models.is_none_or(is_known)).then(|| {
                let models = models.unwrap_or_default().join(", ");
                format!(
                    "there is no model of that name, only {models}; a folder is written with a '/'"
                )
            })
        }
        Check::Whole(least) => match text.parse::<u64>() {
            Ok(number) if number >= least => None,
            _ => Some(format!("a whole number of at least {least}")),
        },
        Check::Integer => (text.parse::<i32>().is_err()).then(|| "a whole number".into()),
        Check::Least(least) => match text.parse::<f64>() {
            Ok(number) if number >= least && number.is_finite() => None,
            _ => Some(format!("a number of at least {least}")),
        },
        Check::Share => match text.parse::<f64>() {
            Ok(share) if share > 0.0 && share <= 1.0 => None,
            _ => Some("a share: more than 0 and at most 1".into()),
        },
        Check::Offered => (!offers.is_empty() && !offers.iter().any(|o| o == text))
            .then(|| format!("one of {}", offers.join(", "))),
        Check::Several => {
            let mut words: Vec<&str> = text.split_whitespace().collect();
            let unknown = words
                .iter()
                .find(|word| !offers.iter().any(|o| o == **word));
            if let Some(unknown) = unknown {
                return Some(format!(
                    "there is no '{unknown}'; the arrows show what there is"
                ));
            }
            let count = words.len();
            words.sort_unstable();
            words.dedup();
            (words.len() < count).then(|| "each at most once".into())
        }
    }
}

#[cfg(test)]
#[path = "form_tests.rs"]
mod tests;
