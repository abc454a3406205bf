//! The policy: every number that decides something, over the defaults of the chosen profile.

use anteroom_domain::limits::{Limit, Limits};
use anteroom_domain::lockout::LockoutPolicy;
use anteroom_domain::password::PasswordAgePolicy;
use anteroom_domain::policy::{
    ClientsPolicy, InteractionPolicy, Policy, RepeatFromOtherNetwork, SignInPolicy, TokenPolicy,
};
use anteroom_domain::rate::{OwnNetworks, RateLimit};
use anteroom_domain::session::SessionPolicy;
use jiff::SignedDuration;

use super::credential_policy::{read_codes, read_new_password, read_recovery};
use super::rates::read_rate;
use super::server::network;
use super::telephony::read_telephony;
use super::{DAY, HOUR, MINUTE, SECOND, days};
use crate::diagnostics::ConfigFinding;
use crate::reader::duration::{parse, show};
use crate::reader::kind::{Kind, boolean, duration, integer, list, parsed, quoted, word};
use crate::reader::{Section, key};
use crate::settings::PolicyProfile;

/// The policy that a profile starts from.
pub(crate) fn policy_of(profile: PolicyProfile) -> Policy {
    let practice = Policy::default();
    match profile {
        PolicyProfile::Practice => practice,
        // SP 800-63B-4 §3.1.1.2: no periodic change of passwords.
        PolicyProfile::Nist80063b4 => Policy {
            password_age: PasswordAgePolicy { max_age_days: None, ..practice.password_age },
            ..practice
        },
    }
}

pub(super) fn read_policy(top: &mut Section<'_, '_>) -> (PolicyProfile, Policy) {
    let about = "What is demanded of people. Every default is the safe one; loosening it gives a warning.";
    top.section("policy", about, |section| {
        let meaning =
            "Whose demands the defaults follow: a practice's usual ones, or those of NIST SP 800-63B-4.";
        let profile =
            section.get_or(key("profile", word(PolicyProfile::ALL), meaning), PolicyProfile::Practice);
        let profile = section.cx.described_profile().unwrap_or(profile);
        let default = policy_of(profile);
        let policy = Policy {
            lockout: read_lockout(section, profile, default.lockout),
            password_age: read_password(section, default.password_age),
            new_password: read_new_password(section, default.new_password),
            codes: read_codes(section, default.codes),
            recovery: read_recovery(section, default.recovery),
            telephony: read_telephony(section, default.telephony),
            new_devices_step_up: read_new_devices(section, default.new_devices_step_up),
            session: read_session(section, default.session),
            sign_in: read_sign_in(section, default.sign_in),
            own_networks: read_own_networks(section, default.own_networks),
            limits: read_limits(section),
            tokens: read_tokens(section, default.tokens),
            clients: read_clients(section, default.clients),
            interaction: read_interaction(section, default.interaction),
            invitation_lifetime: read_registration(section, default.invitation_lifetime),
        };
        (profile, policy)
    })
}

fn read_new_devices(policy: &mut Section<'_, '_>, default: bool) -> bool {
    let meaning = "Whether a browser that has not passed a second factor for the account must do so once.";
    policy.get_or(key("new_devices_step_up", boolean(), meaning), default)
}

fn read_lockout(
    policy: &mut Section<'_, '_>,
    profile: PolicyProfile,
    default: LockoutPolicy,
) -> LockoutPolicy {
    policy.section(
        "lockout",
        "When wrong passwords lock an account. Only a completed reset unlocks it.",
        |section| {
            let meaning = "How many wrong passwords are forgiven; one more locks.";
            let forgiven = key("forgiven_failures", integer(0..=99), meaning);
            // SP 800-63B-4 §3.2.2 asks for a limit within 100 failures, which every accepted value is.
            let forgiven =
                if profile == PolicyProfile::Practice { forgiven.looser_above() } else { forgiven };
            let meaning = "Whether browsers that have signed in to the account before count apart, so that a \
            stranger's failures do not lock people out of their own desks.";
            let known_devices = key("known_devices", boolean(), meaning).shuts_out_when(
                false,
                "with a few wrong passwords anyone who knows an address locks its owner out, also at their own desk",
            );
            LockoutPolicy {
                forgiven_failures: section.get_or(forgiven, default.forgiven_failures),
                known_devices_count_apart: section.get_or(known_devices, default.known_devices_count_apart),
            }
        },
    )
}

