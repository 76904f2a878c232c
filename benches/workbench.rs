//! What the workbench costs on large sets: the time from its start to the first whole frame, from a key to the frame that shows it,
//! for a filter over all groups, and the memory that it holds. The real program on a made-up terminal, on made-up groups that share
//! two pictures; no model.
//!
//! ```text
//! cargo bench --bench workbench               # 200,000 groups
//! cargo bench --bench workbench -- 1500000    # as many as are said
//! ```
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "what fails here fails the measurement"
)]
#![cfg(unix)]

use std::fs::{self, File};
use std::io::{BufWriter, Read as _, Write};
use std::num::NonZeroU16;
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use erw::data::Workspace;
use portable_pty::{Child, CommandBuilder, PtySize};

const GROUPS: usize = 200_000;
const ROWS: u16 = 50;
const COLUMNS: u16 = 200;
/// Keys whose frames are timed.
const KEYS: usize = 200;
/// Starts of which the median is told.
const STARTS: usize = 7;

fn main() {
    // `cargo test` builds benchmarks too and runs them with this flag: nothing is measured then.
    if std::env::args().any(|a| a == "--test") {
        return;
    }
    let asked = std::env::args().skip(1).find_map(|a| a.parse().ok());
    let groups = asked.unwrap_or(GROUPS);
    let dir = tempfile::tempdir().unwrap();
    let begun = Instant::now();
    let bytes = made(dir.path(), groups);
    println!(
        "{groups} groups, {} MiB of JSON lines, imported in {:.1} s",
        bytes >> 20,
        begun.elapsed().as_secs_f64()
    );
    let mut starts: Vec<f64> = (0..STARTS).map(|_| start(dir.path()).1).collect();
    told("start to the first whole frame", &mut starts);
    let (mut bench, _) = start(dir.path());
    let mut keys: Vec<f64> = (2..KEYS + 2)
        .map(|place| {
            bench.write("j");
            bench.until(&format!("{place}/"))
        })
        .collect();
    told("a key to its frame", &mut keys);
    bench.write("G");
    println!(
        "to the last group: {:.1} ms",
        bench.until(&request(groups - 1))
    );
    bench.write("g");
    bench.until(&request(0));
    bench.write("/zebra");
    println!(
        "a filter for words, over all instructions: {:.1} ms",
        bench.until_it(&|text| text.contains(ODD) && is_alone(text))
    );
    println!("memory: {}", bench.memory());
}

/// Whether one group is listed and no more: "1/1" and no digit after it.
fn is_alone(text: &str) -> bool {
    let mut rests = text.split(" 1/1").skip(1);
    rests.any(|rest| !rest.starts_with(|c: char| c.is_ascii_digit()))
}

/// The instruction of the group in the middle.
const ODD: &str = "turn the zebra into a horse";

/// The instruction of a group.
fn request(group: usize) -> String {
    format!("request number {group}")
}

/// Makes a workspace of so many groups in `dir`; the bytes of the file that they were read from.
fn made(dir: &Path, groups: usize) -> u64 {
    let photos = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample-data/photos");
    for name in ["source.jpg", "edited.jpg"] {
        fs::copy(photos.join("animals_crab.jpg"), dir.join(name)).unwrap();
    }
    let file = dir.join("groups.jsonl");
    let mut out = BufWriter::new(File::create(&file).unwrap());
    for group in 0..groups {
        writeln!(
            out,
            r#"{{"id":"g{group:07}","source":"source.jpg","instruction":"{}","candidates":[{{"id":"a","image":"edited.jpg"}},{{"id":"b","image":"edited.jpg"}}]}}"#,
            if group == groups / 2 {
                ODD.to_owned()
            } else {
                request(group)
            }
        )
        .unwrap();
    }
    drop(out);
    // Nobody's settings but none.
    fs::write(dir.join("config.toml"), "").unwrap();
    Workspace::create(dir).unwrap().import_jsonl(&file).unwrap();
    fs::metadata(file).unwrap().len()
}

