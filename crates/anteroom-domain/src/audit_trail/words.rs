//! Turns audit entries into one English sentence each, for operators.
//!
//! The trail outlives the release that wrote it, so kinds are matched as text: one without a sentence here is named with
//! its details, never left out.

mod database;
mod messages;
mod refresh;
mod refusals;
mod tokens;

pub use messages::{ChannelTarget, waiting};

use crate::audit_trail::record::AuditRecord;
use anteroom_oidc::display_text::is_hidden;
use serde_json::Value;

/// What sentences need to know of the policy.
#[derive(Clone, Copy, Debug)]
pub struct SentencePolicy {
    pub forgiven_failures: u32,
}

pub fn sentence(entry: &AuditRecord, policy: SentencePolicy) -> String {
    let detail = Detail(serde_json::from_str(&entry.detail).unwrap_or(Value::Null));
    let kind = entry.kind.as_str();
    sign_in(kind, &detail, policy)
        .or_else(|| recovery_and_registration(kind, &detail))
        .or_else(|| tokens::sentence(kind, &detail))
        .or_else(|| refresh::sentence(kind, &detail))
        .or_else(|| operation(kind, &detail))
        .or_else(|| database::sentence(kind, &detail))
        .or_else(|| messages::sentence(kind, &detail))
        .or_else(|| refusals::sentence(kind, &detail))
        .unwrap_or_else(|| detail.fallback(kind, &entry.outcome))
}

fn sign_in(kind: &str, detail: &Detail, facts: SentencePolicy) -> Option<String> {
    Some(match kind {
        "signed_in" => {
            let device = if detail.is_true("new_device") { "a new browser" } else { "a known browser" };
            format!("Signed in from {device}; what was proven: {}.", detail.text("acr"))
        }
        "sign_in_refused" => refused(detail, facts)?,
        "account_locked" => match detail.text("scope").as_str() {
            "everywhere" => "The account was locked everywhere: only a completed password reset lifts it.",
            "this_device" => {
                "A known browser in which the present password was never right was locked, and the account was not; a new \
                 password lifts it."
            }
            "earlier_devices" => {
                "Too many wrong passwords came from known browsers in which only an earlier password was right: until it is \
                 right there, or a new one is chosen, they count as browsers that have not signed in before."
            }
            "unknown_devices" => {
                "The account was locked for browsers that have not signed in to it before, or count as such. Other known ones \
                 still get in; a completed password reset lifts it."
            }
            _ => return None,
        }
        .to_owned(),
        "password_expired_noticed" => {
            "The password was right but has expired: it does not sign in, a new one must be chosen.".to_owned()
        }
        "account_chosen" => {
            "Was chosen among the accounts that are signed in at the browser, without a password.".to_owned()
        }
        "signed_out" => match detail.text("reason").as_str() {
            "signed_out" => "Signed out.",
            "idle" => "The session ended: nothing was done in it for too long.",
            "too_old" => "The session ended: it was as old as a session may become.",
            "password_changed" => "The session ended, because the password was changed.",
            "disabled" => "The session ended, because the account was disabled.",
            "client" => {
                "The application ended the session with an ID token of it, without the browser that it was in."
            }
            "too_many" => "The session ended: the account or the browser had as many as it may, and another one began.",
            "database_accepted" => "The session ended, because the database was restored to an earlier state.",
            _ => return None,
        }
        .to_owned(),
        "consent_given" => format!("Agreed that the application learns: {}.", detail.text("scope")),
        "consent_denied" => format!("Did not agree that the application learns: {}.", detail.text("scope")),
        "access_refused" => {
            "Was not let into the application: the account is in none of the groups that it admits.".to_owned()
        }
        _ => return None,
    })
}

