use serde_json::json;

use super::{testing::Signer, *};

fn keys(keys: &[Value]) -> ClientJwks {
    ClientJwks::parse(&json!({ "keys": keys })).unwrap()
}

fn verify(
    token: &str,
    proof: ClientVerificationKeys<'_>,
    registered: Option<ClientAlgorithm>,
) -> Result<Value, ClientJwtError> {
    ClientJwt::parse(token)?.verify(proof, registered).map(VerifiedClaims::into_inner)
}

#[test]
fn rfc7518_3_1_every_algorithm_verifies_with_its_own_key_and_no_other() {
    let signers: Vec<_> =
        ClientAlgorithm::ALL.iter().filter(|alg| !alg.is_symmetric()).map(|alg| Signer::new(*alg)).collect();
    for signer in &signers {
        let token = signer.sign(&json!({"a": 1}));
        let own = keys(std::slice::from_ref(&signer.jwk));
        assert_eq!(verify(&token, ClientVerificationKeys::Keys(&own), None).unwrap(), json!({"a": 1}));
        let all_but_own: Vec<_> =
            signers.iter().map(|other| other.jwk.clone()).filter(|jwk| *jwk != signer.jwk).collect();
        let error = verify(&token, ClientVerificationKeys::Keys(&keys(&all_but_own)), None).unwrap_err();
        assert_eq!(error, ClientJwtError::UnknownKey);
    }
}

#[test]
fn rfc7518_3_2_macs_verify_with_any_of_the_secrets() {
    for alg in ClientAlgorithm::ALL.iter().filter(|alg| alg.is_symmetric()) {
        let token = Signer::new(*alg).sign(&json!({}));
        let secrets = [SecretString::from("the-old-one"), SecretString::from(testing::SECRET)];
        assert!(verify(&token, ClientVerificationKeys::Secrets(&secrets), None).is_ok(), "{alg}");
        let error = verify(&token, ClientVerificationKeys::Secrets(&secrets[..1]), None).unwrap_err();
        assert_eq!(error, ClientJwtError::BadSignature);
        assert_eq!(
            verify(&token, ClientVerificationKeys::Secrets(&[]), None).unwrap_err(),
            ClientJwtError::BadSignature
        );
    }
}

#[test]
fn rfc8725_3_1_the_token_does_not_choose_beyond_the_registration() {
    let signer = Signer::new(ClientAlgorithm::Rs512);
    let token = signer.sign(&json!({}));
    let own = keys(std::slice::from_ref(&signer.jwk));
    assert!(verify(&token, ClientVerificationKeys::Keys(&own), Some(ClientAlgorithm::Rs512)).is_ok());
    let error = verify(&token, ClientVerificationKeys::Keys(&own), Some(ClientAlgorithm::Ps256)).unwrap_err();
    let received = ClientAlgorithm::Rs512;
    assert_eq!(error, ClientJwtError::WrongAlgorithm { registered: ClientAlgorithm::Ps256, received });
}

#[test]
fn rfc8725_2_1_a_public_key_is_no_secret_and_a_secret_no_key() {
    let mac = Signer::new(ClientAlgorithm::Hs256).sign(&json!({}));
    let rsa = Signer::new(ClientAlgorithm::Rs256);
    let own = keys(std::slice::from_ref(&rsa.jwk));
    assert_eq!(
        verify(&mac, ClientVerificationKeys::Keys(&own), None).unwrap_err(),
        ClientJwtError::UnknownKey
    );
    let secrets = [SecretString::from(testing::SECRET)];
    let token = rsa.sign(&json!({}));
    assert_eq!(
        verify(&token, ClientVerificationKeys::Secrets(&secrets), None).unwrap_err(),
        ClientJwtError::UnknownKey
    );
}

#[test]
fn core_10_1_kid_picks_the_key_and_may_be_missing() {
    let (one, other) = (Signer::new(ClientAlgorithm::Es256), Signer::new(ClientAlgorithm::Es256));
    let set = keys(&[one.jwk_named("one"), other.jwk_named("other")]);
    for (kid, expected) in [
        (json!({"kid": "other"}), None),
        (json!({}), None),
        (json!({"kid": "one"}), Some(ClientJwtError::BadSignature)),
        (json!({"kid": "new"}), Some(ClientJwtError::UnknownKey)),
        (json!({"kid": 7}), Some(ClientJwtError::Malformed)),
    ] {
        let token = other.sign_under(&kid, &json!({}));
        assert_eq!(verify(&token, ClientVerificationKeys::Keys(&set), None).err(), expected, "{kid}");
    }
}

#[test]
fn rfc8725_3_10_keys_in_the_header_are_not_looked_at() {
    let (own, stranger) = (Signer::new(ClientAlgorithm::Es256), Signer::new(ClientAlgorithm::Es256));
    let set = keys(std::slice::from_ref(&own.jwk));
    let jku = "https://evil.example/jwks";
    for member in [json!({"jwk": stranger.jwk}), json!({"jku": jku}), json!({"x5u": jku}), json!({"jwk": 7})]
    {
        let forged = stranger.sign_under(&member, &json!({}));
        assert_eq!(
            verify(&forged, ClientVerificationKeys::Keys(&set), None).unwrap_err(),
            ClientJwtError::UnknownKey
        );
        let honest = own.sign_under(&member, &json!({}));
        assert!(verify(&honest, ClientVerificationKeys::Keys(&set), None).is_ok(), "{member}");
    }
}

#[test]
fn rfc7515_4_1_11_critical_extensions_and_foreign_algorithms_are_refused() {
    let signer = Signer::new(ClientAlgorithm::Es256);
    let parse = |members: Value| ClientJwt::parse(&signer.sign_under(&members, &json!({}))).err();
    assert_eq!(parse(json!({"crit": ["b64"], "b64": true})), Some(ClientJwtError::Critical));
    for alg in ["none", "RSA1_5", "es256"] {
        let expected = ClientJwtError::UnknownAlgorithm(alg.to_owned());
        assert_eq!(parse(json!({ "alg": alg })), Some(expected));
    }
    for text in ["", "e30.e30.c2ln", "bm8.bm8.bm8"] {
        assert_eq!(ClientJwt::parse(text).err(), Some(ClientJwtError::Malformed), "{text}");
    }
}

#[test]
fn rfc7519_7_2_what_is_no_utf8_or_no_json_is_refused_also_where_nobody_reads_it() {
    let token = |header: &[u8], claims: &[u8]| {
        let [header, claims] = [header, claims].map(|bytes| URL_SAFE_NO_PAD.encode(bytes));
        ClientJwt::parse(&format!("{header}.{claims}.AA"))
    };
    let (header, claims) = (br#"{"alg":"ES256"}"#, br#"{"sub":"app"}"#);
    assert_eq!(token(header, claims).unwrap().claimed_subject().as_deref(), Some("app"));
    for bad in [&b"\xff"[..], br"\ud800"] {
        let in_header = [br#"{"alg":"ES256","more":""#, bad, br#""}"#].concat();
        assert_eq!(token(&in_header, claims).unwrap_err(), ClientJwtError::Malformed);
        let in_claims = [br#"{"sub":"app","more":{""#, bad, br#"":1}}"#].concat();
        assert_eq!(token(header, &in_claims).unwrap().claimed_subject(), None);
    }
}
