//! temp
mod engine;
mod error;
mod options;
mod schema;
pub use error::StoreError;
pub use options::StoreOptions;
pub use schema::{SchemaState, migrate, schema_state};

#[cfg(test)]
extern crate self as anteroom_storage;
#[cfg(test)]
#[path = "../tests/support/mod.rs"]
mod support;
