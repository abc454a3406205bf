//! RFC 6749 §3.3, OpenID Connect Core §3.1.2.1 and §11: `scope` is required. With `openid` it is OpenID Connect,
//! without it plain OAuth. Scopes that the client may not have are left out, as Core asks, and the response says
//! what was granted; but `openid` itself is never dropped in silence, which would change the protocol.

use crate::{
    authorization::{Parameter, context::Context, error::RuleViolation},
    errors::AuthorizationErrorCode,
    protocol_values::{GrantType, ResponseType, Scope, ScopeSet, contains_comma},
};

#[derive(Debug)]
pub(in crate::authorization) struct CheckedScope {
    pub(in crate::authorization) scope: ScopeSet,
    pub(in crate::authorization) ignored: ScopeSet,
}

pub(in crate::authorization) fn check(
    context: &Context<'_>,
    response_type: ResponseType,
) -> Result<CheckedScope, RuleViolation> {
    let text = context.parameters.get(Parameter::Scope).unwrap_or_default();
    let refuse = |description| {
        RuleViolation::new(AuthorizationErrorCode::InvalidScope, Parameter::Scope, description)
            .received(text)
            .registered([&context.client.scope])
    };
    let asked: ScopeSet = text.parse().map_err(|_| refuse("scope is malformed"))?;
    let scope = grantable(context, response_type).intersection(&asked);
    if asked.is_empty() {
        return Err(refuse("scope is missing"));
    }
    if scope.is_empty() {
        let none = if contains_comma(text) {
            "the client may have none of the scopes; scopes are separated by spaces, not by commas"
        } else {
            "the client may have none of the scopes"
        };
        return Err(refuse(none));
    }
    if asked.contains(&Scope::OpenId) && !scope.contains(&Scope::OpenId) {
        return Err(refuse("the client may not have the scope openid"));
    }
    if response_type.has_id_token() && !scope.contains(&Scope::OpenId) {
        return Err(refuse("an ID token needs the scope openid"));
    }
    let ignored = asked.difference(&scope);
    Ok(CheckedScope { scope, ignored })
}

/// Core §11: `offline_access` means nothing where no refresh token can come of it.
fn grantable(context: &Context<'_>, response_type: ResponseType) -> ScopeSet {
    let refreshes = response_type.has_code() && context.client.allows_grant(GrantType::RefreshToken);
    context
        .client
        .scope
        .iter()
        .filter(|scope| **scope != Scope::OfflineAccess || refreshes)
        .cloned()
        .collect()
}

#[cfg(test)]
mod tests {
    use crate::{
        authorization::{AuthorizationError, AuthorizationRequest, testing},
        client::ClientMetadataInput,
        errors::AuthorizationErrorCode::InvalidScope,
    };

    fn check_with(
        registered: &str,
        asked: &str,
        response_type: &str,
    ) -> Result<AuthorizationRequest, AuthorizationError> {
        let input = ClientMetadataInput { scope: Some(registered.to_owned()), ..testing::input() };
        let mut pairs = testing::request_changed("scope", asked);
        pairs.retain(|(name, _)| *name != "response_type");
        pairs.extend([("response_type", response_type), ("nonce", "n")]);
        testing::checked(&testing::client_from(&input), &pairs)
    }

    #[test]
    fn core_3_1_2_1_scopes_not_registered_are_left_out() {
        for (registered, asked, granted) in [
            ("openid email", "openid email profile unknown", "openid email"),
            ("openid schedule:read", "schedule:read", "schedule:read"),
            ("openid offline_access", "openid offline_access", "openid offline_access"),
        ] {
            assert_eq!(check_with(registered, asked, "code").unwrap().ask.scope.to_string(), granted);
        }
    }

    #[test]
    fn rfc6749_3_3_scope_is_required_and_well_formed() {
        for (registered, asked, response_type) in [
            ("openid", "", "code"),
            ("openid", "a\"b", "code"),
            ("openid", "email", "code"),
            ("email", "openid email", "code"),
            ("openid email", "email", "id_token"),
        ] {
            let error = check_with(registered, asked, response_type).unwrap_err();
            assert_eq!(error.code, InvalidScope, "{asked}");
        }
    }

    #[test]
    fn rfc6749_3_3_scopes_separated_by_commas_are_told_of() {
        let described = |asked| check_with("openid email", asked, "code").unwrap_err().description;
        assert!(described("openid,email").ends_with("scopes are separated by spaces, not by commas"));
        assert_eq!(described("reports"), "the client may have none of the scopes");
    }

    #[test]
    fn core_11_offline_access_is_ignored_without_a_code_or_the_refresh_grant() {
        let granted = check_with("openid offline_access", "openid offline_access", "id_token").unwrap();
        assert_eq!(granted.ask.scope.to_string(), "openid");
        let input = ClientMetadataInput { grant_types: None, response_types: None, ..testing::input() };
        let pairs = testing::request_changed("scope", "openid offline_access");
        let request = testing::checked(&testing::client_from(&input), &pairs).unwrap();
        assert_eq!(request.ask.scope.to_string(), "openid");
    }
}
