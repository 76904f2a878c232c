//! Scores: stored under what they were computed from (source content, candidate content, instruction) and by which model, so
//! that nothing is scored twice, whatever it is called and wherever it lies, and several models live side by side.

use std::collections::BTreeSet;

use rusqlite::{OptionalExtension, Transaction, params};

use super::error::{Fault, WorkspaceError};
use super::hashes::{GroupImages, Image, Learned, model_id, record};
use super::{Workspace, count};
use crate::data::images::{content_hash, read_stamped};
use crate::domain::{CandidateId, Gaussian, Group, GroupId, Reward};

/// A model that scores are stored of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredModel {
    /// What tells it from all others.
    pub fingerprint: String,
    /// How many scores are stored under it.
    pub scores: usize,
}

/// What was scored of a group.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoredGroup {
    /// Which one.
    pub group: GroupId,
    /// The instruction that it was scored with.
    pub instruction: String,
    /// The content hash of its source.
    pub source: String,
    /// Candidates with the hashes of their contents, and what the model said.
    pub rewards: Vec<(CandidateId, String, Reward)>,
}

impl Workspace {
    /// Stored rewards of a group's candidates under a model, in candidate order; those whose images have changed since are
    /// left out. After [`hashes`](Self::hashes) these are all that need not be computed.
    pub fn scores(
        &self,
        group: GroupId,
        fingerprint: &str,
    ) -> Result<Vec<(CandidateId, Reward)>, WorkspaceError> {
        self.read(|db| {
            let images = GroupImages::find(db, group)?;
            let (Some(model), Some(source)) =
                (model_id(db, fingerprint)?, images.source.hash(self.root()))
            else {
                return Ok(Vec::new());
            };
            let mut select = db.prepare(
                "SELECT mean, log_sigma, if_mean, if_log_sigma, vq_mean, vq_log_sigma
                 FROM scores WHERE model = ?1 AND key = ?2",
            )?;
            let mut found = Vec::new();
            for (id, image) in &images.candidates {
                let Some(hash) = image.hash(self.root()) else {
                    continue;
                };
                let key = score_key(source, hash, &images.instruction);
                let reward = select
                    .query_row(params![model, key], |row| {
                        let axis = |mean: Option<f64>, log_sigma: Option<f64>| {
                            mean.zip(log_sigma).map(|(m, s)| Gaussian::new(m, s))
                        };
                        Ok(Reward {
                            instruction_following: axis(row.get(2)?, row.get(3)?),
                            visual_quality: axis(row.get(4)?, row.get(5)?),
                            aggregate: Gaussian::new(row.get(0)?, row.get(1)?),
                        })
                    })
                    .optional()?;
                found.extend(reward.map(|reward| (*id, reward)));
            }
            Ok(found)
        })
    }

    /// Stores rewards (one transaction). The content hashes of source and candidate are what they belong to; the instruction
    /// is the group's of now. While an import may run, use [`save_scores_of`](Self::save_scores_of).
    pub fn save_scores(
        &self,
        group: GroupId,
        fingerprint: &str,
        source_hash: &str,
        rewards: &[(CandidateId, String, Reward)],
    ) -> Result<(), WorkspaceError> {
        let images = self.read(|db| GroupImages::find(db, group))?;
        let scored = ScoredGroup {
            group,
            instruction: images.instruction.clone(),
            source: source_hash.to_owned(),
            rewards: rewards.to_vec(),
        };
        self.save(fingerprint, &[(&scored, &images)])
    }

    /// Stores rewards (one transaction) of a group as it was when it was read for scoring: if an import has changed its
    /// instruction since, they are filed under the one that they were computed with.
    pub fn save_scores_of(
        &self,
        group: &Group,
        fingerprint: &str,
        source_hash: &str,
        rewards: &[(CandidateId, String, Reward)],
    ) -> Result<(), WorkspaceError> {
        self.save_scores_of_many(
            fingerprint,
            &[ScoredGroup {
                group: group.id,
                instruction: group.instruction.clone(),
                source: source_hash.to_owned(),
                rewards: rewards.to_vec(),
            }],
        )
    }

