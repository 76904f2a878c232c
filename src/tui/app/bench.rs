//! Routing for the bench screen: its keys and clicks, what was read for it, the pictures of a case, and the groups that it sends
//! to Browse.

use std::collections::{HashMap, HashSet};

use ratatui::layout::{Position, Rect};

use super::pictures::want;
use super::{App, Screen};
use crate::domain::GroupId;
use crate::tui::msg::{Action, Effect, Look, Sought};
use crate::tui::screens::bench::{self, BenchNews};
use crate::tui::screens::browse::{Contest, Contests};
use crate::tui::widgets::image::Shown;

impl App {
    /// Where things are on the bench screen.
    pub(super) fn bench_layout(&self, screen: Rect) -> bench::layout::Layout {
        bench::layout::layout(screen, self.screens.bench.layout_facts(self.cell()))
    }

    /// Does what an action says on the bench screen; `None` if it is none of its own.
    pub(super) fn act_on_bench(&mut self, action: Action) -> Option<Vec<Effect>> {
        let layout = self.bench_layout(self.screen());
        if self.screens.bench.act(action, &layout) {
            return Some(Vec::new());
        }
        match action {
            Action::Back => {
                self.screens.bench.back();
                Some(Vec::new())
            }
            Action::OpenCell => Some(match self.screens.bench.open() {
                Ok(wanted) => vec![Effect::Bench(wanted)],
                Err(why) => {
                    self.tell(why);
                    Vec::new()
                }
            }),
            Action::OpenMistake => Some(self.open_mistake()),
            Action::Rescan => {
                self.records.expire();
                let wanted = self.screens.bench.reread();
                Some(vec![self.reread(), Effect::Bench(wanted)])
            }
            _ => None,
        }
    }

    /// Looks the groups of the mistakes up, to show them in Browse.
    fn open_mistake(&mut self) -> Vec<Effect> {
        let Some(list) = self.screens.bench.list() else {
            return Vec::new();
        };
        let Some(marked) = list.marked() else {
            return Vec::new();
        };
        let mut known = HashSet::new();
        let cases = list.mistakes().iter().map(|m| &m.verdict.case);
        let keys: Vec<String> = cases.filter(|case| known.insert(*case)).cloned().collect();
        let sought = Sought::Mistakes {
            words: format!("Wrong: {}", list.title),
            chosen: marked.verdict.case.clone(),
        };
        vec![Effect::Find(sought, keys)]
    }

    /// The groups of mistakes were looked up: they show in Browse, or the chosen case in words if the workspace does not have
    /// it. A group that bears a case's name by chance was asked for something else.
    pub(super) fn found_mistakes(
        &mut self,
        words: String,
        chosen: &str,
        places: Vec<(String, Option<GroupId>)>,
    ) -> Vec<Effect> {
        let Some(list) = self.screens.bench.list() else {
            return Vec::new();
        };
        let asked: HashMap<&str, &str> = list
            .mistakes()
            .iter()
            .filter_map(|mistake| mistake.seen.as_ref())
            .map(|seen| (seen.shown.case.as_str(), seen.shown.instruction.as_str()))
            .collect();
        let is_same = |key: &str, id: GroupId| {
            let row = self.list.summary(id);
            row.zip(asked.get(key))
                .is_none_or(|(row, asked)| row.instruction == **asked)
        };
        let here: HashMap<String, GroupId> = places
            .into_iter()
            .filter_map(|(key, id)| Some((key, id?)))
            .filter(|(key, id)| is_same(key, *id))
            .collect();
        let marked = list.marked().map(|mistake| &mistake.verdict);
        let edit = marked.and_then(|verdict| verdict.edits.first().copied());
        // A group's own judgement is the one that was opened, of the others the surest.
        let mut contests = HashMap::new();
        for verdict in marked
            .into_iter()
            .chain(list.mistakes().iter().map(|m| &m.verdict))
        {
            if let Some(id) = here.get(&verdict.case) {
                let contest = contests.entry(*id);
                contest.or_insert_with(|| Contest::new(verdict));
            }
        }
        let is_marked = list.marked().is_some_and(|m| m.verdict.case == chosen);
        if self.screens.open != Screen::Bench || !is_marked {
            // Something else is looked at by now.
            return Vec::new();
        }
        let Some(id) = here.get(chosen).copied() else {
            self.screens.bench.open_case();
            return Vec::new();
        };
        self.screens.open = Screen::Browse;
        self.screens.detail = None;
        self.screens.browse.candidate = edit.unwrap_or(0);
        self.screens.browse.contests = Contests::new(words.clone(), contests);
        self.list.show_only(words, here.into_values().collect());
        let request = self.list.rank(false);
        self.list.expect(id);
        super::rank(request)
    }

    /// Something was read for this screen.
    pub(super) fn hear_of_bench(&mut self, news: BenchNews) {
        if let Some(trouble) = self.screens.bench.hear(news) {
            self.tell(trouble);
        }
        self.paint.due |= self.screens.open == Screen::Bench;
    }

    /// What the bench screen wants after a batch of messages. Nothing is read for it before it was looked at.
    pub(super) fn settle_bench(&mut self) -> Vec<Effect> {
        if self.screens.open != Screen::Bench {
            return Vec::new();
        }
        let wanted = self.screens.bench.wanted();
        let layout = self.bench_layout(self.screen());
        self.screens.bench.settle(&layout);
        wanted.into_iter().map(Effect::Bench).collect()
    }

    /// The pictures of the case that is looked at.
    pub(super) fn looking_at_bench(&self) -> Look {
        let mut look = Look::default();
        let layout = self.bench_layout(self.screen());
        let images = self.screens.bench.pictures();
        for ((image, _), tile) in images.iter().zip(&layout.tiles) {
            let room = bench::layout::picture_of(*tile);
            want(&mut look.view, Some(Shown::plain(image.clone())), room);
        }
        look
    }

    pub(super) fn mouse_on_bench(&mut self, turn: isize, at: Position) -> Vec<Effect> {
        let layout = self.bench_layout(self.screen());
        if turn != 0 {
            self.screens.bench.wheel(turn > 0, at, &layout);
            return Vec::new();
        }
        if !self.screens.bench.click(at, &layout) {
            return Vec::new();
        }
        // A second click on the same thing opens it.
        self.act(if self.screens.bench.list().is_some() {
            Action::OpenMistake
        } else {
            Action::OpenCell
        })
    }
}
