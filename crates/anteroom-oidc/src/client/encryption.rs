//! What a client has encrypted, and how: the six parameters of OpenID Connect Registration §2 that go in pairs.

use super::{ClientMetadata, ClientMetadataInput, read::Reader};
use crate::protocol_values::{ContentEncryption, Encryption, KeyManagementAlgorithm};

/// The two names of a pair.
#[derive(Clone, Copy)]
struct EncryptionParameters {
    alg: &'static str,
    enc: &'static str,
}

const ID_TOKEN: EncryptionParameters =
    EncryptionParameters { alg: "id_token_encrypted_response_alg", enc: "id_token_encrypted_response_enc" };
const USERINFO: EncryptionParameters =
    EncryptionParameters { alg: "userinfo_encrypted_response_alg", enc: "userinfo_encrypted_response_enc" };
const REQUEST_OBJECT: EncryptionParameters =
    EncryptionParameters { alg: "request_object_encryption_alg", enc: "request_object_encryption_enc" };

impl Reader<'_> {
    pub(super) fn id_token_encryption(&mut self, input: &ClientMetadataInput) -> Option<Encryption> {
        let (alg, enc) = (&input.id_token_encrypted_response_alg, &input.id_token_encrypted_response_enc);
        self.pair(ID_TOKEN, alg.as_ref(), enc.as_ref())
    }

    pub(super) fn userinfo_encryption(&mut self, input: &ClientMetadataInput) -> Option<Encryption> {
        let (alg, enc) = (&input.userinfo_encrypted_response_alg, &input.userinfo_encrypted_response_enc);
        self.pair(USERINFO, alg.as_ref(), enc.as_ref())
    }

    pub(super) fn request_object_encryption(&mut self, input: &ClientMetadataInput) -> Option<Encryption> {
        let (alg, enc) = (&input.request_object_encryption_alg, &input.request_object_encryption_enc);
        self.pair(REQUEST_OBJECT, alg.as_ref(), enc.as_ref())
    }

    /// `enc` has a default, and no meaning without `alg`.
    fn pair(
        &mut self,
        names: EncryptionParameters,
        alg: Option<&String>,
        enc: Option<&String>,
    ) -> Option<Encryption> {
        let read = self.enum_value(names.alg, alg, KeyManagementAlgorithm::ALL);
        let content = self.enum_value(names.enc, enc, ContentEncryption::ALL);
        if let (None, Some(enc)) = (alg, content) {
            self.conflict(names.enc, enc.as_str(), "has no meaning without the alg that goes with it");
        }
        read.map(|alg| Encryption { alg, enc: content.unwrap_or(Encryption::DEFAULT_ENC) })
    }

    /// Core §10.2: what is encrypted for the client is encrypted to a key of its own.
    pub(super) fn check_encryption_keys(&mut self, client: &ClientMetadata, no_keys: bool) {
        let asked = [(ID_TOKEN, client.id_token_encryption), (USERINFO, client.userinfo_encryption)];
        for (names, encryption) in asked {
            let Some(Encryption { alg, .. }) = encryption else { continue };
            if no_keys {
                self.conflict(names.alg, alg.as_str(), "needs jwks or jwks_uri");
            } else if client.jwks.as_ref().is_some_and(|keys| keys.encryption_key(alg).is_none()) {
                let why = "has no key in jwks that fits it by use, kty, crv and alg";
                self.conflict(names.alg, alg.as_str(), why);
            }
        }
    }
}

/// The pair as two members of the whole, or none.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls them so")]
pub(super) mod members {
    use serde::{Serializer, ser::SerializeMap as _};

    use super::{Encryption, EncryptionParameters, ID_TOKEN, REQUEST_OBJECT, USERINFO};

    type Registered = Option<Encryption>;

    pub(in crate::client) fn id_token<S: Serializer>(pair: &Registered, to: S) -> Result<S::Ok, S::Error> {
        serialize(ID_TOKEN, *pair, to)
    }

    pub(in crate::client) fn userinfo<S: Serializer>(pair: &Registered, to: S) -> Result<S::Ok, S::Error> {
        serialize(USERINFO, *pair, to)
    }

    pub(in crate::client) fn request_object<S: Serializer>(
        pair: &Registered,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        serialize(REQUEST_OBJECT, *pair, to)
    }

    fn serialize<S: Serializer>(
        names: EncryptionParameters,
        pair: Registered,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        let mut members = to.serialize_map(None)?;
        if let Some(Encryption { alg, enc }) = pair {
            members.serialize_entry(names.alg, &alg)?;
            members.serialize_entry(names.enc, &enc)?;
        }
        members.end()
    }
}
