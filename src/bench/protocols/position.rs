//! Positional bias (EditReward, appendix A.8): whether a judge prefers what it is shown first.

use std::path::Path;

use super::pairs::{self, Pair};
use super::votes;
use crate::bench::case::{Case, Dataset, Order, Truth};
use crate::bench::error::BenchError;
use crate::bench::protocol::{
    About, Answered, FigureAbout, Prepared, Protocol, Table, Unanswered, Unit,
};
use crate::bench::scorer::Ask;

/// Each strict vote twice, the better edit left and right.
pub(super) struct Position;

const ABOUT: About = About {
    key: "positional-bias",
    name: "positional bias",
    publisher: "EditReward, appendix A.8",
    protocol: "The votes that are no ties, each posed twice: the better edit left, and the better edit right. The accuracy in \
               each position and their gap; scorers that see one edit at a time have none. Recorded answers are there in the \
               position that they were asked in, so the two sides are different votes then.",
    data: "as genai-edit",
    columns: &[("gap", "left - right")],
    unit: Unit::Percent,
};

/// What marks the second posing of a case in its id.
const TURNED: &str = "~turned";

impl Protocol for Position {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn read(&self, data: &Path) -> Result<Dataset, BenchError> {
        let mut set = votes::votes(data, &ABOUT)?;
        set.cases
            .retain(|case| matches!(case.truth, Truth::Order(Order::Strict(_))));
        let turned: Vec<Case> = set.cases.iter().map(turned).collect();
        set.cases.extend(turned);
        Ok(set)
    }

    fn ask(&self) -> Option<Ask> {
        Some(Ask::Votes)
    }

    fn prepare<'a>(&self, answered: &[Answered<'a>]) -> Prepared<'a> {
        let (rows, clusters) = pairs::votes(answered);
        let (left, right): (Vec<Pair<'a>>, Vec<Pair<'a>>) =
            rows.iter().cloned().partition(|p| p.human.sign() > 0);
        let tables = [pairs::Measured::of(&left), pairs::Measured::of(&right)];
        let gap = FigureAbout::new("gap", "left minus right", rows.len());
        Prepared {
            figures: vec![
                FigureAbout::new("left", "the better one left", left.len()),
                FigureAbout::new("right", "the better one right", right.len()),
                gap,
            ],
            clusters,
            tables: Vec::<Table>::new(),
            verdicts: rows
                .iter()
                .filter_map(|pair| Some(pair.verdict(pair.strictly_right()?)))
                .collect(),
            fixed: Vec::new(),
            judged: Vec::new(),
            unanswered: Unanswered::among(answered),
            measure: Box::new(move |weights| {
                let [left, right] = [0, 1].map(|i| tables[i].strict(weights));
                let gap = left.and_then(|l| Ok(l - right?));
                vec![left, right, gap]
            }),
        }
    }
}

/// The same case with its edits the other way round. Nothing is recorded of it.
fn turned(case: &Case) -> Case {
    let mut turned = case.clone();
    turned.id.push_str(TURNED);
    turned.edits.reverse();
    turned.recorded.clear();
    if let Truth::Order(Order::Strict(best)) = &mut turned.truth {
        let last = case.edits.len().saturating_sub(1);
        for place in best {
            *place = last - *place;
        }
    }
    turned
}
