//! What became of the messages that were queued for people.

use super::Detail;
use crate::message::{Channel, MessageKind, WaitingMessage};

pub(super) fn sentence(kind: &str, detail: &Detail) -> Option<String> {
    let (message, channel, phone) = (detail.text("message"), detail.text("channel"), detail.text("phone"));
    let what = what(&message, &channel, &phone);
    Some(match (kind, channel.as_str()) {
        ("message_sent", "email") => format!("Handed to the mail server: {what}."),
        ("message_sent", _) => format!("Handed to the provider: {what}."),
        ("message_failed", _) => format!("Not delivered: {what}; {}.", why(detail)?),
        _ => return None,
    })
}

/// Where the messages of a channel go under the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChannelTarget {
    Provider,
    /// The development outbox, whose messages have no end.
    Outbox,
    NotConfigured,
}

/// Of a message that has no end in the trail yet.
pub fn waiting(message: &WaitingMessage, target: ChannelTarget) -> String {
    let phone = message.phone.as_deref().unwrap_or_default();
    let what = what(&message.kind, message.channel.as_str(), phone);
    let section = match message.channel {
        Channel::Email => "[email]",
        Channel::Text => "[text]",
        Channel::Call => "[voice]",
    };
    match (target, &message.last_error) {
        (ChannelTarget::Outbox, _) => format!("In the outbox (/dev/outbox): {what}."),
        (ChannelTarget::NotConfigured, _) => format!("Waits, because {section} is not configured: {what}."),
        (ChannelTarget::Provider, None) => format!("Being sent: {what}."),
        (ChannelTarget::Provider, Some(reason)) => {
            format!("Not sent yet, and tried again: {what}; the last attempt ended with `{reason}`.")
        }
    }
}

fn what(message: &str, channel: &str, phone: &str) -> String {
    let Some(kind) = MessageKind::parse(message) else { return format!("the message `{message}`") };
    let what = match (kind, channel) {
        (MessageKind::Code, "call") => return format!("the call with a code to {phone}"),
        (MessageKind::Code, _) => return format!("the text with a code to {phone}"),
        (MessageKind::PhoneAdded, "text") => return format!("the text that tells of a new phone to {phone}"),
        (MessageKind::PhoneAdded, _) => "the mail that tells of a new phone",
        (MessageKind::Invitation, _) => "the invitation",
        (MessageKind::Recovery, _) => "the mail for a password reset",
        (MessageKind::AccountLocked, _) => "the mail that tells of a lock",
        (MessageKind::PasswordChanged, _) => "the mail that tells of a new password",
        (MessageKind::RegistrationCompleted, _) => "the mail that tells of a completed registration",
        (MessageKind::PasswordExpires, _) => "the warning that the password expires",
        (MessageKind::AuthenticatorApp, _) => "the mail that tells of an authenticator app",
        (MessageKind::TokensAskedElsewhere, _) => "the mail that tells of a refused request for tokens",
    };
    what.to_owned()
}

fn why(detail: &Detail) -> Option<&'static str> {
    Some(match detail.text("reason").as_str() {
        "no_connection" => "every attempt to connect failed",
        "timed_out" => "there was no answer, however often it was tried",
        "busy" => "the provider deferred the message until it had expired",
        "credentials" => "the other side does not take the name and secret that are configured",
        "certificate_expired" => "the certificate of the mail server is expired",
        "certificate_name" => "the certificate of the mail server is for another host",
        "certificate_issuer" => {
            "the certificate of the mail server is of an authority that is not trusted here"
        }
        "tls" => "no TLS session with the mail server came about",
        "no_starttls" => "the mail server does not offer STARTTLS",
        "no_auth" => "the mail server offers no way to sign in that is known here",
        "set_up" => "the provider refuses every message sent with this configuration",
        "rejected" => "the other side refused it for good",
        "text_refused" => "the number takes no texts, as a landline's does not",
        "invalid_number" => "there is no such number",
        "not_answered" => "nobody took the call",
        "not_configured" => "no provider is configured for this channel",
        "unwritable" => "the message could not be rendered",
        "no_account" => {
            "no account has the address that was entered, or none that gets such a mail, so nothing was sent"
        }
        "unreadable" => "what was queued could not be read any more",
        "expired" => "its time was over before it was sent",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::KIND_OF_CODE;

    #[test]
    fn each_kind_of_message_has_a_plain_name() {
        for kind in MessageKind::ALL {
            assert_eq!(MessageKind::parse(kind.as_str()), Some(kind));
            for channel in ["email", "text", "call"] {
                let what = what(kind.as_str(), channel, "•••-•••-••86");
                assert!(!what.contains(['`', '_']), "{what}");
            }
        }
        assert_eq!(what("of_a_later_release", "email", ""), "the message `of_a_later_release`");
    }

    #[test]
    fn the_end_of_a_message_is_plain() {
        for (kind, detail, expected) in [
            (
                "message_sent",
                r#"{"message":"recovery","channel":"email"}"#,
                Some("Handed to the mail server: the mail for a password reset."),
            ),
            (
                "message_sent",
                r#"{"message":"code","channel":"call","phone":"•••-•••-••86"}"#,
                Some("Handed to the provider: the call with a code to •••-•••-••86."),
            ),
            (
                "message_failed",
                r#"{"message":"code","channel":"text","phone":"•••-•••-••86","reason":"text_refused"}"#,
                Some(
                    "Not delivered: the text with a code to •••-•••-••86; the number takes no texts, as a landline's does not.",
                ),
            ),
            ("message_failed", r#"{"message":"code","channel":"text","reason":"of a later release"}"#, None),
            ("signed_in", "{}", None),
        ] {
            let detail = Detail(serde_json::from_str(detail).unwrap());
            assert_eq!(sentence(kind, &detail).as_deref(), expected, "{kind}");
        }
    }

    #[test]
    fn a_message_without_an_end_is_being_sent_or_tried_again_or_waits() {
        let message = |last_error: Option<&str>| WaitingMessage {
            kind: KIND_OF_CODE.to_owned(),
            channel: Channel::Text,
            phone: Some("•••-•••-••86".to_owned()),
            created_at: jiff::Timestamp::UNIX_EPOCH,
            last_error: last_error.map(str::to_owned),
        };
        for (last_error, target, expected) in [
            (None, ChannelTarget::Provider, "Being sent: the text with a code to •••-•••-••86."),
            (
                Some("no_connection"),
                ChannelTarget::Provider,
                "Not sent yet, and tried again: the text with a code to •••-•••-••86; the last attempt ended with `no_connection`.",
            ),
            (
                None,
                ChannelTarget::Outbox,
                "In the outbox (/dev/outbox): the text with a code to •••-•••-••86.",
            ),
            (
                Some("busy"),
                ChannelTarget::NotConfigured,
                "Waits, because [text] is not configured: the text with a code to •••-•••-••86.",
            ),
        ] {
            assert_eq!(waiting(&message(last_error), target), expected);
        }
    }
}