fn refused(detail: &Detail, facts: SentencePolicy) -> Option<String> {
    let failures = detail.number("failures");
    let why = match detail.text("reason").as_str() {
        "wrong_password" if failures <= u64::from(facts.forgiven_failures) => {
            format!("the password was wrong ({failures} of {} forgiven)", facts.forgiven_failures)
        }
        "wrong_password" => format!(
            "the password was wrong, failure {failures}, and {} are forgiven: another entry of this moment says what that locks",
            facts.forgiven_failures
        ),
        "locked" => {
            "the account is locked everywhere, whatever the password: only a completed password reset lifts it".to_owned()
        }
        "locked_for_this_device" => {
            "too many passwords were wrong in this browser since the last right one, which was before the present password was \
             set; a new password lifts it"
                .to_owned()
        }
        "locked_for_unknown_devices" => {
            "the account is locked for browsers that have not signed in to it before, whatever the password; a completed \
             password reset lifts it"
                .to_owned()
        }
        "locked_for_earlier_devices" => {
            "only an earlier password was right in this browser, and too many were wrong in such browsers: it counts as one that \
             has not signed in to the account before, for which the account is locked, whatever the password; a completed \
             password reset lifts it"
                .to_owned()
        }
        "disabled" => "the account is disabled".to_owned(),
        "not_registered" => "the person has not completed their registration".to_owned(),
        "credential_changed" => "the password was changed in the moment of the sign-in".to_owned(),
        "no_cookies" => {
            "the password was right, but the browser keeps no cookies, and without one nobody can be signed in".to_owned()
        }
        "too_many_sign_ins" => {
            "the password was right, but too many sign-ins to the account came from browsers that have not signed in to it \
             before"
                .to_owned()
        }
        "unknown_address" => "no account has the address that was entered".to_owned(),
        _ => return None,
    };
    Some(format!("Sign-in refused: {why}."))
}

const ENOUGH_ASKED: &str = "A mail was asked for and none was sent: as many as there may be were asked for this address \
                            a short while ago. A release before 0.2.0 says the same where no account has the address.";

/// Events of recovery and registration: mails, links, codes, phones, passwords.
fn recovery_and_registration(kind: &str, detail: &Detail) -> Option<String> {
    Some(match kind {
        "recovery_asked" if detail.is_true("mailed") => {
            "A password reset was asked for: the address that was entered is looked up.".to_owned()
        }
        "invitation_asked" if detail.is_true("mailed") => {
            "Another invitation was asked for: the address that was entered is looked up.".to_owned()
        }
        "recovery_asked" | "invitation_asked" => ENOUGH_ASKED.to_owned(),
        "ask_answered" => match detail.text("mail").as_str() {
            "recovery" => "An account has the address: the mail for a password reset was queued.",
            "invitation" => "An invited person has the address: the invitation was queued.",
            "none" => "No account has the address, or none that gets such a mail: none was queued.",
            _ => return None,
        }
        .to_owned(),
        "link_pressed" => "The link of a mail, or the code in it, was used.".to_owned(),
        "code_sent" => format!(
            "A code was to go by {} to {}, for {}.",
            detail.text("method"),
            detail.text("phone"),
            purpose(detail)
        ),
        "code_accepted" => format!("The code was right, for {}.", purpose(detail)),
        "password_reset" => {
            "The password was reset: the lock is lifted, sessions and tokens have ended, and devices that the password alone made known are forgotten.".to_owned()
        }
        "password_changed" => match detail.text("reason").as_str() {
            "expired" => "An expired password was replaced; sessions and tokens of before have ended.",
            "chosen" => "The password was changed by choice; sessions and tokens of before have ended.",
            _ => return None,
        }
        .to_owned(),
        "phone_added" => {
            format!("A phone was added: {} ({}).", detail.text("phone"), detail.text("phone_kind"))
        }
        "phone_verified" => format!("The phone {} was verified by a code.", detail.text("phone")),
        "phones_removed" => {
            let why = match detail.text("reason").as_str() {
                "reset" => "the password was reset before they served",
                "invited_again" => "the person was invited again, and begins anew",
                "disabled" => "the account was disabled before its registration was complete",
                _ => return None,
            };
            format!("Phones were removed ({}): {why}.", detail.text("phones"))
        }
        "authenticator_app_added" if detail.is_true("serves_at_once") => {
            "An authenticator app was added behind a second factor, and every address told.".to_owned()
        }
        "authenticator_app_added" => {
            "An authenticator app was added by the password alone, and every address told: its codes are taken after \
             recovery.new_phone_delay."
                .to_owned()
        }
        "authenticator_app_removed" => "An authenticator app was removed, and every address told.".to_owned(),
        "profile_changed" => format!("What is said of the person was changed: {}.", detail.text("claims")),
        "registration_completed" => "The registration was completed.".to_owned(),
        _ => return None,
    })
}

