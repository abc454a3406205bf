//! Databases for tests on a PostgreSQL server, which stay there and are used again.
//!
//! A new database is some 480 files, made and removed again, and that took more of the machine than the tests did. So a test takes
//! a database of which no other test has the lock (a session lock of PostgreSQL, so that it ends with its process), and empties
//! what the one before filled. One that a test changed otherwise (its tables, its settings) is made anew.
//!
//! Template (`anteroom_schema_…`) and databases (`anteroom_test_…`) are named by the steps that made the schema, and may be dropped at
//! any time no test runs.

use anteroom_migrations::{Dialect, STEPS};
use futures_util::FutureExt as _;
use sea_orm::{
    ConnectOptions, ConnectionTrait as _, Database, DatabaseConnection, DbBackend, DbErr, ExecResult,
    Statement,
};
use std::future::Future;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::panic::{AssertUnwindSafe, resume_unwind};
use tokio::sync::OnceCell;

use super::options;
use crate::migrate;

/// The same as [`super::on_postgres`] for a test that takes the database's URL.
pub async fn on_postgres_url<F: Future<Output = ()>>(test: impl FnOnce(String) -> F) {
    static TEMPLATE: OnceCell<Template> = OnceCell::const_new();
    let Ok(server) = std::env::var("ANTEROOM_TEST_POSTGRES") else { return };
    let admin = connect(&server).await;
    let template = TEMPLATE.get_or_init(|| Template::of(&admin, &server)).await;
    let name = template.claim(&admin, &server).await;
    let outcome = AssertUnwindSafe(test(url_of(&server, &name))).catch_unwind().await;
    // The lock ends with this connection.
    admin.close().await.unwrap();
    if let Err(panic) = outcome {
        resume_unwind(panic);
    }
}

/// The database that tests get copies of, and what it takes to tell whether another one is still such a copy.
struct Template {
    name: String,
    schema: u64,
    fingerprint: String,
    tables: Vec<String>,
    /// Those with rows in the template, each with its rows as PostgreSQL writes them.
    filled: Vec<(String, Vec<String>)>,
}

/// Whatever a test can change apart from rows. Copies have the identifiers of their template.
const FINGERPRINT: &str = "SELECT md5(string_agg(one, ';' ORDER BY one)) FROM (
    SELECT concat_ws(':', 'class', oid, relname, relkind) FROM pg_class WHERE oid >= 16384
    UNION ALL SELECT concat_ws(':', 'column', attrelid, attnum, attname, atttypid, attnotnull, attisdropped)
        FROM pg_attribute WHERE attrelid >= 16384
    UNION ALL SELECT concat_ws(':', 'trigger', oid, tgenabled) FROM pg_trigger WHERE oid >= 16384
    UNION ALL SELECT concat_ws(':', 'constraint', oid) FROM pg_constraint WHERE oid >= 16384
    UNION ALL SELECT concat_ws(':', 'function', oid) FROM pg_proc WHERE oid >= 16384
    UNION ALL SELECT concat_ws(':', 'rule', oid) FROM pg_rewrite WHERE oid >= 16384
    UNION ALL SELECT concat_ws(':', 'setting', setrole, setconfig::text) FROM pg_db_role_setting
        WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())
) AS all_of_it (one)";

impl Template {
    async fn of(admin: &DatabaseConnection, server: &str) -> Self {
        let schema = hash_of_steps();
        let name = migrated_database(admin, server, schema).await;
        // No session may stay: a template with one cannot be copied.
        let db = connect(&url_of(server, &name)).await;
        let tables =
            texts(&db, "SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'public'").await;
        let tables = tables.unwrap();
        let mut filled = Vec::new();
        for table in &tables {
            let rows = texts(&db, &format!("SELECT quote_literal(t::text) FROM {table} AS t")).await.unwrap();
            if !rows.is_empty() {
                filled.push((table.clone(), rows));
            }
        }
        let fingerprint = texts(&db, FINGERPRINT).await.unwrap().remove(0);
        db.close().await.unwrap();
        end_sessions(admin, &name).await;
        Self { name, schema, fingerprint, tables, filled }
    }

