//! The labelled groups of a workspace as a benchmark: the researcher's own data, measured as the published sets are.

use std::collections::BTreeMap;
use std::path::Path;

use super::pairs::{self, Clusters};
use crate::bench::answer::Said;
use crate::bench::case::{Case, Dataset, Edit, Truth, Vote};
use crate::bench::error::BenchError;
use crate::bench::protocol::{
    About, Answered, FigureAbout, Prepared, Protocol, Table, Unanswered, Unit, Verdict,
};
use crate::bench::scorer::Ask;
use crate::data::{Workspace, WorkspaceError};
use crate::domain::stats::{Judged, Share, Statistic, tuple_right};
use crate::domain::{Axis, Group, HumanScore, human_scores};

/// The labelled groups of a workspace.
pub(super) struct Labelled;

const ABOUT: About = About {
    key: "workspace",
    name: "labelled groups of the workspace",
    publisher: "whoever labelled them; simulated labels are simulated",
    protocol: "Pairs of a group whose mean labels differ (equal ones are left out), overall (IF + VQ) and on each axis: right when \
               the better has the higher score. 'K=3' and 'K=4': all strictly ordered triples and quadruples, right when all of \
               their pairs are. 'with ties': overall pairs, equal ones too, with the best threshold.",
    data: "a workspace with labels",
    columns: &[("overall", "workspace"), ("if", "IF"), ("vq", "VQ")],
    unit: Unit::Percent,
};

/// Differences of mean scores below this are rounding: thirds do not add up exactly.
const ROUNDING: f64 = 1e-9;

impl Protocol for Labelled {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn read(&self, data: &Path) -> Result<Dataset, BenchError> {
        let workspace = Workspace::open(data)?;
        let groups = labelled(&workspace)?;
        if groups.is_empty() {
            return Err(BenchError::NoData {
                path: data.to_owned(),
                benchmark: ABOUT.key,
                wanted: "no group of it has two labelled candidates".into(),
            });
        }
        let mut set = Dataset {
            root: workspace.root().to_owned(),
            ..Dataset::default()
        };
        let mut text = String::new();
        for group in groups {
            text.push_str(&serde_json::to_string(&group).unwrap_or_default());
            set.cases.push(case(group));
        }
        set.fingerprint = crate::data::images::content_hash(text.as_bytes())
            .chars()
            .take(16)
            .collect();
        Ok(set)
    }

    fn ask(&self) -> Option<Ask> {
        Some(Ask::Scores)
    }

    fn prepare<'a>(&self, answered: &[Answered<'a>]) -> Prepared<'a> {
        Measured::new(answered).prepared(answered)
    }
}

/// The groups in which two candidates or more have labels.
pub(super) fn labelled(workspace: &Workspace) -> Result<Vec<Group>, WorkspaceError> {
    let mut groups = Vec::new();
    workspace.each_group(|group| {
        let scored = human_scores(&group.candidates);
        if scored.iter().filter(|s| s.overall().is_some()).count() > 1 {
            groups.push(group);
        }
        Ok(())
    })?;
    Ok(groups)
}

fn case(group: Group) -> Case {
    Case {
        truth: Truth::Axes(human_scores(&group.candidates)),
        edits: group
            .candidates
            .into_iter()
            .map(|candidate| Edit {
                editor: candidate.editor,
                image: Some(candidate.image),
            })
            .collect(),
        cluster: group.key.clone(),
        id: group.key,
        instruction: group.instruction,
        source: Some(group.source),
        category: group.category,
        recorded: BTreeMap::new(),
        unseen: None,
    }
}

/// A judgement on a pair of a group.
struct Row<'a> {
    case: &'a Case,
    edits: (usize, usize),
    axis: Option<Axis>,
    judged: Judged,
    p: Option<f64>,
    cluster: u32,
}

struct Measured<'a> {
    rows: Vec<Row<'a>>,
    /// Size, right, cluster.
    tuples: Vec<(usize, bool, u32)>,
    clusters: usize,
}

const AXES: [(Option<Axis>, &str, &str); 3] = [
    (None, "overall", "overall"),
    (
        Some(Axis::InstructionFollowing),
        "if",
        "instruction following",
    ),
    (Some(Axis::VisualQuality), "vq", "visual quality"),
];

