//! The browse screen: the list of groups, and of the marked one its pictures, numbers, curves and preferences.

mod contest;
pub(crate) mod layout;
pub(crate) mod list;
mod list_view;
mod panels;
mod view;

use crate::domain::GroupId;
use crate::tui::msg::Action;

pub(crate) use contest::{Contest, Contests};
pub(crate) use view::{View, table_top, view};

/// Which panel shows where there is room for one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum PanelChoice {
    /// Curves.
    #[default]
    Gaussians,
    /// P(A≻B).
    Matrix,
}

/// What the person chose on this screen.
#[derive(Debug, Clone, Default)]
pub(crate) struct Browse {
    /// The marked candidate.
    pub(crate) candidate: usize,
    /// Which panel.
    pub(crate) panel: PanelChoice,
    /// The group whose candidate was marked because a query found it.
    pub(crate) found: Option<GroupId>,
    /// Source and candidate only, though all would fit.
    pub(crate) pair: bool,
    /// Why the benchmarks sent groups here.
    pub(crate) contests: Contests,
}

impl Browse {
    /// Does what concerns only this screen's choices; false if the action is none of them.
    pub(crate) fn act(&mut self, action: Action, candidates: usize) -> bool {
        let last = candidates.saturating_sub(1);
        match action {
            Action::NextCandidate => self.candidate = (self.candidate + 1).min(last),
            Action::PreviousCandidate => self.candidate = self.candidate.saturating_sub(1),
            Action::Pick(number) if number >= 1 && usize::from(number) <= candidates => {
                self.candidate = usize::from(number) - 1;
            }
            Action::Pick(_) => {}
            Action::NextPanel => {
                self.panel = match self.panel {
                    PanelChoice::Gaussians => PanelChoice::Matrix,
                    PanelChoice::Matrix => PanelChoice::Gaussians,
                }
            }
            Action::NextPictures => self.pair = !self.pair,
            _ => return false,
        }
        true
    }
}
