//! In which order groups or pairs are learned from: every epoch all of them once, in an order of its own that follows from the
//! seed, so that where the run stands is two numbers.

use serde::{Deserialize, Serialize};

use super::chance::Chance;

/// Where a run stands in its data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Place {
    /// The epoch, from 0.
    pub epoch: u64,
    /// What of it has been drawn.
    pub drawn: usize,
}

/// Draws items, step by step.
#[derive(Debug, Clone)]
pub(super) struct Sampler {
    seed: u64,
    items: usize,
    place: Place,
    order: Vec<u32>,
}

impl Sampler {
    /// Goes on from `place`.
    pub(super) fn new(seed: u64, items: usize, place: Place) -> Self {
        let mut sampler = Self {
            seed,
            items,
            place,
            order: Vec::new(),
        };
        sampler.arrange();
        sampler
    }

    fn arrange(&mut self) {
        self.order = (0..self.items as u32).collect();
        Chance::new(self.seed, "order", &[self.place.epoch]).shuffle(&mut self.order);
    }

    /// The next items, at most `count` and all of one epoch, with that epoch; none where there are no items at all.
    pub(super) fn draw(&mut self, count: usize) -> (u64, Vec<usize>) {
        if self.place.drawn >= self.items {
            self.place = Place {
                epoch: self.place.epoch + 1,
                drawn: 0,
            };
            self.arrange();
        }
        let from = self.place.drawn;
        let to = self.items.min(from + count);
        self.place.drawn = to;
        let items = self.order[from..to].iter().map(|i| *i as usize).collect();
        (self.place.epoch, items)
    }

    /// Where it stands.
    pub(super) fn place(&self) -> Place {
        self.place
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_epoch_has_everything_once_in_an_order_of_its_own() {
        let mut sampler = Sampler::new(5, 10, Place::default());
        let mut epoch = |number| {
            let mut all = Vec::new();
            for size in [4, 4, 2] {
                let (of, items) = sampler.draw(4);
                assert_eq!((of, items.len()), (number, size));
                all.extend(items);
            }
            all
        };
        let (first, second) = (epoch(0), epoch(1));
        assert_ne!(first, second);
        for mut all in [first, second] {
            all.sort_unstable();
            assert_eq!(all, (0..10).collect::<Vec<_>>());
        }
    }

    #[test]
    fn it_goes_on_from_any_place_as_if_it_had_never_stopped() {
        let mut whole = Sampler::new(5, 7, Place::default());
        for _ in 0..12 {
            let mut resumed = Sampler::new(5, 7, whole.place());
            assert_eq!(whole.draw(3), resumed.draw(3));
        }
    }

    #[test]
    fn nothing_comes_of_nothing() {
        assert!(Sampler::new(5, 0, Place::default()).draw(3).1.is_empty());
    }
}
