use crate::fixtures::*;
use crate::support::on_both_databases;
use anteroom_domain::grant::GrantEnd;
use anteroom_domain::ids::NodeId;
use anteroom_domain::limits::{Limit, RateLimitCheck};
use anteroom_domain::message::{Mail, Message, MessageBody};
use anteroom_domain::rate::{RateLimit, Wait};
use anteroom_domain::session::SessionEnd;
use anteroom_domain::subject::SubjectNamespace;
use anteroom_oidc::ClientId;
use anteroom_storage::{
    DeliveryResult, Instance, InstanceKind, LogoutClients, LogoutDelivery, LogoutLease, Node, RELEASE,
    RateLimitResult, Store, StoreError, StoreOptions, Sweeps, Swept, WriteMode,
};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;

on_both_databases!(
    messages_are_read_newest_first,
    a_logout_is_leased_to_one_node_at_a_time,
    one_client_is_leased_a_few_at_a_time,
    a_lease_that_ran_out_is_due_again,
    a_burst_counts_no_more_than_its_limit,
    what_is_refused_by_one_budget_is_counted_by_none,
    a_database_is_made_for_one_kind_of_instance,
    nodes_are_heard_of,
    the_sweep_takes_what_is_over_and_leaves_the_rest,
    an_effect_of_a_form_is_recorded_once_for_a_moment,
    the_database_answers_and_its_clock_is_close,
);

async fn messages_are_read_newest_first(options: StoreOptions) {
    let store = store(&options).await;
    let unit = store.write(|tx| async move {
        for number in 1..=3 {
            let message = Message {
                id: message_id(number),
                account: Some(account_id(1)),
                locale: (number == 1).then(|| "es".to_owned()),
                body: MessageBody::Email {
                    to: address(number),
                    mail: Mail::AccountLocked { at: at(0), link: format!("https://demo.example/{number}") },
                },
                reference: None,
                created_at: at(i64::from(number)),
                expires_at: at(1000),
            };
            tx.enqueue(&message).await?;
        }
        Ok::<_, StoreError>(())
    });
    unit.await.unwrap();
    let newest = store.newest_messages(2).await.unwrap();
    assert_eq!(newest.iter().map(|message| message.id).collect::<Vec<_>>(), [message_id(3), message_id(2)]);
    let mail = Mail::AccountLocked { at: at(0), link: "https://demo.example/3".to_owned() };
    assert_eq!(newest[0].body, MessageBody::Email { to: address(3), mail });
    assert_eq!((&newest[0].locale, newest[0].created_at), (&None, at(3)));
}

fn delivery(number: u8) -> LogoutDelivery {
    LogoutDelivery {
        id: message_id(number),
        client: "client-1".parse().unwrap(),
        session: session_id(1),
        account: account_id(1),
        subjects: Some(SubjectNamespace::Pairwise("lab.example".to_owned())),
        attempts: 0,
        created_at: at(0),
        expires_at: at(1000),
    }
}

async fn lease(store: &Store, now: Timestamp, until: Timestamp, limit: u32) -> Vec<LogoutDelivery> {
    let all = LogoutLease { until, per_client: 100, of: LogoutClients::AllBut(Vec::new()) };
    lease_as(store, now, all, limit).await
}

async fn lease_as(store: &Store, now: Timestamp, lease: LogoutLease, most: u32) -> Vec<LogoutDelivery> {
    let leased = write_with(store, (now, lease, most), |tx, (now, lease, most)| {
        Box::pin(tx.lease_logouts(*now, lease, *most))
    });
    leased.await.unwrap()
}

async fn queued(options: &StoreOptions, deliveries: u8) -> Store {
    let store = store(options).await;
    let unit = store.write(move |tx| async move {
        for number in 1..=deliveries {
            tx.enqueue_logouts(&[delivery(number)]).await?;
        }
        Ok::<_, StoreError>(())
    });
    unit.await.unwrap();
    store
}

async fn a_logout_is_leased_to_one_node_at_a_time(options: StoreOptions) {
    let store = queued(&options, 40).await;
    let nodes: Vec<_> = (0..8)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move { lease(&store, at(1), at(30), 5).await })
        })
        .collect();
    let mut seen = BTreeSet::new();
    let mut count = 0;
    for node in nodes {
        let leased = node.await.unwrap();
        assert!(leased.len() <= 5);
        count += leased.len();
        seen.extend(leased.iter().map(|delivery| delivery.id));
    }
    assert_eq!(seen.len(), count, "one delivery was leased twice");
    // A node that met another at the same rows comes away with fewer, never with the same.
    count += lease(&store, at(1), at(30), 40).await.len();
    assert_eq!(count, 40);
    assert!(lease(&store, at(2), at(30), 40).await.is_empty());
}

