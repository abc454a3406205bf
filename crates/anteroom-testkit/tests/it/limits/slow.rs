//! What answers slowly is asked by a few at once.

use crate::ALICE;
use anteroom_testkit::{Backend, Documents, TestProvider, on_both_databases};
use futures_util::future::{join, join_all};
use std::net::Ipv4Addr;
use tokio::net::TcpListener;

on_both_databases!(core_6_2_of_slow_request_objects_a_client_has_four_fetched_at_once,);

fn client(id: &str, place: &str) -> String {
    format!(
        "[[clients]]\nclient_id = \"{id}\"\nfirst_party = true\ntoken_endpoint_auth_method = \"none\"\n\
         redirect_uris = [\"https://{id}.example/callback\"]\nrequest_object_signing_alg = \"none\"\n\
         request_uris = [\"{place}\"]\n"
    )
}

async fn core_6_2_of_slow_request_objects_a_client_has_four_fetched_at_once(backend: Backend) {
    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let place = format!("http://{}/request", silent.local_addr().unwrap());
    let document = Documents::start("no request object").await;
    let toml = client("slow", &place) + &client("other", &document.url);
    let provider = TestProvider::on(&backend).clients(&toml).start().await;
    let browser = provider.signed_in(ALICE).await;
    let (slow, other) = (provider.client("slow"), provider.client("other"));
    let by_place = [("request_uri", place.as_str())];
    let waiting = join_all((0..4).map(|_| slow.authorize(&browser, &by_place)));
    let meanwhile = async {
        let mut held = Vec::new();
        for _ in 0..4 {
            held.push(silent.accept().await.unwrap());
        }
        let fifth = slow.authorize(&browser, &by_place).await;
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
