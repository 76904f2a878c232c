//! What opens over a screen: help, the command palette, the theme picker, the message log. All are lists that one searches by
//! typing and runs with Enter, so they are one thing with different lines. The topmost has the keyboard.

mod chooser;
mod content;

pub(crate) use chooser::{Choice, Chooser, Item, Kind};
pub(crate) use content::{begin, help, messages, palette, remove, stop, themes};
