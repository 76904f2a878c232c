//! What the figures of a benchmark cost on a million pairs, as many as the largest preference data sets hold: run with
//! `cargo bench --bench metrics`.

use divan::{Bencher, black_box};
use erw::bench::bootstrap::intervals;
use erw::domain::stats::{Judged, Level, PairTable, kendall_tau_b, krippendorff_alpha};

const GROUPS: u32 = 100_000;
const PAIRS_A_GROUP: u32 = 10;
const RESAMPLES: usize = 1000;

fn main() {
    divan::main();
}

/// Numbers in 0..1, always the same.
fn draws() -> impl FnMut() -> f64 {
    let mut state = 1_u64;
    move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// A million pairs, ten a group. About a quarter are human ties; many differences are equal.
fn million() -> (Vec<Judged>, Vec<u32>) {
    let mut draw = draws();
    (0..GROUPS * PAIRS_A_GROUP)
        .map(|i| {
            let human = [-1, -1, 0, 1, 1, 0, -1, 1][(draw() * 8.0) as usize];
            let noise = draw() + draw() + draw() - 1.5;
            let difference = ((f64::from(human) * 0.4 + noise) * 1e4).round() / 1e4;
            (Judged { human, difference }, i / PAIRS_A_GROUP)
        })
        .unzip()
}

/// Strict and tie-calibrated accuracy with the intervals of both, from the pairs as they come.
#[divan::bench(sample_count = 3, sample_size = 1)]
fn accuracies_with_intervals(bencher: Bencher<'_, '_>) {
    let (pairs, groups) = million();
    bencher.bench(|| {
        PairTable::new(&pairs, &groups).map(|table| {
            intervals(table.groups(), RESAMPLES, 7, |weights| {
                let strict = table.strict(weights).value().ok();
                let calibrated = table.calibrated(weights).share().value().ok();
                vec![strict, calibrated]
            })
        })
    });
}

/// Laying the pairs out, which is most of an accuracy without an interval.
#[divan::bench(sample_count = 5, sample_size = 1)]
fn laying_out(bencher: Bencher<'_, '_>) {
    let (pairs, groups) = million();
    bencher.bench(|| PairTable::new(black_box(&pairs), black_box(&groups)));
}

/// Kendall's tau-b between a million scores and a million ratings.
#[divan::bench(sample_count = 5, sample_size = 1)]
fn kendall(bencher: Bencher<'_, '_>) {
    let mut draw = draws();
    let scores: Vec<f64> = (0..1_000_000).map(|_| draw()).collect();
    let ratings: Vec<f64> = scores
        .iter()
        .map(|s| ((s + draw()) * 4.0).floor())
        .collect();
    bencher.bench(|| kendall_tau_b(black_box(&scores), black_box(&ratings)));
}

/// Krippendorff's ordinal alpha of three raters on a third of a million edits.
#[divan::bench(sample_count = 5, sample_size = 1)]
fn alpha(bencher: Bencher<'_, '_>) {
    let mut draw = draws();
    let units: Vec<Vec<f64>> = (0..333_333)
        .map(|_| {
            let quality = draw() * 3.0;
            (0..3).map(|_| (quality + draw()).floor()).collect()
        })
        .collect();
    bencher.bench(|| krippendorff_alpha(black_box(&units), Level::Ordinal));
}
