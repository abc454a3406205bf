//! Which numbers codes are sent to.
//!
//! A person who may name numbers can make a practice pay for calls to premium ranges, so a number is held against its
//! region's plan, and only the regions that the operator named are reached. The plan of +1 is shared by many countries:
//! the region decides, not the code.

use crate::limits::{Limit, RateLimitCheck};
use crate::one_time_code::{CodePurpose, CodeQuota};
use crate::phone::E164;
use crate::rate::RateLimit;
use jiff::SignedDuration;
use phonenumber::country::Id;
pub use phonenumber::country::Id as Region;
use phonenumber::metadata::DATABASE;
use phonenumber::{PhoneNumber, Type};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TelephonyPolicy {
    /// The first one is that of numbers typed without a country code.
    pub regions: Vec<Id>,
    /// Codes to one number, whosever account asks.
    pub per_number: RateLimit,
    /// Codes to all numbers that share their first digits: pumped traffic goes to blocks of numbers.
    pub per_prefix: RateLimit,
    /// Codes to all numbers. Beyond it nothing goes out, and the log has an alarm.
    pub overall: RateLimit,
}

impl Default for TelephonyPolicy {
    fn default() -> Self {
        Self {
            regions: vec![Id::US],
            per_number: RateLimit { max: 20, window: SignedDuration::from_hours(24) },
            per_prefix: RateLimit { max: 60, window: SignedDuration::from_hours(1) },
            overall: RateLimit { max: 300, window: SignedDuration::from_hours(1) },
        }
    }
}

impl TelephonyPolicy {
    /// The counters that a code to `number` moves, with what each is allowed; narrowest first.
    pub fn rate_limit_checks(
        &self,
        number: &E164,
        purpose: CodePurpose,
        quota: CodeQuota,
    ) -> Vec<RateLimitCheck> {
        let subject = number.as_str().to_owned();
        let prefix: String = number.as_str().chars().take(PREFIX).collect();
        let of_number = |limit, rate| RateLimitCheck { limit, limit_key: subject.clone(), rate };
        let others = of_number(Limit::PhoneNumberOfOtherDevices, self.of_other_devices());
        let besides = of_number(Limit::PhoneNumberBesidesRecovery, self.besides_recovery());
        let is_besides = purpose != CodePurpose::Recovery;
        let is_others = is_besides && quota == CodeQuota::OtherDevice;
        let narrow = is_others.then_some(others).into_iter().chain(is_besides.then_some(besides));
        let all = [
            of_number(Limit::PhoneNumber, self.per_number),
            RateLimitCheck { limit: Limit::PhonePrefix, limit_key: prefix, rate: self.per_prefix },
            RateLimitCheck { limit: Limit::PhoneOverall, limit_key: String::new(), rate: self.overall },
        ];
        narrow.chain(all).collect()
    }

    /// What of a number's codes is for other purposes than recovery: all but a quarter. Codes for a second factor can be asked
    /// for with the password alone, and must not use up what its owner needs to replace that password.
    pub const fn besides_recovery(&self) -> RateLimit {
        RateLimit { max: self.per_number.max - self.per_number.max / 4, window: self.per_number.window }
    }

    /// What of those is for devices that have not passed a second factor yet: all but another quarter. A thief who has the password
    /// alone can ask for codes at such a device, and must not use up what the owner needs at one that has passed.
    pub const fn of_other_devices(&self) -> RateLimit {
        let besides = self.besides_recovery();
        RateLimit { max: besides.max - self.per_number.max / 4, window: besides.window }
    }

    pub fn default_region(&self) -> Option<Id> {
        self.regions.first().copied()
    }
}

