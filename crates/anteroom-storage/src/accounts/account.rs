//! Accounts and their passwords: the writes, and the reads that are not on every path. The others are in `frequent_queries`.

use crate::entity::{account_groups, accounts, known_devices, password_credentials};
use crate::error::StoreError;
use crate::row::{RowRef, count_column, json_text};
use crate::store::{Queries, Tx};
use anteroom_crypto::PasswordHash;
use anteroom_domain::account::{Account, AccountEpoch, AccountStatus, GroupName, Profile};
use anteroom_domain::ids::AccountId;
use anteroom_domain::lockout::FailureCounters;
use anteroom_domain::password::PasswordFacts;
use anteroom_domain::password_text::PasswordForm;
use jiff::Timestamp;
use sea_orm::sea_query::{Expr, ExprTrait, LockType};
use sea_orm::{
    ColumnTrait, DbBackend, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Set, TryInsertResult,
};
use sea_orm::{ConnectionTrait, QueryTrait};

#[derive(Clone, Debug)]
pub struct Credential {
    pub hash: PasswordHash,
    /// What the hash is of; `None`: the text as it was typed.
    pub form: Option<PasswordForm>,
    pub facts: PasswordFacts,
}

/// An account whose row no other transaction can change until this one ends.
#[derive(Clone, Debug)]
pub struct LockedAccount {
    pub account: Account,
    pub credential: Option<Credential>,
}

impl Queries {
    /// The groups that accounts are in, and how many in each.
    pub async fn groups_in_use(&self) -> Result<Vec<(GroupName, u64)>, StoreError> {
        let rows: Vec<(String, i64)> = account_groups::Entity::find()
            .select_only()
            .column(account_groups::Column::GroupName)
            .column_as(account_groups::Column::AccountId.count(), "members")
            .group_by(account_groups::Column::GroupName)
            .order_by_asc(account_groups::Column::GroupName)
            .into_tuple()
            .all(&self.conn)
            .await?;
        let read = |(name, members): (String, i64)| {
            let place = RowRef { table: "account_groups", id: &name };
            let group = GroupName::parse(&name).map_err(|_| place.corrupt("group_name"))?;
            Ok((group, members.unsigned_abs()))
        };
        rows.into_iter().map(read).collect()
    }

    pub async fn password_facts(&self, id: AccountId) -> Result<Option<PasswordFacts>, StoreError> {
        let row = password_credentials::Entity::find_by_id(id.0).one(&self.conn).await?;
        let Some(row) = row else { return Ok(None) };
        let place = RowRef { table: "password_credentials", id: &id };
        Ok(Some(PasswordFacts {
            set_at: place.time("set_at", row.set_at)?,
            jitter_days: place.number("expiry_jitter_days", row.expiry_jitter_days)?,
        }))
    }
}

impl Tx {
    /// Locks the account's row until the transaction ends, and reads the account as it is then.
    pub async fn lock_account(&self, id: AccountId) -> Result<Option<LockedAccount>, StoreError> {
        // After waiting for a row lock, PostgreSQL reads only the locked row again: a joined credential would be the one from
        // before the wait. So the lock is a statement of its own. SQLite has locked the database already.
        if self.conn.get_database_backend() == DbBackend::Postgres {
            let lock = accounts::Entity::find_by_id(id.0).select_only().column(accounts::Column::Id);
            let lock = lock.lock(LockType::NoKeyUpdate);
            self.conn.query_one_raw(lock.build(DbBackend::Postgres)).await?;
        }
        self.account_with_credential(id).await
    }

