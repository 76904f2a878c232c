//! Work on all cores: numbered pieces done in any order, handed back in the order of their numbers.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

/// Calls `make` with 0..`total` on as many threads as there are cores; `done` hears of each as it is finished. The first error
/// ends it.
pub(crate) fn on_all_cores<T: Send, E: Send>(
    total: usize,
    make: impl Fn(usize) -> Result<T, E> + Sync,
    mut done: impl FnMut(&T),
) -> Result<Vec<T>, E> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let next = AtomicUsize::new(0);
    let (send, receive) = mpsc::channel();
    std::thread::scope(|scope| {
        for _ in 0..threads.min(total) {
            let (send, next, make) = (send.clone(), &next, &make);
            scope.spawn(move || {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    // The receiver is gone once another piece has failed.
                    if index >= total || send.send((index, make(index))).is_err() {
                        break;
                    }
                }
            });
        }
        drop(send);
        let mut finished = BTreeMap::new();
        for (index, outcome) in receive {
            let piece = outcome?;
            done(&piece);
            finished.insert(index, piece);
        }
        Ok(finished.into_values().collect())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_come_back_in_order_and_each_is_heard_of() {
        let mut heard = 0;
        let pieces = on_all_cores(100, |i| Ok::<_, ()>(i * i), |_| heard += 1).unwrap();
        assert_eq!(heard, 100);
        assert_eq!(pieces, (0..100).map(|i| i * i).collect::<Vec<_>>());
    }

    #[test]
    fn an_error_ends_it() {
        let outcome = on_all_cores(1000, |i| if i == 3 { Err(i) } else { Ok(i) }, |_| {});
        assert_eq!(outcome, Err(3));
    }
}
