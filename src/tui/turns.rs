//! Work on the store that has to be done in the order in which it was asked for: a judgement and its being taken back.

use tokio::task::JoinHandle;

/// Does one piece of work after the other, off the loop.
#[derive(Debug, Default)]
pub(crate) struct Turns {
    last: Option<JoinHandle<()>>,
}

impl Turns {
    /// Does this when all that came before is done. Within a runtime.
    pub(crate) fn then(&mut self, work: impl FnOnce() + Send + 'static) {
        let before = self.last.take();
        self.last = Some(tokio::spawn(async move {
            if let Some(before) = before {
                // If it broke down, what comes after it is done all the same.
                let _ = before.await;
            }
            let _ = tokio::task::spawn_blocking(work).await;
        }));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    #[test]
    fn work_is_done_in_turn_even_after_some_that_broke_down() {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(4)
            .build()
            .unwrap();
        let (tell, heard) = channel();
        let _within = runtime.enter();
        let mut turns = Turns::default();
        for n in 0..200 {
            let tell = tell.clone();
            turns.then(move || {
                // The earlier ones are the slower ones.
                for _ in n..200 {
                    std::thread::yield_now();
                }
                tell.send(n).unwrap();
                assert_ne!(n, 100, "breaks down");
            });
        }
        drop(tell);
        assert_eq!(
            heard.iter().collect::<Vec<_>>(),
            (0..200).collect::<Vec<_>>()
        );
    }
}
