//! The audit trail once it is written: what an entry says, how entries are chained, whether a chain still holds, how it is
//! written into a file, and how its entries are described in words.
//!
//! Invariants:
//! - each entry carries a MAC over all that it says, made in the transaction of the act;
//! - each entry is linked, shortly after it was committed: a number without gaps, and a digest over the link before, the number,
//!   what the entry says and its MAC. The digests can be computed from the entries, no key is needed;
//! - a checkpoint is a signature of one link, and with it of everything before. It leaves the database, so the chain
//!   can be held against something that a change of the database does not reach.

mod acceptance;
pub mod chain;
pub mod export;
pub mod export_end;
mod finding;
mod hex;
pub mod lines;
pub mod record;
pub mod verify;
pub mod words;

#[cfg(test)]
mod tests;
