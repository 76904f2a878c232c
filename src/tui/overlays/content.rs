//! The lines of each overlay, from the key table, the themes and the log.

use crate::tui::keys::{Context, TABLE, label_of};
use crate::tui::msg::Action;
use crate::tui::screens::prose;
use crate::tui::status::Log;
use crate::tui::theme::Theme;

use super::{Choice, Chooser, Item, Kind};

/// Every row of the key table under its context; those of the screen underneath first.
pub(crate) fn help(contexts: &[Context]) -> Chooser {
    let mut order: Vec<Context> = contexts.to_vec();
    order.extend(TABLE.iter().map(|row| row.context));
    let mut items = Vec::new();
    let mut done = Vec::new();
    for context in order {
        if done.contains(&context) {
            continue;
        }
        done.push(context);
        for row in TABLE.iter().filter(|row| row.context == context) {
            let here = contexts.contains(&context) && row.action != Action::Pick(0);
            items.push(Item {
                section: context.title(),
                keys: row.labels(),
                words: row.words.into(),
                choice: if here {
                    Choice::Run(row.action)
                } else {
                    Choice::Nothing
                },
            });
        }
    }
    Chooser::new(Kind::Help, items)
}

/// Everything that can be done on the screen underneath, each once, with its key.
pub(crate) fn palette(contexts: &[Context]) -> Chooser {
    let mut items: Vec<Item> = Vec::new();
    for row in TABLE {
        let choice = Choice::Run(row.action);
        let known = items.iter().any(|item| item.choice == choice);
        if known
            || !contexts.contains(&row.context)
            || matches!(row.action, Action::Pick(_) | Action::Palette)
        {
            continue;
        }
        items.push(Item {
            section: "",
            keys: label_of(contexts, row.action).unwrap_or_default(),
            words: row.words.into(),
            choice,
        });
    }
    for name in Theme::names() {
        items.push(Item {
            section: "",
            keys: String::new(),
            words: format!("theme: {name}"),
            choice: Choice::Theme(name.into()),
        });
    }
    Chooser::new(Kind::Palette, items)
}

/// The themes, the one in force marked.
pub(crate) fn themes(current: &Theme) -> Chooser {
    let items = Theme::names()
        .into_iter()
        .map(|name| Item {
            section: "",
            keys: String::new(),
            words: name.into(),
            choice: Choice::Theme(name.into()),
        })
        .collect();
    let mut chooser = Chooser::new(Kind::Themes, items);
    chooser.mark_choice(&Choice::Theme(current.name().into()));
    chooser.before = Some(Box::new(current.clone()));
    chooser
}

/// The log, newest first, long messages on several lines.
pub(crate) fn messages(log: &Log) -> Chooser {
    let items = log
        .lines()
        .flat_map(|message| prose::wrap(message, 90, 8))
        .map(|words| Item {
            section: "",
            keys: String::new(),
            words,
            choice: Choice::Nothing,
        })
        .collect();
    Chooser::new(Kind::Messages, items)
}
