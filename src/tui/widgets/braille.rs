//! Lines in Braille dots, two across and four down a cell, several in one field. Each line keeps its own dots, so that a cell
//! where two meet shows both and takes the colour of the one that has more of it.

/// Dots across and down one cell.
pub(super) const ACROSS: u16 = 2;
/// Dots down one cell.
pub(super) const DOWN: u16 = 4;

/// How a line is broken, so that lines stay apart without colour: dots drawn, dots left out.
const DASHES: [(u32, u32); 4] = [(1, 0), (5, 3), (1, 2), (9, 2)];

/// Dots of one line.
#[derive(Debug)]
pub(super) struct Line {
    columns: u16,
    rows: u16,
    /// One byte a cell, row by row; bits as in U+2800.
    cells: Vec<u8>,
}

impl Line {
    pub(super) fn new(columns: u16, rows: u16) -> Self {
        Self {
            columns,
            rows,
            cells: vec![0; usize::from(columns) * usize::from(rows)],
        }
    }

    /// Sets one dot; outside the field, nothing.
    pub(super) fn dot(&mut self, x: u16, y: u16) {
        /// By row, then column: Braille numbers its lower two dots last.
        const BITS: [[u8; 2]; 4] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];
        let (column, row) = (x / ACROSS, y / DOWN);
        if column < self.columns && row < self.rows {
            let cell = usize::from(row) * usize::from(self.columns) + usize::from(column);
            self.cells[cell] |= BITS[usize::from(y % DOWN)][usize::from(x % ACROSS)];
        }
    }

    /// Joins heights, one a column of dots, counted from the bottom; `None` where the line is not. `dash` picks how it is broken.
    pub(super) fn trace(&mut self, heights: &[Option<u16>], dash: usize) {
        let (on, off) = DASHES[dash % DASHES.len()];
        let bottom = (self.rows * DOWN).saturating_sub(1);
        let mut drawn = 0;
        let mut last: Option<u16> = None;
        for (x, height) in (0_u16..).zip(heights) {
            if let Some(height) = *height {
                // Upwards or downwards from where the line was, without leaving gaps.
                let run: Vec<u16> = match last {
                    Some(from) if from < height => (from + 1..=height).collect(),
                    Some(from) if from > height => (height..from).rev().collect(),
                    _ => vec![height],
                };
                for y in run {
                    if drawn % (on + off) < on {
                        self.dot(x, bottom.saturating_sub(y));
                    }
                    drawn += 1;
                }
            }
            last = *height;
        }
    }

    /// Joins two places, whose numbers may be far outside the field: only what is within is drawn, without gaps.
    pub(super) fn segment(&mut self, from: (f64, f64), to: (f64, f64)) {
        let ((x0, y0), (x1, y1)) = if from.0 <= to.0 {
            (from, to)
        } else {
            (to, from)
        };
        let (across, down) = (
            f64::from(self.columns * ACROSS),
            f64::from(self.rows * DOWN),
        );
        let slope = if x1 > x0 { (y1 - y0) / (x1 - x0) } else { 0.0 };
        let (first, last) = (x0.max(0.0).floor(), x1.min(across - 1.0).floor());
        if !(x0 <= x1 && first <= last && slope.is_finite()) {
            return;
        }
        for x in first as u16..=last as u16 {
            let within = |at: f64| y0 + (at.clamp(x0, x1) - x0) * slope;
            let (a, b) = if x1 > x0 {
                (within(f64::from(x)), within(f64::from(x) + 1.0))
            } else {
                (y0, y1)
            };
            self.upright(x, a.min(b), a.max(b), down);
        }
    }

    /// Fills one column of dots from the height `top` to `bottom`, counted from above.
    fn upright(&mut self, x: u16, top: f64, bottom: f64, down: f64) {
        let (top, bottom) = (top.round().max(0.0), bottom.round().min(down - 1.0));
        if top <= bottom {
            for y in top as u16..=bottom as u16 {
                self.dot(x, y);
            }
        }
    }

    pub(super) fn cell(&self, column: u16, row: u16) -> u8 {
        self.cells[usize::from(row) * usize::from(self.columns) + usize::from(column)]
    }
}

/// What stands in a cell where several lines may meet: the character, and whose colour it takes. The later of two equals wins.
pub(super) fn meet(lines: &[Line], column: u16, row: u16) -> Option<(char, usize)> {
    let dots = |line: &Line| line.cell(column, row);
    let all = lines.iter().fold(0, |all, line| all | dots(line));
    let (owner, _) = lines
        .iter()
        .enumerate()
        .max_by_key(|(_, line)| dots(line).count_ones())?;
    (all != 0).then(|| {
        let character = char::from_u32(0x2800 + u32::from(all)).unwrap_or(' ');
        (character, owner)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_are_numbered_as_in_unicode() {
        let mut line = Line::new(1, 1);
        line.dot(0, 0);
        line.dot(1, 3);
        line.dot(2, 0);
        line.dot(0, 4);
        assert_eq!(meet(&[line], 0, 0), Some(('⢁', 0)));
    }

    #[test]
    fn steep_lines_have_no_gaps() {
        let mut line = Line::new(1, 2);
        line.trace(&[Some(0), Some(7)], 0);
        assert_eq!(meet(std::slice::from_ref(&line), 0, 0), Some(('⢸', 0)));
        assert_eq!(meet(&[line], 0, 1), Some(('⡸', 0)));
    }

    #[test]
    fn a_segment_is_drawn_as_far_as_it_is_in_the_field() {
        let mut line = Line::new(2, 1);
        line.segment((-1e9, 2.0), (1e9, 2.0));
        assert_eq!(meet(std::slice::from_ref(&line), 0, 0), Some(('⠤', 0)));
        let mut steep = Line::new(1, 2);
        steep.segment((0.0, -1e300), (0.0, 1e300));
        assert_eq!(meet(std::slice::from_ref(&steep), 0, 1), Some(('⡇', 0)));
        let mut outside = Line::new(1, 1);
        outside.segment((0.0, 50.0), (1.0, 60.0));
        outside.segment((f64::NAN, 0.0), (1.0, f64::INFINITY));
        outside.segment((5.0, 0.0), (9.0, 3.0));
        assert_eq!(meet(&[outside], 0, 0), None);
        Line::new(0, 0).segment((0.0, 0.0), (9.0, 9.0));
    }

    #[test]
    fn where_lines_meet_both_show_and_the_fuller_one_gives_the_colour() {
        let (mut a, mut b) = (Line::new(1, 1), Line::new(1, 1));
        a.trace(&[Some(0), Some(0)], 0);
        b.dot(0, 0);
        assert_eq!(meet(&[a, b], 0, 0), Some(('⣁', 0)));
        assert_eq!(meet(&[Line::new(1, 1)], 0, 0), None);
        assert_eq!(meet(&[], 0, 0), None);
    }

    #[test]
    fn dashes_tell_lines_apart() {
        let drawn: Vec<u8> = (0..4)
            .map(|dash| {
                let mut line = Line::new(6, 1);
                line.trace(&[Some(0); 12], dash);
                line.cells
                    .iter()
                    .fold(0_u8, |n, c| n + u8::try_from(c.count_ones()).unwrap())
            })
            .collect();
        assert_eq!(drawn, [12, 9, 4, 10]);
    }
}
