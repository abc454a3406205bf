//! Links, codes, passwords and phones that were refused, and why.

use super::{Detail, purpose};

pub(super) fn sentence(kind: &str, detail: &Detail) -> Option<String> {
    Some(match kind {
        "link_refused" => match detail.text("reason").as_str() {
            "expired" => "The link of a mail was refused: it was too old.",
            "used" => "The link of a mail was refused: it was used in another browser before.",
            "ended" => {
                "The link of a mail was refused: a completed reset or registration has invalidated it."
            }
            "wrong_code" => "A code was typed that no mail to this browser has.",
            "no_account" => "The link of a mail was refused: it is unknown, or its account is disabled.",
            _ => return None,
        }
        .to_owned(),
        "code_refused" => format!(
            "A wrong code was entered, for {}; {} more are forgiven within 24 hours, and only time gives them back.",
            purpose(detail),
            detail.number("left")
        ),
        "code_not_taken" => format!("A code was refused, for {}: {}.", purpose(detail), not_taken(detail)?),
        "code_not_sent" => format!("A code was not sent, for {}: {}.", purpose(detail), not_sent(detail)?),
        "new_password_refused" => format!("A new password was refused: {}.", bad_password(detail)?),
        "phone_refused" => format!("A phone was not added: {}.", bad_phone(detail)?),
        _ => return None,
    })
}

fn not_taken(detail: &Detail) -> Option<&'static str> {
    Some(match detail.text("reason").as_str() {
        "budget_spent" => "too many wrong ones were entered within 24 hours, and only time gives more",
        "expired" => "it was never sent, was too old, or a newer one was sent",
        "used" => "it was used before",
        "wrong" => "it is not what the app shows",
        "missing" => "nothing was entered",
        _ => return None,
    })
}

fn not_sent(detail: &Detail) -> Option<&'static str> {
    Some(match detail.text("reason").as_str() {
        "wait" => "the last one was sent too short a time ago, or there were too many",
        "budget_spent" => "too many wrong ones were entered within 24 hours",
        "not_allowed" => "codes do not go to numbers like this one",
        "ended" => "the account has changed meanwhile",
        _ => return None,
    })
}

fn bad_password(detail: &Detail) -> Option<&'static str> {
    Some(match detail.text("reason").as_str() {
        "missing" => "nothing was entered",
        "mismatch" => "the two entries differ",
        "too_short" => "it is too short",
        "too_long" => "it is too long",
        "common" => "it is a common one",
        "personal" => "it is made of the name, the address or the practice",
        "weak" => "it is guessed too soon",
        "characters" => "it has characters that are not allowed",
        "used_before" => "it is the present one or one of the last",
        "too_young" => "the present one is too young to be changed by choice",
        _ => return None,
    })
}

fn bad_phone(detail: &Detail) -> Option<&'static str> {
    Some(match detail.text("reason").as_str() {
        "missing" => "the number or its kind is missing",
        "not_a_number" => "what was entered is no number",
        "extension" => "it has an extension",
        "not_allowed" => "codes do not go to numbers like this one",
        "unreached" => "nothing is configured that sends codes to this kind of phone",
        "too_many" => "the account has as many as it may have",
        _ => return None,
    })
}
