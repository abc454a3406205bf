//! Writing on SQLite: one writer, group commit.
//!
//! ```text
//! queue ──▶ BEGIN IMMEDIATE
//!             SAVEPOINT  unit  RELEASE      answered Ok  │
//!             SAVEPOINT  unit  ROLLBACK TO  answered Err │ both held back
//!             …  until the queue is empty or the group is full
//!           COMMIT ──▶ answers go out
//! ```
//!
//! Durability costs one `fsync` for each commit; units that arrive while one is under way share the next. When the group as a
//! whole fails (a commit that does not succeed, a connection that breaks), nothing of it was acknowledged, and each of its
//! units is tried once more in a transaction of its own, so that only the one at fault fails. SQLite rolls a whole transaction
//! back by itself after some errors, so after any such failure the connection is replaced. Before a group begins and before its
//! answers go out, the files are checked: a commit into a file that was removed or replaced is not acknowledged, and no other
//! is tried ([`DatabaseFiles`]).

use super::connect::sqlite_writer;
use super::files::DatabaseFiles;
use super::run::run as run_unit;
use super::unit::Conn;
use crate::error::FailureKind;
use crate::error::StoreError;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use sea_orm::{
    DatabaseConnection, DatabaseTransaction, SqliteTransactionMode, TransactionOptions, TransactionTrait,
};
use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{mpsc, oneshot};

/// Units committed together at most: beyond this a longer wait buys hardly any throughput.
const GROUP: usize = 64;
/// Units waiting at most: beyond this callers wait before they queue.
const QUEUE: usize = 1024;

#[derive(Clone)]
pub(crate) struct Writer {
    queue: mpsc::Sender<WriterMessage>,
}

enum WriterMessage {
    Unit(QueuedUnit),
    Close(oneshot::Sender<()>),
}

/// A unit without the types of its answer.
struct QueuedUnit {
    run: Box<dyn Fn(DatabaseTransaction) -> BoxFuture<'static, ErasedUnitOutcome> + Send + Sync>,
    refuse: Box<dyn FnOnce(StoreError) + Send + Sync>,
}

struct ErasedUnitOutcome {
    transaction: Option<DatabaseTransaction>,
    failure: Option<(FailureKind, StoreError)>,
    keep: bool,
    answer: Answer,
}

type Answer = Box<dyn FnOnce() + Send>;

/// Where the caller waits. Shared by the runs of a unit; whichever answers first takes it.
struct Reply<R>(Arc<Mutex<Option<oneshot::Sender<R>>>>);

impl<R> Clone for Reply<R> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<R> Reply<R> {
    fn send(&self, answer: R) {
        if let Some(caller) = self.0.lock().unwrap_or_else(PoisonError::into_inner).take() {
            // The caller may have been cancelled, so that there is no receiver.
            let _ = caller.send(answer);
        }
    }
}

impl Writer {
    pub(super) fn start(path: &Path, connection: DatabaseConnection, files: DatabaseFiles) -> Self {
        let (queue, orders) = mpsc::channel(QUEUE);
        let connection = Some(connection);
        tokio::spawn(WriterTask { path: path.to_owned(), files, connection, orders, closing: None }.serve());
        Self { queue }
    }

    pub(super) async fn run<T, E, F, Fut>(&self, work: F) -> Result<T, E>
    where
        F: Fn(Conn) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let unit = QueuedUnit::new(work, Reply(Arc::new(Mutex::new(Some(reply)))));
        if self.queue.send(WriterMessage::Unit(unit)).await.is_err() {
            return Err(StoreError::Closed.into());
        }
        answer.await.unwrap_or_else(|_| Err(StoreError::Closed.into()))
    }

    /// Units that the writer has not taken up yet.
    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        self.queue.max_capacity() - self.queue.capacity()
    }

    pub(super) async fn close(&self) {
        let (done, closed) = oneshot::channel();
        if self.queue.send(WriterMessage::Close(done)).await.is_ok() {
            let _ = closed.await;
        }
    }
}

impl QueuedUnit {
    fn new<T, E, F, Fut>(work: F, reply: Reply<Result<T, E>>) -> Self
    where
        F: Fn(Conn) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let work = Arc::new(work);
        let refuse = reply.clone();
        let run = move |transaction| {
            let (work, reply) = (Arc::clone(&work), reply.clone());
            async move {
                let run = run_unit(transaction, None, &*work).await;
                let keep = run.answer.is_ok();
                let answer: Answer = Box::new(move || reply.send(run.answer));
                ErasedUnitOutcome { transaction: run.transaction, failure: run.failure, keep, answer }
            }
            .boxed()
        };
        Self { run: Box::new(run), refuse: Box::new(move |error| refuse.send(Err(error.into()))) }
    }
}

/// The task that owns the writing connection.
struct WriterTask {
    path: PathBuf,
    files: DatabaseFiles,
    /// `None` after it broke, until the next group opens another.
    connection: Option<DatabaseConnection>,
    orders: mpsc::Receiver<WriterMessage>,
    closing: Option<oneshot::Sender<()>>,
}

