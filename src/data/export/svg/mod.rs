//! Plots as SVG: they stand in the page, take its colours through classes, and say in `title` and `desc` what they show.
//!
//! Coordinates are in pixels of the view box, from the upper left corner.

mod axis;

pub use axis::{Axis, Ticks};

use std::fmt::Write as _;

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use super::markup::escaped;
use crate::domain::text::printable;

/// Text that takes `width` columns at most; what is longer ends in an ellipsis.
pub fn cut(text: &str, width: usize) -> String {
    let text = printable(text);
    if text.width() <= width {
        return text.into_owned();
    }
    let mut left = width.saturating_sub(1);
    let mut out = String::new();
    for c in text.chars() {
        match left.checked_sub(c.width().unwrap_or(0)) {
            Some(rest) => left = rest,
            None => break,
        }
        out.push(c);
    }
    out.push('…');
    out
}

/// A plot under construction.
#[derive(Debug)]
pub struct Drawing {
    out: String,
}

/// Where a text begins, lies or ends.
#[derive(Debug, Clone, Copy)]
pub enum Anchor {
    /// It begins there.
    Start,
    /// Its middle is there.
    Middle,
    /// It ends there.
    End,
}

impl Drawing {
    /// Of that size; `id` is the page's only one of that name.
    pub fn new((width, height): (f64, f64), id: &str, title: &str, description: &str) -> Self {
        let out = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" role=\"img\" \
             aria-labelledby=\"{id}-title {id}-desc\">\n<title id=\"{id}-title\">{}</title>\n\
             <desc id=\"{id}-desc\">{}</desc>\n",
            escaped(title),
            escaped(description)
        );
        Self { out }
    }

    /// Rules of its own, where it stands by itself and not in a page that has them.
    pub fn style(&mut self, rules: &str) {
        let _ = writeln!(self.out, "<style>\n{rules}</style>");
    }

    /// A straight line.
    pub fn line(&mut self, class: &str, (x1, y1): (f64, f64), (x2, y2): (f64, f64)) {
        let _ = writeln!(
            self.out,
            "<line class=\"{class}\" x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\"/>"
        );
    }

    /// A line of text.
    pub fn text(&mut self, class: &str, (x, y): (f64, f64), anchor: Anchor, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let _ = writeln!(
            self.out,
            "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{}</text>",
            escaped(text)
        );
    }

    /// Text that reads upwards, with its middle there.
    pub fn upwards(&mut self, (x, y): (f64, f64), text: &str) {
        let _ = writeln!(
            self.out,
            "<text class=\"muted\" transform=\"translate({x:.1} {y:.1}) rotate(-90)\" text-anchor=\"middle\">{}</text>",
            escaped(text)
        );
    }

    /// A point that says `what` when it is pointed at.
    pub fn point(&mut self, (x, y): (f64, f64), radius: f64, what: &str) {
        let _ = writeln!(
            self.out,
            "<circle class=\"point\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{radius:.1}\"><title>{}</title></circle>",
            escaped(what)
        );
    }

    /// A bar from its upper left corner.
    pub fn bar(&mut self, (x, y): (f64, f64), (width, height): (f64, f64)) {
        let _ = writeln!(
            self.out,
            "<rect class=\"bar\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\"/>"
        );
    }

    /// A line through points.
    pub fn curve(&mut self, points: &[(f64, f64)]) {
        let points: Vec<String> = points
            .iter()
            .map(|(x, y)| format!("{x:.1},{y:.1}"))
            .collect();
        let _ = writeln!(
            self.out,
            "<polyline class=\"curve\" points=\"{}\"/>",
            points.join(" ")
        );
    }

    /// A point among many, which says nothing.
    pub fn speck(&mut self, (x, y): (f64, f64)) {
        let _ = writeln!(
            self.out,
            "<circle class=\"speck\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"2\"/>"
        );
    }

    /// What lies between two lines of the same x: x, low, high in pixels.
    pub fn band(&mut self, places: &[[f64; 3]]) {
        let low = places.iter().map(|[x, low, _]| format!("{x:.1},{low:.1}"));
        let high = places
            .iter()
            .rev()
            .map(|[x, _, high]| format!("{x:.1},{high:.1}"));
        let all: Vec<String> = low.chain(high).collect();
        let _ = writeln!(
            self.out,
            "<polygon class=\"band\" points=\"{}\"/>",
            all.join(" ")
        );
    }

    /// The plot's markup.
    pub fn done(mut self) -> String {
        self.out.push_str("</svg>\n");
        self.out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_text_is_cut_by_its_width() {
        assert_eq!(cut("strict accuracy", 15), "strict accuracy");
        assert_eq!(cut("strict accuracy", 8), "strict …");
        assert_eq!(cut("漢字漢字", 6), "漢字…");
        assert_eq!(cut("", 0), "");
    }
}
