//! One-time codes and phones.

use crate::fixtures::*;
use crate::support::on_both_databases;
use anteroom_domain::account::PhoneKind;
use anteroom_domain::ids::{BrowserId, InteractionId, OneTimeCodeId, PhoneId};
use anteroom_domain::interaction::{Destination, Interaction, InteractionState};
use anteroom_domain::one_time_code::{CodePurpose, CodeQuota, OneTimeCode};
use anteroom_domain::phone::{DeliveryMethod, E164};
use anteroom_storage::{CodeAttempts, NewPhone, Store, StoreOptions};
use futures_util::future::join_all;

on_both_databases!(
    a_new_code_makes_the_old_one_of_its_way_and_purpose_worthless,
    a_code_is_used_once_however_many_enter_it_at_once,
    what_was_sent_and_entered_is_counted_for_account_and_purpose_since_a_time,
    a_number_is_on_file_once_and_behind_those_that_were_there,
);

async fn with_interactions(options: &StoreOptions) -> Store {
    let store = store_with(options, [1, 2]).await;
    for number in [1, 2] {
        let interaction = Interaction {
            id: InteractionId(message_id(number).0),
            state: InteractionState::new(Destination::Dashboard, BrowserId(message_id(9).0), at(1)),
            proof: None,
            created_at: at(2),
            expires_at: at(1000),
            finished_at: None,
            authorization_response: None,
        };
        let inserted = write_with(&store, (interaction, digest(number)), |tx, (interaction, digest)| {
            Box::pin(tx.insert_interaction(interaction, digest))
        });
        inserted.await.unwrap();
    }
    store
}

fn code(number: u8) -> OneTimeCode {
    OneTimeCode {
        id: OneTimeCodeId(message_id(number).0),
        account: account_id(1),
        purpose: CodePurpose::Recovery,
        phone: new_account(1).phones[1].id,
        method: DeliveryMethod::Text,
        digest: digest(number),
        message: message_id(number),
        created_at: at(i64::from(number)),
        expires_at: at(600),
    }
}

fn way(number: u8) -> InteractionId {
    InteractionId(message_id(number).0)
}

async fn insert(store: &Store, code: OneTimeCode, interaction: InteractionId) {
    let inserted = write_with(store, (code, interaction), |tx, (code, interaction)| {
        Box::pin(tx.insert_code(code, *interaction, CodeQuota::OtherDevice))
    });
    inserted.await.unwrap();
}

async fn a_new_code_makes_the_old_one_of_its_way_and_purpose_worthless(options: StoreOptions) {
    let store = with_interactions(&options).await;
    let of_another_purpose =
        OneTimeCode { purpose: CodePurpose::StepUp, method: DeliveryMethod::Call, ..code(3) };
    insert(&store, code(1), way(1)).await;
    insert(&store, code(2), way(2)).await;
    insert(&store, of_another_purpose.clone(), way(1)).await;
    assert_eq!(store.code_of(way(1), CodePurpose::Recovery).await.unwrap(), Some(code(1)));
    insert(&store, code(4), way(1)).await;
    let use_old = store.write(|tx| async move { tx.use_code(code(1).id, at(5)).await });
    assert!(!use_old.await.unwrap());
    for (interaction, wanted) in [(way(1), code(4)), (way(2), code(2)), (way(1), of_another_purpose)] {
        assert_eq!(store.code_of(interaction, wanted.purpose).await.unwrap(), Some(wanted));
    }
}

async fn a_code_is_used_once_however_many_enter_it_at_once(options: StoreOptions) {
    let store = with_interactions(&options).await;
    insert(&store, code(1), way(1)).await;
    let uses = (0..8).map(|_| store.write(|tx| async move { tx.use_code(code(1).id, at(5)).await }));
    let used: Vec<bool> = join_all(uses).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(used.iter().filter(|used| **used).count(), 1);
    assert_eq!(store.code_of(way(1), CodePurpose::Recovery).await.unwrap(), None);
}

