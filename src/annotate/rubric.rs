//! What the four points mean on each axis, for people. The model has a rubric of its own, in its `reward.toml`.
//!
//! The scale is the paper's (EditReward, section 3.1 and appendix A: two axes, four points each); the words are ours.

use crate::domain::Axis;

/// What is asked on an axis.
pub fn question(axis: Axis) -> &'static str {
    match axis {
        Axis::InstructionFollowing => "Is what was asked for done, all of it, and nothing else?",
        Axis::VisualQuality => "Would it pass as a good picture, whatever was asked for?",
    }
}

/// What a score means in a word or two, for 1 to 4, lowest first.
pub fn words(axis: Axis) -> [&'static str; 4] {
    match axis {
        Axis::InstructionFollowing => ["not done", "partly", "mostly", "exactly"],
        Axis::VisualQuality => ["broken", "plain flaws", "small flaws", "flawless"],
    }
}

/// What a score means, for 1 to 4, lowest first.
pub fn points(axis: Axis) -> [&'static str; 4] {
    match axis {
        Axis::InstructionFollowing => [
            "not done, the wrong thing done, or done to the wrong thing",
            "partly done, or done with a great deal changed that was not asked for",
            "done, with small parts missing or small changes that were not asked for",
            "done exactly, and nothing else has changed",
        ],
        Axis::VisualQuality => [
            "broken: artefacts, distorted shapes or blur over much of it",
            "flaws that are seen at once",
            "small flaws that are seen on a second look",
            "no flaw to be seen; as good as a photograph of it",
        ],
    }
}
