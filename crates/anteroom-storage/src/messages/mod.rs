//! Messages for people and notices of sign-outs for clients: queued in the transaction of what they tell, leased and ended here.
//!
//! A lease locks rows of one of the two tables and no other. On PostgreSQL it skips locked rows, so that nodes lease different
//! ones instead of waiting for each other.

pub(crate) mod leases;
pub(crate) mod message_results;
mod outbox;

pub use leases::{LeasedMessage, MessageState, MessageStatus};
pub use message_results::MessageResult;
pub use outbox::{DeliveryResult, LogoutClients, LogoutDelivery, LogoutLease};
