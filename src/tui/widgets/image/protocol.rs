//! Which image protocol a terminal gets: from what it answered and what it is, never from one of them alone. When in doubt,
//! half-blocks: they work everywhere, and a person can always force another with `--image-protocol`.

use std::fmt;
use std::str::FromStr;

use super::probe::Answer;

/// A way to put an image on a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// Kitty's graphics protocol with Unicode placeholders (kitty ≥ 0.28, Ghostty).
    Kitty,
    /// Sixel (xterm -ti vt340, foot, mlterm, Windows Terminal, tmux ≥ 3.4 built with it).
    Sixel,
    /// iTerm2's inline images (iTerm2, WezTerm, mintty).
    Iterm2,
    /// Two pixels a character cell, everywhere.
    Halfblocks,
}

impl Protocol {
    /// Every protocol, best first.
    pub const ALL: [Self; 4] = [Self::Kitty, Self::Sixel, Self::Iterm2, Self::Halfblocks];

    /// The name on the command line.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Kitty => "kitty",
            Self::Sixel => "sixel",
            Self::Iterm2 => "iterm2",
            Self::Halfblocks => "halfblocks",
        }
    }

    /// Whether an image is one sequence in its first cell, over which text cannot be drawn and taken away again cell by cell.
    pub const fn is_opaque(self) -> bool {
        matches!(self, Self::Sixel | Self::Iterm2)
    }

    /// The best protocol for a terminal that answered so, in this environment.
    pub fn choose(answer: &Answer, environment: &Environment) -> Self {
        Self::choose_because(answer, environment).0
    }

    /// [`Self::choose`], and why, in words for `erw doctor`.
    pub fn choose_because(answer: &Answer, environment: &Environment) -> (Self, &'static str) {
        match environment.multiplexer {
            Some(Multiplexer::Screen) => {
                return (Self::Halfblocks, "GNU screen passes no images on");
            }
            Some(multiplexer) => return choose_inside(multiplexer, answer),
            None => {}
        }
        let terminal = answer.terminal.as_deref().unwrap_or_default();
        match Habit::of(terminal, environment) {
            Habit::Placeholders if answer.kitty => (
                Self::Kitty,
                "the terminal answered the kitty graphics query",
            ),
            Habit::Placeholders => (
                Self::Halfblocks,
                "the terminal did not answer the kitty graphics query",
            ),
            Habit::TooOld => (
                Self::Halfblocks,
                "kitty before 0.28 has no Unicode placeholders: update kitty",
            ),
            Habit::Inline if answer.cell.is_some() => {
                (Self::Iterm2, "the terminal is known for inline images")
            }
            Habit::InlineIfSixel if answer.sixel && answer.cell.is_some() => (
                Self::Iterm2,
                "the terminal is known for inline images and has images switched on",
            ),
            Habit::Broken => (
                Self::Halfblocks,
                "this terminal's image support is known to be faulty",
            ),
            Habit::Unknown if answer.sixel && answer.cell.is_some() => {
                (Self::Sixel, "the terminal says that it has sixel")
            }
            Habit::Unknown if answer.sixel => (
                Self::Halfblocks,
                "the terminal has sixel but does not tell the size of its cells",
            ),
            _ => (
                Self::Halfblocks,
                "the terminal named no image protocol that it has",
            ),
        }
    }
}

/// Inside a multiplexer the terminal's own name says nothing: what counts is what came back through it.
fn choose_inside(multiplexer: Multiplexer, answer: &Answer) -> (Protocol, &'static str) {
    let outer = answer.outer.as_deref().unwrap_or_default();
    if multiplexer == Multiplexer::Tmux
        && answer.kitty
        && Habit::of_version(outer) == Some(Habit::Placeholders)
    {
        return (
            Protocol::Kitty,
            "the terminal around tmux answered the kitty graphics query",
        );
    }
    if answer.sixel && answer.cell.is_some() {
        return (Protocol::Sixel, "the multiplexer has sixel of its own");
    }
    (
        Protocol::Halfblocks,
        "the multiplexer shows no images; force one with --image-protocol if it passes them on",
    )
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.key())
    }
}

