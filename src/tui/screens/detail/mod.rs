//! The detail screen: one candidate at full size against its source, and every number there is of it.

pub(crate) mod layout;
mod view;

use crate::tui::msg::Action;

pub(crate) use view::{View, view};

/// How the two pictures are shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Detail {
    /// One picture at a time, in the same place, instead of two beside each other.
    pub(crate) single: bool,
    /// Of the single picture: the source rather than the candidate.
    pub(crate) source_shown: bool,
}

impl Detail {
    /// Does what concerns only this screen; false if the action is none of it.
    pub(crate) fn act(&mut self, action: Action) -> bool {
        match action {
            // The first press puts the source where the candidate was; from then on they swap.
            Action::Blink if !self.single => {
                self.single = true;
                self.source_shown = true;
            }
            Action::Blink => self.source_shown = !self.source_shown,
            Action::NextDetailView => {
                self.single = !self.single;
                self.source_shown = false;
            }
            _ => return false,
        }
        true
    }
}
