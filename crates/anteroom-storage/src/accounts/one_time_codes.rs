//! One-time codes and wrong entries. A code is its digest; the budgets are counted over rows, so that nothing resets them.

use crate::entity::{code_attempts, one_time_codes, password_credentials};
use crate::error::StoreError;
use crate::row::RowRef;
use crate::store::{Queries, Tx};
use anteroom_domain::ids::{AccountId, InteractionId, MessageId, OneTimeCodeId, PhoneId};
use anteroom_domain::one_time_code::{CodePurpose, CodeQuota, OneTimeCode};
use anteroom_domain::phone::DeliveryMethod;
use jiff::Timestamp;
use sea_orm::sea_query::{Expr, SimpleExpr};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Set};
use uuid::Uuid;

/// Times of the codes sent to an account and of its wrong entries, for one purpose and quota, since a given time; for purposes
/// behind the password also not before the password was set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CodeAttempts {
    pub sent: Vec<Timestamp>,
    pub wrong: Vec<Timestamp>,
}

impl Queries {
    /// The one of an interaction that was neither used nor replaced, expired or not.
    pub async fn code_of(
        &self,
        interaction: InteractionId,
        purpose: CodePurpose,
    ) -> Result<Option<OneTimeCode>, StoreError> {
        let row = one_time_codes::Entity::find()
            .filter(one_time_codes::Column::InteractionId.eq(interaction.0))
            .filter(one_time_codes::Column::Purpose.eq(purpose.as_str()))
            .filter(one_time_codes::Column::UsedAt.is_null())
            .filter(one_time_codes::Column::SupersededAt.is_null())
            .order_by_desc(one_time_codes::Column::CreatedAt)
            .one(&self.conn)
            .await?;
        row.as_ref().map(code).transpose()
    }

    pub async fn code_attempts(
        &self,
        account: AccountId,
        purpose: CodePurpose,
        share: CodeQuota,
        since: Timestamp,
    ) -> Result<CodeAttempts, StoreError> {
        let since = since.as_millisecond().max(self.counts_from(account, purpose).await?);
        let sent: Vec<i64> = one_time_codes::Entity::find()
            .select_only()
            .column(one_time_codes::Column::CreatedAt)
            .filter(one_time_codes::Column::AccountId.eq(account.0))
            .filter(one_time_codes::Column::Purpose.eq(purpose.as_str()))
            .filter(one_time_codes::Column::CreatedAt.gte(since))
            .filter(of_share(one_time_codes::Column::SteppedUp, share))
            .into_tuple()
            .all(&self.conn)
            .await?;
        let wrong: Vec<i64> = code_attempts::Entity::find()
            .select_only()
            .column(code_attempts::Column::At)
            .filter(code_attempts::Column::AccountId.eq(account.0))
            .filter(code_attempts::Column::Purpose.eq(purpose.as_str()))
            .filter(code_attempts::Column::At.gte(since))
            .filter(of_share(code_attempts::Column::SteppedUp, share))
            .into_tuple()
            .all(&self.conn)
            .await?;
        let place = RowRef { table: "one_time_codes", id: &account };
        let times = |column, millis: Vec<i64>| -> Result<Vec<Timestamp>, StoreError> {
            millis.into_iter().map(|millis| place.time(column, millis)).collect()
        };
        Ok(CodeAttempts { sent: times("created_at", sent)?, wrong: times("at", wrong)? })
    }

    /// When the present password was set, where the codes are behind it.
    async fn counts_from(&self, account: AccountId, purpose: CodePurpose) -> Result<i64, StoreError> {
        if !purpose.is_behind_password() {
            return Ok(i64::MIN);
        }
        let credential = password_credentials::Entity::find_by_id(account.0).one(&self.conn).await?;
        Ok(credential.map_or(i64::MIN, |credential| credential.set_at))
    }
}

