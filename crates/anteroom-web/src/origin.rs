//! Where a form was sent from, as far as the browser says. A page cannot set `Sec-Fetch-Site` and `Origin`, so a
//! foreign value proves a cross-site request, and our own value proves that our page sent the form. `Origin: null`
//! proves nothing: browsers also send it for our own pages if a proxy added `Referrer-Policy: no-referrer`. Then
//! `Sec-Fetch-Site` decides, and without it the form token, which another site does not have.

use anteroom_oidc::Issuer;
use axum::http::HeaderMap;
use axum::http::header::ORIGIN;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FormOrigin {
    /// The browser says that our own page sent the form.
    SameOrigin,
    /// The browser says nothing, like old browsers and scripts.
    Unknown,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CrossSite;

pub(crate) fn of_form(headers: &HeaderMap, issuer: &Issuer) -> Result<FormOrigin, CrossSite> {
    // An unreadable value counts as another site's: browsers send ASCII only.
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let origin = text(ORIGIN.as_str()).filter(|origin| *origin != "null");
    let origin_is_ours = origin.map(|origin| origin == issuer.origin());
    match (text("sec-fetch-site"), origin_is_ours) {
        (Some("same-origin"), Some(true) | None) | (Some("none") | None, Some(true)) => {
            Ok(FormOrigin::SameOrigin)
        }
        // The address was typed in, or the client is not a browser: the form token decides.
        (Some("none") | None, None) => Ok(FormOrigin::Unknown),
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
            (None, None, Ok(FormOrigin::Unknown)),
            (Some("none"), None, Ok(FormOrigin::Unknown)),
            (Some("cross-site"), None, Err(CrossSite)),
            (Some("same-site"), ours, Err(CrossSite)),
            (Some("same-origin"), Some("https://evil.example"), Err(CrossSite)),
            (None, Some("https://evil.example"), Err(CrossSite)),
            (Some("same-origin"), Some("null"), Ok(FormOrigin::SameOrigin)),
            (Some("cross-site"), Some("null"), Err(CrossSite)),
            (Some("same-site"), Some("null"), Err(CrossSite)),
            (Some("none"), Some("null"), Ok(FormOrigin::Unknown)),
            (None, Some("null"), Ok(FormOrigin::Unknown)),
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
