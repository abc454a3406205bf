//! Known devices.

use crate::entity::known_devices;
use crate::error::StoreError;
use crate::row::{RowRef, count_column};
use crate::store::{Queries, Tx};
use anteroom_domain::account::AccountEpoch;
use anteroom_domain::device::{KnownDevice, MAX_DEVICES, UNUSED_AFTER};
use anteroom_domain::ids::{AccountId, DeviceId};
use jiff::Timestamp;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, Set, Statement, Value};

impl Queries {
    /// Which of these is the account's, the first named first. One browser has one for each of its accounts.
    pub async fn device_of(
        &self,
        account: AccountId,
        among: &[DeviceId],
    ) -> Result<Option<DeviceId>, StoreError> {
        let rows = known_devices::Entity::find()
            .filter(known_devices::Column::AccountId.eq(account.0))
            .filter(known_devices::Column::Id.is_in(among.iter().map(|id| id.0)))
            .filter(known_devices::Column::RevokedAt.is_null())
            .all(&self.conn)
            .await?;
        Ok(among.iter().find(|id| rows.iter().any(|row| row.id == id.0)).copied())
    }

    /// Those of these that are known devices of the account.
    pub async fn devices_among(
        &self,
        account: AccountId,
        among: &[DeviceId],
    ) -> Result<Vec<KnownDevice>, StoreError> {
        if among.is_empty() {
            return Ok(Vec::new());
        }
        let rows = known_devices::Entity::find()
            .filter(known_devices::Column::AccountId.eq(account.0))
            .filter(known_devices::Column::Id.is_in(among.iter().map(|id| id.0)))
            .filter(known_devices::Column::RevokedAt.is_null())
            .all(&self.conn)
            .await?;
        rows.into_iter().map(device_from_row).collect()
    }

    /// `None` also for one that was revoked.
    pub async fn device(&self, id: DeviceId) -> Result<Option<KnownDevice>, StoreError> {
        let row = known_devices::Entity::find_by_id(id.0)
            .filter(known_devices::Column::RevokedAt.is_null())
            .one(&self.conn)
            .await?;
        row.map(device_from_row).transpose()
    }
}

/// The first devices of this order are kept. Those that passed a second factor come first, the one seen last before the others:
/// an attacker who knows only the password cannot make one. The others alternate between the one seen last and the oldest: what
/// such an attacker makes is newer than the owner's devices, and must leave room for those and for the owner's next one.
const FORGET_SURPLUS: &str = "UPDATE known_devices SET revoked_at = $1 WHERE id IN (SELECT id FROM (\
     SELECT id, stepped_up_at, last_seen_at, unused, \
     2 * ROW_NUMBER() OVER (PARTITION BY stepped_up_at IS NULL, unused ORDER BY created_at, id) AS oldest, \
     2 * ROW_NUMBER() OVER (PARTITION BY stepped_up_at IS NULL, unused \
     ORDER BY last_seen_at DESC, created_at DESC, id DESC) - 1 AS latest FROM (\
     SELECT id, stepped_up_at, created_at, last_seen_at, last_seen_at = created_at AND last_seen_at < $3 AS unused \
     FROM known_devices WHERE account_id = $2 AND revoked_at IS NULL) AS own) AS placed \
     ORDER BY stepped_up_at IS NULL, unused, \
     CASE WHEN stepped_up_at IS NOT NULL THEN -last_seen_at WHEN latest < oldest THEN latest ELSE oldest END, id \
     LIMIT 1000 OFFSET $4)";

impl Tx {
    /// Forgets those of the account beyond as many as it may have. The one that was just made stays, unless all the others have
    /// passed a second factor.
    pub async fn revoke_surplus_devices(&self, account: AccountId, now: Timestamp) -> Result<(), StoreError> {
        let unused = now.checked_sub(UNUSED_AFTER).unwrap_or(Timestamp::MIN);
        let values: [Value; 4] = [
            now.as_millisecond().into(),
            account.0.into(),
            unused.as_millisecond().into(),
            i64::from(MAX_DEVICES).into(),
        ];
        let backend = self.conn.get_database_backend();
        let statement = Statement::from_sql_and_values(backend, FORGET_SURPLUS, values);
        self.conn.execute_raw(statement).await?;
        Ok(())
    }

