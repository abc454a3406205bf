//! What the provider fetches of applications, over TLS: with a certificate of the authority that the operator named, and with
//! no other. (Those that the system trusts count besides, outside of development.)

use anteroom_flows::context::outgoing::{FetchKind, FetchRequest, NetworkPolicy, Outgoing, OutgoingError};

use crate::practice::{HOST, Practice};

#[tokio::test]
async fn an_application_with_a_certificate_of_the_operators_authority_is_reached_and_no_other() {
    let practice = Practice::new();
    practice.issue(&[HOST, "localhost"]).write(&practice);
    let running = practice.serve().await;
    let url = format!("https://localhost:{}/healthz", running.address.port()).parse().unwrap();
    let get = async |authority: Option<&str>| {
        let fetch = FetchRequest { what: FetchKind::Keys, shares: Vec::new() };
        Outgoing::new(NetworkPolicy::Loopback, authority).unwrap().get(&url, 100, fetch).await
    };
    get(Some(practice.root())).await.unwrap();
    let other = Practice::new();
    for authority in [None, Some(other.root())] {
        assert!(matches!(get(authority).await, Err(OutgoingError::NoAnswer(_, _))));
    }
    let error = get(Some(other.root())).await.unwrap_err().to_string();
    assert!(error.contains("invalid peer certificate") && error.contains("outgoing.ca_file"), "{error}");
    running.stop().await;
}
