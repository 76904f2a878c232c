//! Made-up runs of all kinds and states for tests of the jobs screen.

use crate::jobs::resources::{Gpu, Usage};
use crate::runs::{Fingerprint, Manifest, Progress, State};

use super::screens::jobs::{JobNews, Page, Taken};
use super::screens::train::{Entry, Times};

/// A run made so many minutes after midnight.
fn entry(minute: u32, verb: &str, words: &[&str], title: &str, state: State) -> Entry {
    let arguments = words.iter().map(|word| (*word).to_owned()).collect();
    let mut manifest = Manifest::new(verb, arguments, title);
    manifest.host = "atelier".into();
    manifest.created = 1_795_824_000.0 + 60.0 * f64::from(minute);
    manifest.launcher = "local".into();
    manifest.device = Some("cpu".into());
    let (hour, rest) = (minute / 60, minute % 60);
    let slug = title.replace(' ', "-");
    Entry {
        name: format!(
            "20261128-{hour:02}{rest:02}00-{}-{slug}",
            verb.replace(' ', "-")
        ),
        manifest,
        state,
        progress: None,
        phase: None,
        reason: None,
        times: Times::default(),
        job: None,
        process: None,
    }
}

fn progress(done: u64, total: u64, unit: &str, rate: Option<f64>) -> Progress {
    Progress {
        done,
        total: Some(total),
        unit: unit.into(),
        rate,
        seconds_left: rate.map(|rate| (total - done) as f64 / rate),
    }
}

fn took(seconds: f64) -> Times {
    Times {
        started: Some(1000.0),
        latest: Some(1000.0 + seconds),
        ..Times::default()
    }
}

/// Runs as a folder lists them, newest first.
pub(crate) fn entries() -> Vec<Entry> {
    let mut score = entry(
        529,
        "score",
        &[
            "--where",
            "editor = 'omni'",
            "--workspace",
            "/home/ann/edits",
        ],
        "edits",
        State::Running,
    );
    score.progress = Some(progress(12_600, 20_000, "candidates", Some(31.5)));
    score.times = took(400.0);
    score.process = Some((4711, "atelier".into()));
    score.manifest.model = Some(Fingerprint {
        name: "demo".into(),
        fingerprint: "f00d".into(),
    });
    let waits = entry(531, "failures measure", &[], "edits", State::Queued);
    let urgent = {
        let mut bench = entry(532, "bench run", &["gedit"], "gedit demo", State::Queued);
        bench.manifest.priority = 5;
        bench
    };
    let mut array = entry(
        480,
        "score",
        &["--shards", "8"],
        "all edits",
        State::Running,
    );
    array.manifest.launcher = "slurm".into();
    array.manifest.device = Some("slurm".into());
    array.manifest.shards = Some(8);
    array.job = Some("1234".into());
    array.phase = Some("5 of 8 shards at work".into());
    let mut failed = entry(420, "train", &["plans/heads.toml"], "heads", State::Failed);
    failed.manifest.device = Some("cuda:0".into());
    failed.reason = Some("the loss is no number at step 300: its groups are noted".into());
    failed.progress = Some(progress(300, 3000, "steps", None));
    failed.times = took(190.0);
    let mut stopped = entry(
        410,
        "jobs run",
        &["--", "python", "train.py"],
        "fine-tune",
        State::Stopped,
    );
    stopped.reason = Some("asked to stop".into());
    stopped.times = took(3700.0);
    let mut done = entry(60, "score", &[], "edits", State::Done);
    done.reason = Some("19,998 of 20,000 candidates have scores".into());
    done.times = took(610.0);
    done.progress = Some(progress(20_000, 20_000, "candidates", None));
    vec![urgent, waits, score, array, failed, stopped, done]
}

/// What the running ones take.
pub(crate) fn taken(at: u64) -> JobNews {
    let usage = Usage {
        processors: Some(1.2 + 0.7 * (at as f64 * 0.9).sin()),
        memory: 1_300_000_000 + at * 10_000_000,
    };
    let gpu = Gpu {
        index: 0,
        name: "H200".into(),
        busy: Some(0.5 + 0.4 * (at as f64 * 0.5).cos()),
        used: 20 << 30,
        memory: 141 << 30,
        processes: Vec::new(),
    };
    let own = vec![12 << 30];
    JobNews::Taken(
        vec![(entries()[2].name.clone(), Taken { usage, own })],
        vec![gpu],
    )
}

/// The end of a run's log of so many lines, as it is read for a pane of some rows.
pub(crate) fn log(run: &str, all: usize, window: std::ops::Range<usize>) -> Page {
    Page {
        run: run.to_owned(),
        first: Some(window.start),
        lines: window.map(line).collect(),
        all,
        whole: true,
        ..Page::default()
    }
}

/// A line of the log.
pub(crate) fn line(i: usize) -> String {
    match i % 5 {
        0 => format!("{i:>5}  group bison-{i}: \u{1b}[32mscored\u{1b}[0m 4 candidates"),
        3 => format!(
            "{i:>5}  Warning: 'images/edits/omni/{i}.png' is larger than the pixel budget of the model and was made smaller before it was read"
        ),
        _ => format!("{i:>5}  {} of 20000 candidates", i * 7),
    }
}
