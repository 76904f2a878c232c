//! The real program, in an environment of its own.

use std::path::Path;
use std::process::{Command, Stdio};

/// `erw` with `args` in the folder `at`, its settings and data in `home`, and nothing of the user's about it.
pub(crate) fn erw(args: &[&str], at: &Path, home: &Path, data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_erw"));
    command
        .args(args)
        .current_dir(at)
        .env_clear()
        .env("HOME", home)
        .env("PATH", "")
        .env("ERW_DATA_DIR", data)
        .env("RUST_BACKTRACE", "0")
        .stdin(Stdio::null());
    command
}
