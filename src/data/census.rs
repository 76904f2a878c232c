//! What a data set consists of: the tables that papers print of theirs.

use std::collections::BTreeMap;

use serde::Serialize;

use super::store::{Workspace, WorkspaceError};
use crate::domain::{Axis, Choice, Group, JudgedOn, Labels, Pairing, Ties, human_scores};

/// Differences of mean scores below this are rounding: thirds do not add up exactly.
const ROUNDING: f64 = 1e-9;

/// What a data set consists of.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Census {
    /// Groups in all.
    pub groups: usize,
    /// Candidates in all.
    pub candidates: usize,
    /// Source images, by path.
    pub sources: usize,
    /// Labels in all.
    pub labels: usize,
    /// Of these, how many a program made.
    pub simulated_labels: usize,
    /// Votes in all.
    pub votes: usize,
    /// Ratings on other scales in all.
    pub ratings: usize,
    /// How many groups have so many candidates.
    pub sizes: BTreeMap<usize, usize>,
    /// By the data set they came with.
    pub sets: Vec<Part>,
    /// By the part of the data they are in.
    pub splits: Vec<Part>,
    /// By the kind of edit.
    pub categories: Vec<Part>,
    /// By editor.
    pub editors: Vec<Editor>,
    /// Of labels, on each axis.
    pub axes: Vec<Distribution>,
    /// Of pairs of candidates with labels, on each axis and overall.
    pub pairs: Vec<Pairs>,
    /// Overall ties in which the axes disagree: each becomes two pairs when ties are disentangled.
    pub opposite_ties: usize,
    /// Of votes, on each axis and overall.
    pub voted: Vec<Voted>,
    /// Of ratings, by name.
    pub rated: Vec<Rated>,
    /// By annotator.
    pub annotators: Vec<Annotator>,
}

/// Groups that have something in common.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Part {
    /// What; `None` for those of which it is not known.
    pub name: Option<String>,
    /// How many groups.
    pub groups: usize,
    /// How many candidates they have.
    pub candidates: usize,
    /// How many pairs of candidates with a clear preference (labels, or votes where there are none) overall.
    pub preferences: usize,
}

/// An editor model.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Editor {
    /// Its name; `None` for candidates of which it is not known.
    pub name: Option<String>,
    /// How many candidates it made.
    pub candidates: usize,
    /// The mean of its candidates' mean labels on instruction following, 1-4.
    #[serde(rename = "if")]
    pub instruction_following: Option<f64>,
    /// The same on visual quality.
    #[serde(rename = "vq")]
    pub visual_quality: Option<f64>,
}

/// Labels on one axis.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Distribution {
    /// The axis.
    pub axis: &'static str,
    /// How many labels are 1, 2, 3, 4.
    pub counts: [usize; 4],
    /// How many lie between these.
    pub between: usize,
    /// The mean label.
    pub mean: Option<f64>,
}

/// Pairs of labelled candidates of a group.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Pairs {
    /// The axis, or "overall".
    pub on: &'static str,
    /// How many have different mean scores.
    pub clear: usize,
    /// How many have the same.
    pub tied: usize,
}

/// Votes on one question.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Voted {
    /// The axis, or "overall".
    pub on: &'static str,
    /// How many prefer one of the two.
    pub clear: usize,
    /// How many say tie.
    pub tie: usize,
    /// How many say that both are good.
    pub both_good: usize,
    /// How many say that both are bad.
    pub both_bad: usize,
}

/// Ratings of one name.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Rated {
    /// What is rated.
    pub name: String,
    /// How many.
    pub count: usize,
    /// The lowest.
    pub lowest: f64,
    /// The highest.
    pub highest: f64,
    /// The mean.
    pub mean: f64,
}

/// An annotator.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Annotator {
    /// The name.
    pub name: String,
    /// Labels, votes and ratings given.
    pub judgements: usize,
    /// Of these, how many a program made.
    pub simulated: usize,
}

impl Workspace {
    /// Counts what the workspace consists of, a group in memory at a time.
    pub fn census(&self) -> Result<Census, WorkspaceError> {
        let mut counting = Counting::default();
        self.each_group(|group| {
            counting.add(&group);
            Ok(())
        })?;
        let mut census = counting.done();
        census.sources = self.source_count()?;
        Ok(census)
    }
}

/// Sums of labels on the two axes and how many there are.
type Means = [(f64, usize); 2];

#[derive(Default)]
struct Counting {
    census: Census,
    sets: BTreeMap<Option<String>, Part>,
    splits: BTreeMap<Option<String>, Part>,
    categories: BTreeMap<Option<String>, Part>,
    editors: BTreeMap<Option<String>, (usize, Means)>,
    labels: [([usize; 4], usize, f64); 2],
    /// Clear and tied pairs, overall and on the axes.
    pairs: [(usize, usize); 3],
    votes: BTreeMap<Option<Axis>, [usize; 5]>,
    ratings: BTreeMap<String, (usize, f64, f64, f64)>,
    annotators: BTreeMap<String, Annotator>,
}

