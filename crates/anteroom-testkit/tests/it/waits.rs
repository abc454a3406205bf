//! A request that waits, for a hash or for a document of its client, counts from the time at which the wait is over.

use crate::ALICE;
use crate::limits::slow::serve;
use crate::people::{CAROL, NEW, choose};
use anteroom_crypto::{HashParams, PasswordHash, PasswordHasher, Random};
use anteroom_domain::address::FoldedAddress;
use anteroom_testkit::{
    Backend, Browser, PASSWORD, RelyingParty, TestProvider, TestResponse, on_both_databases,
};
use futures_util::future::join;
use jiff::SignedDuration;
use secrecy::SecretString;
use std::net::Ipv4Addr;
use std::time::Duration;
use tokio::net::TcpListener;

on_both_databases!(
    the_page_of_a_request_that_waited_for_its_object_is_open_for_its_whole_lifetime,
    core_3_1_2_3_a_session_that_ended_while_a_request_object_was_fetched_gets_no_code,
    core_2_auth_time_is_when_the_password_was_verified,
    a_session_that_ended_while_a_hash_waited_is_not_offered,
    a_new_password_and_its_session_begin_when_the_hashes_are_done,
    a_refused_password_is_audited_when_the_hashes_are_done,
);

/// Less than a session may be idle; twice this is more.
const WAIT: SignedDuration = SignedDuration::from_mins(20);

/// A client whose request objects are fetched from a server of the test.
struct SlowClient {
    place: String,
    server: TcpListener,
    toml: String,
}

impl SlowClient {
    async fn new() -> Self {
        let server = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let place = format!("http://{}/request", server.local_addr().unwrap());
        let toml = format!(
            "[[clients]]\nclient_id = \"slow\"\nfirst_party = true\ntoken_endpoint_auth_method = \"none\"\n\
             redirect_uris = [\"https://slow.example/callback\"]\nrequest_object_signing_alg = \"none\"\n\
             request_uris = [\"{place}\"]\n"
        );
        Self { place, server, toml }
    }

    /// The answer to a request whose object is fetched for so long.
    async fn authorize(
        &self,
        provider: &TestProvider,
        browser: &Browser,
        wait: SignedDuration,
    ) -> (RelyingParty, TestResponse) {
        // Header `{"alg":"none"}`, claims `{"nonce":"inside"}`.
        const OBJECT: &str = "eyJhbGciOiJub25lIn0.eyJub25jZSI6Imluc2lkZSJ9.";
        let client = provider.client("slow");
        let by_place = [("request_uri", self.place.as_str())];
        let fetched = async {
            let asked = self.server.accept().await.unwrap().0;
            provider.advance(wait);
            serve(asked, OBJECT).await;
        };
        let (answer, ()) = join(client.authorize(browser, &by_place), fetched).await;
        (client, answer)
    }
}

async fn the_page_of_a_request_that_waited_for_its_object_is_open_for_its_whole_lifetime(backend: Backend) {
    let slow = SlowClient::new().await;
    let lifetime = "\"30m\"";
    let provider = TestProvider::on(&backend).set("policy.interaction.lifetime", lifetime);
    let provider = provider.clients(&slow.toml).start().await;
    let browser = provider.browser();
    let (client, page) = slow.authorize(&provider, &browser, WAIT).await;
    provider.advance(WAIT);
    let answer = browser.enter(&page, ALICE, PASSWORD).await;
    assert!(!client.code_in(&answer).is_empty());
}

async fn core_3_1_2_3_a_session_that_ended_while_a_request_object_was_fetched_gets_no_code(backend: Backend) {
    let slow = SlowClient::new().await;
    let provider = TestProvider::on(&backend).clients(&slow.toml).start().await;
    let browser = provider.signed_in(ALICE).await;
    let (client, answer) = slow.authorize(&provider, &browser, WAIT).await;
    assert!(!client.code_in(&answer).is_empty());
    let (_, answer) = slow.authorize(&provider, &browser, WAIT + WAIT).await;
    assert!(answer.has_form("/sign-in"), "{}", answer.page_summary());
}

