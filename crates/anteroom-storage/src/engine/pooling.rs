//! Poolers between us and PostgreSQL. One that gives each transaction any session that is free (PgBouncer's `pool_mode =
//! transaction`) takes from a connection what was set and prepared on it, and gives it to others: limits and the acknowledgement
//! of commits would be what another application's are.

use crate::unusable_database::UnusableDatabase;
use sea_orm::SqlxError;
use sea_orm::sqlx::postgres::{PgConnectOptions, PgConnection};
use sea_orm::sqlx::{ConnectOptions as _, Connection as _, Row as _, raw_sql};
use std::time::Duration;
use tokio::time::timeout;

/// On a pooler that is in use, another client may take the session between two questions: they are asked again, and often,
/// since each round may miss it. A round takes two round trips.
const ROUNDS: u32 = 20;
/// A pooler that gives each connection a session of its own, and has none left, lets the second connection wait.
const ANSWER_WITHIN: Duration = Duration::from_secs(3);
/// The server's default. Some poolers keep the session of a connection from its first `SET` on, as it must be.
const SET: &str = "SET default_transaction_isolation = 'read committed'";
const SESSION: &str = "SELECT pg_backend_pid()";

/// Refuses a pooler that is seen to share sessions. If no second connection can be made, a shared session is detected later, by
/// the first prepared statement that is missing.
pub(super) async fn check(
    options: &PgConnectOptions,
    first: &mut PgConnection,
) -> Result<(), UnusableDatabase> {
    match timeout(ANSWER_WITHIN, shares_sessions(options, first)).await {
        Ok(Ok(true)) => Err(UnusableDatabase::SharedSession),
        Ok(Ok(false)) => Ok(()),
        Ok(Err(_)) | Err(_) => {
            tracing::warn!(
                "no second connection to PostgreSQL: whether a pooler shares sessions could not be seen"
            );
            Ok(())
        }
    }
}

/// Two connections that are open at once never have one session, and a connection keeps its own.
async fn shares_sessions(options: &PgConnectOptions, first: &mut PgConnection) -> Result<bool, SqlxError> {
    raw_sql(SET).execute(&mut *first).await?;
    let own = session(first).await?;
    let mut second = options.connect().await?;
    raw_sql(SET).execute(&mut second).await?;
    let mut is_shared = false;
    for _ in 0..ROUNDS {
        is_shared = session(&mut second).await? == own || session(first).await? != own;
        if is_shared {
            break;
        }
    }
    // It is not needed any more, however it ends.
    let _ = second.close().await;
    Ok(is_shared)
}

async fn session(connection: &mut PgConnection) -> Result<i32, SqlxError> {
    raw_sql(SESSION).fetch_one(connection).await?.try_get(0)
}
