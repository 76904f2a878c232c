//! The protocols, a file each (or a file for those that share one), and the registry of them all.

mod agreement;
mod gedit;
mod genai;
mod hub;
pub(super) mod lists;
mod pairs;
mod position;
pub(super) mod raters;
mod ratings;
pub(super) mod sources;
#[cfg(test)]
mod tests;
mod tuples;
pub(super) mod votes;
mod workspace;

use super::error::BenchError;
use super::protocol::Protocol;

/// All benchmarks, in the order of lists.
pub const ALL: &[&dyn Protocol] = &[
    &workspace::Labelled,
    &genai::GenAi,
    &genai::AuroraPairs,
    &ratings::AuroraPoints,
    &ratings::ImagenHub,
    &ratings::ImagenHubPrompts,
    &tuples::Tuples,
    &gedit::GEdit,
    &genai::OutOfDistribution,
    &position::Position,
    &agreement::Agreement,
];

/// The benchmark of that key; the publisher may stand before it ("tiger-lab/editreward-bench").
pub fn find(key: &str) -> Result<&'static dyn Protocol, BenchError> {
    let (publisher, name) = key.rsplit_once('/').unwrap_or(("", key));
    let found = ALL.iter().find(|p| {
        let about = p.about();
        let who = about.publisher.split('(').next().unwrap_or_default();
        about.key == name && who.to_lowercase().contains(&publisher.to_lowercase())
    });
    found.copied().ok_or_else(|| {
        let keys: Vec<&str> = ALL.iter().map(|p| p.about().key).collect();
        BenchError::Choice(format!(
            "there is no benchmark '{key}'; there are {}",
            keys.join(", ")
        ))
    })
}
