//! How curves are looked at: over what, how smooth, which part of them, which metrics, and where the cursor stands. One lens
//! for all charts, so that they move together.

use tui_input::Input;

use super::told::Across;
use crate::domain::curves::Ruler;
use crate::tui::msg::Action;

/// Weights of one usual spacing later, from none to very smooth.
const WEIGHTS: [f64; 8] = [0.0, 0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.996];
/// A turn of zoom leaves this much.
const ZOOM: f64 = 0.6;
/// A turn of panning goes this much of the window.
const PAN: f64 = 0.25;

/// Which part of the horizontal axis shows.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
enum Window {
    /// All there is.
    #[default]
    All,
    /// So much up to the end, wherever that is by now.
    Tail(f64),
    /// From here to there.
    Fixed(f64, f64),
}

/// The lens.
#[derive(Debug, Default)]
pub(crate) struct Lens {
    /// What lies on the horizontal axis.
    pub(crate) across: Across,
    /// Whether that is laid out by factors.
    pub(crate) log_across: bool,
    /// Whether values are.
    pub(crate) log: bool,
    /// Where values are read.
    pub(crate) cursor: Option<f64>,
    /// What metrics' names must hold.
    pub(crate) filter: Input,
    /// Whether the filter has the keyboard.
    pub(crate) typing: bool,
    /// The metric that has the keyboard.
    pub(crate) metric: String,
    window: Window,
    strength: Strength,
}

/// A place among the weights.
#[derive(Debug, Clone, Copy)]
struct Strength(usize);

impl Default for Strength {
    fn default() -> Self {
        Self(4)
    }
}

impl Lens {
    /// The weight of the smoothing.
    pub(crate) fn weight(&self) -> f64 {
        WEIGHTS[self.strength.0.min(WEIGHTS.len() - 1)]
    }

    /// Whether everything shows.
    pub(crate) fn shows_all(&self) -> bool {
        self.window == Window::All
    }

    /// Whether the end shows, wherever that is by now.
    pub(crate) const fn follows(&self) -> bool {
        matches!(self.window, Window::All | Window::Tail(_))
    }

    /// The part that shows, of curves that reach from `low` to `high`.
    pub(crate) fn ruler(&self, (low, high): (f64, f64)) -> Ruler {
        // Steps are counted from 1, and a ruler of factors begins where the values do.
        let low = if self.log_across { low } else { low.min(0.0) };
        match self.window {
            Window::All => Ruler::new(low, high, self.log_across),
            Window::Tail(length) => Ruler::new((high - length).max(low), high, self.log_across),
            Window::Fixed(from, to) => Ruler::new(from, to, self.log_across),
        }
    }

    /// Does what concerns the lens alone, over curves that reach from `low` to `high`; false if the action is none of it.
    pub(crate) fn act(&mut self, action: Action, reach: (f64, f64)) -> bool {
        match action {
            Action::ZoomIn => self.zoom(ZOOM, self.anchor(reach), reach),
            Action::ZoomOut => self.zoom(1.0 / ZOOM, self.anchor(reach), reach),
            Action::PanLeft => self.pan(-PAN, reach),
            Action::PanRight => self.pan(PAN, reach),
            Action::ShowAll => self.window = Window::All,
            Action::FollowEnd => {
                let ruler = self.ruler(reach);
                self.cursor = None;
                if !self.shows_all() {
                    self.window = Window::Tail(ruler.high() - ruler.low());
                }
            }
            Action::Smoother => self.strength.0 = (self.strength.0 + 1).min(WEIGHTS.len() - 1),
            Action::Rougher => self.strength.0 = self.strength.0.saturating_sub(1),
            Action::LogValues => self.log = !self.log,
            Action::LogAcross => self.log_across = !self.log_across,
            _ => return false,
        }
        true
    }

    /// Another axis: places on the one before mean nothing on it.
    pub(crate) fn turn(&mut self, cursor: Option<f64>) {
        self.across = self.across.next();
        self.window = Window::All;
        self.cursor = cursor;
    }

    /// Where zooming holds on to: the cursor, the end while that is followed, else the middle.
    fn anchor(&self, reach: (f64, f64)) -> f64 {
        let ruler = self.ruler(reach);
        let at_cursor = self.cursor.and_then(|at| ruler.share(at));
        at_cursor
            .filter(|share| (0.0..=1.0).contains(share))
            .unwrap_or(if self.follows() { 1.0 } else { 0.5 })
    }

    /// Leaves `factor` of the window, with what is at `share` of its width staying there.
    pub(crate) fn zoom(&mut self, factor: f64, share: f64, reach: (f64, f64)) {
        let ruler = self.ruler(reach).zoomed(factor, share);
        self.look_at(ruler, reach);
    }

