//! The log of the marked run: its end as it grows, or any part of it, what is searched for in it, and whether long lines are
//! broken. What shows is read elsewhere, window by window.

use tui_input::Input;

use super::Hits;
use crate::runs::log::MOST_HITS;
use crate::tui::msg::Action;

/// How many columns one step to the side is.
const ASIDE: usize = 16;

/// What is wanted of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LogWish {
    /// The shard whose log it is; the run's own without.
    pub(crate) shard: Option<usize>,
    /// Which lines.
    pub(crate) window: Window,
    /// What is searched for.
    pub(crate) search: String,
}

/// Some lines of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Window {
    /// The last so many.
    End(usize),
    /// From this one, counted from 0, so many.
    From(usize, usize),
}

/// What was read of a log.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Page {
    /// Whose it is.
    pub(crate) run: String,
    /// The shard's, or the run's own.
    pub(crate) shard: Option<usize>,
    /// The number of the first line, from 0; `None` while the lines are still being counted.
    pub(crate) first: Option<usize>,
    /// The lines.
    pub(crate) lines: Vec<String>,
    /// How many lines there are in all, as far as they were counted.
    pub(crate) all: usize,
    /// All were counted, and searched.
    pub(crate) whole: bool,
    /// What was searched for.
    pub(crate) search: String,
    /// The lines in which it is: of very many, the first and the last.
    pub(crate) hits: Hits,
    /// How many were left out between those.
    pub(crate) missed: usize,
}

/// The log's state.
#[derive(Debug)]
pub(crate) struct LogPane {
    run: Option<String>,
    /// How often what was read was forgotten.
    turn: u64,
    shard: Option<usize>,
    /// The first line that shows, unless the end is followed.
    top: usize,
    /// The end is followed.
    pub(crate) follow: bool,
    /// Long lines are broken.
    pub(crate) wrap: bool,
    /// Columns that are hidden to the left, where they are not.
    pub(crate) aside: usize,
    /// What is searched for.
    pub(crate) search: Input,
    /// The line of the find that one is at.
    at: Option<usize>,
    /// The first find on from here is to be gone to as soon as it is known.
    seeking: bool,
    /// Where one was when the search began: the first line, and whether the end was followed.
    anchor: Option<(usize, bool)>,
    page: Page,
}

impl Default for LogPane {
    fn default() -> Self {
        Self {
            run: None,
            turn: 0,
            shard: None,
            top: 0,
            follow: true,
            wrap: false,
            aside: 0,
            search: Input::default(),
            at: None,
            seeking: false,
            anchor: None,
            page: Page::default(),
        }
    }
}

impl LogPane {
    /// Shows the log of this run; of another one than before, its end.
    pub(super) fn show(&mut self, run: Option<&str>) {
        if self.run.as_deref() == run {
            return;
        }
        *self = Self {
            run: run.map(str::to_owned),
            turn: self.turn + 1,
            wrap: self.wrap,
            search: std::mem::take(&mut self.search),
            ..Self::default()
        };
    }

    /// How often what was read was forgotten.
    pub(super) const fn turn(&self) -> u64 {
        self.turn
    }

    /// What is to be read for `rows` rows: what shows and as much before and after it, so that a step finds its line there.
    pub(super) fn wish(&self, rows: usize) -> LogWish {
        let rows = rows.max(1);
        LogWish {
            shard: self.shard,
            window: if self.follow {
                Window::End(2 * rows)
            } else {
                Window::From(self.top.saturating_sub(rows), 3 * rows)
            },
            search: self.search.value().trim().to_owned(),
        }
    }

    /// Something was read; false if it is not of what shows.
    pub(super) fn hear(&mut self, page: Page) -> bool {
        if self.run.as_deref() != Some(&page.run) || page.shard != self.shard {
            return false;
        }
        let searched = page.search == self.search.value().trim();
        self.page = page;
        if !self.follow && self.page.whole && self.top >= self.page.all.max(1) {
            // There is nothing so far on.
            self.follow = true;
        }
        if searched && self.seeking {
            let hits = &self.page.hits;
            // From the end one looks back.
            let find = if self.follow {
                self.round_the_end(None, hits.last())
            } else {
                let on = hits.iter().find(|hit| **hit >= self.top);
                self.round_the_end(on, hits.first())
            };
            self.go_to(find);
        }
        true
    }

    /// The find, else that on the other side: only when all was searched it is known that there is none on this side, and which is
    /// the last.
    fn round_the_end(&self, find: Option<&usize>, other: Option<&usize>) -> Option<usize> {
        let other = other.filter(|_| self.page.whole);
        find.or(other).copied()
    }

    /// The first line that shows, as far as it is known.
    fn first_line(&self) -> usize {
        if self.follow { self.page.all } else { self.top }
    }

    /// The page that was read.
    pub(crate) const fn page(&self) -> &Page {
        &self.page
    }

    /// The shard whose log shows.
    pub(crate) const fn shard(&self) -> Option<usize> {
        self.shard
    }

