use anteroom_domain::account::AccountEpoch;
use anteroom_domain::authorization_code::AuthorizationCode;
use anteroom_domain::client::ClientVersion;
use anteroom_domain::ids::{AccountId, GrantId, SessionId};
use anteroom_oidc::authorization::ClaimsRequest;
use anteroom_oidc::jwt::AccessTokenClaims;
use anteroom_oidc::{Acr, Amr, AmrSet, Issuer, ScopeSet};
use std::borrow::Cow;

use crate::golden::Form;
use crate::interactions::claims;
use crate::{id, time};

const CODES: Form = Form { name: "codes", objects: &[""] };
const CLAIMS: Form = Form { name: "claims_requests", objects: &["", "/userinfo/email"] };
const RESOURCES: Form = Form { name: "resources", objects: &[] };
const ACCESS_TOKENS: Form = Form { name: "opaque_access_tokens", objects: &[""] };

#[test]
fn codes_of_every_release_are_read() {
    let most = AuthorizationCode {
        scope: Cow::Owned(scope("openid email groups offline_access schedule:read")),
        claims: Some(Cow::Owned(claims())),
        resources: Cow::Owned(vec!["https://api.example/a".to_owned()]),
        nonce: Some(Cow::Owned("nonce-1".parse().unwrap())),
        redirect_uri: Some("https://web.example/callback".to_owned()),
        challenge: Some("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM".parse().unwrap()),
        acr: Acr::Mfa,
        amr: AmrSet::from_iter([Amr::Pwd, Amr::Sms, Amr::Tel, Amr::Otp, Amr::Mfa]),
        ..least()
    };
    CODES.check(&[("least", least()), ("most", most)]);
}

fn least() -> AuthorizationCode<'static> {
    AuthorizationCode {
        grant: GrantId(id(6)),
        client: Cow::Owned("web".parse().unwrap()),
        client_version: ClientVersion(u64::MAX),
        account: AccountId(id(1)),
        epoch: AccountEpoch(7),
        session: SessionId(id(8)),
        scope: Cow::Owned(scope("openid")),
        claims: None,
        resources: Cow::default(),
        nonce: None,
        redirect_uri: None,
        challenge: None,
        auth_time: time("2027-01-04T08:00:00Z"),
        acr: Acr::Pwd,
        amr: AmrSet::from_iter([Amr::Pwd]),
        issued_at: time("2027-01-04T09:00:00.25Z"),
        expires_at: time("2027-01-04T09:01:00.25Z"),
    }
}

/// Beside the grant that a code becomes.
#[test]
fn claims_and_resources_of_grants_of_every_release_are_read() {
    CLAIMS.check(&[("none", ClaimsRequest::default()), ("some", claims())]);
    RESOURCES.check(&[("two", vec!["https://api.example/a".to_owned(), "https://api.example/b".to_owned()])]);
}

#[test]
fn opaque_access_tokens_of_every_release_are_read() {
    let of_a_client = AccessTokenClaims {
        iss: Issuer::parse("https://id.practice.example").unwrap(),
        sub: "web".parse().unwrap(),
        aud: vec!["https://id.practice.example".to_owned()],
        client_id: "web".parse().unwrap(),
        exp: time("2027-01-04T08:10:00Z"),
        iat: time("2027-01-04T08:00:00Z"),
        jti: id(9).to_string(),
        scope: ScopeSet::default(),
        auth_time: None,
        acr: None,
        amr: AmrSet::default(),
        sid: None,
    };
    let of_a_person = AccessTokenClaims {
        sub: id(1).to_string().parse().unwrap(),
        aud: vec!["https://api.example/a".to_owned(), "https://api.example/b".to_owned()],
        jti: format!("{}.{}", id(6), id(9)),
        scope: scope("openid email"),
        auth_time: Some(time("2027-01-04T07:00:00Z")),
        acr: Some(Acr::Mfa),
        amr: AmrSet::from_iter([Amr::Pwd, Amr::Otp, Amr::Mfa]),
        sid: Some(id(8).to_string()),
        ..of_a_client.clone()
    };
    ACCESS_TOKENS.check(&[("of_a_client", of_a_client), ("of_a_person", of_a_person)]);
}

fn scope(text: &str) -> ScopeSet {
    text.parse().unwrap()
}
