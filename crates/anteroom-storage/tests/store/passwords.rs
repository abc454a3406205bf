//! A new password, and what ends with the old one.

use crate::fixtures::*;
use crate::support::on_both_databases;
use anteroom_domain::grant::GrantEnd;
use anteroom_domain::lockout::{FailureCounters, Lockout};
use anteroom_domain::next_step::NewPasswordReason;
use anteroom_domain::password::PasswordFacts;
use anteroom_domain::password_text::PasswordForm;
use anteroom_storage::{Credential, Store, StoreError, StoreOptions};

on_both_databases!(
    old_passwords_are_remembered_newest_first,
    passwords_that_are_not_remembered_any_more_are_deleted_in_batches,
    a_new_password_leaves_as_many_old_ones_as_are_remembered,
    a_reset_lifts_the_lock_and_forgets_devices_of_the_password_alone,
    every_grant_of_the_account_ends_and_no_other,
);

async fn old_passwords_are_remembered_newest_first(options: StoreOptions) {
    let store = store_with(&options, [1, 2]).await;
    for pepper in 2..5_u8 {
        let write = store.write(move |tx| async move {
            let facts = PasswordFacts { set_at: at(i64::from(pepper)), jitter_days: 1 };
            let form = (pepper > 2).then_some(PasswordForm::OpaqueString);
            let new = Credential { hash: hash(pepper), form, facts };
            tx.set_password(account_id(1), &new, message_id(pepper).0, 10, at(i64::from(pepper))).await
        });
        write.await.unwrap();
    }
    let current = store.credential(account_id(1)).await.unwrap().unwrap();
    assert_eq!((current.hash.encode(), current.facts.set_at), (hash(4).encode(), at(4)));
    let history = store.password_history(account_id(1), 10).await.unwrap();
    let history: Vec<_> = history.iter().map(|old| (old.hash.encode(), old.form)).collect();
    let normalized = Some(PasswordForm::OpaqueString);
    assert_eq!(
        history,
        [(3, normalized), (2, None), (1, None)].map(|(pepper, form)| (hash(pepper).encode(), form))
    );
    assert_eq!(current.form, normalized);
    assert_eq!(store.password_history(account_id(1), 2).await.unwrap().len(), 2);
    assert!(store.password_history(account_id(2), 10).await.unwrap().is_empty());
}

/// Sets passwords of the account one after another; the first that is replaced is that of the fixture.
async fn replace(store: &Store, account: u8, peppers: std::ops::Range<u8>, remembered: u16) {
    for pepper in peppers {
        let write = store.write(move |tx| async move {
            let facts = PasswordFacts { set_at: at(i64::from(pepper)), jitter_days: 0 };
            let new = Credential { hash: hash(pepper), form: None, facts };
            let retired = message_id(account * 40 + pepper).0;
            tx.set_password(account_id(account), &new, retired, remembered, at(i64::from(pepper))).await
        });
        write.await.unwrap();
    }
}

async fn left(store: &Store, account: u8) -> Vec<String> {
    let history = store.password_history(account_id(account), 100).await.unwrap();
    history.iter().map(|old| old.hash.encode()).collect()
}

async fn passwords_that_are_not_remembered_any_more_are_deleted_in_batches(options: StoreOptions) {
    let store = store_with(&options, [1, 2]).await;
    replace(&store, 1, 2..8, 24).await;
    replace(&store, 2, 2..4, 24).await;
    let newest = |peppers: &[u8]| peppers.iter().map(|pepper| hash(*pepper).encode()).collect::<Vec<_>>();
    assert_eq!(store.sweep_old_passwords(6, 100).await.unwrap(), 0);
    assert_eq!(store.sweep_old_passwords(2, 3).await.unwrap(), 3);
    assert_eq!(store.sweep_old_passwords(2, 3).await.unwrap(), 1);
    assert_eq!(left(&store, 1).await, newest(&[6, 5]));
    assert_eq!(left(&store, 2).await, newest(&[2, 1]), "an account is counted by itself");
    assert_eq!(store.sweep_old_passwords(0, 100).await.unwrap(), 4);
    assert_eq!((left(&store, 1).await, left(&store, 2).await), (Vec::new(), Vec::new()));
    assert_eq!(store.credential(account_id(1)).await.unwrap().unwrap().hash.encode(), hash(7).encode());
}

