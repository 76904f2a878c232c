//! The plots of a report.

mod curves;
mod forest;

pub(super) use curves::{coverage, is_shortened, reliability};
pub(super) use forest::forest;

use crate::bench::protocol::Unit;
use crate::data::export::svg::Ticks;

impl From<Unit> for Ticks {
    fn from(unit: Unit) -> Self {
        match unit {
            Unit::Percent => Self::Percent,
            Unit::Plain => Self::Plain,
        }
    }
}
