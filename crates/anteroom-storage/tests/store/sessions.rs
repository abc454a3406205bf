use crate::fixtures::*;
use crate::support::on_both_databases;
use anteroom_domain::account::AccountEpoch;
use anteroom_domain::device::COOKIE_LIFE;
use anteroom_domain::grant::Grant;
use anteroom_domain::session::{Session, SessionEnd, SessionPolicy};
use anteroom_domain::subject::{SessionSid, SubjectNamespace};
use anteroom_storage::{InsertGrantResult, Store, StoreError, StoreOptions, Sweeps};
use jiff::SignedDuration;

on_both_databases!(
    activity_only_moves_forward_and_only_while_it_runs,
    a_session_ends_once,
    proving_again_renews_the_same_session_under_a_new_secret,
    several_sessions_end_at_once_and_each_once,
    sessions_that_were_used_last_come_first,
    lapsed_sessions_are_those_beyond_a_limit,
    everyone_who_got_something_hears_of_the_end,
    the_participants_of_several_sessions_are_one_read,
    a_device_is_touched,
    devices_go_once_no_browser_knows_them_and_those_that_were_forgotten_after_a_day,
    the_older_half_of_the_devices_and_those_seen_last_stay_and_a_second_factor_makes_room,
    an_account_has_the_sessions_that_run,
    who_was_at_a_browser_since_is_known_without_its_cookie,
);

/// Account 1 with the sessions 1 to 3, account 2 with session 4.
async fn signed_in(options: &StoreOptions) -> Store {
    let store = store_with(options, [1, 2]).await;
    let unit = store.write(|tx| async move {
        for (number, account) in [(1, 1), (2, 1), (3, 1), (4, 2)] {
            tx.insert_session(&session(number, account), &digest(number)).await?;
        }
        Ok::<_, StoreError>(())
    });
    unit.await.unwrap();
    store
}

async fn activity_only_moves_forward_and_only_while_it_runs(options: StoreOptions) {
    let store = signed_in(&options).await;
    for (touched, expected) in [(at(60), at(60)), (at(30), at(60)), (at(61), at(61))] {
        store.write(move |tx| async move { tx.touch_session(session_id(1), touched).await }).await.unwrap();
        assert_eq!(store.session(session_id(1)).await.unwrap().unwrap().last_active_at, expected);
    }
    let unit = store.write(|tx| async move {
        tx.end_sessions(&[session_id(1)], SessionEnd::Idle, at(70)).await?;
        tx.touch_session(session_id(1), at(80)).await
    });
    unit.await.unwrap();
    let ended = store.session(session_id(1)).await.unwrap().unwrap();
    assert_eq!((ended.last_active_at, ended.ended_at), (at(61), Some(at(70))));
}

async fn a_session_ends_once(options: StoreOptions) {
    let store = signed_in(&options).await;
    let ends: Vec<_> = (0..10)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move {
                let end = |tx: anteroom_storage::Tx| async move {
                    tx.end_sessions(&[session_id(1)], SessionEnd::SignedOut, at(70)).await
                };
                store.write(end).await
            })
        })
        .collect();
    let mut ended = 0;
    for end in ends {
        ended += end.await.unwrap().unwrap().len();
    }
    assert_eq!(ended, 1);
}

async fn proving_again_renews_the_same_session_under_a_new_secret(options: StoreOptions) {
    let store = signed_in(&options).await;
    let unit = store.write(|tx| async move {
        tx.insert_device(&device(1, 1)).await?;
        let renewed = Session {
            auth_time: at(90),
            last_active_at: at(90),
            device: Some(device_id(1)),
            ..session(1, 1)
        };
        assert!(tx.renew_session(&renewed, &digest(99)).await?);
        let other_epoch = Session { epoch: AccountEpoch(1), ..session(2, 1) };
        assert!(!tx.renew_session(&other_epoch, &digest(98)).await?);
        assert!(!tx.renew_session(&session(4, 1), &digest(97)).await?);
        tx.end_sessions(&[session_id(3)], SessionEnd::SignedOut, at(80)).await?;
        assert!(!tx.renew_session(&session(3, 1), &digest(96)).await?);
        Ok::<_, StoreError>(renewed)
    });
    let renewed = unit.await.unwrap();
    let found = store.sessions_by_tokens(&[1, 99, 98, 97, 96].map(digest)).await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].session, renewed);
}

