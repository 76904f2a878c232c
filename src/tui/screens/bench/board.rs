//! The leaderboard as a table with a cursor: its rows and columns, what stands in a cell, which one is marked, by which column
//! the rows are sorted, and which part of it shows.

use std::collections::BTreeMap;

use ratatui::layout::Rect;

use super::columns::{add_others, is_same, undefined, unit};
use super::words::number;
use crate::bench::leaderboard::{self, Cell, Column, Leaderboard, Measured, Row};
use crate::bench::protocol::Unit;
use crate::tui::screens::prose;
use crate::tui::widgets::text;

/// Columns between two columns.
const GAP: u16 = 2;
/// A title is no longer than this.
const TITLE: u16 = 24;
/// Stands for a value that is undefined.
pub(crate) const UNDEFINED: &str = "undef.";
/// Figures of which neither the highest nor the lowest is the best.
const NO_BEST: [(&str, &str); 1] = [("positional-bias", "gap")];

/// What stands in a cell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Slot<'a> {
    /// Nothing: this scorer has no such figure.
    Empty,
    /// A figure.
    Figure(&'a Cell),
    /// A figure without a value; the run says why.
    Undefined(&'a str),
}

impl<'a> Slot<'a> {
    /// The run that it is from.
    pub(crate) fn run(self) -> Option<&'a str> {
        match self {
            Self::Empty => None,
            Self::Figure(cell) => cell.run.as_deref(),
            Self::Undefined(run) => Some(run),
        }
    }
}

/// How wide the parts of a column are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Widths {
    /// The values.
    pub(crate) value: u16,
    /// The sign of figures on other data.
    pub(crate) sign: u16,
    /// The intervals, with the space before them.
    pub(crate) interval: u16,
    /// All of it.
    pub(crate) all: u16,
}

/// What the rows are sorted by.
#[derive(Debug, Clone, PartialEq)]
struct Sort {
    column: Column,
    best_first: bool,
}

/// The table.
#[derive(Debug, Default)]
pub(crate) struct Board {
    table: Option<Leaderboard>,
    units: Vec<Unit>,
    widths: Vec<Widths>,
    /// Runs whose figure has no value, by scorer, kind and column.
    undefined: BTreeMap<(String, String, usize), String>,
    /// The first of the columns that are benchmarks without a place in leaderboards.
    others: usize,
    sort: Option<Sort>,
    row: usize,
    column: usize,
    /// Somebody put the cursor where it is.
    placed: bool,
    top: usize,
    left: usize,
}

impl Board {
    /// Builds the table anew; the cursor stays on its scorer and its column.
    pub(crate) fn rebuild(&mut self, measured: &[Measured]) {
        let row = self
            .marked_row()
            .map(|r| (r.scorer.clone(), r.kind.clone()));
        let column = self.columns().get(self.column).cloned();
        let mut table = leaderboard::board(measured);
        self.others = table.columns.len();
        add_others(&mut table, measured);
        self.undefined = undefined(&table, measured);
        self.units = table.columns.iter().map(|c| unit(c, measured)).collect();
        self.table = Some(table);
        self.widths = (0..self.columns().len()).map(|c| self.measure(c)).collect();
        self.order();
        let first = self.first_measured();
        let here = (row, column);
        let placed = self.placed;
        let same = |r: &Row| {
            here.0
                .as_ref()
                .is_some_and(|(s, k)| (&r.scorer, &r.kind) == (s, k))
        };
        let row = self.rows().iter().position(same).filter(|_| placed);
        let same = |c: &Column| here.1.as_ref().is_some_and(|was| is_same(c, was));
        let column = self.columns().iter().position(same).filter(|_| placed);
        self.row = row.unwrap_or(first.0);
        self.column = column.unwrap_or(first.1);
    }

    /// The first cell of what was measured here, if there is one: what one looks for first.
    fn first_measured(&self) -> (usize, usize) {
        let rows = self.rows().len();
        let cells = (0..self.columns().len()).flat_map(|c| (0..rows).map(move |r| (r, c)));
        let mut measured = cells.filter(|(row, column)| self.slot(*row, *column).run().is_some());
        measured.next().unwrap_or_default()
    }

