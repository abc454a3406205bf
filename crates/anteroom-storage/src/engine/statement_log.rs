//! The statements of a store, for tests that compare what two requests cost. Without the feature `test-util` nothing is
//! recorded.

#[cfg(feature = "test-util")]
pub use recorded::RecordedStatement;
#[cfg(feature = "test-util")]
pub(crate) use recorded::StatementLog;

#[cfg(feature = "test-util")]
mod recorded {
    use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

    /// A statement, with how many rows it gave or changed.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct RecordedStatement {
        pub sql: String,
        pub rows: u64,
    }

    /// `None`: nothing is recorded.
    #[derive(Clone, Default)]
    pub(crate) struct StatementLog(Arc<Mutex<Option<Vec<RecordedStatement>>>>);

    impl StatementLog {
        pub(crate) fn recording() -> Self {
            Self(Arc::new(Mutex::new(Some(Vec::new()))))
        }

        pub(crate) fn is_recording(&self) -> bool {
            self.lock().is_some()
        }

        pub(crate) fn note(&self, sql: &str, rows: u64) {
            if let Some(asked) = self.lock().as_mut() {
                asked.push(RecordedStatement { sql: sql.to_owned(), rows });
            }
        }

        /// What was recorded; from here on the next is.
        pub(crate) fn take(&self) -> Vec<RecordedStatement> {
            self.lock().replace(Vec::new()).unwrap_or_default()
        }

        fn lock(&self) -> MutexGuard<'_, Option<Vec<RecordedStatement>>> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner)
        }
    }
}

#[cfg(not(feature = "test-util"))]
#[derive(Clone, Copy, Default)]
pub(crate) struct StatementLog;

#[cfg(not(feature = "test-util"))]
impl StatementLog {
    pub(crate) const fn is_recording(self) -> bool {
        false
    }

    pub(crate) const fn note(self, _sql: &str, _rows: u64) {}
}
