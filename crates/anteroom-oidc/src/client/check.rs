//! From text to a checked client: each value by itself, then what they must be together.

use std::collections::BTreeSet;

use super::{
    AccessTokenFormat, ApplicationType, ClientMetadata, ClientMetadataInput, MetadataError, MetadataErrors,
    MetadataProblem, MetadataRules, read::Reader,
};
use crate::{
    keys::ClientJwks,
    protocol_values::{
        ClientAlgorithm, ClientId, GrantType, Issuer, RedirectUriKind, RequestObjectAlgorithm, ResponseType,
        SigningAlgorithm, SubjectType, TokenEndpointAuthMethod,
    },
};

impl ClientMetadata {
    /// Reads and checks `input`; what is wrong comes back whole.
    pub fn parse(
        client_id: ClientId,
        input: &ClientMetadataInput,
        rules: MetadataRules<'_>,
    ) -> Result<Self, MetadataErrors> {
        let mut reader = Reader { rules, errors: Vec::new() };
        let mut metadata = reader.read(client_id, input);
        reader.check_together(&metadata, input);
        // A value that could not be read is complained of already.
        if reader.errors.is_empty() {
            metadata.sector = reader.sector(&metadata);
        }
        if reader.errors.is_empty() { Ok(metadata) } else { Err(MetadataErrors(reader.errors)) }
    }

    /// What a client that is described or registered now is held to besides [`ClientMetadata::parse`]. A client that was accepted
    /// before these rules existed keeps working.
    pub fn check_as_new(&self, issuer: &Issuer) -> Result<(), MetadataErrors> {
        let mut errors = Vec::new();
        if let Err(error) = self.jwks.as_ref().map_or(Ok(()), ClientJwks::check_bounds) {
            errors.push(MetadataError::new("jwks", "", error));
        }
        errors.extend(self.implicit_redirect_errors(issuer));
        if errors.is_empty() { Ok(()) } else { Err(MetadataErrors(errors)) }
    }

    /// Registration §2 `application_type`: tokens in an address, given to a web application, go over https, and to no program
    /// on the person's machine. Under an issuer on loopback everything is on one machine, as in development: there http on
    /// loopback is taken for the other addresses of a client as well.
    fn implicit_redirect_errors(&self, issuer: &Issuer) -> Vec<MetadataError> {
        const WHY: &str =
            "the grant type implicit of a web application needs https, and another host than localhost";
        let concerned = self.application_type == ApplicationType::Web
            && self.allows_grant(GrantType::Implicit)
            && !issuer.is_loopback_http();
        let numbered = self.redirect_uris.iter().enumerate();
        let refused = numbered.filter(|(_, uri)| concerned && uri.is_on_loopback());
        let refuse = |text| MetadataError::new("redirect_uris", text, MetadataProblem::Conflict(WHY));
        refused.map(|(i, uri)| refuse(uri.as_str()).at(i)).collect()
    }
}

