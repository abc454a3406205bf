//! The policy for new passwords, one-time codes and recovery.

use anteroom_domain::limits::Limit;
use anteroom_domain::link::RecoveryPolicy;
use anteroom_domain::new_password::NewPasswordPolicy;
use anteroom_domain::one_time_code::CodePolicy;
use anteroom_domain::rate::RateLimit;
use jiff::SignedDuration;

use super::rates::read_rate;
use super::{HOUR, MINUTE, SECOND, days};
use crate::reader::kind::{duration, integer};
use crate::reader::{Section, key};

pub(super) fn read_new_password(
    policy: &mut Section<'_, '_>,
    default: NewPasswordPolicy,
) -> NewPasswordPolicy {
    policy.section("new_password", "What a new password must be.", |section| {
        let min_length =
            key("min_length", integer(8..=64), "At least so many characters, of any kind.").looser_below();
        let meaning =
            "How hard to guess it must be, as zxcvbn estimates: 3 withstands attacks on a slow hash.";
        let min_score = key("min_score", integer(0..=4), meaning).looser_below();
        let meaning = "How many passwords before the current one are refused. Older ones are deleted.";
        let remembered = key("remembered", integer(0..=24), meaning).looser_below();
        let meaning = "How old a password must be before it can be changed by choice. A reset does not ask.";
        let min_age = key("min_age", duration(SignedDuration::ZERO..=days(7)), meaning).looser_below();
        NewPasswordPolicy {
            min_length: section.get_or(min_length, default.min_length),
            min_score: section.get_or(min_score, default.min_score),
            remembered: section.get_or(remembered, default.remembered),
            min_age: section.get_or(min_age, default.min_age),
            ..default
        }
    })
}

pub(super) fn read_codes(policy: &mut Section<'_, '_>, default: CodePolicy) -> CodePolicy {
    policy.section("codes", "One-time codes by text and call.", |section| {
        let lifetime =
            key("lifetime", duration(MINUTE..=MINUTE * 30), "How long a code works.").looser_above();
        let meaning = "How many wrong entries an account has in any 24 hours. Only time gives them back.";
        let wrong_entries = key("wrong_entries", integer(1..=20), meaning).looser_above();
        let meaning = "How many codes an account is sent in a day.";
        let sends_a_day = key("sends_a_day", integer(1..=100), meaning).looser_above();
        let meaning = "What the first code after the ones that are sent at once waits; each further one waits \
            twice as long.";
        let first_wait = key("first_wait", duration(SECOND..=MINUTE * 15), meaning).looser_below();
        CodePolicy {
            lifetime: section.get_or(lifetime, default.lifetime),
            wrong_entries: section.get_or(wrong_entries, default.wrong_entries),
            sends_a_day: section.get_or(sends_a_day, default.sends_a_day),
            first_wait: section.get_or(first_wait, default.first_wait),
            ..default
        }
    })
}

pub(super) fn read_recovery(policy: &mut Section<'_, '_>, default: RecoveryPolicy) -> RecoveryPolicy {
    policy.section("recovery", "Forgotten passwords.", |section| {
        let meaning = "How long the link of a mail, and the code in it, work.";
        let link_lifetime = key("link_lifetime", duration(MINUTE * 5..=HOUR * 4), meaning).looser_above();
        let meaning =
            "How long a phone that is added to a registered account waits before it serves a recovery.";
        let new_phone_delay = key("new_phone_delay", duration(HOUR..=days(30)), meaning).looser_below();
        let link_lifetime = section.get_or(link_lifetime, default.link_lifetime);
        let new_phone_delay = section.get_or(new_phone_delay, default.new_phone_delay);
        let about = "Requests of one address prefix.";
        let rate = section.section("rate", about, |section| {
            read_rate(section, Limit::Recovery, default.rate, RateLimit { max: 100_000, window: SECOND })
        });
        RecoveryPolicy { link_lifetime, new_phone_delay, rate, ..default }
    })
}
