//! Where a form was sent from, as far as the browser says. `Sec-FetchRequest-Site` and `Origin` cannot be set by a page, so a wrong
//! one is a cross-site request for certain, and a right one vouches for our own page. `Origin: null` says nothing: that is
//! what browsers send for our own pages as well where a proxy added `Referrer-Policy: no-referrer`. Then `Sec-FetchRequest-Site`
//! decides, and without it the form's token, which another site does not have.

use anteroom_oidc::Issuer;
use axum::http::HeaderMap;
use axum::http::header::ORIGIN;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FormOrigin {
    /// The browser says: from our own page.
    SameOrigin,
    /// It says nothing, as old browsers and scripts do.
    Not,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CrossSite;

pub(crate) fn of_form(headers: &HeaderMap, issuer: &Issuer) -> Result<FormOrigin, CrossSite> {
    // What cannot be read is another site's: browsers send nothing but ASCII.
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let origin = text(ORIGIN.as_str()).filter(|origin| *origin != "null");
    let origin_is_ours = origin.map(|origin| origin == issuer.origin());
    match (text("sec-fetch-site"), origin_is_ours) {
        (Some("same-origin"), Some(true) | None) | (Some("none") | None, Some(true)) => {
            Ok(FormOrigin::SameOrigin)
        }
        // Typed into the address bar, or no browser at all: the form's own token decides.
        (Some("none") | None, None) => Ok(FormOrigin::Not),
        _ => Err(CrossSite),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn what_the_browser_says_is_believed() {
        let issuer = Issuer::parse("https://id.example").unwrap();
        let ours = Some("https://id.example");
        for (site, origin, expected) in [
            (Some("same-origin"), ours, Ok(FormOrigin::SameOrigin)),
            (Some("same-origin"), None, Ok(FormOrigin::SameOrigin)),
            (None, ours, Ok(FormOrigin::SameOrigin)),
            (None, None, Ok(FormOrigin::Not)),
            (Some("none"), None, Ok(FormOrigin::Not)),
            (Some("cross-site"), None, Err(CrossSite)),
            (Some("same-site"), ours, Err(CrossSite)),
            (Some("same-origin"), Some("https://evil.example"), Err(CrossSite)),
            (None, Some("https://evil.example"), Err(CrossSite)),
            (Some("same-origin"), Some("null"), Ok(FormOrigin::SameOrigin)),
            (Some("cross-site"), Some("null"), Err(CrossSite)),
            (Some("same-site"), Some("null"), Err(CrossSite)),
            (Some("none"), Some("null"), Ok(FormOrigin::Not)),
            (None, Some("null"), Ok(FormOrigin::Not)),
            (None, Some(""), Err(CrossSite)),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(site) = site {
                headers.insert("sec-fetch-site", HeaderValue::from_static(site));
            }
            if let Some(origin) = origin {
                headers.insert(ORIGIN, HeaderValue::from_static(origin));
            }
            assert_eq!(of_form(&headers, &issuer), expected, "{site:?} {origin:?}");
        }
    }
}
