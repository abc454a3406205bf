use std::sync::LazyLock;

use aws_lc_rs::{
    agreement::{ECDH_P256, ECDH_P384, PrivateKey},
    encoding::{AsDer as _, EcPrivateKeyRfc5915Der, Pkcs8V1Der},
    rsa::{KeyPair, KeyPairComponents, PublicKeyComponents},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{
    agreement::{KeyWrap, unwrap},
    content::ContentCipher,
    *,
};
use crate::{
    keys::EcCurve,
    protocol_values::{Encryption, KeyManagementAlgorithm},
};

fn decode(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).unwrap()
}

pub(super) fn hex(text: &str) -> Vec<u8> {
    let byte = |pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    text.as_bytes().chunks(2).map(byte).collect()
}

fn entropy(byte: u8) -> Entropy {
    Entropy::new([byte; Entropy::BYTES])
}

fn rsa(key: &vectors::Rsa) -> DecryptionKey {
    let components = KeyPairComponents {
        public_key: PublicKeyComponents { n: decode(key.n), e: decode("AQAB") },
        d: decode(key.d),
        p: decode(key.p),
        q: decode(key.q),
        dP: decode(key.dp),
        dQ: decode(key.dq),
        qInv: decode(key.qi),
    };
    let der: Pkcs8V1Der<'_> = KeyPair::from_components(&components).unwrap().as_der().unwrap();
    DecryptionKey::from_der(EncryptionKeyType::Rsa, der.as_ref()).unwrap()
}

fn ec(crv: EcCurve, key: &vectors::Ec) -> DecryptionKey {
    let algorithm = if crv == EcCurve::P256 { &ECDH_P256 } else { &ECDH_P384 };
    let private = PrivateKey::from_private_key(algorithm, &decode(key.d)).unwrap();
    let der: EcPrivateKeyRfc5915Der<'_> = private.as_der().unwrap();
    let key_of_ours = DecryptionKey::ec(crv, der.as_ref()).unwrap();
    let jwk = serde_json::to_value(key_of_ours.public_jwk()).unwrap();
    assert_eq!((&jwk["x"], &jwk["y"]), (&json!(key.x), &json!(key.y)));
    key_of_ours
}

fn opened(token: &str, key: &DecryptionKey) -> String {
    let plain = Jwe::parse(token).unwrap().decrypt([key], None, &entropy(0)).unwrap();
    String::from_utf8(plain.to_vec()).unwrap()
}

#[test]
fn rfc7516_a_1_rsa_oaep_and_a256gcm() {
    let key = rsa(&vectors::RFC7516_A_1_KEY);
    assert_eq!(opened(vectors::RFC7516_A_1, &key), vectors::RFC7516_A_1_PLAINTEXT);
}

#[test]
fn rfc7520_5_2_rsa_oaep_of_4096_bits_and_a256gcm() {
    let key = rsa(&vectors::RFC7520_5_2_KEY).named("samwise.gamgee@hobbiton.example");
    assert_eq!(opened(vectors::RFC7520_5_2, &key), vectors::RFC7520_5_PLAINTEXT);
}

#[test]
fn rfc7520_5_4_ecdh_es_a128kw_on_p384_and_a128gcm() {
    let key = ec(EcCurve::P384, &vectors::RFC7520_5_4_KEY).named("peregrin.took@tuckborough.example");
    assert_eq!(opened(vectors::RFC7520_5_4, &key), vectors::RFC7520_5_PLAINTEXT);
}

#[test]
fn rfc7520_5_5_ecdh_es_on_p256_and_a128cbc_hs256() {
    let key = ec(EcCurve::P256, &vectors::RFC7520_5_5_KEY).named("meriadoc.brandybuck@buckland.example");
    assert_eq!(opened(vectors::RFC7520_5_5, &key), vectors::RFC7520_5_PLAINTEXT);
}

#[test]
fn rfc7516_a_3_key_wrap_and_content() {
    let parts: Vec<&str> = vectors::RFC7516_A_3.split('.').collect();
    let key = unwrap(KeyWrap::Aes128, &decode(vectors::RFC7516_A_3_KEY), &decode(parts[1])).unwrap();
    let iv = decode(parts[2]);
    let enc = ContentEncryption::A128CbcHs256;
    let envelope = ContentCipher { enc, key: &key, iv: &iv, aad: parts[0].as_bytes() };
    let plain = envelope.open(&decode(parts[3]), &decode(parts[4])).unwrap();
    assert_eq!(plain.as_slice(), vectors::RFC7516_A_3_PLAINTEXT.as_bytes());
}

#[test]
fn rfc7518_b_1_and_b_3_aes_cbc_with_hmac() {
    for (enc, (ciphertext, tag)) in [
        (ContentEncryption::A128CbcHs256, vectors::RFC7518_B_1),
        (ContentEncryption::A256CbcHs512, vectors::RFC7518_B_3),
    ] {
        let key: Vec<u8> = (0..64).take(enc.key_bytes()).collect();
        let iv = hex(vectors::RFC7518_B_IV);
        let envelope = ContentCipher { enc, key: &key, iv: &iv, aad: vectors::RFC7518_B_AAD.as_bytes() };
        let sealed = envelope.seal(vectors::RFC7518_B_PLAINTEXT.as_bytes()).unwrap();
        assert_eq!((sealed.ciphertext, sealed.tag), (hex(ciphertext), hex(tag)), "{enc}");
    }
}

