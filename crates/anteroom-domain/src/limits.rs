//! Every limit on what is asked of Anteroom: its name, whom it counts, where, and its default.
//!
//! What writes, sends, hashes or fetches is counted in the database, by the statement that also decides. What only reads or
//! signs is counted in the memory of each node, so that a single sign-on costs no write more than its grant.

mod recommended_minimums;

pub use recommended_minimums::RecommendedMinimum;

use crate::rate::RateLimit;
use jiff::SignedDuration;
use std::collections::BTreeMap;

/// Whom a limit counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LimitSubject {
    /// An IPv4 address or an IPv6 /64. The enclosing /56 has a counter of its own, with four times the limit.
    Address,
    /// An IPv4 /24; an IPv6 /56.
    Network,
    Session,
    SessionAndClient,
    /// A browser that has signed in to the account before.
    KnownDevice,
    Account,
    Client,
    Grant,
    /// A phone number.
    Number,
    /// The first seven digits of phone numbers.
    NumberPrefix,
    Everybody,
}

impl LimitSubject {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Address => "address prefix",
            Self::Network => "network",
            Self::Session => "session",
            Self::SessionAndClient => "session and client",
            Self::KnownDevice => "known device",
            Self::Account => "account",
            Self::Client => "client",
            Self::Grant => "grant",
            Self::Number => "phone number",
            Self::NumberPrefix => "first seven digits of phone numbers",
            Self::Everybody => "installation",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CounterStorage {
    /// By the statement that decides.
    InDatabase,
    /// By each node for itself.
    InMemory,
}

impl CounterStorage {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InDatabase => "database",
            Self::InMemory => "memory",
        }
    }
}

/// What there is to know of a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LimitDefinition {
    /// The scope of its counters, and what the audit trail calls it.
    pub name: &'static str,
    /// The table of the configuration that sets it.
    pub setting: &'static str,
    pub per: LimitSubject,
    pub counted: CounterStorage,
    pub default: RateLimit,
    /// What it counts.
    pub about: &'static str,
}

const fn minutes(max: u32, minutes: i64) -> RateLimit {
    RateLimit { max, window: SignedDuration::from_mins(minutes) }
}

const fn hours(max: u32, hours: i64) -> RateLimit {
    RateLimit { max, window: SignedDuration::from_hours(hours) }
}

/// One line for each limit: its name, whom it counts and where, its default, the table of the configuration that sets it, and
/// what it counts.
macro_rules! limits {
    ($($limit:ident $name:literal $per:ident $counted:ident $default:expr, $setting:literal, $about:literal;)*) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Limit {
            $($limit,)*
        }

        impl Limit {
            pub const ALL: &'static [Self] = &[$(Self::$limit,)*];

            pub const fn definition(self) -> LimitDefinition {
                match self {
                    $(Self::$limit => LimitDefinition {
                        name: $name,
                        setting: $setting,
                        per: LimitSubject::$per,
                        counted: CounterStorage::$counted,
                        default: $default,
                        about: $about,
                    },)*
                }
            }
        }
    };
}

