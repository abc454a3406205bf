//! The language of a message.
//!
//! The language of the page is often the only one that is known. So a message that a person requested on a page is in the
//! language of that page, unless the account has a language of its own. A notice of a change is in the account's language only,
//! because an attacker may have made the change, on a page in another language.

use crate::context::call::Visit;
use anteroom_domain::message::LANGUAGE_SEPARATOR;
use anteroom_oidc::authorization::AuthorizationRequest;

/// As many as pages look at.
const MOST: usize = 16;
/// RFC 5646, §4.4.1: room for any tag that is registered.
const LONGEST: usize = 35;

/// Tags, best first, as a message keeps them.
pub(crate) fn message_languages<'a>(
    account: Option<&'a str>,
    page: impl IntoIterator<Item = &'a str>,
) -> Option<String> {
    let tags: Vec<&str> = account.into_iter().chain(page).take(MOST).collect();
    (!tags.is_empty()).then(|| tags.join(LANGUAGE_SEPARATOR))
}

/// The languages of the page: what the application asks for, then the browser's.
pub(crate) fn of_page<'a>(
    visit: &'a Visit,
    request: Option<&'a AuthorizationRequest>,
) -> impl Iterator<Item = &'a str> {
    let asked_for = request.into_iter().flat_map(|request| &request.ask.ui_locales);
    let is_tag = |tag: &&str| {
        (1..=LONGEST).contains(&tag.len())
            && tag.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
    };
    asked_for.chain(&visit.browser.languages).map(String::as_str).filter(is_tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_accounts_language_goes_before_the_pages() {
        for (account, page, expected) in [
            (None, &[][..], None),
            (Some("es"), &[], Some("es")),
            (None, &["es-MX", "es"], Some("es-MX es")),
            (Some("fr"), &["es", "en"], Some("fr es en")),
        ] {
            assert_eq!(message_languages(account, page.iter().copied()).as_deref(), expected);
        }
        let many = vec!["en"; 40];
        assert_eq!(message_languages(None, many).unwrap().split(LANGUAGE_SEPARATOR).count(), MOST);
    }
}
