//! A unit that runs twice for a test.

use super::{increment, insert, read};
use crate::engine::options::Location;
use crate::engine::rerun::run_twice;
use crate::engine::{Conn, Engine};
use crate::support::on_both_databases;
use crate::{StoreError, StoreOptions};
use sea_orm::{DatabaseConnection, TransactionTrait as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

on_both_databases!(
    the_second_run_finds_nothing_of_the_first,
    a_unit_that_is_not_the_same_the_second_time_fails,
);

async fn open(options: &StoreOptions) -> DatabaseConnection {
    crate::engine::open_single(options).await.unwrap().0
}

async fn the_second_run_finds_nothing_of_the_first(options: StoreOptions) {
    let engine = Engine::start(&options).await.unwrap();
    let pool = open(&options).await;
    let unit = |conn: Conn| async move {
        insert(&conn, "twice").await?;
        increment(&conn, "twice").await?;
        Ok::<_, StoreError>(read(&conn, "twice").await)
    };
    let ran = run_twice(pool.begin().await.unwrap(), None, &unit).await;
    assert_eq!((ran.answer, ran.failure), (Ok(Some(2)), None));
    ran.transaction.unwrap().commit().await.unwrap();
    assert_eq!(read(&engine.reader(), "twice").await, Some(2));
}

/// Other statements, other numbers of rows, another variant of the result; and on PostgreSQL none of them is a fault.
async fn a_unit_that_is_not_the_same_the_second_time_fails(options: StoreOptions) {
    let pool = open(&options).await;
    for kind in 0..3 {
        let runs = Arc::new(AtomicU32::new(0));
        let unit = |conn: Conn| {
            let run = runs.fetch_add(1, Ordering::SeqCst);
            async move {
                insert(&conn, "changing").await?;
                match kind {
                    0 if run > 0 => increment(&conn, "changing").await?,
                    1 => increment(&conn, if run > 0 { "changing" } else { "another" }).await?,
                    _ => {}
                }
                Ok::<_, StoreError>((kind == 2 && run > 0).then_some(()))
            }
        };
        let ran = run_twice(pool.begin().await.unwrap(), None, &unit).await;
        assert_eq!(runs.load(Ordering::SeqCst), 2);
        let is_alone = matches!(options.location, Location::Sqlite(_));
        assert_eq!(ran.answer.is_err(), is_alone, "kind {kind}");
        assert_eq!(ran.failure.is_some(), is_alone, "kind {kind}");
        drop(ran.transaction);
    }
}
