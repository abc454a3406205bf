//! The OpenID Connect of it: the authorization code flow with PKCE (Core 3.1, RFC 7636), and logout.

use std::sync::Arc;
use std::time::SystemTime;

use jiff::Timestamp;
use openidconnect::core::{
    CoreAuthenticationFlow, CoreErrorResponseType, CoreGenderClaim, CoreJweContentEncryptionAlgorithm,
    CoreJwsSigningAlgorithm,
};
use openidconnect::{
    AccessToken, AccessTokenHash, AuthorizationCode, ClaimsVerificationError, ConfigurationError, CsrfToken,
    IdToken as GenericIdToken, LoginHint, LogoutRequest, Nonce, OAuth2TokenResponse, PkceCodeChallenge,
    PkceCodeVerifier, PostLogoutRedirectUrl, RequestTokenError, Scope, SignatureVerificationError,
    SigningError, StandardErrorResponse, SubjectIdentifier, TokenResponse as _, UserInfoClaims,
    UserInfoError,
};
use serde::Serialize;
use serde_json::{Map, Value};
use url::Url;

use crate::claims::{ExtraClaims, ReceivedClaims};
use crate::config::PracticeAppConfig;
use crate::http_client::{HttpClient, HttpError};
use crate::logout::{Expected, LogoutNotice, LogoutTokenError};
use crate::provider::{Provider, ProviderCache, ProviderUnavailable, TokenResponse};

pub(crate) type IdToken =
    GenericIdToken<ExtraClaims, CoreGenderClaim, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm>;

type TokenError = RequestTokenError<HttpError, StandardErrorResponse<CoreErrorResponseType>>;

/// A person whose ID token held in every point.
pub(crate) struct SignedIn {
    /// Kept for the `id_token_hint` of the sign-out.
    pub(crate) id_token: IdToken,
    pub(crate) claims: ReceivedClaims,
}

