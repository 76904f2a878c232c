//! What scoring took: `erw score --explain`.

use std::time::Instant;

use serde::Serialize;

use super::args::ScoreArgs;
use crate::model::speed::matrix_product;
use crate::model::{LoadOptions, RewardModel, Work};

/// A clock over what a model computes.
pub(super) struct Clock {
    begun: Instant,
    before: Work,
}

impl Clock {
    /// Starts with a loaded model.
    pub(super) fn start(model: &RewardModel) -> Self {
        Self {
            begun: Instant::now(),
            before: model.work(),
        }
    }

    /// What was computed since, where the user asked; the device's matrix product is measured now.
    pub(super) fn stop(
        &self,
        model: &RewardModel,
        args: &ScoreArgs,
        options: &LoadOptions,
    ) -> anyhow::Result<Option<Effort>> {
        let seconds = self.begun.elapsed().as_secs_f64();
        if !args.explain {
            return Ok(None);
        }
        let (side, product) = matrix_product(options)?;
        let work = model.work() - self.before;
        Ok(Some(Effort::new(&work, seconds, (side, product))))
    }
}

/// What was computed, and how fast.
#[derive(Debug, Serialize)]
pub(in crate::cli) struct Effort {
    /// Candidates that were read; those with stored scores were not.
    candidates: u64,
    /// Passes over the language model.
    passes: u64,
    /// Rows (tokens) of those passes, what candidates share counted once.
    rows: u64,
    /// Pictures that went through the vision tower.
    pictures: u64,
    /// Their patches.
    patches: u64,
    /// Floating-point operations of the vision tower, in 10¹², counted from the shapes of its products.
    vision_teraflop: f64,
    /// Those of the language model and the heads.
    language_teraflop: f64,
    /// From the first image read to the last score, loading of the model left out.
    seconds: f64,
    /// 10¹² operations a second.
    teraflops: f64,
    /// The side of the square matrices whose product was timed on the same device in the same format.
    product_side: usize,
    /// What that product reached, in 10¹² operations a second.
    product_teraflops: f64,
    /// `teraflops` of `product_teraflops`, 0 to 1.
    share: f64,
}

impl Effort {
    fn new(work: &Work, seconds: f64, (product_side, product_teraflops): (usize, f64)) -> Self {
        let teraflops = work.flops() as f64 / 1e12 / seconds;
        Self {
            candidates: work.candidates,
            passes: work.passes,
            rows: work.rows,
            pictures: work.pictures,
            patches: work.patches,
            vision_teraflop: work.vision_flops as f64 / 1e12,
            language_teraflop: work.language_flops as f64 / 1e12,
            seconds,
            teraflops,
            product_side,
            product_teraflops,
            share: teraflops / product_teraflops,
        }
    }

    /// In a few lines.
    pub(in crate::cli) fn told(&self) -> String {
        if self.candidates == 0 {
            return "Computed: nothing; what scores there are were stored.".into();
        }
        let each = self.candidates as f64;
        let all = self.vision_teraflop + self.language_teraflop;
        format!(
            "Computed: {} in {}, {} ({:.0} a candidate); {} of {}.\n\
             {} (vision {}, language {}), {} a candidate, in {:.2} s: {:.1} ms a candidate,\n\
             {}/s, {:.0} % of the {}/s that a product of {} × {} reaches here.",
            number(self.candidates, "candidate"),
            number(self.passes, "pass"),
            number(self.rows, "row"),
            self.rows as f64 / each,
            number(self.pictures, "picture"),
            number(self.patches, "patch"),
            operations(all),
            operations(self.vision_teraflop),
            operations(self.language_teraflop),
            operations(all / each),
            self.seconds,
            1e3 * self.seconds / each,
            operations(self.teraflops),
            100.0 * self.share,
            operations(self.product_teraflops),
            self.product_side,
            self.product_side,
        )
    }
}

/// So many things.
fn number(count: u64, thing: &str) -> String {
    let plural = match (count, thing.ends_with('s') || thing.ends_with("ch")) {
        (1, _) => "",
        (_, true) => "es",
        (_, false) => "s",
    };
    format!("{count} {thing}{plural}")
}

/// Floating-point operations, given in 10¹².
fn operations(tera: f64) -> String {
    if tera < 1.0 {
        format!("{:.1} GFLOP", 1e3 * tera)
    } else {
        format!("{tera:.2} TFLOP")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_computed_is_told_in_all_and_a_candidate() {
        let work = Work {
            pictures: 3,
            patches: 3072,
            candidates: 2,
            passes: 1,
            rows: 2378,
            vision_flops: 4_000_000_000_000,
            language_flops: 26_000_000_000_000,
        };
        let effort = Effort::new(&work, 60.0, (1536, 1.0));
        assert_eq!(effort.share, 0.5);
        let told = effort.told();
        assert!(
            told.contains("2 candidates in 1 pass, 2378 rows (1189 a candidate)"),
            "{told}"
        );
        assert!(told.contains("3 pictures of 3072 patches"), "{told}");
        assert!(told.contains("30.00 TFLOP (vision 4.00 TFLOP"), "{told}");
        assert!(told.contains("30000.0 ms a candidate"), "{told}");
        assert!(
            told.contains("500.0 GFLOP/s, 50 % of the 1.00 TFLOP/s"),
            "{told}"
        );
        let none = Effort::new(&Work::default(), 0.1, (1536, 1.0));
        assert!(none.told().contains("nothing"));
    }
}
