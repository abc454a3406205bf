//! Messages on their way: leases, results, erasure.

use crate::fixtures::*;
use crate::support::on_both_databases;
use anteroom_domain::ids::MessageId;
use anteroom_domain::message::{Channel, Mail, Message, MessageBody, OneTimeCodeText};
use anteroom_domain::phone::E164;
use anteroom_domain::reference::RequestReference;
use anteroom_storage::{
    LeasedMessage, MessageResult, MessageState, MessageStatus, Store, StoreError, StoreOptions,
};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;

on_both_databases!(
    a_message_is_leased_to_one_node_at_a_time,
    a_message_whose_lease_ran_out_is_due_again,
    what_is_over_has_no_content,
    only_the_newest_lease_puts_off,
    messages_expire_unsent,
    a_provider_may_take_its_word_back,
    a_provider_may_be_faster_than_our_own_word,
    trouble_of_a_channel_does_not_count_for_its_message,
    what_a_person_waits_for_goes_before_invitations,
    the_end_of_a_message_is_in_the_trail_with_it,
    what_has_no_end_yet_is_found_by_account_and_by_request,
    an_end_that_is_rolled_back_leaves_no_entry,
);

fn message(number: u8, body: MessageBody) -> Message {
    Message {
        id: message_id(number),
        account: None,
        locale: None,
        body,
        reference: None,
        created_at: at(i64::from(number)),
        expires_at: at(1000),
    }
}

fn mail(number: u8) -> Message {
    let mail = Mail::AccountLocked { at: at(0), link: "https://demo.example/".to_owned() };
    message(number, MessageBody::Email { to: address(number), mail })
}

fn text(number: u8) -> Message {
    let code = OneTimeCodeText { digits: "123456".to_owned(), minutes: 10 };
    message(number, MessageBody::Text { to: E164::parse("+12025550143").unwrap(), code })
}

async fn queued(options: &StoreOptions, messages: Vec<Message>) -> Store {
    let store = store(options).await;
    let written = write_with(&store, messages, |tx, messages| {
        Box::pin(async move {
            for message in messages {
                tx.enqueue(message).await?;
            }
            Ok(())
        })
    });
    written.await.unwrap();
    store
}

async fn lease(store: &Store, channel: Channel, now: Timestamp, limit: u64) -> Vec<LeasedMessage> {
    let until = now.checked_add(SignedDuration::from_secs(90)).unwrap();
    let leased: Result<_, StoreError> =
        store.write(move |tx| async move { tx.lease_messages(channel, now, until, limit).await }).await;
    leased.unwrap()
}

async fn finish(store: &Store, id: MessageId, result: MessageResult) -> bool {
    let done: Result<_, StoreError> =
        store.write(move |tx| async move { tx.finish_message(id, result, at(500)).await }).await;
    done.unwrap()
}

async fn state(store: &Store, number: u8) -> MessageState {
    store.message_state(message_id(number)).await.unwrap().unwrap()
}

fn ids(leased: &[LeasedMessage]) -> Vec<MessageId> {
    leased.iter().map(|leased| leased.message.id).collect()
}

async fn a_message_is_leased_to_one_node_at_a_time(options: StoreOptions) {
    let store = queued(&options, (1..=20).map(mail).chain([text(21)]).collect()).await;
    let round = || lease(&store, Channel::Email, at(100), 5);
    let (first, second, third, fourth) = tokio::join!(round(), round(), round(), round());
    let leased: Vec<_> = [first, second, third, fourth].concat();
    let distinct: BTreeSet<_> = ids(&leased).into_iter().collect();
    assert_eq!((leased.len(), distinct.len()), (20, 20));
    assert!(lease(&store, Channel::Email, at(100), 5).await.is_empty());
    assert!(!store.are_messages_due(Channel::Email, at(100)).await.unwrap());
    assert!(store.are_messages_due(Channel::Text, at(100)).await.unwrap());
    let texts = lease(&store, Channel::Text, at(100), 5).await;
    assert_eq!(ids(&texts), [message_id(21)]);
    assert_eq!(texts[0].message.body, text(21).body);
}

