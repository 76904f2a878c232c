//! Runs that are worked on in shards, as files: what there is to do is cut into parts by source image, a file each; processes that
//! see the same files work on one each, and open no database; what they did is taken in at the end, by whoever has the run.
//!
//! All of it lies in `shards/` in the run's folder. What a line says is the verb's business.
//!
//! ```text
//! plan.json           what all who work on shards need to know; written last, so that what it speaks of is there
//! 000.in.jsonl        what there is to do
//! 000.part.jsonl      what was done so far, appended a whole line at a time
//! 000.done.jsonl      all that was done: the same file under another name
//! 000/                the folder of the process that works on it                              [`Member`](super::Member)
//! ```

mod cut;
mod lines;
mod part;
mod plan;

pub use cut::Cut;
pub use lines::{Done, each, finish, keep};
pub use part::Shard;
pub use plan::{
    IN, MOST, PART, WHOLE, Worked, check, is_done, is_planned, left, read_plan, write_plan,
};
