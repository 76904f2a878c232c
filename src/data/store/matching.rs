//! Which candidates a query holds of. One pass over a snapshot in the order of import; what costs a look-up of its own (labels,
//! scores, measures, tags) is looked up only where the query still hangs on it.

use std::cell::{OnceCell, RefCell};

use rusqlite::{Connection, OptionalExtension, Statement, params};

use super::error::{Fault, WorkspaceError};
use super::hashes::model_id;
use super::scores::score_key;
use super::{Workspace, count, measures};
use crate::domain::query::{Facts, Field, Number, Query, Text};
use crate::domain::{Axis, CandidateId, Extent, GroupId, Measures, Scope};

/// A candidate that a query holds of.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Match {
    /// Its group.
    pub group: GroupId,
    /// Itself.
    pub candidate: CandidateId,
    /// What the query orders by, if it does and there is a value.
    pub value: Option<f64>,
}

/// How many candidates are gone through between two looks at whether to stop.
const STRIDE: usize = 1024;

impl Workspace {
    /// The candidates that `query` holds of, in its order (those without a value at the end), else in the order of import. The
    /// model's scores are those under `fingerprint`; images are taken for what they were when they were last read. `stop` is
    /// asked now and then, and makes it `None`.
    pub fn matching(
        &self,
        query: &Query,
        fingerprint: Option<&str>,
        stop: &dyn Fn() -> bool,
    ) -> Result<Option<Vec<Match>>, WorkspaceError> {
        let found = self.read(|db| {
            let model = match fingerprint {
                Some(fingerprint) => model_id(db, fingerprint)?,
                None => None,
            };
            scan(db, query, model, stop)
        })?;
        Ok(found.map(|mut matches| {
            if let Some((_, descending)) = query.order() {
                matches.sort_by(|a, b| by_value(a.value, b.value, descending));
            }
            matches
        }))
    }
}

/// Equal ones stay as they are; those without a value come last either way.
fn by_value(a: Option<f64>, b: Option<f64>, descending: bool) -> std::cmp::Ordering {
    match (a, b) {
        (Some(a), Some(b)) if descending => b.total_cmp(&a),
        (Some(a), Some(b)) => a.total_cmp(&b),
        (a, b) => b.is_some().cmp(&a.is_some()),
    }
}

fn scan(
    db: &Connection,
    query: &Query,
    model: Option<i64>,
    stop: &dyn Fn() -> bool,
) -> Result<Option<Vec<Match>>, Fault> {
    let looks = Looks::new(db, model)?;
    let mut select = db.prepare(
        "SELECT c.id, c.group_id, c.key, c.editor, c.fault, e.hash,
                g.key, g.instruction, g.category, g.data_set, g.split, g.agreement, g.candidates, s.hash
         FROM groups g JOIN images s ON s.id = g.source
         JOIN candidates c ON c.group_id = g.id JOIN images e ON e.id = c.image
         ORDER BY g.id, c.position",
    )?;
    let (mut rows, mut found, mut at) = (select.query([])?, Vec::new(), 0_usize);
    while let Some(row) = rows.next()? {
        if at.is_multiple_of(STRIDE) && stop() {
            return Ok(None);
        }
        at += 1;
        let candidate = Row {
            id: row.get(0)?,
            candidate: row.get(2)?,
            editor: row.get(3)?,
            fault: row.get(4)?,
            hash: row.get(5)?,
            group: row.get(6)?,
            instruction: row.get(7)?,
            category: row.get(8)?,
            set: row.get(9)?,
            split: row.get(10)?,
            agreement: row.get(11)?,
            candidates: count(row.get(12)?),
            source_hash: row.get(13)?,
        };
        let known = Known {
            row: &candidate,
            looks: &looks,
            labels: OnceCell::new(),
            reward: OnceCell::new(),
            measures: OnceCell::new(),
        };
        if query.holds(&known) {
            found.push(Match {
                group: GroupId(row.get(1)?),
                candidate: CandidateId(candidate.id),
                value: query.order().and_then(|(number, _)| known.number(number)),
            });
        }
        if let Some(fault) = looks.problem.take() {
            return Err(fault);
        }
    }
    Ok(Some(found))
}

