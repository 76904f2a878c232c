//! Reports as Markdown with GitHub's tables.

use std::fmt::Write as _;

use super::outline::{Cell, Column, Grid, Row, Section, leaderboard};
use crate::bench::leaderboard::{Leaderboard, Measured};

/// The whole report.
pub(super) fn page(measured: &[Measured], board: &Leaderboard) -> String {
    let (grid, notes) = leaderboard(board);
    let mut out = format!("# Benchmark report\n\n## {}\n\n", escaped(&grid.title));
    out.push_str(&table(&grid));
    for note in notes {
        let _ = writeln!(out, "\n{}", escaped(&note));
    }
    for one in measured {
        section(&mut out, &Section::new(one));
    }
    out
}

fn section(out: &mut String, section: &Section<'_>) {
    let _ = writeln!(out, "\n## {}\n", escaped(&section.title));
    for fact in &section.facts {
        let _ = writeln!(out, "- **{}**: {}", fact.term, escaped(&fact.text));
        for example in &fact.examples {
            let _ = writeln!(out, "  - {}", escaped(example));
        }
    }
    for grid in std::iter::once(&section.figures).chain(&section.tables) {
        let _ = writeln!(out, "\n### {}\n", escaped(&grid.title));
        out.push_str(&table(grid));
    }
}

fn table(grid: &Grid) -> String {
    let mut out = line(grid.columns.iter().map(heading));
    out.push_str(&line(grid.columns.iter().map(|column| {
        let side = if column.numbers { "---:" } else { "---" };
        side.to_owned()
    })));
    for Row { cells, .. } in &grid.rows {
        out.push_str(&line(cells.iter().map(cell)));
    }
    out
}

fn heading(column: &Column) -> String {
    match &column.group {
        Some(group) => escaped(&format!("{group}: {}", column.title)),
        None => escaped(&column.title),
    }
}

fn cell(cell: &Cell) -> String {
    match &cell.aside {
        Some(aside) => escaped(&format!("{} {aside}", cell.text)),
        None => escaped(&cell.text),
    }
}

fn line(cells: impl Iterator<Item = String>) -> String {
    let mut line = String::from("|");
    for cell in cells {
        line.push(' ');
        line.push_str(&cell);
        line.push_str(" |");
    }
    line.push('\n');
    line
}

/// Text that means itself: what CommonMark or GitHub would take for markup has a backslash before it. Underscores within
/// words mean themselves already, and so do brackets that no target follows. Line breaks are gone, since the text is printable.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut before = ' ';
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let next = chars.peek().copied().unwrap_or(' ');
        let marks = match c {
            '_' => !(before.is_alphanumeric() && next.is_alphanumeric()),
            ']' => matches!(next, '(' | '[' | ':'),
            '\\' | '`' | '*' | '<' | '>' | '|' | '&' | '~' | '#' | '$' => true,
            _ => false,
        };
        if marks {
            out.push('\\');
        }
        out.push(c);
        before = c;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_means_itself() {
        assert_eq!(escaped("a | b"), "a \\| b");
        assert_eq!(
            escaped("<img src=x> & *so* on"),
            "\\<img src=x\\> \\& \\*so\\* on"
        );
        assert_eq!(
            escaped("[a](b) [1, 2] `c` \\d $e$"),
            "[a\\](b) [1, 2] \\`c\\` \\\\d \\$e\\$"
        );
        assert_eq!(
            escaped("EditReward_Bench_2pair _x_"),
            "EditReward_Bench_2pair \\_x\\_"
        );
    }
}