impl Counting {
    fn add(&mut self, group: &Group) {
        let preferences = Pairing {
            axes: JudgedOn::Overall,
            labels: Labels::Hard,
            ties: Ties::Drop,
            least_difference: 0.0,
            least_agreement: 0.0,
        };
        let preferences = preferences.of_group(group).len();
        for (parts, name) in [
            (&mut self.sets, &group.set),
            (&mut self.splits, &group.split),
            (&mut self.categories, &group.category),
        ] {
            let part = parts.entry(name.clone()).or_default();
            part.groups += 1;
            part.candidates += group.candidates.len();
            part.preferences += preferences;
        }
        self.census.groups += 1;
        self.census.candidates += group.candidates.len();
        *self.census.sizes.entry(group.candidates.len()).or_default() += 1;
        self.judgements(group);
        self.scores(group);
    }

    fn judgements(&mut self, group: &Group) {
        for candidate in &group.candidates {
            for label in &candidate.labels {
                self.said(&label.annotator, label.simulated);
                self.census.labels += 1;
                self.census.simulated_labels += usize::from(label.simulated);
                let (counts, between, sum) = &mut self.labels[place(label.axis)];
                match [1.0, 2.0, 3.0, 4.0].iter().position(|s| *s == label.score) {
                    Some(score) => counts[score] += 1,
                    None => *between += 1,
                }
                *sum += label.score;
            }
            for rating in &candidate.ratings {
                self.said(&rating.annotator, false);
                self.census.ratings += 1;
                let entry = self.ratings.entry(rating.name.clone());
                let all = entry.or_insert((0, f64::INFINITY, f64::NEG_INFINITY, 0.0));
                all.0 += 1;
                all.1 = all.1.min(rating.value);
                all.2 = all.2.max(rating.value);
                all.3 += rating.value;
            }
        }
        for vote in &group.votes {
            self.said(&vote.annotator, vote.simulated);
            self.census.votes += 1;
            let choice = Choice::ALL.iter().position(|c| *c == vote.choice);
            self.votes.entry(vote.axis).or_default()[choice.unwrap_or(0)] += 1;
        }
    }

    fn said(&mut self, annotator: &str, simulated: bool) {
        // Looked up before it is made: a name is met a million times.
        if !self.annotators.contains_key(annotator) {
            self.annotators
                .insert(annotator.to_owned(), Annotator::default());
        }
        if let Some(row) = self.annotators.get_mut(annotator) {
            row.judgements += 1;
            row.simulated += usize::from(simulated);
        }
    }

    /// Editors' means, and pairs by mean score.
    fn scores(&mut self, group: &Group) {
        let scores = human_scores(&group.candidates);
        for (candidate, score) in group.candidates.iter().zip(&scores) {
            let (made, means) = self.editors.entry(candidate.editor.clone()).or_default();
            *made += 1;
            for axis in Axis::ALL {
                if let Some(score) = score.on(axis) {
                    means[place(axis)].0 += score;
                    means[place(axis)].1 += 1;
                }
            }
        }
        for (i, a) in scores.iter().enumerate() {
            for b in &scores[i + 1..] {
                let differences = [
                    a.overall().zip(b.overall()),
                    a.on(Axis::ALL[0]).zip(b.on(Axis::ALL[0])),
                    a.on(Axis::ALL[1]).zip(b.on(Axis::ALL[1])),
                ]
                .map(|both| both.map(|(x, y)| x - y));
                for (count, difference) in self.pairs.iter_mut().zip(differences) {
                    match difference.map(|d| d.abs() < ROUNDING) {
                        Some(true) => count.1 += 1,
                        Some(false) => count.0 += 1,
                        None => {}
                    }
                }
                if let [Some(overall), Some(following), Some(_)] = differences
                    && overall.abs() < ROUNDING
                    && following.abs() >= ROUNDING
                {
                    self.census.opposite_ties += 1;
                }
            }
        }
    }

    fn done(self) -> Census {
        let axes = Axis::ALL.into_iter().zip(self.labels);
        let axes = axes.map(|(axis, (counts, between, sum))| {
            let all = counts.iter().sum::<usize>() + between;
            Distribution {
                axis: axis.key(),
                counts,
                between,
                mean: mean(sum, all),
            }
        });
        let on = ["overall", Axis::ALL[0].key(), Axis::ALL[1].key()];
        let pairs = on.into_iter().zip(self.pairs);
        let pairs = pairs.map(|(on, (clear, tied))| Pairs { on, clear, tied });
        let voted = self.votes.into_iter().map(|(axis, counts)| Voted {
            on: axis.map_or("overall", |axis| axis.key()),
            clear: counts[0] + counts[1],
            tie: counts[2],
            both_good: counts[3],
            both_bad: counts[4],
        });
        let rated = self.ratings.into_iter().map(|(name, all)| Rated {
            name,
            count: all.0,
            lowest: all.1,
            highest: all.2,
            mean: all.3 / all.0 as f64,
        });
        let editors = self.editors.into_iter();
        let editors = editors.map(|(name, (candidates, means))| Editor {
            name,
            candidates,
            instruction_following: mean(means[0].0, means[0].1),
            visual_quality: mean(means[1].0, means[1].1),
        });
        let annotators = self.annotators.into_iter();
        let annotators = annotators.map(|(name, row)| Annotator { name, ..row });
        Census {
            sets: parts(self.sets),
            splits: parts(self.splits),
            categories: parts(self.categories),
            editors: editors.collect(),
            axes: axes.collect(),
            pairs: pairs.collect(),
            voted: voted.collect(),
            rated: rated.collect(),
            annotators: annotators.collect(),
            ..self.census
        }
    }
}

