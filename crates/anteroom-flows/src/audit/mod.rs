//! The audit trail: the common part of its entries, counts in place of single entries, the chain over all entries, and the
//! removal of old ones.
//!
//! ```text
//!   use case ─► Call::entry ─► Tx::append ─► (background) chain::link ─► chain::checkpoint ─► pruning
//!            └► counters, which a background round writes as one entry
//! ```

pub mod chain;
pub mod context;
pub(crate) mod counters;
pub mod pruning;
