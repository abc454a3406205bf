//! A unit of work as a value: all that a transaction needs, drawn before it, and what it does with it.
//!
//! Invariants:
//! - a unit may run more than once (a group of writes that was rolled back, a collision on PostgreSQL), so that it does
//!   nothing but database work: no hashing, no sending, no waiting, and nothing outside the database changes;
//! - secrets, hashes and codes are drawn before the unit is made. An identifier may be drawn inside, and leaves only by
//!   [`Unit::Output`], after the commit;
//! - a unit is bounded: it writes at most some 500 rows, because no other unit commits meanwhile on SQLite;
//! - nothing that was lent to a unit outlives it:
//!
//! ```compile_fail
//! # use anteroom_storage::{Queries, Tx};
//! fn keeps(tx: &Tx) -> Queries {
//!     tx.clone()
//! }
//! ```

use std::future::Future;
use std::sync::Arc;

use crate::error::StoreError;
use crate::store::{Store, Tx};

/// What [`Store::run`] runs. Implementors write `async fn run`.
pub trait Unit: Send + Sync + Sized + 'static {
    type Output: Send + 'static;
    type Error: From<StoreError> + Send + 'static;

    /// Of its span in the log, in the words of the use case.
    const NAME: &'static str;

    /// An `Ok` means: commit. What is refused and must be kept all the same (a wrong password is counted) is an `Ok`, too.
    fn run(&self, tx: &Tx) -> impl Future<Output = Result<Self::Output, Self::Error>> + Send;
}

impl Store {
    /// Runs a unit and commits what it did, unless it fails. The unit comes back with the result: what was drawn for it and
    /// is needed afterwards is taken out of it.
    pub async fn run<U: Unit>(&self, unit: U) -> (U, Result<U::Output, U::Error>) {
        let mut unit = Arc::new(unit);
        let running = Arc::clone(&unit);
        let span = tracing::info_span!("unit_of_work", unit = U::NAME);
        let result = self
            .write_in(span, move |tx| {
                let unit = Arc::clone(&running);
                async move { unit.run(&tx).await }
            })
            .await;
        // The engine drops its handle before it answers; on PostgreSQL another thread may still be dropping it.
        loop {
            match Arc::try_unwrap(unit) {
                Ok(unit) => return (unit, result),
                Err(shared) => unit = shared,
            }
            tokio::task::yield_now().await;
        }
    }
}