impl Tx {
    /// The new code is the only valid one of its interaction and purpose.
    pub async fn insert_code(
        &self,
        code: &OneTimeCode,
        interaction: InteractionId,
        share: CodeQuota,
    ) -> Result<(), StoreError> {
        one_time_codes::Entity::update_many()
            .col_expr(one_time_codes::Column::SupersededAt, Expr::value(code.created_at.as_millisecond()))
            .filter(one_time_codes::Column::InteractionId.eq(interaction.0))
            .filter(one_time_codes::Column::Purpose.eq(code.purpose.as_str()))
            .filter(one_time_codes::Column::SupersededAt.is_null())
            .exec(&self.conn)
            .await?;
        let row = one_time_codes::ActiveModel {
            id: Set(code.id.0),
            account_id: Set(code.account.0),
            purpose: Set(code.purpose.as_str().to_owned()),
            phone_id: Set(Some(code.phone.0)),
            method: Set(code.method.as_str().to_owned()),
            interaction_id: Set(Some(interaction.0)),
            code_digest: Set(code.digest.as_bytes().to_vec()),
            message_id: Set(code.message.0),
            created_at: Set(code.created_at.as_millisecond()),
            expires_at: Set(code.expires_at.as_millisecond()),
            used_at: Set(None),
            superseded_at: Set(None),
            stepped_up: Set(share_column(share)),
        };
        one_time_codes::Entity::insert(row).exec_without_returning(&self.conn).await?;
        Ok(())
    }

    /// `false`: it was used or replaced meanwhile.
    pub async fn use_code(&self, id: OneTimeCodeId, now: Timestamp) -> Result<bool, StoreError> {
        let used = one_time_codes::Entity::update_many()
            .col_expr(one_time_codes::Column::UsedAt, Expr::value(now.as_millisecond()))
            .filter(one_time_codes::Column::Id.eq(id.0))
            .filter(one_time_codes::Column::UsedAt.is_null())
            .filter(one_time_codes::Column::SupersededAt.is_null())
            .exec(&self.conn)
            .await?;
        Ok(used.rows_affected == 1)
    }

    pub async fn count_wrong_code(
        &self,
        account: AccountId,
        purpose: CodePurpose,
        share: CodeQuota,
        entry: Uuid,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let row = code_attempts::ActiveModel {
            account_id: Set(account.0),
            purpose: Set(purpose.as_str().to_owned()),
            at: Set(now.as_millisecond()),
            id: Set(entry),
            stepped_up: Set(share_column(share)),
        };
        code_attempts::Entity::insert(row).exec_without_returning(&self.conn).await?;
        Ok(())
    }
}

/// Rows of release 0.1.0 have none, and are of the other devices.
fn share_column(share: CodeQuota) -> Option<bool> {
    (share == CodeQuota::SteppedUpDevice).then_some(true)
}

fn of_share(column: impl ColumnTrait, share: CodeQuota) -> SimpleExpr {
    match share {
        CodeQuota::SteppedUpDevice => column.eq(true),
        CodeQuota::OtherDevice => column.is_null(),
    }
}

fn code(row: &one_time_codes::Model) -> Result<OneTimeCode, StoreError> {
    let place = RowRef { table: "one_time_codes", id: &row.id };
    let missing = |column| move || RowRef { table: "one_time_codes", id: &row.id }.corrupt(column);
    Ok(OneTimeCode {
        id: OneTimeCodeId(row.id),
        account: AccountId(row.account_id),
        purpose: CodePurpose::parse(&row.purpose).ok_or_else(missing("purpose"))?,
        phone: row.phone_id.map(PhoneId).ok_or_else(missing("phone_id"))?,
        method: DeliveryMethod::parse(&row.method).ok_or_else(missing("method"))?,
        digest: place.digest("code_digest", &row.code_digest)?,
        message: MessageId(row.message_id),
        created_at: place.time("created_at", row.created_at)?,
        expires_at: place.time("expires_at", row.expires_at)?,
    })
}
