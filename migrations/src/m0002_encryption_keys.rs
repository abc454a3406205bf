//! Keys to which clients encrypt. They have a table of their own, because the release before would read them as signing
//! keys.

use crate::Step;

const PARTS: [&str; 1] = [include_str!("../sql/0002/encryption_keys.sql")];

pub(crate) const STEP: Step = Step { name: "0002_encryption_keys", parts: &PARTS };
