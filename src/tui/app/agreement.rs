//! Routing for the agreement screen: its keys, what is measured for it, and the groups that it sends to Browse.

use std::collections::HashSet;

use super::{App, Screen};
use crate::annotate::agreement::AgreementReport;
use crate::domain::GroupId;
use crate::tui::msg::{Action, Effect};

impl App {
    /// Does what an action says on the agreement screen; `None` if it is none of its own.
    pub(super) fn act_on_agreement(&mut self, action: Action) -> Option<Vec<Effect>> {
        if self.screens.agreement.act(action) {
            return Some(Vec::new());
        }
        if action != Action::OpenDisputed {
            return None;
        }
        let Some(marked) = self.screens.agreement.marked().map(|marked| marked.group) else {
            return Some(Vec::new());
        };
        let groups = self.screens.agreement.disputed();
        let groups: HashSet<GroupId> = groups.into_iter().map(|one| one.group).collect();
        self.screens.open = Screen::Browse;
        self.screens.detail = None;
        self.list
            .show_only("Disputed".into(), groups.into_iter().collect());
        let request = self.list.rank(false);
        self.list.expect(marked);
        Some(super::rank(request))
    }

    /// It was measured.
    pub(super) fn hear_of_agreement(&mut self, report: Result<Box<AgreementReport>, String>) {
        self.screens.agreement.hear(report);
        self.paint.due |= self.screens.open == Screen::Agreement;
    }

    /// What the screen wants after a batch of messages. Nothing is measured before it was looked at.
    pub(super) fn settle_agreement(&mut self) -> Vec<Effect> {
        if self.screens.open != Screen::Agreement {
            return Vec::new();
        }
        let fingerprint = self.model.fingerprint();
        let wanted = self.screens.agreement.wanted();
        let with = |model: bool| Effect::Agree(fingerprint.filter(|_| model));
        wanted.map(with).into_iter().collect()
    }
}
