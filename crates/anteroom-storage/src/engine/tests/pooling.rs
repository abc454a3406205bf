//! Through a real PgBouncer. `ANTEROOM_TEST_PGBOUNCER` is its address without a database: each database of the server is in
//! session mode there, and `transaction`, which is `postgres`, in transaction mode. Without it these tests do nothing.

use super::server::{at, shown, url, write};
use crate::engine::{Conn, Engine};
use crate::unusable_database::UnusableDatabase;
use crate::{StoreError, migrate, support};
use futures_util::future::join_all;
use sea_orm::{ConnectOptions, ConnectionTrait as _, Database};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

fn pooler() -> Option<String> {
    std::env::var("ANTEROOM_TEST_PGBOUNCER").ok()
}

/// Runs while a unit does, so that each is on a connection of its own.
async fn limits_of_eight_connections(engine: &Engine, start: &str) -> Vec<String> {
    let readers = (0..8).map(|number| async move {
        write(engine, &format!("{start} {number}")).await.unwrap();
        shown(engine, "lock_timeout").await
    });
    join_all(readers).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_behind_a_pooler_in_session_mode_keeps_what_was_set_and_prepared() {
    let Some(pooler) = pooler() else { return };
    support::on_postgres(async |direct| {
        let name = url(&direct).rsplit_once('/').unwrap().1.to_owned();
        let options = at(&format!("{pooler}/{name}"));
        migrate(&options).await.unwrap();
        for start in ["first", "second"] {
            let engine = Engine::start(&options).await.unwrap();
            let limits = limits_of_eight_connections(&engine, start).await;
            assert!(limits.iter().all(|limit| limit == "3750ms"), "{limits:?}");
            engine.close().await;
        }
    })
    .await;
}

/// Both ways to use it.
async fn assert_refused(pooler: &str, when: &str) {
    let options = at(&format!("{pooler}/transaction"));
    let shared = Err(StoreError::Unsuitable(UnusableDatabase::SharedSession));
    assert_eq!(Engine::start(&options).await.map(drop), shared, "{when}");
    assert_eq!(migrate(&options).await.map(drop), shared, "{when}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_behind_a_pooler_in_transaction_mode_is_refused() {
    let Some(pooler) = pooler() else { return };
    assert_refused(&pooler, "an idle pooler").await;
    // Other clients take sessions and give them back between two questions.
    let is_over = Arc::new(AtomicBool::new(false));
    let others = (0..4).map(|_| {
        let (is_over, url) = (Arc::clone(&is_over), format!("{pooler}/transaction"));
        tokio::spawn(async move {
            let mut options = ConnectOptions::new(url);
            options.max_connections(1).map_sqlx_postgres_opts(|options| options.extra_float_digits(None));
            let other = Database::connect(options).await.unwrap();
            while !is_over.load(Ordering::Relaxed) {
                other.execute_unprepared("SELECT 1").await.unwrap();
            }
        })
    });
    let others: Vec<_> = others.collect();
    for attempt in 0..20 {
        assert_refused(&pooler, &format!("a busy pooler, attempt {attempt}")).await;
    }
    is_over.store(true, Ordering::Relaxed);
    for other in others {
        other.await.unwrap();
    }
}

/// Not seen at the start, or changed since: the first statement that is prepared finds it out.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_statements_of_other_connections_mean_a_pooler() {
    support::on_postgres(async |options| {
        let engine = Engine::start(&options).await.unwrap();
        let answer: Result<(), StoreError> = engine.write(|conn: Conn| async move { execute_missing(&conn).await }).await;
        assert!(
            matches!(&answer, Err(StoreError::Unavailable(why)) if why.contains("(26000)") && why.contains("pool_mode = session")),
            "{answer:?}"
        );
    })
    .await;
}

async fn execute_missing(conn: &Conn) -> Result<(), StoreError> {
    conn.execute_unprepared("EXECUTE not_prepared_here").await?;
    Ok(())
}