async fn a_new_password_leaves_as_many_old_ones_as_are_remembered(options: StoreOptions) {
    let store = store_with(&options, [1, 2]).await;
    let newest = |peppers: &[u8]| peppers.iter().map(|pepper| hash(*pepper).encode()).collect::<Vec<_>>();
    replace(&store, 2, 2..5, 24).await;
    for (peppers, remembered, expected) in [(2..6, 2, &[4, 3][..]), (6..7, 24, &[5, 4, 3]), (7..8, 0, &[])] {
        replace(&store, 1, peppers, remembered).await;
        assert_eq!(left(&store, 1).await, newest(expected), "{remembered}");
    }
    assert_eq!(left(&store, 2).await, newest(&[3, 2, 1]), "those of another account");
}

async fn a_reset_lifts_the_lock_and_forgets_devices_of_the_password_alone(options: StoreOptions) {
    let store = store_with(&options, [1, 2]).await;
    let write = store.write(|tx| async move {
        for (number, account) in [(1, 1), (2, 1), (3, 2), (4, 1), (5, 1)] {
            tx.insert_device(&device(number, account)).await?;
        }
        let lockout = Lockout {
            unknown_failures: 6,
            unknown_locked_at: Some(at(1)),
            locked_at: Some(at(2)),
            earlier_failures: 6,
        };
        for account in [1, 2] {
            tx.save_counters(account_id(account), &FailureCounters { lockout, device: None }).await?;
        }
        let facts = PasswordFacts { set_at: at(9), jitter_days: 0 };
        let new = Credential { hash: hash(2), form: None, facts };
        tx.set_password(account_id(1), &new, message_id(1).0, 10, at(9)).await?;
        // Of the counters, those of the known devices are for one password: a new one by choice begins them anew as well.
        let changed = tx.lock_account(account_id(1)).await?.unwrap();
        assert_eq!(changed.account.lockout, Lockout { earlier_failures: 0, ..lockout });
        assert_eq!(tx.device(device_id(4)).await?.unwrap().failures, 0);
        tx.lift_locks(account_id(1)).await?;
        tx.revoke_other_devices(account_id(1), device_id(5), at(9)).await?;
        tx.record_reset(account_id(1), device_id(5), at(9)).await?;
        let locked = tx.lock_account(account_id(1)).await?.unwrap();
        assert_eq!(locked.account.lockout, Lockout::default());
        let other = tx.lock_account(account_id(2)).await?.unwrap();
        assert_eq!(other.account.lockout, lockout);
        Ok::<_, StoreError>(())
    });
    write.await.unwrap();
    for number in [1, 2, 4, 5] {
        let before = device(number, 1);
        let now = store.device(device_id(number)).await.unwrap();
        let stays = before.stays_known(device_id(5), NewPasswordReason::Recovery);
        assert_eq!(now.is_some(), stays, "{number}");
        let Some(now) = now else { continue };
        assert!(now.failures == 0 && !now.passed_second_factor(), "{now:?}");
    }
    let others = store.device(device_id(3)).await.unwrap().unwrap();
    assert_eq!(others, device(3, 2));
    // What had passed before keeps that where the reset is completed.
    let write = store.write(|tx| async move {
        tx.record_second_factor(account_id(1), device_id(2), at(10)).await?;
        tx.record_reset(account_id(1), device_id(2), at(11)).await
    });
    write.await.unwrap();
    assert!(store.device(device_id(2)).await.unwrap().unwrap().passed_second_factor());
}

async fn every_grant_of_the_account_ends_and_no_other(options: StoreOptions) {
    let store = store_with(&options, [1, 2]).await;
    let write = store.write(|tx| async move {
        tx.insert_session(&session(1, 1), &digest(1)).await?;
        tx.insert_session(&session(2, 2), &digest(2)).await?;
        for (number, account) in [(1, 1), (2, 1), (3, 2)] {
            tx.insert_grant(&grant(number, account, account, "openid offline_access"), at(900)).await?;
        }
        let ended = tx.revoke_grants_of_account(account_id(1), GrantEnd::PasswordChanged, at(9)).await?;
        let again = tx.revoke_grants_of_account(account_id(1), GrantEnd::PasswordChanged, at(10)).await?;
        assert!(tx.grants_of_account(account_id(1)).await?.is_empty());
        assert_eq!(tx.grants_of_account(account_id(2)).await?.len(), 1);
        Ok::<_, StoreError>((ended, again))
    });
    assert_eq!(write.await.unwrap(), (2, 0));
}