async fn several_sessions_end_at_once_and_each_once(options: StoreOptions) {
    let store = signed_in(&options).await;
    let unit = store.write(|tx| async move {
        let some = [session_id(1), session_id(3)];
        let all = [session_id(1), session_id(2), session_id(3)];
        let mut first = tx.end_sessions(&some, SessionEnd::PasswordChanged, at(70)).await?;
        first.sort();
        let second = tx.end_sessions(&all, SessionEnd::Disabled, at(80)).await?;
        let none = tx.end_sessions(&[], SessionEnd::Disabled, at(90)).await?;
        Ok::<_, StoreError>((first, second, none))
    });
    let ended = unit.await.unwrap();
    assert_eq!(ended, (vec![session_id(1), session_id(3)], vec![session_id(2)], vec![]));
    assert_eq!(store.session(session_id(4)).await.unwrap().unwrap().ended_at, None);
}

async fn sessions_that_were_used_last_come_first(options: StoreOptions) {
    let store = signed_in(&options).await;
    store.write(|tx| async move { tx.touch_session(session_id(1), at(1_000)).await }).await.unwrap();
    let last = async |most| {
        let found = store.sessions_used_last(account_id(1), most).await.unwrap();
        found.iter().map(|session| session.id).collect::<Vec<_>>()
    };
    assert_eq!((last(1).await, last(10).await.len()), (vec![session_id(1)], 3));
    let end = |tx: anteroom_storage::Tx| async move {
        tx.end_sessions(&[session_id(1)], SessionEnd::SignedOut, at(1_001)).await
    };
    store.write(end).await.unwrap();
    let rest = last(10).await;
    assert!(rest.len() == 2 && !rest.contains(&session_id(1)), "{rest:?}");
}

async fn lapsed_sessions_are_those_beyond_a_limit(options: StoreOptions) {
    let store = signed_in(&options).await;
    let unit = store.write(|tx| async move {
        tx.touch_session(session_id(2), at(500)).await?;
        tx.touch_session(session_id(3), at(600)).await?;
        tx.end_sessions(&[session_id(4)], SessionEnd::SignedOut, at(5)).await
    });
    unit.await.unwrap();
    let policy = |idle, absolute| SessionPolicy {
        idle: SignedDuration::from_secs(idle),
        absolute: SignedDuration::from_secs(absolute),
        switch_proof_after: SignedDuration::ZERO,
    };
    for (policy, limit, expected) in [
        (policy(1000, 2000), 10, vec![]),
        (policy(100, 2000), 10, vec![1, 2]),
        (policy(100, 2000), 1, vec![1]),
        (policy(1000, 100), 10, vec![1, 2, 3]),
    ] {
        let lapsed = store.lapsed_sessions(policy, at(600), limit).await.unwrap();
        let ids: Vec<_> = lapsed.iter().map(|session| session.id).collect();
        assert_eq!(ids, expected.into_iter().map(session_id).collect::<Vec<_>>());
    }
}

async fn everyone_who_got_something_hears_of_the_end(options: StoreOptions) {
    let store = signed_in(&options).await;
    let unit = store.write(|tx| async move {
        for (number, account, session) in [(1, 1, 1), (2, 1, 1), (4, 1, 1), (3, 1, 2)] {
            let inserted = tx.insert_grant(&grant(number, account, session, "openid"), at(2000)).await?;
            assert_eq!(inserted, InsertGrantResult::Inserted);
        }
        // The same client after it has changed its sector.
        let subjects = Some(SubjectNamespace::Pairwise("b.example".to_owned()));
        let moved = Grant { id: grant_id(5), subjects, ..grant(1, 1, 1, "openid") };
        assert_eq!(tx.insert_grant(&moved, at(2000)).await?, InsertGrantResult::Inserted);
        tx.clients_of_sessions(&[session_id(1)]).await
    });
    let heard = unit.await.unwrap();
    let heard: Vec<_> = heard
        .iter()
        .map(|one| (one.client.as_str(), one.subject_kind.as_ref().map(SubjectNamespace::as_str)))
        .collect();
    assert_eq!(heard, [("client-1", Some("")), ("client-1", Some("b.example")), ("client-2", Some(""))]);
}

