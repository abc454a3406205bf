//! Messages for people and notices of sign-outs for clients: queued in the transaction of what they tell, leased and ended here.
//!
//! A lease locks rows of one of the two tables and no other. On PostgreSQL it skips locked rows, so that nodes lease different
//! ones instead of waiting for each other.

pub(crate) mod message_ends;
mod outbox;
pub(crate) mod sending;

pub use message_ends::MessageResult;
pub use outbox::{DeliveryResult, LogoutClients, LogoutDelivery, LogoutLease};
pub use sending::{LeasedMessage, MessageState, MessageStatus};
