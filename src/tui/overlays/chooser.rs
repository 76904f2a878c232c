//! A searchable list over the screen: its lines, what was typed, which line is marked, and how it is drawn.

use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};
use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, BorderType, Clear};
use tui_input::Input;
use unicode_width::UnicodeWidthStr;

use crate::tui::msg::{Action, Work};
use crate::tui::screens::{jobs, prose};
use crate::tui::theme::{Role, Theme};

/// Which list it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Every key.
    Help,
    /// Every command.
    Palette,
    /// Themes.
    Themes,
    /// Messages.
    Messages,
    /// A question, with its answers.
    Question,
    /// What can be started.
    Begin,
}

impl Kind {
    const fn title(self) -> &'static str {
        match self {
            Self::Help => "Keys",
            Self::Palette => "Commands",
            Self::Themes => "Theme",
            Self::Messages => "Messages",
            Self::Question => "Are you sure?",
            Self::Begin => "Start what?",
        }
    }

    const fn nothing(self) -> &'static str {
        match self {
            Self::Messages => "nothing has gone wrong",
            _ => "nothing matches",
        }
    }
}

/// What taking a line does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Choice {
    /// Runs an action.
    Run(Action),
    /// Takes a theme.
    Theme(String),
    /// Goes to the group at this place of the list, from 0.
    Goto(usize),
    /// Does something to a run.
    Work(Work),
    /// Opens the dialog of what can be started.
    Begin(jobs::Kind),
    /// Only closes.
    Nothing,
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Item {
    /// The heading it stands under; an empty one has none.
    pub(crate) section: &'static str,
    /// The keys, if any.
    pub(crate) keys: String,
    /// What it says.
    pub(crate) words: String,
    /// What it does.
    pub(crate) choice: Choice,
}

/// The list.
#[derive(Debug)]
pub(crate) struct Chooser {
    /// Which.
    pub(crate) kind: Kind,
    items: Vec<Item>,
    input: Input,
    hits: Vec<usize>,
    marked: usize,
    /// The theme in force when the picker opened, to go back to.
    pub(crate) before: Option<Box<Theme>>,
}

/// A line as drawn: a heading, or the item at a place among the hits.
enum Drawn {
    Heading(&'static str),
    Hit(usize),
}

impl Chooser {
    /// A list of `items`, nothing typed yet.
    pub(crate) fn new(kind: Kind, items: Vec<Item>) -> Self {
        let hits = (0..items.len()).collect();
        Self {
            kind,
            items,
            input: Input::default(),
            hits,
            marked: 0,
            before: None,
        }
    }

    /// Marks the first item with this choice.
    pub(crate) fn mark_choice(&mut self, choice: &Choice) {
        let found = self
            .hits
            .iter()
            .position(|i| self.items[*i].choice == *choice);
        self.marked = found.unwrap_or(0);
    }

    /// What was typed changes; the best match is marked.
    pub(crate) fn edit(&mut self, change: impl FnOnce(&mut Input)) {
        change(&mut self.input);
        self.search();
    }

    fn search(&mut self) {
        self.marked = 0;
        let typed = self.input.value().trim();
        if typed.is_empty() {
            self.hits = (0..self.items.len()).collect();
            return;
        }
        let pattern = Pattern::parse(typed, CaseMatching::Ignore, Normalization::Smart);
        let mut matcher = Matcher::new(Config::DEFAULT);
        let mut buffer = Vec::new();
        let mut hits: Vec<(u32, usize)> = self
            .items
            .iter()
            .enumerate()
            .filter_map(|(i, item)| {
                let text = format!("{} {}", item.words, item.keys);
                let score = pattern.score(Utf32Str::new(&text, &mut buffer), &mut matcher)?;
                Some((score, i))
            })
            .collect();
        hits.sort_by_key(|(score, i)| (std::cmp::Reverse(*score), *i));
        self.hits = hits.into_iter().map(|(_, i)| i).collect();
    }

    /// The number typed, as the palette reads it.
    pub(crate) fn number(&self) -> Option<usize> {
        self.input.value().trim().parse().ok()
    }

