//! A new password, and what ends with the old one.

use crate::accounts::account::Credential;
use crate::entity::{accounts, grants, known_devices, password_credentials, password_history};
use crate::error::StoreError;
use crate::row::RowRef;
use crate::store::{Queries, Tx};
use anteroom_crypto::PasswordHash;
use anteroom_domain::account::AccountStatus;
use anteroom_domain::grant::GrantEnd;
use anteroom_domain::ids::{AccountId, DeviceId};
use anteroom_domain::password::PasswordFacts;
use anteroom_domain::password_text::PasswordForm;
use jiff::Timestamp;
use sea_orm::sea_query::{Expr, OnConflict, Query};
use sea_orm::{
    ColumnTrait, ConnectionTrait as _, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Set, Statement,
};
use uuid::Uuid;

/// An account has a few; SQLite takes no `OFFSET` without a `LIMIT`.
const TRIM_HISTORY: &str = "DELETE FROM password_history WHERE id IN (SELECT id FROM password_history WHERE account_id = $1 \
                            ORDER BY retired_at DESC, id DESC LIMIT 10000 OFFSET $2)";

impl Queries {
    /// The passwords before the current one, newest first.
    pub async fn password_history(
        &self,
        account: AccountId,
        limit: u64,
    ) -> Result<Vec<OldPassword>, StoreError> {
        let rows = password_history::Entity::find()
            .filter(password_history::Column::AccountId.eq(account.0))
            .order_by_desc(password_history::Column::RetiredAt)
            .limit(limit)
            .all(&self.conn)
            .await?;
        let read = |row: password_history::Model| {
            let place = RowRef { table: "password_history", id: &row.id };
            let hash = PasswordHash::parse(&row.hash).map_err(|_| place.corrupt("hash"))?;
            Ok(OldPassword { hash, form: row.form.and_then(PasswordForm::from_number) })
        };
        rows.into_iter().map(read).collect()
    }

    /// With its hash, to hold a new password against.
    pub async fn credential(&self, account: AccountId) -> Result<Option<Credential>, StoreError> {
        let row = password_credentials::Entity::find_by_id(account.0).one(&self.conn).await?;
        let Some(row) = row else { return Ok(None) };
        let place = RowRef { table: "password_credentials", id: &account };
        Ok(Some(Credential {
            hash: PasswordHash::parse(&row.hash).map_err(|_| place.corrupt("hash"))?,
            form: row.form.and_then(PasswordForm::from_number),
            facts: facts(&place, &row)?,
        }))
    }
}

/// A password that was replaced.
#[derive(Clone, Debug)]
pub struct OldPassword {
    pub hash: PasswordHash,
    /// What the hash is of; `None`: the text as it was typed.
    pub form: Option<PasswordForm>,
}

/// A password that may be close to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AgeingPassword {
    pub account: AccountId,
    pub facts: PasswordFacts,
    /// The warning that was sent last.
    pub warned: Option<u16>,
}

impl Queries {
    /// Those of active accounts that were set before a time, in the order of their accounts, beginning behind `after`.
    pub async fn ageing_passwords(
        &self,
        set_before: Timestamp,
        after: Option<AccountId>,
        limit: u64,
    ) -> Result<Vec<AgeingPassword>, StoreError> {
        let active = Query::select()
            .column(accounts::Column::Id)
            .from(accounts::Entity)
            .and_where(accounts::Column::Status.eq(AccountStatus::Active.as_str()))
            .to_owned();
        let rows = password_credentials::Entity::find()
            .filter(password_credentials::Column::SetAt.lte(set_before.as_millisecond()))
            .filter(
                password_credentials::Column::AccountId.gt(after.map_or(Uuid::nil(), |account| account.0)),
            )
            .filter(password_credentials::Column::AccountId.in_subquery(active))
            .order_by_asc(password_credentials::Column::AccountId)
            .limit(limit)
            .all(&self.conn)
            .await?;
        let read = |row: password_credentials::Model| {
            let place = RowRef { table: "password_credentials", id: &row.account_id };
            Ok(AgeingPassword {
                account: AccountId(row.account_id),
                facts: facts(&place, &row)?,
                warned: row.warned_days.map(|days| place.number("warned_days", days)).transpose()?,
            })
        };
        rows.into_iter().map(read).collect()
    }
}

fn facts(place: &RowRef<'_>, row: &password_credentials::Model) -> Result<PasswordFacts, StoreError> {
    Ok(PasswordFacts {
        set_at: place.time("set_at", row.set_at)?,
        jitter_days: place.number("expiry_jitter_days", row.expiry_jitter_days)?,
    })
}

impl Tx {
    /// `false`: another node was first, or the password was changed.
    pub async fn mark_warned(&self, ageing: &AgeingPassword, threshold: u16) -> Result<bool, StoreError> {
        let before = match ageing.warned {
            Some(days) => password_credentials::Column::WarnedDays.eq(i32::from(days)),
            None => password_credentials::Column::WarnedDays.is_null(),
        };
        let marked = password_credentials::Entity::update_many()
            .col_expr(password_credentials::Column::WarnedDays, Expr::value(i32::from(threshold)))
            .filter(password_credentials::Column::AccountId.eq(ageing.account.0))
            .filter(password_credentials::Column::SetAt.eq(ageing.facts.set_at.as_millisecond()))
            .filter(before)
            .exec(&self.conn)
            .await?;
        Ok(marked.rows_affected == 1)
    }

