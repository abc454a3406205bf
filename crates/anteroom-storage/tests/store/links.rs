//! Links of mails: pressed by one, ended by a reset alone.

use crate::fixtures::*;
use crate::support::on_both_databases;
use anteroom_domain::ids::{BrowserId, InteractionId, LinkId};
use anteroom_domain::interaction::{Destination, Interaction, InteractionState};
use anteroom_domain::link::{EmailedLink, LinkKind};
use anteroom_domain::mail_request::MailRequest;
use anteroom_domain::message::{Mail, Message, MessageBody};
use anteroom_storage::{
    FormWindow, MailRequestResult, MailRequestRow, Store, StoreError, StoreOptions, Sweeps,
};
use futures_util::future::join_all;

on_both_databases!(
    a_link_is_read_as_it_was_written_and_its_token_is_its_own,
    of_many_browsers_that_press_at_once_one_has_it_and_keeps_it,
    rows_that_were_asked_for_count_for_their_address_until_their_time_or_a_reset,
    an_ask_is_answered_once_and_what_it_held_is_erased,
    the_newest_links_of_an_interaction_are_read_and_no_more,
    what_was_written_for_an_address_that_no_account_has_is_swept_at_its_end,
    only_the_end_of_a_reset_ends_links_and_it_ends_all_of_the_kind,
    no_more_tries_are_taken_than_there_are,
    what_one_form_enters_twice_is_one_try,
);

fn browser(number: u8) -> BrowserId {
    BrowserId(message_id(number).0)
}

fn link(number: u8) -> EmailedLink {
    EmailedLink {
        id: LinkId(message_id(number).0),
        kind: LinkKind::Recovery,
        account: Some(account_id(1)),
        token: digest(number),
        mailed_code: Some(digest(number + 100)),
        browser: Some(browser(1)),
        interaction: None,
        mailed_code_attempts: 0,
        created_at: at(i64::from(number)),
        expires_at: at(1800),
        used_at: None,
        followed_in: None,
        ended_at: None,
        completed_at: None,
    }
}

async fn insert(store: &Store, link: EmailedLink) -> Result<(), StoreError> {
    write_with(store, link, |tx, link| Box::pin(tx.insert_link(link))).await
}

async fn a_link_is_read_as_it_was_written_and_its_token_is_its_own(options: StoreOptions) {
    let store = store_with(&options, [1]).await;
    let nobodys = EmailedLink { account: None, ..link(2) };
    for link in [link(1), nobodys.clone()] {
        insert(&store, link).await.unwrap();
    }
    assert_eq!(store.link(&[digest(9), digest(1)]).await.unwrap(), Some(link(1)));
    assert_eq!(store.link(&[digest(2)]).await.unwrap(), Some(nobodys));
    assert_eq!(store.link(&[digest(101)]).await.unwrap(), None);
    assert_eq!(store.link(&[]).await.unwrap(), None);
    let again = insert(&store, EmailedLink { id: link(3).id, ..link(1) }).await;
    assert!(matches!(again, Err(StoreError::Duplicate(what)) if what.contains("token_digest")));
    let elsewhere = InteractionId(message_id(9).0);
    assert!(store.newest_links_of(elsewhere, 9).await.unwrap().is_empty());
}

async fn of_many_browsers_that_press_at_once_one_has_it_and_keeps_it(options: StoreOptions) {
    let store = store_with(&options, [1]).await;
    insert(&store, link(1)).await.unwrap();
    let follow = |by: u8, when: i64| {
        store.write(move |tx| async move { tx.record_link_followed(link(1).id, browser(by), at(when)).await })
    };
    let pressed: Vec<bool> =
        join_all((10..18).map(|by| follow(by, 20))).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(pressed.iter().filter(|won| **won).count(), 1);
    let winner = 10 + u8::try_from(pressed.iter().position(|won| *won).unwrap()).unwrap();
    assert!(follow(winner, 30).await.unwrap());
    assert!(!follow(winner + 1, 30).await.unwrap());
    let kept = store.link(&[digest(1)]).await.unwrap().unwrap();
    assert_eq!((kept.used_at, kept.followed_in), (Some(at(20)), Some(browser(winner))));
}

fn asked(number: u8, address: u8) -> MailRequestRow {
    let link = EmailedLink { account: None, ..link(number) };
    let request = MailRequest {
        address: format!("person{address}@practice.example"),
        token: format!("token {number}"),
        mailed_code: Some("ABCDE-FGHJK".to_owned()),
        reference: Some("K7QM-2XRD".to_owned()),
        ip_address: Some("203.0.113.9".parse().unwrap()),
        languages: None,
    };
    MailRequestRow { until: link.expires_at, link, address_digest: digest(200 + address), request }
}

async fn ask(store: &Store, asked: MailRequestRow) {
    write_with(store, asked, |tx, asked| Box::pin(tx.insert_mail_request(asked, None))).await.unwrap();
}

