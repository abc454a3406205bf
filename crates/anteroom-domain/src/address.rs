//! Email addresses. Compared folded (ASCII case, surrounding space), mailed as stored.
//!
//! The local part is folded in ASCII only: Unicode folding makes two people's addresses equal that their mail servers keep
//! apart. The domain is kept in its A-label (RFC 5890 §2.3.2.1, mapped as UTS #46 says): browsers send it so, mail
//! servers know no other, and there is one spelling of each.

use anteroom_oidc::display_text::is_hidden;
use idna::AsciiDenyList;
use idna::uts46::{DnsLength, Hyphens, Uts46};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fmt;

/// RFC 5321 §4.5.3.1.3: a path of 256 octets with its angle brackets leaves 254 for the address.
const MAX_LEN: usize = 254;
const MAX_LOCAL_LEN: usize = 64;
/// A domain in U-labels may be longer than in its A-labels, by a few times.
const LONGEST_ENTERED: usize = 4 * MAX_LEN;

/// An address that mail can be sent to, in the spelling its owner gave; the domain is ASCII.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EmailAddress(String);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an email address")]
pub struct InvalidEmailAddress;

/// Copying an address often brings along spaces and invisible characters: they are cut off at both ends.
fn trimmed(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || (is_hidden(c) && !c.is_control()))
}

impl EmailAddress {
    pub fn parse(text: &str) -> Result<Self, InvalidEmailAddress> {
        let (local, domain) = trimmed(text).rsplit_once('@').ok_or(InvalidEmailAddress)?;
        let address = format!("{local}@{}", ascii_domain(domain).ok_or(InvalidEmailAddress)?);
        if address.len() > MAX_LEN || !is_local_part(local, is_hidden) {
            return Err(InvalidEmailAddress);
        }
        Ok(Self(address))
    }

    /// Reads a stored address. Release 0.1.0 did not validate domains, so an invalid one is kept as it is: its account
    /// must stay readable.
    pub fn from_stored(text: &str) -> Result<Self, InvalidEmailAddress> {
        let as_it_came = || {
            let (local, domain) = text.rsplit_once('@')?;
            let labels = domain.split('.').all(|label| is_label(label, |c| c.is_alphanumeric() || c == '-'));
            (labels && text.len() <= MAX_LEN && is_local_part(local, char::is_control))
                .then(|| Self(text.to_owned()))
        };
        Self::parse(text).or_else(|_| as_it_came().ok_or(InvalidEmailAddress))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn folded(&self) -> FoldedAddress {
        FoldedAddress(self.0.to_ascii_lowercase())
    }

    /// For pages seen by someone who has proven nothing: `a•••@demo.example`.
    pub fn masked(&self) -> String {
        let (local, domain) = self.0.rsplit_once('@').unwrap_or((&self.0, ""));
        let first = local.chars().next().unwrap_or('•');
        format!("{first}•••@{domain}")
    }
}

impl TryFrom<String> for EmailAddress {
    type Error = InvalidEmailAddress;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::from_stored(&text)
    }
}

impl From<EmailAddress> for String {
    fn from(address: EmailAddress) -> Self {
        address.0
    }
}

impl fmt::Display for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The domain as DNS has it, where it is one. What is ASCII keeps its case.
fn ascii_domain(domain: &str) -> Option<Cow<'_, str>> {
    let is_plain =
        domain.is_ascii() && !domain.to_ascii_lowercase().split('.').any(|label| label.starts_with("xn--"));
    let ascii = if is_plain {
        Cow::Borrowed(domain)
    } else {
        let uts46 = Uts46::new();
        let hyphens = Hyphens::CheckFirstLast;
        uts46.to_ascii(domain.as_bytes(), AsciiDenyList::STD3, hyphens, DnsLength::Verify).ok()?
    };
    ascii.split('.').all(is_ascii_label).then_some(ascii)
}

fn is_ascii_label(label: &str) -> bool {
    is_label(label, |c| c.is_ascii_alphanumeric() || c == '-')
}

fn is_label(label: &str, admits: fn(char) -> bool) -> bool {
    !label.is_empty() && !label.starts_with('-') && !label.ends_with('-') && label.chars().all(admits)
}

fn is_local_part(local: &str, refused: fn(char) -> bool) -> bool {
    let forbidden = |c: char| {
        c.is_whitespace() || refused(c) || matches!(c, '@' | '<' | '>' | '"' | ',' | ';' | '(' | ')' | '\\')
    };
    !local.is_empty() && local.len() <= MAX_LOCAL_LEN && !local.chars().any(forbidden)
}