async fn one_client_is_leased_a_few_at_a_time(options: StoreOptions) {
    let store = queued(&options, 20).await;
    let other = LogoutDelivery { client: "other".parse().unwrap(), created_at: at(1), ..delivery(21) };
    write_with(&store, [other.clone()], |tx, late| Box::pin(tx.enqueue_logouts(late))).await.unwrap();
    let of = |of: LogoutClients| LogoutLease { until: at(30), per_client: 4, of };
    let names = |clients: &[&ClientId]| clients.iter().map(|client| (*client).clone()).collect();
    let few = |except: &[&ClientId]| of(LogoutClients::AllBut(names(except)));
    let many = delivery(1).client;
    assert_eq!(lease_as(&store, at(1), few(&[&many, &other.client]), 100).await, []);
    assert_eq!(lease_as(&store, at(1), of(LogoutClients::These(Vec::new())), 100).await, []);
    let third = "third".parse().unwrap();
    assert_eq!(lease_as(&store, at(1), of(LogoutClients::These(names(&[&third]))), 100).await, []);
    let first = lease_as(&store, at(1), few(&[]), 100).await;
    assert_eq!(first.len(), 5, "four of one, and the only one of the other");
    assert!(first.contains(&other));
    assert_eq!(lease_as(&store, at(1), few(&[&many]), 100).await, []);
    assert_eq!(lease_as(&store, at(1), few(&[]), 100).await.len(), 4);
}

async fn a_lease_that_ran_out_is_due_again(options: StoreOptions) {
    let store = queued(&options, 3).await;
    assert_eq!(lease(&store, at(1), at(30), 1).await.len(), 1);
    assert_eq!(lease(&store, at(1), at(30), 9).await.len(), 2);
    assert!(lease(&store, at(29), at(60), 9).await.is_empty());
    let mut again = lease(&store, at(30), at(60), 9).await;
    again.sort_by_key(|delivery| delivery.id);
    let expected: Vec<_> = (1..=3).map(|number| LogoutDelivery { attempts: 1, ..delivery(number) }).collect();
    assert_eq!(again, expected);
    let unit = store.write(|tx| async move {
        tx.finish_logout(message_id(1), DeliveryResult::Done).await?;
        tx.finish_logout(message_id(2), DeliveryResult::Failed).await?;
        tx.finish_logout(message_id(3), DeliveryResult::Retry { at: at(500) }).await
    });
    unit.await.unwrap();
    assert!(lease(&store, at(499), at(600), 9).await.is_empty());
    assert_eq!(lease(&store, at(500), at(600), 9).await, [LogoutDelivery { attempts: 2, ..delivery(3) }]);
    // Worthless after its end.
    assert!(lease(&store, at(1000), at(1100), 9).await.is_empty());
}

fn budget(limit: Limit, subject: &str, max: u32) -> RateLimitCheck {
    let rate = RateLimit { max, window: SignedDuration::from_secs(60) };
    RateLimitCheck { limit, limit_key: subject.to_owned(), rate }
}

async fn spend(store: &Store, budgets: Vec<RateLimitCheck>, now: Timestamp) -> RateLimitResult {
    let spent = write_with(store, (budgets, now), |tx, (budgets, now)| Box::pin(tx.spend(budgets, *now)));
    spent.await.unwrap()
}

/// So many at once; how many were counted.
async fn burst(store: &Store, size: u32, budgets: &[RateLimitCheck], now: Timestamp) -> u32 {
    let tasks: Vec<_> = (0..size)
        .map(|_| {
            let (store, budgets) = (store.clone(), budgets.to_vec());
            tokio::spawn(async move { spend(&store, budgets, now).await })
        })
        .collect();
    let mut counted = 0;
    for task in tasks {
        counted += u32::from(task.await.unwrap() == RateLimitResult::Counted);
    }
    counted
}

