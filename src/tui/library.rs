//! What the screens need of a workspace and of a scorer, as two small traits, so that tests can drive the whole app without
//! a database or a model. Errors arrive as text: here they are only ever shown.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::annotate;
use crate::annotate::agreement::{AgreementOptions, AgreementReport, agreement};
use crate::data::{Match, Said, Undone, Workspace, images};
use crate::domain::query::Query;
use crate::domain::{
    CandidateId, Extent, Group, GroupId, GroupSummary, ImageRef, Measures, Reward, Scope,
};
use crate::score::{Feed, LiveScorer, RateJob};

use super::curating::{Done, carry_out};
use super::judgement::Judgement;
use super::screens::curate::Wanted;

/// A workspace as the screens see it.
pub(crate) trait Library: Send + Sync {
    /// Where relative image paths start.
    fn root(&self) -> &Path;
    /// How many groups there are.
    fn group_count(&self) -> Result<usize, String>;
    /// Up to `limit` rows after group `after`, in workspace order.
    fn summaries(
        &self,
        after: Option<GroupId>,
        limit: usize,
        fingerprint: Option<&str>,
    ) -> Result<Vec<GroupSummary>, String>;
    /// One group.
    fn group(&self, id: GroupId) -> Result<Option<Group>, String>;
    /// Where the groups with these keys are, in the same order.
    fn places(&self, keys: &[String]) -> Result<Vec<Option<GroupId>>, String>;
    /// The candidates that a query holds of, in its order; `None` once `stop` says so.
    fn matching(
        &self,
        query: &Query,
        fingerprint: Option<&str>,
        stop: &dyn Fn() -> bool,
    ) -> Result<Option<Vec<Match>>, String>;
    /// Keeps candidates as a selection, as the next version of its name.
    fn keep(&self, name: &str, origin: &str, candidates: &[CandidateId]) -> Result<(), String>;
    /// Puts a tag on a candidate, or takes it off; whether it is on now.
    fn tag(&self, candidate: CandidateId, tag: &str) -> Result<bool, String>;
    /// What is to be judged, in order.
    fn queue(
        &self,
        settings: &annotate::Settings,
        fingerprint: Option<&str>,
    ) -> Result<annotate::Queue, String>;
    /// How far people agree, with a model as one more rater.
    fn agreement(&self, model: Option<String>) -> Result<AgreementReport, String>;
    /// Stores what is said; it is on the disk when this returns.
    fn annotate(
        &self,
        annotator: &str,
        session: &str,
        group: GroupId,
        said: &[Said],
    ) -> Result<(), String>;
    /// Takes the annotator's last step back.
    fn undo(&self, annotator: &str) -> Result<Option<Undone>, String>;
    /// Does something for the curate screen.
    fn curate(&self, wanted: Wanted) -> Result<Done, String>;
    /// What was measured on its candidates.
    fn measures(&self, id: GroupId) -> Result<Vec<(CandidateId, Measures)>, String>;
    /// Its stored rewards.
    fn scores(&self, id: GroupId, fingerprint: &str) -> Result<Vec<(CandidateId, Reward)>, String>;
    /// All stored aggregate means, ascending.
    fn score_scale(&self, fingerprint: &str) -> Result<Vec<f64>, String>;
    /// Width and height of an image in pixels from its header, if it can be told cheaply.
    fn image_size(&self, image: &ImageRef) -> Option<(u32, u32)>;
}

impl Library for Workspace {
    fn root(&self) -> &Path {
        self.root()
    }
    fn group_count(&self) -> Result<usize, String> {
        self.group_count().map_err(|e| e.to_string())
    }
    fn summaries(
        &self,
        after: Option<GroupId>,
        limit: usize,
        fingerprint: Option<&str>,
    ) -> Result<Vec<GroupSummary>, String> {
        self.summaries(after, limit, fingerprint)
            .map_err(|e| e.to_string())
    }
    fn group(&self, id: GroupId) -> Result<Option<Group>, String> {
        self.group(id).map_err(|e| e.to_string())
    }
    fn places(&self, keys: &[String]) -> Result<Vec<Option<GroupId>>, String> {
        self.groups_by_key(keys).map_err(|e| e.to_string())
    }
    fn matching(
        &self,
        query: &Query,
        fingerprint: Option<&str>,
        stop: &dyn Fn() -> bool,
    ) -> Result<Option<Vec<Match>>, String> {
        self.matching(query, fingerprint, stop)
            .map_err(|e| e.to_string())
    }
    fn keep(&self, name: &str, origin: &str, candidates: &[CandidateId]) -> Result<(), String> {
        self.save_selection(name, origin, now(), candidates)
            .map(|_| ())
            .map_err(|e| e.to_string())
    }
    fn tag(&self, candidate: CandidateId, tag: &str) -> Result<bool, String> {
        let toggled = self.tag(candidate, tag, true).and_then(|new| {
            if new {
                return Ok(true);
            }
            self.tag(candidate, tag, false).map(|_| false)
        });
        toggled.map_err(|e| e.to_string())
    }
    fn curate(&self, wanted: Wanted) -> Result<Done, String> {
        carry_out(self, wanted, now())
    }
    fn queue(
        &self,
        settings: &annotate::Settings,
        fingerprint: Option<&str>,
    ) -> Result<annotate::Queue, String> {
        annotate::queue(self, settings, fingerprint).map_err(|e| e.to_string())
    }
    fn agreement(&self, model: Option<String>) -> Result<AgreementReport, String> {
        let options = AgreementOptions {
            model,
            ..AgreementOptions::default()
        };
        agreement(self, &options, &mut |_, _| {}).map_err(|e| e.to_string())
    }
    fn annotate(
        &self,
        annotator: &str,
        session: &str,
        group: GroupId,
        said: &[Said],
    ) -> Result<(), String> {
        self.annotate(annotator, session, now(), group, said)
            .map(|_| ())
            .map_err(|e| e.to_string())
    }
    fn undo(&self, annotator: &str) -> Result<Option<Undone>, String> {
        self.undo(annotator).map_err(|e| e.to_string())
    }
    fn measures(&self, id: GroupId) -> Result<Vec<(CandidateId, Measures)>, String> {
        self.measures(id).map_err(|e| e.to_string())
    }
    fn scores(&self, id: GroupId, fingerprint: &str) -> Result<Vec<(CandidateId, Reward)>, String> {
        self.scores(id, fingerprint).map_err(|e| e.to_string())
    }
    fn score_scale(&self, fingerprint: &str) -> Result<Vec<f64>, String> {
        self.score_scale(fingerprint).map_err(|e| e.to_string())
    }
    fn image_size(&self, image: &ImageRef) -> Option<(u32, u32)> {
        images::dimensions_of(self.root(), image).ok()
    }
}