fn parts(parts: BTreeMap<Option<String>, Part>) -> Vec<Part> {
    let named = |(name, part)| Part { name, ..part };
    parts.into_iter().map(named).collect()
}

fn mean(sum: f64, count: usize) -> Option<f64> {
    (count > 0).then(|| sum / count as f64)
}

fn place(axis: Axis) -> usize {
    match axis {
        Axis::InstructionFollowing => 0,
        Axis::VisualQuality => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GROUPS: &str = r#"{"id":"g","source":"s.png","instruction":"x","category":"colour","set":"one","split":"train","candidates":[{"id":"a","image":"a.png","editor":"flux","labels":[{"annotator":"x","if":4,"vq":1},{"annotator":"y","if":4,"vq":1,"simulated":true}]},{"id":"b","image":"b.png","editor":"omni","labels":[{"annotator":"x","if":2.5,"vq":2.5}]},{"id":"c","image":"c.png","editor":"flux","labels":[{"annotator":"x","if":4,"vq":1}],"ratings":[{"annotator":"r","name":"sc","value":0.5}]}]}
{"id":"h","source":"s.png","instruction":"y","candidates":[{"id":"a","image":"d.png"},{"id":"b","image":"e.png"}],"votes":[{"annotator":"x","a":"b","b":"a","choice":"a"},{"annotator":"y","a":"a","b":"b","choice":"both-bad","axis":"vq"}]}"#;

    fn census() -> Census {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("groups.jsonl");
        std::fs::write(&file, GROUPS).unwrap();
        let workspace = Workspace::create(dir.path()).unwrap();
        workspace.import_jsonl(&file).unwrap();
        workspace.census().unwrap()
    }

    #[test]
    fn groups_candidates_sources_and_judgements_are_counted() {
        let census = census();
        assert_eq!(
            (census.groups, census.candidates, census.sources),
            (2, 5, 1)
        );
        assert_eq!(
            (
                census.labels,
                census.simulated_labels,
                census.votes,
                census.ratings
            ),
            (8, 2, 2, 1)
        );
        assert_eq!(census.sizes, BTreeMap::from([(2, 1), (3, 1)]));
        let named: Vec<_> = census
            .annotators
            .iter()
            .map(|a| (a.name.as_str(), a.judgements, a.simulated))
            .collect();
        assert_eq!(named, [("r", 1, 0), ("x", 7, 0), ("y", 3, 2)]);
    }

    #[test]
    fn parts_count_their_groups_and_what_is_not_known_is_a_part_too() {
        let census = census();
        let part = |name: Option<&str>, groups, candidates, preferences| Part {
            name: name.map(str::to_owned),
            groups,
            candidates,
            preferences,
        };
        // The first group ties overall (5 each); the second has a vote.
        assert_eq!(
            census.sets,
            [part(None, 1, 2, 1), part(Some("one"), 1, 3, 0)]
        );
        assert_eq!(census.splits[1], part(Some("train"), 1, 3, 0));
        assert_eq!(census.categories[1], part(Some("colour"), 1, 3, 0));
    }

    #[test]
    fn labels_pairs_ties_and_editors_are_told_axis_by_axis() {
        let census = census();
        let following = &census.axes[0];
        assert_eq!((following.counts, following.between), ([0, 0, 0, 3], 1));
        assert!((following.mean.unwrap() - 14.5 / 4.0).abs() < 1e-12);
        let pairs: Vec<_> = census
            .pairs
            .iter()
            .map(|p| (p.on, p.clear, p.tied))
            .collect();
        assert_eq!(pairs, [("overall", 0, 3), ("if", 2, 1), ("vq", 2, 1)]);
        assert_eq!(census.opposite_ties, 2);
        let flux = &census.editors[1];
        assert_eq!((flux.name.as_deref(), flux.candidates), (Some("flux"), 2));
        assert_eq!(
            (flux.instruction_following, flux.visual_quality),
            (Some(4.0), Some(1.0))
        );
        assert_eq!(census.editors[0].instruction_following, None);
    }

    #[test]
    fn votes_and_ratings_are_told_as_they_are() {
        let census = census();
        let voted: Vec<_> = census
            .voted
            .iter()
            .map(|v| (v.on, v.clear, v.tie, v.both_bad))
            .collect();
        assert_eq!(voted, [("overall", 1, 0, 0), ("vq", 0, 0, 1)]);
        assert_eq!(
            (census.rated[0].name.as_str(), census.rated[0].mean),
            ("sc", 0.5)
        );
    }
}