async fn a_message_whose_lease_ran_out_is_due_again(options: StoreOptions) {
    let store = queued(&options, vec![mail(1)]).await;
    assert_eq!(lease(&store, Channel::Email, at(100), 5).await[0].attempt, 1);
    assert!(lease(&store, Channel::Email, at(189), 5).await.is_empty());
    // The node died: what became of it was not said.
    assert_eq!(lease(&store, Channel::Email, at(190), 5).await[0].attempt, 2);
    assert_eq!(state(&store, 1).await.status, MessageStatus::Sending);
}

async fn what_is_over_has_no_content(options: StoreOptions) {
    let store = queued(&options, vec![mail(1), mail(2), mail(3)]).await;
    assert_eq!(state(&store, 1).await, MessageState { status: MessageStatus::Queued, last_error: None });
    lease(&store, Channel::Email, at(100), 5).await;
    assert!(finish(&store, message_id(1), MessageResult::Sent).await);
    assert!(finish(&store, message_id(2), MessageResult::Failed { error: "rejected" }).await);
    let left: Vec<_> = store.newest_messages(10).await.unwrap().iter().map(|message| message.id).collect();
    assert_eq!(left, [message_id(3)]);
    let failed = MessageState { status: MessageStatus::Failed, last_error: Some("rejected".to_owned()) };
    assert_eq!((state(&store, 1).await.status, state(&store, 2).await), (MessageStatus::Sent, failed));
    // What is over stays over.
    assert!(!finish(&store, message_id(2), MessageResult::Sent).await);
    assert_eq!(ids(&lease(&store, Channel::Email, at(300), 5).await), [message_id(3)]);
    assert_eq!(store.message_state(message_id(9)).await.unwrap(), None);
}

async fn only_the_newest_lease_puts_off(options: StoreOptions) {
    let store = queued(&options, vec![mail(1)]).await;
    let retry = |attempt, after| MessageResult::Retry { attempt, at: at(after), error: "busy" };
    lease(&store, Channel::Email, at(100), 5).await;
    assert!(finish(&store, message_id(1), retry(1, 105)).await);
    assert!(lease(&store, Channel::Email, at(104), 5).await.is_empty());
    assert_eq!(lease(&store, Channel::Email, at(105), 5).await[0].attempt, 2);
    assert!(!finish(&store, message_id(1), retry(1, 106)).await);
    assert!(lease(&store, Channel::Email, at(106), 5).await.is_empty());
    assert_eq!(state(&store, 1).await.last_error.as_deref(), Some("busy"));
    assert!(finish(&store, message_id(1), MessageResult::Sent).await);
    assert_eq!(state(&store, 1).await, MessageState { status: MessageStatus::Sent, last_error: None });
}

async fn messages_expire_unsent(options: StoreOptions) {
    let store = queued(&options, vec![mail(1), text(2), mail(3)]).await;
    finish(&store, message_id(3), MessageResult::Sent).await;
    let expire = |now| store.write(move |tx| async move { tx.expire_messages(now, 10).await });
    assert_eq!(expire(at(999)).await.unwrap(), 0);
    assert_eq!(expire(at(1000)).await.unwrap(), 2);
    assert_eq!(expire(at(1000)).await.unwrap(), 0);
    assert!(store.newest_messages(10).await.unwrap().is_empty());
    assert!(lease(&store, Channel::Email, at(1000), 5).await.is_empty());
    let found = (state(&store, 1).await.status, state(&store, 2).await.status, state(&store, 3).await.status);
    assert_eq!(found, (MessageStatus::Expired, MessageStatus::Expired, MessageStatus::Sent));
}