/// Each with the session that it took part in, as its `sid` is made from it.
async fn the_participants_of_several_sessions_are_one_read(options: StoreOptions) {
    let store = signed_in(&options).await;
    let unit = store.write(|tx| async move {
        let by_sector = Session { sid_by_sector: true, ..session(7, 2) };
        tx.insert_session(&by_sector, &digest(7)).await?;
        for (number, account, of) in [(1, 1, 1), (2, 1, 1), (4, 2, 7)] {
            tx.insert_grant(&grant(number, account, of, "openid"), at(2000)).await?;
        }
        tx.clients_of_sessions(&[session_id(7), session_id(1)]).await
    });
    let read = unit.await.unwrap();
    let read: Vec<_> = read.iter().map(|one| (one.client.as_str(), one.session)).collect();
    let named = |number, by_sector| SessionSid { id: session_id(number), by_sector };
    let (first, second) = (named(1, false), named(7, true));
    assert_eq!(read, [("client-1", first), ("client-2", first), ("client-1", second)]);
}

async fn a_device_is_touched(options: StoreOptions) {
    let store = store_with(&options, [1]).await;
    let unit = store.write(|tx| async move {
        tx.insert_device(&device(2, 1)).await?;
        tx.touch_device(device_id(2), AccountEpoch(3), at(70)).await
    });
    unit.await.unwrap();
    let touched = store.device(device_id(2)).await.unwrap().unwrap();
    assert_eq!(
        touched,
        anteroom_domain::device::KnownDevice {
            last_seen_at: at(70),
            password_epoch: Some(AccountEpoch(3)),
            ..device(2, 1)
        }
    );
    assert_eq!(store.device(device_id(3)).await.unwrap(), None);
}

async fn devices_go_once_no_browser_knows_them_and_those_that_were_forgotten_after_a_day(
    options: StoreOptions,
) {
    let store = store_with(&options, [1, 2]).await;
    let unit = store.write(|tx| async move {
        for (number, account) in [(1, 1), (2, 1), (3, 1), (4, 1), (5, 2)] {
            tx.insert_device(&device(number, account)).await?;
        }
        tx.insert_device(&device(6, 2)).await?;
        tx.revoke_other_devices(account_id(2), device_id(1), at(10)).await?;
        tx.insert_session(&Session { device: Some(device_id(6)), ..session(3, 2) }, &digest(3)).await?;
        tx.insert_session(&Session { device: Some(device_id(2)), ..session(1, 1) }, &digest(1)).await?;
        tx.insert_session(&Session { device: Some(device_id(3)), ..session(2, 1) }, &digest(2)).await?;
        tx.end_sessions(&[session_id(2)], SessionEnd::SignedOut, at(20)).await?;
        tx.touch_device(device_id(4), AccountEpoch(0), at(86_400)).await
    });
    assert!(unit.await.unwrap());
    let known = async || {
        let mut known = Vec::new();
        for number in 1..=5 {
            if store.device(device_id(number)).await.unwrap().is_some() {
                known.push(number);
            }
        }
        known
    };
    let swept = async |seconds: i64| store.sweep(at(seconds), 100, Sweeps::ALL).await.unwrap().rows;
    let life = COOKIE_LIFE.as_secs();
    assert_eq!(swept(86_400 + 10).await, 0);
    assert_eq!((swept(86_400 + 11).await, known().await), (1, vec![1, 2, 3, 4]), "the forgotten one");
    assert_eq!((swept(86_400 + 21).await, known().await), (1, vec![1, 2, 3, 4]), "the ended session");
    assert_eq!(swept(life + 86_400 + 2).await, 0);
    assert_eq!(swept(life + 86_400 + 3).await, 2);
    assert_eq!(known().await, [2, 4], "in one a session goes on, and another was seen a day later");
    assert_eq!(store.session(session_id(1)).await.unwrap().unwrap().device, Some(device_id(2)));
    assert_eq!((swept(life + 2 * 86_400 + 1).await, known().await), (1, vec![2]));
    // It was forgotten, and a session that runs refers to it.
    assert_eq!(store.session(session_id(3)).await.unwrap().unwrap().device, Some(device_id(6)));
}

