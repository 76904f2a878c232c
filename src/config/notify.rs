//! `notify`: how the workbench tells of what happened while nobody looked.

use serde::Deserialize;

/// How the end of a run is told, beside the message on the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Notify {
    /// Not at all.
    #[default]
    Off,
    /// By the terminal's bell.
    Bell,
    /// By a notice that the terminal shows on the desktop.
    Desktop,
}
