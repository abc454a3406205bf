//! Grants and their families of refresh tokens: the writes. They are read in `frequent_queries`.
//!
//! What was checked before a write can have changed meanwhile. So each write has its condition in the statement, and returns
//! whether it held.

use crate::entity::{grants, refresh_tokens};
use crate::error::StoreError;
use crate::row::{RowRef, amr_text, json_text};
use crate::store::Tx;
use anteroom_domain::account::Account;
use anteroom_domain::grant::{Grant, GrantEnd};
use anteroom_domain::ids::{AccountId, GrantId, SessionId};
use anteroom_domain::refresh::RefreshFamily;
use anteroom_domain::session::Session;
use anteroom_oidc::{ClientId, ScopeSet};
use jiff::Timestamp;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, QueryFilter, QuerySelect, Set, Statement, Value,
};
use uuid::Uuid;

/// A grant with all that its tokens are checked against.
#[derive(Clone, Debug)]
pub struct GrantRecord {
    pub grant: Grant,
    pub family: Option<RefreshFamily>,
    pub account: Account,
    /// `None` once it was swept away, long after its end.
    pub session: Option<Session>,
    /// The scopes that the person has consented to for this client.
    pub agreed: ScopeSet,
}

/// What a code is checked against when it is redeemed.
#[derive(Clone, Debug, PartialEq)]
pub struct CodeRecord {
    pub account: Account,
    pub session: Option<Session>,
    /// What the person has agreed to that the client has.
    pub agreed: ScopeSet,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InsertGrantResult {
    Inserted,
    /// A grant of this id exists: the code was redeemed before.
    AlreadyThere,
    /// The account is no longer active, or of another epoch, or the session has ended.
    AccountOrSessionChanged,
}

/// A sign-out or a disablement can happen at the same moment. The rows of account and session are locked until the commit: it
/// comes either before, and the insert is refused, or after, and ends this grant too.
macro_rules! insert_grant {
    ($lock:literal) => {
        concat!(
            "INSERT INTO grants (id, client_id, account_id, session_id, epoch, scopes, claims, resources, nonce, \
             auth_time, acr, amr, offline, created_at, expires_at, subject_sector, sid_by_sector) \
             SELECT $1, $2, a.id, s.id, a.epoch, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17 \
             FROM accounts a JOIN sessions s ON s.account_id = a.id \
             WHERE a.id = $3 AND a.status = 'active' AND a.epoch = $5 \
             AND s.id = $4 AND s.epoch = a.epoch AND s.ended_at IS NULL",
            $lock,
            " ON CONFLICT (id) DO NOTHING"
        )
    };
}

const INSERT_ON_SQLITE: &str = insert_grant!("");
const INSERT_ON_POSTGRES: &str = insert_grant!(" FOR SHARE OF a, s");

/// Condition: the grant is not revoked, its account is active and has the grant's epoch.
macro_rules! family_is_alive {
    () => {
        "EXISTS (SELECT 1 FROM grants g JOIN accounts a ON a.id = g.account_id \
         WHERE g.id = $1 AND g.revoked_at IS NULL AND a.status = 'active' AND a.epoch = g.epoch)"
    };
}

const ROTATE: &str = concat!(
    "UPDATE refresh_tokens SET generation = $3, rotated_at = $4, idle_expires_at = $5, expires_at = $6, \
     noted_generation = $3, rotated_from = $7, repeats = 0, entered_generation = $8, entered_at = $9, entered_from = $10 \
     WHERE grant_id = $1 AND generation = $2 AND ",
    family_is_alive!()
);

/// For a newer generation the count starts again from zero.
const REPEAT: &str = concat!(
    "UPDATE refresh_tokens SET repeats = CASE WHEN noted_generation = $2 THEN repeats ELSE 0 END + 1, \
     rotated_from = CASE WHEN noted_generation = $2 THEN rotated_from END, noted_generation = $2 \
     WHERE grant_id = $1 AND generation = $2 \
     AND CASE WHEN noted_generation = $2 THEN repeats ELSE 0 END < $3 AND ",
    family_is_alive!(),
    " RETURNING repeats"
);

impl Tx {
    /// Redeems a code: its grant is inserted once. `expires_at`: when the last token of the grant has expired at the latest.
    pub async fn insert_grant(
        &self,
        grant: &Grant,
        expires_at: Timestamp,
    ) -> Result<InsertGrantResult, StoreError> {
        let sql = match self.conn.get_database_backend() {
            DbBackend::Postgres => INSERT_ON_POSTGRES,
            _ => INSERT_ON_SQLITE,
        };
        if self.execute(sql, grant_values(grant, expires_at)?).await? == 1 {
            return Ok(InsertGrantResult::Inserted);
        }
        let there = grants::Entity::find_by_id(grant.id.0).one(&self.conn).await?;
        Ok(if there.is_some() {
            InsertGrantResult::AlreadyThere
        } else {
            InsertGrantResult::AccountOrSessionChanged
        })
    }

