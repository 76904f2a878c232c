//! The screens: what one can look at. Each folder holds a screen's state, its layout and its view; none touches files,
//! threads or clocks.

pub(crate) mod agreement;
pub(crate) mod annotate;
pub(crate) mod bench;
pub(crate) mod browse;
pub(crate) mod canvas;
pub(crate) mod curate;
pub(crate) mod detail;
pub(crate) mod failures;
pub(crate) mod grid;
pub(crate) mod jobs;
pub(crate) mod probe;
pub(crate) mod prose;
pub(crate) mod tile;
pub(crate) mod train;
