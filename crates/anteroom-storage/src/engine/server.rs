//! Opening connections to PostgreSQL.

use super::connect::connect_error;
use super::connection_health::ConnectionHealth;
use super::pooling;
use crate::engine::options::{PostgresTimeouts, STATEMENT_CACHE, TRUSTED_IDLE};
use crate::engine::server_facts::ServerFacts;
use crate::error::StoreError;
use sea_orm::sqlx::postgres::{PgConnectOptions, PgConnection, PgPoolOptions};
use sea_orm::sqlx::{AssertSqlSafe, ConnectOptions, Connection, Postgres, pool::PoolOptions, raw_sql};
use sea_orm::{DatabaseConnection, SqlxError};
use secrecy::{ExposeSecret, SecretString};
use std::io;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};
use tracing::log::LevelFilter;

/// An idle connection that has not answered by then is replaced.
const PING_TIMEOUT: Duration = Duration::from_secs(2);
/// Between two tries to reach a server that is starting or full.
const RETRY_PAUSE: Duration = Duration::from_millis(100);

/// A server's connections, and what is known of it.
#[derive(Clone)]
pub(crate) struct Server {
    pub(super) pool: DatabaseConnection,
    pub(super) supervision: ConnectionHealth,
    pub(crate) facts: ServerFacts,
    pub(super) max_connections: u32,
    options: PgConnectOptions,
}

/// Which limits the sessions of a pool are under.
#[derive(Clone, Copy)]
pub(crate) enum SessionMode {
    Serving,
    /// Migrations may take their time.
    Migrating,
}

impl Server {
    /// Looks at the server on a connection of its own first, so that what is wrong is known by its name.
    pub(super) async fn open(
        url: &SecretString,
        max: u32,
        limits: PostgresTimeouts,
        sessions: SessionMode,
    ) -> Result<Self, StoreError> {
        let options: PgConnectOptions = url
            .expose_secret()
            .parse()
            .map_err(|_| StoreError::Location("this postgres:// URL".to_owned()))?;
        let options = options
            .application_name("anteroom")
            // PgBouncer refuses a connection that asks for it, and no column is a float.
            .extra_float_digits(None)
            .statement_cache_capacity(STATEMENT_CACHE)
            .log_statements(LevelFilter::Off);
        let mut first = first_connection(&options, limits.acquire)
            .await
            .map_err(|error| connection_error(&options, error))?;
        let facts = ServerFacts::ask(&mut first).await.map_err(connect_error)?;
        let shared = pooling::check(&options, &mut first).await;
        // It is not needed any more, however it ends.
        let _ = first.close().await;
        shared?;
        facts.check_usable()?;
        let supervision = ConnectionHealth::new(limits.answer);
        let max_connections = max.max(1);
        let pool = pool_options(&supervision, limits, sessions).max_connections(max_connections);
        let pool = DatabaseConnection::from(pool.connect_lazy_with(options.clone()));
        Ok(Self { pool, supervision, facts, max_connections, options })
    }

    /// Why no connection is to be had: what the server says to a new one.
    pub(super) async fn connect_failure(&self) -> Option<StoreError> {
        match timeout(PING_TIMEOUT, self.options.connect()).await {
            Ok(Ok(connection)) => {
                let _ = connection.close().await;
                None
            }
            Ok(Err(error)) => Some(connection_error(&self.options, error)),
            Err(_) => Some(connection_error(&self.options, SqlxError::Io(io::ErrorKind::TimedOut.into()))),
        }
    }
}

/// A connection that could not be made is told with where it was to go. The operating system's words carry no password.
fn connection_error(options: &PgConnectOptions, error: SqlxError) -> StoreError {
    let SqlxError::Io(cause) = &error else { return connect_error(error) };
    let (host, port) = (options.get_host(), options.get_port());
    let place = match options.get_socket() {
        Some(socket) => format!("the socket {} (port {port})", socket.display()),
        None => format!("{host}, port {port}"),
    };
    let socket = options.get_socket().map_or_else(|| host.to_owned(), |socket| socket.display().to_string());
    StoreError::Unavailable(format!(
        "PostgreSQL at {place}: {cause}. `pg_isready -h {socket} -p {port}` says whether it can be reached from here"
    ))
}

/// Servers that start, stop or are full are asked again until the time is over. The last thing they said is the error.
async fn first_connection(options: &PgConnectOptions, time: Duration) -> Result<PgConnection, SqlxError> {
    let deadline = Instant::now() + time;
    loop {
        let remaining = deadline.saturating_duration_since(Instant::now()).max(RETRY_PAUSE);
        match timeout(remaining, options.connect()).await {
            Ok(Ok(connection)) => return Ok(connection),
            Ok(Err(error)) if may_pass(&error) && Instant::now() < deadline => sleep(RETRY_PAUSE).await,
            Ok(Err(error)) => return Err(error),
            Err(_) => return Err(SqlxError::Io(io::ErrorKind::TimedOut.into())),
        }
    }
}

fn may_pass(error: &SqlxError) -> bool {
    match error {
        SqlxError::Io(error) => error.kind() == io::ErrorKind::ConnectionRefused,
        SqlxError::Database(error) => error.is_transient_in_connect_phase(),
        _ => false,
    }
}

fn pool_options(
    supervision: &ConnectionHealth,
    limits: PostgresTimeouts,
    sessions: SessionMode,
) -> PoolOptions<Postgres> {
    let settings = session_settings(limits, sessions);
    let (taken, given_back) = (supervision.clone(), supervision.clone());
    PgPoolOptions::new()
        .acquire_timeout(limits.acquire)
        .test_before_acquire(false)
        .after_connect(move |connection, _| {
            let settings = settings.clone();
            Box::pin(async move { raw_sql(AssertSqlSafe(settings)).execute(connection).await.map(drop) })
        })
        .before_acquire(move |connection, meta| {
            let trusted = taken.may_be_used(meta.age);
            Box::pin(async move {
                if trusted && meta.idle_for >= TRUSTED_IDLE {
                    return Ok(matches!(timeout(PING_TIMEOUT, connection.ping()).await, Ok(Ok(()))));
                }
                Ok(trusted)
            })
        })
        .after_release(move |_, meta| {
            let trusted = given_back.may_be_used(meta.age);
            Box::pin(async move { Ok(trusted) })
        })
}

/// Said on each new connection, since a pooler between us and the server may not pass options on.
///
/// A commit is acknowledged when it survives a crash, whatever the server's default is; a stronger one stays. A standby that is
/// waited for only until it has received a commit (`remote_write`) is an operator's choice.
fn session_settings(limits: PostgresTimeouts, sessions: SessionMode) -> String {
    let (lock, statement) = match sessions {
        SessionMode::Serving => (limits.lock.as_millis(), limits.statement.as_millis()),
        SessionMode::Migrating => (0, 0),
    };
    format!(
        "SET default_transaction_isolation = 'read committed'; \
         SET lock_timeout = {lock}; \
         SET statement_timeout = {statement}; \
         SET idle_in_transaction_session_timeout = {statement}; \
         SELECT set_config('synchronous_commit', 'on', false) \
          WHERE current_setting('synchronous_commit') IN ('off', 'local')"
    )
}
