//! What the unit tests of this crate and those of its folder `tests` share.

pub(crate) use anteroom_storage::stores_on_both_databases as on_both_databases;
pub(crate) use anteroom_storage::test_databases::{on_postgres, on_sqlite};
