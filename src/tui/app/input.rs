//! Keys, mouse and pastes to actions, and actions to changes of the state. The topmost layer is asked first.

use ratatui::crossterm::event::{
    Event, KeyEvent, KeyEventKind, MouseButton, MouseEvent, MouseEventKind,
};
use ratatui::layout::{Position, Size};
use tui_input::InputRequest;
use tui_input::backend::crossterm::EventHandler;

use super::{App, Screen};
use crate::tui::keys;
use crate::tui::msg::{Action, Effect};
use crate::tui::overlays::{self, Choice, Kind};
use crate::tui::screens::detail::Detail;
use crate::tui::theme::Theme;

/// Rows a turn of the wheel moves.
const WHEEL: isize = 3;

impl App {
    pub(super) fn input(&mut self, event: &Event) -> Vec<Effect> {
        match event {
            Event::Key(key) if key.kind != KeyEventKind::Release => self.key(key),
            Event::Mouse(mouse) => self.mouse(*mouse),
            Event::Paste(text) => self.paste(text),
            Event::Resize(width, height) => {
                self.resized(Size::new(*width, *height));
                self.paint.due = true;
                Vec::new()
            }
            // Multiplexers redraw from memory when one comes back, and remember no images of this kind.
            Event::FocusGained if self.paint.graphics.is_some_and(|g| g.protocol.is_opaque()) => {
                self.paint.due = true;
                vec![Effect::Repaint]
            }
            _ => Vec::new(),
        }
    }

    fn key(&mut self, key: &KeyEvent) -> Vec<Effect> {
        self.paint.due |= self.log.seen();
        if let Some(action) = keys::dispatch(self.contexts(), key) {
            return self.act(action);
        }
        self.type_key(key)
    }

    /// A key that is no command goes to whatever is being typed.
    fn type_key(&mut self, key: &KeyEvent) -> Vec<Effect> {
        let event = Event::Key(*key);
        if let Some(top) = self.overlays.last_mut() {
            top.edit(|input| {
                input.handle_event(&event);
            });
            self.paint.due = true;
            self.preview();
        } else if self.screens.open == Screen::Train {
            self.type_on_runs(|input| {
                input.handle_event(&event);
            });
        } else if self.screens.open == Screen::Annotate {
            self.screens.annotate.type_into(|input| {
                input.handle_event(&event);
            });
            self.paint.due = true;
        } else if self.screens.open == Screen::Jobs {
            self.screens.jobs.type_into(|input| {
                input.handle_event(&event);
            });
            self.paint.due = true;
        } else if self.types_a_filter() {
            let changed = self.list.filter.handle_event(&event);
            self.paint.due |= changed.is_some();
            if changed.is_some_and(|changed| changed.value) {
                return super::rank(self.list.rank(true));
            }
        }
        Vec::new()
    }

    fn types_a_filter(&self) -> bool {
        let open = self.screens.open == Screen::Browse && self.screens.detail.is_none();
        open && self.list.typing
    }

    fn paste(&mut self, text: &str) -> Vec<Effect> {
        // A pasted line break would be a line break in a one-line input.
        let clean: Vec<char> = text.chars().filter(|c| !c.is_control()).take(500).collect();
        let insert = |input: &mut tui_input::Input| {
            for c in clean {
                input.handle(InputRequest::InsertChar(c));
            }
        };
        if let Some(top) = self.overlays.last_mut() {
            top.edit(insert);
            self.paint.due = true;
        } else if self.screens.open == Screen::Train {
            self.type_on_runs(insert);
        } else if self.screens.open == Screen::Annotate {
            self.screens.annotate.type_into(insert);
            self.paint.due = true;
        } else if self.screens.open == Screen::Jobs {
            self.screens.jobs.type_into(insert);
            self.paint.due = true;
        } else if self.types_a_filter() {
            insert(&mut self.list.filter);
            self.paint.due = true;
            return super::rank(self.list.rank(true));
        }
        Vec::new()
    }

