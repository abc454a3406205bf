//! What a server does that is not the fault of any statement: it takes no writes, runs out, falls silent, or was never fit.

use super::{insert, read};
use crate::engine::options::Location;
use crate::engine::{Conn, Engine};
use crate::support;
use crate::unusable_database::UnusableDatabase;
use crate::{StoreError, StoreOptions, migrate};
use sea_orm::{
    ConnectionTrait as _, Database, DatabaseConnection, DbBackend, Statement, TransactionTrait as _,
};
use secrecy::{ExposeSecret as _, SecretString};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Short, for tests that wait for a limit.
const SOON: Duration = Duration::from_secs(1);

pub(super) fn url(options: &StoreOptions) -> String {
    match &options.location {
        Location::Postgres(url) => url.expose_secret().to_owned(),
        Location::Sqlite(path) => panic!("{}", path.display()),
    }
}

pub(super) fn at(url: &str) -> StoreOptions {
    StoreOptions::from_url(&SecretString::from(url)).unwrap()
}

async fn admin(options: &StoreOptions) -> DatabaseConnection {
    let writing = format!("{}?options=-c%20default_transaction_read_only%3Doff", url(options));
    Database::connect(writing).await.unwrap()
}

/// `statement` on the database of these options, whose name stands for `{}`.
async fn alter(options: &StoreOptions, statement: &str) {
    let name = url(options).rsplit_once('/').unwrap().1.to_owned();
    admin(options).await.execute_unprepared(&statement.replace("{}", &name)).await.unwrap();
}

pub(super) async fn write(engine: &Engine, subject: &str) -> Result<(), StoreError> {
    let subject = subject.to_owned();
    let unit = engine.write(move |conn| {
        let subject = subject.clone();
        async move { insert(&conn, &subject).await }
    });
    unit.await
}

pub(super) async fn shown(engine: &Engine, setting: &str) -> String {
    let sql = format!("SELECT current_setting('{setting}')");
    let row = engine.reader().query_one_raw(Statement::from_string(DbBackend::Postgres, sql)).await;
    row.unwrap().unwrap().try_get_by_index(0).unwrap()
}

fn is_unavailable<T: std::fmt::Debug>(answer: &Result<T, StoreError>, why: &str) -> bool {
    matches!(answer, Err(StoreError::Unavailable(text)) if text.contains(why))
}

/// None of these is the statement's fault, so a request is told to come again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_faults_of_connection_and_server_are_unavailable() {
    support::on_postgres(async |options| {
        let engine = Engine::start(&options).await.unwrap();
        for (code, tries) in [
            ("25006", 1..=1),
            ("53100", 1..=1),
            ("53200", 1..=1),
            ("57P03", 1..=1),
            ("58030", 1..=1),
            ("XX001", 1..=1),
            ("XX000", 1..=1),
            ("F0000", 1..=1),
            ("26000", 1..=1),
            ("42P05", 1..=1),
            ("08006", 2..=20),
            ("57P01", 2..=20),
            ("25P03", 2..=20),
        ] {
            let tried = Arc::new(AtomicU32::new(0));
            let counter = Arc::clone(&tried);
            let answer: Result<(), StoreError> = engine
                .write(move |conn| {
                    counter.fetch_add(1, Ordering::SeqCst);
                    async move { raise(&conn, code).await }
                })
                .await;
            assert!(is_unavailable(&answer, code), "{answer:?}");
            assert!(tries.contains(&tried.load(Ordering::SeqCst)), "{code}: {tried:?}");
        }
        for code in ["42601", "23514", "P0001"] {
            let answer: Result<(), StoreError> =
                engine.write(move |conn| async move { raise(&conn, code).await }).await;
            assert!(matches!(answer, Err(StoreError::Statement(_))), "{answer:?}");
        }
    })
    .await;
}

async fn raise(conn: &Conn, code: &str) -> Result<(), StoreError> {
    conn.execute_unprepared(&format!("DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '{code}'; END $$")).await?;
    Ok(())
}

