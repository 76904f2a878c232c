//! The baselines over cases on disk: what is better and worse to them, what cannot be measured, and that chance stays itself.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;

use image::{Rgb, RgbImage};
use tempfile::TempDir;

use super::*;
use crate::bench::{Edit, Order, Truth, Vote};
use crate::domain::raster::Raster;

const MEASURES: [Measure; 5] = [
    Measure::Psnr,
    Measure::Ssim,
    Measure::DeltaE,
    Measure::Ssimulacra2,
    Measure::Butteraugli,
];

/// A picture with slopes, edges and fine texture in several colors.
fn picture() -> RgbImage {
    RgbImage::from_fn(72, 56, |x, y| {
        if (20..44).contains(&x) && (14..40).contains(&y) {
            Rgb([210, (60 + (x * y) % 31) as u8, 50])
        } else {
            let texture = (x * 5 + y * 3 + x * y) % 23;
            Rgb([
                (40 + 2 * x) as u8,
                (50 + 2 * y + texture) as u8,
                (180 - x) as u8,
            ])
        }
    })
}

/// The picture with every code value up to `most` away.
fn noisy(image: &RgbImage, most: i32) -> RgbImage {
    let mut state = 9_u32;
    let mut image = image.clone();
    for byte in image.iter_mut() {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let away = (state >> 16) as i32 % (2 * most + 1) - most;
        *byte = (i32::from(*byte) + away).clamp(0, 255) as u8;
    }
    image
}

struct Bench(TempDir);

impl Bench {
    fn new() -> Self {
        let bench = Self(tempfile::tempdir().unwrap());
        bench.add("source.png", &picture());
        bench
    }

    fn add(&self, name: &str, image: &RgbImage) {
        image.save(self.0.path().join(name)).unwrap();
    }

    fn answers(&self, scorer: &mut dyn Scorer, cases: &[Case], ask: Ask) -> Vec<Answer> {
        answers(scorer, cases, ask, self.0.path())
    }

    fn said(&self, baseline: Baseline, case: &Case) -> (Said, Vec<Unscored>) {
        let mut scorer = baseline.scorer(0);
        let mut answers = self.answers(&mut scorer, std::slice::from_ref(case), Ask::Scores);
        assert_eq!((answers.len(), &answers[0].case), (1, &case.id));
        let answer = answers.remove(0);
        (answer.said, answer.unscored)
    }
}

fn answers(scorer: &mut dyn Scorer, cases: &[Case], ask: Ask, root: &Path) -> Vec<Answer> {
    let mut heard = Vec::new();
    let cases: Vec<&Case> = cases.iter().collect();
    scorer
        .answer_all(&cases, ask, root, &mut |answer| {
            heard.push(answer);
            ControlFlow::Continue(())
        })
        .unwrap();
    heard
}

fn case(id: &str, source: &str, edits: &[&str]) -> Case {
    let edit = |name: &&str| Edit {
        editor: None,
        image: (!name.is_empty()).then(|| ImageRef((*name).to_owned())),
    };
    Case {
        id: id.to_owned(),
        instruction: "make it blue".to_owned(),
        source: (!source.is_empty()).then(|| ImageRef(source.to_owned())),
        edits: edits.iter().map(edit).collect(),
        category: None,
        truth: Truth::Order(Order::Tie),
        recorded: BTreeMap::new(),
        unseen: None,
        cluster: id.to_owned(),
    }
}

fn values(said: &Said) -> Vec<Option<f64>> {
    let Said::Scores(scores) = said else {
        panic!("not scores: {said:?}");
    };
    scores.iter().map(|s| s.map(|s| s.value)).collect()
}

fn reason(said: &Said) -> &str {
    let Said::Nothing { reason, unparsed } = said else {
        panic!("it said something: {said:?}");
    };
    assert!(!unparsed);
    reason
}