/// What stands in the tables of groups and candidates.
struct Row {
    id: i64,
    candidate: String,
    editor: Option<String>,
    fault: Option<String>,
    hash: Option<String>,
    group: String,
    instruction: String,
    category: Option<String>,
    set: Option<String>,
    split: Option<String>,
    agreement: Option<f64>,
    candidates: usize,
    source_hash: Option<String>,
}

/// The look-ups, prepared once, and the first thing that went wrong with one.
struct Looks<'a> {
    model: Option<i64>,
    measures: RefCell<Statement<'a>>,
    labels: RefCell<Statement<'a>>,
    scores: RefCell<Statement<'a>>,
    tags: RefCell<Statement<'a>>,
    selections: RefCell<Statement<'a>>,
    problem: RefCell<Option<Fault>>,
}

impl<'a> Looks<'a> {
    fn new(db: &'a Connection, model: Option<i64>) -> Result<Self, Fault> {
        Ok(Self {
            model,
            measures: RefCell::new(db.prepare(measures::SELECT)?),
            labels: RefCell::new(db.prepare(
                "SELECT avg(score) FILTER (WHERE axis = 'if'), avg(score) FILTER (WHERE axis = 'vq'), count(DISTINCT annotator)
                 FROM labels WHERE candidate = ?1",
            )?),
            scores: RefCell::new(db.prepare(
                "SELECT mean, log_sigma, if_mean, if_log_sigma, vq_mean, vq_log_sigma FROM scores WHERE model = ?1 AND key = ?2",
            )?),
            tags: RefCell::new(db.prepare("SELECT tag FROM tags WHERE candidate = ?1")?),
            selections: RefCell::new(db.prepare(
                // The name alone means the newest version.
                "SELECT CASE WHEN s.version = (SELECT max(version) FROM selections t WHERE t.name = s.name)
                             THEN s.name ELSE s.name || '@' || s.version END
                 FROM selected d JOIN selections s ON s.id = d.selection WHERE d.candidate = ?1
                 UNION SELECT s.name || '@' || s.version
                 FROM selected d JOIN selections s ON s.id = d.selection WHERE d.candidate = ?1",
            )?),
            problem: RefCell::new(None),
        })
    }

    /// What a look-up found; nothing, and the problem noted, if it went wrong.
    fn noted<T: Default>(&self, result: Result<T, Fault>) -> T {
        result.unwrap_or_else(|fault| {
            self.problem.borrow_mut().get_or_insert(fault);
            T::default()
        })
    }

    fn labels(&self, candidate: i64) -> Result<Human, Fault> {
        let mut select = self.labels.borrow_mut();
        Ok(select.query_row([candidate], |row| {
            Ok(Human {
                axes: [row.get(0)?, row.get(1)?],
                annotators: row.get::<_, i64>(2)? as f64,
            })
        })?)
    }

    /// Means and log sigmas: overall, IF, VQ.
    fn scores(&self, row: &Row) -> Result<[Option<f64>; 6], Fault> {
        let (Some(model), Some(source), Some(hash)) = (self.model, &row.source_hash, &row.hash)
        else {
            return Ok([None; 6]);
        };
        let key = score_key(source, hash, &row.instruction);
        let mut select = self.scores.borrow_mut();
        let found = select
            .query_row(params![model, key], |row| {
                let mut numbers = [None; 6];
                for (at, number) in numbers.iter_mut().enumerate() {
                    *number = row.get(at)?;
                }
                Ok(numbers)
            })
            .optional()?;
        Ok(found.unwrap_or_default())
    }

    fn measures(&self, row: &Row) -> Result<Measures, Fault> {
        let (Some(source), Some(hash)) = (&row.source_hash, &row.hash) else {
            return Ok(Measures::default());
        };
        Ok(measures::find(&mut self.measures.borrow_mut(), source, hash)?.unwrap_or_default())
    }

    fn words(
        select: &RefCell<Statement<'a>>,
        candidate: i64,
        each: &mut dyn FnMut(&str) -> bool,
    ) -> Result<(), Fault> {
        let mut select = select.borrow_mut();
        let mut rows = select.query([candidate])?;
        while let Some(row) = rows.next()? {
            if each(row.get_ref(0)?.as_str()?) {
                break;
            }
        }
        Ok(())
    }
}

