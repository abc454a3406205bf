//! Verifies ID token hints (OpenID Connect Core §3.1.2.1, RP-Initiated Logout §2): signed by this provider, possibly expired, and
//! possibly encrypted by the client to a key of this provider.

use anteroom_oidc::jwt::{IdTokenHint, UnverifiedHint, VerifiedClaims};

use crate::context::call::Call;
use crate::protocol::token_encryption::entropy;

/// `None`: not an ID token of this provider, or one that is encrypted to its client.
pub(crate) fn verified(call: &Call, hint: &UnverifiedHint) -> Option<VerifiedClaims<IdTokenHint>> {
    let keys = call.key_set();
    let token = hint.signed(keys.decrypting(), &entropy(call))?;
    keys.jwks().verify_id_token_hint(&token, &call.snapshot().issuer).ok()
}
