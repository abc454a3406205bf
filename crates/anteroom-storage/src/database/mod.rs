//! The database as a whole: the installation and its nodes, its history, counters of limits, backups, and deleting what is
//! over.
//!
//! Counters of limits are locked before accounts. The deletion takes an advisory lock that nothing waits for, and then deletes
//! small batches of rows that no other unit changes any more. The row of `instance` is locked alone, or first.

mod backup;
mod history;
mod instance;
mod rate_counters;
mod sweep;

pub use backup::{BackupError, backup};
pub use history::AcceptResult;
pub use instance::{Instance, InstanceKind, Node, RELEASE};
pub use rate_counters::{CountedForm, RateLimitResult};
pub use sweep::{Sweeps, Swept};
