//! What came of a run, as `report.json` has it.

use serde::{Deserialize, Serialize};

use super::answers::{Answer, Sample};

/// How many failures are told in full; all are in `answers.jsonl`.
const TOLD: usize = 100;

/// What came of making candidates.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The folder of the images.
    pub out: String,
    /// Chosen groups.
    pub groups: usize,
    /// Of these, how many have no source image.
    pub without_source: usize,
    /// Candidates that were made.
    pub made: usize,
    /// Candidates whose image was there from an earlier run.
    pub earlier: usize,
    /// Candidates that could not be made.
    pub failed: usize,
    /// What was kept, where not all was.
    pub sample: Option<Sampled>,
    /// Editor by editor.
    pub editors: Vec<EditorReport>,
    /// The first failures.
    pub failures: Vec<Answer>,
}

/// What was kept of each group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sampled {
    /// So many of each were to be.
    pub of_each: usize,
    /// What they were drawn by.
    pub seed: u64,
    /// Groups that were sampled.
    pub groups: usize,
    /// Of these, how many have fewer.
    pub short: usize,
    /// Candidates that went into the workspace.
    pub taken: usize,
    /// Images that stayed files.
    pub left: usize,
}

/// What came of one editor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EditorReport {
    /// Its name.
    pub editor: String,
    /// The command or the model.
    pub by: String,
    /// Candidates that it made.
    pub made: usize,
    /// Candidates of its whose image was there from an earlier run.
    pub earlier: usize,
    /// Candidates that it could not make.
    pub failed: usize,
    /// Why nothing more was asked of it, where that is so.
    pub given_up: Option<String>,
    /// How long a candidate took it on average, waits counted, in seconds.
    pub seconds: Option<f64>,
}

impl Report {
    /// Adds up what became of each candidate.
    pub(super) fn add_up(&mut self, answers: Vec<Answer>) {
        for editor in &mut self.editors {
            let mut ms = 0;
            for answer in answers.iter().filter(|a| a.editor == editor.editor) {
                match (&answer.image, answer.earlier) {
                    (Some(_), false) => {
                        editor.made += 1;
                        ms += answer.ms;
                    }
                    (Some(_), true) => editor.earlier += 1,
                    (None, _) => editor.failed += 1,
                }
            }
            editor.seconds = (editor.made > 0).then(|| ms as f64 / 1000.0 / editor.made as f64);
            self.made += editor.made;
            self.earlier += editor.earlier;
            self.failed += editor.failed;
        }
        let failures = answers.into_iter().filter(|a| a.failed.is_some());
        self.failures = failures.take(TOLD).collect();
    }
}

impl Sampled {
    /// Adds up what was kept of each group.
    pub(super) fn new(of_each: usize, seed: u64, samples: &[Sample]) -> Self {
        let kept = |sample: &Sample| sample.present + sample.taken.len();
        Self {
            of_each,
            seed,
            groups: samples.len(),
            short: samples
                .iter()
                .filter(|sample| kept(sample) < of_each)
                .count(),
            taken: samples.iter().map(|sample| sample.taken.len()).sum(),
            left: samples.iter().map(|sample| sample.left.len()).sum(),
        }
    }
}
