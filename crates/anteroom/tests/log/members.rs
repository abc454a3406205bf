//! A line in JSON is one object whose members have different names.

use crate::Page;
use anteroom_domain::ids::MessageId;
use anteroom_domain::message::{Message, MessageBody, SecretCode};
use anteroom_domain::phone::E164;
use anteroom_messaging::{Rendered, Senders, Worker};
use anteroom_server::logging::json;
use anteroom_storage::MessageStatus;
use anteroom_testkit::{TestProvider, on_sqlite};
use jiff::SignedDuration;
use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;
use tokio::sync::watch;

/// The members of an object, each of them once.
struct Members(BTreeSet<String>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Once)
    }
}

struct Once;

impl<'de> Visitor<'de> for Once {
    type Value = Members;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
        let mut names = BTreeSet::new();
        while let Some((name, _)) = map.next_entry::<String, IgnoredAny>()? {
            if !names.insert(name.clone()) {
                return Err(A::Error::custom(format!("{name} is there twice")));
            }
        }
        Ok(Members(names))
    }
}

/// A text to a phone for which nothing is configured: it ends at once.
async fn send_in_vain(provider: &TestProvider) -> MessageId {
    let now = provider.now();
    let id = MessageId(provider.provider.random.uuid_v4());
    let code = SecretCode { digits: "402918".to_owned(), minutes: 10 };
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
        is_paused: Box::new(|| false),
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
            let members =
                serde_json::from_str::<Members>(line).unwrap_or_else(|error| panic!("{error}: {line}"));
            assert!(members.0.contains("message") && members.0.contains("level"), "{line}");
        }
        let about = log.lines().find(|line| line.contains(&id.to_string())).unwrap();
        let about: serde_json::Value = serde_json::from_str(about).unwrap();
        assert_eq!(about["message_id"], id.to_string());
        assert!(
            about["message"].as_str().unwrap().starts_with("not sent, and given up: not_configured"),
            "{about}"
        );
    })
    .await;
}
