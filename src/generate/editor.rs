//! What makes candidates: one trait for programs and services, and what of an image has to be right before it counts.

use std::fmt::Write as _;
use std::path::Path;

use crate::config::{EditorKind, EditorSettings};
use crate::data::images;
use crate::domain::ImageRef;
use crate::remote::{Failure, digest};

/// A candidate that is to be made.
#[derive(Debug, Clone, Copy)]
pub(super) struct Order<'a> {
    /// The group's name.
    pub(super) group: &'a str,
    /// What is asked for.
    pub(super) instruction: &'a str,
    /// Where relative paths of images start.
    pub(super) root: &'a Path,
    /// The image before the edit.
    pub(super) source: &'a ImageRef,
    /// The seed.
    pub(super) seed: u64,
}

/// An image that was made and can be decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Picture {
    /// The file.
    pub(super) bytes: Vec<u8>,
    /// How its name is to end.
    pub(super) ending: &'static str,
}

/// Makes candidates, several at a time.
pub(super) trait Editor: Sync {
    /// Makes one, trying again for as long as that may help; `told` hears of each try that came to nothing, and why.
    fn make(&self, order: &Order<'_>, told: &dyn Fn(&str)) -> Result<Picture, Failure>;

    /// Ends what is under way and would not end by itself soon.
    fn hang_up(&self) {}
}

/// The bytes as a picture, if they are one that can be decoded, within the limits of all images.
pub(super) fn checked(bytes: Vec<u8>) -> Result<Picture, String> {
    images::decode(&bytes).map_err(|why| why.to_string())?;
    let ending = images::ending(&bytes).map_err(|why| why.to_string())?;
    Ok(Picture { bytes, ending })
}

/// What makes an editor's candidates, in short: for the record, and to tell whether it is the same still. No key is in it.
pub(super) fn by(settings: &EditorSettings) -> String {
    match &settings.kind {
        EditorKind::Command(command) => command.command.to_string(),
        EditorKind::Service(service) => {
            let mut text = format!(
                "{} at {}",
                service.model,
                service.base_url.trim_end_matches('/')
            );
            let size = service.size.iter().map(|size| ("size", size));
            let fields = service.fields.iter();
            for (name, value) in size.chain(fields.map(|(name, value)| (name.as_str(), value))) {
                let _ = write!(text, " {name}={value}");
            }
            text
        }
    }
}

/// Equal for candidates that are made of the same by the same.
pub(super) fn asked(settings: &EditorSettings, order: &Order<'_>, source_hash: &str) -> String {
    let by = match &settings.kind {
        // The borders between words count.
        EditorKind::Command(command) => digest(command.command.words().iter().map(String::as_str)),
        EditorKind::Service(service) => {
            format!(
                "{} {:?} {:?}",
                by(settings),
                service.seed_field,
                service.max_side
            )
        }
    };
    let seed = order.seed.to_string();
    digest([&by, &settings.name, source_hash, order.instruction, &seed])
}
