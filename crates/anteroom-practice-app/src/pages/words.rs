//! Protocol values in plain words.

use jiff::{SignedDuration, Timestamp};

/// `23 November 2026, 18:05 UTC`.
pub(super) fn moment(at: Timestamp) -> String {
    at.strftime("%-d %B %Y, %H:%M UTC").to_string()
}

pub(super) fn ago(at: Timestamp, now: Timestamp) -> String {
    let minutes = now.duration_since(at).max(SignedDuration::ZERO).as_mins();
    match minutes {
        0 => "just now".to_owned(),
        1 => "a minute ago".to_owned(),
        2..60 => format!("{minutes} minutes ago"),
        60..120 => "an hour ago".to_owned(),
        120..2880 => format!("{} hours ago", minutes / 60),
        _ => format!("{} days ago", minutes / 1440),
    }
}

/// The `acr` values of Anteroom; anything else is shown as it is.
pub(super) fn assurance(acr: Option<&str>) -> &str {
    match acr {
        Some("urn:anteroom:acr:pwd") => "Password alone",
        Some("urn:anteroom:acr:mfa") => "Password and a second factor",
        Some(other) => other,
        None => "Not said",
    }
}

/// RFC 8176. `mfa` is left out where other methods are named: that there is more than one can be seen.
pub(super) fn methods(amr: &[&str]) -> String {
    let named: Vec<&str> =
        amr.iter().filter(|method| **method != "mfa").map(|method| plain(method)).collect();
    match named.as_slice() {
        [] if amr.is_empty() => "not said".to_owned(),
        [] => "more than one kind of proof".to_owned(),
        [only] => (*only).to_owned(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

fn plain(method: &str) -> &str {
    match method {
        "pwd" => "a password",
        "sms" => "a code sent by text",
        "tel" => "a code told in a phone call",
        "otp" => "a code from an authenticator app",
        other => other,
    }
}

/// Enough of an identifier to recognise it by.
pub(super) fn shortened(identifier: &str) -> String {
    let start: String = identifier.chars().take(8).collect();
    if start.len() < identifier.len() { format!("{start}…") } else { start }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_read_as_a_sentence() {
        let cases: [(&[&str], &str); 6] = [
            (&[], "not said"),
            (&["mfa"], "more than one kind of proof"),
            (&["pwd"], "a password"),
            (&["pwd", "sms", "mfa"], "a password and a code sent by text"),
            (
                &["pwd", "tel", "otp"],
                "a password, a code told in a phone call and a code from an authenticator app",
            ),
            (&["hwk"], "hwk"),
        ];
        for (amr, words) in cases {
            assert_eq!(methods(amr), words);
        }
    }

    #[test]
    fn time_passed_is_told_in_the_largest_fitting_unit() {
        let start = Timestamp::from_second(1_795_456_800).unwrap();
        let cases = [
            (-5, "just now"),
            (0, "just now"),
            (1, "a minute ago"),
            (59, "59 minutes ago"),
            (60, "an hour ago"),
            (300, "5 hours ago"),
            (4320, "3 days ago"),
        ];
        for (minutes, words) in cases {
            assert_eq!(ago(start, start + SignedDuration::from_mins(minutes)), words);
        }
        assert_eq!(moment(start), "23 November 2026, 18:00 UTC");
    }

    #[test]
    fn long_identifiers_are_shortened_by_characters() {
        assert_eq!(shortened("0123456789"), "01234567…");
        assert_eq!(shortened("01234567"), "01234567");
        assert_eq!(shortened("ééééééééé"), "éééééééé…");
    }
}
