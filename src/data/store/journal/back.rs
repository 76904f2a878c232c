//! Taking a judgement back: what it took the place of comes back, if the judgement is still there.

use rusqlite::{Transaction, params};

use super::super::error::Fault;
use super::{Before, Change, Said, annotator_id, axis_key, put_label};

pub(super) fn take_back(tx: &Transaction<'_>, who: i64, change: &Change) -> Result<(), Fault> {
    let who = match &change.under {
        Some(name) => annotator_id(tx, name)?,
        None => who,
    };
    // Only what the step itself said: an import may have taken the candidate away since, and with it the judgement, and have
    // given its number to another. A step that is all gone is taken back by doing nothing, so that earlier ones can be.
    match (&change.said, &change.before) {
        (
            Said::Label {
                candidate,
                axis,
                score,
            }
            | Said::Repeat {
                candidate,
                axis,
                score,
            },
            before,
        ) => {
            let taken = tx.execute(
                "DELETE FROM labels WHERE candidate = ?1 AND annotator = ?2 AND axis = ?3 AND score = ?4 AND imported = 0",
                params![candidate.0, who, axis.key(), score],
            )?;
            if let Some(Before::Label {
                score,
                simulated,
                imported,
            }) = before
                && taken > 0
            {
                put_label(tx, *candidate, who, *axis, (*score, *simulated, *imported))?;
            }
        }
        (Said::Vote { a, b, axis, choice }, before) => {
            let choice = if a.0 < b.0 { *choice } else { choice.turned() };
            let pair = (a.0.min(b.0), a.0.max(b.0));
            let taken = tx.execute(
                "DELETE FROM votes WHERE a = ?1 AND b = ?2 AND annotator = ?3 AND axis = ?4 AND choice = ?5 AND imported = 0",
                params![pair.0, pair.1, who, axis_key(*axis), choice.key()],
            )?;
            if let Some(Before::Vote {
                choice,
                counts: [count_a, count_b],
                confidence,
                simulated,
                imported,
            }) = before
                && taken > 0
            {
                tx.execute(
                    "INSERT INTO votes (a, b, annotator, axis, choice, count_a, count_b, confidence, simulated, imported)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
                    params![
                        pair.0, pair.1, who, axis_key(*axis), choice, count_a, count_b, confidence, simulated, imported
                    ],
                )?;
            }
        }
        (Said::Skip { .. } | Said::Note { .. }, _) => {}
    }
    Ok(())
}
