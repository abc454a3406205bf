//! The two keys of a limit: how many, in which time.

use anteroom_domain::limits::Limit;
use anteroom_domain::rate::RateLimit;
use jiff::SignedDuration;

use super::DAY;
use crate::reader::kind::{duration, integer};
use crate::reader::{Section, key};

/// `most` and `shortest` are the bounds of what is accepted.
pub(super) fn read_rate(
    section: &mut Section<'_, '_>,
    (limit, default): (Limit, RateLimit),
    (most, shortest): (u32, SignedDuration),
) -> RateLimit {
    let floor = limit.floor();
    let max = key("max", integer(1..=most), "How many.");
    let max = section.get_or(max.looser_above().shuts_out_below(floor.rate.max, floor.below), default.max);
    let window = key("window", duration(shortest..=DAY), "In which time.");
    let window = window.looser_below().shuts_out_above(floor.longest_window_of(max), floor.below);
    RateLimit { max, window: section.get_or(window, default.window) }
}
