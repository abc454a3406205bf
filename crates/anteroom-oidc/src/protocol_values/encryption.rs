//! The algorithms that JWTs are encrypted with: RFC 7518 §4.1 and §5.1.
//!
//! Left out on purpose: RSA1_5, whose padding is an oracle by construction; everything that encrypts under a password or a
//! client's secret; and content under keys of 192 bits, which nothing asks for.

use crate::wire::wire_enum;

wire_enum! {
    /// RFC 7518 §4.1 `alg`: how the key of the content reaches the recipient.
    pub enum KeyManagementAlgorithm("a key management algorithm of this provider") {
        RsaOaep = "RSA-OAEP",
        RsaOaep256 = "RSA-OAEP-256",
        EcdhEs = "ECDH-ES",
        EcdhEsA128Kw = "ECDH-ES+A128KW",
        EcdhEsA192Kw = "ECDH-ES+A192KW",
        EcdhEsA256Kw = "ECDH-ES+A256KW",
    }
}

wire_enum! {
    /// RFC 7518 §5.1 `enc`: what the content itself is encrypted with.
    pub enum ContentEncryption("a content encryption algorithm of this provider") {
        A128CbcHs256 = "A128CBC-HS256",
        A256CbcHs512 = "A256CBC-HS512",
        A128Gcm = "A128GCM",
        A256Gcm = "A256GCM",
    }
}

/// The two together, as a client registers them (OpenID Connect Registration §2): there is no `enc` without an `alg`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Encryption {
    pub alg: KeyManagementAlgorithm,
    pub enc: ContentEncryption,
}

impl Encryption {
    /// Registration §2: what stands in for an `enc` that is left out.
    pub const DEFAULT_ENC: ContentEncryption = ContentEncryption::A128CbcHs256;
}