    /// The marked line's choice.
    pub(crate) fn choice(&self) -> Option<&Choice> {
        let item = self.hits.get(self.marked)?;
        Some(&self.items[*item].choice)
    }

    /// Moves the mark, stopping at both ends.
    pub(crate) fn step(&mut self, by: isize) {
        self.marked = self
            .marked
            .saturating_add_signed(by)
            .min(self.hits.len().saturating_sub(1));
    }

    /// Where the box is on a screen of this size.
    pub(crate) fn area(&self, screen: Rect) -> Rect {
        let width = match self.kind {
            Kind::Themes => 34,
            Kind::Palette | Kind::Help | Kind::Question | Kind::Begin => 76,
            Kind::Messages => 100,
        };
        let width = width
            .min(screen.width.saturating_sub(4))
            .max(screen.width.min(20));
        let lines = u16::try_from(self.drawn_all().len()).unwrap_or(u16::MAX);
        let most = screen
            .height
            .saturating_sub(if screen.height > 24 { 4 } else { 0 });
        // Its height is that of the whole list, so that typing does not make it jump.
        let all = u16::try_from(self.items.len() + self.sections()).unwrap_or(u16::MAX);
        let height = all
            .max(lines)
            .saturating_add(4)
            .min(most)
            .max(screen.height.min(5));
        Rect::new(
            screen.x + (screen.width - width) / 2,
            screen.y + (screen.height - height) / 3,
            width,
            height,
        )
    }

    fn sections(&self) -> usize {
        let mut last = "";
        let mut count = 0;
        for item in &self.items {
            if item.section != last {
                last = item.section;
                count += 1;
            }
        }
        count
    }

    /// All lines: headings only while nothing is searched for, since matches stand in order of merit.
    fn drawn_all(&self) -> Vec<Drawn> {
        let searching = !self.input.value().trim().is_empty();
        let mut out = Vec::new();
        let mut last = "";
        for (at, i) in self.hits.iter().enumerate() {
            let section = self.items[*i].section;
            if !searching && section != last {
                last = section;
                out.push(Drawn::Heading(section));
            }
            out.push(Drawn::Hit(at));
        }
        out
    }

    /// The lines within `height`, around the mark.
    fn drawn(&self, height: u16) -> Vec<Drawn> {
        let all = self.drawn_all();
        let marked = all
            .iter()
            .position(|line| matches!(line, Drawn::Hit(at) if *at == self.marked))
            .unwrap_or(0);
        let height = usize::from(height);
        let top = marked
            .saturating_sub(height / 2)
            .min(all.len().saturating_sub(height));
        all.into_iter().skip(top).take(height).collect()
    }

    /// Marks the line at this place of the screen; false if there is none.
    pub(crate) fn click(&mut self, screen: Rect, at: Position) -> bool {
        let rows = rows(self.area(screen));
        if !rows.contains(at) {
            return false;
        }
        let line = usize::from(at.y - rows.y);
        match self.drawn(rows.height).get(line) {
            Some(Drawn::Hit(hit)) => {
                self.marked = *hit;
                true
            }
            _ => false,
        }
    }

    /// Draws the box.
    pub(crate) fn draw(&self, frame: &mut Frame<'_>, screen: Rect, theme: &Theme) {
        let area = self.area(screen);
        let overlay = theme[Role::Overlay];
        frame.render_widget(Clear, area);
        frame
            .buffer_mut()
            .set_style(area, theme[Role::Text].patch(overlay));
        let block = Block::bordered()
            .border_type(BorderType::Rounded)
            .border_style(theme[Role::BorderFocused])
            .title(Span::styled(
                format!(" {} ", self.kind.title()),
                theme[Role::Title],
            ));
        frame.render_widget(block, area);
        self.draw_input(frame, area, theme);
        let rows = rows(area);
        let drawn = self.drawn(rows.height);
        if self.hits.is_empty() && rows.height > 0 {
            let words = Span::styled(self.kind.nothing(), theme[Role::Dim]);
            frame.render_widget(words, Rect { height: 1, ..rows });
        }
        for (line, y) in drawn.iter().zip(rows.y..rows.bottom()) {
            let row = Rect {
                y,
                height: 1,
                ..rows
            };
            self.draw_line(frame, row, line, theme);
        }
    }

