//! `--where`: the candidates that a query chooses, for every verb that takes a part of a workspace.

use std::collections::HashSet;

use clap::Args;
use unicode_width::UnicodeWidthStr as _;

use super::print;
use crate::data::{Match, Workspace, WorkspaceError, needs};
use crate::domain::GroupId;
use crate::domain::query::{Field, Query, QueryError};
use crate::domain::text::printable;
use crate::workbench::Workbench;

/// How many characters of a fingerprint stand for a model that is known by nothing else.
const SHORT: usize = 12;

/// The flags of a verb that can be told which part of a workspace is meant.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct WhereArgs {
    /// Only where this holds, such as 'sat_delta > 0.15 and human.vq <= 2'; 'erw data fields' lists the fields
    #[arg(long = "where", value_name = "QUERY")]
    pub(super) query: Option<String>,
}

impl WhereArgs {
    /// The candidates for which the query holds, in its order; `None` without a query. The scores that it means are those of the
    /// model that `bench` has chosen.
    pub(super) fn matches(
        &self,
        workspace: &Workspace,
        bench: &Workbench,
    ) -> anyhow::Result<Option<Vec<Match>>> {
        let Some(text) = &self.query else {
            return Ok(None);
        };
        let query = Query::parse(text).map_err(|e| WorkspaceError::Usage(pointed(text, &e)))?;
        let (scores, measures) = needs(&query);
        let fingerprint = scores
            .then(|| {
                let dir = bench.model_dir(Some(workspace))?;
                anyhow::Ok(bench.identity(&dir)?.1)
            })
            .transpose()?;
        let found = workspace.matching(&query, fingerprint.as_deref(), &|| false)?;
        let found = found.unwrap_or_default();
        if found.is_empty() && (scores || measures) {
            let scored = scores.then_some("scores come from 'erw score'");
            let measured = measures.then_some("measures from 'erw failures measure'");
            let advice: Vec<&str> = scored.into_iter().chain(measured).collect();
            print::note(&format!(
                "the query holds of no candidate; {}",
                advice.join(", ")
            ));
        }
        Ok(Some(found))
    }

    /// The groups in which the query holds of a candidate, in its order.
    pub(super) fn groups(
        &self,
        workspace: &Workspace,
        bench: &Workbench,
    ) -> anyhow::Result<Option<Vec<GroupId>>> {
        let mut seen = HashSet::new();
        Ok(self.matches(workspace, bench)?.map(|matches| {
            let groups = matches.into_iter().map(|found| found.group);
            groups.filter(|group| seen.insert(*group)).collect()
        }))
    }
}

/// The flag of a verb that works on stored scores, and needs no model to be there.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct ScoresArg {
    /// The stored scores that are meant, by the beginning of their fingerprint [default: those of the model]
    #[arg(long, value_name = "FINGERPRINT", conflicts_with = "model")]
    scores: Option<String>,
}

impl ScoresArg {
    /// Whether it was given.
    pub(super) fn is_given(&self) -> bool {
        self.scores.is_some()
    }

    /// Name and fingerprint of whose scores are meant: those that --scores names, else the model's.
    pub(super) fn model(
        &self,
        bench: &Workbench,
        workspace: &Workspace,
    ) -> anyhow::Result<(String, String)> {
        let short = |fingerprint: &str| fingerprint.chars().take(SHORT).collect::<String>();
        let Some(wanted) = &self.scores else {
            let dir = bench.model_dir(Some(workspace))?;
            return Ok(bench.identity(&dir)?);
        };
        let stored = workspace.fingerprints()?;
        let mut found = stored
            .iter()
            .filter(|s| s.fingerprint.starts_with(wanted.as_str()));
        if let (Some(one), None) = (found.next(), found.next()) {
            return Ok((short(&one.fingerprint), one.fingerprint.clone()));
        }
        let known: Vec<String> = stored
            .iter()
            .map(|s| {
                format!(
                    "{} ({})",
                    short(&s.fingerprint),
                    print::count(s.scores, "score")
                )
            })
            .collect();
        let known = if known.is_empty() {
            "none ('erw score' makes some)".into()
        } else {
            known.join(", ")
        };
        Err(WorkspaceError::Usage(format!(
            "--scores {wanted} does not name the scores of one model; the workspace has {known}"
        ))
        .into())
    }
}

/// The mistake in a query, under the query.
fn pointed(query: &str, error: &QueryError) -> String {
    let query = printable(query);
    let before = query.chars().take(error.at).collect::<String>().width();
    format!(
        "the query has a mistake: {}\n  {query}\n  {:before$}^",
        error.what, ""
    )
}

/// Every field with what it is, for `erw data fields`.
pub(super) fn fields() -> Vec<(&'static str, &'static str)> {
    Field::all().collect()
}