async fn a_provider_may_take_its_word_back(options: StoreOptions) {
    let store = queued(&options, vec![text(1), text(2)]).await;
    finish(&store, message_id(1), MessageResult::Sent).await;
    let note = |number| {
        store.write(move |tx| async move {
            tx.note_undelivered(message_id(number), "text_refused", at(600)).await
        })
    };
    assert!(note(1).await.unwrap() && !note(1).await.unwrap());
    let refused = MessageState { status: MessageStatus::Failed, last_error: Some("text_refused".to_owned()) };
    assert_eq!((state(&store, 1).await, state(&store, 2).await.status), (refused, MessageStatus::Queued));
}

async fn a_provider_may_be_faster_than_our_own_word(options: StoreOptions) {
    let store = queued(&options, vec![text(1), text(2)]).await;
    lease(&store, Channel::Text, at(100), 1).await;
    for number in [1, 2] {
        let noted = store.write(move |tx| async move {
            tx.note_undelivered(message_id(number), "text_refused", at(400)).await
        });
        assert!(noted.await.unwrap());
        assert!(!finish(&store, message_id(number), MessageResult::Sent).await);
        let refused =
            MessageState { status: MessageStatus::Failed, last_error: Some("text_refused".to_owned()) };
        assert_eq!(state(&store, number).await, refused);
    }
    assert!(store.newest_messages(10).await.unwrap().is_empty(), "their content is erased");
    assert!(lease(&store, Channel::Text, at(500), 5).await.is_empty());
    let told: Vec<_> = trail(&store).await.into_iter().map(|(kind, ..)| kind).collect();
    assert_eq!(told, ["message_failed", "message_failed"]);
}

async fn trouble_of_a_channel_does_not_count_for_its_message(options: StoreOptions) {
    let store = queued(&options, vec![mail(1)]).await;
    assert_eq!(lease(&store, Channel::Email, at(100), 5).await[0].attempt, 1);
    let put_off = MessageResult::Deferred { attempt: 1, at: at(105), error: "busy" };
    assert!(finish(&store, message_id(1), put_off).await);
    assert_eq!(state(&store, 1).await.last_error.as_deref(), Some("busy"));
    assert!(lease(&store, Channel::Email, at(104), 5).await.is_empty());
    assert_eq!(lease(&store, Channel::Email, at(105), 5).await[0].attempt, 1);
}

async fn what_a_person_waits_for_goes_before_invitations(options: StoreOptions) {
    let link = "https://id.practice.example/".to_owned();
    let invitation = Mail::Invitation { name: None, link: link.clone(), days: 7 };
    let reset = Mail::Recovery { link, code: None, minutes: 30 };
    let email =
        |number, mail: &Mail| message(number, MessageBody::Email { to: address(number), mail: mail.clone() });
    let store = queued(
        &options,
        vec![email(1, &invitation), email(2, &invitation), email(3, &invitation), email(4, &reset)],
    )
    .await;
    assert_eq!(ids(&lease(&store, Channel::Email, at(100), 1).await), [message_id(4)]);
    assert_eq!(lease(&store, Channel::Email, at(100), 5).await.len(), 3);
}

fn by(account: u8, message: Message) -> Message {
    let reference = Some(RequestReference::from_random([account; 5]));
    Message { account: Some(account_id(account)), reference, ..message }
}

/// Kind, outcome, reference and details of each entry, in the order in which they were written.
async fn trail(store: &Store) -> Vec<(String, String, Option<String>, String)> {
    let mut entries = store.recent_entries(100).await.unwrap();
    entries.reverse();
    for entry in &entries {
        assert!(store.verify_mac(entry));
    }
    let told = entries.into_iter().map(|entry| (entry.kind, entry.outcome, entry.reference, entry.detail));
    told.collect()
}

