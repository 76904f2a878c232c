//! The app under test: its effects carried out on the spot against a made-up library, its frames drawn into memory. Keys go
//! in as the table spells them.

use std::path::Path;
use std::sync::{Arc, mpsc};

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};
use ratatui::layout::Size;

use super::app::{App, Paint, Place};
use super::judgement::Judgement;
use super::keys::Chord;
use super::library::{Library as _, Record};
use super::msg::{Effect, Look, Msg};
use super::rank::rank;
use super::sample::{self, Sample};
use super::sample_of_benchmarks;
use super::screens::annotate::{self, AnnotateNews};
use super::screens::train::RunNews;
use super::theme::{Depth, Theme};
use super::widgets::image::{Graphics, Lent, Pictures, Want};
use crate::domain::{Aggregate, Group};
use crate::model::{LoadProgress, ModelInfo};
use crate::score::LiveEvent;

/// The app with everything it talks to.
pub(crate) struct Rig {
    /// Itself.
    pub(crate) app: App,
    /// Every effect so far, oldest first.
    pub(crate) effects: Vec<Effect>,
    library: Sample,
    pictures: Option<(Pictures, mpsc::Receiver<()>)>,
    size: Size,
    look: Look,
}

impl Rig {
    /// An app over these groups on a terminal of this size, its list read.
    pub(crate) fn new(groups: Vec<Group>, width: u16, height: u16) -> Self {
        Self::themed(groups, (width, height), Theme::for_background(None))
    }

    /// The same in another theme.
    pub(crate) fn themed(groups: Vec<Group>, size: (u16, u16), theme: Theme) -> Self {
        let paint = Paint {
            theme,
            chosen: true,
            depth: Depth::True,
            graphics: None,
            due: true,
        };
        let place = Place {
            name: "demo".into(),
            folder: "/home/ann/edits".into(),
            runs: "/home/ann/edits/runs".into(),
            model: String::new(),
        };
        let mut rig = Self {
            app: App::new(place, paint, None),
            effects: Vec::new(),
            library: Sample {
                groups,
                root: "/nowhere".into(),
                said: std::sync::Mutex::default(),
            },
            pictures: None,
            size: Size::new(size.0, size.1),
            look: Look::default(),
        };
        rig.app.resized(rig.size);
        let first = rig.app.start();
        rig.carry_out(first);
        rig
    }

    /// With pictures from files under `root`.
    pub(crate) fn with_pictures(mut self, root: &Path) -> Self {
        let (tx, rx) = mpsc::channel();
        let pictures = Pictures::new(
            root.into(),
            Lent::default(),
            Graphics::halfblocks(),
            move || {
                let _ = tx.send(());
            },
        );
        self.pictures = Some((pictures, rx));
        let settled = self.app.settle();
        self.carry_out(settled);
        self.send(Msg::Probed {
            graphics: Graphics::halfblocks(),
            background: None,
        });
        let look = self.look.clone();
        self.carry_out(vec![Effect::Look(look)]);
        self
    }

    /// Hands in a message, then does all that follows from it.
    pub(crate) fn send(&mut self, msg: Msg) -> &mut Self {
        let effects = self.app.update(msg);
        self.carry_out(effects);
        self
    }

    /// Presses keys, separated by spaces, as the key table spells them: `"j j ctrl-d enter"`.
    pub(crate) fn keys(&mut self, keys: &str) -> &mut Self {
        for key in keys.split(' ') {
            let event = Chord::parse(key)
                .unwrap_or_else(|| panic!("no key '{key}'"))
                .event();
            self.send(Msg::Input(Event::Key(event)));
        }
        self
    }

    /// Types text.
    pub(crate) fn text(&mut self, text: &str) -> &mut Self {
        for c in text.chars() {
            let key = KeyEvent::new(KeyCode::Char(c), KeyModifiers::NONE);
            self.send(Msg::Input(Event::Key(key)));
        }
        self
    }

    /// Gives every candidate of every group its reward, as from a model that is ready.
    pub(crate) fn scored(&mut self, trained: bool) -> &mut Self {
        self.send(Msg::Model(LiveEvent::Ready(Arc::new(model(trained)))));
        for group in self.library.groups.clone() {
            for (index, candidate) in group.candidates.iter().enumerate() {
                self.send(Msg::Model(LiveEvent::Scored {
                    group: group.id,
                    candidate: candidate.id,
                    reward: sample::reward(index),
                    stored: false,
                }));
            }
        }
        self
    }

    /// Opens the screen of runs on so many of them; those that show have told of so many steps.
    pub(crate) fn runs(&mut self, count: usize, steps: &[(usize, u64)]) -> &mut Self {
        self.send(Msg::Runs(RunNews::Listed(sample::runs(count))));
        self.keys("T");
        for (n, _) in steps.iter().rev() {
            let position = count - n;
            self.keys("g");
            for _ in 0..position {
                self.keys("j");
            }
            self.keys("space");
        }
        for (n, steps) in steps {
            self.send(Msg::Runs(RunNews::Told {
                run: format!("run-{n}"),
                events: sample::training(*n as u64, *steps),
                anew: true,
            }));
        }
        self
    }

