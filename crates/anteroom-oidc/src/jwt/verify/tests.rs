use std::sync::LazyLock;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::*;
use crate::{
    jwt::{AccessTokenTyp, IdTokenClaims, LogoutEvent, LogoutTokenClaims, sign_jwt},
    keys::{Jwk, PublicKey, SigningKey},
    protocol_values::{Acr, Amr, AmrSet},
};

const NOW: i64 = 1_790_000_000;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn issuer() -> Issuer {
    Issuer::parse("https://id.example").unwrap()
}

/// One key for each algorithm, and what is published of them.
struct Keys {
    signing: Vec<SigningKey>,
    jwks: Jwks,
}

impl Keys {
    fn signer(&self, alg: SigningAlgorithm) -> &SigningKey {
        self.signing.iter().find(|key| key.algorithm() == alg).unwrap()
    }

    fn verify_access_token(
        &self,
        token: &UnverifiedJwt,
        issuer: &Issuer,
        now: Timestamp,
    ) -> Result<VerifiedClaims<AccessTokenClaims>, VerifyError> {
        self.jwks.verify_access_token(token, issuer, now)
    }

    fn verify_id_token_hint(
        &self,
        token: &UnverifiedJwt,
        issuer: &Issuer,
    ) -> Result<VerifiedClaims<IdTokenHint>, VerifyError> {
        self.jwks.verify_id_token_hint(token, issuer)
    }
}

/// Made once: RSA keys take their time.
static KEYS: LazyLock<Keys> = LazyLock::new(|| {
    let signing: Vec<_> =
        SigningAlgorithm::ALL.iter().map(|alg| SigningKey::generate(*alg).unwrap().0).collect();
    let jwks = Jwks::new(signing.iter().map(|key| key.public().clone()).collect()).unwrap();
    Keys { signing, jwks }
});

fn access_token() -> AccessTokenClaims {
    AccessTokenClaims {
        iss: issuer(),
        sub: "248289761001".parse().unwrap(),
        aud: vec!["https://api.example/".to_owned()],
        client_id: "app".parse().unwrap(),
        exp: at(NOW + 600),
        iat: at(NOW),
        jti: "j".to_owned(),
        scope: "openid email".parse().unwrap(),
        auth_time: Some(at(NOW - 60)),
        acr: Some(Acr::Pwd),
        amr: [Amr::Pwd].into_iter().collect(),
        sid: None,
    }
}

fn unverified(text: &str) -> UnverifiedJwt {
    text.parse().unwrap()
}

