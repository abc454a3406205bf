mod files;
mod group;
mod pooling;
mod postgres;
mod rerun;
mod server;

use super::{Conn, Engine};
use crate::support::{self, on_both_databases};
use crate::{StoreError, StoreOptions};
use sea_orm::{ConnectionTrait, Statement, Value};
use std::sync::{Arc, Mutex};
use tokio::sync::Notify;

on_both_databases!(
    a_unit_that_fails_is_rolled_back_alone,
    a_unit_that_panics_is_rolled_back_and_the_next_one_runs,
    a_failed_statement_cannot_be_committed,
    an_escaped_transaction_is_rolled_back_and_dead,
    sixty_parallel_increments_are_all_counted,
    a_caller_that_goes_away_loses_nothing,
    nothing_inside_a_unit_needs_a_second_connection,
    a_closed_store_refuses,
);

async fn insert(conn: &Conn, subject: &str) -> Result<(), StoreError> {
    run(
        conn,
        "INSERT INTO rate_counters (scope, subject, window_start, count) VALUES ('test', $1, 0, 1)",
        subject,
    )
    .await
}

async fn increment(conn: &Conn, subject: &str) -> Result<(), StoreError> {
    run(conn, "UPDATE rate_counters SET count = count + 1 WHERE scope = 'test' AND subject = $1", subject)
        .await
}

async fn run(conn: &Conn, sql: &str, subject: &str) -> Result<(), StoreError> {
    let statement = Statement::from_sql_and_values(conn.get_database_backend(), sql, [subject.into()]);
    conn.execute_raw(statement).await?;
    Ok(())
}

async fn read(conn: &Conn, subject: &str) -> Option<i32> {
    let sql = "SELECT count FROM rate_counters WHERE scope = 'test' AND subject = $1";
    let statement = Statement::from_sql_and_values(conn.get_database_backend(), sql, [subject.into()]);
    let row = conn.query_one_raw(statement).await.unwrap()?;
    Some(row.try_get_by_index(0).unwrap())
}

async fn a_unit_that_fails_is_rolled_back_alone(options: StoreOptions) {
    let engine = Engine::start(&options).await.unwrap();
    let units = (0..40).map(|number| {
        let engine = engine.clone();
        tokio::spawn(async move {
            engine
                .write(move |conn| async move {
                    insert(&conn, &format!("unit {number}")).await?;
                    if number % 3 == 0 {
                        Err(StoreError::Statement("on purpose".to_owned()))
                    } else {
                        Ok(number)
                    }
                })
                .await
        })
    });
    for (number, unit) in units.collect::<Vec<_>>().into_iter().enumerate() {
        let answer = unit.await.unwrap();
        assert_eq!(answer.is_err(), number % 3 == 0);
        assert_eq!(read(&engine.reader(), &format!("unit {number}")).await.is_none(), number % 3 == 0);
    }
}

async fn a_unit_that_panics_is_rolled_back_and_the_next_one_runs(options: StoreOptions) {
    let engine = Engine::start(&options).await.unwrap();
    let answer: Result<(), StoreError> = engine
        .write(|conn| async move {
            insert(&conn, "panicked").await?;
            panic!("on purpose");
        })
        .await;
    assert_eq!(answer, Err(StoreError::Panicked));
    let answer: Result<(), StoreError> =
        engine.write(|conn| async move { insert(&conn, "next").await }).await;
    assert_eq!(answer, Ok(()));
    assert_eq!(read(&engine.reader(), "panicked").await, None);
    assert_eq!(read(&engine.reader(), "next").await, Some(1));
}

/// PostgreSQL answers the COMMIT of a failed transaction with a silent rollback: it must not pass for success.
async fn a_failed_statement_cannot_be_committed(options: StoreOptions) {
    let engine = Engine::start(&options).await.unwrap();
    let answer: Result<(), StoreError> = engine
        .write(|conn| async move {
            insert(&conn, "twice").await?;
            let _ = insert(&conn, "twice").await;
            Ok(())
        })
        .await;
    assert!(
        matches!(&answer, Err(StoreError::Duplicate(what)) if what.contains("rate_counters")),
        "{answer:?}"
    );
    assert_eq!(read(&engine.reader(), "twice").await, None);
}

async fn an_escaped_transaction_is_rolled_back_and_dead(options: StoreOptions) {
    let engine = Engine::start(&options).await.unwrap();
    let escaped = Arc::new(Mutex::new(None));
    let place = Arc::clone(&escaped);
    let answer: Result<(), StoreError> = engine
        .write(move |conn| {
            let place = Arc::clone(&place);
            async move {
                insert(&conn, "escaped").await?;
                *place.lock().unwrap() = Some(conn);
                Ok(())
            }
        })
        .await;
    assert_eq!(answer, Err(StoreError::TransactionEscaped));
    let conn = escaped.lock().unwrap().take().unwrap();
    assert!(insert(&conn, "too late").await.is_err());
    for subject in ["escaped", "too late"] {
        assert_eq!(read(&engine.reader(), subject).await, None, "{subject}");
    }
}

