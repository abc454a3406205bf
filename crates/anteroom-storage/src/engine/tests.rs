use super::{Conn, Engine};
use crate::support::{self, on_both_databases};
use crate::{StoreError, StoreOptions};
use sea_orm::{ConnectionTrait, DbBackend, Statement, Value};
use std::collections::HashSet;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use tokio::sync::{Notify, Semaphore};

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
    run(conn, "INSERT INTO rate_counters (scope, subject, window_start, count) VALUES ('test', $1, 0, 1)", subject)
        .await
}

async fn increment(conn: &Conn, subject: &str) -> Result<(), StoreError> {
    run(conn, "UPDATE rate_counters SET count = count + 1 WHERE scope = 'test' AND subject = $1", subject).await
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
                    if number % 3 == 0 { Err(StoreError::Statement("on purpose".to_owned())) } else { Ok(number) }
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
    let answer: Result<(), StoreError> = engine.write(|conn| async move { insert(&conn, "next").await }).await;
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
    assert!(matches!(&answer, Err(StoreError::Duplicate(what)) if what.contains("rate_counters")), "{answer:?}");
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
    assert_eq!(answer, Err(StoreError::Escaped));
    let conn = escaped.lock().unwrap().take().unwrap();
    assert!(insert(&conn, "too late").await.is_err());
    for subject in ["escaped", "too late"] {
        assert_eq!(read(&engine.reader(), subject).await, None, "{subject}");
    }
}