    pub async fn save_counters(&self, id: AccountId, counters: &FailureCounters) -> Result<(), StoreError> {
        let lockout = counters.lockout;
        let millis = |at: Option<Timestamp>| Expr::value(at.map(Timestamp::as_millisecond));
        accounts::Entity::update_many()
            .col_expr(accounts::Column::UnknownFailures, Expr::value(count_column(lockout.unknown_failures)))
            .col_expr(accounts::Column::UnknownLockedAt, millis(lockout.unknown_locked_at))
            .col_expr(accounts::Column::LockedAt, millis(lockout.locked_at))
            .col_expr(accounts::Column::EarlierFailures, Expr::value(count_column(lockout.earlier_failures)))
            .filter(accounts::Column::Id.eq(id.0))
            .exec(&self.conn)
            .await?;
        if let Some(device) = counters.device {
            known_devices::Entity::update_many()
                .col_expr(known_devices::Column::Failures, Expr::value(count_column(device.failures)))
                .filter(known_devices::Column::Id.eq(device.device.0))
                .filter(known_devices::Column::AccountId.eq(id.0))
                .exec(&self.conn)
                .await?;
        }
        Ok(())
    }

    /// Stores the profile claims and the locale.
    pub async fn save_profile(
        &self,
        id: AccountId,
        profile: &Profile,
        locale: Option<&str>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        accounts::Entity::update_many()
            .col_expr(accounts::Column::Profile, Expr::value(json_text(profile)?))
            .col_expr(accounts::Column::Locale, Expr::value(locale))
            .col_expr(accounts::Column::UpdatedAt, Expr::value(now.as_millisecond()))
            .filter(accounts::Column::Id.eq(id.0))
            .exec(&self.conn)
            .await?;
        Ok(())
    }

    pub async fn set_status(
        &self,
        id: AccountId,
        status: AccountStatus,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let disabled_at = (status == AccountStatus::Disabled).then_some(now.as_millisecond());
        accounts::Entity::update_many()
            .col_expr(accounts::Column::Status, Expr::value(status.as_str()))
            .col_expr(accounts::Column::DisabledAt, Expr::value(disabled_at))
            .col_expr(accounts::Column::UpdatedAt, Expr::value(now.as_millisecond()))
            .filter(accounts::Column::Id.eq(id.0))
            .exec(&self.conn)
            .await?;
        Ok(())
    }

    /// Invalidates every session, grant and proof that has the account's epoch of until now. `None`: there is no such account.
    pub async fn raise_epoch(&self, id: AccountId) -> Result<Option<AccountEpoch>, StoreError> {
        let raised = accounts::Entity::update_many()
            .col_expr(accounts::Column::Epoch, Expr::col(accounts::Column::Epoch).add(1_i64))
            .filter(accounts::Column::Id.eq(id.0))
            .exec_with_returning(&self.conn)
            .await?;
        Ok(raised.first().map(|row| AccountEpoch(row.epoch)))
    }

    /// `false`: the account was a member already.
    pub async fn add_group(&self, id: AccountId, group: &GroupName) -> Result<bool, StoreError> {
        let row =
            account_groups::ActiveModel { account_id: Set(id.0), group_name: Set(group.as_str().to_owned()) };
        let inserted = account_groups::Entity::insert(row)
            .on_conflict_do_nothing()
            .exec_without_returning(&self.conn)
            .await?;
        Ok(matches!(inserted, TryInsertResult::Inserted(1)))
    }

    /// `false`: the account was no member.
    pub async fn remove_group(&self, id: AccountId, group: &GroupName) -> Result<bool, StoreError> {
        let key = (id.0, group.as_str().to_owned());
        let deleted = account_groups::Entity::delete_by_id(key).exec(&self.conn).await?;
        Ok(deleted.rows_affected == 1)
    }

    /// The same password with a new hash, of its normalized form; its age stays. `false`: it was changed in between, and is
    /// left alone.
    pub async fn replace_hash(
        &self,
        id: AccountId,
        old: &PasswordHash,
        new: &PasswordHash,
    ) -> Result<bool, StoreError> {
        let replaced = password_credentials::Entity::update_many()
            .col_expr(password_credentials::Column::Hash, Expr::value(new.encode()))
            .col_expr(password_credentials::Column::Form, Expr::value(PasswordForm::OpaqueString.number()))
            .filter(password_credentials::Column::AccountId.eq(id.0))
            .filter(password_credentials::Column::Hash.eq(old.encode()))
            .exec(&self.conn)
            .await?;
        Ok(replaced.rows_affected == 1)
    }
}