async fn a_burst_counts_no_more_than_its_limit(options: StoreOptions) {
    let store = store(&options).await;
    let budgets = [budget(Limit::SignIn, "192.0.2.1", 20)];
    assert_eq!(burst(&store, 60, &budgets, at(30)).await, 20);
    // Others, and other limits, have counters of their own.
    assert_eq!(
        spend(&store, vec![budget(Limit::SignIn, "192.0.2.2", 20)], at(30)).await,
        RateLimitResult::Counted
    );
    assert_eq!(
        spend(&store, vec![budget(Limit::Recovery, "192.0.2.1", 20)], at(30)).await,
        RateLimitResult::Counted
    );
    // In the middle of the next window half of the one before still counts.
    assert_eq!(burst(&store, 60, &budgets, at(90)).await, 10);
    let refused =
        RateLimitResult::Refused { limit: Limit::SignIn, wait: Wait(SignedDuration::from_secs(30)) };
    assert_eq!(spend(&store, budgets.to_vec(), at(90)).await, refused);
    assert_eq!(burst(&store, 60, &budgets, at(210)).await, 20);
}

async fn what_is_refused_by_one_budget_is_counted_by_none(options: StoreOptions) {
    let store = store(&options).await;
    let number = budget(Limit::PhoneNumber, "+12025550143", 10);
    let narrow_first = [number.clone(), budget(Limit::PhonePrefix, "+1202555", 3)];
    assert_eq!(burst(&store, 40, &narrow_first, at(30)).await, 3);
    assert_eq!(burst(&store, 40, &[number], at(30)).await, 7);
}

async fn a_database_is_made_for_one_kind_of_instance(options: StoreOptions) {
    let store = Store::connect(&options).await.unwrap();
    assert_eq!(store.instance().await.unwrap(), None);
    let demo = Instance { kind: InstanceKind::Demo, epoch: 0, created_at: at(1) };
    assert_eq!(store.init_instance(InstanceKind::Demo, at(1)).await.unwrap(), demo);
    assert_eq!(store.init_instance(InstanceKind::Production, at(2)).await.unwrap(), demo);
    assert_eq!(store.instance().await.unwrap(), Some(demo));
}

async fn nodes_are_heard_of(options: StoreOptions) {
    let store = store(&options).await;
    let (one, other) = (NodeId(message_id(1).0), NodeId(message_id(2).0));
    let unit = store.write(move |tx| async move {
        tx.heartbeat(one, "aa", at(0)).await?;
        tx.heartbeat(other, "aa", at(1)).await?;
        tx.heartbeat(one, "bb", at(60)).await
    });
    unit.await.unwrap();
    let node = Node {
        id: one,
        config_digest: "bb".to_owned(),
        started_at: at(0),
        seen_at: at(60),
        release: Some(RELEASE.to_owned()),
    };
    assert_eq!(store.nodes(at(2)).await.unwrap(), [node]);
    assert_eq!(store.nodes(at(0)).await.unwrap().len(), 2);
    store.write(move |tx| async move { tx.delete_node(one).await }).await.unwrap();
    assert_eq!(store.nodes(at(0)).await.unwrap().iter().map(|node| node.id).collect::<Vec<_>>(), [other]);
}