    /// The columns.
    pub(crate) fn columns(&self) -> &[Column] {
        self.table.as_ref().map_or(&[], |table| &table.columns)
    }

    /// The rows, in the order in which they show.
    pub(crate) fn rows(&self) -> &[Row] {
        self.table.as_ref().map_or(&[], |table| &table.rows)
    }

    /// What stands in a cell.
    pub(crate) fn slot(&self, row: usize, column: usize) -> Slot<'_> {
        let Some(line) = self.rows().get(row) else {
            return Slot::Empty;
        };
        if let Some(Some(cell)) = line.cells.get(column) {
            return Slot::Figure(cell);
        }
        let place = (line.scorer.clone(), line.kind.clone(), column);
        let run = self.undefined.get(&place);
        run.map_or(Slot::Empty, |run| Slot::Undefined(run))
    }

    /// The cursor's row and column.
    pub(crate) const fn cursor(&self) -> (usize, usize) {
        (self.row, self.column)
    }

    /// The row under the cursor.
    pub(crate) fn marked_row(&self) -> Option<&Row> {
        self.rows().get(self.row)
    }

    /// The column under the cursor.
    pub(crate) fn marked_column(&self) -> Option<&Column> {
        self.columns().get(self.column)
    }

    /// What stands under the cursor.
    pub(crate) fn marked(&self) -> Slot<'_> {
        self.slot(self.row, self.column)
    }

    /// Puts the cursor onto a cell, or the last one that way.
    pub(crate) fn mark(&mut self, row: usize, column: usize) {
        self.placed = true;
        self.row = row.min(self.rows().len().saturating_sub(1));
        self.column = column.min(self.columns().len().saturating_sub(1));
    }

    /// Moves the cursor, stopping at the edges.
    pub(crate) fn step(&mut self, down: isize, right: isize) {
        let row = self.row.saturating_add_signed(down);
        self.mark(row, self.column.saturating_add_signed(right));
    }

    /// Sorts by the column under the cursor, best first, or no longer.
    pub(crate) fn sort(&mut self, measured: &[Measured]) {
        let here = self.marked_column().cloned();
        let was = self.sort.take();
        if let Some(column) = here
            && was.is_none_or(|was| !is_same(&was.column, &column))
        {
            self.sort = Some(Sort {
                column,
                best_first: true,
            });
        }
        self.rebuild(measured);
    }

    /// The other end first. Without an order so far, the column under the cursor gives it.
    pub(crate) fn turn(&mut self, measured: &[Measured]) {
        let here = self.marked_column().cloned();
        match (&mut self.sort, here) {
            (Some(sort), _) => sort.best_first = !sort.best_first,
            (none, Some(column)) => {
                *none = Some(Sort {
                    column,
                    best_first: false,
                });
            }
            (None, None) => {}
        }
        self.rebuild(measured);
    }

    /// The column that rows are sorted by, and whether the best come first.
    pub(crate) fn sorted_by(&self) -> Option<(usize, bool)> {
        let sort = self.sort.as_ref()?;
        let found = self
            .columns()
            .iter()
            .position(|c| is_same(c, &sort.column))?;
        Some((found, sort.best_first))
    }

    fn order(&mut self) {
        if let (Some((column, best_first)), Some(table)) = (self.sorted_by(), &mut self.table) {
            table.sort(column, best_first);
        }
    }

    /// The best measured value of a column, where there is such a thing.
    pub(crate) fn best(&self, column: usize) -> Option<f64> {
        let place = self.columns().get(column)?;
        let none = NO_BEST.contains(&(place.benchmark.as_str(), place.figure.as_str()));
        if none || column >= self.others {
            return None;
        }
        let cells = self
            .rows()
            .iter()
            .filter_map(|row| row.cells.get(column)?.as_ref());
        let values = cells
            .filter(|cell| cell.run.is_some())
            .map(|cell| cell.value);
        values.max_by(f64::total_cmp)
    }

    /// A value as it is written in a column.
    pub(crate) fn written(&self, column: usize, value: f64) -> String {
        let unit = self.units.get(column).copied().unwrap_or(Unit::Percent);
        number(value, unit)
    }

    /// An interval as it is written in a column.
    pub(crate) fn interval(&self, column: usize, [low, high]: [f64; 2]) -> String {
        format!(
            "[{}, {}]",
            self.written(column, low),
            self.written(column, high)
        )
    }

    fn measure(&self, column: usize) -> Widths {
        let mut widths = Widths::default();
        for row in 0..self.rows().len() {
            let cell = match self.slot(row, column) {
                Slot::Empty => continue,
                Slot::Undefined(_) => {
                    widths.all = text::width(UNDEFINED);
                    continue;
                }
                Slot::Figure(cell) => cell,
            };
            let value = self.written(column, cell.value);
            widths.value = widths.value.max(text::width(&value));
            widths.sign = widths.sign.max(u16::from(cell.other_data));
            if let Some(interval) = cell.interval {
                let interval = self.interval(column, interval);
                widths.interval = widths.interval.max(text::width(&interval) + 1);
            }
        }
        // Beside the title stands the sign of the order.
        let title = text::width(&self.title(column)) + 1;
        let figures = widths.value + widths.sign + widths.interval;
        widths.all = widths.all.max(title).max(figures);
        widths
    }

    /// What stands above a column.
    pub(crate) fn title(&self, column: usize) -> String {
        let title = self.columns().get(column).map_or("", |c| c.title.as_str());
        prose::line(title, TITLE)
    }

    /// How wide a column's parts are.
    pub(crate) fn widths(&self, column: usize) -> Widths {
        self.widths.get(column).copied().unwrap_or_default()
    }

    /// The columns that fit into `width`, from the first on screen on: each with its place and width. The last may be cut.
    pub(crate) fn visible(&self, width: u16) -> Vec<(usize, u16, u16)> {
        let mut out = Vec::new();
        let mut x = 0;
        for column in self.left..self.columns().len() {
            let wide = self.widths(column).all;
            if x + wide > width && !out.is_empty() {
                break;
            }
            if x >= width {
                break;
            }
            out.push((column, x, wide.min(width - x)));
            x = x.saturating_add(wide + GAP);
        }
        out
    }

    /// The first row on screen.
    pub(crate) const fn top(&self) -> usize {
        self.top
    }

    /// How many columns are left of those that show.
    pub(crate) const fn left(&self) -> usize {
        self.left
    }

    /// Scrolls so that the cursor is within `cells`.
    pub(crate) fn scroll(&mut self, cells: Rect) {
        let height = usize::from(cells.height.max(1));
        self.top = self
            .top
            .min(self.row)
            .max((self.row + 1).saturating_sub(height))
            .min(self.rows().len().saturating_sub(height));
        let span = |from: usize| {
            let widths = (from..=self.column).map(|c| self.widths(c).all);
            let all = widths.fold(0_u16, |all, w| all.saturating_add(w + GAP));
            all.saturating_sub(GAP)
        };
        let mut left = self.left.min(self.column);
        while left < self.column && span(left) > cells.width {
            left += 1;
        }
        // What was scrolled away comes back where there is room for all that follows.
        let last = self.columns().len().saturating_sub(1);
        let rest = |from: usize| {
            let widths = (from..=last).map(|c| self.widths(c).all);
            widths
                .fold(0_u16, |all, w| all.saturating_add(w + GAP))
                .saturating_sub(GAP)
        };
        while left > 0 && rest(left - 1) <= cells.width {
            left -= 1;
        }
        self.left = left;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::sample_of_benchmarks as sample;

    fn board() -> (Board, Vec<Measured>) {
        let measured = sample::measured();
        let mut board = Board::default();
        board.rebuild(&measured);
        (board, measured)
    }

    fn scorers(board: &Board) -> Vec<&str> {
        board.rows().iter().map(|row| row.scorer.as_str()).collect()
    }

    fn go_to(board: &mut Board, benchmark: &str) {
        let found = board
            .columns()
            .iter()
            .position(|c| c.benchmark == benchmark);
        board.mark(0, found.unwrap());
    }

    #[test]
    fn the_cursor_begins_on_what_was_measured_here() {
        let (board, _) = board();
        assert!(board.marked().run().is_some(), "{:?}", board.marked());
        let mut empty = Board::default();
        empty.rebuild(&[]);
        assert!(!empty.rows().is_empty(), "published rows are always there");
        assert_eq!(empty.marked().run(), None);
    }

    #[test]
    fn the_cursor_stays_on_its_cell_when_a_report_comes() {
        let (mut board, mut measured) = board();
        go_to(&mut board, "genai-edit");
        board.step(1, 0);
        let here = |board: &Board| {
            let scorer = board.marked_row().unwrap().scorer.clone();
            (scorer, board.marked_column().unwrap().benchmark.clone())
        };
        let before = here(&board);
        let newest = measured.remove(0);
        board.rebuild(&measured);
        assert_eq!(here(&board), before);
        measured.insert(0, newest);
        board.rebuild(&measured);
        assert_eq!(here(&board), before);
    }

    #[test]
    fn rows_sort_by_the_column_under_the_cursor_turn_round_and_go_back() {
        let (mut board, measured) = board();
        let first = scorers(&board).join(",");
        go_to(&mut board, "genai-edit");
        let column = board.cursor().1;
        board.sort(&measured);
        assert_eq!(board.sorted_by(), Some((column, true)));
        let value = |board: &Board, row| match board.slot(row, column) {
            Slot::Figure(cell) => cell.value,
            other => panic!("{other:?}"),
        };
        assert!(value(&board, 0) >= value(&board, 1));
        board.turn(&measured);
        assert!(value(&board, 0) <= value(&board, 1));
        // The order stays when a report comes, and goes when it is asked for again.
        board.rebuild(&measured);
        assert_eq!(board.sorted_by(), Some((column, false)));
        board.sort(&measured);
        assert_eq!(scorers(&board).join(","), first);
    }

    #[test]
    fn the_best_of_a_column_is_measured_and_a_gap_has_none() {
        let (board, _) = board();
        let of = |benchmark| {
            let found = board
                .columns()
                .iter()
                .position(|c| c.benchmark == benchmark);
            board.best(found.unwrap())
        };
        assert_eq!(of("genai-edit"), Some(0.639));
        assert_eq!(of("aurora-pairwise"), None, "only published");
        assert_eq!(of("agreement"), None, "the figure is of people");
    }

    #[test]
    fn a_benchmark_without_a_place_in_leaderboards_has_its_own_column() {
        let (board, _) = board();
        let row = scorers(&board).iter().position(|s| *s == "people").unwrap();
        let found = board
            .columns()
            .iter()
            .position(|c| c.benchmark == "agreement");
        let Slot::Figure(cell) = board.slot(row, found.unwrap()) else {
            panic!("no cell");
        };
        assert_eq!(board.written(found.unwrap(), cell.value), "0.412");
        assert!(
            board.rows()[row + 1..]
                .iter()
                .any(|row| row.source.is_some())
        );
    }

    #[test]
    fn a_figure_without_a_value_still_leads_to_its_run() {
        let (board, _) = board();
        let column = board
            .columns()
            .iter()
            .position(|c| c.benchmark == "aurora-pointwise");
        let row = scorers(&board)
            .iter()
            .position(|s| *s == "constant")
            .unwrap();
        assert!(matches!(
            board.slot(row, column.unwrap()),
            Slot::Undefined(_)
        ));
    }

    #[test]
    fn the_cursor_is_always_among_the_columns_that_show() {
        let (mut board, _) = board();
        for width in [1, 9, 30, 60, 200] {
            for column in (0..board.columns().len()).chain((0..board.columns().len()).rev()) {
                board.mark(3, column);
                board.scroll(Rect::new(0, 0, width, 2));
                let shown = board.visible(width);
                assert!(shown.iter().any(|(c, ..)| *c == column), "{width} {column}");
                assert!(shown.iter().all(|(_, x, w)| x + w <= width));
                assert!((board.top()..board.top() + 2).contains(&3));
            }
        }
        board.mark(0, 0);
        board.scroll(Rect::new(0, 0, 1000, 50));
        assert_eq!((board.left(), board.top()), (0, 0));
    }
}