    /// The first database that no test has, as new.
    async fn claim(&self, admin: &DatabaseConnection, server: &str) -> String {
        let mut number = 0_u32;
        loop {
            let lock = format!("SELECT pg_try_advisory_lock(hashtext('{}'), {number})::text", self.name);
            if texts(admin, &lock).await.unwrap() == ["true"] {
                break;
            }
            number += 1;
        }
        let name = format!("anteroom_test_{:016x}_{number}", self.schema);
        if exists(admin, &name).await {
            end_sessions(admin, &name).await;
            if self.empty(&url_of(server, &name)).await == Ok(true) {
                return name;
            }
            execute(admin, &format!("DROP DATABASE {name} WITH (FORCE)")).await.unwrap();
        }
        execute(admin, &format!("CREATE DATABASE {name} TEMPLATE {}", self.name)).await.unwrap();
        name
    }

    /// Brings the rows back to those of the template. `false`: something else was changed as well.
    async fn empty(&self, url: &str) -> Result<bool, DbErr> {
        let db = connect(url).await;
        let as_copied = texts(&db, FINGERPRINT).await? == [self.fingerprint.as_str()];
        if as_copied {
            let has_rows = |table: &String| format!("SELECT '{table}' WHERE EXISTS (SELECT 1 FROM {table})");
            let has_rows: Vec<_> = self.tables.iter().map(has_rows).collect();
            let mut emptied = texts(&db, &has_rows.join(" UNION ALL ")).await?;
            emptied.extend(self.filled.iter().map(|(table, _)| table.clone()));
            execute(
                &db,
                &format!("TRUNCATE {} RESTART IDENTITY CASCADE; {}", emptied.join(", "), self.refill()),
            )
            .await?;
        }
        db.close().await?;
        Ok(as_copied)
    }

    fn refill(&self) -> String {
        let rows = self.filled.iter().flat_map(|(table, rows)| {
            rows.iter().map(move |row| format!("INSERT INTO {table} SELECT (({row})::{table}).*"))
        });
        rows.collect::<Vec<_>>().join("; ")
    }
}

/// Made under another name and renamed when it is whole, so that another process never copies half of it.
async fn migrated_database(admin: &DatabaseConnection, server: &str, schema: u64) -> String {
    let name = format!("anteroom_schema_{schema:016x}");
    if exists(admin, &name).await {
        return name;
    }
    let new = format!("{name}_{}", std::process::id());
    execute(admin, &format!("CREATE DATABASE {new}")).await.unwrap();
    migrate(&options(&url_of(server, &new))).await.unwrap();
    end_sessions(admin, &new).await;
    let renamed = execute(admin, &format!("ALTER DATABASE {new} RENAME TO {name}")).await;
    if renamed.is_err() {
        assert!(exists(admin, &name).await, "{renamed:?}");
        execute(admin, &format!("DROP DATABASE {new} WITH (FORCE)")).await.unwrap();
    }
    name
}

/// A pooler keeps its sessions with the server, and a test may leave some. Waits until they are gone.
async fn end_sessions(admin: &DatabaseConnection, database: &str) {
    let sessions =
        format!("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{database}'");
    execute(admin, &sessions).await.unwrap();
}

fn hash_of_steps() -> u64 {
    let mut hasher = DefaultHasher::new();
    for step in &STEPS {
        step.name.hash(&mut hasher);
        step.statements(Dialect::Postgres).for_each(|statement| statement.hash(&mut hasher));
    }
    hasher.finish()
}

async fn exists(admin: &DatabaseConnection, name: &str) -> bool {
    let found = format!("SELECT datname FROM pg_database WHERE datname = '{name}'");
    !texts(admin, &found).await.unwrap().is_empty()
}

/// Without what PgBouncer, which may be what the variable names, refuses in a connection.
async fn connect(server: &str) -> DatabaseConnection {
    let options = ConnectOptions::new(server)
        .max_connections(1)
        .map_sqlx_postgres_opts(|options| options.extra_float_digits(None))
        .to_owned();
    Database::connect(options).await.unwrap()
}

fn url_of(server: &str, database: &str) -> String {
    let (head, _) = server.rsplit_once('/').unwrap();
    format!("{head}/{database}")
}

/// The first column, of text.
async fn texts(db: &DatabaseConnection, sql: &str) -> Result<Vec<String>, DbErr> {
    let rows = db.query_all_raw(Statement::from_string(DbBackend::Postgres, sql)).await?;
    rows.iter().map(|row| row.try_get_by_index(0)).collect()
}

async fn execute(admin: &DatabaseConnection, sql: &str) -> Result<ExecResult, DbErr> {
    admin.execute_unprepared(sql).await
}
