//! Every key of the workbench, once. Dispatch, the help overlay, the command palette, the hints in the status line and the
//! README's table all read [`TABLE`]; no key is named anywhere else.

mod decode;
mod hints;
mod table;

use std::fmt::Write as _;

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::msg::Action;
pub(crate) use decode::decode;
pub(crate) use hints::hints;
pub(crate) use table::TABLE;

/// Where a row holds. The order is that of the help overlay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Context {
    /// In the group list with its pictures.
    Browse,
    /// With one candidate at full size.
    Detail,
    /// On both of these.
    Candidates,
    /// Wherever a group's pictures show.
    Images,
    /// With what the model falls for.
    Failures,
    /// With one factor of a candidate.
    Probe,
    /// With what is kept and dropped.
    Curate,
    /// With the runs and their curves.
    Train,
    /// With the queue and what has run.
    Jobs,
    /// In the log of one of them.
    JobLog,
    /// While a filter of runs or a search in a log is being typed.
    JobWords,
    /// In the dialog that starts a job.
    Dialog,
    /// With the leaderboard.
    Bench,
    /// With what a run got wrong, as a list or case by case.
    Mistakes,
    /// With how far people agree.
    Agreement,
    /// Where people judge.
    Annotate,
    /// While a remark or a reason is being typed.
    Words,
    /// On every screen, while nothing is being typed.
    Screens,
    /// While a filter is being typed.
    Filter,
    /// While metrics are being chosen by typing.
    Metrics,
    /// In the plan of a new run.
    Plan,
    /// While a value of it is being typed.
    Value,
    /// In help, palette and the other lists that open over a screen.
    Chooser,
    /// Always, even while typing.
    Everywhere,
}

impl Context {
    /// The heading over its rows.
    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::Browse => "Browse",
            Self::Detail => "Detail",
            Self::Candidates => "Browse and Detail",
            Self::Images => "Pictures",
            Self::Failures => "Failures",
            Self::Probe => "Probe",
            Self::Curate => "Curate",
            Self::Train => "Train",
            Self::Jobs => "Jobs",
            Self::JobLog => "In a job's log",
            Self::JobWords => "While typing a filter or a search",
            Self::Dialog => "In a dialog",
            Self::Bench => "Bench",
            Self::Mistakes => "Mistakes of a benchmark",
            Self::Agreement => "Agreement",
            Self::Annotate => "Annotate",
            Self::Words => "While typing a remark",
            Self::Screens => "Every screen",
            Self::Filter => "While filtering",
            Self::Metrics => "While choosing metrics",
            Self::Plan => "In a plan",
            Self::Value => "While typing a value",
            Self::Chooser => "In help and palette",
            Self::Everywhere => "Everywhere",
        }
    }

    /// Whether both can be in force at the same moment, so that a key may stand in only one of them.
    #[cfg(test)]
    const fn overlaps(self, other: Self) -> bool {
        matches!(
            (self, other),
            (Self::Everywhere, _)
                | (_, Self::Everywhere)
                | (
                    Self::Screens,
                    Self::Browse
                        | Self::Detail
                        | Self::Candidates
                        | Self::Train
                        | Self::Jobs
                        | Self::JobLog
                        | Self::Bench
                        | Self::Mistakes
                        | Self::Annotate
                        | Self::Agreement
                        | Self::Failures
                        | Self::Probe
                        | Self::Curate
                        | Self::Images
                )
                | (
                    Self::Browse
                        | Self::Detail
                        | Self::Candidates
                        | Self::Train
                        | Self::Jobs
                        | Self::JobLog
                        | Self::Bench
                        | Self::Mistakes
                        | Self::Annotate
                        | Self::Agreement
                        | Self::Failures
                        | Self::Probe
                        | Self::Curate
                        | Self::Images,
                    Self::Screens
                )
                | (
                    Self::Images,
                    Self::Browse | Self::Candidates | Self::Failures | Self::Probe
                )
                | (
                    Self::Browse | Self::Candidates | Self::Failures | Self::Probe,
                    Self::Images
                )
                | (Self::Candidates, Self::Browse | Self::Detail)
                | (Self::Browse | Self::Detail, Self::Candidates)
        ) || self as u8 == other as u8
    }
}