#[test]
fn nothing_changed_is_best_and_the_more_is_spoilt_the_worse() {
    let bench = Bench::new();
    bench.add("noise-1.png", &noisy(&picture(), 6));
    bench.add("noise-2.png", &noisy(&picture(), 45));
    bench.add("blur-1.png", &image::imageops::blur(&picture(), 0.6));
    bench.add("blur-2.png", &image::imageops::blur(&picture(), 3.0));
    for measure in MEASURES {
        for kind in ["noise", "blur"] {
            let [weak, strong] = [1, 2].map(|n| format!("{kind}-{n}.png"));
            let case = case("a", "source.png", &["source.png", &weak, &strong]);
            let (said, missing) = bench.said(Baseline::Closeness(measure), &case);
            let found: Vec<f64> = values(&said).into_iter().flatten().collect();
            assert_eq!((found.len(), missing.len()), (3, 0));
            assert!(
                found[0] > found[1] && found[1] > found[2],
                "{measure:?} of {kind}: {found:?}"
            );
        }
    }
}

#[test]
fn what_is_missing_or_broken_costs_its_own_edit_alone_and_is_said() {
    let bench = Bench::new();
    std::fs::write(bench.0.path().join("text.png"), "not an image").unwrap();
    let edits = ["source.png", "gone.png", "text.png", "", "../up.png"];
    let case = case("a", "source.png", &edits);
    for measure in MEASURES {
        let (said, missing) = bench.said(Baseline::Closeness(measure), &case);
        let scored: Vec<bool> = values(&said).iter().map(Option::is_some).collect();
        assert_eq!(scored, [true, false, false, false, false]);
        for (missing, (position, words)) in missing.iter().zip([
            (1, "'gone.png' is missing"),
            (2, "'text.png': this is not an image"),
            (3, "names no image"),
            (4, "leads out of the workspace"),
        ]) {
            assert_eq!(missing.position, position);
            assert!(missing.reason.contains(words), "{}", missing.reason);
        }
        assert_eq!(missing.len(), 4);
    }
}

#[test]
fn a_case_without_any_score_says_why() {
    let bench = Bench::new();
    bench.add("dot.png", &RgbImage::new(1, 1));
    let psnr = Baseline::Closeness(Measure::Psnr);
    let why = |baseline, source: &str, edits: &[&str]| {
        let (said, missing) = bench.said(baseline, &case("a", source, edits));
        assert_eq!(missing, []);
        reason(&said).to_owned()
    };
    let both = why(psnr, "source.png", &["gone.png", ""]);
    assert!(
        both.contains("edit 1: the image 'gone.png' is missing"),
        "{both}"
    );
    assert!(both.contains("edit 2: the data names no image"), "{both}");
    let gone = why(psnr, "gone.png", &["source.png"]);
    assert!(
        gone.contains("the source cannot be read: the image 'gone.png'"),
        "{gone}"
    );
    let none = why(psnr, "", &["source.png"]);
    assert!(none.contains("names no source image"), "{none}");
    for measure in [Measure::Ssim, Measure::Ssimulacra2, Measure::Butteraugli] {
        let small = why(Baseline::Closeness(measure), "dot.png", &["source.png"]);
        assert!(small.contains("1 × 1 pixels"), "{small}");
    }
    for baseline in Baseline::ALL {
        assert_eq!(why(baseline, "source.png", &[]), "the case has no edits");
    }
}

#[test]
fn one_pixel_can_be_measured_by_what_looks_at_pixels_alone() {
    let bench = Bench::new();
    bench.add("black.png", &RgbImage::new(1, 1));
    bench.add("white.png", &RgbImage::from_pixel(1, 1, Rgb([255; 3])));
    let case = case("a", "black.png", &["black.png", "white.png"]);
    let of = |measure| values(&bench.said(Baseline::Closeness(measure), &case).0);
    assert_eq!(of(Measure::Psnr), [Some(MOST_DECIBELS), Some(0.0)]);
    let differences = of(Measure::DeltaE);
    assert_eq!(differences[0], Some(0.0));
    assert!((differences[1].unwrap() + 100.0).abs() < 1e-9);
}

#[test]
fn sizes_may_differ_within_a_case() {
    let bench = Bench::new();
    bench.add("large.png", &images::resize(&picture(), 144, 112));
    bench.add("turned.png", &image::imageops::rotate90(&picture()));
    let case = case(
        "a",
        "source.png",
        &["source.png", "large.png", "turned.png"],
    );
    for measure in MEASURES {
        let (said, _) = bench.said(Baseline::Closeness(measure), &case);
        let found: Vec<f64> = values(&said).into_iter().flatten().collect();
        assert!(
            found[0] > found[1] && found[1] > found[2],
            "{measure:?}: {found:?}"
        );
    }
}