    pub async fn insert_family(&self, family: &RefreshFamily) -> Result<(), StoreError> {
        let row = refresh_tokens::ActiveModel {
            grant_id: Set(family.grant.0),
            generation: Set(i64::from(family.generation)),
            rotated_at: Set(family.rotated_at.as_millisecond()),
            idle_expires_at: Set(family.idle_expires_at.as_millisecond()),
            expires_at: Set(family.expires_at.as_millisecond()),
            noted_generation: Set(Some(i64::from(family.generation))),
            rotated_from: Set(family.rotated_from.map(|address| address.to_string())),
            repeats: Set(i64::from(family.repeats)),
            entered_generation: Set(None),
            entered_at: Set(None),
            entered_from: Set(None),
        };
        refresh_tokens::Entity::insert(row).exec_without_returning(&self.conn).await?;
        Ok(())
    }

    /// `false`: generation `from` is not the newest any more, or the grant has ended meanwhile.
    pub async fn rotate_family(&self, next: &RefreshFamily, from: u32) -> Result<bool, StoreError> {
        let values = vec![
            next.grant.0.into(),
            i64::from(from).into(),
            i64::from(next.generation).into(),
            next.rotated_at.as_millisecond().into(),
            next.idle_expires_at.as_millisecond().into(),
            next.expires_at.as_millisecond().into(),
            next.rotated_from.map(|address| address.to_string()).into(),
            next.last_audited.map(|entered| i64::from(entered.generation)).into(),
            next.last_audited.map(|entered| entered.at.as_millisecond()).into(),
            next.last_audited.and_then(|entered| entered.from).map(|address| address.to_string()).into(),
        ];
        Ok(self.execute(ROTATE, values).await? == 1)
    }

    /// Counts one more repeat of the newest generation, and returns its number. `None`: there were `most` already, the family
    /// has moved on, or the grant has ended.
    pub async fn repeat_family(&self, family: &RefreshFamily, most: u32) -> Result<Option<u32>, StoreError> {
        let values = [family.grant.0.into(), i64::from(family.generation).into(), i64::from(most).into()];
        let statement = Statement::from_sql_and_values(self.conn.get_database_backend(), REPEAT, values);
        let Some(row) = self.conn.query_one_raw(statement).await? else { return Ok(None) };
        let place = RowRef { table: "refresh_tokens", id: &family.grant };
        place.number("repeats", row.try_get_by_index::<i64>(0)?).map(Some)
    }

    /// Those of an account that are not revoked: which grant, whose, from which session.
    pub async fn grants_of_account(
        &self,
        account: AccountId,
    ) -> Result<Vec<(GrantId, ClientId, SessionId)>, StoreError> {
        let rows: Vec<(Uuid, String, Uuid)> = grants::Entity::find()
            .select_only()
            .columns([grants::Column::Id, grants::Column::ClientId, grants::Column::SessionId])
            .filter(grants::Column::AccountId.eq(account.0))
            .filter(grants::Column::RevokedAt.is_null())
            .into_tuple()
            .all(&self.conn)
            .await?;
        let read = |(id, client, session): (Uuid, String, Uuid)| {
            let client = RowRef { table: "grants", id: &id }.parsed("client_id", &client)?;
            Ok((GrantId(id), client, SessionId(session)))
        };
        rows.into_iter().map(read).collect()
    }

