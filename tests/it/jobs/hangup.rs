//! A terminal that is closed, or a connection that breaks: the system hangs up on whoever is there, and jobs go on.

use std::fs;
use std::io::Read as _;

use erw::runs::{Run, State, glance};
use portable_pty::{CommandBuilder, PtySize};
use rustix::process::{Pid, getsid};

use super::scores::{score, scores};
use super::{User, until, until_state, waiting_for};
use crate::cli::small_model;

impl User {
    /// Has a shell on a terminal of its own do this and then wait for more to be typed, and closes the terminal. Returns
    /// the shell's process, which led the terminal's session.
    fn types_and_is_gone(&self, lines: &str) -> u32 {
        let script = self.path("typed.sh");
        fs::write(&script, format!("{lines}\necho all was typed\nread more\n")).unwrap();
        let pair = portable_pty::native_pty_system()
            .openpty(PtySize::default())
            .unwrap();
        let mut command = CommandBuilder::new("/bin/sh");
        command.arg(&script);
        command.env_clear();
        let home = self.home.path();
        command.env("HOME", home);
        command.env("ERW_DATA_DIR", home);
        command.env("PATH", "/usr/bin:/bin");
        command.cwd(self.path("work"));
        let mut shell = pair.slave.spawn_command(command).unwrap();
        let leader = shell.process_id().unwrap();
        drop(pair.slave);
        let mut reader = pair.master.try_clone_reader().unwrap();
        let (mut said, mut buffer) = (String::new(), [0; 1024]);
        while !said.contains("all was typed") {
            let count = reader.read(&mut buffer).unwrap();
            assert!(count > 0, "it ended before all was typed: {said}");
            said += &String::from_utf8_lossy(&buffer[..count]);
        }
        drop(reader);
        drop(pair.master);
        until("the shell was hung up on", || shell.try_wait().unwrap());
        leader
    }
}

#[test]
fn a_terminal_that_hangs_up_ends_neither_a_job_nor_the_queue_behind_it() {
    let user = User::new();
    let model = small_model();
    let dir = user.workspace("set", 3);
    let (go, first) = (user.path("go"), user.path("first.sh"));
    fs::write(&first, waiting_for(&go)).unwrap();
    let erw = env!("CARGO_BIN_EXE_erw");
    let queue = [
        "--queue",
        "--device",
        "cpu",
        "--runs",
        user.runs().to_str().unwrap(),
    ]
    .map(str::to_owned);
    let (queue, first) = (queue.join(" "), first.display());
    let scored = score(&dir, &model, &[])
        .join(" ")
        .replace(" --device cpu", "");
    // The terminal is gone the moment that the second command is back, which may be before anything of it has begun.
    let leader = user.types_and_is_gone(&format!(
        "{erw} jobs run --title first {queue} -- sh {first}\n{erw} {scored} {queue}"
    ));
    let runs = Run::list(&user.runs()).unwrap().runs;
    let [second, first] = &runs[..] else {
        panic!("{runs:?}");
    };
    let first = until_state(&first.folder, State::Running).folder().clone();
    let [pid, leader] =
        [first.process().unwrap(), leader].map(|pid| Pid::from_raw(i32::try_from(pid).unwrap()));
    assert_ne!(Some(getsid(pid).unwrap()), leader);
    // A new face finds both as they are.
    let list = user.json(&["jobs", "list"]);
    let states = [0, 1].map(|at| list["runs"][at]["state"].as_str().unwrap());
    assert_eq!(states, ["queued", "running"]);
    fs::write(&go, "").unwrap();
    until_state(&first, State::Done);
    until_state(&second.folder, State::Done);
    assert_eq!(scores(&dir).len(), 6);
    assert_eq!(glance(&second.folder).unwrap().1, State::Done);
}
