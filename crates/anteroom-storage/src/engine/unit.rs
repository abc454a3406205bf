//! One unit of work: its transaction, lent to the closure and taken back.

use super::connection_health::{ConnectionHealth, max_dead_connections};
use super::inline_reads::{Cells, InlineReads};
use super::statement_log::StatementLog;
use crate::error::StoreError;
use crate::error::{FailureKind, classify};
use futures_util::FutureExt as _;
use futures_util::lock::Mutex;
use sea_orm::prelude::async_trait::async_trait;
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, ExecResult, QueryResult,
    Statement,
};
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

/// Where statements go: the pool that reads, or the transaction of a unit.
#[derive(Clone)]
pub(crate) struct Conn {
    source: StatementTarget,
    /// For statements that find a few rows by an index, outside of any unit.
    inline: Option<InlineReads>,
    log: StatementLog,
}

#[derive(Clone)]
enum StatementTarget {
    Pool(DatabaseConnection, Option<ConnectionHealth>),
    Unit(Arc<UnitTransaction>),
}

/// A transaction on loan to a closure. The engine takes it back when the closure ends, so a handle that escaped finds
/// nothing, and can neither touch nor hold up the unit that comes next on the same connection.
struct UnitTransaction {
    backend: DbBackend,
    supervision: Option<ConnectionHealth>,
    state: Mutex<TransactionState>,
    log: RunLog,
}

/// What one run of a unit was asked.
#[derive(Clone, Default)]
pub(super) struct RunLog {
    pub(super) statements: StatementLog,
    /// The unit runs again, whatever comes of this run: the store's own log has only what the last run was asked.
    pub(super) is_rolled_back: bool,
}

struct TransactionState {
    transaction: Option<DatabaseTransaction>,
    failure: Option<(FailureKind, StoreError)>,
}

/// What became of one run of a unit.
pub(super) struct UnitOutcome<R> {
    pub(super) transaction: Option<DatabaseTransaction>,
    /// The first statement that failed.
    pub(super) failure: Option<(FailureKind, StoreError)>,
    pub(super) answer: R,
}

impl Conn {
    pub(crate) fn of_pool(pool: DatabaseConnection, supervision: Option<ConnectionHealth>) -> Self {
        let source = StatementTarget::Pool(pool, supervision);
        Self { source, inline: None, log: StatementLog::default() }
    }

    pub(super) fn with_inline_reads(self, inline: InlineReads) -> Self {
        Self { inline: Some(inline), ..self }
    }

    /// Reads on this thread. `None`: that cannot be done here, or failed.
    pub(crate) fn read_inline(&self, statement: &Statement) -> Option<Vec<Cells>> {
        let values = statement.values.as_ref().map_or(&[][..], |values| &values.0);
        let rows = self.inline.as_ref()?.read(&statement.sql, values)?;
        self.note(self.sql_to_record(statement).as_deref(), rows.len() as u64);
        Some(rows)
    }

    /// The same, and what it is asked is recorded there.
    pub(crate) fn recorded_in(self, work: &StatementLog) -> Self {
        Self { log: work.clone(), ..self }
    }

    /// The text of a statement, if it is recorded.
    fn sql_to_record(&self, statement: &Statement) -> Option<String> {
        let is_recorded = match &self.source {
            StatementTarget::Unit(unit_transaction) => {
                unit_transaction.log.statements.is_recording() || self.log.is_recording()
            }
            StatementTarget::Pool(..) => self.log.is_recording(),
        };
        is_recorded.then(|| statement.sql.clone())
    }

    fn note(&self, sql: Option<&str>, rows: u64) {
        let Some(sql) = sql else { return };
        if let StatementTarget::Unit(unit_transaction) = &self.source {
            unit_transaction.log.statements.note(sql, rows);
            if unit_transaction.log.is_rolled_back {
                return;
            }
        }
        self.log.note(sql, rows);
    }
}

/// Runs `work` once in `transaction`, which comes back neither committed nor rolled back. An `Ok` means: commit.
pub(super) async fn run_once<T, E, F, Fut>(
    transaction: DatabaseTransaction,
    supervision: Option<&ConnectionHealth>,
    log: RunLog,
    work: &F,
) -> UnitOutcome<Result<T, E>>
where
    F: Fn(Conn) -> Fut,
    Fut: Future<Output = Result<T, E>>,
    E: From<StoreError>,
{
    let unit_transaction = Arc::new(UnitTransaction {
        backend: transaction.get_database_backend(),
        supervision: supervision.cloned(),
        state: Mutex::new(TransactionState { transaction: Some(transaction), failure: None }),
        log,
    });
    let source = StatementTarget::Unit(Arc::clone(&unit_transaction));
    let borrowed = Conn { source, inline: None, log: StatementLog::default() };
    let outcome = AssertUnwindSafe(async move { work(borrowed).await }).catch_unwind().await;
    let (transaction, failure) = {
        let mut slot = unit_transaction.state.lock().await;
        (slot.transaction.take(), slot.failure.take())
    };
    let escaped = Arc::into_inner(unit_transaction).is_none();
    let answer = match (outcome, &failure) {
        (Err(_), _) => Err(StoreError::Panicked.into()),
        (Ok(Err(error)), _) => Err(error),
        (Ok(Ok(_)), Some((_, error))) => Err(error.clone().into()),
        (Ok(Ok(_)), None) if escaped => Err(StoreError::TransactionEscaped.into()),
        (Ok(Ok(value)), None) => Ok(value),
    };
    UnitOutcome { transaction, failure, answer }
}