    /// Does what an action says.
    pub(super) fn act(&mut self, action: Action) -> Vec<Effect> {
        self.paint.due = true;
        if self.screens.open == Screen::Train
            && let Some(effects) = self.act_on_runs(action)
        {
            return effects;
        }
        if self.screens.open == Screen::Bench
            && let Some(effects) = self.act_on_bench(action)
        {
            return effects;
        }
        if self.screens.open == Screen::Annotate
            && let Some(effects) = self.act_on_annotate(action)
        {
            return effects;
        }
        if self.screens.open == Screen::Agreement
            && let Some(effects) = self.act_on_agreement(action)
        {
            return effects;
        }
        if self.screens.open == Screen::Failures
            && let Some(effects) = self.act_on_failures(action)
        {
            return effects;
        }
        if self.screens.open == Screen::Curate
            && let Some(effects) = self.act_on_curation(action)
        {
            return effects;
        }
        if self.screens.open == Screen::Probe
            && let Some(effects) = self.act_on_probe(action)
        {
            return effects;
        }
        if self.screens.open == Screen::Jobs
            && let Some(effects) = self.act_on_jobs(action)
        {
            return effects;
        }
        let candidates = self.candidates();
        if let Some(detail) = &mut self.screens.detail
            && detail.act(action)
        {
            return Vec::new();
        }
        if self.screens.browse.act(action, candidates) || self.screens.sight.act(action) {
            return Vec::new();
        }
        match action {
            Action::NextGroup
            | Action::PreviousGroup
            | Action::HalfPageDown
            | Action::HalfPageUp
            | Action::PageDown
            | Action::PageUp
            | Action::FirstGroup
            | Action::LastGroup
            | Action::NextUnscored
            | Action::PreviousUnscored => self.move_mark(action),
            Action::Filter
            | Action::KeepFilter
            | Action::DropFilter
            | Action::NextSort
            | Action::ReverseSort => return self.reorder(action),
            Action::Help | Action::Palette | Action::Themes | Action::Messages => self.open(action),
            Action::Choose => return self.choose(),
            Action::Close => self.close(),
            Action::NextChoice => self.step_choice(1),
            Action::PreviousChoice => self.step_choice(-1),
            Action::NextChoices => self.step_choice(10),
            Action::PreviousChoices => self.step_choice(-10),
            Action::OpenDetail if candidates > 0 => {
                self.screens.detail = Some(Detail::default());
                return self.rescale();
            }
            Action::Back => return self.back(),
            Action::ToBrowse => self.screens.open = Screen::Browse,
            Action::ToTrain => self.screens.open = Screen::Train,
            Action::ToBench => self.screens.open = Screen::Bench,
            Action::ToAnnotate => self.screens.open = Screen::Annotate,
            Action::ToAgreement => self.screens.open = Screen::Agreement,
            Action::ToProbe => self.open_probe(),
            Action::ToFailures => self.screens.open = Screen::Failures,
            Action::ToCurate => self.screens.open = Screen::Curate,
            Action::ToJobs => self.screens.open = Screen::Jobs,
            Action::Rescan => {
                self.records.expire();
                return vec![self.reread()];
            }
            Action::Redraw => {
                return vec![Effect::Repaint];
            }
            Action::Suspend => return vec![Effect::Suspend],
            Action::Quit => self.quit = true,
            // Actions of a screen that is not open.
            _ => {}
        }
        Vec::new()
    }

    fn move_mark(&mut self, action: Action) {
        let page = self.browse_layout(self.screen()).rows.height.max(2);
        let page = isize::try_from(page).unwrap_or(2);
        match action {
            Action::NextGroup => self.list.step(1),
            Action::PreviousGroup => self.list.step(-1),
            Action::HalfPageDown => self.list.step(page / 2),
            Action::HalfPageUp => self.list.step(-page / 2),
            Action::PageDown => self.list.step(page - 1),
            Action::PageUp => self.list.step(1 - page),
            Action::FirstGroup => self.list.mark(0),
            Action::LastGroup => self.list.mark(usize::MAX),
            _ => {
                let back = action == Action::PreviousUnscored;
                if !self.list.step_to_unscored(back) {
                    let side = if back { "before" } else { "after" };
                    self.tell(format!("every group {side} this one has its scores"));
                }
            }
        }
    }

    fn reorder(&mut self, action: Action) -> Vec<Effect> {
        match action {
            Action::Filter => {
                self.list.typing = true;
                return Vec::new();
            }
            Action::KeepFilter => {
                self.list.typing = false;
                return Vec::new();
            }
            Action::DropFilter => {
                self.list.typing = false;
                self.list.filter.reset();
            }
            Action::NextSort => self.list.sort = self.list.sort.next(),
            _ => self.list.reversed = !self.list.reversed,
        }
        super::rank(self.list.rank(false))
    }

    fn back(&mut self) -> Vec<Effect> {
        if self.screens.sight.back() {
            return Vec::new();
        }
        if self.screens.detail.take().is_none() && !self.list.query().is_empty() {
            return self.reorder(Action::DropFilter);
        }
        if self.list.show_every() {
            return super::rank(self.list.rank(false));
        }
        Vec::new()
    }

    fn open(&mut self, action: Action) {
        let contexts = self.contexts();
        let overlay = match action {
            Action::Help => overlays::help(contexts),
            Action::Palette => overlays::palette(contexts),
            Action::Themes => overlays::themes(&self.paint.theme),
            _ => overlays::messages(&self.log),
        };
        self.overlays.push(overlay);
    }

    fn close(&mut self) {
        if let Some(top) = self.overlays.pop()
            && let Some(before) = top.before
        {
            self.paint.theme = *before;
        }
    }

    fn step_choice(&mut self, by: isize) {
        if let Some(top) = self.overlays.last_mut() {
            top.step(by);
        }
        self.preview();
    }

