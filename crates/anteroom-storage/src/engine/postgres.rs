//! Writing on PostgreSQL: each unit is a transaction of its own, READ COMMITTED with explicit row locks.

use super::connection_health::{ConnectionHealth, max_dead_connections};
use super::run::run as run_unit;
use super::server::Server;
use super::unit::Conn;
use crate::error::StoreError;
use crate::error::{FailureKind, classify};
use sea_orm::{DatabaseConnection, TransactionTrait};
use std::future::Future;

/// How often a unit that collides is tried. Units lock rows in the same order, so even the second try is rare.
const TRIES: u32 = 5;

/// Spawned, so that a caller that goes away does not leave the transaction half-way.
pub(super) async fn run<T, E, F, Fut>(server: &Server, work: F) -> Result<T, E>
where
    F: Fn(Conn) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<T, E>> + Send + 'static,
    T: Send + 'static,
    E: From<StoreError> + Send + 'static,
{
    let (pool, supervision) = (server.pool.clone(), server.supervision.clone());
    let task = tokio::spawn(async move {
        let mut collisions = 0;
        let mut dead = max_dead_connections(&pool);
        loop {
            match once(&pool, &supervision, &work).await {
                AttemptResult::Answered(answer) => return answer,
                AttemptResult::RolledBack(FailureKind::Broken, error) if dead == 0 => {
                    return Err(error.into());
                }
                AttemptResult::RolledBack(FailureKind::Broken, _) => dead -= 1,
                AttemptResult::RolledBack(FailureKind::ServerUnavailable, error) => return Err(error.into()),
                AttemptResult::RolledBack(_, error) => {
                    collisions += 1;
                    if collisions == TRIES {
                        return Err(error.into());
                    }
                }
            }
        }
    });
    task.await.unwrap_or_else(|_| Err(StoreError::Closed.into()))
}

enum AttemptResult<R> {
    Answered(R),
    /// Certainly, so that it can be tried again where that helps.
    RolledBack(FailureKind, StoreError),
}

async fn once<T, E, F, Fut>(
    pool: &DatabaseConnection,
    supervision: &ConnectionHealth,
    work: &F,
) -> AttemptResult<Result<T, E>>
where
    F: Fn(Conn) -> Fut,
    Fut: Future<Output = Result<T, E>>,
    E: From<StoreError>,
{
    let transaction = match supervision.with_timeout(pool.begin()).await {
        Ok(transaction) => transaction,
        Err(error) => {
            return match classify(&error) {
                (FailureKind::Statement, error) => AttemptResult::Answered(Err(error.into())),
                (fault, error) => AttemptResult::RolledBack(fault, error),
            };
        }
    };
    let run = run_unit(transaction, Some(supervision), work).await;
    match run.failure {
        None | Some((FailureKind::Statement, _)) => {}
        Some((fault, error)) => return AttemptResult::RolledBack(fault, error),
    }
    // Otherwise dropped, which rolls it back before the connection is used again.
    if run.answer.is_ok()
        && let Some(transaction) = run.transaction
        && let Err(error) = supervision.with_timeout(transaction.commit()).await
    {
        return match classify(&error) {
            (FailureKind::Collision, error) => AttemptResult::RolledBack(FailureKind::Collision, error),
            // It is not known whether this commit arrived, so it must not be tried again.
            (_, error) => AttemptResult::Answered(Err(error.into())),
        };
    }
    AttemptResult::Answered(run.answer)
}
