//! What a PostgreSQL server says of itself when it is connected to, and whether it can be used.

use crate::unusable_database::UnusableDatabase;
use sea_orm::SqlxError;
use sea_orm::sqlx::postgres::PgRow;
use sea_orm::sqlx::{PgConnection, Row as _, raw_sql};

/// Whether the database takes writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteMode {
    Writable,
    /// The server follows another one.
    Standby,
    /// By a setting of the server, the database or the role.
    ReadOnly,
}

impl WriteMode {
    pub(crate) const fn of(is_standby: bool, is_read_only: bool) -> Self {
        match (is_standby, is_read_only) {
            (true, _) => Self::Standby,
            (false, true) => Self::ReadOnly,
            (false, false) => Self::Writable,
        }
    }
}

/// What the server said when it was first connected to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerFacts {
    encoding: String,
    /// The first of the search path that exists and may be used: where tables are made.
    schema: Option<String>,
    search_path: String,
    role: String,
    may_create: bool,
    /// Where the tables are, if that is in another schema.
    other_schema: Option<String>,
    writes: WriteMode,
    /// Connections that the server lets this role have in all.
    pub connections: u32,
    pub fsync: bool,
    pub full_page_writes: bool,
}

const FACTS: &str = "\
    SELECT current_setting('server_encoding') AS encoding, \
           current_schema()::text AS schema, \
           current_setting('search_path') AS search_path, \
           current_user::text AS role, \
           COALESCE(has_schema_privilege(current_schema(), 'CREATE'), false) AS may_create, \
           (SELECT min(n.nspname)::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
             WHERE c.relname = 'sealed_keys' AND c.relkind = 'r' AND to_regclass('sealed_keys') IS NULL) AS other_schema, \
           pg_is_in_recovery() AS is_standby, \
           current_setting('transaction_read_only') = 'on' AS is_read_only, \
           LEAST(current_setting('max_connections')::int \
                 - current_setting('superuser_reserved_connections')::int \
                 - COALESCE(current_setting('reserved_connections', true)::int, 0), \
                 (SELECT NULLIF(datconnlimit, -1) FROM pg_database WHERE datname = current_database()), \
                 (SELECT NULLIF(rolconnlimit, -1) FROM pg_roles WHERE rolname = current_user)) AS connections, \
           current_setting('fsync') = 'on' AS fsync, \
           current_setting('full_page_writes') = 'on' AS full_page_writes";

impl ServerFacts {
    pub(crate) async fn ask(connection: &mut PgConnection) -> Result<Self, SqlxError> {
        let row: PgRow = raw_sql(FACTS).fetch_one(connection).await?;
        Ok(Self {
            encoding: row.try_get("encoding")?,
            schema: row.try_get("schema")?,
            search_path: row.try_get("search_path")?,
            role: row.try_get("role")?,
            may_create: row.try_get("may_create")?,
            other_schema: row.try_get("other_schema")?,
            writes: WriteMode::of(row.try_get("is_standby")?, row.try_get("is_read_only")?),
            connections: u32::try_from(row.try_get::<i32, _>("connections")?).unwrap_or_default(),
            fsync: row.try_get("fsync")?,
            full_page_writes: row.try_get("full_page_writes")?,
        })
    }

    /// For reading, at the least.
    pub(crate) fn check_usable(&self) -> Result<(), UnusableDatabase> {
        if self.encoding != "UTF8" {
            return Err(UnusableDatabase::Encoding(self.encoding.clone()));
        }
        let (search_path, role) = (self.search_path.clone(), self.role.clone());
        if let Some(found) = self.other_schema.clone() {
            return Err(UnusableDatabase::OtherSchema { found, search_path, role });
        }
        if self.schema.is_none() {
            return Err(UnusableDatabase::NoSchema { search_path, role });
        }
        Ok(())
    }

    /// For serving.
    pub fn check_writable(&self) -> Result<(), UnusableDatabase> {
        match self.writes {
            WriteMode::Writable => Ok(()),
            WriteMode::Standby => Err(UnusableDatabase::Standby),
            WriteMode::ReadOnly => Err(UnusableDatabase::ReadOnly),
        }
    }

    /// For making or changing tables.
    pub(crate) fn check_changeable(&self) -> Result<(), UnusableDatabase> {
        self.check_writable()?;
        match &self.schema {
            Some(schema) if !self.may_create => {
                Err(UnusableDatabase::NoCreate { schema: schema.clone(), role: self.role.clone() })
            }
            _ => Ok(()),
        }
    }

    /// Settings under which the server loses what it has acknowledged.
    pub fn unsafe_settings(&self) -> Vec<&'static str> {
        let settings = [(self.fsync, "fsync"), (self.full_page_writes, "full_page_writes")];
        settings.into_iter().filter(|(is_on, _)| !is_on).map(|(_, name)| name).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sound() -> ServerFacts {
        ServerFacts {
            encoding: "UTF8".to_owned(),
            schema: Some("public".to_owned()),
            search_path: "\"$user\", public".to_owned(),
            role: "anteroom".to_owned(),
            may_create: true,
            other_schema: None,
            writes: WriteMode::Writable,
            connections: 97,
            fsync: true,
            full_page_writes: true,
        }
    }

    #[test]
    fn what_cannot_be_used_is_refused_for_its_reason() {
        let (role, search_path) = ("anteroom".to_owned(), sound().search_path);
        let encoding = ServerFacts { encoding: "LATIN1".to_owned(), ..sound() };
        assert_eq!(encoding.check_usable(), Err(UnusableDatabase::Encoding("LATIN1".to_owned())));
        let nowhere = ServerFacts { schema: None, ..sound() };
        let expected = UnusableDatabase::NoSchema { search_path: search_path.clone(), role: role.clone() };
        assert_eq!(nowhere.check_usable(), Err(expected));
        let elsewhere = ServerFacts { other_schema: Some("old".to_owned()), ..sound() };
        let expected =
            UnusableDatabase::OtherSchema { found: "old".to_owned(), search_path, role: role.clone() };
        assert_eq!(elsewhere.check_usable(), Err(expected));
        let powerless = ServerFacts { may_create: false, ..sound() };
        assert_eq!(powerless.check_usable(), Ok(()));
        let expected = UnusableDatabase::NoCreate { schema: "public".to_owned(), role };
        assert_eq!(powerless.check_changeable(), Err(expected));
        let standby = ServerFacts { writes: WriteMode::of(true, true), ..sound() };
        assert_eq!(standby.check_usable(), Ok(()));
        assert_eq!(standby.check_writable(), Err(UnusableDatabase::Standby));
        let read_only = ServerFacts { writes: WriteMode::of(false, true), ..sound() };
        assert_eq!(read_only.check_changeable(), Err(UnusableDatabase::ReadOnly));
        assert_eq!(sound().check_changeable(), Ok(()));
    }

    #[test]
    fn settings_that_lose_commits_are_named() {
        assert!(sound().unsafe_settings().is_empty());
        let careless = ServerFacts { fsync: false, full_page_writes: false, ..sound() };
        assert_eq!(careless.unsafe_settings(), ["fsync", "full_page_writes"]);
    }
}