    pub async fn insert_device(&self, device: &KnownDevice) -> Result<(), StoreError> {
        let row = known_devices::ActiveModel {
            id: Set(device.id.0),
            account_id: Set(device.account.0),
            failures: Set(count_column(device.failures)),
            stepped_up_at: Set(device.stepped_up_at.map(Timestamp::as_millisecond)),
            label: Set(device.label.clone()),
            created_at: Set(device.created_at.as_millisecond()),
            last_seen_at: Set(device.last_seen_at.as_millisecond()),
            revoked_at: Set(None),
            reset_at: Set(device.reset_at.map(Timestamp::as_millisecond)),
            password_epoch: Set(device.password_epoch.map(|epoch| epoch.0)),
        };
        known_devices::Entity::insert(row).exec_without_returning(&self.conn).await?;
        Ok(())
    }

    /// The password of this epoch of the account was right there. `false`: the device was swept, since it was revoked or not used
    /// for long.
    pub async fn touch_device(
        &self,
        id: DeviceId,
        epoch: AccountEpoch,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let touched = known_devices::Entity::update_many()
            .col_expr(known_devices::Column::PasswordEpoch, Expr::value(epoch.0))
            .col_expr(known_devices::Column::LastSeenAt, Expr::value(now.as_millisecond()))
            .filter(known_devices::Column::Id.eq(id.0))
            .exec(&self.conn)
            .await?;
        Ok(touched.rows_affected == 1)
    }

    /// After an epoch change without a new password: moves `password_epoch` of the account's devices from `before` to `now`, so
    /// that they still count as known by the present password.
    pub async fn keep_password_of_devices(
        &self,
        account: AccountId,
        before: AccountEpoch,
        now: AccountEpoch,
    ) -> Result<(), StoreError> {
        known_devices::Entity::update_many()
            .col_expr(known_devices::Column::PasswordEpoch, Expr::value(now.0))
            .filter(known_devices::Column::AccountId.eq(account.0))
            .filter(known_devices::Column::PasswordEpoch.eq(before.0))
            .exec(&self.conn)
            .await?;
        Ok(())
    }

    /// Records that this device passed a second factor, and clears `reset_at`.
    pub async fn record_second_factor(
        &self,
        account: AccountId,
        id: DeviceId,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.note_reset(account, id, None).await?;
        self.make_known(account, id, now).await
    }

    /// It is known from now on, also where there was no room for it before.
    async fn make_known(&self, account: AccountId, id: DeviceId, now: Timestamp) -> Result<(), StoreError> {
        let none: Option<i64> = None;
        known_devices::Entity::update_many()
            .col_expr(known_devices::Column::SteppedUpAt, Expr::value(now.as_millisecond()))
            .col_expr(known_devices::Column::LastSeenAt, Expr::value(now.as_millisecond()))
            .col_expr(known_devices::Column::RevokedAt, Expr::value(none))
            .filter(known_devices::Column::Id.eq(id.0))
            .filter(known_devices::Column::AccountId.eq(account.0))
            .exec(&self.conn)
            .await?;
        self.revoke_surplus_devices(account, now).await
    }

    /// A reset with a code was completed at this device, so it stays known. Unless it had passed a second factor since any
    /// earlier reset, `reset_at` is set: at the next sign-in it must pass one.
    pub async fn record_reset(
        &self,
        account: AccountId,
        id: DeviceId,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let passed = self.device(id).await?.is_some_and(|device| device.passed_second_factor());
        if !passed {
            self.note_reset(account, id, Some(now)).await?;
        }
        self.make_known(account, id, now).await
    }

    async fn note_reset(
        &self,
        account: AccountId,
        id: DeviceId,
        at: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        known_devices::Entity::update_many()
            .col_expr(known_devices::Column::ResetAt, Expr::value(at.map(Timestamp::as_millisecond)))
            .filter(known_devices::Column::Id.eq(id.0))
            .filter(known_devices::Column::AccountId.eq(account.0))
            .exec(&self.conn)
            .await?;
        Ok(())
    }
}

fn device_from_row(row: known_devices::Model) -> Result<KnownDevice, StoreError> {
    let place = RowRef { table: "known_devices", id: &row.id };
    Ok(KnownDevice {
        id: DeviceId(row.id),
        account: AccountId(row.account_id),
        failures: place.number("failures", row.failures)?,
        stepped_up_at: place.optional_time("stepped_up_at", row.stepped_up_at)?,
        created_at: place.time("created_at", row.created_at)?,
        last_seen_at: place.time("last_seen_at", row.last_seen_at)?,
        reset_at: place.optional_time("reset_at", row.reset_at)?,
        password_epoch: row.password_epoch.map(AccountEpoch),
        label: row.label,
    })
}
