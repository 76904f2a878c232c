//! The bench screen: the leaderboard of scorers and benchmarks, what is known of the figure under the cursor, and what the run
//! behind it got wrong, case by case.

mod archive;
mod board;
mod columns;
pub(crate) mod layout;
mod mistakes;
mod mistakes_view;
mod plots;
#[cfg(test)]
mod tests;
mod view;
mod words;

use std::path::PathBuf;

use ratatui::layout::Position;

use crate::bench::report::Report;
use crate::domain::ImageRef;
use crate::tui::msg::Action;
use crate::tui::screens::train::Entry;
use crate::tui::widgets::text;

use archive::Archive;
use board::{Board, Slot};
use layout::Layout;

pub(crate) use mistakes::{Found, Listing, Mistakes};
pub(crate) use view::view;

/// What is known of the figure under the cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Pane {
    /// All figures of its run.
    #[default]
    Figures,
    /// Its tables, by editor and by category.
    Tables,
    /// How often it is right for how sure it is.
    Reliability,
    /// How accurate it is when only the surest judgements are kept.
    Coverage,
}

impl Pane {
    const ALL: [(Self, &'static str); 4] = [
        (Self::Figures, "figures"),
        (Self::Tables, "tables"),
        (Self::Reliability, "reliability"),
        (Self::Coverage, "coverage"),
    ];

    const fn next(self) -> Self {
        match self {
            Self::Figures => Self::Tables,
            Self::Tables => Self::Reliability,
            Self::Reliability => Self::Coverage,
            Self::Coverage => Self::Figures,
        }
    }
}

/// What is to be read of the folders of runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// The reports of these.
    Reports(Vec<String>),
    /// What a run got wrong.
    Mistakes {
        /// Which.
        run: String,
        /// By which figure.
        figure: String,
    },
    /// Where images of a case are.
    Images {
        /// The case.
        case: String,
        /// Where relative paths may start, likeliest first.
        roots: Vec<PathBuf>,
        /// Source first, then the edits.
        images: Vec<Option<ImageRef>>,
    },
}

/// What was read.
#[derive(Debug)]
pub(crate) enum BenchNews {
    /// A run's report, or why it cannot be read.
    Report(String, Result<Box<Report>, String>),
    /// What a run got wrong by a figure, or why that cannot be read.
    Mistakes {
        /// Which run.
        run: String,
        /// By which figure.
        figure: String,
        /// The mistakes.
        read: Result<Mistakes, String>,
    },
    /// Where images of a case are.
    Images(Found),
}

/// The screen's state.
#[derive(Debug, Default)]
pub(crate) struct Bench {
    archive: Archive,
    board: Board,
    /// What is known of the figure.
    pane: Pane,
    /// How far that is scrolled.
    scroll: u16,
    /// The run that is looked at, where it is not the one whose figure is in the cell.
    looked_at: Option<String>,
    /// The list of mistakes, while it is open.
    list: Option<Listing>,
}

impl Bench {
    /// The list of runs was read; true if that changed something here.
    pub(crate) fn listed(&mut self, entries: &[Entry]) -> bool {
        let changed = self.archive.list(entries);
        if changed {
            let is_gone = |run: &String| self.archive.report(run).is_none();
            self.looked_at.take_if(|run| is_gone(run));
            self.board.rebuild(self.archive.measured());
        }
        changed
    }

    /// What must be read now; each thing is asked for once.
    pub(crate) fn wanted(&mut self) -> Vec<Wanted> {
        let mut out = Vec::new();
        let unread = self.archive.unread();
        if !unread.is_empty() {
            out.push(Wanted::Reports(unread));
        }
        if let Some(list) = &mut self.list
            && let Some((case, images)) = list.unsought()
        {
            let roots = self.archive.image_roots(&list.run);
            out.push(Wanted::Images {
                case,
                roots,
                images,
            });
        }
        out
    }

    /// Takes news in; what has to be told the user comes back.
    pub(crate) fn hear(&mut self, news: BenchNews) -> Option<String> {
        match news {
            BenchNews::Report(run, report) => {
                let (report, why) = match report {
                    Ok(report) => (Some(*report), None),
                    Err(why) => (None, Some(why)),
                };
                self.archive.put(run, report);
                self.board.rebuild(self.archive.measured());
                why
            }
            BenchNews::Mistakes { run, figure, read } => {
                if let Some(list) = &mut self.list
                    && (&list.run, &list.figure) == (&run, &figure)
                {
                    list.read = Some(read);
                }
                None
            }
            BenchNews::Images(found) => {
                if let Some(list) = &mut self.list {
                    list.put(found);
                }
                None
            }
        }
    }