impl<'a> Measured<'a> {
    fn new(answered: &[Answered<'a>]) -> Self {
        let mut clusters = Clusters::default();
        let mut all = Self {
            rows: Vec::new(),
            tuples: Vec::new(),
            clusters: 0,
        };
        for one in answered {
            let Truth::Axes(human) = &one.case.truth else {
                continue;
            };
            if matches!(
                one.said,
                Said::Nothing {
                    unparsed: false,
                    ..
                }
            ) {
                continue;
            }
            let cluster = clusters.number(one.case);
            all.pairs(*one, human, cluster);
            if let Said::Scores(scores) = one.said {
                let scores: Vec<Option<f64>> = scores.iter().map(|s| Some((*s)?.value)).collect();
                all.tuples(human, &scores, cluster);
            }
        }
        all.clusters = clusters.len();
        all
    }

    fn pairs(&mut self, one: Answered<'a>, human: &[HumanScore], cluster: u32) {
        for a in 0..human.len() {
            for b in a + 1..human.len() {
                for (axis, ..) in AXES {
                    let rated = |i: usize| axis.map_or(human[i].overall(), |x| human[i].on(x));
                    let (Some(x), Some(y)) = (rated(a), rated(b)) else {
                        continue;
                    };
                    let Some((difference, p)) = on_axis(one.said, (a, b), axis) else {
                        continue;
                    };
                    let human = match x - y {
                        d if d.abs() < ROUNDING => 0,
                        d if d > 0.0 => 1,
                        _ => -1,
                    };
                    self.rows.push(Row {
                        case: one.case,
                        edits: (a, b),
                        axis,
                        judged: Judged { human, difference },
                        p,
                        cluster,
                    });
                }
            }
        }
    }

    /// All strictly ordered triples and quadruples.
    fn tuples(&mut self, human: &[HumanScore], scores: &[Option<f64>], cluster: u32) {
        let rated: Vec<(f64, f64)> = human
            .iter()
            .zip(scores)
            .filter_map(|(h, s)| Some((h.overall()?, (*s)?)))
            .collect();
        let mut chosen = Vec::new();
        choose(&rated, 0, &mut chosen, &mut |chosen| {
            let mut best: Vec<usize> = (0..chosen.len()).collect();
            best.sort_by(|a, b| chosen[*b].0.total_cmp(&chosen[*a].0));
            let strict = best
                .windows(2)
                .all(|w| chosen[w[0]].0 - chosen[w[1]].0 > ROUNDING);
            if strict {
                let scores: Vec<f64> = chosen.iter().map(|c| c.1).collect();
                self.tuples
                    .push((chosen.len(), tuple_right(&scores, &best), cluster));
            }
        });
    }

    /// The judgements on an axis; only those on sources that the scorer has never seen, where asked for.
    fn table(&self, axis: Option<Axis>, unseen: bool) -> (pairs::Measured, usize) {
        let taken = |r: &&Row<'_>| r.axis == axis && (!unseen || r.case.unseen == Some(true));
        let rows = self.rows.iter().filter(taken);
        let rows: Vec<(Judged, u32)> = rows.map(|r| (r.judged, r.cluster)).collect();
        let strict = rows.iter().filter(|(j, _)| j.human != 0).count();
        (pairs::Measured::new(&rows), strict)
    }

    fn prepared(self, answered: &[Answered<'a>]) -> Prepared<'a> {
        let mut figures = Vec::new();
        let mut tables = Vec::new();
        for (axis, key, name) in AXES {
            let (table, strict) = self.table(axis, false);
            let mut about = FigureAbout::new(key, name, strict);
            about.floor = Some((0.5, "coin flips".into()));
            figures.push(about);
            tables.push(table);
        }
        for (k, floor) in [(3, 1.0 / 6.0), (4, 1.0 / 24.0)] {
            let of = self.tuples.iter().filter(|t| t.0 == k).count();
            let mut about = FigureAbout::new(&format!("k{k}"), &format!("K={k}, whole order"), of);
            about.floor = Some((floor, "a random score".into()));
            figures.push(about);
        }
        let overall = self.rows.iter().filter(|r| r.axis.is_none());
        let ties = tables[0].calibrated(&pairs::once(self.clusters));
        let mut about = FigureAbout::new("ties", "overall, with ties", overall.count());
        about.note = ties
            .ok()
            .and_then(|(_, epsilon)| epsilon)
            .map(|epsilon| format!("differences up to {epsilon:.4} are ties"));
        figures.push(about);
        let mut unseen = Vec::new();
        if self.rows.iter().any(|row| row.case.unseen == Some(true)) {
            for (axis, key, name) in AXES {
                let (table, strict) = self.table(axis, true);
                let (key, name) = (format!("unseen.{key}"), format!("{name}, unseen sources"));
                let mut about = FigureAbout::new(&key, &name, strict);
                about.floor = Some((0.5, "coin flips".into()));
                figures.push(about);
                unseen.push(table);
            }
        }
        let tuples = self.tuples.clone();
        Prepared {
            figures,
            clusters: self.clusters,
            tables: self.split(),
            verdicts: self.verdicts(),
            fixed: Vec::new(),
            judged: self
                .rows
                .iter()
                .filter(|r| r.axis.is_none() && r.judged.human != 0)
                .filter_map(|r| Some((r.p?, r.judged.human > 0)))
                .collect(),
            unanswered: Unanswered::among(answered),
            measure: Box::new(move |weights| {
                let mut all: Vec<Statistic> =
                    tables.iter().map(|table| table.strict(weights)).collect();
                for k in [3, 4] {
                    let (mut right, mut of) = (0.0, 0.0);
                    for (_, hit, cluster) in tuples.iter().filter(|t| t.0 == k) {
                        let weight = f64::from(weights[*cluster as usize]);
                        of += weight;
                        right += weight * f64::from(u8::from(*hit));
                    }
                    all.push(Share { right, of }.value());
                }
                all.push(tables[0].calibrated_accuracy(weights));
                all.extend(unseen.iter().map(|table| table.strict(weights)));
                all
            }),
        }
    }

    /// By kind of edit and by editor.
    fn split(&self) -> Vec<Table> {
        let kinds = self.table_by("kind of edit", |row| {
            vec![row.case.category.as_deref().unwrap_or("-")]
        });
        let editors = self.table_by("editor: pairs with its edits", |row| {
            let editor = |i: usize| row.case.edits[i].editor.as_deref().unwrap_or("-");
            vec![editor(row.edits.0), editor(row.edits.1)]
        });
        vec![kinds, editors]
    }

    fn table_by(&self, title: &str, names: impl Fn(&Row<'a>) -> Vec<&'a str>) -> Table {
        let mut counts: BTreeMap<&str, [(f64, f64); 3]> = BTreeMap::new();
        for row in self.rows.iter().filter(|r| r.judged.human != 0) {
            let Some(at) = AXES.iter().position(|(axis, ..)| *axis == row.axis) else {
                continue;
            };
            for name in names(row) {
                let count = &mut counts.entry(name).or_default()[at];
                count.0 += f64::from(u8::from(right(row.judged)));
                count.1 += 1.0;
            }
        }
        let first = title.split(':').next().unwrap_or(title);
        let head = [first, "overall", "IF", "VQ", "pairs"];
        Table {
            title: format!("by {title}"),
            columns: head.map(Into::into).into(),
            rows: counts
                .into_iter()
                .map(|(name, counts)| {
                    let mut cells: Vec<Option<f64>> = counts
                        .iter()
                        .map(|(right, of)| (*of > 0.0).then(|| right / of))
                        .collect();
                    cells.push(Some(counts[0].1));
                    (name.to_owned(), cells)
                })
                .collect(),
        }
    }

    fn verdicts(&self) -> Vec<Verdict> {
        self.rows
            .iter()
            .filter(|row| row.judged.human != 0)
            .map(|row| {
                let votes = [f64::from(row.judged.human), row.judged.difference].map(Vote::of);
                let [truth, said] = votes.map(|vote| vote.in_words(row.edits));
                let (axis, figure) = match row.axis {
                    None => ("overall", "overall"),
                    Some(Axis::InstructionFollowing) => ("IF", "if"),
                    Some(Axis::VisualQuality) => ("VQ", "vq"),
                };
                let difference = row.judged.difference;
                Verdict {
                    case: row.case.id.clone(),
                    edits: vec![row.edits.0, row.edits.1],
                    truth: format!("{axis}: {truth}"),
                    said: format!("{said} by {:.3}", difference.abs()),
                    votes: Some(votes),
                    right: f64::from(u8::from(right(row.judged))),
                    weight: row.p.map_or(difference.abs(), |p| p.max(1.0 - p)),
                    category: row.case.category.clone(),
                    figures: vec![figure.into()],
                }
            })
            .collect()
    }
}

fn right(judged: Judged) -> bool {
    judged.difference * f64::from(judged.human) > 0.0
}

/// The scorer's difference of two edits on an axis, or overall, and P(first ≻ second) overall.
fn on_axis(said: &Said, (a, b): (usize, usize), axis: Option<Axis>) -> Option<(f64, Option<f64>)> {
    let Some(axis) = axis else {
        let (difference, _, p) = pairs::compared(said, (a, b))?;
        return Some((difference, p));
    };
    let Said::Scores(scores) = said else {
        return None;
    };
    let score = |i: usize| {
        let score = (*scores.get(i)?)?;
        // A scorer of one number is held against each axis with it.
        let [following, looks] = score.axes.unwrap_or([score.value; 2]);
        Some(match axis {
            Axis::InstructionFollowing => following,
            Axis::VisualQuality => looks,
        })
    };
    Some((score(a)? - score(b)?, None))
}

/// Calls `found` with each choice of three or four of `all`, in their order.
fn choose(
    all: &[(f64, f64)],
    from: usize,
    chosen: &mut Vec<(f64, f64)>,
    found: &mut impl FnMut(&[(f64, f64)]),
) {
    if chosen.len() >= 3 {
        found(chosen);
    }
    if chosen.len() == 4 {
        return;
    }
    for (i, one) in all.iter().enumerate().skip(from) {
        chosen.push(*one);
        choose(all, i + 1, chosen, found);
        chosen.pop();
    }
}
