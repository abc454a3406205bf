//! The sections of the configuration, each described and read in one place.

mod access_tokens;
mod client;
mod client_claims;
mod client_draft;
mod client_metadata;
mod client_warnings;
mod credential_policy;
mod gateway;
mod keys;
mod messages;
mod people;
mod policy;
mod rates;
mod registration;
mod server;
mod telephony;

use anteroom_domain::policy::Policy;
use anteroom_oidc::Issuer;
use jiff::SignedDuration;

pub(crate) use access_tokens::check as check_access_tokens;
pub(crate) use client::read_clients;
pub(crate) use client_draft::ClientDraft;
pub(crate) use client_metadata::ClientRules;
pub(crate) use keys::KeysDraft;
pub(crate) use people::{GroupDraft, read_groups};
pub(crate) use registration::RegistrationDraft;
pub(crate) use server::DatabaseDraft;

use crate::reader::kind::{list, parsed, quoted, text};
use crate::reader::{Section, key};
use crate::settings::{
    Audit, Dev, EmailSettings, Hashing, Log, OutgoingSettings, PhoneProviderSettings, PolicyProfile,
    Practice, Server, ThemeSettings, TwilioSettings,
};

const SECOND: SignedDuration = SignedDuration::from_secs(1);
const MINUTE: SignedDuration = SignedDuration::from_mins(1);
const HOUR: SignedDuration = SignedDuration::from_hours(1);
const DAY: SignedDuration = SignedDuration::from_hours(24);

const fn days(count: i64) -> SignedDuration {
    SignedDuration::from_hours(24 * count)
}

/// What the main file says, clients and groups aside; none where a required value is missing or bad.
pub(crate) struct MainSections {
    pub(crate) include: Vec<String>,
    pub(crate) issuer: Option<Issuer>,
    pub(crate) practice: Practice,
    pub(crate) server: Server,
    pub(crate) database: DatabaseDraft,
    pub(crate) keys: KeysDraft,
    pub(crate) profile: PolicyProfile,
    pub(crate) policy: Policy,
    pub(crate) registration: RegistrationDraft,
    pub(crate) hashing: Hashing,
    pub(crate) outgoing: OutgoingSettings,
    pub(crate) theme: ThemeSettings,
    pub(crate) audit: Audit,
    pub(crate) email: Option<EmailSettings>,
    pub(crate) twilio: Option<TwilioSettings>,
    pub(crate) text: Option<PhoneProviderSettings>,
    pub(crate) voice: Option<PhoneProviderSettings>,
    pub(crate) dev: Dev,
    pub(crate) log: Log,
}

/// Reads in the order of the reference. What is read `at_start` waits there; everything else is taken up while the server runs.
pub(crate) fn read_main(top: &mut Section<'_, '_>) -> MainSections {
    let issuer = top.require(key("issuer", issuer_kind(), ISSUER));
    let include = top.get_or(key("include", list(text()), INCLUDE), Vec::new());
    let practice = people::read_practice(top);
    let server = top.at_start(server::read_server);
    let database = top.at_start(server::read_database);
    let keys = top.at_start(keys::read_keys);
    let (profile, policy) = policy::read_policy(top);
    MainSections {
        include,
        issuer,
        practice,
        server,
        database,
        keys,
        profile,
        policy,
        registration: registration::read_registration(top),
        hashing: top.at_start(keys::read_hashing),
        outgoing: top.at_start(server::read_outgoing),
        theme: people::read_theme(top),
        audit: top.at_start(server::read_audit),
        email: top.at_start(messages::read_email),
        twilio: top.at_start(messages::read_twilio),
        text: top.at_start(messages::read_text),
        voice: top.at_start(messages::read_voice),
        dev: top.at_start(server::read_dev),
        log: top.at_start(server::read_log),
    }
}

const ISSUER: &str = "The URL at which people and applications reach Anteroom, and the `iss` of every token. \
    Never change it: applications know people by `iss` and `sub` together. Plain http is accepted for a loopback \
    host only.";

const INCLUDE: &str = "Further files with `[[clients]]` and `[[groups]]`, relative to this one. `*` in the \
    last component stands for any characters; the matches are read in alphabetical order.";

fn issuer_kind() -> crate::reader::kind::Kind<Issuer> {
    let show = |issuer: &Issuer| quoted(issuer.as_str());
    parsed("https URL", show, |text| Issuer::parse(text).map_err(|error| error.to_string()))
}
