use crate::fixtures::*;
use crate::support::on_both_databases;
use anteroom_domain::account::AccountStatus;
use anteroom_domain::grant::GrantEnd;
use anteroom_domain::refresh::RefreshFamily;
use anteroom_domain::session::SessionEnd;
use anteroom_storage::{InsertGrantResult, Store, StoreError, StoreOptions};

on_both_databases!(
    rfc6749_4_1_2_a_code_is_redeemed_once_however_many_try,
    a_code_is_not_redeemed_into_a_world_that_has_changed,
    rfc6749_6_a_generation_is_spent_once_however_many_try,
    a_successor_is_repeated_three_times_however_many_ask,
    a_family_does_not_outlive_its_grant_or_the_epoch,
    a_grant_is_revoked_once,
    the_end_of_a_session_spares_offline_access,
);

async fn signed_in(options: &StoreOptions) -> Store {
    let store = store_with(options, [1, 2]).await;
    let unit = store.write(|tx| async move {
        tx.insert_session(&session(1, 1), &digest(1)).await?;
        tx.insert_session(&session(2, 1), &digest(2)).await?;
        tx.insert_session(&session(3, 2), &digest(3)).await
    });
    unit.await.unwrap();
    store
}

async fn insert(
    store: &Store,
    number: u8,
    account: u8,
    session: u8,
    scope: &'static str,
) -> InsertGrantResult {
    let unit = store.write(move |tx| async move {
        tx.insert_grant(&grant(number, account, session, scope), at(2000)).await
    });
    let inserted: Result<_, StoreError> = unit.await;
    inserted.unwrap()
}

async fn rfc6749_4_1_2_a_code_is_redeemed_once_however_many_try(options: StoreOptions) {
    let store = signed_in(&options).await;
    let tries: Vec<_> = (0..20)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move { insert(&store, 1, 1, 1, "openid").await })
        })
        .collect();
    let mut answers = Vec::new();
    for one in tries {
        answers.push(one.await.unwrap());
    }
    assert_eq!(answers.iter().filter(|answer| **answer == InsertGrantResult::Inserted).count(), 1);
    assert_eq!(answers.iter().filter(|answer| **answer == InsertGrantResult::AlreadyThere).count(), 19);
    let record = store.grant_with_context(grant_id(1)).await.unwrap().unwrap();
    assert_eq!(record.grant, grant(1, 1, 1, "openid"));
}

async fn a_code_is_not_redeemed_into_a_world_that_has_changed(options: StoreOptions) {
    let store = signed_in(&options).await;
    // Another account's session, an account that is not there, no session at all.
    for (account, session) in [(1, 3), (9, 1), (1, 9)] {
        assert_eq!(
            insert(&store, 1, account, session, "openid").await,
            InsertGrantResult::AccountOrSessionChanged
        );
    }
    store
        .write(|tx| async move { tx.end_sessions(&[session_id(2)], SessionEnd::SignedOut, at(9)).await })
        .await
        .unwrap();
    assert_eq!(insert(&store, 1, 1, 2, "openid").await, InsertGrantResult::AccountOrSessionChanged);
    store
        .write(|tx| async move { tx.set_status(account_id(2), AccountStatus::Disabled, at(9)).await })
        .await
        .unwrap();
    assert_eq!(insert(&store, 1, 2, 3, "openid").await, InsertGrantResult::AccountOrSessionChanged);
    store.write(|tx| async move { tx.raise_epoch(account_id(1)).await }).await.unwrap();
    assert_eq!(insert(&store, 1, 1, 1, "openid").await, InsertGrantResult::AccountOrSessionChanged);
    assert!(store.grant_with_context(grant_id(1)).await.unwrap().is_none());
}

async fn with_family(options: &StoreOptions, grants: u8) -> Store {
    let store = signed_in(options).await;
    for number in 1..=grants {
        assert_eq!(insert(&store, number, 1, 1, "openid offline_access").await, InsertGrantResult::Inserted);
        store.write(move |tx| async move { tx.insert_family(&family(number)).await }).await.unwrap();
    }
    store
}

async fn rotate(store: &Store, number: u8, from: u32) -> bool {
    let next = RefreshFamily {
        generation: from + 1,
        rotated_at: at(50),
        idle_expires_at: at(1500),
        ..family(number)
    };
    let rotated: Result<_, StoreError> =
        store.write(move |tx| async move { tx.rotate_family(&next, from).await }).await;
    rotated.unwrap()
}

