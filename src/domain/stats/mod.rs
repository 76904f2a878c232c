//! Statistics over scores and labels: how far two orders agree, how far people agree, how often a scorer is right, and how sure
//! it is when it is.
//!
//! What cannot be said is never a number: a [`Statistic`] is a finite number or the reason why there is none.

mod accuracy;
mod agreement;
mod calibration;
mod correlation;
mod isotonic;
mod multiplicity;
mod pair_table;
mod paired;
mod partial;
mod percentile;
mod proportion;
mod undefined;

pub use accuracy::{
    Calibrated, Judged, Share, all_ties_floor, at_threshold, calibrated, calibrated_as_published,
    strict, tuple_right,
};
pub use agreement::{Level, cohen_quadratic_kappa, fleiss_kappa, krippendorff_alpha};
pub use calibration::{Bin, calibration_error, coverage, reliability};
pub use correlation::{average_ranks, kendall_tau_b, pearson, spearman};
pub use isotonic::{Isotonic, Line, explained};
pub use multiplicity::{benjamini_hochberg, holm, student_95, student_two_sided};
pub use pair_table::PairTable;
pub use paired::mcnemar;
pub use partial::{Levels, held_degrees, hold, partial_correlation, partial_rank_correlation};
pub use percentile::{bootstrap_ratio, central_95, percentile_of};
pub use proportion::wilson;
pub use undefined::{Side, Statistic, Undefined};

/// Numbers in 0..1 for tests that try many cases, the same for the same seed (Knuth's MMIX generator).
#[cfg(test)]
pub(crate) fn draws(seed: u64) -> impl FnMut() -> f64 {
    let mut state = seed;
    let mut next = move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1_u64 << 53) as f64
    };
    // The first numbers of neighbouring seeds are alike.
    for _ in 0..4 {
        next();
    }
    next
}
