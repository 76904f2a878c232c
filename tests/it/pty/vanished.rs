//! A terminal that is gone, as when a connection breaks: nobody is there to see the program, and it must not go on.

use std::io::Read as _;
use std::time::{Duration, Instant};

use portable_pty::{CommandBuilder, PtySize};

use super::terminal::cells;
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
