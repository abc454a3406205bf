//! Where codes may go by text and call, and how many.

use anteroom_domain::limits::Limit;
use anteroom_domain::rate::RateLimit;
use anteroom_domain::telephony::{Region, TelephonyPolicy};

use super::MINUTE;
use super::rates::read_rate;
use crate::diagnostics::ConfigFinding;
use crate::reader::kind::{Kind, list, parsed, quoted};
use crate::reader::{Section, key};

pub(super) fn read_telephony(policy: &mut Section<'_, '_>, default: TelephonyPolicy) -> TelephonyPolicy {
    let about = "Where codes go by text and call, and how many at most: whoever may name numbers could make the \
        practice pay for calls to premium ones, which are never called.";
    policy.section("telephony", about, |section| {
        let meaning = "The regions whose numbers are reached, by their two letters (ISO 3166). The first one is that of \
            numbers typed without a country code. `US` alone is not all of +1.";
        let regions = section.get_or(key("regions", list(region()), meaning), default.regions);
        if regions.is_empty() {
            let finding = ConfigFinding::error("no region is reached, so nobody could verify");
            section.cx.report(finding.at(section.place_of("regions"), "name one at least"));
        }
        let about = "Codes to one number, whosever account asks. A quarter of them is for recovery alone.";
        let per_number = section.section("per_number", about, |section| {
            read_rate(section, Limit::PhoneNumber, default.per_number, LOOSEST)
        });
        let about = "Codes to all numbers with the same first seven digits.";
        let per_prefix = section.section("per_prefix", about, |section| {
            read_rate(section, Limit::PhonePrefix, default.per_prefix, LOOSEST)
        });
        let about = "Codes in all. Beyond it none go out, and the log has an alarm: above what the practice needs on its \
            busiest day, below what hurts.";
        let overall = section.section("overall", about, |section| {
            read_rate(section, Limit::PhoneOverall, default.overall, LOOSEST)
        });
        TelephonyPolicy { regions, per_number, per_prefix, overall }
    })
}

const LOOSEST: RateLimit = RateLimit { max: 100_000, window: MINUTE };

fn region() -> Kind<Region> {
    parsed(
        "region",
        |region: &Region| quoted(region.as_ref()),
        |text| text.parse().map_err(|_| "not a region, such as \"US\"".to_owned()),
    )
}
