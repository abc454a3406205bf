//! Links of mails: pressed by one, ended by a reset alone.

use crate::fixtures::*;
use crate::support::{self, on_both_databases};
use anteroom_domain::ids::{BrowserId, InteractionId, LinkId};
use anteroom_domain::link::{Link, LinkKind};
use anteroom_storage::{StoreError, StoreOptions};
use futures_util::future::join_all;

on_both_databases!(
    a_link_is_read_as_it_was_written_and_its_token_is_its_own,
    of_many_browsers_that_press_at_once_one_has_it_and_keeps_it,
    links_that_are_alive_are_counted_for_one_account_and_kind,
    only_the_end_of_a_reset_ends_links_and_it_ends_all_of_the_kind,
    no_more_tries_are_taken_than_there_are,
);

fn browser(number: u8) -> BrowserId {
    BrowserId(message_id(number).0)
}

fn link(number: u8) -> Link {
    Link {
        id: LinkId(message_id(number).0),
        kind: LinkKind::Recovery,
        account: Some(account_id(1)),
        token: digest(number),
        typed: Some(digest(number + 100)),
        browser: Some(browser(1)),
        interaction: None,
        typed_tries: 0,
        created_at: at(i64::from(number)),
        expires_at: at(1800),
        used_at: None,
        pressed_in: None,
        ended_at: None,
        completed_at: None,
    }
}

async fn insert(store: &anteroom_storage::Store, link: Link) -> Result<(), StoreError> {
    store
        .write(move |tx| {
            let link = link.clone();
            async move { tx.insert_link(&link).await }
        })
        .await
}

async fn a_link_is_read_as_it_was_written_and_its_token_is_its_own(options: StoreOptions) {
    let store = store_with(&options, [1]).await;
    let nobodys = Link { account: None, ..link(2) };
    for link in [link(1), nobodys.clone()] {
        insert(&store, link).await.unwrap();
    }
    assert_eq!(store.link(&[digest(9), digest(1)]).await.unwrap(), Some(link(1)));
    assert_eq!(store.link(&[digest(2)]).await.unwrap(), Some(nobodys));
    assert_eq!(store.link(&[digest(101)]).await.unwrap(), None);
    assert_eq!(store.link(&[]).await.unwrap(), None);
    let again = insert(&store, Link { id: link(3).id, ..link(1) }).await;
    assert!(matches!(again, Err(StoreError::Duplicate(what)) if what.contains("token_digest")));
    let elsewhere = InteractionId(message_id(9).0);
    assert!(store.links_of_interaction(elsewhere).await.unwrap().is_empty());
}

async fn of_many_browsers_that_press_at_once_one_has_it_and_keeps_it(options: StoreOptions) {
    let store = store_with(&options, [1]).await;
    insert(&store, link(1)).await.unwrap();
    let press = |by: u8, when: i64| {
        store.write(move |tx| async move { tx.press_link(link(1).id, browser(by), at(when)).await })
    };
    let pressed: Vec<bool> =
        join_all((10..18).map(|by| press(by, 20))).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(pressed.iter().filter(|won| **won).count(), 1);
    let winner = 10 + u8::try_from(pressed.iter().position(|won| *won).unwrap()).unwrap();
    assert!(press(winner, 30).await.unwrap());
    assert!(!press(winner + 1, 30).await.unwrap());
    let kept = store.link(&[digest(1)]).await.unwrap().unwrap();
    assert_eq!((kept.used_at, kept.pressed_in), (Some(at(20)), Some(browser(winner))));
}

async fn links_that_are_alive_are_counted_for_one_account_and_kind(options: StoreOptions) {
    let store = store_with(&options, [1, 2]).await;
    for link in [
        link(1),
        Link { expires_at: at(50), ..link(2) },
        Link { account: Some(account_id(2)), ..link(3) },
        Link { account: None, ..link(4) },
        Link { kind: LinkKind::Invitation, ..link(5) },
        Link { used_at: Some(at(9)), ..link(6) },
        Link { ended_at: Some(at(9)), ..link(7) },
    ] {
        insert(&store, link).await.unwrap();
    }
    for (account, kind, now, alive) in [
        (1, LinkKind::Recovery, 49, 2),
        (1, LinkKind::Recovery, 50, 1),
        (2, LinkKind::Recovery, 50, 1),
        (1, LinkKind::Invitation, 50, 1),
        (2, LinkKind::Invitation, 50, 0),
        (1, LinkKind::Recovery, 1800, 0),
    ] {
        let counted = store.links_alive(account_id(account), kind, at(now)).await.unwrap();
        assert_eq!(counted, alive, "{account} {kind:?} at {now}");
    }
    insert(&store, Link { browser: Some(browser(9)), ..link(8) }).await.unwrap();
    for (account, by, now, alive) in [(1, 9, 49, 1), (2, 9, 49, 0), (1, 8, 49, 0), (1, 9, 1800, 0)] {
        let counted = store.links_alive_in(account_id(account), browser(by), at(now)).await.unwrap();
        assert_eq!(counted, alive, "{account} in {by} at {now}");
    }
}

async fn only_the_end_of_a_reset_ends_links_and_it_ends_all_of_the_kind(options: StoreOptions) {
    let store = store_with(&options, [1, 2]).await;
    let invitation = Link { kind: LinkKind::Invitation, ..link(3) };
    let another = Link { account: Some(account_id(2)), ..link(4) };
    for link in [link(1), link(2), invitation.clone(), another.clone()] {
        insert(&store, link).await.unwrap();
    }
    let end = store.write(|tx| async move {
        tx.complete_link(account_id(1), (LinkKind::Recovery, Some(link(1).id)), at(60)).await?;
        assert!(!tx.press_link(link(2).id, browser(1), at(61)).await?);
        Ok::<_, StoreError>(())
    });
    end.await.unwrap();
    let read = |number: u8| {
        let store = store.clone();
        async move { store.link(&[digest(number)]).await.unwrap().unwrap() }
    };
    assert_eq!(read(1).await, Link { ended_at: Some(at(60)), completed_at: Some(at(60)), ..link(1) });
    assert_eq!(read(2).await, Link { ended_at: Some(at(60)), ..link(2) });
    assert_eq!((read(3).await, read(4).await), (invitation, another));
}

async fn no_more_tries_are_taken_than_there_are(options: StoreOptions) {
    let store = store_with(&options, [1]).await;
    for number in [1, 2, 3] {
        insert(&store, link(number)).await.unwrap();
    }
    let tries = (0..8)
        .map(|_| store.write(|tx| async move { tx.take_typed_try(&[link(1).id, link(2).id], 6).await }));
    let taken: Vec<usize> = join_all(tries).await.into_iter().map(|taken| taken.unwrap().len()).collect();
    assert_eq!(taken.iter().sum::<usize>(), 12, "six of each, however many are typed at once");
    for (number, tries) in [(1, 6), (2, 6), (3, 0)] {
        assert_eq!(store.link(&[digest(number)]).await.unwrap().unwrap().typed_tries, tries);
    }
}
