//! Ctrl-C, and a polite kill, between two candidates: what is done is kept and shown, and the exit code says that it was
//! stopped. A second one ends the program at once; nothing stored is lost by that either.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::exit::Exit;

/// Whether the user wants the command to stop.
#[derive(Debug, Clone, Default)]
pub(super) struct Stop {
    asked: Arc<AtomicBool>,
}

impl Stop {
    /// Listens from now on. Where the system gives no thread or no signals, the signals keep their usual effect.
    pub(super) fn watch() -> Self {
        let stop = Self::default();
        let asked = Arc::clone(&stop.asked);
        let _ = std::thread::Builder::new()
            .name("erw-signals".into())
            .spawn(move || listen(&asked));
        stop
    }

    /// Whether it was asked for.
    pub(super) fn asked(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
    }

    /// Breaks once it was asked for.
    pub(super) fn check(&self) -> ControlFlow<()> {
        if self.asked() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }
}

fn listen(asked: &AtomicBool) {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
    else {
        return;
    };
    while runtime.block_on(signal()) {
        if asked.swap(true, Ordering::Relaxed) {
            std::process::exit(i32::from(Exit::Stopped.code()));
        }
    }
}

/// Waits for a signal to stop; false when there can be none.
#[cfg(unix)]
async fn signal() -> bool {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        return false;
    };
    tokio::select! {
        result = tokio::signal::ctrl_c() => result.is_ok(),
        received = terminate.recv() => received.is_some(),
    }
}

#[cfg(not(unix))]
async fn signal() -> bool {
    tokio::signal::ctrl_c().await.is_ok()
}