/// What people said: the means on IF and VQ.
#[derive(Default)]
struct Human {
    axes: [Option<f64>; 2],
    annotators: f64,
}

/// A candidate, as far as it had to be looked up.
struct Known<'a, 'db> {
    row: &'a Row,
    looks: &'a Looks<'db>,
    labels: OnceCell<Human>,
    reward: OnceCell<[Option<f64>; 6]>,
    measures: OnceCell<Measures>,
}

impl Known<'_, '_> {
    fn human(&self) -> &Human {
        self.labels
            .get_or_init(|| self.looks.noted(self.looks.labels(self.row.id)))
    }

    fn measures(&self) -> &Measures {
        self.measures
            .get_or_init(|| self.looks.noted(self.looks.measures(self.row)))
    }

    fn reward(&self, part: usize) -> Option<f64> {
        self.reward
            .get_or_init(|| self.looks.noted(self.looks.scores(self.row)))[part]
    }
}

/// Where an axis stands among overall, IF and VQ.
const fn place(axis: Option<Axis>) -> usize {
    match axis {
        None => 0,
        Some(Axis::InstructionFollowing) => 1,
        Some(Axis::VisualQuality) => 2,
    }
}

impl Facts for Known<'_, '_> {
    fn number(&self, field: Number) -> Option<f64> {
        match field {
            Number::Mean(axis) => self.reward(2 * place(axis)),
            Number::Sigma(axis) => self.reward(2 * place(axis) + 1).map(f64::exp),
            Number::Human(None) => {
                let [a, b] = self.human().axes;
                Some(a? + b?)
            }
            Number::Human(axis) => self.human().axes[place(axis) - 1],
            Number::Annotators => Some(self.human().annotators),
            Number::Agreement => self.row.agreement,
            Number::Candidates => Some(self.row.candidates as f64),
            Number::Measured(measure) => self.measures().get(measure),
        }
    }

    fn texts(&self, field: Text, each: &mut dyn FnMut(&str) -> bool) {
        let row = self.row;
        let one = match field {
            Text::Instruction => Some(&row.instruction),
            Text::Group => Some(&row.group),
            Text::Candidate => Some(&row.candidate),
            Text::Category => row.category.as_ref(),
            Text::Editor => row.editor.as_ref(),
            Text::Set => row.set.as_ref(),
            Text::Split => row.split.as_ref(),
            Text::Fault => row.fault.as_ref(),
            Text::Scope => {
                // Measures are looked up only where the words leave it open.
                let measured = || Extent::of(self.measures()).map(|e| Scope::measured(&e));
                if let Some(scope) = Scope::judge(None, &row.instruction).or_else(measured) {
                    each(scope.name());
                }
                return;
            }
            Text::Tag | Text::Selection => {
                let select = match field {
                    Text::Tag => &self.looks.tags,
                    _ => &self.looks.selections,
                };
                return self.looks.noted(Looks::words(select, row.id, each));
            }
        };
        if let Some(text) = one {
            each(text);
        }
    }
}