async fn sixty_parallel_increments_are_all_counted(options: StoreOptions) {
    let engine = Engine::start(&options).await.unwrap();
    let answer: Result<(), StoreError> = engine.write(|conn| async move { insert(&conn, "counter").await }).await;
    answer.unwrap();
    let units: Vec<_> = (0..60)
        .map(|_| {
            let engine = engine.clone();
            tokio::spawn(async move { engine.write(|conn| async move { increment(&conn, "counter").await }).await })
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
    let answer: Result<(), StoreError> = engine.write(|conn| async move { insert(&conn, "late").await }).await;
    assert_eq!(answer, Err(StoreError::Closed));
    let engine = Engine::start(&options).await.unwrap();
    assert_eq!(read(&engine.reader(), "last").await, Some(1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_group_is_acknowledged_only_after_its_commit() {
    support::on_sqlite(async |options| {
        let engine = Engine::start(&options).await.unwrap();
        let order = Arc::new(Mutex::new(Vec::new()));
        let (gate, inside) = (Arc::new(Semaphore::new(0)), Arc::new(Notify::new()));
        let units: Vec<_> = ["first", "second", "third"]
            .into_iter()
            .map(|subject| {
                let (engine, order) = (engine.clone(), Arc::clone(&order));
                let (gate, inside) = (Arc::clone(&gate), Arc::clone(&inside));
                async move {
                    let noted = Arc::clone(&order);
                    let answer: Result<(), StoreError> = engine
                        .write(move |conn| {
                            let (gate, inside, noted) =
                                (Arc::clone(&gate), Arc::clone(&inside), Arc::clone(&noted));
                            async move {
                                insert(&conn, subject).await?;
                                inside.notify_one();
                                gate.acquire().await.unwrap().forget();
                                noted.lock().unwrap().push(format!("{subject} ran"));
                                Ok(())
                            }
                        })
                        .await;
                    answer.unwrap();
                    order.lock().unwrap().push(format!("{subject} answered"));
                }
            })
            .map(tokio::spawn)
            .collect();
        // While the first is inside, the others come to wait behind it: they join its group.
        inside.notified().await;
        let Engine::Sqlite { writer, .. } = &engine else { unreachable!() };
        while writer.waiting() < 2 {
            tokio::task::yield_now().await;
        }
        gate.add_permits(2);
        inside.notified().await;
        while gate.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        for subject in ["first", "second", "third"] {
            assert_eq!(read(&engine.reader(), subject).await, None, "{subject} is visible before the commit");
        }
        assert!(units.iter().all(|unit| !unit.is_finished()));
        gate.add_permits(1);
        for unit in units {
            unit.await.unwrap();
        }
        let order = order.lock().unwrap().clone();
        assert!(order[..3].iter().all(|step| step.ends_with("ran")), "{order:?}");
        assert_eq!(order.iter().collect::<HashSet<_>>().len(), 6);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_group_that_breaks_is_tried_singly_and_only_the_culprit_fails() {
    support::on_sqlite(async |options| {
        let engine = Engine::start(&options).await.unwrap();
        let (gate, inside) = (Arc::new(Semaphore::new(0)), Arc::new(Notify::new()));
        let first = tokio::spawn({
            let (engine, gate, inside) = (engine.clone(), Arc::clone(&gate), Arc::clone(&inside));
            async move {
                let answer: Result<(), StoreError> = engine
                    .write(move |conn| {
                        let (gate, inside) = (Arc::clone(&gate), Arc::clone(&inside));
                        async move {
                            insert(&conn, "innocent").await?;
                            inside.notify_one();
                            gate.acquire().await.unwrap().forget();
                            Ok(())
                        }
                    })
                    .await;
                answer
            }
        });
        inside.notified().await;
        let culprit = tokio::spawn({
            let engine = engine.clone();
            async move {
                // As a full disk does: SQLite has rolled the whole transaction back by itself.
                let answer: Result<(), StoreError> = engine
                    .write(|conn| async move {
                        conn.execute_unprepared("ROLLBACK").await?;
                        insert(&conn, "culprit").await
                    })
                    .await;
                answer
            }
        });
        let Engine::Sqlite { writer, .. } = &engine else { unreachable!() };
        while writer.waiting() < 1 {
            tokio::task::yield_now().await;
        }
        gate.add_permits(2);
        assert_eq!(first.await.unwrap(), Ok(()));
        assert!(culprit.await.unwrap().is_err());
        assert_eq!(read(&engine.reader(), "innocent").await, Some(1));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_runs_a_collided_unit_again() {
    support::on_postgres(async |options| {
        let engine = Engine::start(&options).await.unwrap();
        for (code, attempts) in [("40001", 2), ("40P01", 5)] {
            let tried = Arc::new(AtomicU32::new(0));
            let counter = Arc::clone(&tried);
            let answer: Result<(), StoreError> = engine
                .write(move |conn| {
                    let attempt = counter.fetch_add(1, Ordering::SeqCst) + 1;
                    async move {
                        insert(&conn, code).await?;
                        if attempt < attempts { raise(&conn, code).await } else { Ok(()) }
                    }
                })
                .await;
            assert_eq!((answer, tried.load(Ordering::SeqCst)), (Ok(()), attempts));
            assert_eq!(read(&engine.reader(), code).await, Some(1));
        }
        let hopeless: Result<(), StoreError> =
            engine.write(|conn| async move { raise(&conn, "40001").await }).await;
        assert_eq!(hopeless, Err(StoreError::Collided));
    })
    .await;
}

async fn raise(conn: &Conn, code: &str) -> Result<(), StoreError> {
    conn.execute_unprepared(&format!("DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '{code}'; END $$")).await?;
    Ok(())
}

/// Two units that lock the same two rows in opposite order.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_gets_two_units_out_of_a_deadlock() {
    support::on_postgres(async |options| {
        let engine = Engine::start(&options).await.unwrap();
        let answer: Result<(), StoreError> = engine
            .write(|conn| async move {
                insert(&conn, "a").await?;
                insert(&conn, "b").await
            })
            .await;
        answer.unwrap();
        let both_inside = Arc::new(tokio::sync::Barrier::new(2));
        let tried = Arc::new(AtomicU32::new(0));
        let units: Vec<_> = [("a", "b"), ("b", "a")]
            .into_iter()
            .map(|(one, other)| {
                let (engine, barrier, tried) = (engine.clone(), Arc::clone(&both_inside), Arc::clone(&tried));
                tokio::spawn(async move {
                    let answer: Result<(), StoreError> = engine
                        .write(move |conn| {
                            let (barrier, attempt) = (Arc::clone(&barrier), tried.fetch_add(1, Ordering::SeqCst));
                            async move {
                                increment(&conn, one).await?;
                                if attempt < 2 {
                                    barrier.wait().await;
                                }
                                increment(&conn, other).await
                            }
                        })
                        .await;
                    answer
                })
            })
            .collect();
        for unit in units {
            assert_eq!(unit.await.unwrap(), Ok(()));
        }
        for subject in ["a", "b"] {
            assert_eq!(read(&engine.reader(), subject).await, Some(3));
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_survives_the_loss_of_its_connections() {
    support::on_postgres(async |options| {
        let engine = Engine::start(&options).await.unwrap();
        let kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                    WHERE datname = current_database() AND pid <> pg_backend_pid()";
        let reader = engine.reader();
        let answers = futures_util::future::join_all((0..8).map(|_| read(&reader, "warm"))).await;
        assert!(answers.iter().all(Option::is_none));
        reader.execute_raw(Statement::from_string(DbBackend::Postgres, kill)).await.unwrap();
        for number in 0..8 {
            let subject = format!("unit {number}");
            let answer: Result<(), StoreError> = engine
                .write({
                    let subject = subject.clone();
                    move |conn| {
                        let subject = subject.clone();
                        async move { insert(&conn, &subject).await }
                    }
                })
                .await;
            answer.unwrap();
            assert_eq!(read(&reader, &subject).await, Some(1));
        }
    })
    .await;
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
