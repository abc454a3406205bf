//! The `openidconnect` crate as an application uses it, with nothing of ours between: it discovers, registers itself, signs
//! a person in, refreshes and signs her out, and judges every answer by itself.

use crate::ALICE;
use anteroom_testkit::{Backend, TestProvider, on_both_databases};
use openidconnect::core::{
    CoreApplicationType, CoreAuthenticationFlow, CoreClient, CoreClientAuthMethod, CoreGrantType,
    CoreJsonWebKey, CoreJweContentEncryptionAlgorithm, CoreJweKeyManagementAlgorithm,
    CoreRegisterErrorResponseType, CoreResponseType, CoreSubjectIdentifierType, CoreUserInfoClaims,
};
use openidconnect::registration::{
    AdditionalClientMetadata, ClientRegistrationRequest, EmptyAdditionalClientRegistrationResponse,
};
use openidconnect::{
    AccessTokenHash, AuthorizationCode, CsrfToken, HttpRequest, HttpResponse, IssuerUrl, LogoutRequest,
    Nonce, OAuth2TokenResponse as _, PkceCodeChallenge, PostLogoutRedirectUrl, ProviderMetadataWithLogout,
    RedirectUrl, RefreshToken, Scope, TokenResponse as _,
};
use serde::{Deserialize, Serialize};

on_both_databases!(it_registers_signs_in_refreshes_and_signs_out);

const CALLBACK: &str = "http://127.0.0.1/callback";
const SIGNED_OUT: &str = "http://127.0.0.1/signed-out";

/// RP-Initiated Logout 1.0 §3.1, which the crate leaves to its users.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct Logout {
    post_logout_redirect_uris: Vec<String>,
}

impl AdditionalClientMetadata for Logout {}

type RegistrationRequest = ClientRegistrationRequest<
    Logout,
    EmptyAdditionalClientRegistrationResponse,
    CoreApplicationType,
    CoreClientAuthMethod,
    CoreRegisterErrorResponseType,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    CoreJsonWebKey,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;

async fn send(http: reqwest::Client, request: HttpRequest) -> Result<HttpResponse, reqwest::Error> {
    let answer = http.execute(request.try_into()?).await?;
    let (status, headers) = (answer.status(), answer.headers().clone());
    let mut response = HttpResponse::new(answer.bytes().await?.to_vec());
    (*response.status_mut(), *response.headers_mut()) = (status, headers);
    Ok(response)
}

async fn it_registers_signs_in_refreshes_and_signs_out(backend: Backend) {
    let provider = TestProvider::on(&backend)
        .set("registration.mode", "\"open\"")
        .set("registration.scope", "\"openid email offline_access\"")
        .real_time()
        .start()
        .await;
    #[expect(clippy::disallowed_methods, reason = "an application has a client of its own")]
    let client = reqwest::Client::builder().tls_certs_only([]).no_proxy().build().unwrap();
    let http = move |request| send(client.clone(), request);

    let issuer = IssuerUrl::new(provider.issuer.clone()).unwrap();
    let metadata = ProviderMetadataWithLogout::discover_async(issuer, &http).await.unwrap();
    let end_session = metadata.additional_metadata().end_session_endpoint.clone().unwrap();
    let redirect_uri = RedirectUrl::new(CALLBACK.to_owned()).unwrap();
    let logout = Logout { post_logout_redirect_uris: vec![SIGNED_OUT.to_owned()] };
    let registered = RegistrationRequest::new(vec![redirect_uri.clone()], logout)
        .set_grant_types(Some(vec![CoreGrantType::AuthorizationCode, CoreGrantType::RefreshToken]))
        .register_async(metadata.registration_endpoint().unwrap(), &http)
        .await
        .unwrap();
    let (id, secret) = (registered.client_id().clone(), registered.client_secret().cloned());
    let client =
        CoreClient::from_provider_metadata(metadata, id.clone(), secret).set_redirect_uri(redirect_uri);

    let (challenge, pkce_verifier) = PkceCodeChallenge::new_random_sha256();
    let flow = CoreAuthenticationFlow::AuthorizationCode;
    let (url, state, nonce) = client
        .authorize_url(flow, CsrfToken::new_random, Nonce::new_random)
        .add_scopes(["email", "offline_access"].map(|scope| Scope::new(scope.to_owned())))
        .set_pkce_challenge(challenge)
        .url();
    let browser = provider.signed_in(ALICE).await;
    let page = browser.get(url.as_str()).await;
    let answer = browser.submit(&page, "/consent", &[("decision", "allow")]).await;
    let answered = answer.parameters();
    assert_eq!(&answered["state"], state.secret());

    let code = AuthorizationCode::new(answered["code"].clone());
    let exchange = client.exchange_code(code).unwrap().set_pkce_verifier(pkce_verifier);
    let tokens = exchange.request_async(&http).await.unwrap();
    let verifier = client.id_token_verifier();
    let id_token = tokens.id_token().unwrap();
    let claims = id_token.claims(&verifier, &nonce).unwrap();
    let (algorithm, key) = (id_token.signing_alg().unwrap(), id_token.signing_key(&verifier).unwrap());
    let at_hash = AccessTokenHash::from_token(tokens.access_token(), algorithm, key).unwrap();
    assert_eq!(claims.access_token_hash(), Some(&at_hash));
    let sub = claims.subject();

    let asked = client.user_info(tokens.access_token().clone(), Some(sub.clone())).unwrap();
    let person: CoreUserInfoClaims = asked.request_async(&http).await.unwrap();
    assert_eq!(person.email().map(|email| email.as_str()), Some(ALICE));

    let asked = client.exchange_refresh_token(tokens.refresh_token().unwrap()).unwrap();
    let refreshed = asked.request_async(&http).await.unwrap();
    assert_ne!(refreshed.access_token().secret(), tokens.access_token().secret());
    assert_ne!(
        refreshed.refresh_token().map(RefreshToken::secret),
        tokens.refresh_token().map(RefreshToken::secret)
    );
    let hint = refreshed.id_token().unwrap();
    // Core 12.2: a refreshed ID token says nothing of the nonce.
    assert_eq!(hint.claims(&verifier, |_: Option<&Nonce>| Ok(())).unwrap().subject(), sub);

    let state = CsrfToken::new_random();
    let logout = LogoutRequest::from(end_session)
        .set_id_token_hint(hint)
        .set_client_id(id)
        .set_post_logout_redirect_uri(PostLogoutRedirectUrl::new(SIGNED_OUT.to_owned()).unwrap())
        .set_state(state.clone());
    let answer = browser.get(logout.http_get_url().as_str()).await;
    assert_eq!(answer.location().as_str(), format!("{SIGNED_OUT}?state={}", state.secret()));
    assert!(!browser.is_signed_in().await);
}
