//! The loop: await one message, drain the rest, update, draw once. At most sixty frames a second, and none when nothing
//! changed. Generic over the backend, so that a test owns the terminal.

use std::time::{Duration, Instant};

use ratatui::Terminal;
use ratatui::backend::Backend;
use ratatui::crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};
use ratatui::layout::{Rect, Size};
use tokio::sync::mpsc::UnboundedReceiver;

use super::app::App;
use super::effects::Runner;
use super::msg::{Effect, Msg};
use super::widgets::image::Pictures;

/// Sixty frames a second: what terminals show, and more than a wire over ssh carries.
const FRAME: Duration = Duration::from_micros(16_667);
/// Messages taken before a frame at most, so that a flood of them cannot hold the screen up.
const DRAIN: usize = 4096;

/// What the loop needs of the terminal beyond drawing; a test has none of it.
pub(crate) trait Stage {
    /// Whether frames can be shown; they cannot between leaving for a pause and coming back.
    fn is_open(&self) -> bool;
    /// A frame was drawn: let it out, after `before`.
    fn show(&mut self, before: &[u8]) -> std::io::Result<()>;
    /// The way of drawing pictures was settled; `pictures` knows how to delete them.
    fn pictures_begin(&mut self, pictures: &Pictures);
    /// Tell of something also where nobody looks at the terminal, as far as that is wanted.
    fn notify(&mut self, _words: &str) {}
    /// Give the terminal back and stop; false if there is no shell to come back from.
    fn suspend(&mut self) -> bool;
    /// Take the terminal over again.
    fn enter_again(&mut self) -> std::io::Result<()>;
}

/// Keys that were typed before the first rows were read: they wait for them, since a move in an empty list would be lost.
#[derive(Debug, Default)]
pub(crate) struct Early {
    held: Vec<Msg>,
    over: bool,
}

impl Early {
    /// Holds `msg` back if it is for later; gives it back if it is for now.
    fn sift(&mut self, msg: Msg) -> Option<Msg> {
        // An unreadable list ends the wait as well, or nothing but Ctrl-C would be heard.
        self.over |= matches!(msg, Msg::Rows { .. } | Msg::Failed(_));
        match &msg {
            Msg::Input(Event::Key(key)) if !self.over && !is_ctrl_c(key) => {
                self.held.push(msg);
                None
            }
            _ => Some(msg),
        }
    }

    /// What was held, once the wait is over.
    fn released(&mut self) -> Vec<Msg> {
        if self.over {
            std::mem::take(&mut self.held)
        } else {
            Vec::new()
        }
    }
}

fn is_ctrl_c(key: &KeyEvent) -> bool {
    key.code == KeyCode::Char('c') && key.modifiers.contains(KeyModifiers::CONTROL)
}

/// The app with its hands, its eyes and its inbox.
pub(crate) struct EventLoop<B: Backend, S> {
    /// Where frames are drawn.
    pub(crate) terminal: Terminal<B>,
    /// The rest of the terminal.
    pub(crate) stage: S,
    /// The state.
    pub(crate) app: App,
    /// The hands.
    pub(crate) runner: Runner,
    /// Everything that happens.
    pub(crate) inbox: UnboundedReceiver<Msg>,
    /// Keys typed before there was a list to move in.
    pub(crate) early: Early,
    /// Frames drawn.
    pub(crate) frames: u64,
}