/// One row of the table: the keys that do it, what it does, in words, and where.
#[derive(Debug)]
pub(crate) struct Row {
    /// Spelt as in [`Chord::parse`]; `1…9` stands for the nine digits.
    pub(crate) keys: &'static [&'static str],
    /// What happens.
    pub(crate) action: Action,
    /// For help, palette and README: an imperative, no full stop.
    pub(crate) words: &'static str,
    /// Where.
    pub(crate) context: Context,
}

impl Row {
    /// The first key as shown in hints.
    pub(crate) fn label(&self) -> String {
        self.keys
            .first()
            .map_or_else(String::new, |key| pretty(key))
    }

    /// All keys as shown in help.
    pub(crate) fn labels(&self) -> String {
        self.keys
            .iter()
            .map(|key| pretty(key))
            .collect::<Vec<_>>()
            .join(" ")
    }
}

/// The nine digits as one entry of a row.
const DIGITS: &str = "1…9";

/// A key with its modifiers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Chord {
    code: KeyCode,
    modifiers: KeyModifiers,
}

impl Chord {
    /// `j`, `G`, `ctrl-d`, `esc`, `pgdn`, … as the table spells them.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (name, modifiers) = match text.strip_prefix("ctrl-") {
            Some(rest) => (rest, KeyModifiers::CONTROL),
            None => (text, KeyModifiers::NONE),
        };
        let code = match name {
            "down" => KeyCode::Down,
            "up" => KeyCode::Up,
            "left" => KeyCode::Left,
            "right" => KeyCode::Right,
            "enter" => KeyCode::Enter,
            "esc" => KeyCode::Esc,
            "tab" => KeyCode::Tab,
            "space" => KeyCode::Char(' '),
            "home" => KeyCode::Home,
            "end" => KeyCode::End,
            "pgup" => KeyCode::PageUp,
            "pgdn" => KeyCode::PageDown,
            "f1" => KeyCode::F(1),
            "f2" => KeyCode::F(2),
            "f3" => KeyCode::F(3),
            "f4" => KeyCode::F(4),
            "f5" => KeyCode::F(5),
            "f6" => KeyCode::F(6),
            "f7" => KeyCode::F(7),
            "f8" => KeyCode::F(8),
            _ => {
                let mut chars = name.chars();
                let c = chars.next()?;
                if chars.next().is_some() {
                    return None;
                }
                KeyCode::Char(c)
            }
        };
        Some(Self { code, modifiers })
    }

    /// The press of it.
    #[cfg(test)]
    pub(crate) const fn event(self) -> KeyEvent {
        KeyEvent::new(self.code, self.modifiers)
    }

    /// What was pressed. Shift is part of the character itself, so it is dropped for characters.
    pub(crate) fn of(event: &KeyEvent) -> Self {
        let mut modifiers = event.modifiers & (KeyModifiers::CONTROL | KeyModifiers::ALT);
        if !matches!(event.code, KeyCode::Char(_)) {
            modifiers |= event.modifiers & KeyModifiers::SHIFT;
        }
        Self {
            code: event.code,
            modifiers,
        }
    }
}

fn pretty(key: &str) -> String {
    let (prefix, name) = match key.strip_prefix("ctrl-") {
        Some(rest) => ("Ctrl-", rest),
        None => ("", key),
    };
    let name = match name {
        "down" => "↓",
        "up" => "↑",
        "left" => "←",
        "right" => "→",
        "enter" => "Enter",
        "esc" => "Esc",
        "tab" => "Tab",
        "space" => "Space",
        "home" => "Home",
        "end" => "End",
        "pgup" => "PgUp",
        "pgdn" => "PgDn",
        "f1" => "F1",
        "f2" => "F2",
        "f3" => "F3",
        "f4" => "F4",
        "f5" => "F5",
        "f6" => "F6",
        "f7" => "F7",
        "f8" => "F8",
        other => other,
    };
    format!("{prefix}{name}")
}