#[test]
fn rfc7516_4_1_1_what_is_not_offered_is_refused_by_name() {
    let refused = |token: &str| Jwe::parse(token).err().unwrap();
    assert_eq!(refused(vectors::RFC7516_A_2), JweError::UnknownAlgorithm("RSA1_5".to_owned()));
    assert_eq!(refused(vectors::RFC7516_A_3), JweError::UnknownAlgorithm("A128KW".to_owned()));
}

/// Made once: RSA keys take their time.
static OURS: LazyLock<Vec<DecryptionKey>> = LazyLock::new(|| {
    let mut keys: Vec<_> =
        EncryptionKeyType::ALL.iter().map(|kind| DecryptionKey::generate(*kind).unwrap().0).collect();
    let private = PrivateKey::generate(&ECDH_P384).unwrap();
    let der: EcPrivateKeyRfc5915Der<'_> = private.as_der().unwrap();
    keys.push(DecryptionKey::ec(EcCurve::P384, der.as_ref()).unwrap());
    keys
});

fn recipient(key: &DecryptionKey) -> EncryptionKey {
    let kid = Some(key.kid().as_str().to_owned());
    EncryptionKey::new(&key.public_jwk().material, kid, None).unwrap()
}

/// Every algorithm with every key of its kind, and every way to encrypt the content.
fn every_way() -> impl Iterator<Item = (&'static DecryptionKey, Encryption)> {
    let pairs = KeyManagementAlgorithm::ALL
        .iter()
        .flat_map(|alg| ContentEncryption::ALL.iter().map(|enc| Encryption { alg: *alg, enc: *enc }));
    pairs
        .flat_map(|encryption| OURS.iter().map(move |key| (key, encryption)))
        .filter(|(key, encryption)| recipient(key).fits(encryption.alg))
}

fn header(token: &str) -> Value {
    serde_json::from_slice(&decode(token.split('.').next().unwrap())).unwrap()
}

#[test]
fn rfc7516_5_every_algorithm_reads_back_for_its_recipient_alone() {
    let mut ways = 0;
    for (key, encryption) in every_way() {
        let token = encrypt(&recipient(key), encryption, Payload::Jwt("a.b.c"), &entropy(ways)).unwrap();
        let header = header(&token);
        assert_eq!((&header["alg"], &header["enc"]), (&json!(encryption.alg), &json!(encryption.enc)));
        // RFC 7519 §5.2: a nested JWT says so.
        assert_eq!((&header["kid"], &header["cty"]), (&json!(key.kid()), &json!("JWT")));
        assert_eq!(opened(&token, key), "a.b.c");
        let jwe = Jwe::parse(&token).unwrap();
        let others = OURS.iter().filter(|other| other.kid() != key.kid());
        let refused = jwe.decrypt(others, None, &entropy(0)).err();
        assert_eq!(refused, Some(JweError::Undecipherable));
        ways += 1;
    }
    assert_eq!(ways, 2 * 4 + 4 * 2 * 4);
    let claims = encrypt(&recipient(&OURS[1]), ECDH, Payload::Claims(b"{}"), &entropy(1)).unwrap();
    assert_eq!(header(&claims).get("cty"), None);
}

const ECDH: Encryption =
    Encryption { alg: KeyManagementAlgorithm::EcdhEs, enc: ContentEncryption::A128CbcHs256 };
const OAEP: Encryption =
    Encryption { alg: KeyManagementAlgorithm::RsaOaep256, enc: ContentEncryption::A256Gcm };

#[test]
fn rfc7516_11_5_whatever_is_wrong_with_key_or_content_is_one_error() {
    for (key, encryption) in every_way() {
        let token = encrypt(&recipient(key), encryption, Payload::Claims(b"{}"), &entropy(7)).unwrap();
        let parts: Vec<String> = token.split('.').map(str::to_owned).collect();
        let undecipherable = |token: &str| {
            let error = Jwe::parse(token).unwrap().decrypt([key], None, &entropy(0)).err();
            assert_eq!(error, Some(JweError::Undecipherable), "{encryption:?} {token}");
        };
        for place in 1..5 {
            let mut bytes = decode(&parts[place]);
            let lengthened = [bytes.as_slice(), &[0; 8]].concat();
            let shortened = bytes[..bytes.len() / 2].to_vec();
            if let Some(first) = bytes.first_mut() {
                *first ^= 1;
            } else {
                bytes.push(1);
            }
            for changed in [bytes, lengthened, shortened] {
                let mut changed_parts = parts.clone();
                changed_parts[place] = URL_SAFE_NO_PAD.encode(changed);
                if changed_parts != parts {
                    undecipherable(&changed_parts.join("."));
                }
            }
        }
        // The header is authenticated with the content.
        let mut header = header(&token);
        header["typ"] = json!("JWT");
        undecipherable(&[&[URL_SAFE_NO_PAD.encode(header.to_string())][..], &parts[1..]].concat().join("."));
    }
}