impl Reader<'_> {
    fn read(&mut self, client_id: ClientId, input: &ClientMetadataInput) -> ClientMetadata {
        let offered = self.rules.capabilities;
        let grant_types = self.grant_types(input);
        let response_types = self.response_types(input, &grant_types);
        let token_endpoint_auth_method = self.authentication_method(input);
        let require_pkce = input
            .require_pkce
            .unwrap_or(self.rules.require_pkce || !token_endpoint_auth_method.is_confidential());
        let audience = self.audience(&input.audience);
        ClientMetadata {
            client_id,
            client_name: self.label("client_name", input.client_name.as_ref()),
            application_type: self
                .enum_value("application_type", input.application_type.as_ref(), ApplicationType::ALL)
                .unwrap_or(ApplicationType::Web),
            redirect_uris: self.redirect_uris("redirect_uris", &input.redirect_uris),
            response_types,
            grant_types,
            token_endpoint_auth_method,
            token_endpoint_auth_signing_alg: self.assertion_algorithm(input),
            jwks: self.jwks(input.jwks.as_ref()),
            jwks_uri: self.https("jwks_uri", input.jwks_uri.as_ref()),
            request_object_signing_alg: self.request_object_algorithm(input),
            request_object_encryption: self.request_object_encryption(input),
            request_uris: self.request_uris(&input.request_uris),
            require_pushed_authorization_requests: input.require_pushed_authorization_requests == Some(true),
            require_signed_request_object: input.require_signed_request_object == Some(true),
            scope: self.scope(input.scope.as_ref()),
            id_token_signed_response_alg: self.id_token_algorithm(input),
            id_token_encryption: self.id_token_encryption(input),
            userinfo_signed_response_alg: self.userinfo_algorithm(input),
            userinfo_encryption: self.userinfo_encryption(input),
            subject_type: self
                .enum_value("subject_type", input.subject_type.as_ref(), &offered.subject_types)
                .unwrap_or(SubjectType::Public),
            sector_identifier_uri: self.https("sector_identifier_uri", input.sector_identifier_uri.as_ref()),
            // Computed from the other values, once they are read.
            sector: None,
            default_max_age: self.seconds("default_max_age", input.default_max_age),
            require_auth_time: input.require_auth_time.unwrap_or(false),
            default_acr_values: self.acr_values(&input.default_acr_values),
            initiate_login_uri: self.https("initiate_login_uri", input.initiate_login_uri.as_ref()),
            post_logout_redirect_uris: self
                .redirect_uris("post_logout_redirect_uris", &input.post_logout_redirect_uris),
            backchannel_logout_uri: self
                .https("backchannel_logout_uri", input.backchannel_logout_uri.as_ref()),
            backchannel_logout_session_required: input.backchannel_logout_session_required.unwrap_or(false),
            frontchannel_logout_uri: self
                .https("frontchannel_logout_uri", input.frontchannel_logout_uri.as_ref()),
            frontchannel_logout_session_required: input.frontchannel_logout_session_required.unwrap_or(false),
            client_uri: self.https("client_uri", input.client_uri.as_ref()),
            logo_uri: self.https("logo_uri", input.logo_uri.as_ref()),
            policy_uri: self.https("policy_uri", input.policy_uri.as_ref()),
            tos_uri: self.https("tos_uri", input.tos_uri.as_ref()),
            require_pkce,
            access_token_format: self.access_token_format(input, &audience),
            audience,
            access_token_signed_response_alg: self.access_token_algorithm(input),
        }
    }

    fn grant_types(&mut self, input: &ClientMetadataInput) -> BTreeSet<GrantType> {
        match &input.grant_types {
            Some(listed) => self.listed("grant_types", listed, &self.rules.capabilities.grant_types),
            None => [GrantType::AuthorizationCode].into(),
        }
    }

    fn response_types(
        &mut self,
        input: &ClientMetadataInput,
        grant_types: &BTreeSet<GrantType>,
    ) -> BTreeSet<ResponseType> {
        match &input.response_types {
            Some(listed) => self.listed("response_types", listed, &self.rules.capabilities.response_types),
            None if grant_types.contains(&GrantType::AuthorizationCode) => [ResponseType::Code].into(),
            None => BTreeSet::new(),
        }
    }

    fn authentication_method(&mut self, input: &ClientMetadataInput) -> TokenEndpointAuthMethod {
        let offered = &self.rules.capabilities.token_endpoint_auth_methods;
        let method =
            self.enum_value("token_endpoint_auth_method", input.token_endpoint_auth_method.as_ref(), offered);
        method.unwrap_or(TokenEndpointAuthMethod::ClientSecretBasic)
    }

    fn id_token_algorithm(&mut self, input: &ClientMetadataInput) -> SigningAlgorithm {
        let algorithm = input.id_token_signed_response_alg.as_ref();
        let algorithm = self.signing_algorithm("id_token_signed_response_alg", algorithm);
        algorithm.unwrap_or(SigningAlgorithm::Rs256)
    }

    fn userinfo_algorithm(&mut self, input: &ClientMetadataInput) -> Option<SigningAlgorithm> {
        let algorithm = input.userinfo_signed_response_alg.as_ref();
        self.signing_algorithm("userinfo_signed_response_alg", algorithm)
    }

    fn signing_algorithm(
        &mut self,
        parameter: &'static str,
        text: Option<&String>,
    ) -> Option<SigningAlgorithm> {
        let offered = self.rules.capabilities;
        self.enum_value(parameter, text, &offered.signing_algorithms)
    }

    /// A `resource` is one of the audience, so the audience alone says whether a token can be for an API.
    fn access_token_format(&mut self, input: &ClientMetadataInput, audience: &[String]) -> AccessTokenFormat {
        let issuer = self.rules.issuer.as_str();
        let default = if audience.iter().any(|api| api != issuer) {
            AccessTokenFormat::Jwt
        } else {
            AccessTokenFormat::Opaque
        };
        let given = input.access_token_format.as_ref();
        self.enum_value("access_token_format", given, AccessTokenFormat::ALL).unwrap_or(default)
    }

    /// RS256 is what every library verifies.
    fn access_token_algorithm(&mut self, input: &ClientMetadataInput) -> SigningAlgorithm {
        let text = input.access_token_signed_response_alg.as_ref();
        self.signing_algorithm("access_token_signed_response_alg", text).unwrap_or(SigningAlgorithm::Rs256)
    }

    fn assertion_algorithm(&mut self, input: &ClientMetadataInput) -> Option<ClientAlgorithm> {
        let text = input.token_endpoint_auth_signing_alg.as_ref();
        self.enum_value("token_endpoint_auth_signing_alg", text, ClientAlgorithm::ALL)
    }

    fn request_object_algorithm(&mut self, input: &ClientMetadataInput) -> Option<RequestObjectAlgorithm> {
        let text = input.request_object_signing_alg.as_ref();
        self.enum_value("request_object_signing_alg", text, RequestObjectAlgorithm::ALL)
    }

    pub(super) fn conflict(&mut self, parameter: &'static str, received: &str, why: &'static str) {
        self.errors.push(MetadataError::new(parameter, received, MetadataProblem::Conflict(why)));
    }

    fn check_together(&mut self, client: &ClientMetadata, input: &ClientMetadataInput) {
        let grants = &client.grant_types;
        let redirects =
            grants.contains(&GrantType::AuthorizationCode) || grants.contains(&GrantType::Implicit);
        if redirects && input.redirect_uris.is_empty() {
            self.conflict("redirect_uris", "", "at least one is needed for the client's grant types");
        }
        // Registration §2: response types and grant types imply each other.
        for kind in &client.response_types {
            if kind.has_code() && !grants.contains(&GrantType::AuthorizationCode) {
                self.conflict("response_types", kind.as_str(), "needs the grant type authorization_code");
            }
            if (kind.has_id_token() || kind.has_token()) && !grants.contains(&GrantType::Implicit) {
                self.conflict("response_types", kind.as_str(), "needs the grant type implicit");
            }
        }
        if grants.contains(&GrantType::RefreshToken) && !redirects {
            self.conflict("grant_types", "refresh_token", "needs the grant type authorization_code as well");
        }
        // RFC 6749 §4.4: client credentials are for confidential clients only.
        if grants.contains(&GrantType::ClientCredentials) && client.is_public() {
            self.conflict("grant_types", "client_credentials", "needs a client that can authenticate");
        }
        if client.is_public() && !client.require_pkce {
            self.conflict("require_pkce", "false", "a public client always needs a code challenge");
        }
        self.check_keys_together(client, input);
        self.check_uris_together(client);
    }

    /// Looks at `input`, not at the parsed keys: a key set that could not be parsed is reported already.
    fn check_keys_together(&mut self, client: &ClientMetadata, input: &ClientMetadataInput) {
        // Registration §2: by value or by reference, not both.
        if input.jwks.is_some() && input.jwks_uri.is_some() {
            self.conflict("jwks_uri", "", "cannot be given beside jwks");
        }
        if client.is_public() && client.require_pushed_authorization_requests {
            let why = "a public client cannot push requests";
            self.conflict("require_pushed_authorization_requests", "true", why);
        }
        let unsigned = client.request_object_signing_alg == Some(RequestObjectAlgorithm::Unsigned);
        if client.require_signed_request_object && unsigned {
            let why = "cannot be required beside request_object_signing_alg none";
            self.conflict("require_signed_request_object", "true", why);
        }
        let method = client.token_endpoint_auth_method;
        let no_keys = input.jwks.is_none() && input.jwks_uri.is_none();
        if method == TokenEndpointAuthMethod::PrivateKeyJwt && no_keys {
            self.conflict("token_endpoint_auth_method", method.as_str(), "needs jwks or jwks_uri");
        }
        if let Some(alg @ RequestObjectAlgorithm::Signed(_)) = client.request_object_signing_alg
            && no_keys
        {
            self.conflict("request_object_signing_alg", alg.as_str(), "needs jwks or jwks_uri");
        }
        if client.require_signed_request_object && no_keys {
            self.conflict("require_signed_request_object", "true", "needs jwks or jwks_uri");
        }
        // Encryption keys verify no signature.
        let proves = method == TokenEndpointAuthMethod::PrivateKeyJwt
            || client.require_signed_request_object
            || matches!(client.request_object_signing_alg, Some(RequestObjectAlgorithm::Signed(_)));
        if proves && client.jwks.as_ref().is_some_and(|keys| !keys.verifies()) {
            self.conflict("jwks", "", "has no key that signatures can be held against");
        }
        self.check_encryption_keys(client, no_keys);
        if let Some(alg) = client.token_endpoint_auth_signing_alg {
            let fits = match method {
                TokenEndpointAuthMethod::PrivateKeyJwt => !alg.is_symmetric(),
                TokenEndpointAuthMethod::ClientSecretJwt => alg.is_symmetric(),
                _ => true,
            };
            if !fits {
                let why = "does not fit the token_endpoint_auth_method";
                self.conflict("token_endpoint_auth_signing_alg", alg.as_str(), why);
            }
        }
    }

    fn check_uris_together(&mut self, client: &ClientMetadata) {
        let lists = [
            ("redirect_uris", &client.redirect_uris),
            ("post_logout_redirect_uris", &client.post_logout_redirect_uris),
        ];
        for (parameter, uris) in lists {
            for uri in uris {
                if uri.kind() == RedirectUriKind::PrivateUse
                    && client.application_type == ApplicationType::Web
                {
                    self.conflict(parameter, uri.as_str(), "private-use schemes are for native applications");
                }
            }
        }
        // Front-Channel Logout §2: scheme, host and port of a registered redirect URI.
        if let Some(url) = &client.frontchannel_logout_uri {
            let origin = url.origin().ascii_serialization();
            if !client.redirect_uris.iter().any(|uri| uri.origin().as_ref() == Some(&origin)) {
                let why = "must have scheme, host and port of one of the redirect_uris";
                self.conflict("frontchannel_logout_uri", url.as_str(), why);
            }
        }
        if client.frontchannel_logout_session_required && client.frontchannel_logout_uri.is_none() {
            let why = "has no meaning without frontchannel_logout_uri";
            self.conflict("frontchannel_logout_session_required", "true", why);
        }
        if client.backchannel_logout_session_required && client.backchannel_logout_uri.is_none() {
            let why = "has no meaning without backchannel_logout_uri";
            self.conflict("backchannel_logout_session_required", "true", why);
        }
    }
}

#[cfg(test)]
mod tests;