/// What a query needs that may not be there yet, for advice: whether it looks at the model's scores, and at measures.
pub fn needs(query: &Query) -> (bool, bool) {
    let fields = query.fields();
    let any = |wanted: fn(&Number) -> bool| {
        fields
            .iter()
            .any(|field| matches!(field, Field::Number(number) if wanted(number)))
    };
    (
        any(|n| matches!(n, Number::Mean(_) | Number::Sigma(_))),
        any(|n| matches!(n, Number::Measured(_))) || fields.contains(&Field::Text(Text::Scope)),
    )
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;
    use crate::domain::{Gaussian, Measure, Reward};

    fn workspace() -> (tempfile::TempDir, Workspace) {
        let dir = tempfile::tempdir().unwrap();
        let mut text = String::new();
        for n in 1..=3 {
            std::fs::write(dir.path().join(format!("s{n}.png")), format!("s{n}")).unwrap();
            let mut candidates = Vec::new();
            for (key, score) in [("a", 1), ("b", 4)] {
                let image = format!("{key}{n}.png");
                std::fs::write(dir.path().join(&image), &image).unwrap();
                candidates.push(format!(
                    r#"{{"id": "{key}", "image": "{image}", "editor": "Flux-{n}", "labels": [{{"annotator": "ann", "if": {score}, "vq": 2}}]}}"#
                ));
            }
            let _ = writeln!(
                text,
                "{{\"id\": \"g{n}\", \"source\": \"s{n}.png\", \"instruction\": \"make it {n}\", \"candidates\": [{}]}}",
                candidates.join(", ")
            );
        }
        let file = dir.path().join("groups.jsonl");
        std::fs::write(&file, text).unwrap();
        let workspace = Workspace::create(dir.path()).unwrap();
        workspace.import_jsonl(&file).unwrap();
        for n in 1..=3 {
            let id = GroupId(n);
            let hashes = workspace.hashes(id).unwrap();
            let source = hashes.source.unwrap();
            for (at, (candidate, hash)) in hashes.candidates.into_iter().enumerate() {
                let hash = hash.unwrap();
                let mut measures = Measures::default();
                measures.set(Measure::SatDelta, n as f64 / 10.0);
                workspace
                    .save_measures(&[(&source, &hash, measures)])
                    .unwrap();
                let of = |mean: f64| Gaussian::new(mean, 0.5_f64.ln());
                let reward = Reward {
                    instruction_following: Some(of(at as f64)),
                    visual_quality: Some(of(-(n as f64))),
                    aggregate: of(0.0),
                };
                workspace
                    .save_scores(id, "m", &source, &[(candidate, hash, reward)])
                    .unwrap();
            }
        }
        (dir, workspace)
    }

    fn keys(workspace: &Workspace, query: &str) -> Vec<(i64, i64)> {
        let query = Query::parse(query).unwrap();
        let found = workspace.matching(&query, Some("m"), &|| false);
        let found = found.unwrap().unwrap();
        found.iter().map(|m| (m.group.0, m.candidate.0)).collect()
    }

    #[test]
    fn labels_scores_measures_and_words_are_all_asked_in_one_query() {
        let (_dir, workspace) = workspace();
        workspace.tag(CandidateId(6), "odd", true).unwrap();
        let all = "sat_delta > 0.15 and if.mean > 0.5 and human.if > 2 and editor ~ flux and vq.sigma = 0.5";
        let found = keys(&workspace, all);
        assert_eq!(found, [(2, 4), (3, 6)]);
        assert_eq!(keys(&workspace, "tag = odd"), [(3, 6)]);
        assert_eq!(keys(&workspace, "human = 6 and split = none").len(), 3);
        assert_eq!(keys(&workspace, "instruction ~ \"it 2\"").len(), 2);
        let vivid = CandidateId(3);
        workspace
            .save_selection("mine", "by hand", 1, &[vivid])
            .unwrap();
        assert_eq!(keys(&workspace, "selection = mine"), [(2, 3)]);
    }

    #[test]
    fn matches_come_in_the_order_asked_for_without_a_value_last() {
        let (_dir, workspace) = workspace();
        let first = |query: &str| keys(&workspace, query)[0].0;
        assert_eq!(first("sort by sat_delta"), 1);
        assert_eq!(first("sort by sat_delta desc"), 3);
        assert_eq!(first("sort by vq.mean"), 3);
        let unordered = Query::parse("sort by noise_delta desc").unwrap();
        let found = workspace.matching(&unordered, None, &|| false).unwrap();
        assert!(found.unwrap().iter().all(|m| m.value.is_none()));
    }

    #[test]
    fn a_scan_that_is_not_wanted_any_more_ends_with_nothing() {
        let (_dir, workspace) = workspace();
        let found = workspace.matching(&Query::default(), None, &|| true);
        assert_eq!(found.unwrap(), None);
    }

    #[test]
    fn a_query_tells_what_it_needs() {
        let needs = |text| needs(&Query::parse(text).unwrap());
        assert_eq!(needs("editor ~ a"), (false, false));
        assert_eq!(needs("vq.sigma > 1 sort by sat_delta"), (true, true));
    }
}
