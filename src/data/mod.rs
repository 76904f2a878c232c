//! Data sets on disk: the workspace (SQLite plus images where they are), its import and export, its demo.
//!
//! This is the only part that knows how anything is stored, and it stores nothing but what people and models said: it
//! neither copies nor changes images, and it does not know what computes a score.

pub mod census;
pub mod check;
mod demo;
pub mod export;
pub mod images;
pub mod import;
pub mod records;
pub mod split;
mod store;

#[cfg(test)]
pub(crate) use store::speed::resident_mib;

pub use import::{ImportError, ImportReport};
pub use store::{
    Added, GroupHashes, GroupOutline, Look, Match, NewCandidate, NewSelection, PoolRow, Remark,
    Said, ScoredGroup, Selection, SpotCheck, StoredModel, Undone, Verdict, Workspace,
    WorkspaceError, needs,
};
