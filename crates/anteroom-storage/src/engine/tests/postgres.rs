//! What only a server does: collisions, deadlocks, lost connections.

use super::{increment, insert, read};
use crate::StoreError;
use crate::engine::{Conn, Engine};
use crate::support;
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

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
                            let (barrier, attempt) =
                                (Arc::clone(&barrier), tried.fetch_add(1, Ordering::SeqCst));
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