    /// Opens the screen where people judge, for this annotator.
    pub(crate) fn annotating(&mut self, settings: crate::annotate::Settings) -> &mut Self {
        self.app.annotate(settings, "sitting".into(), true);
        let settled = self.app.settle();
        self.carry_out(settled);
        self
    }

    /// What was said so far, step by step.
    pub(crate) fn said(&self) -> Vec<Vec<crate::data::Said>> {
        let said = self.library.said.lock().unwrap();
        said.iter().map(|(_, said)| said.clone()).collect()
    }

    /// Opens the screen of benchmarks on all that were made up.
    pub(crate) fn benchmarks(&mut self) -> &mut Self {
        self.send(Msg::Runs(RunNews::Listed(sample_of_benchmarks::entries())));
        self.keys("E")
    }

    /// The model has come so far with loading.
    pub(crate) fn loading(&mut self, percent: u64) -> &mut Self {
        self.send(Msg::Model(LiveEvent::Loading(LoadProgress {
            done: percent,
            total: 100,
        })))
    }

    fn carry_out(&mut self, effects: Vec<Effect>) {
        let mut queue: Vec<Effect> = effects;
        loop {
            queue.extend(self.app.settle());
            if queue.is_empty() {
                return;
            }
            for effect in std::mem::take(&mut queue) {
                for msg in self.answer(&effect) {
                    queue.extend(self.app.update(msg));
                }
                self.effects.push(effect);
            }
        }
    }

    fn answer(&mut self, effect: &Effect) -> Vec<Msg> {
        let library = &self.library;
        match effect {
            Effect::LoadRows { round, .. } => {
                let rows = library.summaries(None, usize::MAX, None).unwrap();
                let mut out = vec![Msg::Counted(library.group_count().unwrap())];
                let pieces = rows.len() / super::rank::PIECE;
                for (i, piece) in rows.chunks(super::rank::PIECE).enumerate() {
                    out.push(Msg::Rows {
                        round: *round,
                        start: i * super::rank::PIECE,
                        rows: piece.to_vec(),
                        last: i == pieces,
                    });
                }
                if rows.is_empty() {
                    out.push(Msg::Rows {
                        round: *round,
                        start: 0,
                        rows,
                        last: true,
                    });
                }
                out
            }
            Effect::LoadGroup { id, fingerprint } => {
                let record = Record::read(library, *id, fingerprint.as_deref()).unwrap();
                vec![Msg::Loaded(*id, record.map(Box::new))]
            }
            Effect::Judge(id, record) => {
                let judgement = Judgement::of(&record.group, &record.rewards);
                vec![Msg::Judged(*id, Box::new(judgement))]
            }
            Effect::LoadScale(fingerprint) => {
                vec![Msg::Scale(library.score_scale(fingerprint).unwrap().into())]
            }
            Effect::Rank(request) => {
                let out = std::cell::RefCell::new(Vec::new());
                let seek = |query: &_, model: Option<&str>, stop: &dyn Fn() -> bool| {
                    library.matching(query, model, stop)
                };
                rank(
                    request,
                    &seek,
                    || true,
                    |r| {
                        out.borrow_mut().push(Msg::Ranked(r));
                    },
                );
                out.into_inner()
            }
            Effect::Look(look) => {
                self.look = look.clone();
                if let Some((pictures, _)) = &self.pictures {
                    pictures.request(look.view.clone(), look.prefetch.clone());
                }
                Vec::new()
            }
            Effect::Find(sought, keys) => {
                let places = library.places(keys).unwrap();
                let places = keys.iter().cloned().zip(places).collect();
                vec![Msg::Found(sought.clone(), places)]
            }
            Effect::Bench(wanted) => {
                let news = sample_of_benchmarks::read(wanted);
                news.into_iter().map(Msg::Bench).collect()
            }
            Effect::Curate(wanted) => {
                let done = library.curate(wanted.clone()).unwrap();
                done.news.map(Msg::Curate).into_iter().collect()
            }
            Effect::Agree(model) => {
                vec![Msg::Agreed(library.agreement(model.clone()).map(Box::new))]
            }
            Effect::Annotate(wanted) => vec![Msg::Annotate(match wanted {
                annotate::Wanted::Queue(settings, fingerprint) => {
                    AnnotateNews::Queue(library.queue(settings, fingerprint.as_deref()))
                }
                annotate::Wanted::Say {
                    annotator,
                    session,
                    group,
                    said,
                } => AnnotateNews::Said(*group, library.annotate(annotator, session, *group, said)),
                annotate::Wanted::Undo(who) => AnnotateNews::Undone(library.undo(who)),
            })],
            Effect::Watch(_)
            | Effect::Probe(_)
            | Effect::StopProbe
            | Effect::ReadFailures(_)
            | Effect::ExportFailures(_)
            | Effect::Keep { .. }
            | Effect::Tag { .. }
            | Effect::Heard { .. }
            | Effect::Work(_)
            | Effect::Jobs(_)
            | Effect::Notify(_)
            | Effect::Repicture(_)
            | Effect::Repaint
            | Effect::Suspend => Vec::new(),
        }
    }