limits! {
    SignIn "sign_in" Address InDatabase minutes(300, 5), "policy.sign_in.rate",
        "Sign-ins.";
    SignInOfKnownDevice "sign_in_of_known_device" KnownDevice InDatabase minutes(10, 5), "policy.limits.sign_in_of_known_device",
        "Sign-ins from a browser that has signed in to the account before, where those of its address are used up.";
    RightPassword "right_password" Account InDatabase minutes(30, 5), "policy.limits.right_password",
        "Sign-ins with the right password from browsers that have not signed in to the account before. Each leaves a session and a known device.";
    Recovery "recovery" Address InDatabase minutes(60, 5), "policy.recovery.rate",
        "Requests for a mail about a forgotten password.";
    Invitation "invitation" Address InDatabase minutes(60, 5), "policy.recovery.rate",
        "Requests for another invitation.";
    MailRequestRows "asked_rows" Network InDatabase minutes(2_000, 30), "policy.limits.asked_rows",
        "Requests for a mail, of either kind, which leaves a row whether an account has the address or not.";
    ClientRegistration "client_registration" Address InDatabase hours(30, 1), "registration.rate",
        "Clients that register themselves, and changes of them.";
    FormOfSession "form_of_session" Session InDatabase minutes(30, 5), "policy.limits.form_of_session",
        "Forms of a signed-in account, or of one that proved its identity within an interaction or by a mailed link: those count for the interaction or the link.";
    FirstFormsOfSession "first_forms_of_session" Session InDatabase minutes(10, 5), "policy.limits.first_forms_of_session",
        "The first of these forms, which count for their session alone: no other session of the account can use them up.";
    FormOfAccount "form_of_account" Account InDatabase minutes(60, 5), "policy.limits.form_of_account",
        "The same forms beyond the first ones of each session, whatever the session.";
    FormOfAddress "form_of_address" Address InDatabase minutes(300, 5), "policy.limits.form_of_address",
        "Forms of a browser that is not signed in and has proven nothing, where no other limit counts them.";
    StaleFormOfAddress "stale_form_of_address" Address InDatabase minutes(300, 5), "policy.limits.stale_form_of_address",
        "The same forms without a token that verifies: nothing is done with them, and they use up nothing that others at the address need.";
    InteractionRows "waiting_rows" Network InDatabase hours(2_000, 2), "policy.limits.waiting_rows",
        "Interactions that are stored before anything was proven. Each lives two hours; beyond the limit the request stays sealed in the page.";
    SignOut "sign_out" Session InDatabase minutes(30, 5), "policy.limits.sign_out",
        "Sign-outs, apart from the other forms: too many of those keep nobody signed in.";
    NewPassword "new_password" Account InDatabase minutes(10, 10), "policy.limits.new_password",
        "Forms with a new password; those behind a mailed link count for the link. Each costs several hashes.";
    RequestUri "request_uri" Address InDatabase minutes(600, 5), "policy.limits.request_uri",
        "Request objects that are fetched from where a `request_uri` says. Those for a person who is signed in count for the account, and those that a page loads in a frame apart.";
    RequestUriOfClient "request_uri_of_client" Address InDatabase minutes(300, 5), "policy.limits.request_uri",
        "The same request objects of one client of the configuration: half of them.";
    RequestUriOfRegistered "request_uri_of_registered" Address InDatabase minutes(300, 5), "policy.limits.request_uri",
        "The same request objects of all clients that registered themselves: half of them, which leaves the rest to those of the configuration.";
    RequestUriOfRegisteredClient "request_uri_of_registered_client" Address InDatabase minutes(150, 5), "policy.limits.request_uri",
        "The same request objects of one client that registered itself: a quarter of them, which leaves as many to the others of its kind.";
    PushedOfClient "pushed_of_client" Client InDatabase minutes(600, 5), "policy.limits.pushed_of_client",
        "Authorization requests that a client pushes.";
    PushedOfAddress "pushed_of_address" Address InDatabase minutes(1_200, 5), "policy.limits.pushed_of_address",
        "Pushed authorization requests, whatever the client.";
    AssertionOfClient "assertion_of_client" Client InDatabase minutes(3_000, 5), "policy.limits.assertion_of_client",
        "Assertions with which a client proves who it is. Each leaves a row until it has expired.";
    AssertionOfAddress "assertion_of_address" Address InDatabase minutes(6_000, 5), "policy.limits.assertion_of_address",
        "The same assertions, whatever the client.";
    Revocation "revocation" Client InDatabase minutes(600, 5), "policy.limits.revocation",
        "Tokens and grants that a client revokes. Those of a client that cannot prove who it is (`none`) count for the account whose they are.";
    PhoneNumber "phone_number" Number InDatabase hours(20, 24), "policy.telephony.per_number",
        "Codes by text and call, whosever account asks.";
    PhoneNumberBesidesRecovery "phone_number_besides_recovery" Number InDatabase hours(15, 24), "policy.telephony.per_number",
        "Codes by text and call for other purposes than recovery: three quarters of the number's codes.";
    PhoneNumberOfOtherDevices "phone_number_of_other_devices" Number InDatabase hours(10, 24), "policy.telephony.per_number",
        "Codes by text and call for other purposes than recovery, at devices that have not passed a second factor: half of the number's codes.";
    PhonePrefix "phone_prefix" NumberPrefix InDatabase hours(60, 1), "policy.telephony.per_prefix",
        "Codes by text and call.";
    PhoneOverall "phone_overall" Everybody InDatabase hours(300, 1), "policy.telephony.overall",
        "Codes by text and call. Beyond it the log has an alarm.";
    Request "request" Address InMemory minutes(60_000, 1), "policy.limits.request",
        "Requests of any kind, whatever else counts them.";
    ClientRequest "client_request" Client InMemory minutes(60_000, 1), "policy.limits.client_request",
        "Requests of a client: tokens, introspection, revocation. Those of a client that cannot prove who it is (`none`) count for each address that sends them.";
    Authorization "authorization" SessionAndClient InMemory minutes(600, 5), "policy.limits.authorization",
        "Answers of the authorization endpoint to an application. What a page loads in a frame, or asks for with a script, counts apart.";
    AuthorizationOfSession "authorization_of_session" Session InMemory minutes(3_000, 5), "policy.limits.authorization_of_session",
        "The same answers, whatever the application. What a page loads in a frame, or asks for with a script, counts apart.";
    AuthorizationOfAccount "authorization_of_account" Account InMemory minutes(6_000, 5), "policy.limits.authorization_of_account",
        "The same answers, whatever the application and the session. What a page loads in a frame, or asks for with a script, counts apart.";
    Refresh "refresh" Grant InMemory minutes(300, 5), "policy.limits.refresh",
        "Uses of the refresh tokens that one sign-in at an application led to.";
    RepeatNotice "repeat_notice" Account InDatabase hours(3, 24), "policy.limits.repeat_notice",
        "Mails that an application has renewed a sign-in from two networks at once.";
}

