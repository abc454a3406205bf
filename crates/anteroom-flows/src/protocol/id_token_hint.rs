//! ID tokens that come back as hints (OpenID Connect Core §3.1.2.1, RP-Initiated Logout §2): ours by their signature, however
//! old, and signed only or encrypted again to a key of ours.

use anteroom_oidc::jwt::{IdTokenHint, UnverifiedHint, VerifiedClaims};

use crate::context::call::Call;
use crate::protocol::token_encryption::entropy;

/// `None`: not an ID token of this provider, or one that only its client can read.
pub(crate) fn verified(call: &Call, hint: &UnverifiedHint) -> Option<VerifiedClaims<IdTokenHint>> {
    let keys = call.key_set();
    let token = hint.signed(keys.decrypting(), &entropy(call))?;
    keys.jwks().verify_id_token_hint(&token, &call.snapshot().issuer).ok()
}
