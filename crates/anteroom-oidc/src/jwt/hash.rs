use aws_lc_rs::digest;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::protocol_values::SigningAlgorithm;

/// `at_hash`, `c_hash` and `s_hash`: the left half of the hash that the ID token's algorithm uses, in base64url
/// (OpenID Connect Core §3.1.3.6 and §3.3.2.11). EdDSA names no hash; with Ed25519 it is SHA-512, the one inside it.
pub fn token_hash(alg: SigningAlgorithm, value: &str) -> String {
    let algorithm = match alg {
        SigningAlgorithm::Rs256 | SigningAlgorithm::Ps256 | SigningAlgorithm::Es256 => &digest::SHA256,
        SigningAlgorithm::Rs384 | SigningAlgorithm::Es384 => &digest::SHA384,
        SigningAlgorithm::Rs512 | SigningAlgorithm::EdDsa => &digest::SHA512,
    };
    let hash = digest::digest(algorithm, value.as_bytes());
    let (left, _) = hash.as_ref().split_at(hash.as_ref().len() / 2);
    URL_SAFE_NO_PAD.encode(left)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn core_appendix_a_3_at_hash() {
        let access_token = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y";
        assert_eq!(token_hash(SigningAlgorithm::Rs256, access_token), "77QmUPtjPfzWtF2AnpK9RQ");
    }

    #[test]
    fn core_appendix_a_4_c_hash() {
        let code = "Qcb0Orv1zh30vL1MPRsbm-diHiMwcLyZvn1arpZv-Jxf_11jnpEX3Tgfvk";
        assert_eq!(token_hash(SigningAlgorithm::Es256, code), "LDktKdoQak3Pk0cnXxCltA");
    }

    #[test]
    fn core_3_1_3_6_the_hash_is_that_of_the_algorithm() {
        for (alg, bytes) in [
            (SigningAlgorithm::Es256, 16),
            (SigningAlgorithm::Rs384, 24),
            (SigningAlgorithm::Es384, 24),
            (SigningAlgorithm::Rs512, 32),
        ] {
            let hash = URL_SAFE_NO_PAD.decode(token_hash(alg, "x")).unwrap();
            assert_eq!(hash.len(), bytes, "{alg}");
        }
    }

    #[test]
    fn core_3_1_3_6_ed25519_uses_half_of_sha_512() {
        assert_eq!(token_hash(SigningAlgorithm::EdDsa, "x").len(), 43);
    }
}
