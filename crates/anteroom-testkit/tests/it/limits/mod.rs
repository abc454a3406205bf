//! Limits hold for many requests at once: each is counted by the statement that decides.

mod bursts;
mod codes;
mod everywhere;
mod forms;
mod pushes;
mod sessions;
mod shares;
pub(crate) mod slow;
