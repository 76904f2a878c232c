//! The lines of each overlay, from the key table, the themes and the log.

use crate::jobs::Force;
use crate::runs::{State, Weight};
use crate::tui::keys::{Context, TABLE, label_of};
use crate::tui::msg::{Action, Work};
use crate::tui::screens::{jobs, prose};
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

/// How the run `name`, called `title`, is to stop. The harmless answer comes first.
pub(crate) fn stop(name: &str, title: &str, state: State) -> Chooser {
    let title = prose::line(title, 30);
    let mut answers = vec![("leave it as it is".to_owned(), None)];
    if state == State::Queued {
        let words = format!("take '{title}' out of the queue; it can be resumed");
        answers.push((words, Some(Force::Ask)));
    } else {
        let ask = format!("stop '{title}': it saves its state and can be resumed");
        let kill = format!("end '{title}' at once: what was not saved is lost");
        answers.push((ask, Some(Force::Ask)));
        answers.push((kill, Some(Force::Kill)));
    }
    let items = answers
        .into_iter()
        .map(|(words, force)| Item {
            section: "",
            keys: String::new(),
            words,
            choice: force.map_or(Choice::Nothing, |force| {
                let run = name.to_owned();
                Choice::Work(Work::Stop { run, force })
            }),
        })
        .collect();
    Chooser::new(Kind::Question, items)
}

/// Whether the run `name`, called `title`, is to be removed, with what would be lost. The harmless answer comes first.
pub(crate) fn remove(name: &str, title: &str, weight: Weight) -> Chooser {
    let title = prose::line(title, 30);
    let mut lost = vec![format!(
        "{} {}, {}",
        weight.files,
        if weight.files == 1 { "file" } else { "files" },
        jobs::bytes(weight.bytes)
    )];
    match weight.checkpoints {
        0 => {}
        1 => lost.push("1 checkpoint".into()),
        n => lost.push(format!("{n} checkpoints")),
    }
    lost.extend(weight.report.then(|| "its report".into()));
    let answer = |words: String, choice| Item {
        section: "There is no way back.",
        keys: String::new(),
        words,
        choice,
    };
    let run = name.to_owned();
    let items = vec![
        answer(format!("keep '{title}'"), Choice::Nothing),
        answer(
            format!("remove '{title}': {}", lost.join(", ")),
            Choice::Work(Work::Remove { run }),
        ),
    ];
    Chooser::new(Kind::Question, items)
}

/// What can be started; a training by its plan, everything else by a dialog.
pub(crate) fn begin() -> Chooser {
    let item = |words: &str, choice| Item {
        section: "",
        keys: String::new(),
        words: words.into(),
        choice,
    };
    let mut items: Vec<Item> = jobs::Kind::ALL
        .into_iter()
        .map(|kind| item(kind.title(), Choice::Begin(kind)))
        .collect();
    items.insert(1, item("Train a model", Choice::Run(Action::NewRun)));
    Chooser::new(Kind::Begin, items)
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
