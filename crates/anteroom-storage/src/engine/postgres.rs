//! Writing on PostgreSQL: each unit is a transaction of its own, READ COMMITTED with explicit row locks.

use super::unit::{Conn, run as run_unit};
use crate::StoreError;
use crate::error::{Fault, classify};
use sea_orm::{DatabaseConnection, TransactionTrait};
use std::future::Future;

/// How often a unit is tried. Units lock rows in the same order, so even the second try is rare.
const TRIES: u32 = 5;

/// Spawned, so that a caller that goes away does not leave the transaction half-way.
pub(super) async fn run<T, E, F, Fut>(pool: DatabaseConnection, work: F) -> Result<T, E>
where
    F: Fn(Conn) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<T, E>> + Send + 'static,
    T: Send + 'static,
    E: From<StoreError> + Send + 'static,
{
    let task = tokio::spawn(async move {
        let mut last = StoreError::Collided;
        for _ in 0..TRIES {
            match once(&pool, &work).await {
                Tried::Answered(answer) => return answer,
                Tried::Again(error) => last = error,
            }
        }
        Err(last.into())
    });
    task.await.unwrap_or_else(|_| Err(StoreError::Closed.into()))
}

enum Tried<R> {
    Answered(R),
    /// Certainly rolled back, and worth another try.
    Again(StoreError),
}

async fn once<T, E, F, Fut>(pool: &DatabaseConnection, work: &F) -> Tried<Result<T, E>>
where
    F: Fn(Conn) -> Fut,
    Fut: Future<Output = Result<T, E>>,
    E: From<StoreError>,
{
    let transaction = match pool.begin().await {
        Ok(transaction) => transaction,
        Err(error) => {
            return match classify(&error) {
                (Fault::Statement, error) => Tried::Answered(Err(error.into())),
                (Fault::Collision | Fault::Broken, error) => Tried::Again(error),
            };
        }
    };
    let run = run_unit(transaction, work).await;
    match run.fault {
        Some(Fault::Collision) => return Tried::Again(StoreError::Collided),
        Some(Fault::Broken) => {
            return Tried::Again(StoreError::Unavailable("the connection broke".to_owned()));
        }
        Some(Fault::Statement) | None => {}
    }
    // Otherwise dropped, which rolls it back before the connection is used again.
    if let (Ok(_), Some(transaction)) = (&run.answer, run.transaction)
        && let Err(error) = transaction.commit().await
    {
        return match classify(&error) {
            (Fault::Collision, error) => Tried::Again(error),
            // Nobody knows whether this commit arrived, so it must not be tried again.
            (_, error) => Tried::Answered(Err(error.into())),
        };
    }
    Tried::Answered(run.answer)
}