async fn rows_that_were_asked_for_count_for_their_address_until_their_time_or_a_reset(options: StoreOptions) {
    let store = store_with(&options, [1]).await;
    let early = MailRequestRow { until: at(50), ..asked(2, 1) };
    for row in [asked(1, 1), early, asked(3, 2)] {
        ask(&store, row).await;
    }
    insert(&store, link(4)).await.unwrap();
    let count = |address: u8, now: i64, most: u32| {
        let store = store.clone();
        async move { store.requesting_browsers(&digest(200 + address), at(now), most).await.unwrap().len() }
    };
    for (address, now, most, expected) in
        [(1, 49, 9, 2), (1, 49, 1, 1), (1, 50, 9, 1), (2, 0, 9, 1), (3, 0, 9, 0)]
    {
        assert_eq!(count(address, now, most).await, expected, "{address} at {now}, at most {most}");
    }
    // To follow a link changes nothing of it, to complete what it was for does.
    let taken =
        MailRequestResult { account: Some(account_id(1)), kind: LinkKind::Recovery, expires_at: at(1800) };
    let unit = store.write(move |tx| async move {
        assert!(tx.complete_mail_request(link(1).id, taken).await?);
        tx.record_link_followed(link(1).id, browser(1), at(10)).await
    });
    assert!(unit.await.unwrap());
    assert_eq!(count(1, 20, 9).await, 2);
    let (kind, id) = (LinkKind::Recovery, Some(link(1).id));
    store
        .write(move |tx| async move { tx.complete_link(account_id(1), kind, id, at(20)).await })
        .await
        .unwrap();
    assert_eq!(count(1, 20, 9).await, 1);
}

async fn an_ask_is_answered_once_and_what_it_held_is_erased(options: StoreOptions) {
    let store = store_with(&options, [1]).await;
    for row in [asked(1, 1), asked(2, 2)] {
        ask(&store, row).await;
    }
    let waiting = store.pending_mail_requests(at(10), 9).await.unwrap();
    assert_eq!(waiting.iter().map(|one| one.link).collect::<Vec<_>>(), [link(1).id, link(2).id]);
    assert_eq!(waiting[0].ask, Some(asked(1, 1).request));
    let invited =
        MailRequestResult { account: Some(account_id(1)), kind: LinkKind::Invitation, expires_at: at(9000) };
    let answer = |becomes: MailRequestResult| {
        store.write(move |tx| async move { tx.complete_mail_request(link(1).id, becomes).await })
    };
    assert!(answer(invited).await.unwrap());
    assert!(!answer(MailRequestResult { account: None, ..invited }).await.unwrap());
    let waiting = store.pending_mail_requests(at(10), 9).await.unwrap();
    assert_eq!(waiting.iter().map(|one| one.link).collect::<Vec<_>>(), [link(2).id]);
    assert!(
        store.pending_mail_requests(at(1800), 9).await.unwrap().is_empty(),
        "what is over is answered no more"
    );
    let kept = store.link(&[digest(1)]).await.unwrap().unwrap();
    assert_eq!(
        (kept.account, kept.kind, kept.expires_at),
        (Some(account_id(1)), LinkKind::Invitation, at(9000))
    );
}

async fn insert_interaction(store: &Store) -> InteractionId {
    let journey = InteractionState::new(Destination::Dashboard, browser(1), at(0));
    let interaction = Interaction {
        id: InteractionId(message_id(1).0),
        state: journey,
        proof: None,
        created_at: at(0),
        expires_at: at(1800),
        finished_at: None,
        authorization_response: None,
    };
    let id = interaction.id;
    let inserted = write_with(store, (interaction, digest(1)), |tx, (interaction, digest)| {
        Box::pin(tx.insert_interaction(interaction, digest))
    });
    assert!(inserted.await.unwrap());
    id
}

async fn the_newest_links_of_an_interaction_are_read_and_no_more(options: StoreOptions) {
    let store = store_with(&options, [1]).await;
    let interaction = insert_interaction(&store).await;
    for number in 1..=5 {
        insert(&store, EmailedLink { interaction: Some(interaction), ..link(number) }).await.unwrap();
    }
    insert(&store, link(6)).await.unwrap();
    let newest = store.newest_links_of(interaction, 2).await.unwrap();
    assert_eq!(newest.iter().map(|link| link.id).collect::<Vec<_>>(), [link(5).id, link(4).id]);
    assert!(!store.is_link_completed_in(interaction).await.unwrap());
    let (kind, id) = (LinkKind::Recovery, Some(link(1).id));
    store
        .write(move |tx| async move { tx.complete_link(account_id(1), kind, id, at(20)).await })
        .await
        .unwrap();
    assert!(store.is_link_completed_in(interaction).await.unwrap());
    assert!(!store.is_link_completed_in(InteractionId(message_id(9).0)).await.unwrap());
    let later = EmailedLink { interaction: Some(interaction), created_at: at(30), ..link(7) };
    insert(&store, later).await.unwrap();
    assert!(!store.is_link_completed_in(interaction).await.unwrap(), "another one was requested since");
}

