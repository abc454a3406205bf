//! The clients of the configuration, and the grants that end with a change of it.

use crate::fixtures::*;
use crate::support::on_both_databases;
use anteroom_domain::grant::Grant;
use anteroom_domain::subject::SubjectNamespace;
use anteroom_storage::{ConfiguredClient, Store, StoreOptions};

on_both_databases!(
    a_configured_client_is_forgotten_only_if_no_node_has_seen_it_since,
    grants_of_other_subjects_end_and_those_of_the_same_stay,
);

async fn seen_at(store: &Store, number: u8) -> Option<jiff::Timestamp> {
    let rows = store.configured_clients().await.unwrap();
    rows.into_iter().find(|row| row.client == client_id(number)).map(|row| row.seen_at)
}

async fn a_configured_client_is_forgotten_only_if_no_node_has_seen_it_since(options: StoreOptions) {
    let store = store(&options).await;
    let noted = |subjects: Option<SubjectNamespace>, seconds| ConfiguredClient {
        client: client_id(1),
        subjects,
        seen_at: at(seconds),
    };
    let sector = SubjectNamespace::Pairwise("lab.example".to_owned());
    for row in [noted(None, 0), noted(Some(SubjectNamespace::Public), 1), noted(Some(sector), 2)] {
        let noted = write_with(&store, row.clone(), |tx, row| Box::pin(tx.note_configured_client(row)));
        noted.await.unwrap();
        assert_eq!(store.configured_clients().await.unwrap(), [row]);
    }
    let touch = |before, now| {
        store.write(move |tx| async move {
            tx.touch_configured_clients(&[client_id(1), client_id(2)], at(before), at(now)).await
        })
    };
    touch(1, 50).await.unwrap();
    assert_eq!(seen_at(&store, 1).await, Some(at(2)), "seen a moment ago");
    touch(2, 60).await.unwrap();
    assert_eq!((seen_at(&store, 1).await, seen_at(&store, 2).await), (Some(at(60)), None));
    let forget = |before| {
        store.write(move |tx| async move { tx.delete_configured_client(&client_id(1), at(before)).await })
    };
    assert!(!forget(59).await.unwrap());
    assert!(forget(60).await.unwrap());
    assert!(!forget(60).await.unwrap());
}

async fn grants_of_other_subjects_end_and_those_of_the_same_stay(options: StoreOptions) {
    let store = store_with(&options, [1]).await;
    let lab = SubjectNamespace::Pairwise("lab.example".to_owned());
    let kinds = [(1, Some(SubjectNamespace::Public)), (2, Some(lab.clone())), (3, None)];
    let grants =
        kinds.map(|(id, subjects)| Grant { subjects, client: client_id(1), ..grant(id, 1, 1, "openid") });
    let ended = write_with(&store, (grants, lab), |tx, (grants, lab)| {
        Box::pin(async move {
            tx.insert_session(&session(1, 1), &digest(1)).await?;
            for grant in grants {
                tx.insert_grant(grant, at(2000)).await?;
            }
            let other = Grant { subjects: None, ..grant(5, 1, 1, "openid") };
            tx.insert_grant(&other, at(2000)).await?;
            tx.revoke_grants_of_other_subjects(&client_id(1), lab, at(9)).await
        })
    });
    assert_eq!(ended.await, Ok(2));
    for (number, ends) in [(1, true), (2, false), (3, true), (5, false)] {
        let record = store.grant_with_context(grant_id(number)).await.unwrap().unwrap();
        assert_eq!(record.grant.revoked_at.is_some(), ends, "{number}");
    }
}