/// A hash of the password that takes a second or so to verify.
fn slow_hash(provider: &TestProvider) -> PasswordHash {
    let params = HashParams::new(128 * 1024, 8, 1).unwrap();
    let hasher = PasswordHasher::new(params, &provider.provider.keyring, Random::system());
    hasher.hash(&SecretString::from(PASSWORD)).unwrap()
}

/// Lets `wait` pass while the first hash is computed.
async fn while_it_is_hashed<T>(
    provider: &TestProvider,
    wait: SignedDuration,
    request: impl Future<Output = T>,
) -> T {
    let before = provider.hashes_computed();
    let passes = async {
        while provider.hashes_computed() == before {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        provider.advance(wait);
    };
    join(request, passes).await.0
}

async fn core_2_auth_time_is_when_the_password_was_verified(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    provider.person(CAROL).hash(slow_hash(&provider)).create().await;
    let (web, browser) = (provider.client("web"), provider.browser());
    let page = web.authorize(&browser, &[]).await;
    let answer = while_it_is_hashed(&provider, WAIT, browser.enter(&page, CAROL, PASSWORD)).await;
    let verified_at = provider.now().as_second();
    let tokens = web.redeem(&web.code_in(&answer)).await.json();
    let id_token = web.verified(tokens["id_token"].as_str().unwrap()).await;
    assert_eq!(id_token.claims["auth_time"], verified_at);
    provider.advance(WAIT);
    assert!(browser.is_signed_in().await);
}

async fn a_session_that_ended_while_a_hash_waited_is_not_offered(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    provider.person(CAROL).hash(slow_hash(&provider)).create().await;
    let browser = provider.browser();
    let page = browser.get("/sign-in").await;
    browser.sign_in(ALICE, PASSWORD).await;
    let answer = while_it_is_hashed(&provider, WAIT + WAIT, browser.enter(&page, CAROL, PASSWORD)).await;
    assert_eq!(answer.status, 303, "{}", answer.page_summary());
    assert!(browser.is_signed_in().await);
    let sessions = |answer: &TestResponse| {
        let mut cookies = answer.cookies().into_iter();
        let cookie = cookies.rfind(|cookie| cookie.name().ends_with("anteroom_session"));
        cookie.unwrap().value().split('.').count()
    };
    let alone = provider.browser().sign_in(CAROL, PASSWORD).await;
    assert_eq!(sessions(&answer), sessions(&alone));
}

/// Gives the account a hash of its password that takes long to verify.
async fn slow_down(provider: &TestProvider, address: &str) {
    let address = FoldedAddress::from_entered(address);
    let store = provider.provider.store.clone();
    let view = store.sign_in_view(&address, &[]).await.unwrap().unwrap();
    let (account, old, new) = (view.account.id, view.credential.unwrap().hash, slow_hash(provider));
    let replaced = store.write(move |tx| {
        let (old, new) = (old.clone(), new.clone());
        async move { tx.replace_hash(account, &old, &new).await }
    });
    assert!(replaced.await.unwrap());
}

async fn a_new_password_and_its_session_begin_when_the_hashes_are_done(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    provider.person(CAROL).password_set(SignedDuration::from_hours(48)).create().await;
    let carol = provider.signed_in(CAROL).await;
    slow_down(&provider, CAROL).await;
    let page = carol.get("/change-password").await;
    let answer = while_it_is_hashed(&provider, WAIT, choose(&carol, &page, NEW)).await;
    assert_eq!(answer.status, 303, "{}", answer.page_summary());
    let changed = &provider.audited("password_changed").await[0];
    assert_eq!(changed.at, provider.now());
    provider.advance(WAIT);
    assert!(carol.is_signed_in().await);
}

async fn a_refused_password_is_audited_when_the_hashes_are_done(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    provider.person(CAROL).password_set(SignedDuration::from_hours(48)).create().await;
    let carol = provider.signed_in(CAROL).await;
    slow_down(&provider, CAROL).await;
    let page = carol.get("/change-password").await;
    let answer = while_it_is_hashed(&provider, WAIT, choose(&carol, &page, PASSWORD)).await;
    assert_eq!(answer.status, 422, "{}", answer.page_summary());
    assert_eq!(provider.audited("new_password_refused").await[0].at, provider.now());
}
