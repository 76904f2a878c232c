//! Made-up finished benchmarks, for the tests of this layer: what their folders would hold, without folders.

use crate::bench::answer::Usage;
use crate::bench::leaderboard::Measured;
use crate::bench::protocol::{FigureAbout, Table, Unanswered, Unit, Verdict};
use crate::bench::report::{DataInfo, Figure, Report, Resampling, UnscoredEdits};
use crate::bench::run::Shown;
use crate::bench::scorer::ScorerInfo;
use crate::bench::{Answer, Said, Score, Vote, protocols};
use crate::domain::ImageRef;
use crate::domain::stats::Bin;
use crate::runs::{Manifest, State};

use super::sample;
use super::screens::bench::{BenchNews, Found, Mistakes, Wanted};
use super::screens::train::{Entry, Times};

/// Runs 1 to 5, newest first, all done.
pub(crate) fn entries() -> Vec<Entry> {
    (1..=5)
        .rev()
        .map(|n| {
            let mut manifest = Manifest::new("bench run", Vec::new(), &format!("benchmark {n}"));
            manifest.host = "atelier".into();
            manifest.created = f64::from(n) * 1000.0;
            Entry {
                name: format!("bench-{n}"),
                manifest,
                state: State::Done,
                progress: None,
                phase: None,
                reason: None,
                times: Times::default(),
                job: None,
                process: None,
            }
        })
        .collect()
}

/// All reports, newest first.
pub(crate) fn measured() -> Vec<Measured> {
    let runs = entries().into_iter().map(|entry| entry.name);
    runs.map(|run| Measured {
        report: report(&run).unwrap(),
        run,
    })
    .collect()
}

/// The report of a run.
pub(crate) fn report(run: &str) -> Option<Report> {
    Some(match run {
        "bench-5" => agreement(),
        "bench-4" => workspace(),
        "bench-3" => votes("demo", "model", 0.639, 919),
        "bench-2" => votes("constant", "baseline", 0.4527, 100),
        "bench-1" => undefined(),
        _ => return None,
    })
}

fn figure(key: &str, name: &str, of: usize, value: f64, half: f64) -> Figure {
    Figure {
        about: FigureAbout::new(key, name, of),
        value: Some(value),
        undefined: None,
        interval: (half > 0.0).then_some([value - half, value + half]),
        undefined_resamples: 0,
    }
}

fn scorer(name: &str, kind: &str) -> ScorerInfo {
    ScorerInfo {
        name: name.into(),
        kind: kind.into(),
        fingerprint: "f00d".into(),
    }
}

fn blank(key: &str, path: &str) -> Report {
    let about = protocols::find(key).unwrap().about();
    Report {
        benchmark: about.key.into(),
        name: about.name.into(),
        publisher: about.publisher.into(),
        protocol: about.protocol.into(),
        unit: about.unit,
        scorer: None,
        data: DataInfo {
            path: path.into(),
            fingerprint: format!("data of {key}"),
            cases: 120,
            ..DataInfo::default()
        },
        unanswered: Unanswered::default(),
        unscored: UnscoredEdits::default(),
        figures: Vec::new(),
        tables: Vec::new(),
        reliability: Vec::new(),
        calibration_error: None,
        coverage: Vec::new(),
        usage: None,
        cost: None,
        resampling: Resampling::default(),
        clusters: 120,
    }
}

fn agreement() -> Report {
    let mut report = blank("agreement", "/data/raters");
    report.unit = Unit::Plain;
    report.figures = vec![
        figure("kappa.sc", "SC, Fleiss' kappa", 179, 0.412, 0.05),
        figure("alpha.sc", "SC, Krippendorff's alpha", 179, 0.487, 0.04),
    ];
    report
}