/// The action of a key in the first of `contexts` that knows it.
pub(crate) fn dispatch(contexts: &[Context], event: &KeyEvent) -> Option<Action> {
    let pressed = Chord::of(event);
    contexts.iter().find_map(|context| {
        TABLE
            .iter()
            .filter(|row| row.context == *context)
            .find_map(|row| {
                row.keys
                    .iter()
                    .find_map(|key| matches(key, pressed, row.action))
            })
    })
}

fn matches(key: &str, pressed: Chord, action: Action) -> Option<Action> {
    if key == DIGITS {
        let KeyCode::Char(c @ '1'..='9') = pressed.code else {
            return None;
        };
        return pressed
            .modifiers
            .is_empty()
            .then(|| Action::Pick(c as u8 - b'0'));
    }
    (Chord::parse(key) == Some(pressed)).then_some(action)
}

/// The key that does `action` in one of `contexts`, as shown in hints.
pub(crate) fn label_of(contexts: &[Context], action: Action) -> Option<String> {
    contexts.iter().find_map(|context| {
        TABLE
            .iter()
            .find(|row| row.context == *context && row.action == action)
            .map(Row::label)
    })
}

/// The table for the README, in Markdown.
pub fn markdown_table() -> String {
    let mut out = String::from("| Where | Keys | What they do |\n|---|---|---|\n");
    let mut rows: Vec<&Row> = TABLE.iter().collect();
    rows.sort_by_key(|row| row.context);
    let mut last = None;
    for row in rows {
        let place = if last == Some(row.context) {
            ""
        } else {
            row.context.title()
        };
        last = Some(row.context);
        let keys: Vec<String> = row
            .keys
            .iter()
            .map(|key| format!("`{}`", pretty(key).replace('|', "\\|")))
            .collect();
        let _ = writeln!(out, "| {place} | {} | {} |", keys.join(" "), row.words);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn each_key() -> impl Iterator<Item = (&'static Row, &'static str)> {
        TABLE
            .iter()
            .flat_map(|row| row.keys.iter().map(move |key| (row, *key)))
    }

    #[test]
    fn every_row_has_keys_that_parse_and_words_without_a_full_stop() {
        for row in TABLE {
            assert!(!row.keys.is_empty(), "{row:?}");
            assert!(
                !row.words.is_empty() && !row.words.ends_with('.'),
                "{row:?}"
            );
            assert!(row.words.starts_with(char::is_lowercase), "{row:?}");
        }
        for (row, key) in each_key() {
            assert!(key == DIGITS || Chord::parse(key).is_some(), "{row:?}");
        }
    }

    #[test]
    fn no_key_means_two_things_at_the_same_moment() {
        let digits = |key: &str| key.len() == 1 && "123456789".contains(key);
        for (i, (row, key)) in each_key().enumerate() {
            for (other, same) in each_key().skip(i + 1) {
                let equal = key == same
                    || (key == DIGITS && digits(same))
                    || (same == DIGITS && digits(key));
                assert!(
                    !(equal && row.context.overlaps(other.context)),
                    "{key}: {row:?} {other:?}"
                );
            }
        }
    }

    #[test]
    fn every_key_of_the_table_reaches_its_action() {
        for (row, key) in each_key() {
            if key == DIGITS {
                for n in 1..=9_u8 {
                    let event = Chord::parse(&n.to_string()).unwrap().event();
                    assert_eq!(dispatch(&[row.context], &event), Some(Action::Pick(n)));
                }
                continue;
            }
            let event = Chord::parse(key).unwrap().event();
            assert_eq!(dispatch(&[row.context], &event), Some(row.action), "{key}");
        }
    }

    #[test]
    fn shift_is_part_of_a_letter_and_no_modifier() {
        let event = KeyEvent::new(KeyCode::Char('G'), KeyModifiers::SHIFT);
        assert_eq!(
            dispatch(&[Context::Browse], &event),
            Some(Action::LastGroup)
        );
    }

    #[test]
    fn the_readmes_table_is_this_table() {
        let Ok(readme) = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md"))
        else {
            return;
        };
        for line in markdown_table().lines() {
            assert!(
                readme.contains(line),
                "README.md lacks this line of the key table:\n{line}"
            );
        }
    }
}
