//! Which groups of a workspace are probed, which of their candidates, and by which of the others.

use std::collections::HashSet;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::ProbeError;
use super::material::{Donor, Material};
use crate::data::{Workspace, images};
use crate::domain::{Candidate, Group, GroupId, HumanScore, ImageRef, human_scores};
use crate::model::Picture;

/// Which candidates of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Which {
    /// All of them.
    #[default]
    All,
    /// The one that people think best; where they said nothing, the one that the model's stored scores have first; else the
    /// first.
    Best,
}

/// Where something of another group is: a [`Donor`] for whoever opens no workspace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Lender {
    key: String,
    instruction: String,
    source: ImageRef,
    edit: Option<ImageRef>,
}

impl Lender {
    /// The same with its pictures; one without a source lends nothing.
    pub(super) fn donor(&self, root: &Path) -> Option<Donor> {
        Some(Donor {
            key: self.key.clone(),
            instruction: self.instruction.clone(),
            source: picture(root, &self.source).ok()?,
            edit: self.edit.as_ref().and_then(|edit| picture(root, edit).ok()),
        })
    }
}

/// Which groups.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chosen {
    /// Only these; all without a list.
    pub groups: Option<HashSet<GroupId>>,
    /// At most so many of them, drawn by the seed.
    pub limit: Option<usize>,
    /// Which of their candidates.
    pub which: Which,
    /// What they are drawn by.
    pub seed: u64,
}

/// The groups to be probed, in the order in which they were drawn; and the rest, which donors are taken of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Drawn {
    all: Vec<GroupId>,
    chosen: Vec<GroupId>,
}

impl Drawn {
    /// Draws. The same groups with the same seed, also where others were added meanwhile, except where these are drawn instead.
    pub(super) fn of(workspace: &Workspace, chosen: &Chosen) -> Result<Self, ProbeError> {
        let mut all = Vec::new();
        workspace.each_outline(|group| {
            if group.has_source {
                let mut hasher = blake3::Hasher::new_derive_key("erw probe sample 1");
                hasher.update(&chosen.seed.to_le_bytes());
                hasher.update(group.key.as_bytes());
                all.push((*hasher.finalize().as_bytes(), group.id));
            }
        })?;
        all.sort_unstable();
        let all: Vec<GroupId> = all.into_iter().map(|(_, id)| id).collect();
        let wanted = |id: &GroupId| {
            chosen
                .groups
                .as_ref()
                .is_none_or(|groups| groups.contains(id))
        };
        let most = chosen.limit.unwrap_or(usize::MAX);
        let chosen = all.iter().copied().filter(wanted).take(most).collect();
        Ok(Self { all, chosen })
    }

    /// The groups to be probed.
    pub(super) fn chosen(&self) -> &[GroupId] {
        &self.chosen
    }

    /// At most `most` of the other groups, as donors for a candidate of this one: those drawn after it, without those that have
    /// the same source or the same instruction. One whose images cannot be read is passed over.
    pub(super) fn donors(
        &self,
        workspace: &Workspace,
        group: &Group,
        most: usize,
    ) -> Result<Vec<(Lender, Donor)>, ProbeError> {
        let at = self.all.iter().position(|id| *id == group.id).unwrap_or(0);
        let others = self.all.iter().skip(at + 1).chain(&self.all[..at]);
        take(workspace, group, most, others.copied())
    }
}

/// A candidate of a group, by its place there, as a probe takes it; without the map of its edit ([`Material::mapped`]) and without
/// donors.
pub fn material(
    workspace: &Workspace,
    group: &Group,
    place: usize,
    seed: u64,
) -> Result<Material, ProbeError> {
    let candidate = group.candidates.get(place).ok_or_else(|| {
        ProbeError::Choice(format!("group '{}' has no candidate {place}", group.key))
    })?;
    let source = picture(workspace.root(), &group.source)?;
    let edit = picture(workspace.root(), &candidate.image)?;
    Material::new(source, edit, group.instruction.as_str(), seed)
}

