//! Images on the terminal, never in the way of a key: a frame asks for what it shows, workers decode, scale and encode it,
//! and a notice says when to draw again. The newest request wins; what nobody looks at any more is dropped before each
//! step, and memory is bounded.
//!
//! ```text
//! Pictures::request(view, neighbours)          what the screen shows now, and what it may show next
//!        │ newest wins                         (a held key waits until it is let go: nothing is decoded on the way)
//!        ▼
//! decode ─► scale to cells × pixels ─► encode ─► cache ─► notify() if in view
//!        ▲ wanted?                  ▲ wanted?  ▲ same protocol?
//!
//! Pictures::get(image, size) ─► PictureState ─► Picture (widget)
//! Pictures::outgoing()       ─► bytes the terminal must have before the frame just drawn is flushed (kitty)
//! ```

mod kitty;
mod lent;
mod lru;
mod picture;
mod pictures;
mod preview;
mod probe;
mod protocol;
mod shown;
mod worker;

pub use lent::Lent;
pub use picture::Picture;
pub use pictures::{Counts, Farewell, Limits, PictureState, Pictures, Source, Want};
pub use preview::Preview;
pub use probe::{Answer, Probe};
pub use protocol::{Environment, Graphics, Multiplexer, Protocol, UnknownProtocol};
pub use shown::{Seen, Shown, Zoom};

#[cfg(test)]
mod tests;
