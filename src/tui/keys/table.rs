//! The rows. A new key is one line here; the tests of this folder say what a row must fulfil.

use super::super::msg::Action;
use super::{Context, Row};

const fn row(
    context: Context,
    keys: &'static [&'static str],
    action: Action,
    words: &'static str,
) -> Row {
    Row {
        keys,
        action,
        words,
        context,
    }
}

/// Every key, in the order of the help overlay.
#[rustfmt::skip]
pub(crate) const TABLE: &[Row] = {
    use Action as A;
    use Context::{Browse, Chooser, Detail, Everywhere, Filter, Screens};
    &[
        row(Browse, &["j", "down"], A::NextGroup, "go to the next group"),
        row(Browse, &["k", "up"], A::PreviousGroup, "go to the previous group"),
        row(Browse, &["ctrl-d"], A::HalfPageDown, "go down half a page"),
        row(Browse, &["ctrl-u"], A::HalfPageUp, "go up half a page"),
        row(Browse, &["pgdn", "ctrl-f"], A::PageDown, "go down a page"),
        row(Browse, &["pgup", "ctrl-b"], A::PageUp, "go up a page"),
        row(Browse, &["g", "home"], A::FirstGroup, "go to the first group"),
        row(Browse, &["G", "end"], A::LastGroup, "go to the last group"),
        row(Browse, &["n"], A::NextUnscored, "go to the next group without scores"),
        row(Browse, &["N"], A::PreviousUnscored, "go to the previous group without scores"),
        row(Browse, &["enter"], A::OpenDetail, "open the candidate at full size"),
        row(Browse, &["/"], A::Filter, "filter the groups as you type"),
        row(Browse, &["s"], A::NextSort, "sort by the next key"),
        row(Browse, &["S"], A::ReverseSort, "turn the sort around"),
        row(Browse, &["v", "tab"], A::NextPanel, "switch between Gaussians and P(A≻B)"),
        row(Browse, &["p"], A::NextPictures, "switch between all pictures and a pair"),
        row(Browse, &["r"], A::Rescan, "read the workspace again"),
        row(Detail, &["b", "space"], A::Blink, "blink between source and candidate"),
        row(Detail, &["v", "tab"], A::NextDetailView, "switch between side by side and one picture"),
        row(Detail, &["j", "down"], A::NextGroup, "go to the next group"),
        row(Detail, &["k", "up"], A::PreviousGroup, "go to the previous group"),
        row(Screens, &["h", "left"], A::PreviousCandidate, "go to the previous candidate"),
        row(Screens, &["l", "right"], A::NextCandidate, "go to the next candidate"),
        row(Screens, &["1…9"], A::Pick(0), "go to the candidate of that number"),
        row(Screens, &["esc"], A::Back, "go back, or clear the filter"),
        row(Screens, &["?"], A::Help, "show every key, searchable"),
        row(Screens, &[":"], A::Palette, "run a command by its name, or go to a group by its number"),
        row(Screens, &["t"], A::Themes, "choose a theme, seen at once"),
        row(Screens, &["m"], A::Messages, "show the messages"),
        row(Screens, &["q"], A::Quit, "quit"),
        row(Filter, &["enter"], A::KeepFilter, "keep the filter and go back to the list"),
        row(Filter, &["esc"], A::DropFilter, "drop the filter"),
        row(Filter, &["down", "ctrl-n"], A::NextGroup, "go to the next match"),
        row(Filter, &["up", "ctrl-p"], A::PreviousGroup, "go to the previous match"),
        row(Chooser, &["enter"], A::Choose, "run or take the marked line"),
        row(Chooser, &["esc"], A::Close, "close"),
        row(Chooser, &["down", "ctrl-n"], A::NextChoice, "go to the next line"),
        row(Chooser, &["up", "ctrl-p"], A::PreviousChoice, "go to the previous line"),
        row(Chooser, &["pgdn"], A::NextChoices, "go down a page of lines"),
        row(Chooser, &["pgup"], A::PreviousChoices, "go up a page of lines"),
        row(Everywhere, &["ctrl-c"], A::Quit, "quit"),
        row(Everywhere, &["ctrl-z"], A::Suspend, "suspend; `fg` comes back"),
        row(Everywhere, &["ctrl-l"], A::Redraw, "draw the screen afresh"),
    ]
};