    /// The old one goes into the history, under the identifier `retired`. Of the history the newest `remembered` stay.
    pub async fn set_password(
        &self,
        account: AccountId,
        new: &Credential,
        retired: Uuid,
        remembered: u16,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        if let Some(old) = password_credentials::Entity::find_by_id(account.0).one(&self.conn).await? {
            let row = password_history::ActiveModel {
                id: Set(retired),
                account_id: Set(account.0),
                hash: Set(old.hash),
                retired_at: Set(now.as_millisecond()),
                form: Set(old.form),
            };
            password_history::Entity::insert(row).exec_without_returning(&self.conn).await?;
            self.trim_history(account, remembered).await?;
        }
        let row = password_credentials::ActiveModel {
            account_id: Set(account.0),
            hash: Set(new.hash.encode()),
            set_at: Set(new.facts.set_at.as_millisecond()),
            expiry_jitter_days: Set(i32::from(new.facts.jitter_days)),
            must_change: Set(false),
            warned_days: Set(None),
            form: Set(new.form.map(PasswordForm::number)),
        };
        let replace = OnConflict::column(password_credentials::Column::AccountId)
            .update_columns([
                password_credentials::Column::Hash,
                password_credentials::Column::SetAt,
                password_credentials::Column::ExpiryJitterDays,
                password_credentials::Column::MustChange,
                password_credentials::Column::WarnedDays,
                password_credentials::Column::Form,
            ])
            .to_owned();
        password_credentials::Entity::insert(row)
            .on_conflict(replace)
            .exec_without_returning(&self.conn)
            .await?;
        self.reset_device_failures(account).await
    }

    /// Resets the failure counters of known devices: they count wrong entries against one password.
    async fn reset_device_failures(&self, account: AccountId) -> Result<(), StoreError> {
        accounts::Entity::update_many()
            .col_expr(accounts::Column::EarlierFailures, Expr::value(0))
            .filter(accounts::Column::Id.eq(account.0))
            .exec(&self.conn)
            .await?;
        known_devices::Entity::update_many()
            .col_expr(known_devices::Column::Failures, Expr::value(0))
            .filter(known_devices::Column::AccountId.eq(account.0))
            .exec(&self.conn)
            .await?;
        Ok(())
    }

    async fn trim_history(&self, account: AccountId, remembered: u16) -> Result<(), StoreError> {
        let values = [account.0.into(), i64::from(remembered).into()];
        let statement =
            Statement::from_sql_and_values(self.conn.get_database_backend(), TRIM_HISTORY, values);
        self.conn.execute_raw(statement).await?;
        Ok(())
    }

    /// Lifts the locks of the account. Call it only for a completed reset.
    pub async fn lift_locks(&self, account: AccountId) -> Result<(), StoreError> {
        accounts::Entity::update_many()
            .col_expr(accounts::Column::UnknownFailures, Expr::value(0))
            .col_expr(accounts::Column::UnknownLockedAt, Expr::value(None::<i64>))
            .col_expr(accounts::Column::LockedAt, Expr::value(None::<i64>))
            .filter(accounts::Column::Id.eq(account.0))
            .exec(&self.conn)
            .await?;
        Ok(())
    }

    /// After a reset at the device `at`: forgets the others that never passed a second factor, and notes the reset at those that
    /// did ([`anteroom_domain::device::KnownDevice::stays_known`]).
    pub async fn revoke_other_devices(
        &self,
        account: AccountId,
        at: DeviceId,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let passed = known_devices::Column::SteppedUpAt;
        for (column, which) in [
            (known_devices::Column::RevokedAt, passed.is_null()),
            (known_devices::Column::ResetAt, passed.is_not_null()),
        ] {
            known_devices::Entity::update_many()
                .col_expr(column, Expr::value(now.as_millisecond()))
                .filter(known_devices::Column::AccountId.eq(account.0))
                .filter(known_devices::Column::Id.ne(at.0))
                .filter(known_devices::Column::RevokedAt.is_null())
                .filter(which)
                .exec(&self.conn)
                .await?;
        }
        Ok(())
    }

    /// Every grant of the account, those that outlive their session too. Returns how many there were.
    pub async fn revoke_grants_of_account(
        &self,
        account: AccountId,
        end: GrantEnd,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let revoked = grants::Entity::update_many()
            .col_expr(grants::Column::RevokedAt, Expr::value(now.as_millisecond()))
            .col_expr(grants::Column::RevokeReason, Expr::value(end.as_str()))
            .filter(grants::Column::AccountId.eq(account.0))
            .filter(grants::Column::RevokedAt.is_null())
            .exec(&self.conn)
            .await?;
        Ok(revoked.rows_affected)
    }
}
