//! What answers slowly is asked by a few at once.

use crate::{ALICE, BOB};
use anteroom_testkit::{AppKey, Backend, Documents, TestProvider, TestResponse, Tokens, on_both_databases};
use futures_util::future::{join, join_all};
use serde_json::json;
use std::net::Ipv4Addr;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::net::TcpStream;

on_both_databases!(
    core_6_2_of_slow_request_objects_an_account_has_four_fetched_at_once_in_all_its_browsers,
    core_6_2_strangers_leave_half_of_a_clients_to_people_who_are_signed_in,
    core_10_1_1_clients_that_share_a_slow_jwks_uri_are_all_known_by_their_keys,
    core_10_1_1_a_client_whose_keys_are_not_fetched_now_is_told_to_come_back,
    core_10_2_of_keys_to_encrypt_to_a_network_has_four_fetched_at_once,
);

fn client(id: &str, place: &str) -> String {
    format!(
        "[[clients]]\nclient_id = \"{id}\"\nfirst_party = true\ntoken_endpoint_auth_method = \"none\"\n\
         redirect_uris = [\"https://{id}.example/callback\"]\nrequest_object_signing_alg = \"none\"\n\
         request_uris = [\"{place}\"]\n"
    )
}

async fn core_6_2_of_slow_request_objects_an_account_has_four_fetched_at_once_in_all_its_browsers(
    backend: Backend,
) {
    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let place = format!("http://{}/request", silent.local_addr().unwrap());
    let document = Documents::start("no request object").await;
    let toml = client("slow", &place) + &client("other", &document.url);
    let provider = TestProvider::on(&backend).clients(&toml).start().await;
    let (browser, second) = (provider.signed_in(ALICE).await, provider.signed_in(ALICE).await);
    let bob = provider.signed_in(BOB).await;
    let (slow, other) = (provider.client("slow"), provider.client("other"));
    let by_place = [("request_uri", place.as_str())];
    let waiting = join_all((0..4).map(|_| slow.authorize(&browser, &by_place)));
    let meanwhile = async {
        let mut held = Vec::new();
        for _ in 0..4 {
            held.push(silent.accept().await.unwrap());
        }
        let fifth = slow.authorize(&second, &by_place).await;
        // Accepted: his request is on its way to the client.
        let his = join(slow.authorize(&bob, &by_place), async {
            drop(silent.accept().await.unwrap());
        });
        assert_eq!(his.await.0.error(), "invalid_request_uri");
        let of_other = other.authorize(&browser, &[("request_uri", &document.url)]).await;
        drop(held);
        drop(silent);
        (fifth, of_other)
    };
    let (four, (fifth, of_other)) = join(waiting, meanwhile).await;
    assert_eq!(fifth.parameters()["error"], "temporarily_unavailable");
    assert_eq!(document.asked(), 1);
    assert_eq!(of_other.parameters()["error"], "invalid_request_object");
    for answer in four {
        assert_eq!(answer.parameters()["error"], "invalid_request_uri");
    }
}

async fn core_6_2_strangers_leave_half_of_a_clients_to_people_who_are_signed_in(backend: Backend) {
    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let place = format!("http://{}/request", silent.local_addr().unwrap());
    let provider = TestProvider::on(&backend).clients(&client("slow", &place)).start().await;
    let (slow, alice, nobody) =
        (provider.client("slow"), provider.signed_in(ALICE).await, provider.browser());
    let by_place = [("request_uri", place.as_str())];
    let unknown = join_all((0..4).map(|_| slow.authorize(&nobody, &by_place)));
    let meanwhile = async {
        let mut held = Vec::new();
        for _ in 0..4 {
            held.push(silent.accept().await.unwrap());
        }
        let fifth = slow.authorize(&nobody, &by_place).await;
        // Accepted: her request is on its way to the client.
        let hers = join(slow.authorize(&alice, &by_place), async {
            drop(silent.accept().await.unwrap());
        });
        let (hers, ()) = hers.await;
        drop(held);
        (fifth, hers)
    };
    let (_, (fifth, hers)) = join(unknown, meanwhile).await;
    assert_eq!(fifth.error(), "temporarily_unavailable");
    assert_eq!(hers.error(), "invalid_request_uri");
}

/// A service that proves itself with keys at this address.
fn service(id: &str, jwks_uri: &str) -> String {
    format!(
        "[[clients]]\nclient_id = \"{id}\"\nfirst_party = true\nredirect_uris = []\nresponse_types = []\n\
         grant_types = [\"client_credentials\"]\nscope = \"reports\"\n\
         token_endpoint_auth_method = \"private_key_jwt\"\njwks_uri = \"{jwks_uri}\"\n"
    )
}

async fn prove(provider: &TestProvider, key: &AppKey, id: &str) -> TestResponse {
    let now = provider.now().as_second();
    let assertion = key.sign(&json!({
        "iss": id, "sub": id, "aud": provider.issuer, "exp": now + 60, "iat": now, "jti": id,
    }));
    let fields = [
        ("grant_type", "client_credentials"),
        ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
        ("client_assertion", assertion.as_str()),
    ];
    provider.browser().post("/token", &fields).await
}

