//! The provider as discovery describes it (Discovery 1.0 section 4), fetched at first need and kept for a while.
//!
//! The provider may start after this application, so nothing is fetched before a person signs in, and a failure
//! is never kept. Keys rotate: a token signed with an unknown key fetches everything anew (Core 10.1.1), within a
//! budget, because anybody can send such a token to the back-channel.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use openidconnect::core::{
    CoreAuthDisplay, CoreAuthPrompt, CoreClaimName, CoreClaimType, CoreClientAuthMethod,
    CoreErrorResponseType, CoreGenderClaim, CoreGrantType, CoreJsonWebKey, CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm, CoreJwsSigningAlgorithm, CoreResponseMode, CoreResponseType,
    CoreRevocableToken, CoreRevocationErrorResponse, CoreSubjectIdentifierType,
    CoreTokenIntrospectionResponse, CoreTokenType,
};
use openidconnect::{
    AdditionalProviderMetadata, AuthType, Client, DiscoveryError, EmptyExtraTokenFields, EndSessionUrl,
    EndpointMaybeSet, EndpointNotSet, EndpointSet, IdTokenFields, JwsSigningAlgorithm, ProviderMetadata,
    RedirectUrl, StandardErrorResponse, StandardTokenResponse,
};
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use crate::claims::ExtraClaims;
use crate::config::PracticeAppConfig;
use crate::http_client::{HttpClient, HttpError};

/// A key that the provider withdrew is believed no longer than this.
const MAX_AGE: SignedDuration = SignedDuration::from_mins(15);
/// How often unknown keys may have everything fetched again within [`REFETCH_WINDOW`].
const REFETCHES: u32 = 10;
const REFETCH_WINDOW: SignedDuration = SignedDuration::from_mins(1);

#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct MoreMetadata {
    pub(crate) end_session_endpoint: Option<EndSessionUrl>,
    #[serde(default)]
    pub(crate) authorization_response_iss_parameter_supported: bool,
}

impl AdditionalProviderMetadata for MoreMetadata {}

type Metadata = ProviderMetadata<
    MoreMetadata,
    CoreAuthDisplay,
    CoreClientAuthMethod,
    CoreClaimName,
    CoreClaimType,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    CoreJsonWebKey,
    CoreResponseMode,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;

type TokenFields = IdTokenFields<
    ExtraClaims,
    EmptyExtraTokenFields,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJwsSigningAlgorithm,
>;

pub(crate) type TokenResponse = StandardTokenResponse<TokenFields, CoreTokenType>;

pub(crate) type OidcClient = Client<
    ExtraClaims,
    CoreAuthDisplay,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJsonWebKey,
    CoreAuthPrompt,
    StandardErrorResponse<CoreErrorResponseType>,
    TokenResponse,
    CoreTokenIntrospectionResponse,
    CoreRevocableToken,
    CoreRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

pub(crate) type ProviderUnavailable = DiscoveryError<HttpError>;

/// One fetched state of the provider, and the client made from it.
pub(crate) struct Provider {
    pub(crate) metadata: Metadata,
    pub(crate) client: OidcClient,
    fetched_at: Timestamp,
}

impl Provider {
    async fn fetch(
        config: &PracticeAppConfig,
        http: &HttpClient,
        now: Timestamp,
    ) -> Result<Self, ProviderUnavailable> {
        let metadata = Metadata::discover_async(config.issuer.clone(), http).await?;
        let redirect_uri = RedirectUrl::from_url(config.registration().redirect_uri);
        let client = OidcClient::from_provider_metadata(
            metadata.clone(),
            config.client_id.clone(),
            Some(config.client_secret.clone()),
        );
        let client = client.set_auth_type(AuthType::BasicAuth).set_redirect_uri(redirect_uri);
        Ok(Self { metadata, client, fetched_at: now })
    }

    /// What tokens may be signed with. A secret shared with the client proves nothing that its keys do not prove
    /// better, so those algorithms are left out even where the provider has them.
    pub(crate) fn signing_algorithms(&self) -> impl Iterator<Item = CoreJwsSigningAlgorithm> {
        let supported = self.metadata.id_token_signing_alg_values_supported().iter();
        supported.filter(|algorithm| !algorithm.uses_shared_secret()).cloned()
    }
}

/// The latest [`Provider`], fetched by one task at a time while the others wait for it.
pub(crate) struct ProviderCache {
    config: Arc<PracticeAppConfig>,
    http: HttpClient,
    cached: Mutex<Cached>,
}

struct Cached {
    provider: Option<Arc<Provider>>,
    window_began: Timestamp,
    refetches: u32,
}

impl ProviderCache {
    pub(crate) fn new(config: Arc<PracticeAppConfig>, http: HttpClient) -> Self {
        let cached = Cached { provider: None, window_began: Timestamp::MIN, refetches: 0 };
        Self { config, http, cached: Mutex::new(cached) }
    }

    pub(crate) async fn current(&self, now: Timestamp) -> Result<Arc<Provider>, ProviderUnavailable> {
        let mut cached = self.cached.lock().await;
        match &cached.provider {
            Some(provider) if now.duration_since(provider.fetched_at) < MAX_AGE => Ok(provider.clone()),
            _ => self.fetch_into(&mut cached, now).await,
        }
    }

    /// Something newer than `stale`, whose keys did not know a token's. `None` when the budget is spent.
    pub(crate) async fn newer_than(
        &self,
        stale: &Arc<Provider>,
        now: Timestamp,
    ) -> Result<Option<Arc<Provider>>, ProviderUnavailable> {
        let mut cached = self.cached.lock().await;
        if let Some(newer) = cached.provider.as_ref().filter(|provider| !Arc::ptr_eq(provider, stale)) {
            return Ok(Some(newer.clone()));
        }
        if !cached.may_refetch(now) {
            return Ok(None);
        }
        self.fetch_into(&mut cached, now).await.map(Some)
    }

    /// Forgets a provider that did not answer, so that the next need asks discovery again.
    pub(crate) async fn forget(&self, unanswering: &Arc<Provider>) {
        let mut cached = self.cached.lock().await;
        if cached.provider.as_ref().is_some_and(|provider| Arc::ptr_eq(provider, unanswering)) {
            cached.provider = None;
        }
    }

    async fn fetch_into(
        &self,
        cached: &mut Cached,
        now: Timestamp,
    ) -> Result<Arc<Provider>, ProviderUnavailable> {
        cached.provider = None;
        let provider = Arc::new(Provider::fetch(&self.config, &self.http, now).await?);
        cached.provider = Some(provider.clone());
        Ok(provider)
    }
}

impl Cached {
    fn may_refetch(&mut self, now: Timestamp) -> bool {
        if now.duration_since(self.window_began) >= REFETCH_WINDOW {
            self.window_began = now;
            self.refetches = 0;
        }
        self.refetches += 1;
        self.refetches <= REFETCHES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_keys_cannot_have_the_provider_asked_without_end() {
        let mut cached = Cached { provider: None, window_began: Timestamp::MIN, refetches: 0 };
        let start = Timestamp::from_second(1_800_000_000).unwrap();
        let granted = (0..100).filter(|_| cached.may_refetch(start)).count();
        assert_eq!(granted, REFETCHES as usize);
        assert!(cached.may_refetch(start + REFETCH_WINDOW));
    }
}