impl<B: Backend<Error: Send + Sync + 'static>, S: Stage> EventLoop<B, S> {
    /// Runs until the app wants to end.
    pub(crate) async fn run(&mut self) -> anyhow::Result<()> {
        let effects = self.app.start();
        self.carry_out(effects)?;
        self.settle()?;
        let mut last: Option<Instant> = None;
        loop {
            let due = last.map_or(Duration::ZERO, |at| FRAME.saturating_sub(at.elapsed()));
            if self.wants_frame() && due.is_zero() {
                self.draw()?;
                last = Some(Instant::now());
            }
            let first = if self.wants_frame() {
                let due = last.map_or(Duration::ZERO, |at| FRAME.saturating_sub(at.elapsed()));
                tokio::time::timeout(due, self.inbox.recv()).await.ok()
            } else {
                Some(self.inbox.recv().await)
            };
            match first {
                // The time for a frame has come.
                None => continue,
                Some(None) => return Ok(()),
                Some(Some(msg)) => self.update(msg)?,
            }
            for _ in 0..DRAIN {
                if self.app.wants_to_quit() {
                    return Ok(());
                }
                match self.inbox.try_recv() {
                    Ok(msg) => self.update(msg)?,
                    Err(_) => break,
                }
            }
            if self.app.wants_to_quit() {
                return Ok(());
            }
            self.settle()?;
        }
    }

    fn wants_frame(&self) -> bool {
        self.app.needs_frame() && self.stage.is_open()
    }

    fn update(&mut self, msg: Msg) -> anyhow::Result<()> {
        let Some(msg) = self.early.sift(msg) else {
            return Ok(());
        };
        self.take(msg)?;
        for msg in self.early.released() {
            self.take(msg)?;
        }
        Ok(())
    }

    fn take(&mut self, msg: Msg) -> anyhow::Result<()> {
        if let Msg::Rested(round) = msg {
            self.runner.rested(round);
            return Ok(());
        }
        if matches!(msg, Msg::Continued) {
            self.stage.enter_again()?;
            if let Some(pictures) = self.runner.pictures() {
                pictures.retransmit();
            }
        }
        let effects = self.app.update(msg);
        self.carry_out(effects)
    }

    fn settle(&mut self) -> anyhow::Result<()> {
        let effects = self.app.settle();
        self.carry_out(effects)
    }

    fn carry_out(&mut self, effects: Vec<Effect>) -> anyhow::Result<()> {
        for effect in effects {
            match effect {
                Effect::Repaint => self.repaint()?,
                Effect::Notify(words) => self.stage.notify(&words),
                Effect::Suspend => {
                    if !self.stage.suspend() {
                        self.app.cannot_suspend();
                    }
                }
                Effect::Repicture(graphics) => {
                    let pictures = self.runner.repicture(graphics);
                    self.stage.pictures_begin(pictures);
                }
                effect => self.runner.run(effect),
            }
        }
        Ok(())
    }

    /// Forgets what is on screen. `Terminal::clear` would ask for the cursor's position and so eat keys; giving the buffers
    /// their size anew has the same effect without a question.
    fn repaint(&mut self) -> anyhow::Result<()> {
        let size = self.terminal.size()?;
        self.terminal
            .resize(Rect::new(0, 0, size.width, size.height))?;
        Ok(())
    }

    fn draw(&mut self) -> anyhow::Result<()> {
        let size: Size = self.terminal.size()?;
        if self.app.resized(size) {
            self.settle()?;
        }
        let (app, pictures) = (&self.app, self.runner.pictures());
        self.terminal.draw(|frame| app.view(frame, pictures))?;
        let before = pictures.map(Pictures::outgoing).unwrap_or_default();
        self.stage.show(&before)?;
        self.app.drawn();
        self.frames += 1;
        if self.frames == 1 {
            self.runner.first_frame_is_out();
            fault()?;
        }
        Ok(())
    }
}

/// Tests of the real program ask for a failure here, to see that the terminal is given back. Not in release builds.
#[cfg(debug_assertions)]
fn fault() -> anyhow::Result<()> {
    match std::env::var("ERW_TEST_FAULT").as_deref() {
        #[expect(clippy::panic, reason = "to test what happens after a panic")]
        Ok("panic") => panic!("asked for by ERW_TEST_FAULT"),
        Ok("error") => anyhow::bail!("asked for by ERW_TEST_FAULT"),
        _ => Ok(()),
    }
}

