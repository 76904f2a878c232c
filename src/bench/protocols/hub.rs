//! EditReward-Bench as the hub has it: a row a comparison, rows of one group put together again.

use std::collections::BTreeMap;
use std::path::Path;

use super::sources::{self, Gathered};
use crate::bench::case::{Case, Edit, Order, Truth, letter};
use crate::bench::error::BenchError;
use crate::data::records::{self, RecordError};
use crate::domain::ImageRef;

/// The comparisons of a group, as its rows have them.
struct Comparisons {
    instruction: String,
    source: ImageRef,
    size: usize,
    /// By letter.
    edits: BTreeMap<usize, Edit>,
    /// The better and the worse, by letter.
    better: Vec<(usize, usize)>,
    tie: Option<Order>,
    place: String,
}

/// Reads a file of comparisons. The key of a row's group is its id up to the last underscore; which two edits a row compares is
/// its `comparison_type` (`AvsB`).
pub(super) fn comparisons(all: &mut Gathered, file: &Path) -> Result<(), BenchError> {
    let mut groups: Vec<(String, Comparisons)> = Vec::new();
    all.fingerprint(file)?;
    for record in records::open(file)? {
        match record.and_then(|record| take(&record, &mut groups)) {
            Ok(()) => {}
            Err(error) if error.ends() => return Err(error.into()),
            Err(error) => all.bad(&error),
        }
    }
    for (id, group) in groups {
        match order(&group) {
            Ok(order) => {
                let case = Case {
                    id: id.clone(),
                    instruction: group.instruction,
                    cluster: group.source.0.clone(),
                    source: Some(group.source),
                    edits: group.edits.into_values().collect(),
                    category: None,
                    truth: Truth::Order(order),
                    recorded: BTreeMap::new(),
                    unseen: None,
                };
                all.case(&id, || case);
            }
            Err(reason) => all.note(format!("{}: group '{id}': {reason}", group.place)),
        }
    }
    Ok(())
}

fn take(
    record: &records::Record,
    groups: &mut Vec<(String, Comparisons)>,
) -> Result<(), RecordError> {
    let id = sources::written(record, "id")?;
    let key = id.rsplit_once('_').map_or(id.as_str(), |(key, _)| key);
    let kind = record.text("comparison_type")?;
    let letters = kind.split_once("vs").and_then(|(a, b)| {
        let one = |text: &str| match text.trim().as_bytes() {
            [letter @ b'A'..=b'Z'] => Some(usize::from(letter - b'A')),
            _ => None,
        };
        Some((one(a)?, one(b)?))
    });
    let Some((a, b)) = letters else {
        let reason = format!("'{kind}' names no two edits: write AvsB");
        return Err(record.wrong("comparison_type", reason));
    };
    let size = record.number("num_candidates")?;
    let ranking = record.text("ranking")?.trim().to_owned();
    let at = if let Some(at) = groups.iter().rposition(|(k, _)| k == key) {
        at
    } else {
        let group = Comparisons {
            instruction: record.text("instruction")?.to_owned(),
            source: record.image("source_image")?,
            size: size as usize,
            edits: BTreeMap::new(),
            better: Vec::new(),
            tie: None,
            place: record.place().to_string(),
        };
        groups.push((key.to_owned(), group));
        groups.len() - 1
    };
    let group = &mut groups[at].1;
    for (position, image, model) in [(a, "candidate_1", "model_1"), (b, "candidate_2", "model_2")] {
        let edit = Edit {
            editor: sources::optional(record, model)?,
            image: Some(record.image(image)?),
        };
        group.edits.entry(position).or_insert(edit);
    }
    // A row's ranking is between its own two edits: A the first, B the second, whatever their letters in the group.
    match sources::ranking(&ranking, 2) {
        Ok(Order::Strict(best)) if best[0] == 0 => group.better.push((a, b)),
        Ok(Order::Strict(_)) => group.better.push((b, a)),
        Ok(tie) => group.tie = Some(tie),
        // Or with the letters that the edits have in the group.
        Err(reason) => match ranking.split_once('>') {
            Some((x, y)) if (x.trim(), y.trim()) == (letter(a).as_str(), letter(b).as_str()) => {
                group.better.push((a, b));
            }
            Some((x, y)) if (x.trim(), y.trim()) == (letter(b).as_str(), letter(a).as_str()) => {
                group.better.push((b, a));
            }
            _ => return Err(record.wrong("ranking", reason)),
        },
    }
    Ok(())
}

/// The order that the comparisons of a group make.
fn order(group: &Comparisons) -> Result<Order, String> {
    if let Some(tie) = &group.tie {
        return if group.size == 2 {
            Ok(tie.clone())
        } else {
            Err("it has a tie between edits that are to be in a strict order".into())
        };
    }
    if group.edits.len() != group.size {
        return Err(format!(
            "it has {} of its {} edits",
            group.edits.len(),
            group.size
        ));
    }
    let mut best: Vec<usize> = (0..group.size).collect();
    let wins = |i: usize| group.better.iter().filter(|(a, _)| *a == i).count();
    best.sort_by_key(|i| std::cmp::Reverse(wins(*i)));
    let consistent = best
        .iter()
        .enumerate()
        .all(|(place, i)| wins(*i) == group.size - 1 - place);
    if consistent {
        Ok(Order::Strict(best))
    } else {
        Err("its comparisons make no order".into())
    }
}