/// A request to the authorization endpoint, and what must be remembered until its answer.
pub(crate) struct AuthorizationRequest {
    pub(crate) url: Url,
    pub(crate) state: CsrfToken,
    pub(crate) nonce: Nonce,
    pub(crate) verifier: PkceCodeVerifier,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum SignInError {
    #[error("the provider could not be discovered")]
    Unavailable(#[from] ProviderUnavailable),
    #[error("the answer comes from another issuer")]
    WrongIssuer,
    #[error("the provider lacks an endpoint")]
    MissingEndpoint(#[from] ConfigurationError),
    #[error("the code was not exchanged")]
    Token(#[source] Box<TokenError>),
    #[error("there is no ID token in the token response")]
    NoIdToken,
    #[error("the ID token does not hold")]
    IdToken(#[from] ClaimsVerificationError),
    #[error("the key of the ID token is not usable")]
    Key(#[from] SignatureVerificationError),
    #[error("the access token could not be hashed")]
    Hash(#[from] SigningError),
    #[error("the access token is not the one of the ID token")]
    WrongAccessToken,
    #[error("the ID token was issued to another client")]
    WrongAuthorizedParty,
    #[error("userinfo was not given")]
    Userinfo(#[from] UserInfoError<HttpError>),
    #[error("the machine's time is out of range")]
    Clock,
    #[error("the claims could not be kept")]
    Claims(#[from] serde_json::Error),
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum NoticeError {
    #[error("the provider could not be discovered")]
    Unavailable(#[from] ProviderUnavailable),
    #[error("the logout token was refused")]
    Token(#[from] LogoutTokenError),
}

pub(crate) struct RelyingParty {
    config: Arc<PracticeAppConfig>,
    http: HttpClient,
    providers: ProviderCache,
}

impl RelyingParty {
    pub(crate) fn new(config: Arc<PracticeAppConfig>, http: HttpClient) -> Self {
        let providers = ProviderCache::new(config.clone(), http.clone());
        Self { config, http, providers }
    }

    pub(crate) async fn authorize(
        &self,
        login_hint: Option<String>,
        now: Timestamp,
    ) -> Result<AuthorizationRequest, ProviderUnavailable> {
        let provider = self.providers.current(now).await?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let mut request = provider
            .client
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode,
                || CsrfToken::new_random_len(32),
                || Nonce::new_random_len(32),
            )
            .add_scopes(self.scopes(&provider))
            .set_pkce_challenge(challenge);
        if let Some(hint) = login_hint {
            request = request.set_login_hint(LoginHint::new(hint));
        }
        let (url, state, nonce) = request.url();
        Ok(AuthorizationRequest { url, state, nonce, verifier })
    }

    /// This application's scopes, less those that the provider says it does not have.
    fn scopes(&self, provider: &Provider) -> Vec<Scope> {
        let supported = provider.metadata.scopes_supported();
        let wanted = self.config.screen.scopes().iter().map(|scope| Scope::new((*scope).to_owned()));
        wanted.filter(|scope| supported.is_none_or(|known| known.contains(scope))).collect()
    }

    /// RFC 9207 section 2.4: the answer says who answered, and must where the provider announces it.
    pub(crate) async fn check_issuer(&self, iss: Option<&str>, now: Timestamp) -> Result<(), SignInError> {
        let holds = if let Some(iss) = iss {
            iss == self.config.issuer.as_str()
        } else {
            let provider = self.providers.current(now).await?;
            !provider.metadata.additional_metadata().authorization_response_iss_parameter_supported
        };
        if holds { Ok(()) } else { Err(SignInError::WrongIssuer) }
    }

    /// From the code to the person (Core 3.1.3 and 5.3).
    pub(crate) async fn redeem(
        &self,
        code: String,
        nonce: &Nonce,
        verifier: PkceCodeVerifier,
        now: Timestamp,
    ) -> Result<SignedIn, SignInError> {
        let provider = self.providers.current(now).await?;
        let tokens = self.exchange(&provider, code, verifier).await?;
        let id_token = tokens.id_token().ok_or(SignInError::NoIdToken)?;
        let check = |provider: &Provider| self.check_id_token(provider, &tokens, id_token, nonce, now);
        let checked = match check(&provider) {
            Err(error) if is_unknown_key(&error) => match self.providers.newer_than(&provider, now).await? {
                Some(newer) => check(&newer),
                None => Err(error),
            },
            checked => checked,
        };
        let (subject, id_token_claims) = checked?;
        let userinfo = self.userinfo(&provider, tokens.access_token(), subject).await?;
        let claims = ReceivedClaims { id_token: id_token_claims, userinfo };
        Ok(SignedIn { id_token: id_token.clone(), claims })
    }

    async fn exchange(
        &self,
        provider: &Arc<Provider>,
        code: String,
        verifier: PkceCodeVerifier,
    ) -> Result<TokenResponse, SignInError> {
        let request = provider.client.exchange_code(AuthorizationCode::new(code))?;
        let answer = request.set_pkce_verifier(verifier).request_async(&self.http).await;
        if let Err(RequestTokenError::Request(_)) = &answer {
            self.providers.forget(provider).await;
        }
        answer.map_err(|error| SignInError::Token(Box::new(error)))
    }

    /// Core 3.1.3.7 and 3.1.3.8.
    fn check_id_token(
        &self,
        provider: &Provider,
        tokens: &TokenResponse,
        id_token: &IdToken,
        nonce: &Nonce,
        now: Timestamp,
    ) -> Result<(SubjectIdentifier, Map<String, Value>), SignInError> {
        let now = SystemTime::try_from(now).map_err(|_| SignInError::Clock)?;
        let verifier = provider
            .client
            .id_token_verifier()
            .set_allowed_algs(provider.signing_algorithms())
            .set_time_fn(move || now.into());
        let claims = id_token.claims(&verifier, nonce)?;
        if claims.authorized_party().is_some_and(|azp| *azp != self.config.client_id) {
            return Err(SignInError::WrongAuthorizedParty);
        }
        if let Some(at_hash) = claims.access_token_hash() {
            let key = id_token.signing_key(&verifier)?;
            let actual = AccessTokenHash::from_token(tokens.access_token(), id_token.signing_alg()?, key)?;
            if actual != *at_hash {
                return Err(SignInError::WrongAccessToken);
            }
        }
        Ok((claims.subject().clone(), as_map(claims)?))
    }

    /// Core 5.3.2: its `sub` must be the ID token's.
    async fn userinfo(
        &self,
        provider: &Provider,
        access_token: &AccessToken,
        subject: SubjectIdentifier,
    ) -> Result<Map<String, Value>, SignInError> {
        let request = provider.client.user_info(access_token.clone(), Some(subject))?;
        let claims: UserInfoClaims<ExtraClaims, CoreGenderClaim> = request.request_async(&self.http).await?;
        Ok(as_map(&claims)?)
    }

    /// Where to send the browser so that the provider ends its session, too (RP-Initiated Logout 1.0 section 2).
    /// `None` where the provider cannot be asked: the person is signed out here all the same.
    pub(crate) async fn end_session_url(
        &self,
        id_token: &IdToken,
        state: &CsrfToken,
        now: Timestamp,
    ) -> Option<Url> {
        let provider = self.providers.current(now).await.ok()?;
        let endpoint = provider.metadata.additional_metadata().end_session_endpoint.clone()?;
        let back = PostLogoutRedirectUrl::from_url(self.config.registration().post_logout_redirect_uri);
        let request = LogoutRequest::from(endpoint)
            .set_id_token_hint(id_token)
            .set_client_id(self.config.client_id.clone())
            .set_post_logout_redirect_uri(back)
            .set_state(state.clone());
        Some(request.http_get_url())
    }

    pub(crate) async fn logout_notice(
        &self,
        token: &str,
        now: Timestamp,
    ) -> Result<LogoutNotice, NoticeError> {
        let provider = self.providers.current(now).await?;
        let verify = |provider: &Provider| {
            let algorithms: Vec<_> = provider.signing_algorithms().collect();
            let expected = Expected {
                issuer: &self.config.issuer,
                client_id: &self.config.client_id,
                keys: provider.metadata.jwks().keys(),
                algorithms: &algorithms,
                now,
            };
            expected.verify(token)
        };
        let verified = match verify(&provider) {
            Err(LogoutTokenError::UnknownKey) => match self.providers.newer_than(&provider, now).await? {
                Some(newer) => verify(&newer),
                None => Err(LogoutTokenError::UnknownKey),
            },
            verified => verified,
        };
        Ok(verified?)
    }
}

fn is_unknown_key(error: &SignInError) -> bool {
    matches!(
        error,
        SignInError::IdToken(ClaimsVerificationError::SignatureVerification(
            SignatureVerificationError::NoMatchingKey
        ))
    )
}

fn as_map(claims: &impl Serialize) -> Result<Map<String, Value>, serde_json::Error> {
    serde_json::from_value(serde_json::to_value(claims)?)
}
