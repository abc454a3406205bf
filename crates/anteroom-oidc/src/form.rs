//! `application/x-www-form-urlencoded`, the form of every request and of most responses (RFC 6749 appendix B).
//!
//! Stricter than the URL standard in one point: bytes that are not UTF-8 are refused rather than replaced, since a
//! value that was altered in reading must not be compared with anything.

use percent_encoding::percent_decode;
use thiserror::Error;

/// A decoded query or body. Names given twice are kept, so that the code that reads one can refuse it.
#[derive(Clone, Default)]
pub struct UrlEncodedForm(Vec<(String, String)>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum FormError {
    #[error("the parameters are not UTF-8")]
    NotUtf8,
    #[error("there are more than {} parameters", UrlEncodedForm::MAX_PAIRS)]
    TooMany,
    #[error("the parameters are longer than {} bytes", UrlEncodedForm::MAX_BYTES)]
    TooLong,
}

/// RFC 6749 §3.2: parameters must not be included more than once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("{0} is given more than once")]
pub struct Repeated(pub &'static str);

impl UrlEncodedForm {
    pub const MAX_BYTES: usize = 64 * 1024;
    pub const MAX_PAIRS: usize = 100;

    pub fn decode(bytes: &[u8]) -> Result<Self, FormError> {
        if bytes.len() > Self::MAX_BYTES {
            return Err(FormError::TooLong);
        }
        let mut pairs = Vec::new();
        for pair in bytes.split(|b| *b == b'&').filter(|pair| !pair.is_empty()) {
            if pairs.len() == Self::MAX_PAIRS {
                return Err(FormError::TooMany);
            }
            let mut halves = pair.splitn(2, |b| *b == b'=');
            let name = halves.next().unwrap_or_default();
            let value = halves.next().unwrap_or_default();
            pairs.push((decode_component(name)?, decode_component(value)?));
        }
        Ok(Self(pairs))
    }

    pub fn pairs(&self) -> &[(String, String)] {
        &self.0
    }

    /// The value of `name`; empty counts as absent (RFC 6749 §3.1), two as an error even where they agree.
    pub fn once(&self, name: &'static str) -> Result<Option<&str>, Repeated> {
        let mut values = self.all(name);
        let value = values.next();
        if values.next().is_some() { Err(Repeated(name)) } else { Ok(value) }
    }

    /// The value of a field in one of the provider's own forms; empty counts as a value. `None` where it is absent or there
    /// twice.
    pub fn value_if_single(&self, name: &str) -> Option<&str> {
        let mut values = self.0.iter().filter(|(n, _)| n == name).map(|(_, v)| v.as_str());
        values.next().filter(|_| values.next().is_none())
    }

    /// Every value of a parameter that may be repeated, such as `resource` (RFC 8707 §2).
    pub fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(n, v)| n == name && !v.is_empty()).map(|(_, v)| v.as_str())
    }
}

/// One half of a pair, or of Basic credentials (RFC 6749 §2.3.1).
pub(crate) fn decode_component(bytes: &[u8]) -> Result<String, FormError> {
    let spaced: Vec<u8> = bytes.iter().map(|b| if *b == b'+' { b' ' } else { *b }).collect();
    match percent_decode(&spaced).decode_utf8() {
        Ok(text) => Ok(text.into_owned()),
        Err(_) => Err(FormError::NotUtf8),
    }
}

/// Writes pairs so that every reader gets the same: a space is `%20`, which scripts that only percent-decode a
/// fragment understand as well, where `+` would stay a plus.
pub fn encode<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut out = String::new();
    for (name, value) in pairs {
        if !out.is_empty() {
            out.push('&');
        }
        encode_component(&mut out, name);
        out.push('=');
        encode_component(&mut out, value);
    }
    out
}

/// Encodes pairs with the least escaping that [`UrlEncodedForm::decode`] can read: for storage, not for URLs.
pub fn encode_compactly<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut out = String::new();
    for (name, value) in pairs {
        if !out.is_empty() {
            out.push('&');
        }
        escape(&mut out, name);
        out.push('=');
        escape(&mut out, value);
    }
    out
}

fn escape(out: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '%' => out.push_str("%25"),
            '&' => out.push_str("%26"),
            '=' => out.push_str("%3D"),
            '+' => out.push_str("%2B"),
            ' ' => out.push('+'),
            other => out.push(other),
        }
    }
}

fn encode_component(out: &mut String, text: &str) {
    for piece in form_urlencoded::byte_serialize(text.as_bytes()) {
        out.push_str(if piece == "+" { "%20" } else { piece });
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_written_compactly_is_read_as_it_was(name in "[a-z%&=+ ]{1,9}", value in "\\PC{0,40}|[%&=+ ]{0,9}") {
            let written = encode_compactly([(name.as_str(), value.as_str())]);
            prop_assert_eq!(decoded(&written), [(name.clone(), value.clone())]);
            prop_assert!(written.len() <= 3 * (name.len() + value.len()) + 1);
        }
    }

    fn decoded(text: &str) -> Vec<(String, String)> {
        UrlEncodedForm::decode(text.as_bytes()).unwrap().pairs().to_vec()
    }

    #[test]
    fn rfc6749_appendix_b_example() {
        // The RFC's own example: " %&+£€".
        assert_eq!(decoded("v=+%25%26%2B%C2%A3%E2%82%AC"), [("v".to_owned(), " %&+£€".to_owned())]);
        assert_eq!(encode([("v", " %&+£€")]), "v=%20%25%26%2B%C2%A3%E2%82%AC");
    }

    #[test]
    fn rfc6749_3_1_empty_is_absent_and_twice_is_refused() {
        let form = UrlEncodedForm::decode(b"a=&b=1&b=1&c=2&c=").unwrap();
        assert_eq!(form.once("a"), Ok(None));
        assert_eq!(form.once("b"), Err(Repeated("b")));
        assert_eq!(form.once("c"), Ok(Some("2")));
        assert_eq!(form.all("b").count(), 2);
    }

    #[test]
    fn bytes_that_are_not_utf8_are_refused() {
        assert_eq!(UrlEncodedForm::decode(b"a=%ff").err(), Some(FormError::NotUtf8));
        assert_eq!(UrlEncodedForm::decode(b"a=\xff").err(), Some(FormError::NotUtf8));
        assert_eq!(UrlEncodedForm::decode("a=b&".repeat(101).as_bytes()).err(), Some(FormError::TooMany));
        assert_eq!(UrlEncodedForm::decode("a".repeat(70_000).as_bytes()).err(), Some(FormError::TooLong));
    }

    proptest! {
        #[test]
        fn decoding_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = UrlEncodedForm::decode(&bytes);
        }

        #[test]
        fn what_is_encoded_reads_back(pairs in prop::collection::vec((".+", ".*"), 0..8)) {
            let text = encode(pairs.iter().map(|(n, v)| (n.as_str(), v.as_str())));
            prop_assert_eq!(decoded(&text), pairs);
        }
    }
}