/// At most `most` groups near this one in the workspace as donors for its candidates, in little time however many groups there
/// are; for one candidate at a time, where nothing is to be drawn.
pub fn donors_near(
    workspace: &Workspace,
    group: &Group,
    most: usize,
) -> Result<Vec<Donor>, ProbeError> {
    // Neighbours often share their source.
    let page = 8 * (most + 1);
    let mut ids: Vec<GroupId> = Vec::new();
    for after in [Some(group.id), None] {
        let rows = workspace.summaries(after, page, None)?;
        ids.extend(rows.iter().map(|row| row.id).filter(|id| *id != group.id));
    }
    let mut seen = HashSet::new();
    ids.retain(|id| seen.insert(*id));
    let taken = take(workspace, group, most, ids)?;
    Ok(taken.into_iter().map(|(_, donor)| donor).collect())
}

fn take(
    workspace: &Workspace,
    group: &Group,
    most: usize,
    others: impl IntoIterator<Item = GroupId>,
) -> Result<Vec<(Lender, Donor)>, ProbeError> {
    let mut donors = Vec::new();
    for id in others {
        if donors.len() == most {
            break;
        }
        let Some(other) = workspace.group(id)? else {
            continue;
        };
        if other.source == group.source || other.instruction == group.instruction {
            continue;
        }
        let lender = Lender {
            key: other.key,
            instruction: other.instruction,
            source: other.source,
            edit: other.candidates.into_iter().next().map(|edit| edit.image),
        };
        if let Some(donor) = lender.donor(workspace.root()) {
            donors.push((lender, donor));
        }
    }
    Ok(donors)
}

/// The file of an image, whose path starts at `root` where it is relative.
pub(super) fn picture(root: &Path, image: &ImageRef) -> Result<Picture, images::ImageError> {
    let bytes = images::read(root, image)?;
    Ok(Picture {
        hash: images::content_hash(&bytes),
        bytes: bytes.into(),
    })
}

/// The places of a group's candidates that are probed.
pub(super) fn places(
    workspace: &Workspace,
    group: &Group,
    which: Which,
    fingerprint: &str,
) -> Result<Vec<usize>, ProbeError> {
    if which == Which::All {
        return Ok((0..group.candidates.len()).collect());
    }
    let mut scores: Vec<Option<f64>> = human_scores(&group.candidates)
        .iter()
        .map(HumanScore::overall)
        .collect();
    if scores.iter().all(Option::is_none) {
        let stored = workspace.scores(group.id, fingerprint)?;
        let of = |candidate: &Candidate| {
            let found = stored.iter().find(|(id, _)| *id == candidate.id);
            found.map(|(_, reward)| reward.aggregate.mean)
        };
        scores = group.candidates.iter().map(of).collect();
    }
    let score = |i: usize| scores[i].unwrap_or(f64::NEG_INFINITY);
    // Of equals the first.
    let best = (0..scores.len())
        .rev()
        .max_by(|a, b| score(*a).total_cmp(&score(*b)));
    Ok(best.into_iter().collect())
}

/// Pairs of places of a group's candidates of which people clearly prefer the first overall, by their mean scores, or else by most
/// of their votes; and whether a program made any of what that rests on.
pub(super) fn preferences(group: &Group) -> (Vec<(usize, usize)>, bool) {
    /// Less than this is not a difference of means, but one of rounding.
    const ROUNDING: f64 = 1e-9;
    let scores = human_scores(&group.candidates);
    let mut pairs = Vec::new();
    let mut simulated = false;
    for a in 0..scores.len() {
        for b in a + 1..scores.len() {
            let lead = match (scores[a].overall(), scores[b].overall()) {
                (Some(x), Some(y)) => {
                    let labels = [a, b].map(|i| &group.candidates[i].labels);
                    simulated |= labels.into_iter().flatten().any(|label| label.simulated);
                    x - y
                }
                _ => group
                    .votes
                    .iter()
                    .filter(|vote| vote.axis.is_none())
                    .map(|vote| {
                        let sign = match (vote.a, vote.b) {
                            (x, y) if (x, y) == (a, b) => 1.0,
                            (x, y) if (y, x) == (a, b) => -1.0,
                            _ => 0.0,
                        };
                        simulated |= sign != 0.0 && vote.simulated;
                        sign * (vote.choice.preference() - 0.5)
                    })
                    .sum(),
            };
            if lead > ROUNDING {
                pairs.push((a, b));
            } else if lead < -ROUNDING {
                pairs.push((b, a));
            }
        }
    }
    (pairs, simulated)
}
