//! Where the database is, and the limits that both kinds run under.

use crate::error::StoreError;
use secrecy::{ExposeSecret, SecretString};
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long a request waits for a connection, and SQLite for another process's lock, before it is refused with "try again
/// later".
pub(crate) const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);
/// What a request may take in all, unless the configuration says otherwise.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(15);
/// Nothing here is meant to take longer, however long requests may take.
const LONGEST_STATEMENT: Duration = Duration::from_millis(7_500);
/// A connection unused for longer is tried before it is trusted.
pub(crate) const TRUSTED_IDLE: Duration = Duration::from_secs(10);
/// Prepared statements kept by each connection: more than there are different ones.
pub(crate) const STATEMENT_CACHE: usize = 256;

const SQLITE_READERS: u32 = 8;
const POSTGRES_CONNECTIONS: u32 = 16;

#[derive(Clone, Debug)]
pub struct StoreOptions {
    pub(crate) location: Location,
    /// Reading connections on SQLite (the one that writes comes on top), all of them on PostgreSQL.
    pub max_connections: u32,
    /// What a request may take in all: the limits on PostgreSQL stay below it, so that a request fails with the reason before
    /// its own time is over.
    pub request_timeout: Duration,
}

/// How long PostgreSQL may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PostgresTimeouts {
    /// For a connection to come free or to be made.
    pub(crate) acquire: Duration,
    /// For a lock that another transaction holds.
    pub(crate) lock: Duration,
    /// For a statement, locks included. A transaction that stands still for so long is ended as well.
    pub(crate) statement: Duration,
    /// For the answer to arrive here, with everything before it. Past this the server is not waited for.
    pub(crate) answer: Duration,
}

impl PostgresTimeouts {
    pub(crate) fn within(request: Duration) -> Self {
        let statement = (request / 2).min(LONGEST_STATEMENT);
        let acquire = (request / 3).min(ACQUIRE_TIMEOUT);
        Self { acquire, lock: statement / 2, statement, answer: acquire + statement + statement / 8 }
    }
}

#[derive(Clone)]
pub(crate) enum Location {
    Sqlite(PathBuf),
    /// A secret, since the URL may hold a password.
    Postgres(SecretString),
}

impl fmt::Debug for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Postgres(_) => f.write_str("postgres:[redacted]"),
        }
    }
}

impl StoreOptions {
    /// `sqlite:PATH` (or `sqlite://PATH`), `postgres://…` or `postgresql://…`.
    pub fn from_url(url: &SecretString) -> Result<Self, StoreError> {
        let text = url.expose_secret();
        if let Some(rest) = text.strip_prefix("sqlite:") {
            let path = rest.strip_prefix("//").unwrap_or(rest);
            if path.is_empty() || path.contains('?') {
                return Err(StoreError::Location("a sqlite: URL without a plain path".to_owned()));
            }
            return Ok(Self::sqlite(path));
        }
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return Ok(Self {
                location: Location::Postgres(url.clone()),
                max_connections: POSTGRES_CONNECTIONS,
                request_timeout: REQUEST_TIMEOUT,
            });
        }
        Err(StoreError::Location("a URL that begins with neither sqlite: nor postgres://".to_owned()))
    }

    /// The file of an SQLite database.
    pub fn sqlite_file(&self) -> Option<&Path> {
        match &self.location {
            Location::Sqlite(path) => Some(path),
            Location::Postgres(_) => None,
        }
    }

    /// A file; made on first use, readable by its owner alone.
    pub fn sqlite(path: impl Into<PathBuf>) -> Self {
        Self {
            location: Location::Sqlite(path.into()),
            max_connections: SQLITE_READERS,
            request_timeout: REQUEST_TIMEOUT,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_database_is_given_less_time_than_a_request() {
        for request in [1, 5, 15, 300].map(Duration::from_secs) {
            let limits = PostgresTimeouts::within(request);
            assert!(limits.lock < limits.statement, "{limits:?}");
            assert!(limits.acquire + limits.statement < limits.answer, "{limits:?}");
            assert!(limits.answer < request, "{limits:?}");
        }
        let usual = PostgresTimeouts::within(REQUEST_TIMEOUT);
        assert_eq!((usual.lock.as_millis(), usual.statement.as_millis()), (3_750, 7_500));
    }

    #[test]
    fn urls_name_one_of_two_databases_and_do_not_print_passwords() {
        for (url, expected) in [
            ("sqlite:data/anteroom.db", Some("sqlite:data/anteroom.db")),
            ("sqlite:///var/lib/anteroom.db", Some("sqlite:/var/lib/anteroom.db")),
            ("postgres://u:secret@db/anteroom", Some("postgres:[redacted]")),
            ("postgresql://u:secret@db/anteroom", Some("postgres:[redacted]")),
            ("sqlite:", None),
            ("sqlite:x?mode=memory", None),
            ("mysql://u:secret@db/anteroom", None),
        ] {
            let parsed = StoreOptions::from_url(&SecretString::from(url));
            match (parsed, expected) {
                (Ok(options), Some(expected)) => assert_eq!(format!("{:?}", options.location), expected),
                (Err(error), None) => assert!(!error.to_string().contains("secret")),
                (parsed, _) => panic!("{url}: {parsed:?}"),
            }
        }
    }
}
