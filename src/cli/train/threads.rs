//! Threads for training on a CPU. The learner runs whole passes side by side; candle and its matrix products, which would
//! split every single operation, are told to use one thread each. They read that once, from the environment alone, so the
//! program starts itself again with it: the same process, the same terminal, the same arguments.

use anyhow::Context as _;

use crate::model::learner::THREADS;
use crate::model::{DeviceChoice, computes_on_cpu};

/// What candle's element-wise operations read.
const CANDLE: &str = "CANDLE_NUM_THREADS";
/// What its matrix products, and a user, read and write.
const RAYON: &str = "RAYON_NUM_THREADS";

/// Sees to it that threads are set for training on `device`. Returns only where they are.
#[cfg(unix)]
pub(super) fn settle(device: DeviceChoice) -> anyhow::Result<()> {
    use std::os::unix::process::CommandExt as _;

    if std::env::var_os(THREADS).is_some() || !computes_on_cpu(device) {
        return Ok(());
    }
    let threads = std::env::var(RAYON).ok().unwrap_or_else(|| {
        std::thread::available_parallelism()
            .map_or(1, usize::from)
            .to_string()
    });
    let program = std::env::current_exe().context("cannot find this program's own file")?;
    let error = std::process::Command::new(program)
        .args(std::env::args_os().skip(1))
        .envs([(THREADS, threads.as_str()), (RAYON, "1"), (CANDLE, "1")])
        .exec();
    Err(error).context("cannot start again with threads set")
}

/// Elsewhere a process cannot become another; training is slower then.
#[cfg(not(unix))]
pub(super) fn settle(_device: DeviceChoice) -> anyhow::Result<()> {
    Ok(())
}
