//! A line in JSON is one object whose members have different names.

use crate::Page;
use anteroom_domain::ids::MessageId;
use anteroom_domain::message::{Message, MessageBody, OneTimeCodeText};
use anteroom_domain::phone::E164;
use anteroom_messaging::{Rendered, Senders, Worker};
use anteroom_server::logging::json;
use anteroom_storage::MessageStatus;
use anteroom_testkit::{TestProvider, on_sqlite};
use jiff::SignedDuration;
use serde_json::Value;
use std::time::Duration;
use tokio::sync::watch;

/// A text to a phone for which nothing is configured: it ends at once.
async fn send_in_vain(provider: &TestProvider) -> MessageId {
    let now = provider.now();
    let id = MessageId(provider.provider.random.uuid_v4());
    let code = OneTimeCodeText { digits: "402918".to_owned(), minutes: 10 };
    let message = Message {
        id,
        account: None,
        locale: None,
        body: MessageBody::Text { to: E164::parse("+12025550143").unwrap(), code },
        reference: None,
        created_at: now,
        expires_at: now.checked_add(SignedDuration::from_mins(10)).unwrap(),
    };
    let store = provider.provider.store.clone();
    let queued = store.write(move |tx| {
        let message = message.clone();
        async move { tx.enqueue(&message).await }
    });
    queued.await.unwrap();
    let written = |message: &Message| match &message.body {
        MessageBody::Text { to, .. } => Ok(Rendered::Text { to: to.clone(), body: "a code".to_owned() }),
        _ => Ok(Rendered::Unaddressed),
    };
    let worker = Worker {
        store: store.clone(),
        clock: provider.clock.clone(),
        senders: Senders::default(),
        writer: Box::new(written),
        is_stopped_by_rollback: Box::new(|| false),
    };
    let (stop, stopped) = watch::channel(false);
    let failed = async {
        while store.message_state(id).await.unwrap().unwrap().status != MessageStatus::Failed {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        stop.send_replace(true);
    };
    let both = async { tokio::join!(worker.run(stopped), failed) };
    tokio::time::timeout(Duration::from_secs(20), both).await.unwrap();
    id
}

#[tokio::test]
async fn no_line_has_a_member_twice() {
    let page = Page::default();
    let writer = page.clone();
    let _guard = tracing::subscriber::set_default(json("debug", move || writer.clone()));
    on_sqlite(async |backend| {
        let provider = TestProvider::start(&backend).await;
        let (web, browser) = (provider.client("web"), provider.signed_in("alice@practice.example").await);
        let code = web.code(&browser, &[("scope", "openid email admin")]).await;
        web.redeem(&code).await;
        web.redeem(&code).await;
        assert_eq!(provider.browser().get("/end-session?client_id=x").await.status, 400);
        let id = Box::pin(send_in_vain(&provider)).await;
        let log = page.text();
        for line in log.lines() {
            let read: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
            assert!(read["message"].is_string() && read["level"].is_string(), "{line}");
            // Of two members with one name the first is lost.
            assert_eq!(read.to_string().len(), line.len(), "{line}");
        }
        let about = log.lines().find(|line| line.contains(&id.to_string())).unwrap();
        let about: Value = serde_json::from_str(about).unwrap();
        assert_eq!(about["message_id"], id.to_string());
        assert!(
            about["message"].as_str().unwrap().starts_with("not sent, and given up: not_configured"),
            "{about}"
        );
    })
    .await;
}