    /// All stored aggregate means under a model, ascending (the scale that percentiles refer to).
    pub fn score_scale(&self, fingerprint: &str) -> Result<Vec<f64>, WorkspaceError> {
        let mut scale = self.read(|db| {
            let Some(model) = model_id(db, fingerprint)? else {
                return Ok(Vec::new());
            };
            let mut select = db.prepare("SELECT mean FROM scores WHERE model = ?1")?;
            let means = select.query_map([model], |row| row.get(0))?;
            Ok(means.collect::<Result<Vec<f64>, _>>()?)
        })?;
        scale.sort_unstable_by(f64::total_cmp);
        Ok(scale)
    }

    /// The models that scores are stored of, in the order they first came.
    pub fn fingerprints(&self) -> Result<Vec<StoredModel>, WorkspaceError> {
        self.read(|db| {
            let mut select = db.prepare(
                "SELECT m.fingerprint, count(*) FROM models m JOIN scores s ON s.model = m.id
                 GROUP BY m.id ORDER BY m.id",
            )?;
            let models = select.query_map([], |row| {
                Ok(StoredModel {
                    fingerprint: row.get(0)?,
                    scores: count(row.get(1)?),
                })
            })?;
            Ok(models.collect::<Result<_, _>>()?)
        })
    }

    /// Stores the rewards of many groups (one transaction), each as it was when it was read for scoring.
    pub fn save_scores_of_many(
        &self,
        fingerprint: &str,
        scored: &[ScoredGroup],
    ) -> Result<(), WorkspaceError> {
        let images = self.read(|db| {
            let of = |one: &ScoredGroup| GroupImages::find(db, one.group);
            scored.iter().map(of).collect::<Result<Vec<_>, _>>()
        })?;
        self.save(fingerprint, &scored.iter().zip(&images).collect::<Vec<_>>())
    }

    fn save(
        &self,
        fingerprint: &str,
        scored: &[(&ScoredGroup, &GroupImages)],
    ) -> Result<(), WorkspaceError> {
        let mut learned = Vec::new();
        for (one, images) in scored {
            learned.extend(self.learn(&images.source, &one.source));
            for (candidate, hash, reward) in &one.rewards {
                check(*candidate, reward)?;
                let of = images.candidates.iter().find(|(id, _)| id == candidate);
                let (_, image) = of.ok_or(WorkspaceError::NoSuchCandidate {
                    group: one.group,
                    candidate: *candidate,
                })?;
                learned.extend(self.learn(image, hash));
            }
        }
        self.write(|tx| {
            let mut groups: BTreeSet<i64> = scored.iter().map(|(one, _)| one.group.0).collect();
            record(tx, &learned, &mut groups)?;
            let model = model_of(tx, fingerprint)?;
            let mut insert = tx.prepare(
                "INSERT OR REPLACE INTO scores
                 (model, key, mean, log_sigma, if_mean, if_log_sigma, vq_mean, vq_log_sigma)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )?;
            let mut twins = tx.prepare(
                "SELECT c.group_id FROM images i JOIN candidates c ON c.image = i.id WHERE i.hash = ?1",
            )?;
            for (one, (candidate_hash, reward)) in scored.iter().flat_map(|(one, _)| {
                let rewards = one.rewards.iter();
                rewards.map(move |(_, hash, reward)| (one, (hash, reward)))
            }) {
                let (axis_if, axis_vq) = (reward.instruction_following, reward.visual_quality);
                insert.execute(params![
                    model,
                    score_key(&one.source, candidate_hash, &one.instruction),
                    reward.aggregate.mean,
                    reward.aggregate.log_sigma,
                    axis_if.map(|g| g.mean),
                    axis_if.map(|g| g.log_sigma),
                    axis_vq.map(|g| g.mean),
                    axis_vq.map(|g| g.log_sigma),
                ])?;
                for twin in twins.query_map([candidate_hash], |row| row.get(0))? {
                    groups.insert(twin?);
                }
            }
            refresh(tx, &groups)
        })
    }

    /// What there is to store of an image that was scored as `told`: nothing if that is known already, else what the file
    /// holds now, or what was told if it cannot be read.
    fn learn(&self, image: &Image, told: &str) -> Option<Learned> {
        if image.hash(self.root()) == Some(told) {
            return None;
        }
        let now = read_stamped(self.root(), &image.path).ok();
        let (hash, stamp) = match now {
            Some((bytes, stamp)) => (content_hash(&bytes), Some(stamp)),
            None => (told.to_owned(), None),
        };
        Some(Learned {
            image: image.id,
            hash,
            stamp,
        })
    }
}