    fn pan(&mut self, by: f64, reach: (f64, f64)) {
        let ruler = self.ruler(reach);
        let all = Self {
            log_across: self.log_across,
            ..Self::default()
        }
        .ruler(reach);
        // Not beyond what there is.
        let most = ruler.share(all.high()).map_or(0.0, |share| share - 1.0);
        let least = ruler.share(all.low()).unwrap_or(0.0);
        let by = by.clamp(least.min(0.0), most.max(0.0));
        self.look_at(ruler.panned(by), reach);
    }

    /// Moves the window so that `at` is in it.
    pub(crate) fn reveal(&mut self, at: f64, reach: (f64, f64)) {
        let ruler = self.ruler(reach);
        let Some(share) = ruler.share(at) else {
            return;
        };
        if share < 0.0 {
            self.look_at(ruler.panned(share - 0.05), reach);
        } else if share > 1.0 {
            self.look_at(ruler.panned(share - 0.95), reach);
        }
    }

    fn look_at(&mut self, ruler: Ruler, reach: (f64, f64)) {
        let (low, high) = (reach.0.min(0.0), reach.1);
        let (from, to) = (ruler.low(), ruler.high());
        let slack = (high - low).abs() * 1e-6;
        self.window = if from <= low + slack && to >= high - slack {
            Window::All
        } else if to >= high - slack {
            Window::Tail((to.min(high) - from).max(slack))
        } else {
            Window::Fixed(from, to)
        };
    }

    /// What was typed to choose metrics, trimmed.
    pub(crate) fn query(&self) -> &str {
        self.filter.value().trim()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REACH: (f64, f64) = (1.0, 1000.0);

    fn ends(lens: &Lens, reach: (f64, f64)) -> (f64, f64) {
        let ruler = lens.ruler(reach);
        (ruler.low().round(), ruler.high().round())
    }

    #[test]
    fn zooming_without_a_cursor_holds_on_to_the_end_and_follows_it() {
        let mut lens = Lens::default();
        assert!(lens.act(Action::ZoomIn, REACH));
        assert_eq!(ends(&lens, REACH), (400.0, 1000.0));
        assert_eq!(ends(&lens, (1.0, 1500.0)), (900.0, 1500.0));
        assert!(lens.follows());
        lens.act(Action::ZoomOut, REACH);
        assert!(lens.shows_all());
    }

    #[test]
    fn zooming_with_a_cursor_keeps_what_is_under_it() {
        let mut lens = Lens {
            cursor: Some(250.0),
            ..Lens::default()
        };
        lens.act(Action::ZoomIn, REACH);
        lens.act(Action::ZoomIn, REACH);
        let ruler = lens.ruler(REACH);
        assert!((ruler.share(250.0).unwrap() - 0.25).abs() < 1e-9);
        assert!(!lens.follows());
        assert_eq!(
            ends(&lens, REACH),
            ends(&lens, (1.0, 9000.0)),
            "it stays while a run grows"
        );
    }

    #[test]
    fn panning_stops_at_both_ends() {
        let mut lens = Lens::default();
        lens.act(Action::PanRight, REACH);
        assert!(lens.shows_all());
        lens.act(Action::ZoomIn, REACH);
        for _ in 0..20 {
            lens.act(Action::PanLeft, REACH);
        }
        assert_eq!(ends(&lens, REACH), (0.0, 600.0));
        for _ in 0..20 {
            lens.act(Action::PanRight, REACH);
        }
        assert_eq!(ends(&lens, REACH), (400.0, 1000.0));
        assert!(lens.follows());
    }

    #[test]
    fn the_window_comes_along_with_the_cursor() {
        let mut lens = Lens::default();
        lens.act(Action::ZoomIn, REACH);
        lens.reveal(200.0, REACH);
        let ruler = lens.ruler(REACH);
        assert!(ruler.low() < 200.0 && ruler.high() > 200.0);
        assert_eq!((ruler.high() - ruler.low()).round(), 600.0);
    }

    #[test]
    fn smoothing_stops_at_both_ends() {
        let mut lens = Lens::default();
        for _ in 0..20 {
            lens.act(Action::Smoother, REACH);
        }
        assert_eq!(lens.weight(), 0.996);
        for _ in 0..20 {
            lens.act(Action::Rougher, REACH);
        }
        assert_eq!(lens.weight(), 0.0);
    }

    #[test]
    fn factors_begin_where_the_values_do() {
        let mut lens = Lens::default();
        lens.act(Action::LogAcross, REACH);
        assert_eq!(ends(&lens, REACH), (1.0, 1000.0));
        lens.act(Action::ZoomIn, REACH);
        assert!(lens.ruler(REACH).low() > 1.0);
        lens.act(Action::ZoomOut, REACH);
        assert_eq!(ends(&lens, REACH), (1.0, 1000.0));
    }
}
