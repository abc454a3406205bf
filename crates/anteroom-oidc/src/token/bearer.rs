use secrecy::SecretString;

use crate::{errors::BearerError, form::Form};

/// The access token of a request to a protected resource: RFC 6750 §2.1 in the header, §2.2 in a form body. Never in
/// the query, where it would be logged (RFC 9700 §4.3.2).
pub fn bearer_token(authorization: Option<&str>, body: Option<&Form>) -> Result<SecretString, BearerError> {
    let in_body = match body.map(|form| form.once("access_token")) {
        None => None,
        Some(once) => {
            once.map_err(|_| BearerError::InvalidRequest("access_token is given more than once"))?
        }
    };
    let in_header = match authorization.map(|header| header.split_once(' ').unwrap_or((header, ""))) {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Some(token.trim()),
        _ => None,
    };
    match (in_header, in_body) {
        (Some(_), Some(_)) => {
            Err(BearerError::InvalidRequest("the access token is given in two ways at once"))
        }
        (Some(""), None) => Err(BearerError::InvalidRequest("the access token is empty")),
        (Some(token), None) | (None, Some(token)) => Ok(token.into()),
        (None, None) => Err(BearerError::NoToken),
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    fn token(header: Option<&str>, body: Option<&str>) -> Result<String, BearerError> {
        let form = body.map(|body| Form::decode(body.as_bytes()).unwrap());
        bearer_token(header, form.as_ref()).map(|token| token.expose_secret().to_owned())
    }

    #[test]
    fn rfc6750_2_token_in_header_or_body_but_not_both() {
        assert_eq!(token(Some("Bearer mF_9.B5f-4.1JqM"), None).unwrap(), "mF_9.B5f-4.1JqM");
        assert_eq!(token(Some("bearer t"), Some("x=1")).unwrap(), "t");
        assert_eq!(token(None, Some("access_token=t")).unwrap(), "t");
        assert_eq!(token(None, None), Err(BearerError::NoToken));
        assert_eq!(token(Some("Basic x"), Some("")), Err(BearerError::NoToken));
        for (header, body) in [
            (Some("Bearer t"), "access_token=t"),
            (Some("Bearer"), ""),
            (None, "access_token=t&access_token=t"),
        ] {
            assert!(matches!(token(header, Some(body)), Err(BearerError::InvalidRequest(_))));
        }
    }
}
