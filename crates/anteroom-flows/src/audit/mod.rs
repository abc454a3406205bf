//! The audit trail: what its entries have in common, what is counted instead of written one by one, the chain over all
//! entries, and the removal of old ones.
//!
//! ```text
//!   use case ─► Call::entry ─► Tx::append ─► (background) chain::link ─► chain::checkpoint ─► pruning
//!            └► counters, which a background round writes as one entry
//! ```

pub mod chain;
pub mod context;
pub(crate) mod counters;
pub mod pruning;