/// Why nothing of a group is in the database.
enum GroupFailure {
    /// No unit has run: the database is not there, or another process holds the lock for too long.
    NotBegun(StoreError),
    RolledBack(StoreError),
    /// Committed into files that a restart will not find.
    FilesReplaced(StoreError),
}

impl WriterTask {
    async fn serve(mut self) {
        while self.closing.is_none() {
            match self.orders.recv().await {
                Some(WriterMessage::Unit(first)) => self.commit_group(first).await,
                Some(WriterMessage::Close(done)) => self.closing = Some(done),
                None => break,
            }
        }
        // A caller that still waits finds that its answer's sender was dropped, which means closed.
        self.orders.close();
        if let Some(connection) = &self.connection
            && let Err(error) = connection.close_by_ref().await
        {
            tracing::warn!(error = %StoreError::from(error), "the database was not closed cleanly");
        }
        if let Some(done) = self.closing {
            let _ = done.send(());
        }
    }

    /// Sees to it that `first`, and every unit taken along with it, is answered.
    async fn commit_group(&mut self, first: QueuedUnit) {
        let mut units = vec![first];
        match self.commit(&mut units, GROUP).await {
            Ok(answers) => answer_all(units, answers),
            Err(GroupFailure::NotBegun(error) | GroupFailure::FilesReplaced(error)) => {
                // Every unit in the queue would fail the same way, after the same wait. So all of them are refused at once.
                self.take_waiting(&mut units, QUEUE);
                refuse(units, &error);
            }
            Err(GroupFailure::RolledBack(error)) => {
                tracing::warn!(%error, units = units.len(), "a group of writes was rolled back and is tried singly");
                for unit in units {
                    self.commit_single(unit).await;
                }
            }
        }
    }

    async fn commit_single(&mut self, unit: QueuedUnit) {
        let mut alone = vec![unit];
        match self.commit(&mut alone, 1).await {
            Ok(answers) => answer_all(alone, answers),
            Err(
                GroupFailure::NotBegun(error)
                | GroupFailure::RolledBack(error)
                | GroupFailure::FilesReplaced(error),
            ) => refuse(alone, &error),
        }
    }

    /// Commits `units`, and those that come to wait meanwhile up to `limit`, in one transaction.
    async fn commit(
        &mut self,
        units: &mut Vec<QueuedUnit>,
        limit: usize,
    ) -> Result<Vec<Answer>, GroupFailure> {
        let group = match self.begin().await {
            Ok(group) => group,
            Err(error) => {
                self.connection = None;
                return Err(GroupFailure::NotBegun(error));
            }
        };
        match self.run_and_commit(group, units, limit).await {
            Ok(answers) => self.files.check().map(|()| answers).map_err(GroupFailure::FilesReplaced),
            Err(error) => {
                // The state of the connection is unknown. Dropping it ends its transaction.
                self.connection = None;
                Err(GroupFailure::RolledBack(error))
            }
        }
    }

    async fn begin(&mut self) -> Result<DatabaseTransaction, StoreError> {
        self.files.check()?;
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => sqlite_writer(&self.path).await?,
        };
        let options = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        let group = connection.begin_with_options(options).await?;
        self.connection = Some(connection);
        Ok(group)
    }

    async fn run_and_commit(
        &mut self,
        group: DatabaseTransaction,
        units: &mut Vec<QueuedUnit>,
        limit: usize,
    ) -> Result<Vec<Answer>, StoreError> {
        let mut answers = Vec::with_capacity(units.len());
        while let Some(unit) = units.get(answers.len()) {
            answers.push(under_savepoint(&group, unit).await?);
            if answers.len() == units.len() {
                self.take_waiting(units, limit);
            }
        }
        group.commit().await?;
        Ok(answers)
    }

    fn take_waiting(&mut self, units: &mut Vec<QueuedUnit>, limit: usize) {
        while units.len() < limit && self.closing.is_none() {
            match self.orders.try_recv() {
                Ok(WriterMessage::Unit(unit)) => units.push(unit),
                Ok(WriterMessage::Close(done)) => self.closing = Some(done),
                Err(_) => break,
            }
        }
    }
}

/// An error here is the group's; one that is the unit's own is inside its answer.
async fn under_savepoint(group: &DatabaseTransaction, unit: &QueuedUnit) -> Result<Answer, StoreError> {
    let savepoint = group.begin().await?;
    let ran = (unit.run)(savepoint).await;
    let savepoint = match (ran.failure, ran.transaction) {
        (Some((FailureKind::Broken, error)), _) => return Err(error),
        (_, None) => return Err(StoreError::TransactionEscaped),
        (_, Some(savepoint)) => savepoint,
    };
    if ran.keep {
        savepoint.commit().await?;
    } else {
        savepoint.rollback().await?;
    }
    Ok(ran.answer)
}

/// The units are dropped first: what a caller gave to its unit is the caller's alone again when the answer is there.
fn answer_all(units: Vec<QueuedUnit>, answers: Vec<Answer>) {
    drop(units);
    for answer in answers {
        answer();
    }
}

fn refuse(units: Vec<QueuedUnit>, error: &StoreError) {
    for QueuedUnit { run, refuse } in units {
        drop(run);
        refuse(error.clone());
    }
}