/// A protocol's name was not understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no image protocol; choose kitty, sixel, iterm2 or halfblocks")]
pub struct UnknownProtocol(String);

impl FromStr for Protocol {
    type Err = UnknownProtocol;

    fn from_str(text: &str) -> Result<Self, UnknownProtocol> {
        Self::ALL
            .into_iter()
            .find(|p| p.key() == text)
            .ok_or_else(|| UnknownProtocol(text.to_owned()))
    }
}

/// A program between `erw` and the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Multiplexer {
    /// tmux.
    Tmux,
    /// Zellij.
    Zellij,
    /// GNU screen.
    Screen,
}

/// What the environment variables tell of the terminal.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Environment {
    /// `TERM`.
    pub term: String,
    /// `TERM_PROGRAM`, or `LC_TERMINAL` where that is not set (it survives ssh); in lower case.
    pub program: String,
    /// `COLORTERM` says 24 bits, or the terminal is known for them.
    pub true_color: bool,
    /// tmux, Zellij or screen.
    pub multiplexer: Option<Multiplexer>,
    /// tmux is known to pass sequences on (`allow-passthrough on`). Not an environment variable: set it after asking tmux.
    pub passthrough: bool,
}

impl Environment {
    /// From this process's environment.
    pub fn from_env() -> Self {
        Self::from_lookup(|name| std::env::var(name).ok())
    }

    /// From a lookup of variables by name.
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Self {
        let get = |name| lookup(name).filter(|value| !value.is_empty());
        let term = get("TERM").unwrap_or_default();
        let multiplexer = if get("TMUX").is_some() || term.starts_with("tmux") {
            Some(Multiplexer::Tmux)
        } else if get("ZELLIJ").is_some() {
            Some(Multiplexer::Zellij)
        } else if get("STY").is_some() || term.starts_with("screen") {
            Some(Multiplexer::Screen)
        } else {
            None
        };
        let program = get("TERM_PROGRAM")
            .or_else(|| get("LC_TERMINAL"))
            .or_else(|| get("WEZTERM_EXECUTABLE").map(|_| "wezterm".into()))
            .or_else(|| get("KONSOLE_VERSION").map(|_| "konsole".into()))
            .unwrap_or_default()
            .to_lowercase();
        let true_color = get("COLORTERM").is_some_and(|c| c == "truecolor" || c == "24bit")
            || get("WT_SESSION").is_some()
            || ["direct", "kitty", "ghostty", "alacritty", "foot"]
                .iter()
                .any(|known| term.contains(known))
            || (program != "apple_terminal" && !program.is_empty() && multiplexer.is_none());
        Self {
            term,
            program,
            true_color,
            multiplexer,
            passthrough: false,
        }
    }

    /// Whether the terminal prints sequences that it does not know instead of ignoring them, so that it must not be asked.
    pub(super) fn prints_unknown_sequences(&self) -> bool {
        self.program == "apple_terminal" || self.term == "linux" || self.term == "dumb"
    }
}

/// How a kind of terminal takes images, as found by the people who tried (the compatibility table of ratatui-image, and yazi's).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Habit {
    /// Kitty graphics with Unicode placeholders.
    Placeholders,
    /// Kitty graphics from before there were placeholders.
    TooOld,
    /// iTerm2's inline images, whatever else it claims.
    Inline,
    /// The same, as an option: then it also claims sixel.
    InlineIfSixel,
    /// Claims what it does not do well.
    Broken,
    /// Go by its answers. A kitty answer alone does not do: many who give it lack placeholders.
    Unknown,
}

/// Beginnings of the name that a terminal gives itself (XTVERSION) or its `TERM_PROGRAM`, in lower case.
const HABITS: [(&str, Habit); 15] = [
    ("ghostty", Habit::Placeholders),
    ("iterm", Habit::Inline),
    ("wezterm", Habit::Inline),
    ("mintty", Habit::Inline),
    ("vscode", Habit::InlineIfSixel),
    ("xterm.js", Habit::InlineIfSixel),
    ("tabby", Habit::InlineIfSixel),
    ("hyper", Habit::InlineIfSixel),
    ("rio", Habit::InlineIfSixel),
    ("konsole", Habit::Broken),
    ("warp", Habit::Broken),
    ("alacritty", Habit::Broken),
    ("contour", Habit::Broken),
    ("ctx", Habit::Broken),
    ("apple_terminal", Habit::Broken),
];

