//! Made-up groups and a library of them, for the tests of this layer.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use crate::annotate;
use crate::annotate::agreement::{AgreementOptions, AgreementReport, Judgements, measured};
use crate::curate::{Cuts, Entry as Rated, Pool};
use crate::data::{Match, Said, Undone};
use crate::domain::query::{Facts, Number, Query, Text};
use crate::domain::{
    Aggregate, Axis, Candidate, CandidateId, Gaussian, Group, GroupId, GroupSummary, ImageRef,
    Label, Measures, Reward, agreement, human_scores,
};

use super::curating::Done;
use super::library::{Library, Scoring};
use super::screens::curate::{CurateNews, Wanted};
use super::screens::train::{Entry, Times};
use crate::runs::{Event, Fact, Manifest, Progress, State};
use crate::score::{Feed, RateJob};

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
    let source = ImageRef(format!("{n}/source.png"));
    let candidates = (0..candidates).map(|i| candidate(n, i)).collect();
    Group {
        category: Some(category.into()),
        ..Group::new(
            GroupId(n),
            format!("group-{n}"),
            source,
            instruction,
            candidates,
        )
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
    let key = char::from(b'a' + u8::try_from(index).unwrap_or(25)).to_string();
    let id = CandidateId(group * 100 + index as i64);
    Candidate {
        editor: Some(EDITORS[index % EDITORS.len()].into()),
        seed: Some(7 + index as u64),
        fault: (index == 2).then(|| "over-saturated".into()),
        labels,
        ..Candidate::new(id, key, ImageRef(format!("{group}/{index}.png")))
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

/// What queries of tests ask for.
struct Told<'a>(&'a Group, &'a Candidate);

impl Facts for Told<'_> {
    fn number(&self, field: Number) -> Option<f64> {
        let human = human_scores(std::slice::from_ref(self.1));
        match field {
            Number::Human(Some(axis)) => human[0].on(axis),
            Number::Human(None) => human[0].overall(),
            _ => None,
        }
    }
    fn texts(&self, field: Text, each: &mut dyn FnMut(&str) -> bool) {
        match field {
            Text::Instruction => each(&self.0.instruction),
            Text::Editor => each(self.1.editor.as_deref().unwrap_or_default()),
            _ => false,
        };
    }
}

/// A library in memory; pictures are found (or not) under `root`.
pub(crate) struct Sample {
    /// Its groups.
    pub(crate) groups: Vec<Group>,
    /// Where pictures are.
    pub(crate) root: PathBuf,
    /// What was said of groups, step by step.
    pub(crate) said: Mutex<Vec<(GroupId, Vec<Said>)>>,
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
    fn matching(
        &self,
        query: &Query,
        _fingerprint: Option<&str>,
        _stop: &dyn Fn() -> bool,
    ) -> Result<Option<Vec<Match>>, String> {
        let mut found = Vec::new();
        for group in &self.groups {
            for candidate in &group.candidates {
                if query.holds(&Told(group, candidate)) {
                    found.push(Match {
                        group: group.id,
                        candidate: candidate.id,
                        value: None,
                    });
                }
            }
        }
        Ok(Some(found))
    }
    fn keep(&self, _: &str, _: &str, _: &[CandidateId]) -> Result<(), String> {
        Ok(())
    }
    fn tag(&self, _: CandidateId, _: &str) -> Result<bool, String> {
        Ok(true)
    }
    fn curate(&self, wanted: Wanted) -> Result<Done, String> {
        let news = match wanted {
            Wanted::Read(_) => CurateNews::Read(Ok((pool(&self.groups).into(), BTreeMap::new()))),
            Wanted::Rank(pool, recipe) => {
                let cuts = Cuts::of(&pool, &recipe).map(Arc::new);
                CurateNews::Ranked(recipe, cuts.map_err(|e| e.to_string()))
            }
            Wanted::Judge(..) | Wanted::Save(_) => return Ok(Done::default()),
        };
        Ok(Done {
            news: Some(news),
            words: None,
        })
    }
    fn queue(
        &self,
        settings: &annotate::Settings,
        _fingerprint: Option<&str>,
    ) -> Result<annotate::Queue, String> {
        Ok(annotate::ordered(&self.groups, settings, &HashMap::new()))
    }
    fn agreement(&self, _model: Option<String>) -> Result<AgreementReport, String> {
        let mut all = Judgements::default();
        for group in &self.groups {
            all.add(group, false);
        }
        let options = AgreementOptions {
            resamples: 50,
            ..AgreementOptions::default()
        };
        Ok(measured(&all, &options))
    }
    fn annotate(
        &self,
        _annotator: &str,
        _session: &str,
        group: GroupId,
        said: &[Said],
    ) -> Result<(), String> {
        self.said.lock().unwrap().push((group, said.to_vec()));
        Ok(())
    }
    fn undo(&self, _annotator: &str) -> Result<Option<Undone>, String> {
        let last = self.said.lock().unwrap().pop();
        Ok(last.map(|(group, said)| Undone { group, said }))
    }
    fn measures(&self, _: GroupId) -> Result<Vec<(CandidateId, Measures)>, String> {
        Ok(Vec::new())
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
                times: Times::default(),
                job: None,
                process: None,
            }
        })
        .collect()
}