    /// The theme picker shows each theme as one passes it.
    fn preview(&mut self) {
        let Some(top) = self.overlays.last() else {
            return;
        };
        if let (Kind::Themes, Some(Choice::Theme(name))) = (top.kind, top.choice()) {
            let name = name.clone();
            self.take_theme(&name);
        }
    }

    fn take_theme(&mut self, name: &str) {
        match Theme::load(name) {
            Ok(theme) => self.paint.theme = theme.at_depth(self.paint.depth),
            Err(error) => self.tell(error.to_string()),
        }
    }

    fn choose(&mut self) -> Vec<Effect> {
        let Some(top) = self.overlays.pop() else {
            return Vec::new();
        };
        // A number is a group's place in the list, whatever else it may match.
        let choice = match top.number().filter(|_| top.kind == Kind::Palette) {
            Some(number) => Choice::Goto(number.saturating_sub(1)),
            None => top.choice().cloned().unwrap_or(Choice::Nothing),
        };
        match choice {
            Choice::Run(action) => return self.act(action),
            Choice::Theme(name) => {
                self.paint.chosen = true;
                self.take_theme(&name);
            }
            Choice::Goto(position) if position < self.list.shown() => {
                self.screens.open = Screen::Browse;
                self.list.mark(position);
            }
            Choice::Work(work) => return vec![Effect::Work(work)],
            Choice::Begin(kind) => self.begin_job(kind),
            Choice::Goto(_) => {
                let shown = self.list.shown();
                self.tell(format!("there are {shown} groups in the list"));
            }
            Choice::Nothing => {}
        }
        Vec::new()
    }

    fn mouse(&mut self, mouse: MouseEvent) -> Vec<Effect> {
        let at = Position::new(mouse.column, mouse.row);
        let turn = match mouse.kind {
            MouseEventKind::ScrollDown => WHEEL,
            MouseEventKind::ScrollUp => -WHEEL,
            MouseEventKind::Down(MouseButton::Left) => 0,
            _ => return Vec::new(),
        };
        self.paint.due = true;
        self.log.seen();
        let screen = self.screen();
        if let Some(top) = self.overlays.last_mut() {
            if turn != 0 {
                self.step_choice(turn);
            } else if top.click(screen, at) {
                return self.choose();
            } else if !top.area(screen).contains(at) {
                self.close();
            }
            return Vec::new();
        }
        if self.screens.open == Screen::Train {
            self.mouse_on_runs(turn, at);
            return Vec::new();
        }
        if self.screens.open == Screen::Jobs {
            self.mouse_on_jobs(turn, at);
            return Vec::new();
        }
        if self.screens.open == Screen::Bench {
            return self.mouse_on_bench(turn, at);
        }
        if self.screens.detail.is_some() {
            return self.mouse_on_detail(turn, at);
        }
        self.mouse_on_browse(turn, at)
    }

    fn mouse_on_detail(&mut self, turn: isize, at: Position) -> Vec<Effect> {
        if turn != 0 {
            return self.turn_candidate(turn);
        }
        let Some(layout) = self.detail_layout(self.screen()) else {
            return Vec::new();
        };
        if layout.source.contains(at) || layout.candidate.contains(at) {
            return self.act(Action::Blink);
        }
        Vec::new()
    }

    fn turn_candidate(&mut self, turn: isize) -> Vec<Effect> {
        self.act(if turn > 0 {
            Action::NextCandidate
        } else {
            Action::PreviousCandidate
        })
    }

    fn mouse_on_browse(&mut self, turn: isize, at: Position) -> Vec<Effect> {
        let layout = self.browse_layout(self.screen());
        if layout.list.contains(at) {
            if turn != 0 {
                self.list.step(turn);
            } else if layout.rows.contains(at) {
                let row = self.list.top() + usize::from(at.y - layout.rows.y);
                if row < self.list.shown() {
                    self.list.mark(row);
                }
            }
            return Vec::new();
        }
        if turn != 0 {
            return self.turn_candidate(turn);
        }
        let on_row = layout
            .table
            .contains(at)
            .then(|| usize::from(at.y - layout.table.y).checked_sub(1))
            .flatten()
            .map(|line| {
                line + crate::tui::screens::browse::table_top(
                    &layout,
                    self.screens.browse.candidate,
                    self.candidates(),
                )
            });
        let on_tile = layout
            .tiles
            .iter()
            .find(|tile| tile.area().contains(at))
            .and_then(|tile| tile.candidate);
        match on_tile
            .or(on_row)
            .filter(|candidate| *candidate < self.candidates())
        {
            // A second click on the same picture opens it.
            Some(candidate) if candidate == self.screens.browse.candidate && on_tile.is_some() => {
                self.act(Action::OpenDetail)
            }
            Some(candidate) => {
                self.screens.browse.candidate = candidate;
                Vec::new()
            }
            None => Vec::new(),
        }
    }
}