impl Limit {
    /// The scope of its counters, and what the audit trail calls it.
    pub const fn name(self) -> &'static str {
        self.definition().name
    }

    /// Whether it is set under `policy.limits`; the others have a place of their own.
    pub fn is_set_under_limits(self) -> bool {
        self.definition().setting.strip_prefix("policy.limits.") == Some(self.name())
    }
}

/// The limits under `policy.limits` that are not as they are by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Limits(BTreeMap<Limit, RateLimit>);

impl Limits {
    pub fn get(&self, limit: Limit) -> RateLimit {
        self.0.get(&limit).copied().unwrap_or(limit.definition().default)
    }

    pub fn set(&mut self, limit: Limit, rate: RateLimit) {
        if rate != limit.definition().default {
            self.0.insert(limit, rate);
        }
    }
}

/// One counter and what it allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RateLimitCheck {
    pub limit: Limit,
    /// Whom it counts: an address prefix, an identifier, a number.
    pub limit_key: String,
    pub rate: RateLimit,
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn each_limit_has_a_name_and_a_setting() {
        let names: BTreeSet<&str> = Limit::ALL.iter().map(|limit| limit.name()).collect();
        assert_eq!(names.len(), Limit::ALL.len());
        for facts in Limit::ALL.iter().map(|limit| limit.definition()) {
            assert!(facts.setting.contains('.') && facts.about.ends_with('.'), "{facts:?}");
            // Sweeping keeps counters for three days.
            assert!(facts.default.window <= SignedDuration::from_hours(24), "{facts:?}");
        }
    }
}
