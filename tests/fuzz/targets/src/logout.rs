//! Logout requests (RP-Initiated Logout 1.0 §2), and our own JWTs as they come back: as a hint, and as an access token.
//!
//! A `state` comes back as it was, alone, at the place that was registered. Of our JWTs only what we signed is believed.

use anteroom_oidc::form::UrlEncodedForm;
use anteroom_oidc::jwt::UnverifiedJwt;
use anteroom_oidc::logout::{EndSessionRequest, post_logout_location};
use anteroom_oidc::{RedirectUri, State};
use url::Url;

use crate::encrypted::{DECRYPTION_KEY, entropy};
use crate::keys::{OUR_KEYS, issuer, message, now, sign};
use crate::{Verdict, text};

const ID_TOKEN: &str = r#"{"iss":"https://id.practice.example","sub":"alice","aud":"app","exp":1700000000,"iat":1699999000,"sid":"s"}"#;
const ACCESS_TOKEN: &str = r#"{"iss":"https://id.practice.example","sub":"alice","aud":"https://api.example/","client_id":"app","exp":1800000600,"iat":1800000000,"jti":"1","scope":"openid"}"#;

pub(crate) fn good_id_token() -> String {
    sign("JWT", ID_TOKEN.as_bytes())
}

pub(crate) fn good_access_token() -> String {
    sign("at+jwt", ACCESS_TOKEN.as_bytes())
}

pub(crate) fn logout_request(input: &[u8]) -> Verdict {
    let Ok(form) = UrlEncodedForm::decode(input) else { return Verdict::Refused };
    let Ok(request) = EndSessionRequest::parse(&form) else { return Verdict::Refused };
    if let Some(jwt) =
        request.id_token_hint.as_ref().and_then(|hint| hint.signed([&*DECRYPTION_KEY], &entropy()))
    {
        check_jwt(&jwt);
    }
    let given = form.once("state").unwrap();
    assert_eq!(request.state.as_ref().map(State::as_str), given);
    for registered in ["https://app.example/out", "https://app.example/out?a=b", "com.example.app:/out"] {
        let uri = RedirectUri::parse(registered).unwrap();
        let location = post_logout_location(&uri, request.state.as_ref());
        assert!(location.starts_with(registered) && location.bytes().all(|b| b.is_ascii_graphic()));
        let added: Vec<_> = Url::parse(&location)
            .unwrap()
            .query_pairs()
            .filter(|(name, _)| name != "a")
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect();
        let expected: Vec<_> =
            given.map(|state| ("state".to_owned(), state.to_owned())).into_iter().collect();
        assert_eq!(added, expected);
    }
    Verdict::Accepted
}

pub(crate) fn our_jwt(input: &[u8]) -> Verdict {
    let jwt = text(input).and_then(|text| text.parse::<UnverifiedJwt>().ok());
    Verdict::of(jwt.is_some_and(|jwt| check_jwt(&jwt)))
}

fn check_jwt(jwt: &UnverifiedJwt) -> bool {
    let as_hint = OUR_KEYS.verify_id_token_hint(jwt, &issuer()).is_ok();
    let as_access_token = OUR_KEYS.verify_access_token(jwt, &issuer(), now()).is_ok();
    assert!(!as_hint || message(jwt.as_str()) == message(&good_id_token()), "we did not sign this");
    assert!(
        !as_access_token || message(jwt.as_str()) == message(&good_access_token()),
        "we did not sign this"
    );
    as_hint || as_access_token
}