async fn what_was_sent_and_entered_is_counted_for_account_and_purpose_since_a_time(options: StoreOptions) {
    let store = with_interactions(&options).await;
    for code in [code(1), code(2), OneTimeCode { purpose: CodePurpose::StepUp, ..code(3) }] {
        insert(&store, code, way(1)).await;
    }
    for (entry, account, purpose, when) in [
        (1, 1, CodePurpose::Recovery, 1),
        (2, 1, CodePurpose::Recovery, 7),
        (3, 1, CodePurpose::StepUp, 8),
        (4, 2, CodePurpose::Recovery, 9),
    ] {
        let write = store.write(move |tx| async move {
            let (quota, entry) = (CodeQuota::OtherDevice, message_id(entry).0);
            tx.count_wrong_code(account_id(account), purpose, quota, entry, at(when)).await
        });
        write.await.unwrap();
    }
    let before_of = |account: u8, quota, since| {
        let store = &store;
        async move {
            store.code_attempts(account_id(account), CodePurpose::Recovery, quota, at(since)).await.unwrap()
        }
    };
    let (other, apart) = (CodeQuota::OtherDevice, CodeQuota::SteppedUpDevice);
    let before = before_of(1, other, 2).await;
    assert_eq!(before, CodeAttempts { sent: vec![at(2)], wrong: vec![at(7)] });
    let before = before_of(2, other, 0).await;
    assert_eq!(before, CodeAttempts { sent: vec![], wrong: vec![at(9)] });
    // What devices that have stepped up ask for and enter is counted apart.
    let write = store.write(move |tx| async move {
        tx.insert_code(&code(4), way(1), apart).await?;
        tx.count_wrong_code(account_id(1), CodePurpose::Recovery, apart, message_id(5).0, at(11)).await
    });
    write.await.unwrap();
    let before = before_of(1, apart, 0).await;
    assert_eq!(before, CodeAttempts { sent: vec![at(4)], wrong: vec![at(11)] });
    let before = before_of(1, other, 2).await;
    assert_eq!(before, CodeAttempts { sent: vec![at(2)], wrong: vec![at(7)] });
}

async fn a_number_is_on_file_once_and_behind_those_that_were_there(options: StoreOptions) {
    let store = store_with(&options, [1, 2]).await;
    let new = |number: u8, e164: &str| NewPhone {
        id: PhoneId(message_id(number).0),
        number: E164::parse(e164).unwrap(),
        kind: PhoneKind::Cell,
        verified_at: None,
        usable_from: at(0),
    };
    let (added, again) = (new(1, "+12025550199"), new(2, "+12025550199"));
    let id = added.id;
    let written = write_with(&store, (added, again), |tx, (first, again)| {
        Box::pin(async move {
            assert!(tx.insert_phone(account_id(1), first, at(9)).await?);
            assert!(!tx.insert_phone(account_id(1), again, at(9)).await?);
            // Two people may share a number.
            assert!(tx.insert_phone(account_id(2), again, at(9)).await?);
            tx.set_phone_kind(first.id, PhoneKind::Landline).await?;
            tx.use_phone(account_id(1), first.id, at(10)).await?;
            tx.use_phone(account_id(1), first.id, at(11)).await?;
            Ok(())
        })
    });
    written.await.unwrap();
    let phones = store.phones_of(account_id(1)).await.unwrap();
    let last = phones.last().unwrap();
    assert_eq!((phones.len(), last.id, last.verified_at), (3, id, Some(at(10))));
    assert_eq!(last.kind, PhoneKind::Landline);
    assert!(last.accepts_codes(at(10)));
    // Unverified, and verified but too new.
    assert!(phones[..2].iter().all(|phone| !phone.accepts_codes(at(99))));
    assert!(phones[1].accepts_codes(at(100)));
    let folded = address(1).folded();
    assert_eq!(store.address_on_file(&folded, at(0)).await.unwrap(), Some(address(1)));
    assert_eq!(store.addresses_of(account_id(1)).await.unwrap().len(), 2);
}
