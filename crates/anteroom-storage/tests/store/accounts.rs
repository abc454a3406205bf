use crate::fixtures::*;
use crate::support::on_both_databases;
use anteroom_domain::account::{AccountEpoch, AccountStatus, GroupName};
use anteroom_domain::ids::AuthenticatorAppId;
use anteroom_domain::lockout::{FailureCounters, Lockout, LockoutPolicy};
use anteroom_domain::totp::{AuthenticatorApp, TimeStep};
use anteroom_storage::{FirstCode, InsertAccountError, NewAccount, StoreError, StoreOptions};

on_both_databases!(
    a_new_account_is_read_as_it_was_written,
    a_taken_address_is_refused_and_leaves_nothing,
    trap_2_sixty_parallel_failures_are_all_counted,
    status_epoch_and_groups_change_once,
    a_hash_is_replaced_only_if_it_is_still_the_same,
    rfc6238_5_2_of_two_codes_the_later_step_alone_is_taken,
);

async fn a_new_account_is_read_as_it_was_written(options: StoreOptions) {
    let store = store_with(&options, [1]).await;
    let account = store.account(account_id(1)).await.unwrap().unwrap();
    let written = new_account(1);
    assert_eq!(account.status, AccountStatus::Active);
    assert_eq!(account.epoch, AccountEpoch(0));
    assert_eq!(account.profile, written.profile);
    assert_eq!(account.primary_address, written.primary_address.address);
    assert!(account.address_verified);
    assert_eq!(account.phone.unwrap().0, "+12025550111");
    assert_eq!(account.groups, written.groups);
    assert_eq!(account.lockout, Lockout::default());
    assert_eq!((account.created_at, account.updated_at), (at(0), at(0)));
    let facts = store.password_facts(account_id(1)).await.unwrap();
    assert_eq!(facts, written.credential.map(|credential| credential.facts));
}

async fn a_taken_address_is_refused_and_leaves_nothing(options: StoreOptions) {
    let store = store_with(&options, [1]).await;
    let refused = store.write(|tx| async move {
        // Another spelling of an address that is not the primary one.
        let mut new = NewAccount { other_addresses: Vec::new(), ..new_account(2) };
        new.primary_address.address = "oTHER1@demo.example".to_owned().try_into().unwrap();
        tx.insert_account(&new).await
    });
    assert_eq!(refused.await, Err(InsertAccountError::AddressTaken));
    assert_eq!(store.account(account_id(2)).await.unwrap(), None);
    assert_eq!(store.accounts(None, 10).await.unwrap().len(), 1);
}

async fn trap_2_sixty_parallel_failures_are_all_counted(options: StoreOptions) {
    const POLICY: LockoutPolicy = LockoutPolicy { forgiven_failures: 5, known_devices_count_apart: true };
    let store = store_with(&options, [1]).await;
    store.write(|tx| async move { tx.insert_device(&device(1, 1)).await }).await.unwrap();
    let failures: Vec<_> = (0..60)
        .map(|number| {
            let store = store.clone();
            let failure = async move {
                let unit = store.write(move |tx| async move {
                    let locked = tx.lock_account(account_id(1)).await?.unwrap();
                    let device = tx.device(device_id(1)).await?.filter(|_| number % 2 == 0);
                    let device = device.map(|device| device.counter(AccountEpoch(0)));
                    let (counters, _) =
                        FailureCounters::new(locked.account.lockout, device, POLICY).failed(POLICY, at(9));
                    tx.save_counters(account_id(1), &counters).await
                });
                unit.await
            };
            tokio::spawn(failure)
        })
        .collect();
    for failure in failures {
        failure.await.unwrap().unwrap();
    }
    let lockout = store.account(account_id(1)).await.unwrap().unwrap().lockout;
    assert_eq!(lockout.unknown_failures, 30);
    assert!(lockout.unknown_locked_at.is_some() && lockout.locked_at.is_some());
    // One failure it began with.
    assert_eq!(store.device(device_id(1)).await.unwrap().unwrap().failures, 31);
}

