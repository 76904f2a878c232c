//! Endpoints over HTTP: the way to a service that is slow, costs money, and fails now and then.
//!
//! A [`Client`] sends one request after the other at the [`Pace`] that all threads share, tries again for as long as that may
//! help, and tells what spoils one request from what spoils all. What is asked, and what an answer means, is its callers'
//! business; the key is theirs to name and never theirs to see. Time is behind the trait [`Clock`], so that tests wait for
//! nothing.

mod chance;
mod client;
mod encoding;
mod key;
mod pace;
#[cfg(test)]
pub(crate) mod server;
mod status;

pub use chance::{digest, draw};
pub use client::{Attempt, Client, Endpoint, Failure, Reading, Request, Setback, Shared};
pub use encoding::{from_base64, to_base64};
pub use key::{Key, KeySource};
#[cfg(test)]
pub(crate) use pace::fake::FakeClock;
pub use pace::{Clock, Pace, RealClock, RingAtEnd, Stop, backoff};
pub use status::{Spoils, aside};

use std::sync::{Mutex, MutexGuard, PoisonError};

/// The content of a lock. A thread that panicked between two writes left nothing half done.
fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}