/// The form in which addresses are compared and indexed.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FoldedAddress(String);

impl FoldedAddress {
    /// Never fails, so that an invalid address behaves like an unknown one. Texts that a query must not contain
    /// (PostgreSQL refuses NUL) become the empty address.
    pub fn from_entered(text: &str) -> Self {
        // What is longer than any address becomes none; that is known before any work is done for it.
        if text.len() > LONGEST_ENTERED {
            return Self(String::new());
        }
        let mut folded = trimmed(text).to_ascii_lowercase();
        if let Some((local, domain)) = folded.rsplit_once('@')
            && let Some(ascii) = ascii_domain(domain)
        {
            folded = format!("{local}@{ascii}");
        }
        if folded.len() > MAX_LEN || folded.contains(char::is_control) {
            folded.clear();
        }
        Self(folded)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_keeps_its_spelling_and_compares_folded() {
        let address = EmailAddress::parse("  Alice.Example@Demo.Example ").unwrap();
        assert_eq!(address.as_str(), "Alice.Example@Demo.Example");
        assert_eq!(address.folded(), FoldedAddress::from_entered("\talice.EXAMPLE@demo.example "));
        // As it is copied from a mail or a document.
        for copied in ["\u{feff}alice.example@demo.example", " \u{202a}alice.example@demo.example\u{202c} "] {
            assert_eq!(FoldedAddress::from_entered(copied), address.folded(), "{copied:?}");
            assert_eq!(EmailAddress::parse(copied).unwrap().folded(), address.folded(), "{copied:?}");
        }
    }

    #[test]
    fn rfc5890_2_3_2_1_a_domain_is_kept_in_its_a_label() {
        const ASCII: &str = "hans@xn--zahnrzte-3za.example";
        for text in [
            "hans@zahnärzte.example",
            "hans@zahna\u{308}rzte.example",
            "hans@ZahnÄrzte.example",
            "hans@zahnärzte。example",
            ASCII,
        ] {
            let address = EmailAddress::parse(text).unwrap();
            assert_eq!(address.as_str(), ASCII, "{text:?}");
            assert_eq!(FoldedAddress::from_entered(text), address.folded(), "{text:?}");
        }
        // The local part is the mail server's own.
        let local = EmailAddress::parse("jürgen@Demo.example").unwrap();
        assert_eq!(local.as_str(), "jürgen@Demo.example");
        for text in [
            "a@xn--zzzzzzz-.example",
            "a@b\u{202e}c.example",
            "a@\u{200b}.example",
            "a@-ä.example",
            "a@ä_b.example",
        ] {
            assert!(EmailAddress::parse(text).is_err(), "{text:?}");
        }
        assert!(EmailAddress::parse("an\u{200b}na@demo.example").is_err());
    }

    #[test]
    fn an_address_of_an_earlier_release_can_be_read() {
        for (stored, read) in [
            ("hans@zahnärzte.example", "hans@xn--zahnrzte-3za.example"),
            ("hans@xn--a.example", "hans@xn--a.example"),
        ] {
            assert_eq!(EmailAddress::from_stored(stored).unwrap().as_str(), read, "{stored}");
        }
        assert!(EmailAddress::from_stored("no address").is_err());
    }

    #[test]
    fn folding_is_ascii_only() {
        // U+212A KELVIN SIGN lower-cases to "k" in Unicode: another mailbox must not become ours.
        assert_ne!(
            FoldedAddress::from_entered("\u{212A}im@demo.example"),
            FoldedAddress::from_entered("kim@demo.example")
        );
    }

    #[test]
    fn what_no_address_has_is_asked_of_no_database() {
        for text in ["alice\0@demo.example", "alice@demo.example\0", "\u{7f}", &"a".repeat(255)] {
            assert_eq!(FoldedAddress::from_entered(text).as_str(), "", "{text:?}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        let long = format!("{}@demo.example", "a".repeat(65));
        for text in [
            "",
            "@",
            "a@",
            "@b",
            "a b@c.d",
            "a@b@c.d ",
            "a@b..c",
            "a@-b.c",
            "<a@b.c>",
            "a@b.c\r\nBcc: x",
            &long,
        ] {
            assert!(EmailAddress::parse(text).is_err(), "{text:?}");
        }
    }
}
