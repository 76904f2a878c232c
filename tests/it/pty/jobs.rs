//! A job that the workbench started outlives the workbench and its terminal, and the next workbench shows it.

use erw::runs::{Folder, Run, State, glance};
use rustix::process::{Pid, Signal, kill_process_group};

use super::terminal::{Manner, Terminal, workspace};

/// The only run there.
fn run(root: &std::path::Path) -> Option<Folder> {
    let mut runs = Run::list(&root.join("runs")).ok()?.runs;
    runs.pop().map(|run| run.folder)
}

#[test]
fn a_hang_up_ends_the_workbench_and_not_the_job_and_the_next_workbench_shows_it() {
    let (_dir, root) = workspace();
    let go = root.join("go");
    let mut terminal = Terminal::erw(&root, Manner::Silent, &[]);
    terminal.wait_for("1/6");
    terminal.write(b"Q");
    terminal.wait_for("There are no runs here yet.");
    terminal.write(b"n");
    terminal.wait_for("Start what?");
    terminal.write(b"any program\r");
    terminal.wait_for("✗ command: it must not be empty");
    let script = format!(
        "sh -c \"echo it is ready; until [ -e '{}' ]; do sleep 0.02; done; echo it is over\"",
        go.display()
    );
    terminal.write(script.as_bytes());
    terminal.wait_for("✓ Enter starts it");
    terminal.write(b"\r");
    terminal.wait_for("1 running");
    terminal.wait_for("it is ready");
    let folder = run(&root).unwrap();
    let worker = folder.process().unwrap();

    // As when a connection breaks: everybody whose terminal it was hears of it.
    let group = Pid::from_raw(terminal.pid()).unwrap();
    kill_process_group(group, Signal::HUP).unwrap();
    terminal.end();
    terminal.assert_given_back();
    assert_eq!(folder.process(), Some(worker), "the job goes on");

    let mut terminal = Terminal::erw(&root, Manner::Silent, &[]);
    terminal.wait_for("1/6");
    // On every screen, in the status line.
    terminal.wait_for("▶ sh");
    terminal.write(b"Q");
    terminal.wait_for("1 running");
    terminal.wait_for("it is ready");
    std::fs::write(&go, "").unwrap();
    terminal.wait_for("✓ jobs run 'sh' done");
    terminal.wait_for("it is over");
    terminal.write(b"q");
    assert!(terminal.end().success());
    let (_, state) = glance(&folder).unwrap();
    assert_eq!(state, State::Done);
}