async fn status_epoch_and_groups_change_once(options: StoreOptions) {
    let store = store_with(&options, [1]).await;
    let unit = store.write(|tx| async move {
        let billing = GroupName::parse("billing").unwrap();
        let staff = GroupName::parse("staff").unwrap();
        assert!(tx.add_group(account_id(1), &billing).await?);
        assert!(!tx.add_group(account_id(1), &billing).await?);
        assert!(tx.remove_group(account_id(1), &staff).await?);
        assert!(!tx.remove_group(account_id(1), &staff).await?);
        assert_eq!(tx.raise_epoch(account_id(1)).await?, Some(AccountEpoch(1)));
        assert_eq!(tx.raise_epoch(account_id(1)).await?, Some(AccountEpoch(2)));
        assert_eq!(tx.raise_epoch(account_id(9)).await?, None);
        tx.set_status(account_id(1), AccountStatus::Disabled, at(50)).await?;
        Ok::<_, StoreError>(())
    });
    unit.await.unwrap();
    let account = store.account(account_id(1)).await.unwrap().unwrap();
    assert_eq!(account.groups, groups(["billing", "front-desk"]));
    assert_eq!((account.status, account.epoch), (AccountStatus::Disabled, AccountEpoch(2)));
    assert_eq!((account.created_at, account.updated_at), (at(0), at(50)));
}

async fn a_hash_is_replaced_only_if_it_is_still_the_same(options: StoreOptions) {
    let store = store_with(&options, [1]).await;
    let before = store.password_facts(account_id(1)).await.unwrap();
    let unit = store.write(|tx| async move {
        assert!(tx.replace_hash(account_id(1), &hash(1), &hash(2)).await?);
        assert!(!tx.replace_hash(account_id(1), &hash(1), &hash(3)).await?);
        assert!(!tx.replace_hash(account_id(9), &hash(1), &hash(3)).await?);
        Ok::<_, StoreError>(())
    });
    unit.await.unwrap();
    let view = store.sign_in_view(&address(1).folded(), &[]).await.unwrap().unwrap();
    assert_eq!(view.credential.unwrap().hash.encode(), hash(2).encode());
    assert_eq!(store.password_facts(account_id(1)).await.unwrap(), before);
}

async fn rfc6238_5_2_of_two_codes_the_later_step_alone_is_taken(options: StoreOptions) {
    let store = store_with(&options, [1, 2]).await;
    let app = |n: u128, created| AuthenticatorApp {
        id: AuthenticatorAppId(uuid::Uuid::from_u128(n)),
        account: account_id(1),
        secret_sealed: vec![1, 2, 3],
        confirmed_at: None,
        usable_from: at(created),
        last_step: None,
        created_at: at(created),
    };
    let (given_up, kept) = (app(1, 10), app(2, 20));
    let id = kept.id;
    let written = write_with(&store, (given_up, kept), |tx, (given_up, kept)| {
        Box::pin(async move {
            let (first, id) = (given_up.id, kept.id);
            let code = |step, usable_from| FirstCode {
                step: TimeStep(step),
                at: at(30),
                usable_from: at(usable_from),
            };
            tx.begin_app(given_up).await?;
            tx.begin_app(kept).await?;
            assert!(!tx.use_step(id, TimeStep(5), at(29)).await?, "it was not confirmed yet");
            assert!(!tx.confirm_app(account_id(1), first, code(5, 30)).await?, "another was begun since");
            assert!(tx.confirm_app(account_id(1), id, code(5, 40)).await?);
            assert!(!tx.confirm_app(account_id(1), id, code(6, 40)).await?);
            for (step, taken) in [(5, false), (4, false), (6, true), (6, false), (8, true), (7, false)] {
                assert_eq!(tx.use_step(id, TimeStep(step), at(50)).await?, taken, "{step}");
            }
            Ok(())
        })
    });
    written.await.unwrap();
    let apps = store.apps_of(account_id(1)).await.unwrap();
    assert_eq!(apps.iter().map(|app| (app.id, app.last_step)).collect::<Vec<_>>(), [(id, Some(TimeStep(8)))]);
    assert_eq!(
        apps.iter().map(|app| [at(39), at(40)].map(|now| app.is_usable(now))).collect::<Vec<_>>(),
        [[false, true]]
    );
    let unit = store.write(move |tx| async move {
        assert!(!tx.remove_app(account_id(2), id, at(60)).await?, "somebody else's");
        assert!(tx.remove_app(account_id(1), id, at(60)).await?);
        assert!(!tx.remove_app(account_id(1), id, at(60)).await?);
        Ok::<_, StoreError>(())
    });
    unit.await.unwrap();
}
