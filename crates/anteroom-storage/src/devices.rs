//! Known devices.

use crate::StoreError;
use crate::entity::known_devices;
use crate::row::{Place, count_column};
use crate::store::{Reads, Tx};
use anteroom_domain::device::KnownDevice;
use anteroom_domain::ids::{AccountId, DeviceId};
use jiff::Timestamp;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, Set, Statement, Value};

impl Reads {
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

    /// `None` also for one that was revoked.
    pub async fn device(&self, id: DeviceId) -> Result<Option<KnownDevice>, StoreError> {
        let row = known_devices::Entity::find_by_id(id.0)
            .filter(known_devices::Column::RevokedAt.is_null())
            .one(&self.conn)
            .await?;
        row.map(known).transpose()
    }
}

/// Those that passed a second factor are forgotten last, which the password alone does not reach, and those that were used but
/// once first; of equals the one that was unused for longest.
const FORGET_SURPLUS: &str = "UPDATE known_devices SET revoked_at = $1 WHERE id IN (SELECT id FROM known_devices \
     WHERE account_id = $2 AND revoked_at IS NULL AND id <> $3 \
     ORDER BY stepped_up_at IS NULL, last_seen_at = created_at, last_seen_at DESC, id DESC LIMIT 1000 OFFSET $4)";

impl Tx {
    /// Forgets those of the account beyond `kept`, besides the new one.
    pub async fn forget_surplus_devices(
        &self,
        account: AccountId,
        new: DeviceId,
        (kept, now): (u32, Timestamp),
    ) -> Result<(), StoreError> {
        let values: [Value; 4] =
            [now.as_millisecond().into(), account.0.into(), new.0.into(), i64::from(kept).into()];
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
        };
        known_devices::Entity::insert(row).exec_without_returning(&self.conn).await?;
        Ok(())
    }

    /// `false`: the device was swept, since it was revoked or not used for long.
    pub async fn touch_device(&self, id: DeviceId, now: Timestamp) -> Result<bool, StoreError> {
        let touched = known_devices::Entity::update_many()
            .col_expr(known_devices::Column::LastSeenAt, Expr::value(now.as_millisecond()))
            .filter(known_devices::Column::Id.eq(id.0))
            .exec(&self.conn)
            .await?;
        Ok(touched.rows_affected == 1)
    }

    /// This very device has passed a second factor.
    pub async fn step_device_up(&self, id: DeviceId, now: Timestamp) -> Result<(), StoreError> {
        known_devices::Entity::update_many()
            .col_expr(known_devices::Column::SteppedUpAt, Expr::value(now.as_millisecond()))
            .filter(known_devices::Column::Id.eq(id.0))
            .exec(&self.conn)
            .await?;
        Ok(())
    }
}

fn known(row: known_devices::Model) -> Result<KnownDevice, StoreError> {
    let place = Place { table: "known_devices", id: &row.id };
    Ok(KnownDevice {
        id: DeviceId(row.id),
        account: AccountId(row.account_id),
        failures: place.number("failures", row.failures)?,
        stepped_up_at: place.maybe_time("stepped_up_at", row.stepped_up_at)?,
        created_at: place.time("created_at", row.created_at)?,
        last_seen_at: place.time("last_seen_at", row.last_seen_at)?,
        label: row.label,
    })
}
