use anteroom_crypto::sha256;
use anteroom_domain::audit::Event;
use anteroom_domain::audit_trail::record::AuditRecord;
use anteroom_domain::audit_trail::words::{SentencePolicy, sentence};
use anteroom_domain::ids::{AuditId, DeviceId, GrantId};
use anteroom_oidc::{Acr, ScopeSet};
use serde_json::Value;
use std::collections::BTreeMap;

use crate::golden::Form;
use crate::{id, samples, time};

const EVENTS: Form = Form { name: "events", objects: &[] };

/// The trail is kept longer than any release. Events are not read back as types but told, and are told alike whichever
/// release wrote them; what they are made of only grows, for the release before tells them too.
#[test]
fn events_of_every_release_are_told() {
    let events = events();
    for (name, event) in &events {
        let written = serde_json::to_value(event).unwrap();
        assert_eq!(written["kind"], *name);
        let stored = EVENTS.stored(name, &written);
        let outcome = event.outcome().as_str();
        assert_eq!(told(&stored, outcome), told(&written, outcome));
    }
    let names: Vec<&str> = events.iter().map(|(name, _)| *name).collect();
    EVENTS.check_that_no_file_has_more_than(&names);
}

fn told(event: &Value, outcome: &str) -> String {
    let mut detail = event.as_object().unwrap().clone();
    let kind = detail.remove("kind").unwrap();
    let entry = AuditRecord {
        id: AuditId(id(1)),
        at: time("2027-01-04T08:00:00Z"),
        kind: kind.as_str().unwrap().to_owned(),
        outcome: outcome.to_owned(),
        actor: "anonymous".to_owned(),
        actor_account: None,
        subject: None,
        client: None,
        session: None,
        address: None,
        reference: None,
        detail: Value::Object(detail).to_string(),
        mac: sha256("", b""),
    };
    sentence(&entry, SentencePolicy { forgiven_failures: 5 })
}

fn grant() -> GrantId {
    GrantId(id(6))
}

fn scope() -> ScopeSet {
    "openid email".parse().unwrap()
}

fn text(text: &str) -> String {
    text.to_owned()
}

fn phone() -> String {
    text("•••-•••-••43")
}

