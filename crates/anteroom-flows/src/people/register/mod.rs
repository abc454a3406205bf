//! Completing a registration: the mailed invitation, phones, a password.
//!
//! Invariants: opening the link changes nothing; a phone counts once its code was entered; an unfinished registration is kept,
//! because phones are rows of the account and a new link continues with them; until the password is set the account cannot sign in.

mod invitation;
mod phones;
mod request_invitation;

pub use invitation::{InvitationOutcome, accept, invited};
pub use phones::{NewNumber, PhoneOutcome, PhoneProblem, add_phone, another_phone, done, verify};
pub use request_invitation::{RequestInvitationOutcome, request_invitation};