fn part(token: &str, index: usize) -> Value {
    let bytes = URL_SAFE_NO_PAD.decode(token.split('.').nth(index).unwrap()).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

/// The token with another header, its signature made anew by `key`.
fn with_header(key: &SigningKey, token: &str, header: &Value) -> UnverifiedJwt {
    let payload = token.split('.').nth(1).unwrap();
    let message = format!("{}.{payload}", URL_SAFE_NO_PAD.encode(header.to_string()));
    let signature = URL_SAFE_NO_PAD.encode(key.sign(message.as_bytes()).unwrap());
    unverified(&format!("{message}.{signature}"))
}

#[test]
fn rfc9068_2_access_token_reads_back_with_every_algorithm() {
    let keys = &*KEYS;
    for alg in SigningAlgorithm::ALL {
        for typ in AccessTokenTyp::ALL {
            let token = access_token().sign(keys.signer(*alg), *typ).unwrap();
            let header = part(&token, 0);
            assert_eq!((&header["typ"], &header["alg"]), (&json!(typ.as_str()), &json!(alg.as_str())));
            assert_eq!(part(&token, 1)["aud"], "https://api.example/");
            assert_eq!(part(&token, 1)["exp"], NOW + 600);
            let verified = keys.verify_access_token(&unverified(&token), &issuer(), at(NOW)).unwrap();
            assert_eq!(*verified.get(), access_token());
        }
    }
}

#[test]
fn rfc9068_4_expiry_and_issuer_are_checked() {
    let keys = &*KEYS;
    let token = unverified(
        &access_token().sign(keys.signer(SigningAlgorithm::Es256), AccessTokenTyp::AtJwt).unwrap(),
    );
    assert!(keys.verify_access_token(&token, &issuer(), at(NOW + 599)).is_ok());
    assert_eq!(keys.verify_access_token(&token, &issuer(), at(NOW + 600)), Err(VerifyError::Expired));
    let other = Issuer::parse("https://other.example").unwrap();
    assert_eq!(keys.verify_access_token(&token, &other, at(NOW)), Err(VerifyError::WrongIssuer));
}

#[test]
fn rfc8725_3_1_algorithm_comes_from_the_key() {
    let keys = &*KEYS;
    let rsa = keys.signer(SigningAlgorithm::Rs256);
    let token = access_token().sign(rsa, AccessTokenTyp::AtJwt).unwrap();
    for alg in ["HS256", "PS256", "RS384", "ES256", "none"] {
        let header = json!({"typ": "at+jwt", "alg": alg, "kid": rsa.kid()});
        let forged = with_header(rsa, &token, &header);
        assert!(keys.verify_access_token(&forged, &issuer(), at(NOW)).is_err(), "{alg}");
    }
}

#[test]
fn rfc7515_5_2_other_keys_and_broken_signatures_are_refused() {
    let keys = &*KEYS;
    let (stranger, _) = SigningKey::generate(SigningAlgorithm::EdDsa).unwrap();
    let verify = |token: &UnverifiedJwt| keys.verify_access_token(token, &issuer(), at(NOW));
    let foreign = access_token().sign(&stranger, AccessTokenTyp::AtJwt).unwrap();
    assert_eq!(verify(&unverified(&foreign)), Err(VerifyError::UnknownKey));

    let ours = keys.signer(SigningAlgorithm::EdDsa);
    let claimed = json!({"typ": "at+jwt", "alg": "EdDSA", "kid": ours.kid()});
    assert_eq!(verify(&with_header(&stranger, &foreign, &claimed)), Err(VerifyError::BadSignature));

    let no_kid = json!({"typ": "at+jwt", "alg": "EdDSA"});
    assert_eq!(verify(&with_header(ours, &foreign, &no_kid)), Err(VerifyError::UnknownKey));
    let critical = json!({"typ": "at+jwt", "alg": "EdDSA", "kid": ours.kid(), "crit": ["b64"]});
    assert_eq!(verify(&with_header(ours, &foreign, &critical)), Err(VerifyError::WrongType));
}

#[test]
fn rfc8725_3_11_no_kind_of_token_passes_for_another() {
    let keys = &*KEYS;
    let key = keys.signer(SigningAlgorithm::Es256);
    for typ in AccessTokenTyp::ALL {
        let access = unverified(&access_token().sign(key, *typ).unwrap());
        assert_eq!(keys.verify_id_token_hint(&access, &issuer()), Err(VerifyError::WrongType), "{typ}");
    }
    let token = unverified(&sign_jwt(key, JwtType::LogoutToken, &access_token()).unwrap());
    assert_eq!(keys.verify_access_token(&token, &issuer(), at(NOW)), Err(VerifyError::WrongType));
    // Where the `typ` is the same, an ID token lacks what every access token has.
    let (issuer, ids, amr) =
        (issuer(), ("alice".parse().unwrap(), "app".parse().unwrap()), AmrSet::default());
    let token = unverified(&id_token(&issuer, &ids, amr).sign(key).unwrap());
    assert_eq!(keys.verify_access_token(&token, &issuer, at(NOW)), Err(VerifyError::Malformed));
    for missing in ["client_id", "jti"] {
        let mut claims = serde_json::to_value(access_token()).unwrap();
        claims.as_object_mut().unwrap().remove(missing);
        let token = unverified(&sign_jwt(key, JwtType::Jwt, &claims).unwrap());
        let verified = keys.verify_access_token(&token, &issuer, at(NOW));
        assert_eq!(verified, Err(VerifyError::Malformed), "{missing}");
    }
}

fn id_token<'a>(
    issuer: &'a Issuer,
    ids: &'a (crate::Subject, crate::ClientId),
    amr: AmrSet,
) -> IdTokenClaims<'a> {
    IdTokenClaims {
        iss: issuer,
        sub: &ids.0,
        aud: &ids.1,
        exp: at(NOW + 60),
        iat: at(NOW),
        auth_time: at(NOW - 5),
        nonce: None,
        acr: Some(Acr::Mfa),
        amr,
        azp: None,
        sid: Some("s1"),
        at_hash: Some(crate::jwt::token_hash(SigningAlgorithm::Rs256, "at")),
        c_hash: None,
        s_hash: None,
        person: serde_json::Map::new(),
    }
}