impl Habit {
    fn of(terminal: &str, environment: &Environment) -> Self {
        Self::of_version(terminal)
            .or_else(|| Self::of_program(&environment.program))
            .unwrap_or(if environment.term == "xterm-kitty" {
                // Every kitty that has placeholders also tells its version.
                Self::TooOld
            } else {
                Self::Unknown
            })
    }

    fn of_version(version: &str) -> Option<Self> {
        let version = version.to_lowercase();
        if let Some(rest) = version.strip_prefix("kitty") {
            let mut numbers = rest
                .trim_start_matches(['(', ' '])
                .split('.')
                .map(|part| part.parse::<u32>().unwrap_or(0));
            let (major, minor) = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
            return Some(if (major, minor) >= (0, 28) {
                Self::Placeholders
            } else {
                Self::TooOld
            });
        }
        Self::of_program(&version)
    }

    fn of_program(program: &str) -> Option<Self> {
        HABITS
            .iter()
            .find(|(name, _)| program.starts_with(name))
            .map(|(_, habit)| *habit)
    }
}

/// How images are to be encoded for one terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Graphics {
    /// The protocol.
    pub protocol: Protocol,
    /// Width and height of a character cell in pixels.
    pub cell: (u16, u16),
    /// Wrap sequences for tmux to pass on to the terminal around it.
    pub wrap: bool,
    /// The terminal has 24-bit colour (half-blocks fall to the 256-colour palette without).
    pub true_color: bool,
}

impl Graphics {
    /// A usual cell, where the terminal does not tell.
    const USUAL_CELL: (u16, u16) = (10, 20);

    /// Half-blocks in 24-bit colour: what works before the terminal has answered.
    pub const fn halfblocks() -> Self {
        Self {
            protocol: Protocol::Halfblocks,
            cell: Self::USUAL_CELL,
            wrap: false,
            true_color: true,
        }
    }

