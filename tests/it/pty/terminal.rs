//! A made-up terminal around the real program: it shows what is written, answers what is asked (or stays silent), and knows
//! whether it was left as it was found. Waiting is always for something on the screen, with a deadline.

use std::fmt::Write as _;
use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, ExitStatus, MasterPty, PtySize, SlavePty};

/// Ample even where many programs share the machine; nothing waits for it to pass.
const DEADLINE: Duration = Duration::from_mins(1);

/// How the terminal answers questions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Manner {
    /// Not at all.
    Silent,
    /// As xterm with sixel.
    Xterm,
    /// As kitty.
    Kitty,
    /// As xterm, cut into single bytes, with the letter `j` typed in the middle.
    Stuttering,
}

impl Manner {
    fn answers(self) -> Vec<Vec<u8>> {
        let xterm =
            b"\x1bP>|XTerm(390)\x1b\\\x1b[6;20;10t\x1b]11;rgb:0000/0000/0000\x1b\\\x1b[?64;4c";
        match self {
            Self::Silent => Vec::new(),
            Self::Xterm => vec![[&xterm[..], b"\x1b[0n"].concat()],
            Self::Kitty => vec![
                b"\x1b_Gi=31;OK\x1b\\\x1bP>|kitty(0.35.2)\x1b\\\x1b[6;20;10t\x1b[?62c\x1b[0n"
                    .to_vec(),
            ],
            Self::Stuttering => [&xterm[..], b"j\x1b[0n"]
                .concat()
                .into_iter()
                .map(|byte| vec![byte])
                .collect(),
        }
    }
}

/// A program on a terminal.
pub(super) struct Terminal {
    child: Box<dyn Child + Send + Sync>,
    master: Box<dyn MasterPty + Send>,
    // Held so that the terminal outlives the program.
    _slave: Box<dyn SlavePty + Send>,
    writer: Box<dyn Write + Send>,
    output: Receiver<Vec<u8>>,
    screen: vt100::Parser,
    manner: Manner,
    answered: usize,
    before: String,
    /// Every byte the program wrote.
    pub(super) raw: Vec<u8>,
}

impl Terminal {
    /// Starts `erw` on `workspace`, on a terminal of 100 × 30.
    pub(super) fn erw(workspace: &Path, manner: Manner, arguments: &[&str]) -> Self {
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_erw"));
        command.arg("--workspace");
        command.arg(workspace);
        command.args(arguments);
        Self::start(command, workspace, manner)
    }

    /// Starts any command there, in a clean environment.
    pub(super) fn start(mut command: CommandBuilder, home: &Path, manner: Manner) -> Self {
        let size = PtySize {
            rows: 30,
            cols: 100,
            pixel_width: 1000,
            pixel_height: 600,
        };
        let pair = portable_pty::native_pty_system().openpty(size).unwrap();
        let extra: Vec<(String, String)> = command
            .iter_extra_env_as_str()
            .map(|(k, v)| (k.to_owned(), v.to_owned()))
            .collect();
        command.env_clear();
        for (name, value) in [
            ("PATH", std::env::var("PATH").unwrap()),
            ("TERM", "xterm-256color".into()),
            ("COLORTERM", "truecolor".into()),
            ("HOME", home.display().to_string()),
            ("ERW_DATA_DIR", home.join("data").display().to_string()),
            ("ERW_CONFIG", home.join("config.toml").display().to_string()),
        ] {
            command.env(name, value);
        }
        for (name, value) in extra
            .into_iter()
            .filter(|(name, _)| name.starts_with("ERW_TEST") || name == "NO_COLOR" || name == "PS1")
        {
            command.env(name, value);
        }
        command.cwd(home);
        let before = modes(pair.master.as_ref());
        let child = pair.slave.spawn_command(command).unwrap();
        let mut reader = pair.master.try_clone_reader().unwrap();
        let (tx, output) = channel();
        std::thread::spawn(move || {
            let mut buffer = [0; 8192];
            while let Ok(count) = reader.read(&mut buffer) {
                if count == 0 || tx.send(buffer[..count].to_vec()).is_err() {
                    return;
                }
            }
        });
        Self {
            child,
            writer: pair.master.take_writer().unwrap(),
            master: pair.master,
            _slave: pair.slave,
            output,
            screen: vt100::Parser::new(cells(30), cells(100), 0),
            manner,
            answered: 0,
            before,
            raw: Vec::new(),
        }
    }

    /// Types.
    pub(super) fn write(&mut self, bytes: &[u8]) {
        self.writer.write_all(bytes).unwrap();
        self.writer.flush().unwrap();
    }

    /// The screen as text.
    pub(super) fn text(&self) -> String {
        self.screen.screen().contents()
    }

    /// Gives the window another size.
    pub(super) fn resize(&mut self, rows: u16, columns: u16) {
        let size = PtySize {
            rows,
            cols: columns,
            pixel_width: columns * 10,
            pixel_height: rows * 20,
        };
        self.screen
            .screen_mut()
            .set_size(cells(rows), cells(columns));
        self.master.resize(size).unwrap();
    }

