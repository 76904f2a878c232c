//! Everybody's judgements, put together by what was judged.

use std::collections::HashMap;

use serde::Serialize;

use super::{AgreementOptions, MODEL};
use crate::data::{Workspace, WorkspaceError};
use crate::domain::stats::{Level, average_ranks};
use crate::domain::{Axis, CandidateId, Choice, Group, GroupId, Reward, word_of};

/// What was asked of people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Asked {
    /// The score on instruction following.
    If,
    /// The score on visual quality.
    Vq,
    /// The sum of both, of those who gave both.
    Overall,
    /// Which of two candidates is the better, or neither.
    Votes,
}

impl Asked {
    /// Every question.
    pub const ALL: [Self; 4] = [Self::If, Self::Vq, Self::Overall, Self::Votes];

    /// Its place among all.
    pub(super) fn place(self) -> usize {
        match self {
            Self::If => 0,
            Self::Vq => 1,
            Self::Overall => 2,
            Self::Votes => 3,
        }
    }

    /// Its level of measurement.
    pub fn level(self) -> Level {
        match self {
            Self::Votes => Level::Nominal,
            Self::If | Self::Vq | Self::Overall => Level::Ordinal,
        }
    }

    /// What it is called.
    pub fn words(self) -> &'static str {
        match self {
            Self::If => "IF",
            Self::Vq => "VQ",
            Self::Overall => "overall",
            Self::Votes => "votes",
        }
    }
}

/// One thing that was judged.
#[derive(Debug, Clone, PartialEq)]
pub struct Unit {
    /// Its group, as a place in [`Judgements::groups`].
    pub group: u32,
    /// The candidate that was scored, or the two between which was voted.
    pub candidates: Vec<CandidateId>,
    /// Annotators, as places in [`Judgements::annotators`], and what they said. Of votes 1 is for the first, −1 for the
    /// second, 0 for neither.
    pub ratings: Vec<(u16, f64)>,
}

/// What is told of a group.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupFacts {
    /// Its number.
    pub id: GroupId,
    /// Its name.
    pub key: String,
    /// What was asked of the editor.
    pub instruction: String,
}

/// An annotator.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Annotator {
    /// The name.
    pub name: String,
    /// Whether all they said was made by a program.
    pub simulated: bool,
    /// What they said first and when asked again.
    pub repeats: Vec<(f64, f64)>,
}

/// Two candidates by position, and on what they were compared.
type Pair = (usize, usize, Option<Axis>);

/// Everybody's judgements.
#[derive(Debug, Clone, Default)]
pub struct Judgements {
    /// The groups.
    pub groups: Vec<GroupFacts>,
    /// The annotators, the model among them if it was asked for.
    pub annotators: Vec<Annotator>,
    /// By question, in the order of [`Asked::ALL`].
    pub units: [Vec<Unit>; 4],
    names: HashMap<String, u16>,
}

impl Judgements {
    /// Of a workspace.
    pub fn of(
        workspace: &Workspace,
        options: &AgreementOptions,
        progress: &mut dyn FnMut(usize, usize),
    ) -> Result<Self, WorkspaceError> {
        let total = workspace.group_count()?;
        let mut all = Self::default();
        let mut seen = 0;
        let mut judged = Vec::new();
        workspace.each_group(|group| {
            seen += 1;
            progress(seen, total);
            let wanted = options.split.is_none() || options.split == group.split;
            if wanted && all.add(&group, options.without_simulated) {
                judged.push(group.id);
            }
            Ok(())
        })?;
        if let Some(fingerprint) = &options.model {
            let mut scores = HashMap::new();
            for id in judged {
                scores.extend(workspace.scores(id, fingerprint)?);
            }
            all.add_model(&scores);
        }
        Ok(all)
    }

    /// Adds a group's labels and votes; whether there are any.
    pub fn add(&mut self, group: &Group, without_simulated: bool) -> bool {
        let number = u32::try_from(self.groups.len()).unwrap_or(u32::MAX);
        let mut any = false;
        for candidate in &group.candidates {
            let mut scores: Vec<(u16, [Option<f64>; 2])> = Vec::new();
            let mut again: Vec<(u16, Axis, f64)> = Vec::new();
            for label in candidate
                .labels
                .iter()
                .filter(|l| !(without_simulated && l.simulated))
            {
                any = true;
                let (name, nth) = word_of(&label.annotator);
                let who = self.annotator(name, label.simulated);
                if nth > 1 {
                    again.push((who, label.axis, label.score));
                    continue;
                }
                let at = scores
                    .iter()
                    .position(|(w, _)| *w == who)
                    .unwrap_or_else(|| {
                        scores.push((who, [None, None]));
                        scores.len() - 1
                    });
                scores[at].1[place(label.axis)] = Some(label.score);
            }
            for (who, axis, score) in again {
                let first = scores.iter().find(|(w, _)| *w == who);
                if let Some(first) = first.and_then(|(_, both)| both[place(axis)]) {
                    self.annotators[who as usize].repeats.push((first, score));
                }
            }
            for asked in [Asked::If, Asked::Vq, Asked::Overall] {
                let said = |both: &[Option<f64>; 2]| match asked {
                    Asked::Overall => Some(both[0]? + both[1]?),
                    _ => both[asked.place()],
                };
                let ratings = scores
                    .iter()
                    .filter_map(|(w, both)| Some((*w, said(both)?)));
                let ratings: Vec<(u16, f64)> = ratings.collect();
                self.unit(asked, number, vec![candidate.id], ratings);
            }
        }
        any |= self.votes(group, number, without_simulated);
        if any {
            self.groups.push(GroupFacts {
                id: group.id,
                key: group.key.clone(),
                instruction: group.instruction.clone(),
            });
        }
        any
    }

