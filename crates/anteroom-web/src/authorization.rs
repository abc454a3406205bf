//! The `Authorization` header. It has a single value (RFC 9110 §5.3, §11.6.2): if a request carried two, a proxy in
//! front could check one and this provider the other. So a request with several is refused.

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;

/// The header is there more than once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Repeated;

pub(crate) const REPEATED: &str = "the Authorization header is given more than once";

pub(crate) fn authorization(headers: &HeaderMap) -> Result<Option<&str>, Repeated> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let first = values.next();
    if values.next().is_some() {
        return Err(Repeated);
    }
    Ok(first.and_then(|value| value.to_str().ok()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn rfc9110_5_3_authorization_is_a_field_of_one_value() {
        let mut headers = HeaderMap::new();
        assert_eq!(authorization(&headers), Ok(None));
        headers.append(AUTHORIZATION, HeaderValue::from_static("Bearer a"));
        assert_eq!(authorization(&headers), Ok(Some("Bearer a")));
        headers.append(AUTHORIZATION, HeaderValue::from_static("Bearer a"));
        assert_eq!(authorization(&headers), Err(Repeated));
    }
}