/// Milliseconds since 1970.
fn now() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0, |now| i64::try_from(now.as_millis()).unwrap_or(i64::MAX))
}

/// A live scorer as the screens see it.
pub(crate) trait Scoring: Send + Sync {
    /// This group goes first.
    fn show(&self, group: GroupId);
    /// These come after.
    fn prefetch(&self, groups: Vec<GroupId>);
    /// Pictures to be rated between the two, instead of those of an earlier job; `None` where nothing can be.
    fn rate(&self, job: RateJob) -> Option<Feed>;
    /// No more pictures.
    fn stop_rating(&self);
}

impl Scoring for LiveScorer {
    fn show(&self, group: GroupId) {
        self.show(group);
    }
    fn prefetch(&self, groups: Vec<GroupId>) {
        self.prefetch(groups);
    }
    fn rate(&self, job: RateJob) -> Option<Feed> {
        Some(self.rate(job))
    }
    fn stop_rating(&self) {
        self.stop_rating();
    }
}

/// A group with everything the screens show of it. Shared, so that handing it to a worker costs nothing.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Record {
    /// The group as stored.
    pub(crate) group: Arc<Group>,
    /// What the model says of its candidates so far.
    pub(crate) rewards: HashMap<CandidateId, Reward>,
    /// Why candidates could not be scored.
    pub(crate) failures: HashMap<CandidateId, String>,
    /// Why none of it could be scored.
    pub(crate) failure: Option<String>,
    /// Preferences and ranks from `rewards` and the labels.
    pub(crate) judgement: Judgement,
    /// Of each candidate, whether its edit is of the whole picture or of a part, and why that is said.
    pub(crate) scopes: Vec<Option<Scope>>,
    /// Width over height of its source, to choose the grid by.
    pub(crate) aspect: f64,
}

/// The aspect taken for pictures whose header told nothing.
pub(crate) const USUAL_ASPECT: f64 = 4.0 / 3.0;

impl Record {
    /// Reads a group with its scores.
    pub(crate) fn read(
        library: &dyn Library,
        id: GroupId,
        fingerprint: Option<&str>,
    ) -> Result<Option<Self>, String> {
        let Some(group) = library.group(id)? else {
            return Ok(None);
        };
        let rewards = match fingerprint {
            Some(fingerprint) => library.scores(id, fingerprint)?.into_iter().collect(),
            None => HashMap::new(),
        };
        let aspect = library
            .image_size(&group.source)
            .filter(|(w, h)| *w > 0 && *h > 0)
            .map_or(USUAL_ASPECT, |(w, h)| f64::from(w) / f64::from(h));
        let measures = library.measures(id)?;
        let mut record = Self::new(group, rewards, aspect);
        record.scopes = scopes(&record.group, &measures);
        Ok(Some(record))
    }

    /// From parts, judged.
    pub(crate) fn new(group: Group, rewards: HashMap<CandidateId, Reward>, aspect: f64) -> Self {
        let judgement = Judgement::of(&group, &rewards);
        Self {
            scopes: scopes(&group, &[]),
            group: Arc::new(group),
            rewards,
            failures: HashMap::new(),
            failure: None,
            judgement,
            aspect,
        }
    }

    /// The reward of the candidate at `index`.
    pub(crate) fn reward(&self, index: usize) -> Option<&Reward> {
        self.rewards.get(&self.group.candidates.get(index)?.id)
    }
}

fn scopes(group: &Group, measures: &[(CandidateId, Measures)]) -> Vec<Option<Scope>> {
    let of = |id: CandidateId| measures.iter().find(|(known, _)| *known == id);
    let candidates = group.candidates.iter();
    candidates
        .map(|candidate| {
            let extent = of(candidate.id).and_then(|(_, measures)| Extent::of(measures));
            Scope::judge(extent.as_ref(), &group.instruction)
        })
        .collect()
}
