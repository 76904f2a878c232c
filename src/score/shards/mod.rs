//! Scoring in shards: a workspace is cut into parts by source image, each part is a file, and processes that never open the
//! database score one each, on whatever machine sees the same files. What they scored is taken into the workspace at the end.

mod files;
mod merge;
mod part;
mod plan;
#[cfg(test)]
mod tests;
mod work;

pub use files::Plan;
pub use merge::{Merged, merge};
pub use part::Shard;
pub use plan::{MOST, plan};
pub use work::{Worked, work};