fn read_password(policy: &mut Section<'_, '_>, default: PasswordAgePolicy) -> PasswordAgePolicy {
    policy.section("password", "How old a password may grow.", |section| {
        let older = |given: &Option<u16>, default: &Option<u16>| match (given, default) {
            (None, default) => default.is_some(),
            (Some(_), None) => false,
            (Some(given), Some(default)) => given > default,
        };
        let meaning =
            "How long a password lasts, in whole days, or `\"never\"` for as long as its owner likes.";
        let max_age = key("max_age", whole_days(), meaning).looser_when(older);
        let max_age_days = section.get_or(max_age, default.max_age_days);
        let warn_days = key("warn_days", list(integer(1..=365)), "How many days ahead the person is warned.");
        let mut warn_days = section.get_or(warn_days, default.warn_days);
        if !section.was_given("warn_days") {
            warn_days.retain(|warn| max_age_days.is_none_or(|max_age| *warn < max_age));
        }
        let meaning = "The most days that chance takes off a password's age, so that a whole office does not \
            expire on one Monday.";
        let jitter_days = section.get_or(key("jitter_days", integer(0..=365), meaning), default.jitter_days);
        let mut age = PasswordAgePolicy { max_age_days, warn_days, jitter_days };
        check_password(section, &age);
        age.warn_days.sort_by(|a, b| b.cmp(a));
        age
    })
}

fn check_password(section: &Section<'_, '_>, age: &PasswordAgePolicy) {
    let Some(max_age) = age.max_age_days else { return };
    for (i, warn) in age.warn_days.iter().enumerate() {
        if *warn >= max_age {
            let finding = ConfigFinding::error("a password would be warned about from its first day on");
            let place = section.cx.place(&format!("policy.password.warn_days.{i}"));
            section.cx.report(finding.at(place, format!("`max_age` is {max_age} days")));
        }
    }
    if age.jitter_days >= max_age {
        let finding = ConfigFinding::error("a password could expire on its first day");
        let place = section.place_of("jitter_days").or_else(|| section.place_of("max_age"));
        section.cx.report(finding.at(place, "`jitter_days` must be less than `max_age`"));
    }
}

fn read_limits(policy: &mut Section<'_, '_>) -> Limits {
    let about = "How often things may be asked for. Beyond it the answer is 429 with the time to wait. The limits of \
        sign-ins, forgotten passwords, registrations and codes have tables of their own.";
    policy.section("limits", about, |section| {
        let mut limits = Limits::default();
        for limit in Limit::ALL.iter().filter(|limit| limit.is_set_under_limits()) {
            let facts = limit.definition();
            limits.set(
                *limit,
                section.section(facts.name, facts.about, |section| {
                    read_rate(section, *limit, facts.default, RateLimit { max: 10_000_000, window: SECOND })
                }),
            );
        }
        limits
    })
}

fn read_session(policy: &mut Section<'_, '_>, default: SessionPolicy) -> SessionPolicy {
    policy.section("session", "How long a sign-in lasts.", |section| {
        let idle = key("idle", duration(MINUTE..=days(30)), "How long a session lives without activity.");
        let absolute = key("absolute", duration(MINUTE..=days(90)), "How long a session lives at most.");
        let meaning = "How long after another account became the current one of a browser a session there can still be chosen \
                       without its password.";
        let switch = key("switch_proof_after", duration(SignedDuration::ZERO..=days(1)), meaning);
        let session = SessionPolicy {
            idle: section.get_or(idle.looser_above(), default.idle),
            absolute: section.get_or(absolute.looser_above(), default.absolute),
            switch_proof_after: section.get_or(switch.looser_above(), default.switch_proof_after),
        };
        check_order(section, ("idle", session.idle), ("absolute", session.absolute));
        session
    })
}

fn read_sign_in(policy: &mut Section<'_, '_>, default: SignInPolicy) -> SignInPolicy {
    policy.section("sign_in", "What slows down guessing.", |section| {
        let about =
            "Sign-ins of one address prefix (an IPv4 address, an IPv6 /64). A whole office shares one.";
        let rate = section.section("rate", about, |section| {
            read_rate(section, Limit::SignIn, default.rate, RateLimit { max: 100_000, window: SECOND })
        });
        let meaning = "A failed sign-in answers no sooner than this. Keep it above the slowest hash in use.";
        let floor = key("failure_floor", duration(SignedDuration::ZERO..=SECOND * 10), meaning);
        SignInPolicy {
            rate,
            min_failure_time: section.get_or(floor.looser_below(), default.min_failure_time),
        }
    })
}

fn read_own_networks(policy: &mut Section<'_, '_>, default: OwnNetworks) -> OwnNetworks {
    let about = "The practice's own networks, in which many people share an address: limits by address are raised there.";
    policy.section("own_networks", about, |section| {
        let meaning = "The practice's addresses as Anteroom sees them, public or private.";
        let everyone = "nobody would be outside, and every limit by address would be raised";
        let networks = section.get_or(key("networks", list(network(everyone)), meaning), default.networks);
        let meaning = "How many times over limits by address are theirs.";
        let factor = key("factor", integer(1..=100), meaning).looser_above();
        OwnNetworks { networks, factor: section.get_or(factor, default.factor) }
    })
}

