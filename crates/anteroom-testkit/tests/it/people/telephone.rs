//! Codes through Twilio, from the page to a double of its API and back through its callbacks, over HTTP.

use super::*;
use anteroom_domain::ids::MessageId;
use anteroom_testkit::{Backend, Telephony, on_both_databases, signature};
use jiff::SignedDuration;

on_both_databases!(
    a_text_that_a_landline_refuses_comes_back_as_try_a_call,
    a_text_that_did_not_arrive_comes_back_as_try_a_call,
    a_call_that_nobody_takes_is_told,
    a_text_that_does_not_go_out_is_told_as_tried_again_and_then_as_what_became_of_it,
    a_callback_is_heard_from_twilio_alone,
    the_words_behind_a_key_are_for_twilio_and_this_call,
);

const NO_TEXTS: &str = "This phone does not take text messages";

async fn with_carol(backend: &Backend, shown: &[(u16, &'static str)]) -> (TestProvider, Telephony, Browser) {
    let api = Telephony::start(shown).await;
    let provider = api.given_to(TestProvider::on(backend)).start().await;
    provider.person(CAROL).phone(CELL).create().await;
    let carol = provider.browser();
    forget(&carol, CAROL).await;
    (provider, api, carol)
}

/// Sends a code this way, and has it handed on; the page where it is entered, and its message.
async fn handed_on(
    provider: &TestProvider,
    carol: &Browser,
    page: &TestResponse,
    way: &str,
) -> (TestResponse, MessageId) {
    let way = ways(page).into_iter().find(|found| found.starts_with(way)).unwrap();
    let page = through(carol, page, "/verify/send", &[("method", &way)]).await;
    let id = provider.outbox().await.into_iter().find(|m| m.body.kind() == "code").unwrap().id;
    provider.send_until_over(id).await;
    (page, id)
}

fn callback(id: MessageId) -> String {
    format!("/callbacks/twilio/{id}")
}

/// As Twilio calls us; where no signature is given, with the right one.
async fn call_back(
    provider: &TestProvider,
    target: &str,
    fields: &[(&str, &str)],
    signed: Option<&str>,
) -> TestResponse {
    let right = signature(&format!("{}{target}", provider.issuer), fields);
    let twilio = provider.browser().says_nothing().with("x-twilio-signature", signed.unwrap_or(&right));
    twilio.post(target, fields).await
}

async fn a_text_that_a_landline_refuses_comes_back_as_try_a_call(backend: Backend) {
    let refusal = (400, r#"{"code": 21614, "message": "To number is not a valid mobile number"}"#);
    let (provider, api, carol) = with_carol(&backend, &[refusal, (201, "{}")]).await;
    let choice = follow_link(&provider, &carol).await;
    let (page, _) = handed_on(&provider, &carol, &choice, "text:").await;
    let shown = carol.get(page.asked.as_str()).await;
    assert!(
        shown.body.contains(NO_TEXTS) && shown.body.contains("Choose a phone call"),
        "{}",
        shown.page_summary()
    );
    // The call is made, its key is pressed, and the code that was said is the right one.
    let choice = carol.get(&format!("{}&choose=1", page.asked)).await;
    provider.advance(SignedDuration::from_secs(1));
    let way = ways(&choice).into_iter().find(|way| way.starts_with("call:")).unwrap();
    let page = through(&carol, &choice, "/verify/send", &[("method", &way)]).await;
    let code = digits(&provider).await;
    let id = provider.outbox().await.into_iter().find(|m| m.body.kind() == "code").unwrap().id;
    provider.send_until_over(id).await;
    let key = api.key_address().replace(&provider.issuer, "");
    let said = call_back(&provider, &key, &[("Digits", "1")], None).await;
    assert_eq!(said.status, 200, "{}", said.body);
    let spoken: String = said.body.chars().filter(char::is_ascii_digit).collect();
    assert!(spoken.contains(&code) && said.header("cache-control") == Some("no-store"), "{}", said.body);
    let page = through(&carol, &page, "/verify/code", &[("code", &code)]).await;
    assert!(page.has_form("/new-password"), "{}", page.page_summary());
    // Everything is told under the reference of the request that it came from.
    let sent = provider.audited("code_sent").await;
    let (failed, done) = (provider.audited("message_failed").await, provider.audited("message_sent").await);
    assert_eq!((failed.len(), &failed[0].reference), (1, &sent[1].reference));
    assert!(failed[0].detail.contains("text_refused"), "{}", failed[0].detail);
    assert!(done.iter().any(|entry| entry.reference == sent[0].reference && entry.detail.contains("call")));
    let entries = provider.audit().await;
    assert!(entries.iter().all(|entry| !entry.detail.contains(&code) && !entry.detail.contains(CELL)));
}

async fn a_text_that_did_not_arrive_comes_back_as_try_a_call(backend: Backend) {
    let (provider, _api, carol) = with_carol(&backend, &[(201, "{}")]).await;
    let choice = follow_link(&provider, &carol).await;
    // By number: a landline, a carrier's filter, a phone out of reach; and no reason at all.
    for error in [Some("30006"), Some("30007"), Some("30003"), None] {
        provider.advance(SignedDuration::from_mins(5));
        let (page, id) = handed_on(&provider, &carol, &choice, "text:").await;
        assert!(!carol.get(page.asked.as_str()).await.body.contains(NO_TEXTS));
        let mut fields = vec![("MessageStatus", "undelivered"), ("To", CELL)];
        fields.extend(error.map(|error| ("ErrorCode", error)));
        assert_eq!(call_back(&provider, &callback(id), &fields, None).await.status, 204);
        let shown = carol.get(page.asked.as_str()).await;
        assert!(shown.body.contains(NO_TEXTS), "{error:?}: {}", shown.page_summary());
    }
}

async fn a_call_that_nobody_takes_is_told(backend: Backend) {
    let (provider, _api, carol) = with_carol(&backend, &[(201, "{}")]).await;
    let choice = follow_link(&provider, &carol).await;
    let (page, id) = handed_on(&provider, &carol, &choice, "call:").await;
    for (status, shown) in [("ringing", false), ("completed", false), ("busy", true), ("no-answer", true)] {
        assert_eq!(call_back(&provider, &callback(id), &[("CallStatus", status)], None).await.status, 204);
        let page = carol.get(page.asked.as_str()).await;
        assert_eq!(
            page.body.contains("We could not reach this number"),
            shown,
            "{status}: {}",
            page.page_summary()
        );
    }
    assert_eq!(provider.audited("message_failed").await.len(), 1);
}

async fn a_text_that_does_not_go_out_is_told_as_tried_again_and_then_as_what_became_of_it(backend: Backend) {
    const TRYING: &str = "The code has not gone out yet";
    const UNDER_WAY: &str = "We are sending a text message";
    const SENT: &str = "We sent a text message";
    let (provider, _api, carol) = with_carol(&backend, &[(503, "later"), (201, "{}")]).await;
    let choice = follow_link(&provider, &carol).await;
    let way = ways(&choice).into_iter().find(|found| found.starts_with("text:")).unwrap();
    let page = through(&carol, &choice, "/verify/send", &[("method", &way)]).await;
    assert!(page.body.contains(UNDER_WAY) && !page.body.contains(TRYING), "{}", page.page_summary());
    let message = provider.outbox().await.into_iter().find(|m| m.body.kind() == "code").unwrap();
    provider.send_until(message.id, |state| state.last_error.is_some()).await;
    let trying = carol.get(page.asked.as_str()).await;
    assert!(trying.body.contains(TRYING) && !trying.body.contains(SENT), "{}", trying.page_summary());
    // What `explain` reads beside the trail.
    let account = message.account.unwrap();
    let waiting = provider.provider.store.waiting_messages_of(account).await.unwrap();
    assert!(waiting.iter().any(|one| one.kind == "code" && one.last_error.as_deref() == Some("busy")));
    // Five seconds, and up to a quarter more.
    provider.advance(SignedDuration::from_secs(7));
    provider.send_until_over(message.id).await;
    let sent = carol.get(page.asked.as_str()).await;
    assert!(sent.body.contains(SENT) && !sent.body.contains(TRYING), "{}", sent.page_summary());
    let waiting = provider.provider.store.waiting_messages_of(account).await.unwrap();
    assert!(waiting.iter().all(|one| one.kind != "code"));
}

async fn a_callback_is_heard_from_twilio_alone(backend: Backend) {
    let (provider, _api, carol) = with_carol(&backend, &[(201, "{}")]).await;
    let choice = follow_link(&provider, &carol).await;
    let (page, id) = handed_on(&provider, &carol, &choice, "text:").await;
    let (target, fate) = (callback(id), [("ErrorCode", "30006"), ("MessageStatus", "undelivered")]);
    let elsewhere = signature(&format!("https://elsewhere.example{target}"), &fate);
    let of_other_fields = signature(&format!("{}{target}", provider.issuer), &fate[1..]);
    for wrong in ["", "AAAA", "not base64!", &elsewhere, &of_other_fields] {
        assert_eq!(call_back(&provider, &target, &fate, Some(wrong)).await.status, 403, "{wrong}");
    }
    assert_eq!(provider.browser().says_nothing().post(&target, &fate).await.status, 403);
    assert_eq!(provider.browser().get(&target).await.status, 405);
    assert_eq!(call_back(&provider, "/callbacks/twilio/nothing", &fate, None).await.status, 404);
    let long = call_back(&provider, &target, &[("SmsStatus", &"x".repeat(1 << 20))], None).await;
    assert_eq!((long.status, long.body.as_str()), (413, ""));
    assert!(provider.audited("message_failed").await.is_empty());
    assert!(!carol.get(page.asked.as_str()).await.body.contains(NO_TEXTS));
    // Played back it changes nothing more; for a message that is none of ours it changes nothing at all.
    for _ in 0..3 {
        assert_eq!(call_back(&provider, &target, &fate, None).await.status, 204);
    }
    let delivered = [("MessageStatus", "delivered")];
    assert_eq!(call_back(&provider, &target, &delivered, None).await.status, 204);
    let other = callback(MessageId(provider.provider.random.uuid_v4()));
    assert_eq!(call_back(&provider, &other, &fate, None).await.status, 204);
    assert_eq!(provider.audited("message_failed").await.len(), 1);
    assert!(carol.get(page.asked.as_str()).await.body.contains(NO_TEXTS));
}

async fn the_words_behind_a_key_are_for_twilio_and_this_call(backend: Backend) {
    let (provider, api, carol) = with_carol(&backend, &[(201, "{}")]).await;
    let choice = follow_link(&provider, &carol).await;
    let way = ways(&choice).into_iter().find(|way| way.starts_with("call:")).unwrap();
    through(&carol, &choice, "/verify/send", &[("method", &way)]).await;
    let code = digits(&provider).await;
    let id = provider.outbox().await.into_iter().find(|m| m.body.kind() == "code").unwrap().id;
    provider.send_until_over(id).await;
    assert!(!api.got()[0].1.contains(&code), "said before the key: {}", api.got()[0].1);
    let key = api.key_address().replace(&provider.issuer, "");
    let digit = [("Digits", "1")];
    let other = key.replace(&id.to_string(), &MessageId(provider.provider.random.uuid_v4()).to_string());
    let cut = &key[..key.len() - 4];
    for (target, signed) in [(key.as_str(), Some("")), (&key, Some("AAAA")), (&other, None), (cut, None)] {
        let refused = call_back(&provider, target, &digit, signed).await;
        assert_eq!((refused.status, refused.body.as_str()), (403, ""), "{target}");
    }
    let says = |answer: &TestResponse| {
        let digits: String = answer.body.chars().filter(char::is_ascii_digit).collect();
        digits.contains(&code)
    };
    // Another key says it once more, until the code is of no use.
    for _ in 0..2 {
        let said = call_back(&provider, &key, &digit, None).await;
        assert!(said.status == 200 && says(&said) && said.body.contains("<Gather"), "{}", said.body);
    }
    provider.advance(SignedDuration::from_mins(10));
    let over = call_back(&provider, &key, &digit, None).await;
    assert!(over.status == 200 && !says(&over) && over.body.contains("<Hangup/>"), "{}", over.body);
}