/// Devices 1 to 51 were each used again, but for the first, and none passed a second factor.
async fn the_older_half_of_the_devices_and_those_seen_last_stay_and_a_second_factor_makes_room(
    options: StoreOptions,
) {
    let store = store_with(&options, [1]).await;
    let made = |number: u8| anteroom_domain::device::KnownDevice {
        stepped_up_at: None,
        created_at: at(number.into()),
        last_seen_at: at(if number == 1 { 1 } else { 100 }),
        ..device(number, 1)
    };
    let all: Vec<_> = (1..=53).map(device_id).collect();
    let missing = async || {
        let known = store.devices_among(account_id(1), &all).await.unwrap();
        let gone = (1..=53_u8).filter(|number| known.iter().all(|device| device.id != device_id(*number)));
        gone.collect::<Vec<_>>()
    };
    let unit = store.write(move |tx| async move {
        for number in 1..=51 {
            tx.insert_device(&made(number)).await?;
        }
        tx.revoke_surplus_devices(account_id(1), at(200)).await
    });
    unit.await.unwrap();
    assert_eq!(missing().await, [26, 52, 53], "neither the newest nor an old one");
    store
        .write(|tx| async move { tx.record_second_factor(account_id(1), device_id(26), at(210)).await })
        .await
        .unwrap();
    assert_eq!(missing().await, [25, 52, 53]);
    let late = at(101) + anteroom_domain::device::UNUSED_AFTER;
    let unit = store.write(move |tx| async move {
        for number in [52, 53] {
            tx.insert_device(&made(number)).await?;
        }
        tx.revoke_surplus_devices(account_id(1), late).await
    });
    unit.await.unwrap();
    // The first was used but once, and goes before any other.
    assert_eq!(missing().await, [1, 25, 28]);
}

async fn an_account_has_the_sessions_that_run(options: StoreOptions) {
    let store = signed_in(&options).await;
    let unit = store
        .write(|tx| async move { tx.end_sessions(&[session_id(2)], SessionEnd::SignedOut, at(9)).await });
    unit.await.unwrap();
    let running = store.sessions_of_account(account_id(1)).await.unwrap();
    let ids: std::collections::BTreeSet<_> = running.iter().map(|session| session.id).collect();
    assert_eq!(ids, [session_id(1), session_id(3)].into());
}

/// Session 4 is account 2's, of its own browser, and was begun at 3.
async fn who_was_at_a_browser_since_is_known_without_its_cookie(options: StoreOptions) {
    let store = signed_in(&options).await;
    let here = session(4, 2).browser;
    let since = async |account: u8, seconds| {
        store.has_other_account_at_browser_since(here, account_id(account), at(seconds)).await.unwrap()
    };
    assert_eq!([since(1, 3).await, since(1, 4).await, since(2, 1).await], [true, false, false]);
    store.write(|tx| async move { tx.touch_session(session_id(4), at(20)).await }).await.unwrap();
    assert_eq!([since(1, 19).await, since(1, 20).await], [true, false]);
    let unit = store
        .write(|tx| async move { tx.end_sessions(&[session_id(4)], SessionEnd::SignedOut, at(30)).await });
    unit.await.unwrap();
    assert_eq!([since(1, 19).await, since(1, 20).await], [true, false], "it has ended");
    let elsewhere = session(1, 1).browser;
    assert!(!store.has_other_account_at_browser_since(elsewhere, account_id(1), at(0)).await.unwrap());
}
