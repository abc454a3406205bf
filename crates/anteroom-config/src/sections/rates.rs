//! The two keys of a limit: how many, in which time.

use anteroom_domain::limits::Limit;
use anteroom_domain::rate::RateLimit;

use super::DAY;
use crate::reader::kind::{duration, integer};
use crate::reader::{Section, key};

/// `loosest`: no more than its number is accepted, and no window that is shorter.
pub(super) fn read_rate(
    section: &mut Section<'_, '_>,
    limit: Limit,
    default: RateLimit,
    loosest: RateLimit,
) -> RateLimit {
    let floor = limit.recommended_minimum();
    let max = key("max", integer(1..=loosest.max), "How many.");
    let max =
        section.get_or(max.looser_above().shuts_out_below(floor.rate.max, floor.consequence), default.max);
    let window = key("window", duration(loosest.window..=DAY), "In which time.");
    let window = window.looser_below().shuts_out_above(floor.longest_window_of(max), floor.consequence);
    RateLimit { max, window: section.get_or(window, default.window) }
}