async fn what_was_written_for_an_address_that_no_account_has_is_swept_at_its_end(options: StoreOptions) {
    let store = store_with(&options, [1]).await;
    ask(&store, asked(1, 1)).await;
    insert(&store, link(2)).await.unwrap();
    let mail = Mail::Recovery { link: String::new(), code: None, minutes: 30 };
    let (to_somebody, to_nobody) =
        (MessageBody::Email { to: address(1), mail: mail.clone() }, MessageBody::Unaddressed { mail });
    for (number, account, body) in [(1, Some(account_id(1)), to_somebody), (2, None, to_nobody)] {
        let message = Message {
            id: message_id(number),
            account,
            locale: None,
            body,
            reference: None,
            created_at: at(0),
            expires_at: at(1800),
        };
        write_with(&store, message, |tx, message| Box::pin(tx.enqueue(message))).await.unwrap();
    }
    assert_eq!(store.newest_messages(9).await.unwrap().len(), 1, "nobody reads what goes to nobody");
    assert_eq!(store.sweep(at(1800), 9, Sweeps::ALL).await.unwrap().rows, 0);
    assert_eq!(store.sweep(at(1801), 9, Sweeps::ALL).await.unwrap().rows, 2);
    assert!(store.link(&[digest(1)]).await.unwrap().is_none());
    assert!(store.link(&[digest(2)]).await.unwrap().is_some());
    assert!(store.message_state(message_id(2)).await.unwrap().is_none());
}

async fn only_the_end_of_a_reset_ends_links_and_it_ends_all_of_the_kind(options: StoreOptions) {
    let store = store_with(&options, [1, 2]).await;
    let invitation = EmailedLink { kind: LinkKind::Invitation, ..link(3) };
    let another = EmailedLink { account: Some(account_id(2)), ..link(4) };
    for link in [link(1), link(2), invitation.clone(), another.clone()] {
        insert(&store, link).await.unwrap();
    }
    let end = store.write(|tx| async move {
        tx.complete_link(account_id(1), LinkKind::Recovery, Some(link(1).id), at(60)).await?;
        assert!(!tx.record_link_followed(link(2).id, browser(1), at(61)).await?);
        Ok::<_, StoreError>(())
    });
    end.await.unwrap();
    let read = |number: u8| {
        let store = store.clone();
        async move { store.link(&[digest(number)]).await.unwrap().unwrap() }
    };
    assert_eq!(read(1).await, EmailedLink { ended_at: Some(at(60)), completed_at: Some(at(60)), ..link(1) });
    assert_eq!(read(2).await, EmailedLink { ended_at: Some(at(60)), ..link(2) });
    assert_eq!((read(3).await, read(4).await), (invitation, another));
}

async fn no_more_tries_are_taken_than_there_are(options: StoreOptions) {
    let store = store_with(&options, [1]).await;
    for number in [1, 2, 3] {
        insert(&store, link(number)).await.unwrap();
    }
    let tries = (0..8).map(|_| {
        store.write(|tx| async move {
            tx.count_link_code_attempt(&[link(1).id, link(2).id], 6, None, at(1)).await
        })
    });
    let taken: Vec<usize> = join_all(tries).await.into_iter().map(|taken| taken.unwrap().len()).collect();
    assert_eq!(taken.iter().sum::<usize>(), 12, "six of each, however many are typed at once");
    for (number, tries) in [(1, 6), (2, 6), (3, 0)] {
        assert_eq!(store.link(&[digest(number)]).await.unwrap().unwrap().mailed_code_attempts, tries);
    }
}

async fn what_one_form_enters_twice_is_one_try(options: StoreOptions) {
    let store = store_with(&options, [1]).await;
    insert(&store, link(1)).await.unwrap();
    let enter = |number: u8, seconds: i64| {
        let store = &store;
        async move {
            let write = store.write(move |tx| async move {
                let form = digest(number);
                let entry = FormWindow { form: &form, since: at(seconds - 30) };
                let before = tx.links_counted_by_form(&[link(1).id, link(2).id], entry).await?;
                let taken = tx.count_link_code_attempt(&[link(1).id], 3, Some(entry), at(seconds)).await?;
                Ok::<_, StoreError>((before.len(), taken.len()))
            });
            let (before, taken) = write.await.unwrap();
            let link = store.link(&[digest(1)]).await.unwrap().unwrap();
            (before, taken, link.mailed_code_attempts)
        }
    };
    let at_once: Vec<_> = join_all((0..4).map(|_| enter(101, 100))).await;
    assert!(at_once.iter().all(|(_, taken, _)| *taken == 1), "{at_once:?}");
    assert_eq!(at_once.iter().filter(|(before, ..)| *before == 0).count(), 1, "{at_once:?}");
    for (form, seconds, expected) in [
        (101, 129, (1, 1, 1)),
        (102, 129, (0, 1, 2)),
        // What was entered last counts anew from then on.
        (101, 130, (0, 1, 3)),
        (101, 140, (1, 1, 3)),
        (102, 141, (0, 0, 3)),
        (101, 171, (0, 0, 3)),
    ] {
        assert_eq!(enter(form, seconds).await, expected, "{form} {seconds}");
    }
}