/// What a training of so many steps tells: curves that fall and rise and tremble, differently by `seed`, eight groups a step,
/// and every hundred steps a validation with two groups that are followed.
pub(crate) fn training(seed: u64, steps: u64) -> Vec<Event> {
    let slant = 1.0 + 0.4 * seed as f64;
    let at = |step: u64, fact| Event {
        time: step as f64 * 1.2,
        fact,
    };
    let host = "atelier".to_owned();
    let mut events = vec![at(0, Fact::Started { pid: 7, host })];
    for step in 1..=steps {
        let x = step as f64 / 3000.0;
        let learnt = 1.0 - (-3.0 * x * slant).exp();
        let tremble = (step as f64 * 1.7 + seed as f64).sin() * (step as f64 * 0.31).cos();
        let mut values = BTreeMap::from([
            (
                "train.loss".to_owned(),
                0.69 - 0.35 * learnt + 0.05 * tremble,
            ),
            (
                "train.accuracy".to_owned(),
                0.5 + 0.3 * learnt + 0.12 * tremble,
            ),
            (
                "gradient_norm".to_owned(),
                (0.4 - learnt + 0.5 * tremble).exp(),
            ),
            (
                "rate.heads".to_owned(),
                1e-4 * (1.0 - x) * (x * 20.0).min(1.0),
            ),
        ]);
        let groups = (0..8)
            .map(|i| format!("group-{}", (step * 5 + i) % 12 + 1))
            .collect();
        events.push(at(step, Fact::Samples { step, groups }));
        if step % 100 == 0 {
            values.insert("val.accuracy".into(), 0.5 + 0.28 * learnt + 0.01 * tremble);
            for n in 1..=2_i64 {
                let reward = |i: usize| {
                    let both = learnt * (0.8 - 0.4 * i as f64) + 0.05 * tremble * n as f64;
                    [[both + 0.2, 0.5], [both - 0.2, 0.6], [both, 0.4]]
                };
                events.push(at(
                    step,
                    Fact::Followed {
                        step,
                        group: format!("group-{n}"),
                        rewards: (0..5).map(reward).collect(),
                    },
                ));
            }
        }
        let epoch = step as f64 / 750.0;
        events.push(at(
            step,
            Fact::Metrics {
                step,
                epoch,
                values,
            },
        ));
    }
    events
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
    fn rate(&self, _job: RateJob) -> Option<Feed> {
        None
    }
    fn stop_rating(&self) {}
}

/// All candidates of groups, scored, of two categories and three editors in turn.
fn pool(groups: &[Group]) -> Pool {
    let entries = groups.iter().flat_map(|group| {
        group.candidates.iter().enumerate().map(|(at, candidate)| {
            let category = 1 + u32::from(group.id.0 % 3 == 0);
            let editor = 1 + at as u32 % 3;
            let turn = group.id.0 as f64 / 10.0;
            let shifted = |g: Gaussian| Gaussian::new(g.mean + turn.sin(), g.log_sigma);
            let reward = reward(at);
            Rated::new(candidate.id, group.id, category, editor).scored(&Reward {
                instruction_following: reward.instruction_following.map(shifted),
                visual_quality: reward.visual_quality.map(shifted),
                aggregate: shifted(reward.aggregate),
            })
        })
    });
    Pool {
        entries: entries.collect(),
        categories: ["none", "colour", "remove"].map(str::to_owned).to_vec(),
        editors: ["none", "flux-kontext", "qwen-edit", "step1x"]
            .map(str::to_owned)
            .to_vec(),
    }
}