#[test]
fn core_2_id_token_has_its_claims_and_no_null() {
    let keys = &*KEYS;
    let (issuer, ids) = (issuer(), ("alice".parse().unwrap(), "app".parse().unwrap()));
    let amr: AmrSet = [Amr::Pwd, Amr::Sms, Amr::Mfa].into_iter().collect();
    let token = id_token(&issuer, &ids, amr).sign(keys.signer(SigningAlgorithm::Rs256)).unwrap();
    let expected = json!({
        "iss": "https://id.example", "sub": "alice", "aud": "app", "exp": NOW + 60, "iat": NOW,
        "auth_time": NOW - 5, "acr": "urn:anteroom:acr:mfa", "amr": ["pwd", "sms", "mfa"], "sid": "s1",
        "at_hash": crate::jwt::token_hash(SigningAlgorithm::Rs256, "at"),
    });
    assert_eq!(part(&token, 1), expected);
}

#[test]
fn rp_initiated_logout_2_expired_hints_are_accepted() {
    let keys = &*KEYS;
    let (issuer, ids) = (issuer(), ("alice".parse().unwrap(), "app".parse().unwrap()));
    let amr = AmrSet::default();
    let token = id_token(&issuer, &ids, amr).sign(keys.signer(SigningAlgorithm::EdDsa)).unwrap();
    let hint = keys.verify_id_token_hint(&unverified(&token), &issuer).unwrap();
    assert_eq!((hint.get().sub.as_str(), hint.get().sid.as_deref()), ("alice", Some("s1")));
    let other = Issuer::parse("https://id.example/").unwrap();
    assert_eq!(keys.verify_id_token_hint(&unverified(&token), &other), Err(VerifyError::WrongIssuer));
}

#[test]
fn backchannel_logout_2_4_logout_token() {
    let keys = &*KEYS;
    let (issuer, client, subject) = (issuer(), "app".parse().unwrap(), "alice".parse().unwrap());
    let claims = LogoutTokenClaims {
        iss: &issuer,
        aud: &client,
        sub: Some(&subject),
        sid: Some("s1"),
        iat: at(NOW),
        exp: at(NOW + 120),
        jti: "j",
        events: LogoutEvent,
    };
    let token = claims.sign(keys.signer(SigningAlgorithm::Rs256)).unwrap();
    assert_eq!(part(&token, 0)["typ"], "logout+jwt");
    let expected = json!({
        "iss": "https://id.example", "aud": "app", "sub": "alice", "sid": "s1", "iat": NOW, "exp": NOW + 120,
        "jti": "j", "events": {"http://schemas.openid.net/event/backchannel-logout": {}},
    });
    assert_eq!(part(&token, 1), expected);
    assert_eq!(keys.verify_id_token_hint(&unverified(&token), &issuer), Err(VerifyError::WrongType));
}

#[test]
fn rfc7515_appendix_a_3_es256_signature_holds_under_its_jwk() {
    let jwk: Jwk = serde_json::from_value(json!({
        "kid": "a3", "alg": "ES256", "use": "sig", "kty": "EC", "crv": "P-256",
        "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    }))
    .unwrap();
    let key = PublicKey::try_from(jwk).unwrap();
    let message = b"eyJhbGciOiJFUzI1NiJ9\
                    .eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
    let signature = "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
    assert!(jsonwebtoken::crypto::verify(signature, message, key.decoding(), Algorithm::ES256).unwrap());
}