    /// What is looked at.
    pub(crate) fn look(&self) -> &Look {
        &self.look
    }

    /// The frame as it is now, once every picture in it is there or known to be broken.
    pub(crate) fn buffer(&self) -> Buffer {
        if let Some((pictures, ready)) = &self.pictures {
            // Another size of a picture, or the picture as it was shown before, may stand in for a while.
            let waiting = |want: &Want| !pictures.is_final(want);
            while self.look.view.iter().any(waiting) {
                ready.recv().unwrap();
            }
        }
        self.buffer_now()
    }

    /// How many pictures were decoded.
    pub(crate) fn decoded(&self) -> u64 {
        self.pictures
            .as_ref()
            .map_or(0, |(pictures, _)| pictures.counts().decodes)
    }

    /// The frame as it is now.
    pub(crate) fn buffer_now(&self) -> Buffer {
        let mut terminal =
            Terminal::new(TestBackend::new(self.size.width, self.size.height)).unwrap();
        let pictures = self.pictures.as_ref().map(|(pictures, _)| pictures);
        terminal
            .draw(|frame| self.app.view(frame, pictures))
            .unwrap();
        terminal.backend().buffer().clone()
    }

    /// The frame as text.
    pub(crate) fn frame(&self) -> String {
        let buffer = self.buffer();
        let mut out = String::new();
        for y in 0..buffer.area.height {
            let mut line = String::new();
            let mut skip = 0;
            for x in 0..buffer.area.width {
                let symbol = buffer[(x, y)].symbol();
                if skip == 0 {
                    line.push_str(symbol);
                    skip = unicode_width::UnicodeWidthStr::width(symbol);
                }
                skip = skip.saturating_sub(1);
            }
            out.push_str(line.trim_end());
            out.push('\n');
        }
        out
    }
}

/// A model's face.
pub(crate) fn model(trained: bool) -> ModelInfo {
    ModelInfo {
        name: "demo-qwen".into(),
        fingerprint: "f00d".into(),
        backbone: "Qwen2.5-VL, 2 × 64".into(),
        aggregate: Aggregate::Mean,
        device: "cpu, 2 threads".into(),
        precision: "f32",
        parameters: 1_000_000,
        trained,
    }
}

/// Groups 1 to `count` with so many candidates each.
pub(crate) fn groups(count: i64, candidates: usize) -> Vec<Group> {
    (1..=count).map(|n| sample::group(n, candidates)).collect()
}

/// Writes a small picture for the source and every candidate of `group` under `root`: a slope in another colour each, as BMP.
pub(crate) fn draw_pictures(root: &Path, group: &Group) {
    let images = std::iter::once(&group.source).chain(group.candidates.iter().map(|c| &c.image));
    for (i, image) in images.enumerate() {
        let path = root.join(&image.0);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bmp(32, 24, |x, y| slope(x, y, i))).unwrap();
    }
}

/// The same in one colour, of which only blue matters.
pub(crate) fn paint_flat(root: &Path, group: &Group, blue: u8) {
    let images = std::iter::once(&group.source).chain(group.candidates.iter().map(|c| &c.image));
    for image in images {
        let path = root.join(&image.0);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bmp(32, 24, |_, _| [blue, 128, 128])).unwrap();
    }
}

fn slope(x: u32, y: u32, hue: usize) -> [u8; 3] {
    let mut pixel = [40_u8, 60, 80];
    pixel[hue % 3] = u8::try_from(x * 7).unwrap();
    pixel[(hue / 3 + 1) % 3] = u8::try_from(y * 10).unwrap();
    pixel
}

/// An uncompressed 24-bit BMP; pixels are blue, green, red.
fn bmp(width: u32, height: u32, pixel: impl Fn(u32, u32) -> [u8; 3]) -> Vec<u8> {
    let data = width * 3 * height;
    let mut out = b"BM".to_vec();
    out.extend((54 + data).to_le_bytes());
    out.extend([0; 4]);
    for word in [
        54,
        40,
        width,
        height,
        1 | 24 << 16,
        0,
        data,
        2835,
        2835,
        0,
        0,
    ] {
        out.extend(word.to_le_bytes());
    }
    for y in 0..height {
        for x in 0..width {
            out.extend(pixel(x, y));
        }
    }
    out
}