    /// Reads all reports again.
    pub(crate) fn reread(&mut self) -> Wanted {
        Wanted::Reports(self.archive.expire())
    }

    /// The list of mistakes, while it is open.
    pub(crate) const fn list(&self) -> Option<&Listing> {
        self.list.as_ref()
    }

    /// Opens the list of what the run under the cursor got wrong; what is in the way of that otherwise.
    pub(crate) fn open(&mut self) -> Result<Wanted, String> {
        let (Some(row), Some(column)) = (self.board.marked_row(), self.board.marked_column())
        else {
            return Err("there is no figure here".into());
        };
        let slot = self.board.marked();
        let Some(run) = self.marked_run().map(str::to_owned) else {
            return Err(match slot {
                Slot::Empty => format!("{} was not run on this", row.scorer),
                _ => format!(
                    "{}'s figure is published: no list of mistakes is behind it",
                    row.scorer
                ),
            });
        };
        let figure = column.figure.clone();
        let mut title = format!("{} on {}: {figure}", row.scorer, column.benchmark);
        if let Some(which) = self.which_run().filter(|_| self.looked_at.is_some()) {
            title = format!("{title}, {which}");
        }
        self.list = Some(Listing::new(run.clone(), figure.clone(), title));
        Ok(Wanted::Mistakes { run, figure })
    }

    /// The runs behind the cell under the cursor, the one whose figure it shows first, then older ones.
    fn runs_here(&self) -> Vec<&str> {
        let (row, column) = (self.board.marked_row(), self.board.marked_column());
        let Some(((row, column), shown)) = row.zip(column).zip(self.board.marked().run()) else {
            return Vec::new();
        };
        let mut runs = columns::runs(row, column, self.archive.measured());
        let first = runs.iter().position(|run| *run == shown).unwrap_or(0);
        runs.rotate_left(first);
        runs
    }

    /// The run that the detail and the list of mistakes are of.
    fn marked_run(&self) -> Option<&str> {
        let looked_at = self.looked_at.as_deref();
        looked_at.or_else(|| self.board.marked().run())
    }

    /// Which of several runs that is: "run 2 of 3, 2026-11-27 15:57"; `None` where there is but one.
    fn which_run(&self) -> Option<String> {
        let runs = self.runs_here();
        let run = self.marked_run().filter(|_| runs.len() > 1)?;
        let number = runs.iter().position(|one| *one == run)? + 1;
        let date = archive::begun(run).map_or_else(String::new, |date| format!(", {date}"));
        Some(format!("run {number} of {}{date}", runs.len()))
    }

    /// Looks at the next older run, after the oldest at the first again.
    fn look_back(&mut self) {
        let runs = self.runs_here();
        let marked = self.marked_run();
        let at = runs.iter().position(|run| marked == Some(*run));
        let next = at.map_or(0, |at| at + 1);
        self.looked_at = runs.get(next).map(|run| (*run).to_owned());
        self.scroll = 0;
    }

    /// The cursor is on another cell: its own run shows, from its first line.
    fn look_anew(&mut self) {
        self.looked_at = None;
        self.scroll = 0;
    }

    /// Looks at the marked case in words.
    pub(crate) fn open_case(&mut self) {
        if let Some(list) = &mut self.list {
            list.open_case();
        }
    }

    /// The pictures of the case that is looked at, as far as they are there, each with its name.
    pub(crate) fn pictures(&self) -> Vec<(ImageRef, String)> {
        self.list
            .as_ref()
            .map_or_else(Vec::new, mistakes_view::pictures)
    }

    /// One layer out: the case, the list; false if there is none.
    pub(crate) fn back(&mut self) -> bool {
        if self.list.as_mut().is_some_and(Listing::close_case) {
            return true;
        }
        self.list.take().is_some()
    }

    /// Does what concerns only this screen; false if the action is none of it.
    pub(crate) fn act(&mut self, action: Action, layout: &Layout) -> bool {
        if self.list.is_some() {
            return self.act_on_list(action, layout);
        }
        let before = self.board.cursor();
        match action {
            Action::NextRow => self.board.step(1, 0),
            Action::PreviousRow => self.board.step(-1, 0),
            Action::FirstRow => self.board.step(isize::MIN, 0),
            Action::LastRow => self.board.step(isize::MAX, 0),
            Action::NextColumn => self.board.step(0, 1),
            Action::PreviousColumn => self.board.step(0, -1),
            Action::FirstColumn => self.board.step(0, isize::MIN),
            Action::LastColumn => self.board.step(0, isize::MAX),
            Action::SortColumn => self.board.sort(self.archive.measured()),
            Action::TurnSort => self.board.turn(self.archive.measured()),
            Action::OlderRun => self.look_back(),
            Action::NextBenchPane => {
                self.pane = self.pane.next();
                self.scroll = 0;
            }
            Action::DetailDown => self.scroll_by(1, layout),
            Action::DetailUp => self.scroll_by(-1, layout),
            _ => return false,
        }
        if before != self.board.cursor() {
            self.look_anew();
        }
        true
    }