    fn votes(&mut self, group: &Group, number: u32, without_simulated: bool) -> bool {
        let mut units: HashMap<Pair, Vec<(u16, f64)>> = HashMap::new();
        let mut order = Vec::new();
        for vote in group
            .votes
            .iter()
            .filter(|v| !(without_simulated && v.simulated))
        {
            let (name, nth) = word_of(&vote.annotator);
            let who = self.annotator(name, vote.simulated);
            let turned = vote.clone().turned();
            let vote = if vote.a < vote.b { vote } else { &turned };
            let said = match vote.choice {
                Choice::A => 1.0,
                Choice::B => -1.0,
                Choice::Tie | Choice::BothGood | Choice::BothBad => 0.0,
            };
            let asked = (vote.a, vote.b, vote.axis);
            if nth == 1 {
                let unit = units.entry(asked).or_insert_with(|| {
                    order.push(asked);
                    Vec::new()
                });
                unit.push((who, said));
            }
        }
        let any = !order.is_empty();
        for asked in order {
            let ratings = units.remove(&asked).unwrap_or_default();
            let pair = [asked.0, asked.1].map(|i| group.candidates[i].id);
            self.unit(Asked::Votes, number, pair.to_vec(), ratings);
        }
        any
    }

    fn unit(
        &mut self,
        asked: Asked,
        group: u32,
        candidates: Vec<CandidateId>,
        ratings: Vec<(u16, f64)>,
    ) {
        if !ratings.is_empty() {
            self.units[asked.place()].push(Unit {
                group,
                candidates,
                ratings,
            });
        }
    }

    fn annotator(&mut self, name: &str, simulated: bool) -> u16 {
        if let Some(&who) = self.names.get(name) {
            self.annotators[who as usize].simulated &= simulated;
            return who;
        }
        // Beyond sixty thousand annotators, the rest counts as one.
        let who = u16::try_from(self.annotators.len()).unwrap_or(u16::MAX);
        if usize::from(who) == self.annotators.len() {
            self.annotators.push(Annotator {
                name: name.to_owned(),
                simulated,
                repeats: Vec::new(),
            });
        }
        self.names.insert(name.to_owned(), who);
        who
    }

    /// Which annotators are people (or simulated ones), and not the model.
    pub(super) fn people(&self) -> Vec<bool> {
        self.annotators.iter().map(|a| a.name != MODEL).collect()
    }

    /// Adds a model's scores as those of one more rater. Its scale is another than people's, so its scores are given theirs: of
    /// a question's judged candidates, the model's lowest gets people's lowest score, its median their median. In a vote it is
    /// for the one with the higher score.
    pub fn add_model(&mut self, scores: &HashMap<CandidateId, Reward>) {
        let who = self.annotator(MODEL, true);
        for asked in [Asked::If, Asked::Vq, Asked::Overall] {
            let own = |reward: &Reward| match asked {
                Asked::If => reward.instruction_following.map(|g| g.mean),
                Asked::Vq => reward.visual_quality.map(|g| g.mean),
                Asked::Overall | Asked::Votes => Some(reward.aggregate.mean),
            };
            let units = &mut self.units[asked.place()];
            let mut scored: Vec<(usize, f64)> = units
                .iter()
                .enumerate()
                .filter_map(|(at, unit)| Some((at, own(scores.get(&unit.candidates[0])?)?)))
                .collect();
            let mut people: Vec<f64> = scored
                .iter()
                .flat_map(|(at, _)| units[*at].ratings.iter().map(|(_, value)| *value))
                .collect();
            people.sort_by(f64::total_cmp);
            let ranks = average_ranks(&scored.iter().map(|(_, own)| *own).collect::<Vec<f64>>());
            let count = scored.len() as f64;
            for ((at, _), rank) in scored.drain(..).zip(ranks) {
                let share = (rank - 0.5) / count;
                let place = (share * people.len() as f64) as usize;
                if let Some(value) = people.get(place.min(people.len() - 1)) {
                    units[at].ratings.push((who, *value));
                }
            }
        }
        for unit in &mut self.units[Asked::Votes.place()] {
            let of = |i: usize| Some(scores.get(unit.candidates.get(i)?)?.aggregate.mean);
            if let (Some(a), Some(b)) = (of(0), of(1)) {
                let said = a.partial_cmp(&b).map_or(0.0, |o| f64::from(o as i8));
                unit.ratings.push((who, said));
            }
        }
    }
}

fn place(axis: Axis) -> usize {
    match axis {
        Axis::InstructionFollowing => 0,
        Axis::VisualQuality => 1,
    }
}
