//! Accounts and their data, sessions and requests, grants and keys, messages and the audit trail.

use crate::Step;

const PARTS: [&str; 4] = [
    include_str!("../sql/0001/accounts.sql"),
    include_str!("../sql/0001/sessions.sql"),
    include_str!("../sql/0001/protocol.sql"),
    include_str!("../sql/0001/operation.sql"),
];

pub(crate) const STEP: Step = Step { name: "0001_foundation", parts: &PARTS };
