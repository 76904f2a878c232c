//! One group through one model: stored rewards first, the rest computed and kept one by one.
//!
//! Nothing here stops a group early but the caller's wish: a broken candidate is reported and the next one taken. A broken
//! source spoils every candidate that has no stored reward, so it is reported once, for the group.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::path::Path;

use crate::data::{Workspace, WorkspaceError, images};
use crate::domain::{Candidate, CandidateId, Group, ImageRef, Reward};
use crate::model::{Judge, Picture};

/// A candidate, the hash of its image, and its reward.
pub(super) type Row = (CandidateId, String, Reward);

/// What rewards are looked up in and kept in.
pub(super) trait Shelf {
    /// The rewards of a group that need not be computed.
    fn found(
        &self,
        group: &Group,
        fingerprint: &str,
    ) -> Result<HashMap<CandidateId, Reward>, WorkspaceError>;

    /// Keeps the rewards of candidates, all of them or none, under the contents of source and candidate that each was computed
    /// from.
    fn keep(
        &self,
        group: &Group,
        fingerprint: &str,
        source_hash: &str,
        rows: &[Row],
    ) -> Result<(), WorkspaceError>;
}

impl Shelf for Workspace {
    /// Images that the workspace has not read yet are read first if any reward is missing: the same contents may have been
    /// scored under another name.
    fn found(
        &self,
        group: &Group,
        fingerprint: &str,
    ) -> Result<HashMap<CandidateId, Reward>, WorkspaceError> {
        let mut found = self.scores(group.id, fingerprint)?;
        if found.len() < group.candidates.len() {
            self.hashes(group.id)?;
            found = self.scores(group.id, fingerprint)?;
        }
        Ok(found.into_iter().collect())
    }

    fn keep(
        &self,
        group: &Group,
        fingerprint: &str,
        source_hash: &str,
        rows: &[Row],
    ) -> Result<(), WorkspaceError> {
        self.save_scores_of(group, fingerprint, source_hash, rows)
    }
}

/// Where a group's images are, and where its rewards are kept.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    /// The folder that relative image paths start from.
    pub(super) root: &'a Path,
    /// What rewards are looked up in and kept in; `None` for groups that belong nowhere.
    pub(super) shelf: Option<&'a dyn Shelf>,
}

/// What there is to say about a group, as it comes.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Outcome {
    /// A candidate (by its index) has a reward, found in the workspace or just computed.
    Scored {
        index: usize,
        reward: Reward,
        stored: bool,
    },
    /// A candidate, or with `None` the group as a whole, could not be scored.
    Failed {
        index: Option<usize>,
        message: String,
    },
}

/// Scores a group, telling `tell` of each candidate as it is done; `tell` may stop the rest.
pub(super) fn score_group(
    judge: &mut (impl Judge + ?Sized),
    group: &Group,
    place: Place<'_>,
    tell: &mut dyn FnMut(Outcome) -> ControlFlow<()>,
) -> ControlFlow<()> {
    let fingerprint = judge.info().fingerprint.clone();
    let stored = match place.shelf.map(|s| s.found(group, &fingerprint)) {
        None => HashMap::new(),
        Some(Ok(stored)) => stored,
        Some(Err(e)) => return tell(failed(None, &e)),
    };
    let mut missing = Vec::new();
    for (index, candidate) in group.candidates.iter().enumerate() {
        match stored.get(&candidate.id) {
            Some(&reward) => tell(Outcome::Scored {
                index,
                reward,
                stored: true,
            })?,
            None => missing.push((index, candidate)),
        }
    }
    if missing.is_empty() {
        return ControlFlow::Continue(());
    }
    let source = match picture(place.root, &group.source) {
        Ok(source) => source,
        Err(e) => return tell(failed(None, &e)),
    };
    let mut pictures = Vec::with_capacity(missing.len());
    let mut taken = Vec::with_capacity(missing.len());
    for (index, candidate) in missing {
        match picture(place.root, &candidate.image) {
            Ok(picture) => {
                pictures.push(picture);
                taken.push((index, candidate));
            }
            Err(e) => tell(failed(Some(index), &e))?,
        }
    }
    compute(judge, group, &source, (&pictures, &taken), place, tell)
}

/// Has the model score the candidates that are left and keeps the rewards of each pass as they come.
fn compute(
    judge: &mut (impl Judge + ?Sized),
    group: &Group,
    source: &Picture,
    (pictures, taken): (&[Picture], &[(usize, &Candidate)]),
    place: Place<'_>,
    tell: &mut dyn FnMut(Outcome) -> ControlFlow<()>,
) -> ControlFlow<()> {
    if pictures.is_empty() {
        return ControlFlow::Continue(());
    }
    let fingerprint = judge.info().fingerprint.clone();
    let mut flow = ControlFlow::Continue(());
    let result = judge.score_group(source, &group.instruction, pictures, &mut |passed| {
        let row = |(i, reward): &(usize, Result<Reward, String>)| {
            let reward = *reward.as_ref().ok()?;
            Some((taken[*i].1.id, pictures[*i].hash.clone(), reward))
        };
        let rows: Vec<Row> = passed.iter().filter_map(row).collect();
        let kept = place
            .shelf
            .filter(|_| !rows.is_empty())
            .map_or(Ok(()), |shelf| {
                shelf.keep(group, &fingerprint, &source.hash, &rows)
            });
        // What is kept is told of, also after somebody had enough.
        for (i, reward) in passed {
            let index = taken[i].0;
            let told = match reward {
                Err(message) => tell(failed(Some(index), &message)),
                Ok(reward) => tell(Outcome::Scored {
                    index,
                    reward,
                    stored: false,
                }),
            };
            if told.is_break() {
                flow = told;
            }
        }
        if let (Err(e), ControlFlow::Continue(())) = (&kept, flow) {
            flow = tell(failed(None, &format!("scored, but not kept: {e}")));
        }
        flow
    });
    match result {
        Err(message) if flow.is_continue() => tell(failed(None, &message)),
        _ => flow,
    }
}

fn failed(index: Option<usize>, reason: &dyn ToString) -> Outcome {
    Outcome::Failed {
        index,
        message: reason.to_string(),
    }
}

fn picture(root: &Path, image: &ImageRef) -> Result<Picture, images::ImageError> {
    let bytes = images::read(root, image)?;
    let hash = images::content_hash(&bytes);
    Ok(Picture {
        bytes: bytes.into(),
        hash,
    })
}
