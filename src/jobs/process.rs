//! Processes and signals, as far as jobs need them: leaving a terminal, starting without one, ending.

use std::io;
use std::process::Command;

/// Leaves the terminal that this process was started from, so that nothing that happens to it (a closed window, a dropped
/// connection, Ctrl-C) arrives here. Without effect where the process leads a group already.
#[cfg(unix)]
pub fn leave_terminal() {
    let _ = rustix::process::setsid();
}

/// Leaves the terminal; other systems have none to leave.
#[cfg(not(unix))]
pub fn leave_terminal() {}

/// Gives the command a process group of its own, so that it can be ended with all that it started and with nothing else.
#[cfg(unix)]
pub fn in_a_group(command: &mut Command) -> &mut Command {
    use std::os::unix::process::CommandExt as _;
    command.process_group(0)
}

/// Does nothing; other systems have no such groups.
#[cfg(not(unix))]
pub fn in_a_group(command: &mut Command) -> &mut Command {
    command
}

/// Becomes another program: on Unix this process goes on as that one; elsewhere it waits for it and ends as it did. Returns
/// only where the program cannot be started.
pub fn replace_with(mut command: Command) -> io::Error {
    #[cfg(unix)]
    {
        use std::os::unix::process::CommandExt as _;
        command.exec()
    }
    #[cfg(not(unix))]
    match command.status() {
        Ok(status) => std::process::exit(status.code().unwrap_or(1)),
        Err(e) => e,
    }
}

/// Which signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Signal {
    /// A request that the process may answer in its own time.
    Terminate,
    /// The end, at once.
    Kill,
}

/// Sends a signal to a process, and to those that it started where it leads a group of its own. False where there is no such
/// process, or it is somebody else's.
#[cfg(unix)]
pub(super) fn send(pid: u32, signal: Signal) -> bool {
    use rustix::process::{Pid, kill_process, kill_process_group};
    let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) else {
        return false;
    };
    let signal = match signal {
        Signal::Terminate => rustix::process::Signal::TERM,
        Signal::Kill => rustix::process::Signal::KILL,
    };
    // A group of this number is its own. (Asking for its group instead fails where that is outside of a container.)
    kill_process_group(pid, signal)
        .or_else(|_| kill_process(pid, signal))
        .is_ok()
}

#[cfg(not(unix))]
pub(super) fn send(_pid: u32, _signal: Signal) -> bool {
    false
}

/// Has all processes of the group end that `leader` leads, or led and left behind: politely, or at once.
#[cfg(unix)]
pub fn end_group(leader: u32, at_once: bool) {
    use rustix::process::{Pid, Signal, kill_process_group};
    let signal = if at_once { Signal::KILL } else { Signal::TERM };
    if let Some(pid) = i32::try_from(leader).ok().and_then(Pid::from_raw) {
        // An error is that there is none any more.
        let _ = kill_process_group(pid, signal);
    }
}

/// Does nothing; other systems have no such groups.
#[cfg(not(unix))]
pub fn end_group(_leader: u32, _at_once: bool) {}

/// Whether there is such a process. One that has ended and was not waited for counts.
#[cfg(unix)]
pub(super) fn exists(pid: u32) -> bool {
    let pid = i32::try_from(pid)
        .ok()
        .and_then(rustix::process::Pid::from_raw);
    pid.is_some_and(|pid| rustix::process::test_kill_process(pid).is_ok())
}

#[cfg(not(unix))]
pub(super) fn exists(_pid: u32) -> bool {
    true
}