    fn draw_input(&self, frame: &mut Frame<'_>, area: Rect, theme: &Theme) {
        let row =
            Rect::new(area.x + 2, area.y + 1, area.width.saturating_sub(4), 1).intersection(area);
        if row.is_empty() || area.height < 4 {
            return;
        }
        let room = usize::from(row.width.saturating_sub(3));
        let scroll = self.input.visual_scroll(room);
        let prompt = Span::styled("› ", theme[Role::KeyHint]);
        let typed: String = self.input.value().chars().skip(scroll).collect();
        let text = if self.input.value().is_empty() {
            Span::styled("type to search", theme[Role::Dim])
        } else {
            Span::raw(prose::line(&typed, row.width.saturating_sub(2)))
        };
        frame.render_widget(Line::from(vec![prompt, text]), row);
        let column = self.input.visual_cursor().saturating_sub(scroll).min(room);
        let column = u16::try_from(column).unwrap_or(0);
        frame.set_cursor_position(Position::new(row.x + 2 + column, row.y));
    }

    fn draw_line(&self, frame: &mut Frame<'_>, row: Rect, line: &Drawn, theme: &Theme) {
        let hit = match line {
            Drawn::Heading(section) => {
                frame.render_widget(Span::styled(*section, theme[Role::Accent]), row);
                return;
            }
            Drawn::Hit(hit) => *hit,
        };
        let Some(item) = self.hits.get(hit).map(|i| &self.items[*i]) else {
            return;
        };
        if hit == self.marked {
            frame.buffer_mut().set_style(row, theme[Role::Selected]);
        }
        let keys = item.keys.width();
        let indent = if item.section.is_empty() { "" } else { "  " };
        let room = usize::from(row.width).saturating_sub(keys + indent.len() + 1);
        let words = prose::line(&item.words, u16::try_from(room).unwrap_or(0));
        frame.render_widget(Line::from(vec![Span::raw(indent), Span::raw(words)]), row);
        let keys = Span::styled(item.keys.clone(), theme[Role::KeyHint]);
        frame.render_widget(Line::from(keys).right_aligned(), row);
    }
}

/// The lines' place within the box: below the border, the input and an empty line.
fn rows(area: Rect) -> Rect {
    Rect::new(
        area.x + 2,
        area.y + 3,
        area.width.saturating_sub(4),
        area.height.saturating_sub(4),
    )
    .intersection(area)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(words: &str, choice: Choice) -> Item {
        Item {
            section: "",
            keys: String::new(),
            words: words.into(),
            choice,
        }
    }

    fn typed(chooser: &mut Chooser, text: &str) {
        chooser.edit(|input| *input = Input::new(text.into()));
    }

    #[test]
    fn typing_finds_by_letters_in_order_and_marks_the_best() {
        let mut chooser = Chooser::new(
            Kind::Palette,
            vec![
                item("go to the next group", Choice::Run(Action::NextGroup)),
                item("quit", Choice::Run(Action::Quit)),
            ],
        );
        typed(&mut chooser, "qt");
        assert_eq!(chooser.choice(), Some(&Choice::Run(Action::Quit)));
        typed(&mut chooser, "zzz");
        assert_eq!(chooser.choice(), None);
        typed(&mut chooser, " 12 ");
        assert_eq!(chooser.number(), Some(12));
    }

    #[test]
    fn the_mark_stops_at_both_ends_of_an_empty_list_too() {
        let mut chooser = Chooser::new(Kind::Messages, Vec::new());
        chooser.step(3);
        chooser.step(-3);
        assert_eq!(chooser.choice(), None);
    }

    #[test]
    fn the_box_stays_on_every_screen() {
        let items = (0..40)
            .map(|i| item(&i.to_string(), Choice::Nothing))
            .collect();
        let chooser = Chooser::new(Kind::Help, items);
        for width in 0..120 {
            for height in 0..60 {
                let screen = Rect::new(0, 0, width, height);
                let area = chooser.area(screen);
                assert_eq!(area.intersection(screen), area, "{width}x{height}");
            }
        }
    }
}