/// A setting of the database reaches new sessions alone: those that were refused must not stay.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_connections_that_took_no_writes_leave_the_pool() {
    support::on_postgres(async |options| {
        alter(&options, "ALTER DATABASE {} SET default_transaction_read_only = on").await;
        let engine = Engine::start(&options).await.unwrap();
        let reader = engine.reader();
        futures_util::future::join_all((0..8).map(|_| read(&reader, "warm"))).await;
        let answer = write(&engine, "refused").await;
        assert!(is_unavailable(&answer, "25006"), "{answer:?}");
        alter(&options, "ALTER DATABASE {} RESET default_transaction_read_only").await;
        let answer = write(&engine, "a session of before").await;
        assert!(answer.is_ok() || is_unavailable(&answer, "25006"), "{answer:?}");
        for number in 0..20 {
            assert_eq!(write(&engine, &format!("unit {number}")).await, Ok(()));
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_commits_survive_a_crash_whatever_the_default_is() {
    support::on_postgres(async |options| {
        for (default, held) in [
            ("off", "on"),
            ("local", "on"),
            ("on", "on"),
            ("remote_write", "remote_write"),
            ("remote_apply", "remote_apply"),
        ] {
            alter(&options, &format!("ALTER DATABASE {{}} SET synchronous_commit = {default}")).await;
            let engine = Engine::start(&options).await.unwrap();
            assert_eq!(shown(&engine, "synchronous_commit").await, held, "{default}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_waits_for_locks_and_statements_less_than_a_request_does() {
    support::on_postgres(async |options| {
        let usual = Engine::start(&options).await.unwrap();
        assert_eq!(shown(&usual, "lock_timeout").await, "3750ms");
        assert_eq!(shown(&usual, "statement_timeout").await, "7500ms");
        let blocker = admin(&options).await;
        let held = blocker.begin().await.unwrap();
        held.execute_unprepared("LOCK TABLE rate_counters").await.unwrap();
        let engine = Engine::start(&StoreOptions { request_timeout: SOON, ..options }).await.unwrap();
        let answer = write(&engine, "locked").await;
        assert!(is_unavailable(&answer, "55P03"), "{answer:?}");
        held.rollback().await.unwrap();
        assert_eq!(write(&engine, "free").await, Ok(()));
        let slow = Statement::from_string(DbBackend::Postgres, "SELECT pg_sleep(60)");
        let answer = engine.reader().query_one_raw(slow).await.map_err(StoreError::from);
        assert!(is_unavailable(&answer, "57014"), "{answer:?}");
    })
    .await;
}

/// The server ends a transaction that stands still (25P03), as it does when a node is suspended.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_runs_a_unit_again_whose_transaction_stood_still_too_long() {
    support::on_postgres(async |options| {
        let watcher = admin(&options).await;
        let engine = Engine::start(&StoreOptions { request_timeout: SOON, ..options }).await.unwrap();
        let tried = Arc::new(AtomicU32::new(0));
        let counter = Arc::clone(&tried);
        let answer: Result<(), StoreError> = engine
            .write(move |conn| {
                let (watcher, attempt) = (watcher.clone(), counter.fetch_add(1, Ordering::SeqCst));
                async move {
                    insert(&conn, "stood still").await?;
                    while attempt == 0 && stands_still(&watcher).await {
                        tokio::task::yield_now().await;
                    }
                    insert(&conn, "went on").await
                }
            })
            .await;
        assert_eq!((answer, tried.load(Ordering::SeqCst)), (Ok(()), 2));
    })
    .await;
}

async fn stands_still(watcher: &DatabaseConnection) -> bool {
    let sql = "SELECT 1 FROM pg_stat_activity \
               WHERE datname = current_database() AND state = 'idle in transaction'";
    watcher.query_one_raw(Statement::from_string(DbBackend::Postgres, sql)).await.unwrap().is_some()
}

/// A way to the server on which what is connected can be silenced: it stays open, and nothing goes through any more.
struct Way {
    port: u16,
    silenced: watch::Sender<u32>,
}

impl Way {
    async fn to(server: &str) -> Self {
        let (server, listener) = (server.to_owned(), TcpListener::bind("127.0.0.1:0").await.unwrap());
        let port = listener.local_addr().unwrap().port();
        let silenced = watch::Sender::new(0);
        let seen = silenced.subscribe();
        tokio::spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                let mut far = TcpStream::connect(&server).await.unwrap();
                let mut seen = seen.clone();
                let begun = *seen.borrow_and_update();
                tokio::spawn(async move {
                    tokio::select! {
                        _ = copy_bidirectional(&mut near, &mut far) => return,
                        _ = seen.wait_for(|times| *times > begun) => {}
                    }
                    let () = std::future::pending().await;
                });
            }
        });
        Self { port, silenced }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_connections_that_fell_silent_are_unavailable_and_leave_the_pool() {
    support::on_postgres(async |options| {
        let (head, name) = url(&options).rsplit_once('/').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
        let (scheme, server) = head.split_once("://").unwrap();
        let (user, server) = server.split_once('@').unwrap();
        let way = Way::to(server).await;
        let led = format!("{scheme}://{user}@127.0.0.1:{}/{name}?sslmode=disable", way.port);
        let engine = Engine::start(&StoreOptions { request_timeout: SOON, ..at(&led) }).await.unwrap();
        let reader = engine.reader();
        futures_util::future::join_all((0..8).map(|_| read(&reader, "warm"))).await;
        way.silenced.send_modify(|times| *times += 1);
        let answer = write(&engine, "silence").await;
        assert!(is_unavailable(&answer, "did not answer in time"), "{answer:?}");
        for number in 0..20 {
            assert_eq!(write(&engine, &format!("unit {number}")).await, Ok(()));
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_that_has_no_connection_left_is_named_as_the_cause() {
    support::on_postgres(async |options| {
        let role = url(&options).rsplit_once('/').unwrap().1.to_owned();
        alter(&options, "CREATE ROLE {} LOGIN PASSWORD 'once' CONNECTION LIMIT 1").await;
        let once = as_role(&options, &role, "once");
        let first = Database::connect(url(&once)).await.unwrap();
        let second = Engine::start(&StoreOptions { request_timeout: SOON, ..once }).await.map(drop);
        assert!(is_unavailable(&second, "database.max_connections"), "{second:?}");
        first.close().await.unwrap();
        alter(&options, "DROP ROLE {}").await;
    })
    .await;
}

/// The same database, under another role.
fn as_role(options: &StoreOptions, role: &str, password: &str) -> StoreOptions {
    let (scheme, rest) = url(options).split_once("://").map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    let place = rest.rsplit_once('@').unwrap().1.to_owned();
    at(&format!("{scheme}://{role}:{password}@{place}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_databases_that_do_not_fit_are_refused_by_name() {
    support::on_postgres(async |options| {
        alter(
            &options,
            "CREATE DATABASE {}_latin1 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0",
        )
        .await;
        let latin1 = format!("{}_latin1", url(&options));
        let refused = migrate(&at(&latin1)).await;
        assert_eq!(refused, Err(StoreError::Unsuitable(UnusableDatabase::Encoding("LATIN1".to_owned()))));
        alter(&options, "DROP DATABASE {}_latin1").await;

        alter(&options, "CREATE DATABASE {}_new TEMPLATE template0").await;
        let new = at(&format!("{}_new", url(&options)));
        alter(&new, "ALTER DATABASE {} SET search_path = nowhere").await;
        assert!(matches!(unsuitable(&new).await, UnusableDatabase::NoSchema { .. }));
        alter(&new, "ALTER DATABASE {} RESET search_path").await;
        alter(&new, "ALTER DATABASE {} SET default_transaction_read_only = on").await;
        assert_eq!(unsuitable(&new).await, UnusableDatabase::ReadOnly);
        alter(&options, "DROP DATABASE {}_new WITH (FORCE)").await;

        alter(&options, "CREATE SCHEMA other").await;
        alter(&options, "ALTER DATABASE {} SET search_path = other").await;
        let UnusableDatabase::OtherSchema { found, .. } = unsuitable(&options).await else {
            panic!("not refused")
        };
        assert_eq!(found, "public");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_roles_that_may_not_make_tables_are_refused_by_name() {
    support::on_postgres(async |options| {
        let role = url(&options).rsplit_once('/').unwrap().1.to_owned();
        alter(&options, "CREATE DATABASE {}_new TEMPLATE template0").await;
        alter(&options, "CREATE ROLE {} LOGIN PASSWORD 'guest'").await;
        let new = at(&format!("{}_new", url(&options)));
        alter(&new, "REVOKE CREATE ON SCHEMA public FROM PUBLIC").await;
        let refused = unsuitable(&as_role(&new, &role, "guest")).await;
        assert_eq!(refused, UnusableDatabase::NoCreate { schema: "public".to_owned(), role });
        alter(&options, "DROP DATABASE {}_new WITH (FORCE)").await;
        alter(&options, "DROP ROLE {}").await;
    })
    .await;
}

/// Why the schema cannot be made there.
async fn unsuitable(options: &StoreOptions) -> UnusableDatabase {
    match migrate(options).await {
        Err(StoreError::Unsuitable(why)) => why,
        other => panic!("{other:?}"),
    }
}
