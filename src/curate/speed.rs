//! What curation costs on 1,500,000 scored candidates. Not part of a plain test run; by
//! `cargo test --lib curate::speed -- --ignored --nocapture`, which fails where a budget is missed.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use super::*;
use crate::data::{Workspace, resident_mib};

const GROUPS: usize = 300_000;
const EACH: usize = 5;

#[test]
#[ignore = "takes minutes; gives the figures"]
#[expect(clippy::print_stderr, reason = "figures are what it is for")]
fn a_million_and_a_half_are_selected_from_within_the_budget() {
    let dir = tempfile::tempdir().unwrap();
    let workspace = Workspace::create(dir.path()).unwrap();
    workspace.fill_with_scored(GROUPS, EACH);
    let before = resident_mib();
    let recipe = Recipe {
        cut: Cut::Top(20_000),
        quotas: Quotas::Mix,
        sigmas: 0.5,
        duplicates: Some(Duplicates {
            distance: 10,
            same: Same::Image,
        }),
        ..Recipe::default()
    };
    let start = Instant::now();
    let pool = Pool::read(&workspace, "m", None, &mut |_| ControlFlow::Continue(())).unwrap();
    let read = start.elapsed();
    let choice = choose(&pool, &recipe, &mut &workspace).unwrap();
    let chosen = start.elapsed();
    let told = report(&pool, &choice, &recipe, "m", &[]);
    let reported = start.elapsed();
    save(&workspace, "best", (&pool, &choice), &recipe, "m", 0).unwrap();
    let all = start.elapsed();
    eprintln!(
        "{} of {} kept: read {read:.2?}, chosen after {chosen:.2?}, reported after {reported:.2?}, saved after {all:.2?}",
        told.kept, told.candidates
    );
    let start = Instant::now();
    let cuts = Cuts::of(&pool, &recipe).unwrap();
    let ranked = start.elapsed();
    let mut worst = Duration::ZERO;
    for n in (10_000..1_000_000).step_by(90_000) {
        let start = Instant::now();
        let cut = cuts.kept(n);
        let samples = [true, false].map(|side| cuts.sample(&cut, side, 32).len());
        assert_eq!((cut.count, samples), (n, [32, 32]));
        worst = worst.max(start.elapsed());
    }
    eprintln!("a ranking for the screen {ranked:.2?}, a move of its cut at most {worst:.2?}");
    eprintln!(
        "resident memory at its highest: {before} MiB before, {} MiB after",
        resident_mib()
    );
    assert_eq!(told.kept, 20_000);
    assert!(all < Duration::from_secs(15), "{all:?}");
    assert!(worst < Duration::from_millis(50), "{worst:?}");
    assert!(resident_mib() < 1024);
}