pub(crate) async fn serve(mut asked: TcpStream, document: &str) {
    let mut request = Vec::with_capacity(4096);
    while !request.ends_with(b"\r\n\r\n") {
        asked.read_buf(&mut request).await.unwrap();
    }
    let length = document.len();
    // Said, so that no further request is sent on a connection that is about to end.
    let answer =
        format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{document}");
    asked.write_all(answer.as_bytes()).await.unwrap();
    asked.shutdown().await.unwrap();
}

async fn core_10_1_1_clients_that_share_a_slow_jwks_uri_are_all_known_by_their_keys(backend: Backend) {
    let slow = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let place = format!("http://{}/jwks", slow.local_addr().unwrap());
    let key = AppKey::new("ES256", "a");
    let ids: Vec<String> = (0..8).map(|number| format!("service-{number}")).collect();
    let toml: String = ids.iter().map(|id| service(id, &place)).collect();
    let provider = TestProvider::on(&backend).clients(&toml).start().await;
    let document = AppKey::set(&[&key]).to_string();
    let answering = async {
        // All ask before any is answered.
        let mut asked = Vec::new();
        for _ in &ids {
            asked.push(slow.accept().await.unwrap().0);
        }
        join_all(asked.into_iter().map(|stream| serve(stream, &document))).await;
    };
    let (answers, ()) = join(join_all(ids.iter().map(|id| prove(&provider, &key, id))), answering).await;
    for answer in answers {
        assert_eq!(answer.status, 200, "{}", answer.page_summary());
    }
}

async fn core_10_1_1_a_client_whose_keys_are_not_fetched_now_is_told_to_come_back(backend: Backend) {
    let slow = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let place = format!("http://{}/jwks", slow.local_addr().unwrap());
    let key = AppKey::new("ES256", "a");
    let open = TestProvider::on(&backend).set("registration.mode", "\"open\"");
    let provider = open.clients(&service("ours", &place)).start().await;
    let metadata = json!({
        "redirect_uris": ["https://stranger.example/callback"], "jwks_uri": place,
        "token_endpoint_auth_method": "private_key_jwt",
    });
    let mut unknown = Vec::new();
    for _ in 0..5 {
        let registered = crate::registration::register(&provider, &metadata).await;
        unknown.push(registered["client_id"].as_str().unwrap().to_owned());
    }
    let (fifth, four) = unknown.split_last().unwrap();
    let waiting = join_all(four.iter().map(|id| prove(&provider, &key, id)));
    let meanwhile = async {
        let mut held = Vec::new();
        for _ in four {
            held.push(slow.accept().await.unwrap());
        }
        let refused = prove(&provider, &key, fifth).await;
        // Clients of the configuration share nothing with them.
        let document = AppKey::set(&[&key]).to_string();
        let answering = async { serve(slow.accept().await.unwrap().0, &document).await };
        let (ours, ()) = join(prove(&provider, &key, "ours"), answering).await;
        drop(held);
        (refused, ours)
    };
    let (_, (refused, ours)) = join(waiting, meanwhile).await;
    assert_eq!(
        (refused.status, refused.header("retry-after")),
        (503, Some("1")),
        "{}",
        refused.page_summary()
    );
    assert_eq!(ours.status, 200, "{}", ours.page_summary());
}

async fn core_10_2_of_keys_to_encrypt_to_a_network_has_four_fetched_at_once(backend: Backend) {
    let silent = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).await.unwrap();
    let port = silent.local_addr().unwrap().port();
    let provider = TestProvider::on(&backend).set("registration.mode", "\"open\"").start().await;
    let browser = provider.signed_in(ALICE).await;
    let mut asking = Vec::new();
    // No host has its own four.
    for last in [1, 1, 1, 2, 2] {
        let metadata = json!({
            "redirect_uris": ["https://stranger.example/callback"],
            "jwks_uri": format!("http://127.0.0.{last}:{port}/jwks"),
            "userinfo_encrypted_response_alg": "ECDH-ES",
        });
        let client = provider.registered(&crate::registration::register(&provider, &metadata).await);
        let page = client.authorize(&browser, &[]).await;
        let agreed = browser.submit(&page, "/consent", &[("decision", "allow")]).await;
        let tokens = Tokens::of(&client.redeem(&client.code_in(&agreed)).await);
        asking.push((client, tokens.access_token));
    }
    let ((fifth, token), four) = asking.split_last().unwrap();
    let waiting = join_all(four.iter().map(|(client, token)| client.userinfo(token)));
    let meanwhile = async {
        let mut held = Vec::new();
        for _ in four {
            held.push(silent.accept().await.unwrap());
        }
        let refused = tokio::select! {
            answer = fifth.userinfo(token) => answer,
            _ = silent.accept() => panic!("a fifth was fetched"),
        };
        drop(held);
        refused
    };
    let (_, refused) = join(waiting, meanwhile).await;
    assert_eq!((refused.status, refused.error().as_str()), (503, "server_error"));
}
