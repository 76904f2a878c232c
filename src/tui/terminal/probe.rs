//! Asking the terminal what it can do, without making anybody wait: the question goes out at once, a thread reads what comes
//! back, and what a person types meanwhile is passed on as keys. Ends before crossterm's reader starts, so that the two never
//! share the input.

use std::time::{Duration, Instant};

use ratatui::crossterm::event::{Event, KeyCode, KeyEvent};
use tokio::sync::mpsc::UnboundedSender;

use super::{Hold, input};
use crate::tui::keys;
use crate::tui::msg::Msg;
use crate::tui::widgets::image::{Answer, Environment, Graphics, Multiplexer, Probe, Protocol};

/// A terminal that has not answered by now gets half-blocks; a later answer still counts.
const PATIENCE: Duration = Duration::from_millis(150);
/// After this long without an answer none will come. A slow line over a satellite takes 0.6 s there and back.
const END: Duration = Duration::from_secs(2);

/// Asks, and sends [`Msg::Probed`] and the keys typed meanwhile to `inbox`. Blocks until the last answer is in or no longer
/// to be expected: call it on a thread of its own, in raw mode.
pub(crate) fn probe(hold: &Hold, forced: Option<Protocol>, inbox: &UnboundedSender<Msg>) {
    let mut environment = Environment::from_env();
    if environment.multiplexer == Some(Multiplexer::Tmux) && forced != Some(Protocol::Halfblocks) {
        environment.passthrough = tmux_passes_on();
    }
    let mut session = Session {
        environment,
        forced,
        sent: 0,
        said: None,
    };
    let probe = Probe::new(&session.environment);
    if !hold.ask(&probe.query_bytes()) {
        session.say(&Answer::default(), inbox);
        return;
    }
    let start = Instant::now();
    let mut bytes = Vec::new();
    loop {
        let read = input::read(&mut bytes);
        let answer = probe.parse(&bytes);
        session.pass_keys(&answer, inbox);
        let waited = start.elapsed();
        if answer.complete || waited >= PATIENCE {
            session.say(&answer, inbox);
        }
        if answer.complete || waited >= END || !read {
            pass_escape(&answer, inbox);
            hold.asked();
            return;
        }
    }
}

/// What was passed on already.
struct Session {
    environment: Environment,
    forced: Option<Protocol>,
    sent: usize,
    said: Option<Said>,
}

/// What was sent: pictures, and the background.
type Said = (Graphics, Option<(u8, u8, u8)>);

impl Session {
    /// The keys since the last time. The answer's keys are those since the question, and only whole ones are decoded, so that
    /// their beginning never changes.
    fn pass_keys(&mut self, answer: &Answer, inbox: &UnboundedSender<Msg>) {
        let (keys, _) = keys::decode(&answer.keys);
        for key in keys.iter().skip(self.sent) {
            let _ = inbox.send(Msg::Input(Event::Key(*key)));
        }
        self.sent = self.sent.max(keys.len());
    }

    /// What the terminal can do, as far as is known by now; once per answer.
    fn say(&mut self, answer: &Answer, inbox: &UnboundedSender<Msg>) {
        let mut answer = answer.clone();
        answer.cell = answer.cell.or_else(input::cell);
        let graphics = Graphics::of(&answer, &self.environment, self.forced);
        let said = (graphics, answer.background);
        if self.said != Some(said) {
            self.said = Some(said);
            let _ = inbox.send(Msg::Probed {
                graphics,
                background: answer.background,
            });
        }
    }
}

/// An Escape that nothing followed was the key.
fn pass_escape(answer: &Answer, inbox: &UnboundedSender<Msg>) {
    let (_, left) = keys::decode(&answer.keys);
    if left == 1 && answer.keys.last() == Some(&0x1b) {
        let escape = KeyEvent::from(KeyCode::Esc);
        let _ = inbox.send(Msg::Input(Event::Key(escape)));
    }
}

/// Asks tmux to let this pane's images through. Only the pane is changed, and tmux forgets it with the pane.
pub(super) fn tmux_passes_on() -> bool {
    std::process::Command::new("tmux")
        .args(["set", "-p", "allow-passthrough", "on"])
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}