fn workspace() -> Report {
    let mut report = blank("workspace", "/home/ann/edits");
    report.scorer = Some(scorer("demo", "model"));
    report.data.images = true;
    report.figures = vec![
        figure("overall", "overall", 840, 0.712, 0.031),
        figure("if", "instruction following", 811, 0.688, 0.034),
        figure("vq", "visual quality", 797, 0.731, 0.029),
        figure("k3", "K=3, whole order", 402, 0.381, 0.047),
    ];
    for figure in &mut report.figures {
        figure.about.floor = Some((0.5, "coin flips".into()));
    }
    report.figures[3].undefined_resamples = 3;
    report.tables = vec![
        Table {
            title: "by kind of edit".into(),
            columns: ["kind of edit", "overall", "IF", "VQ", "pairs"]
                .map(Into::into)
                .into(),
            rows: ["colour", "remove", "add", "style", "text", "background"]
                .iter()
                .enumerate()
                .map(|(i, kind)| {
                    let share = |by: f64| Some(0.8 - 0.03 * i as f64 - by);
                    let cells = vec![share(0.0), share(0.02), share(-0.01), Some(140.0)];
                    ((*kind).to_owned(), cells)
                })
                .collect(),
        },
        Table {
            title: "by editor: pairs with its edits".into(),
            columns: ["editor", "overall", "pairs"].map(Into::into).into(),
            rows: vec![
                ("flux-kontext".into(), vec![Some(0.73), Some(410.0)]),
                ("omnigen".into(), vec![None, Some(0.0)]),
            ],
        },
    ];
    report.calibration_error = Some(0.034);
    report.reliability = (0..8)
        .map(|i| Bin {
            confidence: 0.53 + 0.06 * f64::from(i),
            right: 0.5 + 0.055 * f64::from(i) + 0.02 * f64::from(i % 3),
            count: 105,
        })
        .collect();
    report.coverage = (1..=50)
        .map(|i| {
            (
                f64::from(i) / 50.0,
                0.712 + 0.2 * (1.0 - f64::from(i) / 50.0).powi(2),
            )
        })
        .collect();
    report
}

fn votes(name: &str, kind: &str, value: f64, of: usize) -> Report {
    let mut report = blank("genai-edit", "/data/GenAI-Bench/pairwise.json");
    report.scorer = Some(scorer(name, kind));
    report.data.cases = of;
    let half = if of > 500 { 0.0265 } else { 0.0981 };
    let mut calibrated = figure("calibrated", "3 classes, calibrated ties", of, value, half);
    calibrated.about.floor = Some((0.4527, "all ties".into()));
    calibrated.about.note = Some("differences up to 0.0412 are ties".into());
    let mut strict = figure(
        "strict",
        "strict, ties left out",
        of * 3 / 5,
        value + 0.06,
        half,
    );
    strict.about.floor = Some((0.5, "coin flips".into()));
    report.figures = vec![calibrated, strict];
    report.tables = vec![Table {
        title: "by editor: pairs with its edits".into(),
        columns: ["editor", "strict", "pairs"].map(Into::into).into(),
        rows: vec![
            ("InstructPix2Pix".into(), vec![Some(0.625), Some(96.0)]),
            ("MagicBrush".into(), vec![Some(0.703), Some(118.0)]),
        ],
    }];
    report.coverage = (1..=40)
        .map(|i| {
            (
                f64::from(i) / 40.0,
                value + 0.25 * (1.0 - f64::from(i) / 40.0),
            )
        })
        .collect();
    report.unanswered = Unanswered {
        missing: 0,
        unparsed: 2,
        first: Some("no [[A>B]] in the answer".into()),
    };
    report.usage = Some(Usage {
        requests: 921,
        tokens_in: 1_204_311,
        tokens_out: 9_120,
    });
    report
}

fn undefined() -> Report {
    let mut report = blank("aurora-pointwise", "/data/aurora");
    report.scorer = Some(scorer("constant", "baseline"));
    report.figures = vec![Figure {
        about: FigureAbout::new("mean", "mean of the editors' correlations", 5),
        value: None,
        undefined: Some("one side is constant".into()),
        interval: None,
        undefined_resamples: 0,
    }];
    report
}