async fn the_sweep_takes_what_is_over_and_leaves_the_rest(options: StoreOptions) {
    let day = |days: i64| at(days * 86_400);
    let store = store_with(&options, [1]).await;
    let unit = store.write(|tx| async move {
        for number in 1..=5 {
            tx.insert_session(&session(number, 1), &digest(number)).await?;
            tx.insert_grant(&grant(number, 1, number, "openid"), at(2000)).await?;
            tx.insert_family(&family(number)).await?;
            tx.revoke_jti(&format!("jti-{number}"), at(60)).await?;
        }
        tx.insert_grant(&grant(6, 1, 1, "openid offline_access"), at(86_400 * 180)).await?;
        tx.insert_grant(&grant(7, 1, 1, "openid"), at(86_400 * 180)).await?;
        tx.revoke_grant(grant_id(7), GrantEnd::ClientRevoked, at(60)).await?;
        tx.end_sessions(&[session_id(1)], SessionEnd::SignedOut, at(60)).await?;
        tx.revoke_jti("later", at(86_400 * 2)).await?;
        tx.spend(&[budget(Limit::SignIn, "192.0.2.1", 1)], at(0)).await
    });
    unit.await.unwrap();

    // Everything stays for a day after its end.
    assert_eq!(store.sweep(at(86_400), 100, Sweeps::ALL).await.unwrap(), Swept::default());
    let first = store.sweep(day(1) + SignedDuration::from_secs(3000), 2, Sweeps::ALL).await.unwrap();
    assert_eq!((first.rows, first.unfinished.is_empty()), (2 + 2 + 1 + 1, false));
    let mut swept = first.rows;
    while store
        .sweep(day(1) + SignedDuration::from_secs(3000), 2, Sweeps::ALL)
        .await
        .map(|it| {
            swept += it.rows;
            !it.unfinished.is_empty()
        })
        .unwrap()
    {}
    assert_eq!(swept, 5 + 5 + 1 + 1);

    assert!(store.grant_with_context(grant_id(1)).await.unwrap().is_none());
    assert!(store.grant_with_context(grant_id(7)).await.unwrap().is_none());
    let offline = store.grant_with_context(grant_id(6)).await.unwrap().unwrap();
    assert_eq!((offline.grant.session, offline.session), (session_id(1), None));
    assert_eq!(store.session(session_id(2)).await.unwrap().unwrap().ended_at, None);
    assert!(store.is_revoked("later").await.unwrap() && !store.is_revoked("jti-1").await.unwrap());
    assert_eq!(store.sweep(day(3) + SignedDuration::from_secs(60), 100, Sweeps::ALL).await.unwrap().rows, 2);
}

async fn record(store: &Store, form: u8, seconds: i64) -> bool {
    let unit = store.write(move |tx| async move {
        tx.record_effect(digest(form).as_bytes(), at(seconds), at(seconds + 30)).await
    });
    unit.await.unwrap()
}

async fn an_effect_of_a_form_is_recorded_once_for_a_moment(options: StoreOptions) {
    let store = store(&options).await;
    let at_once = futures_util::future::join_all((0..8).map(|_| record(&store, 1, 100))).await;
    assert_eq!(at_once.into_iter().filter(|is_first| *is_first).count(), 1);
    assert!(record(&store, 2, 100).await);
    // Also where the clock of the other node is behind. The time is that of the effect, and a repetition does not move it.
    for seconds in [90, 129] {
        assert!(!record(&store, 1, seconds).await, "{seconds}");
    }
    assert!(record(&store, 1, 130).await);
    assert!(!record(&store, 1, 159).await);
    assert_eq!(store.sweep(at(131), 100, Sweeps::ALL).await.unwrap().rows, 1);
    assert_eq!(store.sweep(at(161), 100, Sweeps::ALL).await.unwrap().rows, 1);
}

async fn the_database_answers_and_its_clock_is_close(options: StoreOptions) {
    let store = store(&options).await;
    let state = store.state().await.unwrap();
    assert_eq!(state.writes, WriteMode::Writable);
    #[expect(clippy::disallowed_methods, reason = "the database's clock is the system's")]
    let now = Timestamp::now();
    if let Some(time) = state.time {
        assert!(now.duration_since(time).abs() < SignedDuration::from_secs(60), "{time}");
    }
    store.close().await;
    assert_eq!(store.account(account_id(1)).await, Err(StoreError::Closed));
}

/// An operator sees this at the first start: which file or server it is, and what helps.
#[tokio::test]
async fn a_database_that_cannot_be_opened_is_told_by_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let told = async |options: StoreOptions| match Store::connect(&options).await {
        Ok(_) => panic!("it was opened"),
        Err(error) => error.to_string(),
    };
    let missing = folder.path().join("missing");
    let error = told(StoreOptions::sqlite(missing.join("anteroom.db"))).await;
    assert!(error.contains(&format!("install -d -m 700 {}", missing.display())), "{error}");
    let error = told(StoreOptions::sqlite(folder.path())).await;
    assert!(error.contains(&folder.path().display().to_string()) && error.contains("ls -ld"), "{error}");

    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("postgres://anteroom:hunter2@127.0.0.1:{port}/anteroom");
    let mut options = StoreOptions::from_url(&url.into()).unwrap();
    options.request_timeout = std::time::Duration::from_millis(300);
    let error = told(options).await;
    assert!(error.contains(&format!("PostgreSQL at 127.0.0.1, port {port}")), "{error}");
    assert!(error.contains("pg_isready") && !error.contains("hunter2"), "{error}");
}
