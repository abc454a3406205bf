//! What a gateway said, for the log. It may repeat what it was sent, so the secret, the number and the code are taken out.

use anteroom_domain::gateway::{Escape, TemplateValues};

const MOST_SAID: usize = 100;
const REPLACEMENT: &str = "•••";
/// Runs of at least this many digits that also occur in the number, text or secret are removed; shorter ones are status codes of
/// the gateway.
const MIN_DIGITS: usize = 4;

/// The first characters of an answer, escaped.
pub(super) fn redacted_response(body: &[u8], sent: &TemplateValues<'_>) -> String {
    let mut text = String::from_utf8_lossy(body).into_owned();
    for value in [sent.secret, sent.text, sent.to].into_iter().filter(|value| !value.is_empty()) {
        for escape in [Escape::Nothing, Escape::Percent, Escape::Json, Escape::Xml] {
            text = text.replace(&*escape.apply(value), REPLACEMENT);
        }
    }
    let text = without_digits_of(&text, &[sent.to, sent.text, sent.secret]);
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    line.chars().take(MOST_SAID).flat_map(char::escape_debug).collect()
}

/// However the digits are grouped: `+1 (202) 555-0143`, `4 0 2 9 1 8`.
fn without_digits_of(text: &str, sent: &[&str]) -> String {
    let sent: Vec<String> = sent.iter().map(|value| digits(value)).collect();
    let tells = |run: &str| {
        let digits = digits(run);
        digits.as_bytes().windows(MIN_DIGITS).any(|part| {
            sent.iter().any(|sent| sent.as_bytes().windows(MIN_DIGITS).any(|known| known == part))
        })
    };
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(begin) = rest.find(|c: char| c.is_ascii_digit()) {
        let (before, run) = rest.split_at(begin);
        let is_of_run = |c: char| c.is_ascii_digit() || c.is_whitespace() || "()-.,+/".contains(c);
        let (run, after) = run.split_at(run.find(|c: char| !is_of_run(c)).unwrap_or(run.len()));
        shown.push_str(before);
        if tells(run) {
            shown.push_str(REPLACEMENT);
            shown.push(' ');
        } else {
            shown.push_str(run);
        }
        rest = after;
    }
    shown.push_str(rest);
    shown
}

fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_told_without_secret_number_and_code() {
        let sent = TemplateValues {
            to: "+12025550143",
            text: "402918 is your code & more",
            id: "1",
            secret: "s&cret",
        };
        for (answer, expected) in [
            ("ERR 105: no credit", "ERR 105: no credit"),
            ("error 30007, filtered", "error 30007, filtered"),
            ("", ""),
            ("sent to 12025550143 (402918)", "sent to •••"),
            ("to=+1 (202) 555-0143 no", "to=+••• no"),
            ("text=402918%20is%20your%20code%20%26%20more&to=%2B12025550143", "text=•••&to=•••"),
            ("4 0 2 9 1 8", "•••"),
            ("402918 is yo", "••• is yo"),
            ("password s%26cret or s&amp;cret is wrong", "password ••• or ••• is wrong"),
            ("two\nlines\u{1b}[31m \"quoted\"", "two lines\\u{1b}[31m \\\"quoted\\\""),
        ] {
            assert_eq!(redacted_response(answer.as_bytes(), &sent), expected, "{answer}");
        }
        assert_eq!(redacted_response("é".repeat(500).as_bytes(), &sent), "é".repeat(100));
        let none = TemplateValues { secret: "", ..sent };
        assert_eq!(redacted_response(b"plain", &none), "plain");
    }
}