/// Judgements of votes, right and wrong, their cases and the scorer's answers. One answer could not be understood.
pub(crate) fn judged() -> (Vec<Verdict>, Vec<Shown>, Vec<Answer>) {
    let asked = [
        "Make the sky orange",
        "Remove the cyclist",
        "Put a red hat on the dog",
        "Turn it into a pencil drawing",
    ];
    let mut all = (Vec::new(), Vec::new(), Vec::new());
    for n in 0..16_usize {
        let case = format!("vote-{n}");
        let by = (n as f64 * 1.7).sin();
        let right = n % 3 == 0;
        let words = |first: bool| if first { "A ≻ B" } else { "B ≻ A" };
        let unparsed = n == 5;
        all.0.push(Verdict {
            case: case.clone(),
            edits: vec![0, 1],
            truth: words((by > 0.0) == right).into(),
            said: if unparsed {
                "not understood".into()
            } else {
                format!("{} by {:.4}", words(by > 0.0), by.abs())
            },
            votes: None,
            right: f64::from(u8::from(right && !unparsed)),
            weight: if unparsed { f64::NAN } else { by.abs() },
            category: None,
            figures: Vec::new(),
        });
        all.1.push(Shown {
            case: case.clone(),
            instruction: asked[n % asked.len()].into(),
            source: None,
            edits: vec![
                (Some("InstructPix2Pix".into()), None),
                (Some("MagicBrush".into()), None),
            ],
            category: None,
        });
        let said = if unparsed {
            Said::Nothing {
                reason: "no [[A>B]] in the answer".into(),
                unparsed: true,
            }
        } else {
            Said::Scores(vec![
                Some(Score {
                    value: by,
                    sigma: Some(0.31),
                    axes: Some([by + 0.1, by - 0.1]),
                }),
                Some(Score::plain(0.0)),
            ])
        };
        all.2.push(Answer::new(case, said));
    }
    all
}

/// Judgements of the groups of the workspace, whose pictures are where the groups say.
fn judged_groups() -> (Vec<Verdict>, Vec<Shown>, Vec<Answer>) {
    let mut all = (Vec::new(), Vec::new(), Vec::new());
    for n in [3_i64, 7, 9] {
        let group = sample::group(n, 5);
        for (figure, axis) in [("overall", "overall"), ("if", "IF")] {
            all.0.push(Verdict {
                case: group.key.clone(),
                edits: vec![1, 3],
                truth: format!("{axis}: B ≻ D"),
                said: format!("D ≻ B by {:.3}", 0.1 * n as f64),
                votes: Some([Vote::First, Vote::Second]),
                right: 0.0,
                weight: 0.5 + 0.05 * n as f64,
                category: group.category.clone(),
                figures: vec![figure.into()],
            });
        }
        all.1.push(Shown {
            case: group.key.clone(),
            instruction: group.instruction.clone(),
            source: Some(group.source.clone()),
            edits: group
                .candidates
                .iter()
                .map(|c| (c.editor.clone(), Some(c.image.clone())))
                .collect(),
            category: group.category.clone(),
        });
    }
    all
}

/// What is read of the folders.
pub(crate) fn read(wanted: &Wanted) -> Vec<BenchNews> {
    match wanted {
        Wanted::Reports(runs) => runs
            .iter()
            .map(|run| {
                let report = report(run).map(Box::new);
                let report = report.ok_or_else(|| format!("cannot read '{run}/report.json'"));
                BenchNews::Report(run.clone(), report)
            })
            .collect(),
        Wanted::Mistakes { run, figure } => {
            let (verdicts, cases, answers) = match run.as_str() {
                "bench-4" => judged_groups(),
                _ => judged(),
            };
            vec![BenchNews::Mistakes {
                run: run.clone(),
                figure: figure.clone(),
                read: Ok(Mistakes::of(verdicts, cases, answers, figure)),
            }]
        }
        Wanted::Images {
            case,
            roots,
            images,
        } => {
            let path = |image: &ImageRef| {
                let path = roots.first()?.join(&image.0);
                path.is_file().then_some(path)
            };
            vec![BenchNews::Images(Found {
                case: case.clone(),
                images: images.iter().map(|i| path(i.as_ref()?)).collect(),
            })]
        }
    }
}