    /// Half a page of the detail.
    fn scroll_by(&mut self, sign: i32, layout: &Layout) {
        let half = i32::from((layout.detail.height / 2).max(1));
        let at = i32::from(self.scroll) + sign * half;
        self.scroll = u16::try_from(at.max(0)).unwrap_or(u16::MAX);
    }

    fn act_on_list(&mut self, action: Action, layout: &Layout) -> bool {
        let Some(list) = &mut self.list else {
            return false;
        };
        let page = isize::try_from(layout.rows.height.max(2)).unwrap_or(2);
        match action {
            Action::NextMistake => list.step(1),
            Action::PreviousMistake => list.step(-1),
            Action::MistakesDown if list.case().is_some() => {
                list.scroll = list.scroll.saturating_add((layout.case.height / 2).max(1));
            }
            Action::MistakesUp if list.case().is_some() => {
                list.scroll = list.scroll.saturating_sub((layout.case.height / 2).max(1));
            }
            Action::MistakesDown => list.step(page - 1),
            Action::MistakesUp => list.step(1 - page),
            Action::FirstMistake => list.mark(0),
            Action::LastMistake => list.mark(usize::MAX),
            _ => return false,
        }
        true
    }

    /// What the places depend on, `cell` being a cell's height over its width.
    pub(crate) fn layout_facts(&self, cell: f64) -> layout::Facts {
        let names = self.board.rows().iter().map(|row| text::width(&row.scorer));
        let list = self.list.as_ref();
        let images = list.and_then(Listing::images).unwrap_or_default();
        layout::Facts {
            rows: self.board.rows().len(),
            name: names.max().unwrap_or(0),
            notes: u16::try_from(view::notes(&self.board).len()).unwrap_or(0),
            list: list.is_some(),
            case: list.is_some_and(|list| list.case().is_some()),
            pictures: images.iter().flatten().count(),
            cell,
        }
    }

    /// Scrolls so that what is marked shows, and no farther than there are words; called after every batch of changes.
    pub(crate) fn settle(&mut self, layout: &Layout) {
        self.board.scroll(layout.cells);
        let most = |lines: usize, height: u16| {
            u16::try_from(lines.saturating_sub(usize::from(height))).unwrap_or(u16::MAX)
        };
        let lines = view::detail_lines(self, layout);
        self.scroll = self
            .scroll
            .min(most(lines, layout.detail.height.saturating_sub(1)));
        if let Some(list) = &mut self.list {
            list.follow(usize::from(layout.rows.height));
            let lines = mistakes_view::case_lines(list, layout.case.width).len();
            list.scroll = list.scroll.min(most(lines, layout.case.height));
        }
    }

    /// A click; true if it was on what is marked already, which opens it.
    pub(crate) fn click(&mut self, at: Position, layout: &Layout) -> bool {
        if let Some(list) = &mut self.list {
            let row = list.top() + usize::from(at.y.saturating_sub(layout.rows.y));
            if !layout.rows.contains(at) || row >= list.mistakes().len() {
                return false;
            }
            let again = row == list.at();
            list.mark(row);
            return again;
        }
        let body = layout.names.union(layout.kinds).union(layout.cells);
        let row = self.board.top() + usize::from(at.y.saturating_sub(body.y));
        if !body.contains(at) || row >= self.board.rows().len() {
            return false;
        }
        let shown = self.board.visible(layout.cells.width);
        let under = shown
            .into_iter()
            .rev()
            .find(|(_, x, _)| layout.cells.x + x <= at.x);
        let before = self.board.cursor();
        let column = under.map_or(before.1, |(column, ..)| column);
        self.board.mark(row, column);
        let again = under.is_some() && before == self.board.cursor();
        if !again {
            self.look_anew();
        }
        again
    }

    /// A turn of the wheel: moves the mark, or scrolls the words.
    pub(crate) fn wheel(&mut self, down: bool, at: Position, layout: &Layout) {
        let by: i16 = if down { 1 } else { -1 };
        if let Some(list) = &mut self.list {
            if list.case().is_some() {
                list.scroll = list.scroll.saturating_add_signed(3 * by);
            } else {
                list.step(3 * isize::from(by));
            }
        } else if layout.board.contains(at) {
            self.board.step(isize::from(by), 0);
            self.look_anew();
        } else {
            self.scroll = self.scroll.saturating_add_signed(3 * by);
        }
    }
}
