//! Running a unit of work in its transaction: once, or twice where a test asks for that.

use std::future::Future;

use sea_orm::DatabaseTransaction;

use super::connection_health::ConnectionHealth;
use super::unit::{Conn, RunLog, UnitOutcome, run_once};
use crate::error::StoreError;

/// Runs `work` in `transaction`, which comes back neither committed nor rolled back. An `Ok` means: commit.
pub(super) async fn run<T, E, F, Fut>(
    transaction: DatabaseTransaction,
    supervision: Option<&ConnectionHealth>,
    work: &F,
) -> UnitOutcome<Result<T, E>>
where
    F: Fn(Conn) -> Fut,
    Fut: Future<Output = Result<T, E>>,
    E: From<StoreError>,
{
    #[cfg(feature = "test-util")]
    if super::rerun::is_on() {
        return super::rerun::run_twice(transaction, supervision, work).await;
    }
    run_once(transaction, supervision, RunLog::default(), work).await
}