impl TransactionState {
    fn transaction(&self) -> Result<&DatabaseTransaction, DbErr> {
        self.transaction.as_ref().ok_or_else(|| DbErr::Custom("the transaction has ended".to_owned()))
    }

    /// PostgreSQL answers the commit of a failed transaction by rolling back in silence. So the first failure is remembered,
    /// and the unit is not committed even if its closure ignores the error.
    fn noting<R>(&mut self, result: Result<R, DbErr>) -> Result<R, DbErr> {
        if let (Err(error), None) = (&result, &self.failure) {
            self.failure = Some(classify(error));
        }
        result
    }
}

/// Waits for the answer of a server no longer than it is given. An embedded database answers by itself.
pub(super) async fn answer<R>(
    supervision: Option<&ConnectionHealth>,
    asked: impl Future<Output = Result<R, DbErr>>,
) -> Result<R, DbErr> {
    match supervision {
        Some(supervision) => supervision.with_timeout(asked).await,
        None => asked.await,
    }
}

/// After a restart of the server the connections of the pool are broken, which the first use of each shows. So a read is tried
/// again on another one.
fn is_broken<R>(result: &Result<R, DbErr>) -> bool {
    matches!(result, Err(error) if classify(error).0 == FailureKind::Broken)
}

/// What is asked of a pool or a unit, before it is recorded.
impl StatementTarget {
    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        match self {
            StatementTarget::Pool(pool, supervision) => {
                answer(supervision.as_ref(), pool.execute_raw(statement)).await
            }
            StatementTarget::Unit(unit_transaction) => {
                let mut slot = unit_transaction.state.lock().await;
                let asked = slot.transaction()?.execute_raw(statement);
                let result = answer(unit_transaction.supervision.as_ref(), asked).await;
                slot.noting(result)
            }
        }
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        match self {
            StatementTarget::Pool(pool, supervision) => {
                answer(supervision.as_ref(), pool.execute_unprepared(sql)).await
            }
            StatementTarget::Unit(unit_transaction) => {
                let mut slot = unit_transaction.state.lock().await;
                let asked = slot.transaction()?.execute_unprepared(sql);
                let result = answer(unit_transaction.supervision.as_ref(), asked).await;
                slot.noting(result)
            }
        }
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        match self {
            StatementTarget::Pool(pool, supervision) => {
                let ask = || answer(supervision.as_ref(), pool.query_one_raw(statement.clone()));
                let mut result = ask().await;
                for _ in 0..max_dead_connections(pool) {
                    if !is_broken(&result) {
                        break;
                    }
                    result = ask().await;
                }
                result
            }
            StatementTarget::Unit(unit_transaction) => {
                let mut slot = unit_transaction.state.lock().await;
                let asked = slot.transaction()?.query_one_raw(statement);
                let result = answer(unit_transaction.supervision.as_ref(), asked).await;
                slot.noting(result)
            }
        }
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        match self {
            StatementTarget::Pool(pool, supervision) => {
                let ask = || answer(supervision.as_ref(), pool.query_all_raw(statement.clone()));
                let mut result = ask().await;
                for _ in 0..max_dead_connections(pool) {
                    if !is_broken(&result) {
                        break;
                    }
                    result = ask().await;
                }
                result
            }
            StatementTarget::Unit(unit_transaction) => {
                let mut slot = unit_transaction.state.lock().await;
                let asked = slot.transaction()?.query_all_raw(statement);
                let result = answer(unit_transaction.supervision.as_ref(), asked).await;
                slot.noting(result)
            }
        }
    }
}

#[async_trait]
impl ConnectionTrait for Conn {
    fn get_database_backend(&self) -> DbBackend {
        match &self.source {
            StatementTarget::Pool(pool, _) => pool.get_database_backend(),
            StatementTarget::Unit(unit_transaction) => unit_transaction.backend,
        }
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        let sql = self.sql_to_record(&statement);
        let result = self.source.execute_raw(statement).await;
        self.note(sql.as_deref(), result.as_ref().map_or(0, ExecResult::rows_affected));
        result
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        let result = self.source.execute_unprepared(sql).await;
        self.note(Some(sql), result.as_ref().map_or(0, ExecResult::rows_affected));
        result
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        let sql = self.sql_to_record(&statement);
        let result = self.source.query_one_raw(statement).await;
        self.note(sql.as_deref(), u64::from(matches!(result, Ok(Some(_)))));
        result
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let sql = self.sql_to_record(&statement);
        let result = self.source.query_all_raw(statement).await;
        self.note(sql.as_deref(), result.as_ref().map_or(0, |rows| rows.len() as u64));
        result
    }
}
