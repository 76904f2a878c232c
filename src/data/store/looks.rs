//! Perceptual hashes: computed when first asked for, and kept by the content that they are of.

use rayon::prelude::*;
use rusqlite::{OptionalExtension, params};

use super::Workspace;
use super::error::WorkspaceError;
use crate::data::images::{content_hash, perceptual_hash, read};
use crate::domain::{CandidateId, ImageRef};

/// How a candidate looks, and its source, with what was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// The perceptual hash of the edited image, or why there is none.
    pub edit: Result<u64, String>,
    /// The same of the source.
    pub source: Result<u64, String>,
    /// The instruction.
    pub instruction: String,
}

/// An image: its number, where it is, its content's hash if known.
type Known = (i64, String, Option<String>);

/// The number of an image with its content's hash and its look, or why it has none.
type Made = (i64, Result<(String, u64), String>);

/// A candidate's source and edit, each with its perceptual hash if that is stored, and what was asked for.
type Found = ((Known, Option<u64>), (Known, Option<u64>), String);

const GONE: &str = "it is no longer there";

impl Workspace {
    /// How these candidates look, in their order. Images that were not hashed yet are read, on all cores; what was computed is kept
    /// (one transaction).
    pub fn looks(&self, candidates: &[CandidateId]) -> Result<Vec<Look>, WorkspaceError> {
        let found = self.read(|db| {
            let mut select = db.prepare(
                "SELECT s.id, s.path, s.hash, e.id, e.path, e.hash, g.instruction
                 FROM candidates c JOIN groups g ON g.id = c.group_id
                 JOIN images s ON s.id = g.source JOIN images e ON e.id = c.image WHERE c.id = ?1",
            )?;
            let mut hashed = db.prepare("SELECT bits FROM looks WHERE hash = ?1")?;
            let mut of = |image: Known| {
                let bits: Option<i64> = match &image.2 {
                    Some(hash) => hashed.query_row([hash], |row| row.get(0)).optional()?,
                    None => None,
                };
                Ok::<_, rusqlite::Error>((image, bits.map(i64::cast_unsigned)))
            };
            let mut out = Vec::with_capacity(candidates.len());
            for candidate in candidates {
                let row = select
                    .query_row([candidate.0], |row| {
                        let image = |at: usize| -> rusqlite::Result<Known> {
                            Ok((row.get(at)?, row.get(at + 1)?, row.get(at + 2)?))
                        };
                        Ok((image(0)?, image(3)?, row.get::<_, String>(6)?))
                    })
                    .optional()?;
                out.push(match row {
                    Some((source, edit, words)) => Some((of(source)?, of(edit)?, words)),
                    None => None,
                });
            }
            Ok(out)
        })?;
        let mut missing: Vec<&Known> = found
            .iter()
            .flatten()
            .flat_map(|(source, edit, _)| [source, edit])
            .filter(|(_, bits)| bits.is_none())
            .map(|(image, _)| image)
            .collect();
        missing.sort_unstable();
        missing.dedup();
        let made: Vec<Made> = missing
            .into_par_iter()
            .map(|(id, path, _)| (*id, self.look_at(path)))
            .collect();
        self.keep_looks(&made)?;
        let bits = |(image, known): (Known, Option<u64>)| {
            if let Some(bits) = known {
                return Ok(bits);
            }
            match made.binary_search_by_key(&image.0, |(id, _)| *id) {
                Ok(at) => made[at]
                    .1
                    .as_ref()
                    .map(|(_, bits)| *bits)
                    .map_err(Clone::clone),
                Err(_) => Err(GONE.into()),
            }
        };
        let look = |row: Option<Found>| match row {
            Some((source, edit, instruction)) => Look {
                edit: bits(edit),
                source: bits(source),
                instruction,
            },
            None => Look {
                edit: Err(GONE.into()),
                source: Err(GONE.into()),
                instruction: String::new(),
            },
        };
        Ok(found.into_iter().map(look).collect())
    }

    fn look_at(&self, path: &str) -> Result<(String, u64), String> {
        let bytes = read(self.root(), &ImageRef(path.to_owned())).map_err(|e| e.to_string())?;
        let bits = perceptual_hash(&bytes).map_err(|e| e.to_string())?;
        Ok((content_hash(&bytes), bits))
    }

    fn keep_looks(&self, made: &[Made]) -> Result<(), WorkspaceError> {
        let new: Vec<&(String, u64)> = made.iter().filter_map(|(_, r)| r.as_ref().ok()).collect();
        if new.is_empty() {
            return Ok(());
        }
        self.write(|tx| {
            let mut insert =
                tx.prepare("INSERT OR REPLACE INTO looks (hash, bits) VALUES (?1, ?2)")?;
            for (hash, bits) in new {
                insert.execute(params![hash, bits.cast_signed()])?;
            }
            Ok(())
        })
    }
}
