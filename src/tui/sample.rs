//! Made-up groups and a library of them, for the tests of this layer.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use crate::domain::{
    Aggregate, Axis, Candidate, CandidateId, Gaussian, Group, GroupId, GroupSummary, ImageRef,
    Label, Reward, agreement,
};

use super::library::{Library, Scoring};
use super::screens::train::Entry;
use crate::runs::{Manifest, Progress, State};

const ASKED: [(&str, &str); 6] = [
    (
        "Make the sky behind the tower a clear evening orange",
        "colour",
    ),
    ("Remove the cyclist from the road", "remove"),
    ("Add a red hat to the dog", "add"),
    ("Turn the photo into a pencil drawing", "style"),
    ("Replace the lettering on the sign with “OPEN”", "text"),
    ("Blur the background, keep the face sharp", "background"),
];
const EDITORS: [&str; 4] = ["flux-kontext", "qwen-edit", "step1x", "omnigen"];

/// Group `n` (from 1) with so many candidates, each labelled by three simulated annotators.
pub(crate) fn group(n: i64, candidates: usize) -> Group {
    let (instruction, category) = ASKED[(n.unsigned_abs() as usize - 1) % ASKED.len()];
    Group {
        id: GroupId(n),
        key: format!("group-{n}"),
        source: ImageRef(format!("{n}/source.png")),
        instruction: instruction.into(),
        category: Some(category.into()),
        candidates: (0..candidates).map(|i| candidate(n, i)).collect(),
    }
}

fn candidate(group: i64, index: usize) -> Candidate {
    let label = |annotator: &str, axis, score: f64| Label {
        annotator: annotator.into(),
        axis,
        score: score.clamp(1.0, 4.0),
        simulated: true,
    };
    let good = 4.0 - index as f64 * 0.7;
    let mut labels = Vec::new();
    for (annotator, bias) in [("ann", 0.0), ("bo", -1.0), ("cem", 0.0)] {
        labels.push(label(
            annotator,
            Axis::InstructionFollowing,
            (good + bias).round(),
        ));
        labels.push(label(annotator, Axis::VisualQuality, (good * 0.9).round()));
    }
    Candidate {
        id: CandidateId(group * 100 + index as i64),
        key: char::from(b'a' + u8::try_from(index).unwrap_or(25)).to_string(),
        image: ImageRef(format!("{group}/{index}.png")),
        editor: Some(EDITORS[index % EDITORS.len()].into()),
        seed: Some(7 + index as u64),
        fault: (index == 2).then(|| "over-saturated".into()),
        labels,
    }
}

/// A reward for every candidate of a group, falling with its number.
pub(crate) fn rewards(group: &Group) -> HashMap<CandidateId, Reward> {
    group
        .candidates
        .iter()
        .enumerate()
        .map(|(i, c)| (c.id, reward(i)))
        .collect()
}

/// The reward of the candidate at `index`.
pub(crate) fn reward(index: usize) -> Reward {
    let at = index as f64;
    Reward::of_axes(
        Gaussian::new(0.9 - 0.55 * at, (0.35 + 0.1 * at).ln()),
        Gaussian::new(0.2 - 0.3 * (at - 1.0).abs(), (0.6 - 0.05 * at).ln()),
        Aggregate::Mean,
    )
}

/// The rows of groups 1 to `count`, five candidates each, unscored.
pub(crate) fn summaries(count: usize) -> Vec<GroupSummary> {
    (1..=count)
        .map(|n| summary(&group(i64::try_from(n).unwrap_or(1), 5)))
        .collect()
}

fn summary(group: &Group) -> GroupSummary {
    GroupSummary {
        id: group.id,
        key: group.key.clone(),
        instruction: group.instruction.clone(),
        category: group.category.clone(),
        candidates: group.candidates.len(),
        agreement: agreement(&group.candidates),
        scores: vec![None; group.candidates.len()],
    }
}

/// A library in memory; pictures are found (or not) under `root`.
pub(crate) struct Sample {
    /// Its groups.
    pub(crate) groups: Vec<Group>,
    /// Where pictures are.
    pub(crate) root: PathBuf,
}

impl Library for Sample {
    fn root(&self) -> &Path {
        &self.root
    }
    fn group_count(&self) -> Result<usize, String> {
        Ok(self.groups.len())
    }
    fn summaries(
        &self,
        after: Option<GroupId>,
        limit: usize,
        _fingerprint: Option<&str>,
    ) -> Result<Vec<GroupSummary>, String> {
        Ok(self
            .groups
            .iter()
            .filter(|g| after.is_none_or(|after| g.id > after))
            .take(limit)
            .map(summary)
            .collect())
    }
    fn group(&self, id: GroupId) -> Result<Option<Group>, String> {
        Ok(self.groups.iter().find(|g| g.id == id).cloned())
    }
    fn places(&self, keys: &[String]) -> Result<Vec<Option<GroupId>>, String> {
        let find = |key: &String| self.groups.iter().find(|g| g.key == *key).map(|g| g.id);
        Ok(keys.iter().map(find).collect())
    }
    fn scores(
        &self,
        _id: GroupId,
        _fingerprint: &str,
    ) -> Result<Vec<(CandidateId, Reward)>, String> {
        Ok(Vec::new())
    }
    fn score_scale(&self, _fingerprint: &str) -> Result<Vec<f64>, String> {
        Ok((0..100).map(|i| f64::from(i) / 25.0 - 2.0).collect())
    }
    fn image_size(&self, _image: &ImageRef) -> Option<(u32, u32)> {
        Some((4, 3))
    }
}

/// Runs 1 to `count`, newest first: the newest is half done, the others ended.
pub(crate) fn runs(count: usize) -> Vec<Entry> {
    let words = ["one", "two", "three", "four", "five"];
    (1..=count)
        .rev()
        .map(|n| {
            let title = words.get(n - 1).map_or(n.to_string(), |w| (*w).to_owned());
            let mut manifest =
                Manifest::new("train", vec!["plan.toml".into()], &format!("run {title}"));
            manifest.host = "atelier".into();
            manifest.created = n as f64 * 1000.0;
            manifest.seed = Some(n as u64);
            manifest.plan = Some(
                "# What a plan says\n[model]\nfrom = \"demo\"\n[loss]\nkind = \"uncertainty\"\n"
                    .into(),
            );
            let running = n == count;
            let (done, total) = (if running { 1500 } else { 3000 }, Some(3000));
            let rate = running.then_some(1.0);
            Entry {
                name: format!("run-{n}"),
                manifest,
                state: if running { State::Running } else { State::Done },
                progress: Some(Progress {
                    done,
                    total,
                    unit: "steps".into(),
                    rate,
                    seconds_left: rate.map(|rate| (3000.0 - done as f64) / rate),
                }),
                phase: None,
                reason: (!running).then(|| "all steps done".into()),
            }
        })
        .collect()
}

/// A scorer that only remembers what it was asked.
#[derive(Default)]
pub(crate) struct Asked {
    /// Groups shown, in order.
    pub(crate) shown: std::sync::Arc<Mutex<Vec<GroupId>>>,
}

impl Scoring for Asked {
    fn show(&self, group: GroupId) {
        self.shown.lock().unwrap().push(group);
    }
    fn prefetch(&self, _groups: Vec<GroupId>) {}
}