#[test]
fn rfc8725_3_1_algorithms_are_those_of_the_registration() {
    let token = encrypt(&recipient(&OURS[0]), OAEP, Payload::Claims(b"{}"), &entropy(3)).unwrap();
    let jwe = Jwe::parse(&token).unwrap();
    assert!(jwe.decrypt(&*OURS, Some(OAEP), &entropy(0)).is_ok());
    for registered in [
        Encryption { alg: KeyManagementAlgorithm::RsaOaep, ..OAEP },
        Encryption { enc: ContentEncryption::A128Gcm, ..OAEP },
        ECDH,
    ] {
        let refused = jwe.decrypt(&*OURS, Some(registered), &entropy(0)).err();
        assert!(matches!(refused, Some(JweError::WrongAlgorithm { .. })), "{registered:?}");
    }
    assert_eq!(encrypt(&recipient(&OURS[0]), ECDH, Payload::Claims(b""), &entropy(0)), Err(EncryptionFailed));
}

#[test]
fn rfc7516_4_1_extensions_and_compression_are_refused() {
    let with = |member: &str, value: Value| {
        let mut header = json!({"alg": "RSA-OAEP", "enc": "A128GCM"});
        header[member] = value;
        Jwe::parse(&format!("{}....", URL_SAFE_NO_PAD.encode(header.to_string()))).err()
    };
    assert_eq!(with("zip", json!("DEF")), Some(JweError::Compressed));
    assert_eq!(with("crit", json!(["exp"])), Some(JweError::Critical));
    assert_eq!(with("enc", json!("A192GCM")), Some(JweError::UnknownAlgorithm("A192GCM".to_owned())));
    for alg in ["RSA1_5", "dir", "A128KW", "PBES2-HS256+A128KW", "A192KW", "none"] {
        assert_eq!(with("alg", json!(alg)), Some(JweError::UnknownAlgorithm(alg.to_owned())));
    }
    assert_eq!(with("kid", json!("a")), None);
}

#[test]
fn rfc7516_7_1_compact_form_has_five_parts_and_an_end() {
    let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"RSA-OAEP","enc":"A128GCM"}"#);
    let long = format!("{header}...{}.", "A".repeat(Jwe::MAX_BYTES));
    for bad in
        ["", "....", &format!("{header}..."), &format!("{header}....."), &format!("{header}...=."), &long]
    {
        assert_eq!(Jwe::parse(bad).err(), Some(JweError::Malformed));
    }
    assert!(Jwe::is_jwe("a.b.c.d.e") && !Jwe::is_jwe("a.b.c"));
}

#[test]
fn rfc7518_6_2_1_an_ephemeral_key_off_the_curve_gives_nothing_away() {
    let token = encrypt(&recipient(&OURS[1]), ECDH, Payload::Claims(b"{}"), &entropy(5)).unwrap();
    let mut header = header(&token);
    let rest = token.split_once('.').unwrap().1;
    for epk in [
        json!({"kty": "EC", "crv": "P-256", "x": header["epk"]["x"], "y": header["epk"]["x"]}),
        json!({"kty": "EC", "crv": "P-384", "x": header["epk"]["x"], "y": header["epk"]["y"]}),
        json!({"kty": "OKP", "crv": "X25519", "x": header["epk"]["x"]}),
        Value::Null,
    ] {
        header["epk"] = epk;
        let token = format!("{}.{rest}", URL_SAFE_NO_PAD.encode(header.to_string()));
        let error = Jwe::parse(&token).unwrap().decrypt(&*OURS, None, &entropy(0)).err();
        assert_eq!(error, Some(JweError::Undecipherable));
    }
}

#[test]
fn keys_read_back_from_their_der_and_do_not_print() {
    for kind in EncryptionKeyType::ALL {
        let (key, der) = DecryptionKey::generate(*kind).unwrap();
        let again = DecryptionKey::from_der(*kind, &der).unwrap();
        assert_eq!((again.public_jwk(), again.kind()), (key.public_jwk(), *kind));
        assert!(!format!("{key:?}").contains("private"));
        for other in EncryptionKeyType::ALL.iter().filter(|other| *other != kind) {
            let refused = DecryptionKey::from_der(*other, &der).err();
            assert_eq!(refused, Some(DecryptionKeyError::Unusable(*other)));
        }
    }
}

proptest! {
    #[test]
    fn nothing_that_is_sent_panics(text in "[A-Za-z0-9_.-]{0,300}", parts in proptest::collection::vec(".{0,40}", 5)) {
        let _ = Jwe::parse(&text).map(|jwe| jwe.decrypt(&*OURS, None, &entropy(0)).is_ok());
        let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"ECDH-ES","enc":"A128CBC-HS256","apu":"A"}"#);
        let encoded: Vec<_> = parts.iter().map(|part| URL_SAFE_NO_PAD.encode(part)).collect();
        let token = format!("{header}.{}", encoded[1..].join("."));
        prop_assert!(Jwe::parse(&token).unwrap().decrypt(&*OURS, None, &entropy(0)).is_err());
    }
}