fn read_tokens(policy: &mut Section<'_, '_>, d: TokenPolicy) -> TokenPolicy {
    policy.section("tokens", "Lifetimes of codes and tokens.", |section| {
        let mut lifetime = |name, range, default, meaning| {
            section.get_or(key(name, duration(range), meaning).looser_above(), default)
        };
        let (code, access, id) = (SECOND * 10..=MINUTE * 10, MINUTE..=DAY, MINUTE..=DAY);
        let zero = SignedDuration::ZERO;
        let lag = "Access tokens: the longest that an API which reads them itself lags behind a revocation.";
        let retry = "How long a refresh token that was just used gets the same successor again, for an \
            application that lost the answer.";
        let (idle, absolute) = ("Refresh tokens that nobody uses.", "Refresh tokens, however often used.");
        let tokens = TokenPolicy {
            code_lifetime: lifetime("code", code, d.code_lifetime, "Authorization codes."),
            access_token_lifetime: lifetime("access_token", access, d.access_token_lifetime, lag),
            id_token_lifetime: lifetime("id_token", id, d.id_token_lifetime, "ID tokens."),
            refresh_idle: lifetime("refresh_idle", HOUR..=days(365), d.refresh_idle, idle),
            refresh_absolute: lifetime("refresh_absolute", HOUR..=days(730), d.refresh_absolute, absolute),
            refresh_retry: lifetime("refresh_retry", zero..=MINUTE * 10, d.refresh_retry, retry),
            repeat_elsewhere: read_repeat_elsewhere(section, d.repeat_elsewhere),
        };
        check_order(
            section,
            ("refresh_idle", tokens.refresh_idle),
            ("refresh_absolute", tokens.refresh_absolute),
        );
        tokens
    })
}

fn read_repeat_elsewhere(
    section: &mut Section<'_, '_>,
    default: RepeatFromOtherNetwork,
) -> RepeatFromOtherNetwork {
    let meaning = "Whether that successor also goes to another network than the first time, for clients that do not \
        authenticate: `allow`, since a lost answer often is a change of network, and the person is told by mail; or `refuse`, \
        which ends the tokens of that sign-in.";
    section.get_or(key("refresh_repeat_elsewhere", word(RepeatFromOtherNetwork::ALL), meaning), default)
}

fn read_clients(policy: &mut Section<'_, '_>, default: ClientsPolicy) -> ClientsPolicy {
    let about = "What becomes of applications that are taken out of the configuration.";
    policy.section("clients", about, |section| {
        let meaning = "How long an application must have been absent from the configuration of every node before what \
            people granted to it ends for good. It gets nothing from the first moment.";
        let after = key("end_grants_after", duration(MINUTE * 5..=days(7)), meaning).looser_above();
        ClientsPolicy { end_grants_after: section.get_or(after, default.end_grants_after) }
    })
}

fn read_interaction(policy: &mut Section<'_, '_>, default: InteractionPolicy) -> InteractionPolicy {
    policy.section("interaction", "How long unfinished sign-ins and open forms stay valid.", |section| {
        let lifetime = key(
            "lifetime",
            duration(MINUTE * 10..=days(7)),
            "An application's request, also while the person recovers an account.",
        );
        let form = key("form_lifetime", duration(MINUTE * 10..=days(7)), "An open page with a form.");
        InteractionPolicy {
            lifetime: section.get_or(lifetime.looser_above(), default.lifetime),
            form_lifetime: section.get_or(form.looser_above(), default.form_lifetime),
        }
    })
}

fn read_registration(policy: &mut Section<'_, '_>, default: SignedDuration) -> SignedDuration {
    policy.section("registration", "How people join.", |section| {
        let meaning = "How long an invitation can be taken up. It can be sent again.";
        section.get_or(key("invitation_lifetime", duration(HOUR..=days(90)), meaning).looser_above(), default)
    })
}

/// A limit on idleness that is longer than the limit on everything would never be reached. Where it is only the
/// default, that does no harm.
fn check_order(section: &Section<'_, '_>, idle: (&str, SignedDuration), absolute: (&str, SignedDuration)) {
    if section.was_given(idle.0) && idle.1 > absolute.1 {
        let finding = ConfigFinding::error(format!("`{}` is longer than `{}`", idle.0, absolute.0));
        let label = format!("would never be reached: `{}` is {}", absolute.0, show(absolute.1));
        section.cx.report(finding.at(section.place_of(idle.0), label));
    }
}

fn whole_days() -> Kind<Option<u16>> {
    let show = |days: &Option<u16>| days.map_or_else(|| quoted("never"), |days| quoted(&format!("{days}d")));
    parsed("whole days or `\"never\"`", show, |text| {
        if text == "never" {
            return Ok(None);
        }
        let duration = parse(text).filter(|d| *d >= DAY && d.as_secs() % DAY.as_secs() == 0);
        let days = duration.and_then(|duration| u16::try_from(duration.as_secs() / DAY.as_secs()).ok());
        days.filter(|days| *days <= 3_650)
            .map(Some)
            .ok_or_else(|| "must be whole days from \"1d\" to \"3650d\", or \"never\"".to_owned())
    })
}