    /// For a terminal that answered so. `forced` overrides the choice.
    pub fn of(answer: &Answer, environment: &Environment, forced: Option<Protocol>) -> Self {
        let protocol = forced.unwrap_or_else(|| Protocol::choose(answer, environment));
        // tmux that claims sixel draws it itself; everything else must reach the terminal around it.
        let own = protocol == Protocol::Sixel && answer.sixel;
        Self {
            protocol,
            cell: answer.cell.unwrap_or(Self::USUAL_CELL),
            wrap: environment.multiplexer == Some(Multiplexer::Tmux)
                && protocol != Protocol::Halfblocks
                && !own,
            // Whoever tells a version knows 24-bit colour, or (tmux) brings it down for who does not.
            true_color: environment.true_color || answer.terminal.is_some(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(vars: &[(&str, &str)]) -> Environment {
        Environment::from_lookup(|name| {
            vars.iter()
                .find(|(n, _)| *n == name)
                .map(|(_, v)| (*v).to_owned())
        })
    }

    fn answer(terminal: &str, kitty: bool, sixel: bool) -> Answer {
        Answer {
            kitty,
            sixel,
            cell: Some((9, 18)),
            terminal: (!terminal.is_empty()).then(|| terminal.to_owned()),
            ..Answer::default()
        }
    }

    #[test]
    fn each_terminal_gets_the_protocol_that_works_there() {
        use Protocol::{Halfblocks, Iterm2, Kitty, Sixel};
        let none: &[(&str, &str)] = &[];
        for (name, answer, vars, expected) in [
            ("kitty", answer("kitty(0.35.2)", true, false), none, Kitty),
            ("kitty 1", answer("kitty(1.0.0)", true, false), none, Kitty),
            (
                "old kitty",
                answer("kitty(0.26.5)", true, false),
                none,
                Halfblocks,
            ),
            (
                "ancient kitty",
                answer("", true, false),
                &[("TERM", "xterm-kitty")],
                Halfblocks,
            ),
            ("ghostty", answer("ghostty 1.1.3", true, false), none, Kitty),
            ("xterm", answer("XTerm(390)", false, true), none, Sixel),
            ("foot", answer("foot(1.18.1)", false, true), none, Sixel),
            (
                "wezterm",
                answer("WezTerm 20240203", true, true),
                none,
                Iterm2,
            ),
            (
                "konsole",
                answer("Konsole 24.08", true, true),
                none,
                Halfblocks,
            ),
            ("iterm", answer("iTerm2 3.5.4", true, true), none, Iterm2),
            (
                "iterm over ssh",
                answer("", true, false),
                &[("LC_TERMINAL", "iTerm2")],
                Iterm2,
            ),
            (
                "vscode",
                answer("", false, false),
                &[("TERM_PROGRAM", "vscode")],
                Halfblocks,
            ),
            (
                "vscode with images",
                answer("", false, true),
                &[("TERM_PROGRAM", "vscode")],
                Iterm2,
            ),
            (
                "some kitty speaker",
                answer("what 1", true, false),
                none,
                Halfblocks,
            ),
            ("silence", Answer::default(), none, Halfblocks),
        ] {
            assert_eq!(
                Protocol::choose(&answer, &environment(vars)),
                expected,
                "{name}"
            );
        }
    }

    #[test]
    fn sixel_without_a_cell_size_is_not_used() {
        let mut silent = answer("XTerm(390)", false, true);
        silent.cell = None;
        let (protocol, why) = Protocol::choose_because(&silent, &environment(&[]));
        assert_eq!(protocol, Protocol::Halfblocks);
        assert!(why.contains("size of its cells"), "{why}");
    }

    #[test]
    fn inside_tmux_only_proof_counts() {
        let tmux = environment(&[("TMUX", "/tmp/x"), ("TERM_PROGRAM", "iTerm.app")]);
        assert_eq!(
            Protocol::choose(&answer("tmux 3.5", false, false), &tmux),
            Protocol::Halfblocks
        );
        let own = answer("tmux 3.5", false, true);
        assert_eq!(Protocol::choose(&own, &tmux), Protocol::Sixel);
        assert!(!Graphics::of(&own, &tmux, None).wrap);
        let mut outer = answer("tmux 3.5", true, false);
        assert_eq!(Protocol::choose(&outer, &tmux), Protocol::Halfblocks);
        outer.outer = Some("kitty(0.40.0)".into());
        assert_eq!(Protocol::choose(&outer, &tmux), Protocol::Kitty);
        assert!(Graphics::of(&outer, &tmux, None).wrap);
        assert_eq!(
            Protocol::choose(&own, &environment(&[("STY", "1.x")])),
            Protocol::Halfblocks
        );
    }

    #[test]
    fn a_forced_protocol_wins_and_names_survive_both_ways() {
        let graphics = Graphics::of(&Answer::default(), &environment(&[]), Some(Protocol::Sixel));
        assert_eq!(graphics.protocol, Protocol::Sixel);
        for protocol in Protocol::ALL {
            assert_eq!(protocol.to_string().parse(), Ok(protocol));
        }
        let error = "chafa".parse::<Protocol>().unwrap_err().to_string();
        assert!(
            error.contains("'chafa'") && error.contains("halfblocks"),
            "{error}"
        );
    }

    #[test]
    fn colour_depth_is_believed_when_said_and_not_assumed_in_tmux_or_terminal_app() {
        assert!(environment(&[("COLORTERM", "truecolor")]).true_color);
        assert!(environment(&[("TERM_PROGRAM", "iTerm.app")]).true_color);
        assert!(!environment(&[("TERM_PROGRAM", "Apple_Terminal")]).true_color);
        assert!(!environment(&[("TMUX", "x"), ("TERM_PROGRAM", "tmux")]).true_color);
        assert!(!environment(&[("TERM", "xterm-256color")]).true_color);
    }
}