#[cfg(not(debug_assertions))]
#[expect(clippy::unnecessary_wraps, reason = "the same face as its twin")]
fn fault() -> anyhow::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::rc::Rc;
    use std::sync::Arc;

    use ratatui::backend::TestBackend;
    use ratatui::crossterm::event::Event;
    use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

    use super::*;
    use crate::domain::GroupId;
    use crate::tui::app::{Paint, Place};
    use crate::tui::keys::Chord;
    use crate::tui::rig::groups;
    use crate::tui::sample::{Asked, Sample};
    use crate::tui::theme::{Depth, Theme};

    /// A stage that counts.
    #[derive(Clone, Default)]
    struct Counter(Rc<RefCell<u64>>);

    impl Stage for Counter {
        fn is_open(&self) -> bool {
            true
        }
        fn show(&mut self, _before: &[u8]) -> std::io::Result<()> {
            *self.0.borrow_mut() += 1;
            Ok(())
        }
        fn pictures_begin(&mut self, _pictures: &Pictures) {}
        fn suspend(&mut self) -> bool {
            false
        }
        fn enter_again(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    struct Running {
        event_loop: EventLoop<TestBackend, Counter>,
        inbox: UnboundedSender<Msg>,
        frames: Counter,
        shown: Arc<std::sync::Mutex<Vec<GroupId>>>,
    }

    fn running(count: i64) -> Running {
        let (inbox, messages) = unbounded_channel();
        let library = Sample {
            groups: groups(count, 3),
            root: "/nowhere".into(),
            said: std::sync::Mutex::default(),
        };
        let asked = Asked::default();
        let shown = Arc::clone(&asked.shown);
        let start: crate::tui::effects::StartScoring = Box::new(move |_| Arc::new(asked));
        let paint = Paint {
            theme: Theme::mono(),
            chosen: true,
            depth: Depth::True,
            graphics: None,
            due: true,
        };
        let frames = Counter::default();
        Running {
            event_loop: EventLoop {
                terminal: Terminal::new(TestBackend::new(100, 30)).unwrap(),
                stage: frames.clone(),
                app: App::new(Place::default(), paint, None),
                runner: Runner::new(
                    Arc::new(library),
                    (
                        "/nowhere/runs".into(),
                        crate::config::SlurmSettings::default(),
                    ),
                    inbox.clone(),
                    Some(start),
                )
                .unwrap(),
                inbox: messages,
                early: Early::default(),
                frames: 0,
            },
            inbox,
            frames,
            shown,
        }
    }

    fn key(name: &str) -> Msg {
        Msg::Input(Event::Key(Chord::parse(name).unwrap().event()))
    }

    /// Lets everything that can run, run, until `done` or a quarter of a minute is over.
    async fn until(mut done: impl FnMut() -> bool) {
        let end = Instant::now() + Duration::from_secs(15);
        while !done() {
            assert!(Instant::now() < end, "waited in vain");
            tokio::task::yield_now().await;
        }
    }

    fn on_a_runtime<T>(work: impl Future<Output = T>) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(work)
    }

    #[test]
    fn nothing_is_drawn_while_nothing_changes() {
        let Running {
            mut event_loop,
            frames,
            ..
        } = running(3);
        on_a_runtime(async {
            let effects = event_loop.app.start();
            event_loop.carry_out(effects).unwrap();
            let mut filled = false;
            while !filled {
                let msg = event_loop.inbox.recv().await.unwrap();
                filled = matches!(msg, Msg::Rows { last: true, .. });
                event_loop.update(msg).unwrap();
                event_loop.settle().unwrap();
            }
            // From here on only this test speaks: what is still read and ranked answers to nobody, however late it is.
            let (inbox, messages) = unbounded_channel();
            event_loop.inbox = messages;
            let driver = async {
                until(|| *frames.0.borrow() > 0).await;
                let before = *frames.0.borrow();
                // Long enough for a frame that was due to be drawn.
                let end = Instant::now() + 4 * FRAME;
                while Instant::now() < end {
                    inbox.send(key("Y")).unwrap();
                    inbox.send(Msg::Input(Event::FocusGained)).unwrap();
                    tokio::task::yield_now().await;
                }
                let after = *frames.0.borrow();
                inbox.send(Msg::Quit).unwrap();
                (before, after)
            };
            let (outcome, (before, after)) = tokio::join!(event_loop.run(), driver);
            outcome.unwrap();
            assert_eq!((before, after), (1, 1));
        });
    }

    #[test]
    fn a_held_key_draws_no_faster_than_the_screen_and_scores_where_it_rests() {
        let mut running = running(400);
        let (inbox, frames, shown) = (running.inbox.clone(), running.frames.clone(), running.shown);
        on_a_runtime(async {
            let driver = async {
                until(|| shown.lock().unwrap().first() == Some(&GroupId(1))).await;
                let (start, before) = (Instant::now(), *frames.0.borrow());
                for _ in 0..300 {
                    inbox.send(key("j")).unwrap();
                    tokio::task::yield_now().await;
                }
                until(|| shown.lock().unwrap().last() == Some(&GroupId(301))).await;
                let most = start.elapsed().as_micros() / FRAME.as_micros() + 2;
                let drawn = u128::from(*frames.0.borrow() - before);
                inbox.send(key("q")).unwrap();
                (drawn, most)
            };
            let (outcome, (drawn, most)) = tokio::join!(running.event_loop.run(), driver);
            outcome.unwrap();
            assert!(drawn <= most, "{drawn} frames, {most} allowed");
        });
        // The first press is answered at once, the rest only where it ends.
        let shown = shown.lock().unwrap();
        assert!(shown.len() <= 4, "{shown:?}");
    }

    #[test]
    fn the_loop_ends_when_nobody_is_left_to_speak() {
        let mut running = running(1);
        running.inbox.send(Msg::Quit).unwrap();
        on_a_runtime(running.event_loop.run()).unwrap();
        assert!(running.event_loop.frames <= 1);
    }
}