    /// The process.
    pub(super) fn pid(&self) -> i32 {
        i32::try_from(self.child.process_id().unwrap()).unwrap()
    }

    /// Takes in what was written until `done` holds of the terminal.
    pub(super) fn wait(&mut self, what: &str, done: impl Fn(&Self) -> bool) {
        let end = Instant::now() + DEADLINE;
        while !done(self) {
            let left = end.saturating_duration_since(Instant::now());
            match self.output.recv_timeout(left) {
                Ok(bytes) => self.take(&bytes),
                Err(RecvTimeoutError::Timeout) => panic!("no {what} on\n{}", self.text()),
                Err(RecvTimeoutError::Disconnected) => {
                    panic!(
                        "the program ended before {what}; on screen:\n{}",
                        self.text()
                    )
                }
            }
        }
    }

    /// Waits for words on the screen.
    pub(super) fn wait_for(&mut self, words: &str) {
        self.wait(words, |terminal| terminal.text().contains(words));
    }

    /// Waits for a shell that has the terminal and asks for a command. A program that has left the screen may not have ended
    /// yet, and a shell that takes over sets the terminal's modes: what is typed before its prompt can be lost.
    pub(super) fn wait_for_prompt(&mut self) {
        self.wait("prompt", |terminal| {
            !terminal.is_taken() && terminal.text().trim_end().ends_with("prompt>")
        });
    }

    fn take(&mut self, bytes: &[u8]) {
        self.raw.extend_from_slice(bytes);
        self.screen.process(bytes);
        let questions = self.raw.windows(4).filter(|w| w == b"\x1b[5n").count();
        while self.answered < questions {
            self.answered += 1;
            for part in self.manner.answers() {
                self.write(&part);
            }
        }
    }

    /// Waits for the end of the program and takes in the rest of what it wrote.
    pub(super) fn end(&mut self) -> ExitStatus {
        let end = Instant::now() + DEADLINE;
        loop {
            while let Ok(bytes) = self.output.try_recv() {
                self.take(&bytes);
            }
            if let Some(status) = self.child.try_wait().unwrap() {
                while let Ok(bytes) = self.output.recv_timeout(Duration::from_millis(50)) {
                    self.take(&bytes);
                }
                return status;
            }
            assert!(Instant::now() < end, "it does not end:\n{}", self.text());
            if let Ok(bytes) = self.output.recv_timeout(Duration::from_millis(20)) {
                self.take(&bytes);
            }
        }
    }

    /// Everything that was changed is as it was: modes of the driver, screen, cursor, mouse, paste, focus.
    pub(super) fn assert_given_back(&self) {
        assert_eq!(modes(self.master.as_ref()), self.before, "driver modes");
        let screen = self.screen.screen();
        assert!(!screen.alternate_screen(), "alternate screen");
        assert!(!screen.hide_cursor(), "cursor");
        assert!(!screen.bracketed_paste(), "bracketed paste");
        assert_eq!(screen.mouse_protocol_mode(), vt100::MouseProtocolMode::None);
        let last = |bytes: &[u8]| self.raw.windows(bytes.len()).rposition(|w| w == bytes);
        assert!(last(b"\x1b[?1004l") > last(b"\x1b[?1004h"), "focus reports");
        assert!(
            last(b"\x1b[?2026l") >= last(b"\x1b[?2026h"),
            "synchronized update"
        );
    }

    /// Whether the program has the screen.
    pub(super) fn is_taken(&self) -> bool {
        self.screen.screen().alternate_screen()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
    }
}

fn modes(master: &dyn MasterPty) -> String {
    format!("{:?}", master.get_termios().unwrap())
}

/// A workspace of six groups with pictures, in a folder that lives as long as the answer.
pub(super) fn workspace() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().to_path_buf();
    let mut lines = String::new();
    for group in 1..=6_u8 {
        for picture in ["source", "a", "b"] {
            std::fs::write(root.join(format!("{group}-{picture}.bmp")), bmp(group * 30)).unwrap();
        }
        writeln!(
            lines,
            r#"{{"id":"g{group}","source":"{group}-source.bmp","instruction":"request number {group}","candidates":[{{"id":"a","image":"{group}-a.bmp"}},{{"id":"b","image":"{group}-b.bmp"}}]}}"#
        )
        .unwrap();
    }
    std::fs::write(root.join("groups.jsonl"), lines).unwrap();
    std::fs::write(root.join("config.toml"), "").unwrap();
    let workspace = erw::data::Workspace::create(&root).unwrap();
    workspace.import_jsonl(&root.join("groups.jsonl")).unwrap();
    (dir, root)
}

/// An uncompressed 24-bit BMP with a step from row to row, since half-blocks draw an even area as mere background.
fn bmp(blue: u8) -> Vec<u8> {
    let (width, height) = (32_u32, 24_u32);
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
    for pixel in 0..width * height {
        let row = u8::try_from(pixel / width).unwrap();
        out.extend([blue, 90, 10 * row]);
    }
    out
}

pub(super) fn cells(count: u16) -> NonZeroU16 {
    NonZeroU16::new(count).unwrap()
}
