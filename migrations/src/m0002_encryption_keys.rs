//! Keys that clients encrypt to: a table of their own, so that the release before, which would not know what to do with them
//! among the signing keys, does not meet them.

use crate::Step;

const PARTS: [&str; 1] = [include_str!("../sql/0002/encryption_keys.sql")];

pub(crate) const STEP: Step = Step { name: "0002_encryption_keys", parts: &PARTS };