fn purpose(detail: &Detail) -> &'static str {
    match detail.text("purpose").as_str() {
        "recovery" => "a password reset",
        "expired_password" => "an expired password",
        "step_up" => "a second factor",
        "registration" => "a registration",
        "authenticator_app" => "a new authenticator app",
        _ => "something else",
    }
}

fn operation(kind: &str, detail: &Detail) -> Option<String> {
    Some(match kind {
        "error_shown" => {
            let (page, status) = (detail.text("page"), detail.number("status"));
            match detail.text("path").as_str() {
                "none" | "" => format!("An error page was shown: {page}, status {status}."),
                path => format!("An error page was shown at {path}: {page}, status {status}."),
            }
        }
        "account_invited" => match detail.text("groups").as_str() {
            "none" | "" => "Was invited, into no group.".to_owned(),
            groups => format!("Was invited, into the groups: {groups}."),
        },
        "account_disabled" => "The account was disabled; its sessions have ended.".to_owned(),
        "account_enabled" => "The account was enabled.".to_owned(),
        "group_added" => format!("Was added to the group {}.", detail.text("group")),
        "group_removed" => format!("Was taken out of the group {}.", detail.text("group")),
        "signing_key_created" => {
            format!("A signing key was made: {}, {}.", detail.text("algorithm"), detail.text("kid"))
        }
        "signing_key_brought_forward" => format!(
            "A signing key that was made before signs sooner: {}, from {}.",
            detail.text("kid"),
            detail.text("signs_from")
        ),
        "signing_key_retired" => format!("A signing key was retired: {}.", detail.text("kid")),
        "encryption_key_created" => {
            format!("An encryption key was made: {}, {}.", detail.text("key"), detail.text("kid"))
        }
        "encryption_key_retired" => format!("An encryption key was retired: {}.", detail.text("kid")),
        "configuration_changed" => {
            format!("The configuration with digest {} is in use.", detail.text("digest"))
        }
        "trail_pruned" => format!(
            "The {} oldest entries of the trail, up to number {}, were removed: they were kept as long as they must be.",
            detail.number("entries"),
            detail.number("up_to")
        ),
        "rate_limited" => format!(
            "{} requests in a minute were turned away by the limit `{}`.",
            detail.number("count"),
            detail.text("scope")
        ),
        _ => return None,
    })
}

struct Detail(Value);

impl Detail {
    /// As it would be said: without quotation marks, lists with commas.
    fn text(&self, name: &str) -> String {
        self.0.get(name).map(display_value).unwrap_or_default()
    }

    fn number(&self, name: &str) -> u64 {
        self.0.get(name).and_then(Value::as_u64).unwrap_or_default()
    }

    fn is_true(&self, name: &str) -> bool {
        self.0.get(name).and_then(Value::as_bool).unwrap_or_default()
    }

    /// `thing_failed` with its details: `Thing failed: attempts 3, channel email.`
    fn fallback(&self, kind: &str, outcome: &str) -> String {
        let mut letters = kind.replace('_', " ");
        if let Some(first) = letters.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        let details = self.0.as_object().into_iter().flatten();
        let details: Vec<String> = details
            .map(|(name, value)| format!("{} {}", name.replace('_', " "), display_value(value)))
            .collect();
        let outcome = if outcome == "failure" { " (a failure)" } else { "" };
        match details.as_slice() {
            [] => format!("{letters}{outcome}."),
            details => format!("{letters}{outcome}: {}.", details.join(", ")),
        }
    }
}

