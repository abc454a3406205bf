//! Group commit on SQLite.

use super::{insert, read};
use crate::StoreError;
use crate::engine::Engine;
use crate::support;
use sea_orm::ConnectionTrait;
use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use tokio::sync::{Notify, Semaphore};

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
