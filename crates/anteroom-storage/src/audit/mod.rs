//! The audit trail: its entries, the chain that links them, the head of the chain, and pruning.
//!
//! A unit of work only inserts into `audit_waiting`, so that no unit waits for another one because of its entry. What changes
//! the chain takes an advisory lock first, which nothing waits for (`head::CHAIN_LOCK`), and then touches the tables of the
//! audit trail alone.

mod chain;
pub(crate) mod entries;
pub(crate) mod head;
mod pruning;

pub use chain::{LinkingResult, WaitingEntries};