/// Texts of the trail may come from a request: characters that are not seen would make other lines, or others' words, of it.
fn display_value(value: &Value) -> String {
    match value {
        Value::String(text) => text.chars().map(|c| if is_hidden(c) { '\u{fffd}' } else { c }).collect(),
        Value::Array(items) if items.is_empty() => "none".to_owned(),
        Value::Array(items) => items.iter().map(display_value).collect::<Vec<_>>().join(", "),
        Value::Null => "none".to_owned(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::AuditId;
    use anteroom_crypto::sha256;
    use jiff::Timestamp;

    fn say(kind: &str, outcome: &str, detail: &str) -> String {
        let entry = AuditRecord {
            id: AuditId(uuid::Uuid::nil()),
            at: Timestamp::UNIX_EPOCH,
            kind: kind.to_owned(),
            outcome: outcome.to_owned(),
            actor: "anonymous".to_owned(),
            actor_account: None,
            subject: None,
            client: None,
            session: None,
            address: None,
            reference: None,
            detail: detail.to_owned(),
            mac: sha256("", b""),
        };
        sentence(&entry, SentencePolicy { forgiven_failures: 5 })
    }

    #[test]
    fn reasons_are_plain() {
        for (kind, detail, expected) in [
            (
                "sign_in_refused",
                r#"{"failures":3,"reason":"wrong_password"}"#,
                "Sign-in refused: the password was wrong (3 of 5 forgiven).",
            ),
            (
                "sign_in_refused",
                r#"{"failures":6,"reason":"wrong_password"}"#,
                "Sign-in refused: the password was wrong, failure 6, and 5 are forgiven: another entry of this moment says what that locks.",
            ),
            (
                "sign_in_refused",
                r#"{"failures":0,"reason":"no_cookies"}"#,
                "Sign-in refused: the password was right, but the browser keeps no cookies, and without one nobody can be signed in.",
            ),
            (
                "sign_in_refused",
                r#"{"failures":0,"reason":"too_many_sign_ins"}"#,
                "Sign-in refused: the password was right, but too many sign-ins to the account came from browsers that have not signed in to it before.",
            ),
            (
                "account_locked",
                r#"{"scope":"everywhere"}"#,
                "The account was locked everywhere: only a completed password reset lifts it.",
            ),
            (
                "account_locked",
                r#"{"scope":"unknown_devices"}"#,
                "The account was locked for browsers that have not signed in to it before, or count as such. Other known ones still get in; a completed password reset lifts it.",
            ),
            (
                "sign_in_refused",
                r#"{"failures":6,"reason":"locked_for_earlier_devices"}"#,
                "Sign-in refused: only an earlier password was right in this browser, and too many were wrong in such browsers: it counts as one that has not signed in to the account before, for which the account is locked, whatever the password; a completed password reset lifts it.",
            ),
            ("account_invited", r#"{"groups":["a","b"]}"#, "Was invited, into the groups: a, b."),
            ("account_invited", r#"{"groups":[]}"#, "Was invited, into no group."),
            (
                "token_refused",
                "{\"reason\":\"bad\\u001b[2J\"}",
                "The application was refused tokens: bad\u{fffd}[2J.",
            ),
        ] {
            assert_eq!(say(kind, "failure", detail), expected);
        }
    }

    #[test]
    fn what_has_no_sentence_is_named_with_its_details() {
        for (kind, outcome, detail, expected) in [
            (
                "thing_failed",
                "failure",
                r#"{"channel":"email","last_attempt":3}"#,
                "Thing failed (a failure): channel email, last attempt 3.",
            ),
            ("reset_completed", "success", "{}", "Reset completed."),
            ("sign_in_refused", "failure", r#"{"reason":"x"}"#, "Sign in refused (a failure): reason x."),
            ("ééé", "success", "no JSON", "ééé."),
            ("", "success", "[]", "."),
        ] {
            assert_eq!(say(kind, outcome, detail), expected);
        }
    }
}
