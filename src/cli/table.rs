//! Tables for people: columns as wide as their widest cell, numbers to the right. It returns text and prints nothing.

use unicode_width::UnicodeWidthStr;

use super::print::Style;

/// Which side of its column a cell keeps to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Left,
    Right,
}

/// A table under construction.
#[derive(Debug)]
pub(super) struct Table {
    head: Vec<(String, Side)>,
    rows: Vec<Row>,
}

#[derive(Debug)]
struct Row {
    cells: Vec<String>,
    /// Runs on to the right of the cells, over whatever columns are left.
    rest: Option<String>,
    strong: bool,
}

impl Table {
    /// With these columns.
    pub(super) fn new(head: &[(&str, Side)]) -> Self {
        Self {
            head: head.iter().map(|(t, s)| ((*t).to_owned(), *s)).collect(),
            rows: Vec::new(),
        }
    }

    /// A row, a cell a column; `strong` where the eye should go.
    pub(super) fn row(&mut self, cells: Vec<String>, strong: bool) {
        self.rows.push(Row {
            cells,
            rest: None,
            strong,
        });
    }

    /// A row whose last text runs over the columns that its cells leave.
    pub(super) fn sentence(&mut self, cells: Vec<String>, rest: String) {
        self.rows.push(Row {
            cells,
            rest: Some(rest),
            strong: false,
        });
    }

    /// The table as lines.
    pub(super) fn render(&self, style: Style) -> String {
        let widths: Vec<usize> = (0..self.head.len())
            .map(|i| {
                let cells = self.rows.iter().filter_map(|r| r.cells.get(i));
                cells
                    .chain([&self.head[i].0])
                    .map(|c| c.width())
                    .max()
                    .unwrap_or(0)
            })
            .collect();
        let line = |cells: &[String], rest: Option<&str>| {
            let mut line = String::new();
            for ((cell, (_, side)), width) in cells.iter().zip(&self.head).zip(&widths) {
                if !line.is_empty() {
                    line.push_str("  ");
                }
                let gap = " ".repeat(width.saturating_sub(cell.width()));
                match side {
                    Side::Left => line.extend([cell.as_str(), &gap]),
                    Side::Right => line.extend([&gap, cell.as_str()]),
                }
            }
            if let Some(rest) = rest {
                line.extend(["  ", rest]);
            }
            line.trim_end().to_owned()
        };
        let titles: Vec<String> = self.head.iter().map(|(t, _)| t.clone()).collect();
        let mut out = style.faint(&line(&titles, None));
        for row in &self.rows {
            let text = line(&row.cells, row.rest.as_deref());
            out.push('\n');
            out.push_str(&if row.strong {
                style.strong(&text)
            } else {
                text
            });
        }
        out.push('\n');
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_by_what_is_seen_and_sentences_run_on() {
        let mut table = Table::new(&[("name", Side::Left), ("n", Side::Right), ("p", Side::Right)]);
        table.row(vec!["図.png".into(), "7".into(), "0.5".into()], true);
        table.sentence(vec!["b".into()], "cannot be read".into());
        table.row(vec!["c.png".into(), "12".into(), "1".into()], false);
        assert_eq!(
            table.render(Style::plain()),
            "name     n    p\n\
             図.png   7  0.5\n\
             b       cannot be read\n\
             c.png   12    1\n"
        );
    }
}