#[expect(clippy::too_many_lines, reason = "a table: one line for each kind")]
fn events() -> Vec<(&'static str, Event)> {
    samples!(Event {
        "signed_in": SignedIn =
            Event::SignedIn { acr: Acr::Mfa, device: Some(DeviceId(id(5))), new_device: true },
        "sign_in_refused": SignInRefused = Event::SignInRefused { reason: "wrong_password", failures: 3 },
        "account_locked": AccountLocked = Event::AccountLocked { scope: "everywhere" },
        "password_expired_noticed": PasswordExpiredNoticed = Event::PasswordExpiredNoticed,
        "recovery_asked": RecoveryAsked = Event::RecoveryAsked { mailed: true },
        "ask_answered": RecoveryMailQueued = Event::RecoveryMailQueued { mail: "recovery" },
        "link_pressed": LinkFollowed = Event::LinkFollowed,
        "link_refused": LinkRefused = Event::LinkRefused { reason: "expired" },
        "code_sent": CodeSent = Event::CodeSent { purpose: "recovery", method: "text", phone: phone() },
        "code_refused": OneTimeCodeRefused = Event::OneTimeCodeRefused { purpose: "step_up", left: 4 },
        "code_not_taken": OneTimeCodeNotChecked = Event::OneTimeCodeNotChecked { purpose: "recovery", reason: "budget_spent" },
        "code_not_sent": CodeNotSent = Event::CodeNotSent { purpose: "step_up", reason: "wait" },
        "new_password_refused": NewPasswordRefused = Event::NewPasswordRefused { reason: "weak" },
        "phone_refused": PhoneRefused = Event::PhoneRefused { reason: "too_many" },
        "code_accepted": CodeAccepted = Event::CodeAccepted { purpose: "registration", method: "totp" },
        "password_reset": PasswordReset = Event::PasswordReset,
        "password_changed": PasswordChanged = Event::PasswordChanged { reason: "chosen" },
        "phone_added": PhoneAdded = Event::PhoneAdded { phone: phone(), phone_kind: "cell" },
        "phone_verified": PhoneVerified = Event::PhoneVerified { phone: phone() },
        "phones_removed": PhonesRemoved = Event::PhonesRemoved { phones: vec![phone()], reason: "reset" },
        "authenticator_app_added": AuthenticatorAppAdded =
            Event::AuthenticatorAppAdded { usable_at_once: true },
        "authenticator_app_removed": AuthenticatorAppRemoved = Event::AuthenticatorAppRemoved,
        "registration_completed": RegistrationCompleted = Event::RegistrationCompleted,
        "profile_changed": ProfileChanged =
            Event::ProfileChanged { claims: vec!["given_name", "address.locality"] },
        "invitation_asked": InvitationAsked = Event::InvitationAsked { mailed: false },
        "account_chosen": AccountChosen = Event::AccountChosen,
        "signed_out": SignedOut = Event::SignedOut { reason: "idle" },
        "consent_given": ConsentGiven = Event::ConsentGiven { scope: scope() },
        "consent_denied": ConsentDenied = Event::ConsentDenied { scope: scope() },
        "access_refused": AccessRefused = Event::AccessRefused,
        "code_redeemed": AuthorizationCodeRedeemed = Event::AuthorizationCodeRedeemed { grant: grant(), scope: scope() },
        "tokens_released": TokensReleased = Event::TokensReleased { grant: grant(), scope: scope() },
        "token_refused": TokenRefused = Event::TokenRefused { reason: text("the code has expired") },
        "code_replayed": CodeReplayed = Event::CodeReplayed { grant: grant() },
        "token_refreshed": TokenRefreshed = Event::TokenRefreshed {
            grant: grant(),
            generation: 2,
            before: None,
            any_address: false,
        },
        "refresh_repeated": RefreshRepeated = Event::RefreshRepeated {
            grant: grant(),
            generation: 2,
            repeat: 1,
            first_address: Some("203.0.113.9".parse().unwrap()),
        },
        "refresh_ahead": RefreshUnknownGeneration = Event::RefreshUnknownGeneration { grant: grant(), generation: 4, known: 2 },
        "refresh_replayed": RefreshReplayed = Event::RefreshReplayed { grant: grant(), generation: 2 },
        "grant_revoked": GrantRevoked = Event::GrantRevoked { grant: grant(), reason: "session_ended" },
        "token_revoked": TokenRevoked = Event::TokenRevoked,
        "client_tokens_granted": ClientTokensGranted = Event::ClientTokensGranted { count: 12 },
        "client_registered": ClientRegistered = Event::ClientRegistered,
        "client_updated": ClientUpdated = Event::ClientUpdated { grants: 0 },
        "client_deleted": ClientDeleted = Event::ClientDeleted { grants: 3 },
        "client_grants_ended": ClientGrantsEnded =
            Event::ClientGrantsEnded { reason: "client_removed", grants: 3 },
        "client_registration_refused": ClientRegistrationRefused =
            Event::ClientRegistrationRefused { reason: text("redirect_uris is missing") },
        "client_authentication_failed": ClientAuthenticationFailed =
            Event::ClientAuthenticationFailed { reason: text("the secret is wrong") },
        "request_refused": RequestRefused = Event::RequestRefused { reason: text("scope is missing") },
        "error_shown": ErrorShown = Event::ErrorShown { status: 404, page: text("/missing"), path: None },
        "logout_delivered": LogoutDelivered = Event::LogoutDelivered,
        "logout_undelivered": LogoutUndelivered = Event::LogoutUndelivered { attempts: 5 },
        "message_sent": MessageSent =
            Event::MessageSent { message: text("code"), channel: text("text"), phone: Some(phone()) },
        "message_failed": MessageFailed = Event::MessageFailed {
            message: text("recovery"),
            channel: text("email"),
            phone: None,
            reason: "rejected",
        },
        "account_invited": AccountInvited =
            Event::AccountInvited { groups: vec![text("clinicians"), text("staff")] },
        "account_disabled": AccountDisabled = Event::AccountDisabled,
        "account_enabled": AccountEnabled = Event::AccountEnabled,
        "group_added": GroupAdded = Event::GroupAdded { group: text("staff") },
        "group_removed": GroupRemoved = Event::GroupRemoved { group: text("staff") },
        "signing_key_created": SigningKeyCreated =
            Event::SigningKeyCreated { kid: text("k1"), algorithm: "ES256" },
        "signing_key_brought_forward": SigningKeyBroughtForward =
            Event::SigningKeyBroughtForward { kid: text("k1"), signs_from: time("2027-01-04T08:06:00Z") },
        "signing_key_retired": SigningKeyRetired = Event::SigningKeyRetired { kid: text("k1") },
        "encryption_key_created": EncryptionKeyCreated =
            Event::EncryptionKeyCreated { kid: text("k2"), key: "RSA" },
        "encryption_key_retired": EncryptionKeyRetired = Event::EncryptionKeyRetired { kid: text("k2") },
        "trail_pruned": TrailPruned = Event::TrailPruned { up_to: 700, entries: 300 },
        "database_accepted": DatabaseAccepted = Event::DatabaseAccepted {
            epoch: 1_798_963_200_000,
            up_to: 700,
            seen: Some(712),
            sessions: 4,
            grants: 5,
        },
        "configuration_changed": ConfigurationChanged =
            Event::ConfigurationChanged { digest: text("0123456789abcdef"), parts: BTreeMap::new() },
        "rate_limited": RateLimited = Event::RateLimited { scope: "sign_in", count: 9 },
    })
}