    /// `false`: it was revoked before.
    pub async fn revoke_grant(&self, id: GrantId, end: GrantEnd, now: Timestamp) -> Result<bool, StoreError> {
        let revoked = grants::Entity::update_many()
            .col_expr(grants::Column::RevokedAt, Expr::value(now.as_millisecond()))
            .col_expr(grants::Column::RevokeReason, Expr::value(end.as_str()))
            .filter(grants::Column::Id.eq(id.0))
            .filter(grants::Column::RevokedAt.is_null())
            .exec(&self.conn)
            .await?;
        Ok(revoked.rows_affected == 1)
    }

    /// With `only_online`, grants that outlive their session (`offline_access`) are left alone. Returns how many ended.
    pub async fn revoke_grants_of_sessions(
        &self,
        sessions: &[SessionId],
        only_online: bool,
        end: GrantEnd,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let mut theirs = grants::Entity::update_many()
            .col_expr(grants::Column::RevokedAt, Expr::value(now.as_millisecond()))
            .col_expr(grants::Column::RevokeReason, Expr::value(end.as_str()))
            .filter(grants::Column::SessionId.is_in(sessions.iter().map(|session| session.0)))
            .filter(grants::Column::RevokedAt.is_null());
        if only_online {
            theirs = theirs.filter(grants::Column::Offline.eq(false));
        }
        Ok(theirs.exec(&self.conn).await?.rows_affected)
    }

    /// All of a client that is registered no more.
    pub async fn revoke_grants_of_client(
        &self,
        client: &ClientId,
        end: GrantEnd,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let theirs = grants::Entity::update_many()
            .col_expr(grants::Column::RevokedAt, Expr::value(now.as_millisecond()))
            .col_expr(grants::Column::RevokeReason, Expr::value(end.as_str()))
            .filter(grants::Column::ClientId.eq(client.as_str()))
            .filter(grants::Column::RevokedAt.is_null());
        Ok(theirs.exec(&self.conn).await?.rows_affected)
    }

    /// Excludes the client from the sign-out notices of every session in which it was given something so far, also by a grant
    /// that was revoked before.
    pub async fn exclude_client_from_logout(&self, client: &ClientId) -> Result<(), StoreError> {
        grants::Entity::update_many()
            .col_expr(grants::Column::RevokeReason, Expr::value(GrantEnd::SignOutHostChanged.as_str()))
            .filter(grants::Column::ClientId.eq(client.as_str()))
            .filter(grants::Column::RevokedAt.is_not_null())
            .exec(&self.conn)
            .await?;
        Ok(())
    }

    /// All that there are.
    pub async fn revoke_all_grants(&self, end: GrantEnd, now: Timestamp) -> Result<u64, StoreError> {
        let all = grants::Entity::update_many()
            .col_expr(grants::Column::RevokedAt, Expr::value(now.as_millisecond()))
            .col_expr(grants::Column::RevokeReason, Expr::value(end.as_str()))
            .filter(grants::Column::RevokedAt.is_null());
        Ok(all.exec(&self.conn).await?.rows_affected)
    }

    async fn execute(&self, sql: &'static str, values: Vec<Value>) -> Result<u64, StoreError> {
        let statement = Statement::from_sql_and_values(self.conn.get_database_backend(), sql, values);
        Ok(self.conn.execute_raw(statement).await?.rows_affected())
    }
}

fn grant_values(grant: &Grant, expires_at: Timestamp) -> Result<Vec<Value>, StoreError> {
    let resources = if grant.resources.is_empty() { None } else { Some(json_text(&grant.resources)?) };
    Ok(vec![
        grant.id.0.into(),
        grant.client.as_str().into(),
        grant.account.0.into(),
        grant.session.0.into(),
        grant.epoch.0.into(),
        grant.scope.to_string().into(),
        grant.claims.as_ref().map(json_text).transpose()?.into(),
        resources.into(),
        grant.nonce.as_ref().map(|nonce| nonce.as_str().to_owned()).into(),
        grant.auth_time.as_millisecond().into(),
        grant.acr.as_str().into(),
        amr_text(grant.amr).into(),
        grant.is_offline().into(),
        grant.created_at.as_millisecond().into(),
        expires_at.as_millisecond().into(),
        grant.subjects.as_ref().map(|subjects| subjects.as_str().to_owned()).into(),
        grant.sid_by_sector.then_some(true).into(),
    ])
}
