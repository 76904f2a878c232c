//! Scoring in shards: groups are cut into parts by source image, and processes that never open the workspace's database score one
//! each, on whatever machine sees the same files. What they scored is taken into the workspace at the end, or, of groups that belong
//! to none, told group by group.

mod files;
mod merge;
mod plan;
#[cfg(test)]
mod tests;
mod told;
mod work;

pub use files::Plan;
pub use merge::{Merged, conclude, merge};
pub use plan::{plan, plan_loose};
pub use told::Told;
pub use work::work;
