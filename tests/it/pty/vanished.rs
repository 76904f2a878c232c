//! A terminal that is gone, as when a connection breaks: nobody is there to see the program, and it must not go on; but its jobs must.

use std::io::Read as _;
use std::time::{Duration, Instant};

use erw::runs::{Ending, Fact, Folder, Manifest, State, glance};
use portable_pty::{CommandBuilder, PtySize};

use super::terminal::{Manner, Terminal, cells};
use super::workspace;

const DEADLINE: Duration = Duration::from_mins(1);

/// Starts `erw` on a terminal, waits for its groups, and takes the terminal away; fails if the program does not end.
fn vanishes(controlling: bool) {
    let (_dir, root) = workspace();
    let size = PtySize {
        rows: 30,
        cols: 100,
        pixel_width: 1000,
        pixel_height: 600,
    };
    let pair = portable_pty::native_pty_system().openpty(size).unwrap();
    let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_erw"));
    command.args(["--workspace".as_ref(), root.as_os_str()]);
    command.env("TERM", "xterm-256color");
    command.env("HOME", &root);
    command.env("ERW_DATA_DIR", root.join("data"));
    command.env("ERW_CONFIG", root.join("config.toml"));
    command.cwd(&root);
    // Of a terminal that is not the program's own the system sends no signal when it goes.
    command.set_controlling_tty(controlling);
    let mut child = pair.slave.spawn_command(command).unwrap();
    drop(pair.slave);
    let mut reader = pair.master.try_clone_reader().unwrap();
    let (mut screen, mut buffer) = (vt100::Parser::new(cells(30), cells(100), 0), [0; 8192]);
    while !screen.screen().contents().contains("1/6") {
        let count = reader.read(&mut buffer).unwrap();
        assert!(count > 0, "it ended before its groups showed");
        screen.process(&buffer[..count]);
    }
    drop(reader);
    drop(pair.master);
    let end = Instant::now() + DEADLINE;
    while child.try_wait().unwrap().is_none() {
        if Instant::now() > end {
            child.kill().unwrap();
            panic!("the program goes on without a terminal");
        }
        std::thread::yield_now();
    }
}

#[test]
fn a_terminal_that_is_gone_ends_the_program() {
    vanishes(true);
}

#[test]
fn it_ends_also_where_no_signal_tells_of_it() {
    vanishes(false);
}

#[test]
fn a_job_that_was_started_from_the_workbench_goes_on_without_it_and_its_terminal() {
    let (_dir, root) = workspace();
    let (go, script) = (root.join("go"), root.join("job.sh"));
    let lines = format!(
        "echo ready; until [ -e '{}' ]; do sleep 0.02; done",
        go.display()
    );
    std::fs::write(&script, lines).unwrap();
    let words = ["--", "/bin/sh", script.to_str().unwrap()].map(str::to_owned);
    let mut manifest = Manifest::new("jobs run", words.into(), "patience");
    manifest.directory.clone_from(&root);
    manifest.launcher = "local".into();
    let run = Folder::create(&root.join("runs"), &manifest).unwrap();
    let stopped = Fact::Ended {
        ending: Ending::Stopped,
        reason: "for now".into(),
    };
    run.add([stopped]).unwrap();
    let mut terminal = Terminal::erw(&root, Manner::Silent, &[]);
    terminal.wait_for("request number 1");
    terminal.write(b"T");
    terminal.wait_for("patience");
    terminal.write(b"R");
    let until = |what: &str, fact: &dyn Fn() -> bool| {
        let end = Instant::now() + DEADLINE;
        while !fact() {
            assert!(Instant::now() < end, "never: {what}");
            std::thread::yield_now();
        }
    };
    let state = || glance(&run).unwrap().1;
    until("it is ready", &|| {
        std::fs::read_to_string(run.log()).is_ok_and(|log| log.contains("ready"))
    });
    // Hangs up on the program, and takes the terminal away.
    drop(terminal);
    assert_eq!(state(), State::Running);
    let mut again = Terminal::erw(&root, Manner::Silent, &[]);
    again.wait_for("request number 1");
    again.write(b"T");
    again.wait_for("running");
    std::fs::write(&go, "").unwrap();
    until("it is done", &|| state() == State::Done);
}