    /// The lines for so many rows, each with its number, if they are known; the end's last ones where that is followed.
    pub(crate) fn lines(&self, rows: usize) -> Vec<(Option<usize>, &str)> {
        let page = &self.page;
        let numbered = page.lines.iter().enumerate().map(|(i, line)| {
            let number = page.first.map(|first| first + i);
            (number, line.as_str())
        });
        if self.follow {
            let skip = page.lines.len().saturating_sub(rows);
            return numbered.skip(skip).collect();
        }
        let shows = |number: &Option<usize>| number.is_some_and(|n| n >= self.top);
        let shown = numbered.filter(|(number, _)| shows(number));
        shown.take(rows).collect()
    }

    /// The line of the find that one is at.
    pub(crate) const fn at(&self) -> Option<usize> {
        self.at
    }

    /// How many finds there are, and the number of the one that one is at, from 1.
    pub(crate) fn finds(&self) -> (usize, Option<usize>) {
        let Page { hits, missed, .. } = &self.page;
        let at = self.at.and_then(|line| hits.binary_search(&line).ok());
        let before = |at: usize| if at < MOST_HITS { 0 } else { *missed };
        (hits.len() + missed, at.map(|at| at + 1 + before(at)))
    }

    /// Does what concerns the log; false if the action is none of it.
    pub(super) fn act(&mut self, action: Action, rows: usize) -> bool {
        let page = isize::try_from(rows.max(2)).unwrap_or(2);
        match action {
            Action::LogLines(by) => self.scroll(isize::from(by), rows),
            Action::LogHalf(down) => self.scroll(if down { page / 2 } else { -page / 2 }, rows),
            Action::LogPage(down) => self.scroll(if down { page - 1 } else { 1 - page }, rows),
            Action::LogStart => (self.follow, self.top) = (false, 0),
            Action::FollowLog if self.follow => self.hold(rows),
            Action::LogEnd | Action::FollowLog => self.follow = true,
            Action::LogAside(right) => {
                self.aside = if right {
                    self.aside + ASIDE
                } else {
                    self.aside.saturating_sub(ASIDE)
                }
            }
            Action::WrapLog => (self.wrap, self.aside) = (!self.wrap, 0),
            Action::NextFind(forward) => self.step_find(forward),
            _ => return false,
        }
        true
    }

    /// Stands still where the end is now, if it is known which lines those are.
    fn hold(&mut self, rows: usize) {
        if self.page.whole {
            self.follow = false;
            self.top = self.page.all.saturating_sub(rows);
        }
    }

    /// Moves by so many lines; past the end the end is followed.
    pub(super) fn scroll(&mut self, by: isize, rows: usize) {
        if self.follow {
            if by >= 0 || self.page.all <= rows || !self.page.whole {
                return;
            }
            self.hold(rows);
        }
        self.top = self.top.saturating_add_signed(by);
        if by > 0 && self.page.whole && self.top + rows >= self.page.all {
            self.follow = true;
        }
    }

    /// The next find, or the one before; round the end.
    fn step_find(&mut self, forward: bool) {
        let hits = &self.page.hits;
        let from = self.at.unwrap_or_else(|| self.first_line());
        let next = if forward {
            let after = hits.iter().find(|hit| **hit > from);
            self.round_the_end(after, hits.first())
        } else {
            // What is before the end is not known yet either.
            let is_known = self.page.whole || !self.follow;
            let before = hits.iter().rev().find(|hit| **hit < from);
            self.round_the_end(before.filter(|_| is_known), hits.last())
        };
        self.go_to(next);
    }

    fn go_to(&mut self, line: Option<usize>) {
        let Some(line) = line else {
            return;
        };
        (self.at, self.seeking) = (Some(line), false);
        self.follow = false;
        // A few lines of what came before it.
        self.top = line.saturating_sub(3);
    }

    pub(super) fn begin_search(&mut self) {
        self.at = None;
        self.anchor = Some((self.top, self.follow));
    }

    /// Goes to where the search began.
    fn go_back(&mut self) {
        self.at = None;
        if let Some((top, follow)) = self.anchor {
            (self.top, self.follow) = (top, follow);
        }
    }

    pub(super) fn type_into(&mut self, change: impl FnOnce(&mut Input)) {
        change(&mut self.search);
        // Each letter more is sought from there, not from what fewer of them have found.
        self.go_back();
        // Finds come as the log is looked through; the first is gone to when it is known.
        self.seeking = !self.search.value().trim().is_empty();
    }

    pub(super) fn end_search(&mut self, keep: bool) {
        if !keep {
            self.go_back();
            self.drop_search();
        }
        self.anchor = None;
    }

    /// Searches for nothing any more; false if nothing was searched for.
    pub(super) fn drop_search(&mut self) -> bool {
        let searched = !self.search.value().is_empty();
        self.search.reset();
        (self.at, self.seeking) = (None, false);
        searched
    }

    /// The log of the next shard, or of the one before; the run's own lies between the last and the first.
    pub(super) fn turn_part(&mut self, forward: bool, shards: usize) {
        let shard = match (self.shard, forward) {
            (None, true) => 0,
            (Some(shard), true) => shard + 1,
            (None, false) => shards.wrapping_sub(1),
            (Some(shard), false) => shard.wrapping_sub(1),
        };
        self.shard = Some(shard).filter(|shard| *shard < shards);
        (self.follow, self.at, self.top) = (true, None, 0);
        self.page = Page::default();
        self.turn += 1;
    }
}
