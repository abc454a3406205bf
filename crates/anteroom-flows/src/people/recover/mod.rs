//! Password recovery, from the request to the followed link.
//!
//! Invariants: the answer is the same for every address, also in time and in what is written; opening a link changes
//! nothing; it does not sign the person in; a waiting application stays with the browser that began its request.

mod follow_link;
mod request_mail;

pub use follow_link::{
    FollowLinkOutcome, MailedCodeOutcome, enter_mailed_code, follow_link, is_reset_completed,
};
pub use request_mail::{RecoveryRequest, RequestRecoveryOutcome, ask};