fn told(what: &str, times: &mut [f64]) {
    times.sort_by(f64::total_cmp);
    let at = |share: f64| times[((times.len() - 1) as f64 * share).round() as usize];
    println!(
        "{what}: median {:.1} ms, p99 {:.1} ms, of {}",
        at(0.5),
        at(0.99),
        times.len()
    );
}

/// The program on a terminal.
struct Bench {
    child: Box<dyn Child + Send + Sync>,
    writer: Box<dyn Write + Send>,
    output: Receiver<Vec<u8>>,
    screen: vt100::Parser,
    /// Since the last key, or the start.
    since: Instant,
    // Held so that the terminal outlives the program.
    _pair: (
        Box<dyn portable_pty::MasterPty + Send>,
        Box<dyn portable_pty::SlavePty + Send>,
    ),
}

/// Starts the program; how long its first whole frame took, in milliseconds.
fn start(dir: &Path) -> (Bench, f64) {
    let size = PtySize {
        rows: ROWS,
        cols: COLUMNS,
        pixel_width: COLUMNS * 10,
        pixel_height: ROWS * 20,
    };
    let pair = portable_pty::native_pty_system().openpty(size).unwrap();
    let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_erw"));
    command.args(["--image-protocol", "halfblocks", "--workspace"]);
    command.arg(dir);
    command.env("TERM", "xterm-256color");
    command.env("HOME", dir);
    command.env("ERW_DATA_DIR", dir.join("data"));
    command.env("ERW_CONFIG", dir.join("config.toml"));
    let since = Instant::now();
    let child = pair.slave.spawn_command(command).unwrap();
    let mut reader = pair.master.try_clone_reader().unwrap();
    let (tx, output) = channel();
    std::thread::spawn(move || {
        let mut buffer = [0; 1 << 13];
        while let Ok(count) = reader.read(&mut buffer) {
            if count == 0 || tx.send(buffer[..count].to_vec()).is_err() {
                return;
            }
        }
    });
    let mut bench = Bench {
        child,
        writer: pair.master.take_writer().unwrap(),
        output,
        screen: vt100::Parser::new(cells(ROWS), cells(COLUMNS), 0),
        since,
        _pair: (pair.master, pair.slave),
    };
    let first = bench.until(&request(0));
    (bench, first)
}

fn cells(count: u16) -> NonZeroU16 {
    NonZeroU16::new(count).unwrap()
}

impl Bench {
    fn write(&mut self, keys: &str) {
        self.since = Instant::now();
        self.writer.write_all(keys.as_bytes()).unwrap();
        self.writer.flush().unwrap();
    }

    /// Waits for words on the screen; the milliseconds since the last key.
    fn until(&mut self, words: &str) -> f64 {
        self.until_it(&|text| text.contains(words))
    }

    /// Waits for what the screen shows; the milliseconds since the last key.
    fn until_it(&mut self, shows: &dyn Fn(&str) -> bool) -> f64 {
        while !shows(&self.screen.screen().contents()) {
            let bytes = self.output.recv_timeout(Duration::from_mins(1));
            let shown = self.screen.screen().contents();
            self.screen.process(&bytes.unwrap_or_else(|_| {
                println!("what is waited for did not appear in\n{shown}");
                std::process::exit(1)
            }));
        }
        self.since.elapsed().as_secs_f64() * 1e3
    }

    /// What the program holds and what it held at most, as the system tells it.
    fn memory(&self) -> String {
        let pid = self.child.process_id().unwrap();
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let of = |key: &str| {
            let line = status.lines().find(|line| line.starts_with(key))?;
            let kilobytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
            Some(format!("{} MiB", kilobytes >> 10))
        };
        match (of("VmRSS"), of("VmHWM")) {
            (Some(now), Some(most)) => format!("{now} resident, {most} at most"),
            _ => "not told by this system".into(),
        }
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