/// A plus and seven digits: in the plan of +1, area and exchange.
const PREFIX: usize = 8;
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NumberProblem {
    NotANumber,
    /// No text reaches one, and a call would have to dial on.
    Extension,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotAllowed {
    Region,
    Premium,
}

/// Longer than anything that people write a number as; what is longer would only cost time.
const LONGEST: usize = 64;

pub fn parse_number(text: &str, default_region: Option<Id>) -> Result<E164, NumberProblem> {
    if text.len() > LONGEST {
        return Err(NumberProblem::NotANumber);
    }
    // A number typed with a country code is parsed without a default region: the library would otherwise strip that
    // region's trunk prefix (Vienna's +43 1 … would become a US number).
    let region = default_region.filter(|_| !text.trim_start().starts_with(['+', '\u{ff0b}']));
    let number = phonenumber::parse(region, text).map_err(|_| NumberProblem::NotANumber)?;
    if number.extension().is_some() {
        return Err(NumberProblem::Extension);
    }
    let written = e164(&number).ok_or(NumberProblem::NotANumber)?;
    // What is kept is what will be dialled: where digits were dropped as a prefix, that is another number than the one
    // that was just looked at, and has to be a number itself.
    let dialled = phonenumber::parse(None, &written).map_err(|_| NumberProblem::NotANumber)?;
    if e164(&dialled).as_ref() != Some(&written) {
        return Err(NumberProblem::NotANumber);
    }
    E164::parse(&written).map_err(|_| NumberProblem::NotANumber)
}

/// None for what is no number of its region's plan.
fn e164(number: &PhoneNumber) -> Option<String> {
    number.is_valid().then(|| number.format().mode(phonenumber::Mode::E164).to_string())
}

/// Asked when a number is added and each time before something is sent: the operator may have narrowed the regions since.
pub fn allowed(number: &E164, policy: &TelephonyPolicy) -> Result<(), NotAllowed> {
    let parsed: PhoneNumber = phonenumber::parse(None, number.as_str()).map_err(|_| NotAllowed::Region)?;
    if !parsed.country().id().is_some_and(|region| policy.regions.contains(&region)) {
        return Err(NotAllowed::Region);
    }
    match parsed.number_type(&DATABASE) {
        Type::FixedLine | Type::Mobile | Type::FixedLineOrMobile | Type::Voip | Type::PersonalNumber => {
            Ok(())
        }
        _ => Err(NotAllowed::Premium),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_type_becomes_e164() {
        for (text, expected) in [
            ("(202) 555-0143", Ok("+12025550143")),
            ("+1 202 555 0143", Ok("+12025550143")),
            ("202-555-0143 ext. 12", Err(NumberProblem::Extension)),
            ("555-0143", Err(NumberProblem::NotANumber)),
            ("+43 1 956094686", Ok("+431956094686")),
            ("+431956094686", Ok("+431956094686")),
            ("front desk", Err(NumberProblem::NotANumber)),
            (&"202 555 0143 ".repeat(9), Err(NumberProblem::NotANumber)),
            ("", Err(NumberProblem::NotANumber)),
        ] {
            let number = parse_number(text, Some(Id::US));
            assert_eq!(number.as_ref().map(E164::as_str).map_err(|problem| *problem), expected, "{text}");
        }
    }

    #[test]
    fn a_code_counts_for_its_number_its_neighbours_and_all() {
        let policy = TelephonyPolicy::default();
        let number = E164::parse("+12025550143").unwrap();
        let budgets = policy.rate_limit_checks(&number, CodePurpose::Recovery, CodeQuota::OtherDevice);
        let found: Vec<_> = budgets.iter().map(|budget| (budget.limit_key.as_str(), budget.rate)).collect();
        let expected =
            [("+12025550143", policy.per_number), ("+1202555", policy.per_prefix), ("", policy.overall)];
        assert_eq!(found, expected);
    }

    #[test]
    fn of_a_numbers_codes_a_quarter_is_for_recovery_and_one_for_devices_that_have_stepped_up() {
        let number = E164::parse("+12025550143").unwrap();
        let purposes = [CodePurpose::StepUp, CodePurpose::ExpiredPassword, CodePurpose::Registration];
        for (max, besides, others) in [(20, 15, 10), (5, 4, 3), (4, 3, 2), (3, 3, 3), (1, 1, 1)] {
            let per_number = RateLimit { max, window: SignedDuration::from_hours(24) };
            let policy = TelephonyPolicy { per_number, ..TelephonyPolicy::default() };
            for purpose in purposes {
                for (share, limit, allowed) in [
                    (CodeQuota::OtherDevice, Limit::PhoneNumberOfOtherDevices, others),
                    (CodeQuota::SteppedUpDevice, Limit::PhoneNumberBesidesRecovery, besides),
                ] {
                    let narrowest = policy.rate_limit_checks(&number, purpose, share).remove(0);
                    assert_eq!((narrowest.limit, narrowest.rate.max), (limit, allowed));
                }
            }
            let narrowest =
                policy.rate_limit_checks(&number, CodePurpose::Recovery, CodeQuota::OtherDevice).remove(0);
            assert_eq!((narrowest.limit, narrowest.rate.max), (Limit::PhoneNumber, max));
        }
    }

    #[test]
    fn only_the_regions_named_are_reached_and_no_premium_range() {
        let policy = TelephonyPolicy::default();
        for (number, expected) in [
            ("+12025550143", Ok(())),
            // Canada and Jamaica share the code.
            ("+16135550143", Err(NotAllowed::Region)),
            ("+18765550143", Err(NotAllowed::Region)),
            ("+442079460143", Err(NotAllowed::Region)),
            ("+19005550143", Err(NotAllowed::Premium)),
            ("+18005550143", Err(NotAllowed::Premium)),
        ] {
            assert_eq!(allowed(&E164::parse(number).unwrap(), &policy), expected, "{number}");
        }
    }
}
