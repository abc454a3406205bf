//! A unit of work may run more than once, so that what it leaves must not depend on how often it ran. With
//! `ANTEROOM_TEST_UNITS_TWICE=1` tests run every unit twice: the first run is rolled back to its savepoint.
//!
//! On SQLite no other unit commits between the two runs. So the second one must make the same statements, which find or change
//! as many rows, and end with the same variant of its result; otherwise the unit fails and is not committed. On PostgreSQL
//! another transaction may commit between the two, so that nothing is compared: a test sees what the second run did.

use super::connection_health::ConnectionHealth;
use super::statement_log::{RecordedStatement, StatementLog};
use super::unit::{Conn, RunLog, UnitOutcome, answer, run_once};
use crate::error::StoreError;
use crate::error::{FailureKind, classify};
use sea_orm::{ConnectionTrait as _, DatabaseTransaction, DbBackend, TransactionTrait as _};
use std::future::Future;
use std::mem::{Discriminant, discriminant};
use std::sync::LazyLock;

static IS_ON: LazyLock<bool> =
    LazyLock::new(|| std::env::var_os("ANTEROOM_TEST_UNITS_TWICE").is_some_and(|value| value == "1"));

pub(super) fn is_on() -> bool {
    *IS_ON
}

/// What is compared of a run: its statements with the numbers of their rows, and the variant of its result.
#[derive(PartialEq, Eq)]
struct Observed<T, E> {
    statements: Vec<RecordedStatement>,
    variant: Result<Discriminant<T>, Discriminant<E>>,
}

impl<T, E> Observed<T, E> {
    fn of(statements: &StatementLog, answer: &Result<T, E>) -> Self {
        Self {
            statements: statements.take(),
            variant: answer.as_ref().map(discriminant).map_err(discriminant),
        }
    }

    /// How the second run differs, if it does.
    fn difference(&self, second: &Self) -> Option<String> {
        let (first, then) = (&self.statements, &second.statements);
        if let Some((one, other)) = first.iter().zip(then).find(|(one, other)| one != other) {
            return Some(format!("{} rows of {} became {} of {}", one.rows, one.sql, other.rows, other.sql));
        }
        if first.len() != then.len() {
            let more = first.get(then.len()).or_else(|| then.get(first.len()));
            return Some(format!("only one of the runs has {}", more.map_or("", |one| one.sql.as_str())));
        }
        (self.variant != second.variant).then(|| "its result is another one".to_owned())
    }
}

/// Runs `work` in a savepoint of `transaction`, rolls it back, and runs it again in `transaction` itself.
pub(super) async fn run_twice<T, E, F, Fut>(
    transaction: DatabaseTransaction,
    supervision: Option<&ConnectionHealth>,
    work: &F,
) -> UnitOutcome<Result<T, E>>
where
    F: Fn(Conn) -> Fut,
    Fut: Future<Output = Result<T, E>>,
    E: From<StoreError>,
{
    let is_alone = transaction.get_database_backend() == DbBackend::Sqlite;
    let savepoint = match answer(supervision, transaction.begin()).await {
        Ok(savepoint) => savepoint,
        Err(error) => {
            let (kind, error) = classify(&error);
            return failed(transaction, kind, error);
        }
    };
    let log = RunLog { statements: StatementLog::recording(), is_rolled_back: true };
    let statements = log.statements.clone();
    let first = run_once(savepoint, supervision, log, work).await;
    let seen = Observed::of(&statements, &first.answer);
    match (first.failure, first.transaction) {
        // The whole transaction is over, and the engine decides whether there is another try.
        (Some((kind, error)), _) if kind != FailureKind::Statement => {
            return failed(transaction, kind, error);
        }
        (_, None) => return failed(transaction, FailureKind::Statement, StoreError::TransactionEscaped),
        (_, Some(savepoint)) => {
            if let Err(error) = answer(supervision, savepoint.rollback()).await {
                let (kind, error) = classify(&error);
                return failed(transaction, kind, error);
            }
        }
    }
    drop(first.answer);
    let log = RunLog { statements: StatementLog::recording(), is_rolled_back: false };
    let statements = log.statements.clone();
    let mut second = run_once(transaction, supervision, log, work).await;
    let is_sound = second.failure.as_ref().is_none_or(|(kind, _)| *kind == FailureKind::Statement);
    if is_alone
        && is_sound
        && let Some(difference) = seen.difference(&Observed::of(&statements, &second.answer))
    {
        tracing::error!(difference, "a unit of work is not the same the second time");
        tell(&difference);
        second.answer = Err(differing().into());
        second.failure = Some((FailureKind::Statement, differing()));
    }
    second
}

fn differing() -> StoreError {
    StoreError::Statement("a unit of work is not the same the second time".to_owned())
}

/// A test may expect a failure, and then pass for the wrong reason. So the difference is printed as well.
#[expect(clippy::print_stderr, reason = "for the developer who runs the tests this way")]
fn tell(difference: &str) {
    eprintln!("a unit of work is not the same the second time: {difference}");
}

fn failed<T, E: From<StoreError>>(
    transaction: DatabaseTransaction,
    kind: FailureKind,
    error: StoreError,
) -> UnitOutcome<Result<T, E>> {
    UnitOutcome {
        transaction: Some(transaction),
        failure: Some((kind, error.clone())),
        answer: Err(error.into()),
    }
}