#[test]
fn the_constant_is_zero_whatever_is_asked_and_looks_at_nothing() {
    let case = case("a", "", &["gone.png", ""]);
    for ask in [Ask::Scores, Ask::Votes] {
        let mut scorer = Baseline::Constant.scorer(3);
        let heard = answers(&mut scorer, std::slice::from_ref(&case), ask, Path::new(""));
        assert_eq!(values(&heard[0].said), [Some(0.0), Some(0.0)]);
    }
}

#[test]
fn chance_is_the_same_in_any_order_and_any_company() {
    let cases: Vec<Case> = (0..100)
        .map(|n| case(&format!("case-{n}"), "", &["x.png", "y.png", "z.png"]))
        .collect();
    let reversed: Vec<Case> = cases.iter().rev().cloned().collect();
    for ask in [Ask::Scores, Ask::Votes] {
        let said = |cases: &[Case], seed| {
            let mut scorer = Baseline::Random.scorer(seed);
            let heard = answers(&mut scorer, cases, ask, Path::new(""));
            let by_case = heard.into_iter().map(|a| (a.case.clone(), a));
            by_case.collect::<BTreeMap<String, Answer>>()
        };
        let all = said(&cases, 5);
        assert_eq!(all.len(), 100);
        assert_eq!(all, said(&reversed, 5));
        let few = said(&cases[40..43], 5);
        assert!(few.iter().all(|(id, answer)| all[id] == *answer));
        assert_ne!(all, said(&cases, 6));
    }
}

#[test]
fn asked_for_votes_chance_votes_on_each_pair_and_measures_still_score() {
    let bench = Bench::new();
    let case = [case(
        "a",
        "source.png",
        &["source.png", "source.png", "source.png"],
    )];
    let heard = bench.answers(&mut Baseline::Random.scorer(0), &case, Ask::Votes);
    let Said::Votes(votes) = &heard[0].said else {
        panic!("not votes: {heard:?}");
    };
    assert_eq!(votes.len(), 3);
    assert!(votes.iter().all(|(a, b, vote)| a < b && *vote != Vote::Tie));
    let mut psnr = Baseline::Closeness(Measure::Psnr).scorer(0);
    let heard = bench.answers(&mut psnr, &case, Ask::Votes);
    assert_eq!(values(&heard[0].said), [Some(MOST_DECIBELS); 3]);
}