async fn rfc6749_6_a_generation_is_spent_once_however_many_try(options: StoreOptions) {
    let store = with_family(&options, 1).await;
    for generation in 0..3 {
        let tries: Vec<_> = (0..10)
            .map(|_| {
                let store = store.clone();
                tokio::spawn(async move { rotate(&store, 1, generation).await })
            })
            .collect();
        let mut rotated = 0;
        for one in tries {
            rotated += u32::from(one.await.unwrap());
        }
        assert_eq!(rotated, 1);
    }
    let family = store.grant_with_context(grant_id(1)).await.unwrap().unwrap().family.unwrap();
    assert_eq!((family.generation, family.rotated_at, family.idle_expires_at), (3, at(50), at(1500)));
}

async fn a_successor_is_repeated_three_times_however_many_ask(options: StoreOptions) {
    let store = with_family(&options, 1).await;
    assert!(rotate(&store, 1, 0).await);
    let repeat = |generation| {
        let (store, family) = (store.clone(), RefreshFamily { generation, ..family(1) });
        tokio::spawn(async move {
            let counted: Result<_, StoreError> =
                store.write(move |tx| async move { tx.repeat_family(&family, 3).await }).await;
            counted.unwrap()
        })
    };
    let mut counted = Vec::new();
    for one in (0..10).map(|_| repeat(1)).collect::<Vec<_>>() {
        counted.extend(one.await.unwrap());
    }
    counted.sort_unstable();
    assert_eq!(counted, [1, 2, 3]);
    assert_eq!(repeat(0).await.unwrap(), None);
    let family = store.grant_with_context(grant_id(1)).await.unwrap().unwrap().family.unwrap();
    assert_eq!((family.generation, family.repeats), (1, 3));
    assert!(rotate(&store, 1, 1).await);
    let family = store.grant_with_context(grant_id(1)).await.unwrap().unwrap().family.unwrap();
    assert_eq!((family.generation, family.repeats), (2, 0));
}

async fn a_family_does_not_outlive_its_grant_or_the_epoch(options: StoreOptions) {
    let store = with_family(&options, 2).await;
    store
        .write(|tx| async move { tx.revoke_grant(grant_id(1), GrantEnd::RefreshReplayed, at(9)).await })
        .await
        .unwrap();
    assert!(!rotate(&store, 1, 0).await);
    assert!(rotate(&store, 2, 0).await);
    store.write(|tx| async move { tx.raise_epoch(account_id(1)).await }).await.unwrap();
    assert!(!rotate(&store, 2, 1).await);
    assert!(!rotate(&store, 9, 0).await);
}

async fn a_grant_is_revoked_once(options: StoreOptions) {
    let store = with_family(&options, 1).await;
    for (end, now, revoked) in
        [(GrantEnd::CodeReplayed, at(9), true), (GrantEnd::ClientRevoked, at(10), false)]
    {
        let answer: Result<_, StoreError> =
            store.write(move |tx| async move { tx.revoke_grant(grant_id(1), end, now).await }).await;
        assert_eq!(answer, Ok(revoked));
    }
    let record = store.grant_with_context(grant_id(1)).await.unwrap().unwrap();
    assert_eq!(record.grant.revoked_at, Some(at(9)));
}

async fn the_end_of_a_session_spares_offline_access(options: StoreOptions) {
    let store = signed_in(&options).await;
    for (number, session, scope) in
        [(1, 1, "openid"), (2, 1, "openid offline_access"), (3, 1, "openid"), (4, 2, "openid")]
    {
        insert(&store, number, 1, session, scope).await;
    }
    for (only_online, count) in [(true, 2), (true, 0), (false, 1)] {
        let unit = store.write(move |tx| async move {
            tx.revoke_grants_of_sessions(&[session_id(1)], only_online, GrantEnd::SessionEnded, at(9)).await
        });
        let revoked: Result<_, StoreError> = unit.await;
        assert_eq!(revoked, Ok(count));
    }
    assert_eq!(store.grant_with_context(grant_id(4)).await.unwrap().unwrap().grant.revoked_at, None);
}