async fn sixty_parallel_increments_are_all_counted(options: StoreOptions) {
    let engine = Engine::start(&options).await.unwrap();
    let answer: Result<(), StoreError> =
        engine.write(|conn| async move { insert(&conn, "counter").await }).await;
    answer.unwrap();
    let units: Vec<_> = (0..60)
        .map(|_| {
            let engine = engine.clone();
            tokio::spawn(async move {
                engine.write(|conn| async move { increment(&conn, "counter").await }).await
            })
        })
        .collect();
    for unit in units {
        let answer: Result<(), StoreError> = unit.await.unwrap();
        answer.unwrap();
    }
    assert_eq!(read(&engine.reader(), "counter").await, Some(61));
}

async fn a_caller_that_goes_away_loses_nothing(options: StoreOptions) {
    let engine = Engine::start(&options).await.unwrap();
    let (inside, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let caller = tokio::spawn({
        let (engine, inside, go_on) = (engine.clone(), Arc::clone(&inside), Arc::clone(&go_on));
        async move {
            let answer: Result<(), StoreError> = engine
                .write(move |conn| {
                    let (inside, go_on) = (Arc::clone(&inside), Arc::clone(&go_on));
                    async move {
                        insert(&conn, "first half").await?;
                        inside.notify_one();
                        go_on.notified().await;
                        insert(&conn, "second half").await
                    }
                })
                .await;
            answer
        }
    });
    inside.notified().await;
    caller.abort();
    assert!(caller.await.unwrap_err().is_cancelled());
    go_on.notify_one();
    // Both halves are committed together, however long that takes.
    while read(&engine.reader(), "first half").await.is_none() {
        tokio::task::yield_now().await;
    }
    assert_eq!(read(&engine.reader(), "second half").await, Some(1));
}

/// With as many units at work as there are connections, each must still be able to finish.
async fn nothing_inside_a_unit_needs_a_second_connection(options: StoreOptions) {
    let engine = Engine::start(&StoreOptions { max_connections: 2, ..options }).await.unwrap();
    let units: Vec<_> = (0..32)
        .map(|number| {
            let engine = engine.clone();
            tokio::spawn(async move {
                engine
                    .write(move |conn| async move {
                        let subject = format!("unit {number}");
                        insert(&conn, &subject).await?;
                        assert_eq!(read(&conn, &subject).await, Some(1));
                        increment(&conn, &subject).await
                    })
                    .await
            })
        })
        .collect();
    for unit in units {
        let answer: Result<(), StoreError> = unit.await.unwrap();
        answer.unwrap();
    }
}

async fn a_closed_store_refuses(options: StoreOptions) {
    let engine = Engine::start(&options).await.unwrap();
    let last: Result<(), StoreError> = engine.write(|conn| async move { insert(&conn, "last").await }).await;
    last.unwrap();
    engine.close().await;
    let answer: Result<(), StoreError> =
        engine.write(|conn| async move { insert(&conn, "late").await }).await;
    assert_eq!(answer, Err(StoreError::Closed));
    let engine = Engine::start(&options).await.unwrap();
    assert_eq!(read(&engine.reader(), "last").await, Some(1));
}

/// Errors reach logs; parameters are secrets and personal data.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn errors_hold_no_values() {
    let probe = async |options: StoreOptions| {
        let engine = Engine::start(&options).await.unwrap();
        for sql in [
            "INSERT INTO rate_counters (scope, subject, window_start, count) VALUES ('dup', $1, 0, 1), ('dup', $1, 0, 1)",
            "INSERT INTO account_groups (account_id, group_name) VALUES (NULL, $1)",
            "INSERT INTO rate_counters (scope, subject, window_start, count) VALUES ('x', $1, 0, CAST($1 AS uuid))",
            "SELECT CAST(CAST($1 AS text) AS integer)",
            "SELECT no_such_column FROM rate_counters WHERE subject = $1",
        ] {
            let reader = engine.reader();
            let values = [Value::from("s3cret-value")];
            let statement = Statement::from_sql_and_values(reader.get_database_backend(), sql, values);
            if let Err(error) = reader.execute_raw(statement).await {
                let error = StoreError::from(error);
                let shown = format!("{error} {error:?}");
                assert!(!shown.contains("s3cret"), "{sql}: {shown}");
            }
        }
    };
    support::on_sqlite(probe).await;
    support::on_postgres(probe).await;
}