#[test]
fn each_case_is_heard_of_once_and_a_stop_is_heeded() {
    let cases: Vec<Case> = (0..500)
        .map(|n| case(&format!("case-{n}"), "", &["x.png"]))
        .collect();
    let mut scorer = Baseline::Constant.scorer(0);
    let mut heard: Vec<String> = answers(&mut scorer, &cases, Ask::Scores, Path::new(""))
        .into_iter()
        .map(|answer| answer.case)
        .collect();
    heard.sort();
    heard.dedup();
    assert_eq!(heard.len(), 500);

    let references: Vec<&Case> = cases.iter().collect();
    let mut count = 0;
    let stopped = scorer.answer_all(&references, Ask::Scores, Path::new(""), &mut |_| {
        count += 1;
        if count == 3 {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    });
    assert_eq!((stopped, count), (Ok(()), 3));
}

#[test]
fn large_images_are_measured_one_after_the_other_and_small_ones_side_by_side() {
    let bench = Bench::new();
    let header = |side: u32| {
        // A whole bitmap header, and no pixels: nobody decodes it here.
        let mut bytes = b"BM".to_vec();
        for value in [0, 0, 54, 40, side, side, 1 | 24 << 16, 0, 0, 0, 0, 0, 0] {
            bytes.extend(u32::to_le_bytes(value));
        }
        bytes
    };
    for side in [512, 2048, 4096] {
        let path = bench.0.path().join(format!("{side}.bmp"));
        std::fs::write(path, header(side)).unwrap();
    }
    let together = |measure, source: &str| {
        let case = case("a", source, &["x.png"]);
        Baseline::Closeness(measure).together(&[&case; 4], bench.0.path())
    };
    for measure in MEASURES {
        assert_eq!(together(measure, "512.bmp"), 4);
        assert_eq!(together(measure, "gone.bmp"), 4);
    }
    assert_eq!(together(Measure::Butteraugli, "2048.bmp"), 2);
    assert_eq!(together(Measure::Butteraugli, "4096.bmp"), 2);
    assert_eq!(together(Measure::Ssimulacra2, "4096.bmp"), 1);
    assert_eq!(together(Measure::Psnr, "4096.bmp"), 4);
}

#[test]
fn names_are_found_again_and_others_are_told_what_there_is() {
    for baseline in Baseline::ALL {
        assert_eq!(Baseline::parse(baseline.name()), Ok(baseline));
        let description = baseline.description();
        assert!(!description.is_empty() && !description.contains('\n'));
    }
    let error = Baseline::parse("PSNR").unwrap_err().to_string();
    assert_eq!(
        error,
        "there is no baseline 'PSNR'; there are random, constant, psnr, ssim, delta-e, ssimulacra2, butteraugli"
    );
}

#[test]
fn fingerprints_tell_scorers_apart_that_answer_differently() {
    let of = |baseline: Baseline, seed| baseline.scorer(seed).info();
    let all: std::collections::BTreeSet<String> = Baseline::ALL
        .into_iter()
        .map(|baseline| of(baseline, 0).fingerprint)
        .collect();
    assert_eq!(all.len(), Baseline::ALL.len());
    assert_ne!(of(Baseline::Random, 1), of(Baseline::Random, 2));
    assert_eq!(of(Baseline::Constant, 1), of(Baseline::Constant, 2));
    let info = of(Baseline::Closeness(Measure::DeltaE), 0);
    assert_eq!(
        (info.name.as_str(), info.kind.as_str()),
        ("delta-e", "baseline")
    );
    assert!(info.fingerprint.contains(&VERSION.to_string()));
}

/// Measures the mean red, against the source's or against the number of letters of the instruction.
struct Red {
    looks_at_source: bool,
}

impl Network for Red {
    type Reference = f64;

    fn info(&self) -> ScorerInfo {
        ScorerInfo {
            name: "red".into(),
            kind: "baseline".into(),
            fingerprint: "red 1".into(),
        }
    }

    fn looks_at_source(&self) -> bool {
        self.looks_at_source
    }

    fn reference(&self, instruction: &str, source: Option<Raster<'_>>) -> Result<f64, String> {
        assert_eq!(source.is_some(), self.looks_at_source);
        Ok(source.map_or(instruction.len() as f64, red))
    }

    fn score(&self, reference: &f64, edit: Raster<'_>) -> Result<f64, String> {
        if self.looks_at_source {
            assert_eq!((edit.width(), edit.height()), (72, 56));
        }
        Ok(0.0 - (red(edit) - reference).abs())
    }
}

fn red(image: Raster<'_>) -> f64 {
    let sum: f64 = image.pixels().iter().map(|p| f64::from(p[0])).sum();
    sum / image.pixels().len() as f64
}

#[test]
fn a_network_sees_the_source_once_and_edits_in_its_size() {
    let bench = Bench::new();
    bench.add("large.png", &images::resize(&picture(), 144, 112));
    let cases = [
        case("a", "source.png", &["source.png", "large.png", "gone.png"]),
        case("b", "", &["source.png"]),
        case("c", "source.png", &[]),
    ];
    let mut scorer = NetworkScorer::new(Red {
        looks_at_source: true,
    });
    assert_eq!(scorer.info().name, "red");
    let heard = bench.answers(&mut scorer, &cases, Ask::Scores);
    let found = values(&heard[0].said);
    assert_eq!(found[0], Some(0.0));
    assert!(found[1].unwrap() < 0.0 && found[1].unwrap() > -1.0);
    assert_eq!((found[2], heard[0].unscored[0].position), (None, 2));
    assert!(heard[0].unscored[0].reason.contains("gone.png"));
    assert!(reason(&heard[1].said).contains("names no source image"));
    assert_eq!(reason(&heard[2].said), "the case has no edits");
}

#[test]
fn a_network_that_reads_the_instruction_needs_no_source_and_takes_edits_as_they_are() {
    let bench = Bench::new();
    bench.add("dot.png", &RgbImage::from_pixel(1, 1, Rgb([12, 0, 0])));
    let cases = [case("a", "gone.png", &["dot.png"])];
    let mut scorer = NetworkScorer::new(Red {
        looks_at_source: false,
    });
    let heard = bench.answers(&mut scorer, &cases, Ask::Votes);
    assert_eq!(values(&heard[0].said), [Some(0.0)]);
}
