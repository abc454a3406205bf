//! Closed vocabularies that clients choose from at registration or in a request.

use crate::wire::wire_enum;

wire_enum! {
    /// RFC 7591 §2 `grant_types`, with the requests of RFC 6749 they stand for.
    pub enum GrantType("a grant type of this provider") {
        AuthorizationCode = "authorization_code",
        Implicit = "implicit",
        RefreshToken = "refresh_token",
        ClientCredentials = "client_credentials",
    }
}

wire_enum! {
    /// OpenID Connect Core §9, RFC 7591 §2.
    pub enum TokenEndpointAuthMethod("a client authentication method of this provider") {
        ClientSecretBasic = "client_secret_basic",
        ClientSecretPost = "client_secret_post",
        ClientSecretJwt = "client_secret_jwt",
        PrivateKeyJwt = "private_key_jwt",
        /// A public client: it has no secret and proves nothing but possession of the code verifier.
        None = "none",
    }
}

impl TokenEndpointAuthMethod {
    /// RFC 6749 §2.1: confidential clients have credentials.
    pub const fn is_confidential(self) -> bool {
        !matches!(self, Self::None)
    }

    pub const fn uses_secret(self) -> bool {
        matches!(self, Self::ClientSecretBasic | Self::ClientSecretPost | Self::ClientSecretJwt)
    }
}

wire_enum! {
    /// RFC 7518 §3.1, RFC 8037 §3.1: the algorithms that tokens are signed with.
    pub enum SigningAlgorithm("a signing algorithm of this provider") {
        Rs256 = "RS256",
        Rs384 = "RS384",
        Rs512 = "RS512",
        Ps256 = "PS256",
        Es256 = "ES256",
        Es384 = "ES384",
        EdDsa = "EdDSA",
    }
}

wire_enum! {
    /// RFC 7518 §3.1, RFC 8037 §3.1: what clients may sign with, by a key of theirs or by their secret.
    pub enum ClientAlgorithm("a signing algorithm for clients") {
        Rs256 = "RS256",
        Rs384 = "RS384",
        Rs512 = "RS512",
        Ps256 = "PS256",
        Es256 = "ES256",
        Es384 = "ES384",
        EdDsa = "EdDSA",
        Hs256 = "HS256",
        Hs384 = "HS384",
        Hs512 = "HS512",
    }
}

impl ClientAlgorithm {
    /// Whether the client's secret is the key.
    pub const fn is_symmetric(self) -> bool {
        matches!(self, Self::Hs256 | Self::Hs384 | Self::Hs512)
    }
}

wire_enum! {
    /// OpenID Connect Core §8.
    pub enum SubjectType("a subject type of this provider") {
        Public = "public",
        Pairwise = "pairwise",
    }
}

wire_enum! {
    /// OpenID Connect Core §3.1.2.1 `display`.
    pub enum Display("a display mode") {
        Page = "page",
        Popup = "popup",
        Touch = "touch",
        Wap = "wap",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_reads_back() {
        for method in TokenEndpointAuthMethod::ALL {
            assert_eq!(method.as_str().parse::<TokenEndpointAuthMethod>().unwrap(), *method);
        }
        for algorithm in SigningAlgorithm::ALL {
            let json = serde_json::to_string(algorithm).unwrap();
            assert_eq!(serde_json::from_str::<SigningAlgorithm>(&json).unwrap(), *algorithm);
        }
        assert!("HS256".parse::<SigningAlgorithm>().is_err());
        assert!("none".parse::<SigningAlgorithm>().is_err());
    }
}