/// A log sigma of -∞ is a model without uncertainty; anything else must be finite.
fn check(candidate: CandidateId, reward: &Reward) -> Result<(), WorkspaceError> {
    let axes = [reward.instruction_following, reward.visual_quality];
    for gaussian in axes.into_iter().flatten().chain([reward.aggregate]) {
        if !gaussian.mean.is_finite()
            || gaussian.log_sigma.is_nan()
            || gaussian.log_sigma == f64::INFINITY
        {
            return Err(WorkspaceError::NotANumber(candidate));
        }
    }
    Ok(())
}

fn model_of(tx: &Transaction<'_>, fingerprint: &str) -> Result<i64, Fault> {
    if let Some(id) = model_id(tx, fingerprint)? {
        return Ok(id);
    }
    tx.execute(
        "INSERT INTO models (fingerprint) VALUES (?1)",
        [fingerprint],
    )?;
    Ok(tx.last_insert_rowid())
}

/// What a score belongs to, in 16 bytes.
pub(super) fn score_key(source_hash: &str, candidate_hash: &str, instruction: &str) -> [u8; 16] {
    let mut hasher = blake3::Hasher::new_derive_key("erw score key 1");
    for part in [source_hash, candidate_hash, instruction] {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    first_half(*hasher.finalize().as_bytes())
}

/// The first 16 of a hash's 32 bytes: among a billion of them, two are equal with a chance below 1 in 10²⁰.
pub(super) fn first_half(hash: [u8; 32]) -> [u8; 16] {
    let mut half = [0; 16];
    half.copy_from_slice(&hash[..16]);
    half
}

/// Brings what lists show of these groups in step with their images' hashes and the stored scores, for every model.
pub(super) fn refresh(tx: &Transaction<'_>, groups: &BTreeSet<i64>) -> Result<(), Fault> {
    let models: Vec<i64> = tx
        .prepare("SELECT id FROM models")?
        .query_map([], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    if models.is_empty() {
        return Ok(());
    }
    let mut head = tx.prepare(
        "SELECT g.instruction, i.hash FROM groups g JOIN images i ON i.id = g.source WHERE g.id = ?1",
    )?;
    let mut hashes = tx.prepare(
        "SELECT i.hash FROM candidates c JOIN images i ON i.id = c.image WHERE c.group_id = ?1 ORDER BY c.position",
    )?;
    let mut mean = tx.prepare("SELECT mean FROM scores WHERE model = ?1 AND key = ?2")?;
    let mut show =
        tx.prepare("INSERT OR REPLACE INTO shown (model, group_id, means) VALUES (?1, ?2, ?3)")?;
    let mut hide = tx.prepare("DELETE FROM shown WHERE model = ?1 AND group_id = ?2")?;
    for group in groups {
        let (instruction, source): (String, Option<String>) =
            head.query_row([group], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let keys: Vec<Option<[u8; 16]>> = hashes
            .query_map([group], |row| row.get::<_, Option<String>>(0))?
            .map(|hash| {
                let both = source.as_ref().zip(hash?);
                Ok(both.map(|(source, hash)| score_key(source, &hash, &instruction)))
            })
            .collect::<Result<_, rusqlite::Error>>()?;
        for model in &models {
            let mut means = Vec::with_capacity(keys.len());
            for key in &keys {
                means.push(match key {
                    Some(key) => mean
                        .query_row(params![model, key], |row| row.get(0))
                        .optional()?,
                    None => None,
                });
            }
            if means.iter().all(Option::is_none) {
                hide.execute(params![model, group])?;
            } else {
                show.execute(params![model, group, pack(&means)])?;
            }
        }
    }
    Ok(())
}

/// In `f32`: a list draws a sparkline of these, and the full numbers are in `scores`.
fn pack(means: &[Option<f64>]) -> Vec<u8> {
    let four = |mean: &Option<f64>| mean.map_or(f32::NAN, |m| m as f32).to_le_bytes();
    means.iter().flat_map(four).collect()
}

/// `candidates` means from their packed form; all `None` without one.
pub(super) fn unpack(packed: Option<&[u8]>, candidates: usize) -> Vec<Option<f32>> {
    let (fours, _) = packed.unwrap_or_default().as_chunks::<4>();
    let mut means: Vec<_> = fours
        .iter()
        .map(|four| Some(f32::from_le_bytes(*four)).filter(|mean| !mean.is_nan()))
        .collect();
    means.resize(candidates, None);
    means
}
