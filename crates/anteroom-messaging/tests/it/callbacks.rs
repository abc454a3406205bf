//! Twilio asks back, and only Twilio is heard.

use anteroom_domain::ids::MessageId;
use anteroom_messaging::twilio::{Callback, CallbackError, Callbacks, CodePartSealer};
use anteroom_storage::{MessageResult, MessageStatus};
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::sync::Arc;

use crate::office::{Office, keyring, text};

fn callbacks(office: &Office) -> Callbacks {
    let seals = Arc::new(CodePartSealer { keyring: keyring(), random: office.random.clone() });
    Callbacks { auth_token: "token".into(), part_sealer: seals, store: office.store.clone() }
}

fn signed(message: MessageId, params: &[(&str, &str)]) -> Callback {
    let url = format!("https://id.practice.example/callbacks/twilio/{message}");
    let params: Vec<(String, String)> =
        params.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let mut sorted = params.clone();
    sorted.sort();
    let data = sorted.iter().fold(url.clone(), |data, (name, value)| data + name + value);
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, b"token");
    Callback { message, url, params, signature: STANDARD.encode(hmac::sign(&key, data.as_bytes())) }
}

#[tokio::test]
async fn a_text_that_a_landline_swallowed_is_known_to_have_failed() {
    let office = Office::open().await;
    let id = office.queue(text()).await;
    let now = office.clock.now();
    let sent =
        office.store.write(move |tx| async move { tx.finish_message(id, MessageResult::Sent, now).await });
    assert!(sent.await.unwrap());
    let callbacks = callbacks(&office);
    callbacks.status(&signed(id, &[("MessageStatus", "sent")]), now).await.unwrap();
    assert_eq!(office.until(id, |_| true).await.status, MessageStatus::Sent);
    let fate = [("MessageStatus", "undelivered"), ("ErrorCode", "30006"), ("To", "+12025550143")];
    let forged = Callback { signature: STANDARD.encode([0; 20]), ..signed(id, &fate) };
    assert!(matches!(callbacks.status(&forged, now).await, Err(CallbackError::Signature)));
    assert_eq!(office.until(id, |_| true).await.status, MessageStatus::Sent);
    callbacks.status(&signed(id, &fate), now).await.unwrap();
    let state = office.until(id, |_| true).await;
    assert_eq!((state.status, state.last_error.as_deref()), (MessageStatus::Failed, Some("text_refused")));
}

#[tokio::test]
async fn an_outcome_that_comes_before_our_own_word_is_kept() {
    let office = Office::open().await;
    let id = office.queue(text()).await;
    let now = office.clock.now();
    let fate = [("MessageStatus", "undelivered"), ("ErrorCode", "30006")];
    callbacks(&office).status(&signed(id, &fate), now).await.unwrap();
    let sent =
        office.store.write(move |tx| async move { tx.finish_message(id, MessageResult::Sent, now).await });
    assert!(!sent.await.unwrap());
    let state = office.until(id, |_| true).await;
    assert_eq!((state.status, state.last_error.as_deref()), (MessageStatus::Failed, Some("text_refused")));
}

#[tokio::test]
async fn words_behind_a_key_are_for_twilio_alone() {
    let office = Office::open().await;
    let (callbacks, id) = (callbacks(&office), office.queue(text()).await);
    let asked = |callback: &Callback| callbacks.after_the_key(callback, "AAAA", office.clock.now());
    assert!(matches!(asked(&signed(id, &[("Digits", "1")])), Err(CallbackError::Part(_))));
    let forged = Callback { signature: String::new(), ..signed(id, &[]) };
    assert!(matches!(asked(&forged), Err(CallbackError::Signature)));
}
