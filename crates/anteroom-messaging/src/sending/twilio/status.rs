//! What Twilio's words and numbers mean for us (https://www.twilio.com/docs/api/errors).

use super::super::failure::Reason;

/// An error's number; none where it says nothing more than the status does.
pub(super) fn reason(code: u32) -> Option<Reason> {
    Some(match code {
        20003 | 20005 | 20404 | 21606 | 21210 | 21212 | 21603 => Reason::Credentials,
        20429 | 14107 | 21611 | 30001 => Reason::Busy,
        13223 | 13224 | 21201 | 21211 | 21217 | 21401 | 21604 | 30005 => Reason::InvalidNumber,
        // No cell phone, a landline or a carrier out of reach, texts stopped or filtered on the way.
        21610 | 21612 | 21614 | 30003 | 30004 | 30006 | 30007 | 30008 => Reason::TextRefused,
        // The region is not open to this account.
        13227 | 21215 | 21216 | 21408 => Reason::Rejected,
        _ => return None,
    })
}

/// What became of a message or call that Twilio had taken: `MessageStatus` or `CallStatus` of a callback, with its `ErrorCode`.
/// None while it is under way, or where all went well.
pub(super) fn outcome(status: &str, error_code: Option<&str>) -> Option<Reason> {
    let specific = error_code.and_then(|code| reason(code.parse().ok()?));
    match status {
        "undelivered" => Some(specific.unwrap_or(Reason::TextRefused)),
        "failed" => Some(specific.unwrap_or(Reason::Rejected)),
        "busy" | "no-answer" | "canceled" => Some(Reason::NotAnswered),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_callback_says_what_became_of_it() {
        for (status, code, expected) in [
            ("queued", None, None),
            ("sent", None, None),
            ("delivered", None, None),
            ("completed", None, None),
            ("undelivered", Some("30006"), Some(Reason::TextRefused)),
            ("undelivered", Some("30005"), Some(Reason::InvalidNumber)),
            ("undelivered", None, Some(Reason::TextRefused)),
            ("failed", Some("99999"), Some(Reason::Rejected)),
            ("failed", Some("13224"), Some(Reason::InvalidNumber)),
            ("no-answer", None, Some(Reason::NotAnswered)),
            ("something new", Some("30006"), None),
        ] {
            assert_eq!(outcome(status, code), expected, "{status} {code:?}");
        }
    }
}
