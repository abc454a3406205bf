//! `[registration]`: whether clients may register themselves, and what they may be.

use anteroom_domain::account::GroupName;
use anteroom_domain::client::Entitlement;
use anteroom_domain::client_registration::{RegistrationMode, RegistrationPolicy};
use anteroom_domain::limits::Limit;
use anteroom_domain::rate::RateLimit;
use anteroom_oidc::ScopeSet;
use secrecy::{ExposeSecret as _, SecretString};

use super::client::check_strength;
use super::people::group_name;
use super::{SECOND, rates};
use crate::diagnostics::{ConfigFinding, SourceSpan};
use crate::reader::kind::{Kind, boolean, integer, list, parsed, quoted, word};
use crate::reader::{SecretKeys, Section, file_path, from_file, key};

/// As it was read; its groups are still to be found.
pub(crate) struct RegistrationDraft {
    pub(crate) policy: RegistrationPolicy,
    /// The groups its clients admit, in the order in which they stand.
    pub(crate) groups: Vec<GroupName>,
    pub(crate) tokens: Vec<SecretString>,
}

const ABOUT: &str = "Clients that register themselves (RFC 7591, RFC 7592). They are never first-party: people are \
    asked before such a client learns anything.";

pub(super) fn read_registration(top: &mut Section<'_, '_>) -> RegistrationDraft {
    let default = RegistrationPolicy::default();
    top.section("registration", ABOUT, |section| {
        let meaning = "Who may register: nobody, whoever has an initial access token, or anybody on the network. While \
            it is closed, clients that registered before are not known.";
        let mode = key("mode", word(RegistrationMode::ALL), meaning);
        let mode =
            section.get_or(mode.looser_when(|given, _| *given == RegistrationMode::Open), default.mode);
        let tokens = read_tokens(section);
        if mode == RegistrationMode::InitialAccessToken && !TOKEN_KEYS.iter().any(|key| section.was_given(key)) {
            let finding = ConfigFinding::error("nobody could register");
            let finding = finding.at(section.place_of("mode"), "needs an initial access token");
            let help = "make one with `anteroom client secret` and name its file with \
                `initial_access_token_file`";
            section.cx.report(finding.help(help));
        }
        let meaning = "Whether those that can keep a secret need a code challenge as well; the others always do.";
        let require_pkce = section.get_or(key("require_pkce", boolean(), meaning), default.require_pkce);
        let meaning = "The scopes that they may ask for.";
        let scope = section.get_or(key("scope", scopes(), meaning), default.scope);
        let meaning = "Groups whose members they admit, any of them; left out, everyone.";
        let groups: Option<Vec<GroupName>> = section.get(key("groups", list(group_name()), meaning));
        if groups.as_ref().is_some_and(Vec::is_empty) {
            let finding = ConfigFinding::error("clients that admit nobody");
            section.cx.report(finding.at(section.place_of("groups"), "no group is named"));
        }
        let meaning = "How many there may be. Every node keeps them in memory.";
        let max_clients =
            section.get_or(key("max_clients", integer(1..=100_000), meaning), default.max_clients);
        let rate = read_rate(section, default.rate);
        let admission = match &groups {
            None => Entitlement::Everyone,
            Some(names) => Entitlement::Groups(names.iter().cloned().collect()),
        };
        let policy = RegistrationPolicy { mode, require_pkce, scope, admission, max_clients, rate };
        RegistrationDraft { policy, groups: groups.unwrap_or_default(), tokens }
    })
}

const TOKEN_KEYS: &[&str] =
    &["initial_access_token_file", "initial_access_token_env", "initial_access_token_files"];

fn read_rate(registration: &mut Section<'_, '_>, default: RateLimit) -> RateLimit {
    registration.section("rate", "Registrations, and changes of them, from one address prefix.", |section| {
        rates::read_rate(
            section,
            Limit::ClientRegistration,
            default,
            RateLimit { max: 100_000, window: SECOND },
        )
    })
}

fn read_tokens(section: &mut Section<'_, '_>) -> Vec<SecretString> {
    const KEYS: SecretKeys = SecretKeys {
        file: "initial_access_token_file",
        file_meaning: "File with the initial access token; `anteroom client secret` makes one.",
        env: "initial_access_token_env",
        env_meaning: "Environment variable with the initial access token.",
    };
    KEYS.forbid_inline(section);
    let mut tokens: Vec<(Option<SourceSpan>, SecretString)> = Vec::new();
    if let Some(token) = KEYS.read(section) {
        let place = section.place_of(KEYS.env).or_else(|| section.place_of(KEYS.file));
        tokens.extend(token.value.map(|value| (place, value)));
    }
    let meaning = "Further files with tokens that are good as well: one for each who registers, or while one is being \
        replaced.";
    let files = section.get(key("initial_access_token_files", list(file_path()), meaning));
    for (i, path) in files.unwrap_or_default().iter().enumerate() {
        let place = section.cx.place(&format!("{}.initial_access_token_files.{i}", section.path));
        tokens.extend(
            from_file(section, "initial_access_token_files", path, place.clone())
                .value
                .map(|value| (place, value)),
        );
    }
    for (place, token) in &tokens {
        check_strength(section, place.clone(), "an initial access token", token.expose_secret());
    }
    tokens.into_iter().map(|(_, token)| token).collect()
}

fn scopes() -> Kind<ScopeSet> {
    let show = |scope: &ScopeSet| quoted(&scope.to_string());
    parsed("scopes, separated by spaces", show, |text| match text.parse::<ScopeSet>() {
        Ok(scope) if scope.is_empty() => Err("names no scope".to_owned()),
        Ok(scope) => Ok(scope),
        Err(error) => Err(error.to_string()),
    })
}
