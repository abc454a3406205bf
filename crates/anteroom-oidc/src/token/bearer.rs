use secrecy::SecretString;

use crate::{errors::BearerError, form::UrlEncodedForm};

const IN_QUERY: &str = "the access token is not taken from the address: send it in the Authorization header";

/// The access token of a request to a protected resource: RFC 6750 §2.1 in the header, §2.2 in a form body. Never in
/// the query, where it would be logged (RFC 9700 §4.3.2): a client that sends it there alone has to send it otherwise,
/// and is told so instead of being asked for a token.
pub fn bearer_token(
    authorization: Option<&str>,
    body: Option<&UrlEncodedForm>,
    query: Option<&str>,
) -> Result<SecretString, BearerError> {
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
        (None, None) if is_in(query) => Err(BearerError::InvalidRequest(IN_QUERY)),
        (None, None) => Err(BearerError::NoToken),
    }
}

fn is_in(query: Option<&str>) -> bool {
    let form = query.and_then(|query| UrlEncodedForm::decode(query.as_bytes()).ok());
    form.is_some_and(|form| form.all("access_token").next().is_some())
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    fn token(header: Option<&str>, body: Option<&str>) -> Result<String, BearerError> {
        let form = body.map(|body| UrlEncodedForm::decode(body.as_bytes()).unwrap());
        bearer_token(header, form.as_ref(), None).map(|token| token.expose_secret().to_owned())
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

    #[test]
    fn rfc9700_4_3_2_a_token_in_the_address_is_an_invalid_request() {
        let of_query = |header, query| bearer_token(header, None, Some(query)).map(drop);
        assert_eq!(of_query(None, "access_token=t"), Err(BearerError::InvalidRequest(IN_QUERY)));
        assert_eq!(
            of_query(Some("Basic x"), "a=b&access_token=t"),
            Err(BearerError::InvalidRequest(IN_QUERY))
        );
        for query in ["", "a=b", "access_token=", "%ff"] {
            assert_eq!(of_query(None, query), Err(BearerError::NoToken), "{query}");
        }
        assert_eq!(of_query(Some("Bearer t"), "access_token=u"), Ok(()));
    }
}
