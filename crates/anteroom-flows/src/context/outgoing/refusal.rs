//! Reads why an application refuses a request, for the log: an error in the form of OAuth (RFC 6749 §5.2), as Back-Channel
//! Logout 1.0 §2.8 specifies it.

use anteroom_oidc::display_text::shorten;
use serde_json::Value;

/// In bytes; a longer body is not read.
const LARGEST: usize = 4_096;

pub(super) async fn read_error(mut answer: reqwest::Response) -> Option<String> {
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.ok()? {
        if body.len() + chunk.len() > LARGEST {
            return None;
        }
        body.extend_from_slice(&chunk);
    }
    error_of(&body)
}

/// `error` and `error_description`, each shortened for a log line.
fn error_of(body: &[u8]) -> Option<String> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let words = ["error", "error_description"].map(|name| body.get(name)?.as_str().map(shorten));
    let words: Vec<String> = words.into_iter().flatten().filter(|text| !text.is_empty()).collect();
    (!words.is_empty()).then(|| words.join(": "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_in_the_form_of_oauth_is_repeated_and_nothing_else() {
        for (body, expected) in [
            (r#"{"error":"invalid_request","error_description":"typ"}"#, Some("invalid_request: typ")),
            (r#"{"error":"invalid_request"}"#, Some("invalid_request")),
            (r#"{"error_description":"typ","error":7}"#, Some("typ")),
            (r#"{"error":""}"#, None),
            (r#"{"message":"typ"}"#, None),
            ("[]", None),
            ("<html>no</html>", None),
            ("", None),
        ] {
            assert_eq!(error_of(body.as_bytes()).as_deref(), expected, "{body}");
        }
        let long = format!(r#"{{"error":"{}"}}"#, "x".repeat(3_000));
        assert!(error_of(long.as_bytes()).unwrap().len() < 300);
    }
}
