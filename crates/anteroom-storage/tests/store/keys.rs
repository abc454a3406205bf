use crate::fixtures::*;
use crate::support::on_both_databases;
use anteroom_crypto::{KeyPurpose, Keyring, MasterKey, Random, SealedKey};
use anteroom_storage::{EncryptionKeyRow, InstanceKind, SigningKeyRow, Store, StoreError, StoreOptions};

on_both_databases!(
    two_nodes_that_start_at_once_end_with_the_same_keys,
    keys_can_be_sealed_again,
    signing_keys_come_and_go,
    encryption_keys_come_and_go,
    a_token_is_revoked_and_an_assertion_used_once,
);

async fn two_nodes_that_start_at_once_end_with_the_same_keys(options: StoreOptions) {
    let master = MasterKey::generate(&Random::seeded(7)).encode();
    let nodes: Vec<_> = (0..2_u64)
        .map(|seed| {
            let (options, master) = (options.clone(), master.clone());
            tokio::spawn(async move {
                let master = MasterKey::parse(secrecy::ExposeSecret::expose_secret(&master)).unwrap();
                let store = Store::connect(&options).await.unwrap();
                let there = store.sealed_keys().await.unwrap();
                let missing = Keyring::generate_missing(&master, &there, &Random::seeded(seed), 0);
                let keys = store.insert_sealed_keys(&missing).await.unwrap();
                Keyring::open(&master, &keys).unwrap();
                keys
            })
        })
        .collect();
    let mut seen = Vec::new();
    for node in nodes {
        seen.push(node.await.unwrap());
    }
    assert_eq!(seen[0], seen[1]);
    assert_eq!(seen[0].len(), KeyPurpose::ALL.len());
}

async fn keys_can_be_sealed_again(options: StoreOptions) {
    let (old, new) = (MasterKey::generate(&Random::seeded(7)), MasterKey::generate(&Random::seeded(8)));
    let store = store(&options).await;
    let keys = Keyring::generate_missing(&old, &[], &Random::seeded(9), 0);
    let resealed = Keyring::reseal(&old, &new, &keys, &Random::seeded(10)).unwrap();
    let replaced = write_with(&store, (keys, resealed), |tx, (keys, resealed)| {
        Box::pin(async move {
            tx.insert_sealed_keys(keys).await?;
            tx.replace_sealed_keys(resealed).await
        })
    });
    replaced.await.unwrap();
    let keys: Vec<SealedKey> = store.sealed_keys().await.unwrap();
    assert!(Keyring::open(&new, &keys).is_ok());
    assert!(Keyring::open(&old, &keys).is_err());
}

fn signing_key(kid: &str, from: i64) -> SigningKeyRow {
    SigningKeyRow {
        kid: kid.to_owned(),
        algorithm: "ES256".to_owned(),
        public_jwk: "{}".to_owned(),
        private_sealed: vec![1, 2, 3],
        created_at: at(0),
        signs_from: at(from),
        signs_until: None,
        published_until: None,
    }
}

async fn signing_keys_come_and_go(options: StoreOptions) {
    Store::connect(&options).await.unwrap().init_instance(InstanceKind::Demo, at(0)).await.unwrap();
    let store = store(&options).await;
    let before = store.keys_version().await.unwrap();
    let unit = store.write(|tx| async move {
        tx.insert_signing_key(signing_key("second", 50)).await?;
        tx.insert_signing_key(signing_key("first", 0)).await?;
        tx.retire_signing_key("first", at(50), at(100)).await
    });
    let changed: Result<(), StoreError> = unit.await;
    changed.unwrap();
    let retired = SigningKeyRow {
        signs_until: Some(at(50)),
        published_until: Some(at(100)),
        ..signing_key("first", 0)
    };
    assert_eq!(store.signing_keys().await.unwrap(), [retired, signing_key("second", 50)]);
    assert!(store.keys_version().await.unwrap() > before);
}

async fn encryption_keys_come_and_go(options: StoreOptions) {
    Store::connect(&options).await.unwrap().init_instance(InstanceKind::Demo, at(0)).await.unwrap();
    let key = |kid: &str, from: i64| EncryptionKeyRow {
        kid: kid.to_owned(),
        kind: "RSA".to_owned(),
        private_sealed: vec![1, 2, 3],
        created_at: at(0),
        published_from: at(from),
        published_until: None,
        decrypts_until: None,
    };
    let store = store(&options).await;
    let before = store.keys_version().await.unwrap();
    let unit = store.write(move |tx| async move {
        tx.insert_encryption_key(key("second", 50)).await?;
        tx.insert_encryption_key(key("first", 0)).await?;
        tx.retire_encryption_key("first", at(50), at(100)).await
    });
    let changed: Result<(), StoreError> = unit.await;
    changed.unwrap();
    let retired =
        EncryptionKeyRow { published_until: Some(at(50)), decrypts_until: Some(at(100)), ..key("first", 0) };
    assert_eq!(store.encryption_keys().await.unwrap(), [retired, key("second", 50)]);
    assert!(store.keys_version().await.unwrap() > before);
    // Signing keys are found by algorithm, and these are none.
    assert!(store.signing_keys().await.unwrap().is_empty());
}

async fn a_token_is_revoked_and_an_assertion_used_once(options: StoreOptions) {
    let store = store(&options).await;
    assert!(!store.is_revoked("jti-1").await.unwrap());
    let unit = store.write(|tx| async move {
        tx.revoke_jti("jti-1", at(10)).await?;
        tx.revoke_jti("jti-1", at(20)).await?;
        let (one, other) = ("client-1".parse().unwrap(), "client-2".parse().unwrap());
        assert!(tx.use_assertion(&one, "a", at(10)).await?);
        assert!(!tx.use_assertion(&one, "a", at(10)).await?);
        assert!(tx.use_assertion(&other, "a", at(10)).await?);
        assert!(tx.use_assertion(&one, "b", at(10)).await?);
        Ok::<_, StoreError>(())
    });
    unit.await.unwrap();
    assert!(store.is_revoked("jti-1").await.unwrap());
}
