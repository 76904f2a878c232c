//! The plan that is being written: open or put aside, never lost by closing it, and gone only when its run was started.

use std::path::Path;

use tui_input::Input;

use super::form::{Form, PlanFault};
use crate::train::{Plan, PlanError};
use crate::tui::msg::{Action, Work};

/// The draft.
#[derive(Debug, Default)]
pub(crate) struct Draft {
    form: Option<Form>,
    /// The one before it, which is brought back where the new one was a mistake.
    before: Option<Form>,
    open: bool,
}

impl Draft {
    /// The form, while it is open.
    pub(crate) fn form(&self) -> Option<&Form> {
        self.form.as_ref().filter(|_| self.open)
    }

    /// Whether a value is being typed.
    pub(crate) fn is_typing(&self) -> bool {
        self.form().is_some_and(|form| form.typed.is_some())
    }

    /// What is typed changes.
    pub(crate) fn type_into(&mut self, change: impl FnOnce(&mut Input)) {
        if let Some(form) = &mut self.form {
            form.type_into(change);
        }
    }

    /// Begins a plan that says what `plan` says.
    pub(crate) fn fork(&mut self, title: &str, plan: &str) {
        let form = Form::like(title, plan, check);
        self.before = self.form.replace(form);
        self.open = true;
    }

    /// Does what concerns the plan; false if the action is none of it.
    pub(crate) fn act(&mut self, action: Action) -> bool {
        if action == Action::NewRun {
            self.form.get_or_insert_with(|| Form::new(check));
            self.open = true;
            return true;
        }
        let Some(form) = self.form.as_mut().filter(|_| self.open) else {
            return false;
        };
        match action {
            Action::NextKey => form.step(1),
            Action::PreviousKey => form.step(-1),
            Action::NextKeys => form.step(10),
            Action::PreviousKeys => form.step(-10),
            Action::EditValue => form.edit(),
            Action::SetKey => form.toggle(),
            Action::TakeValue => form.take(),
            Action::LeaveValue => form.leave(),
            Action::ResetPlan => {
                let other = self.before.take().unwrap_or_else(|| Form::new(check));
                self.before = self.form.replace(other);
            }
            Action::LeavePlan => self.open = false,
            _ => return false,
        }
        true
    }

    /// What starts a run of the plan, or why it cannot be started; `None` without a plan.
    pub(crate) fn start(&self) -> Option<Result<Work, String>> {
        let form = self.form()?;
        Some(match &form.fault {
            Some(fault) => Err(fault.words.clone()),
            None => Ok(Work::Start {
                title: form.name(),
                plan: form.text(),
            }),
        })
    }

    /// Its run was started: the next plan begins anew.
    pub(crate) fn started(&mut self) {
        *self = Self::default();
    }
}

/// Whether a plan can be carried out, as the training itself sees it.
fn check(text: &str) -> Result<(), PlanFault> {
    match Plan::parse(Path::new("plan.toml"), text, &[]) {
        Ok(_) => Ok(()),
        Err(PlanError::Invalid { line, reason, .. }) => Err(PlanFault {
            line,
            words: reason,
        }),
        Err(other) => Err(PlanFault {
            line: 1,
            words: other.to_string(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::screens::train::form::PlanLine;

    #[test]
    fn every_key_of_the_template_is_one_that_the_training_knows() {
        let mut form = Form::new(check);
        assert_eq!(form.fault, None);
        // Every key that is left to its default is one too, with the value given as an example.
        for _ in 0..form.lines().len() {
            if let PlanLine::Entry {
                set: false, key, ..
            } = &form.lines()[form.at()]
            {
                let key = key.clone();
                form.toggle();
                // Some belong to other losses or parts; they must be refused for that, not for being unknown.
                if let Some(fault) = &form.fault {
                    assert!(!fault.words.contains("unknown"), "{key}: {}", fault.words);
                    form.toggle();
                }
            }
            form.step(1);
        }
    }

    #[test]
    fn a_plan_with_a_mistake_is_not_started_and_says_why() {
        let mut draft = Draft::default();
        assert!(draft.act(Action::NewRun));
        draft.act(Action::NextKey);
        draft.act(Action::NextKey);
        draft.act(Action::EditValue);
        draft.type_into(|input| *input = Input::new("some-heads".into()));
        draft.act(Action::TakeValue);
        let why = draft.start().unwrap().unwrap_err();
        assert!(
            why.contains("some-heads") && why.contains("low-rank"),
            "{why}"
        );
        draft.act(Action::EditValue);
        draft.type_into(|input| *input = Input::new("everything".into()));
        draft.act(Action::TakeValue);
        let Some(Ok(Work::Start { title, plan })) = draft.start() else {
            panic!("{:?}", draft.start());
        };
        assert_eq!(title, "my-model");
        assert!(plan.contains("train = \"everything\""));
    }

    #[test]
    fn a_plan_that_made_way_for_another_can_be_brought_back() {
        let mut draft = Draft::default();
        draft.act(Action::NewRun);
        draft.fork("base", "seed = 3\n");
        let seed = |draft: &Draft, text| draft.form().unwrap().text().contains(text);
        assert!(seed(&draft, "seed = 3"));
        draft.act(Action::ResetPlan);
        assert!(seed(&draft, "seed = 0"));
        draft.act(Action::ResetPlan);
        assert!(seed(&draft, "seed = 3"));
    }

    #[test]
    fn a_plan_put_aside_is_there_again_and_a_started_one_is_not() {
        let mut draft = Draft::default();
        draft.act(Action::NewRun);
        draft.act(Action::NextKey);
        draft.act(Action::EditValue);
        draft.type_into(|input| *input = Input::new("42".into()));
        draft.act(Action::TakeValue);
        draft.act(Action::LeavePlan);
        assert!(draft.form().is_none() && draft.start().is_none());
        draft.act(Action::NewRun);
        assert!(draft.form().unwrap().text().contains("seed = 42"));
        draft.started();
        draft.act(Action::NewRun);
        assert!(draft.form().unwrap().text().contains("seed = 0"));
    }
}
