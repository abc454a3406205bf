//! Why a database that answers cannot be used.

/// Why a database cannot be used, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnusableDatabase {
    #[error(
        "its encoding is {0}, in which not every name can be written. Make one with \
         `CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0`, and move what is in this one with pg_dump and pg_restore"
    )]
    Encoding(String),
    #[error(
        "its search_path ({search_path}) names no schema that exists and that the role {role} may use. \
         `ALTER ROLE {role} SET search_path = public`, or make that schema"
    )]
    NoSchema { search_path: String, role: String },
    #[error(
        "the tables are in the schema {found}, and the search_path ({search_path}) leads elsewhere. \
         `ALTER ROLE {role} SET search_path = {found}`"
    )]
    OtherSchema { found: String, search_path: String, role: String },
    #[error(
        "the role {role} may not make tables in the schema {schema}. `GRANT CREATE ON SCHEMA {schema} TO {role}`, or make \
         the role the owner of the database"
    )]
    NoCreate { schema: String, role: String },
    #[error("the server is a standby, which takes no writes. Let `database.url` lead to the primary")]
    Standby,
    #[error(
        "a pooler in transaction mode is in between, which gives any session to each transaction; limits, acknowledged commits and \
         prepared statements need a session for each connection. Set `pool_mode = session` for this database in PgBouncer, or \
         let `database.url` lead to PostgreSQL itself"
    )]
    SharedSession,
    #[error("it is set to read-only (default_transaction_read_only)")]
    ReadOnly,
}
