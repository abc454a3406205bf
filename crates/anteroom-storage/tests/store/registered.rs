//! Clients that registered themselves.

use crate::fixtures::{at, digest, write_with};
use crate::support::on_both_databases;
use anteroom_crypto::{Keyring, Random};
use anteroom_oidc::{ClientId, ClientMetadataInput};
use anteroom_storage::{InstanceKind, RegisteredClient, Store, StoreOptions, Sweeps};
use jiff::SignedDuration;
use std::sync::Arc;

on_both_databases!(
    rfc7591_3_registered_clients_come_change_and_go,
    registrations_at_once_are_numbered_in_the_order_in_which_they_are_seen,
);

async fn store(options: &StoreOptions) -> Store {
    let unkeyed = Store::connect(options).await.unwrap();
    unkeyed.init_instance(InstanceKind::Production, at(0)).await.unwrap();
    unkeyed.with_keys(Arc::new(Keyring::for_tests(1)), Random::seeded(1))
}

fn client(id: &str) -> RegisteredClient {
    RegisteredClient {
        client_id: id.parse().unwrap(),
        metadata: ClientMetadataInput { client_name: Some("A".to_owned()), ..Default::default() },
        secret: None,
        registration_token: Some(digest(1)),
        with_initial_token: true,
        created_at: at(0),
        updated_at: at(0),
        deleted_at: None,
        revision: 0,
    }
}

async fn insert(store: &Store, client: &RegisteredClient) -> i64 {
    let inserted = write_with(store, client.clone(), |tx, client| {
        Box::pin(async move {
            let revision = tx.next_clients_revision().await?;
            tx.insert_registered_client(client, revision).await?;
            Ok(revision)
        })
    });
    inserted.await.unwrap()
}

async fn update(store: &Store, client: &RegisteredClient) -> bool {
    let updated = write_with(store, client.clone(), |tx, client| {
        Box::pin(async move {
            let revision = tx.next_clients_revision().await?;
            tx.update_registered_client(client, revision).await
        })
    });
    updated.await.unwrap()
}

async fn delete(store: &Store, id: &ClientId) -> bool {
    let deleted = write_with(store, id.clone(), |tx, id| {
        Box::pin(async move {
            let revision = tx.next_clients_revision().await?;
            tx.delete_registered_client(id, revision, at(0)).await
        })
    });
    deleted.await.unwrap()
}

async fn rfc7591_3_registered_clients_come_change_and_go(options: StoreOptions) {
    let store = store(&options).await;
    let first = client("a");
    let (one, two) = (insert(&store, &first).await, insert(&store, &client("b")).await);
    assert!(one < two);
    let read = store.registered_client(&first.client_id).await.unwrap().unwrap();
    assert_eq!((&read.metadata, read.registration_token), (&first.metadata, first.registration_token));
    assert!(read.with_initial_token);
    let renamed = RegisteredClient {
        metadata: ClientMetadataInput { client_name: Some("B".to_owned()), ..Default::default() },
        secret: Some(digest(2)),
        ..read.clone()
    };
    assert!(update(&store, &renamed).await);
    assert!(!update(&store, &renamed).await, "what it was read as is out of date");
    let since: Vec<_> = store.registered_clients_since(two).await.unwrap();
    assert_eq!(since.len(), 1);
    assert_eq!((since[0].metadata.client_name.as_deref(), since[0].secret), (Some("B"), renamed.secret));
    assert!(delete(&store, &first.client_id).await);
    assert!(!delete(&store, &first.client_id).await);
    assert!(!update(&store, &since[0]).await);
    assert!(store.registered_client(&first.client_id).await.unwrap().is_none());
    assert_eq!(store.count_registered_clients().await.unwrap(), 1);
    let gone = store.registered_clients_since(since[0].revision).await.unwrap();
    assert_eq!(gone[0].metadata, ClientMetadataInput::default());
    assert!(gone[0].deleted_at.is_some() && gone[0].registration_token.is_none() && gone[0].secret.is_none());
    store.sweep(at(0) + SignedDuration::from_hours(25), 100, Sweeps::ALL).await.unwrap();
    assert_eq!(store.registered_clients_since(0).await.unwrap().len(), 1);
}

async fn registrations_at_once_are_numbered_in_the_order_in_which_they_are_seen(options: StoreOptions) {
    let store = store(&options).await;
    let follower = store.clone();
    let follow = tokio::spawn(async move {
        let (mut seen, mut found) = (0, 0);
        while found < 20 {
            for client in follower.registered_clients_since(seen).await.unwrap() {
                seen = client.revision;
                found += 1;
            }
            tokio::task::yield_now().await;
        }
    });
    let registrations: Vec<_> = (0..20)
        .map(|number| {
            let store = store.clone();
            tokio::spawn(async move { insert(&store, &client(&format!("client-{number}"))).await })
        })
        .collect();
    for registration in registrations {
        registration.await.unwrap();
    }
    tokio::time::timeout(std::time::Duration::from_secs(20), follow).await.unwrap().unwrap();
}