async fn the_end_of_a_message_is_in_the_trail_with_it(options: StoreOptions) {
    let store = queued(&options, vec![by(1, mail(1)), by(2, text(2)), by(3, text(3)), mail(4)]).await;
    let retry = MessageResult::Retry { attempt: 0, at: at(105), error: "busy" };
    assert!(finish(&store, message_id(1), retry).await);
    assert!(trail(&store).await.is_empty(), "nothing is over");
    assert!(finish(&store, message_id(1), MessageResult::Sent).await);
    assert!(!finish(&store, message_id(1), MessageResult::Sent).await);
    assert!(finish(&store, message_id(2), MessageResult::Sent).await);
    let noted =
        store.write(|tx| async move { tx.note_undelivered(message_id(2), "text_refused", at(600)).await });
    assert!(noted.await.unwrap());
    let expired: Result<u64, StoreError> =
        store.write(|tx| async move { tx.expire_messages(at(1000), 10).await }).await;
    assert_eq!(expired.unwrap(), 2);
    let reference = |number| Some(RequestReference::from_random([number; 5]).to_string());
    let entry = |kind: &str, outcome: &str, number: Option<u8>, detail: &str| {
        (kind.to_owned(), outcome.to_owned(), number.and_then(reference), detail.to_owned())
    };
    let phone = r#""message":"code","phone":"•••-•••-••43""#;
    let mut expected = [
        entry("message_sent", "success", Some(1), r#"{"channel":"email","message":"account_locked"}"#),
        entry("message_sent", "success", Some(2), &format!(r#"{{"channel":"text",{phone}}}"#)),
        entry(
            "message_failed",
            "failure",
            Some(2),
            &format!(r#"{{"channel":"text",{phone},"reason":"text_refused"}}"#),
        ),
        entry(
            "message_failed",
            "failure",
            None,
            r#"{"channel":"email","message":"account_locked","reason":"expired"}"#,
        ),
        entry(
            "message_failed",
            "failure",
            Some(3),
            &format!(r#"{{"channel":"text",{phone},"reason":"expired"}}"#),
        ),
    ];
    // Those of one moment have no order.
    let mut told = trail(&store).await;
    told.sort();
    expected.sort();
    assert_eq!(told, expected);
    let of_the_second = store.entries_of_account(account_id(2), 10).await.unwrap();
    assert_eq!(of_the_second.iter().map(|entry| entry.at).collect::<Vec<_>>(), [at(600), at(500)]);
}

async fn what_has_no_end_yet_is_found_by_account_and_by_request(options: StoreOptions) {
    let store = queued(&options, vec![by(1, mail(1)), by(1, text(2)), by(2, text(3)), mail(4)]).await;
    let retry = MessageResult::Retry { attempt: 0, at: at(105), error: "no_connection" };
    assert!(finish(&store, message_id(2), retry).await);
    let waiting = store.waiting_messages_of(account_id(1)).await.unwrap();
    let told: Vec<_> = waiting.iter().map(|one| (one.kind.as_str(), one.channel)).collect();
    assert_eq!(told, [("account_locked", Channel::Email), ("code", Channel::Text)]);
    assert_eq!(waiting[0].last_error, None);
    assert_eq!(
        (waiting[1].phone.as_deref(), waiting[1].last_error.as_deref()),
        (Some("•••-•••-••43"), Some("no_connection"))
    );
    let reference = RequestReference::from_random([2; 5]);
    assert_eq!(store.waiting_messages_by(reference).await.unwrap().len(), 1);
    assert!(finish(&store, message_id(3), MessageResult::Sent).await);
    assert!(store.waiting_messages_by(reference).await.unwrap().is_empty());
}

async fn an_end_that_is_rolled_back_leaves_no_entry(options: StoreOptions) {
    let store = queued(&options, vec![mail(1)]).await;
    let unit = store.write(|tx| async move {
        tx.finish_message(message_id(1), MessageResult::Sent, at(500)).await?;
        Err::<(), _>(StoreError::Statement("on purpose".to_owned()))
    });
    assert!(unit.await.is_err());
    assert!(trail(&store).await.is_empty());
    assert_eq!(state(&store, 1).await.status, MessageStatus::Queued);
}
