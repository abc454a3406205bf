//! Phones of accounts, and the addresses that get mail about an account.

use crate::accounts::new_account::NewPhone;
use crate::entity::{account_addresses, phones};
use crate::error::StoreError;
use crate::row::RowRef;
use crate::store::{Queries, Tx};
use anteroom_domain::account::PhoneKind;
use anteroom_domain::address::{EmailAddress, FoldedAddress};
use anteroom_domain::ids::{AccountId, PhoneId};
use anteroom_domain::phone::{E164, Phone};
use jiff::Timestamp;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, Set, TryInsertResult};

impl Queries {
    /// In the order in which they are offered.
    pub async fn phones_of(&self, account: AccountId) -> Result<Vec<Phone>, StoreError> {
        let rows = phones::Entity::find()
            .filter(phones::Column::AccountId.eq(account.0))
            .order_by_asc(phones::Column::Position)
            .all(&self.conn)
            .await?;
        rows.iter().map(phone).collect()
    }

    /// In the spelling that its owner gave, unless it is too new to be used for a recovery.
    pub async fn address_on_file(
        &self,
        address: &FoldedAddress,
        now: Timestamp,
    ) -> Result<Option<EmailAddress>, StoreError> {
        let row = account_addresses::Entity::find()
            .filter(account_addresses::Column::Folded.eq(address.as_str()))
            .filter(account_addresses::Column::UsableFrom.lte(now.as_millisecond()))
            .one(&self.conn)
            .await?;
        row.as_ref().map(address_from_row).transpose()
    }

    /// All addresses of the account: each of them gets the notices of changes.
    pub async fn addresses_of(&self, account: AccountId) -> Result<Vec<EmailAddress>, StoreError> {
        let rows = account_addresses::Entity::find()
            .filter(account_addresses::Column::AccountId.eq(account.0))
            .order_by_asc(account_addresses::Column::CreatedAt)
            .all(&self.conn)
            .await?;
        rows.iter().map(address_from_row).collect()
    }
}

impl Tx {
    /// Behind those that are there. `false`: the account has the number already.
    pub async fn insert_phone(
        &self,
        account: AccountId,
        new: &NewPhone,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let before = phones::Entity::find().filter(phones::Column::AccountId.eq(account.0));
        let position = i32::try_from(before.count(&self.conn).await?).unwrap_or(i32::MAX);
        let row = phones::ActiveModel {
            id: Set(new.id.0),
            account_id: Set(account.0),
            e164: Set(new.number.as_str().to_owned()),
            kind: Set(new.kind.as_str().to_owned()),
            position: Set(position),
            verified_at: Set(new.verified_at.map(Timestamp::as_millisecond)),
            usable_from: Set(new.usable_from.as_millisecond()),
            created_at: Set(now.as_millisecond()),
        };
        let inserted = phones::Entity::insert(row)
            .on_conflict_do_nothing_on([phones::Column::AccountId, phones::Column::E164])
            .exec_without_returning(&self.conn)
            .await?;
        let is_new = matches!(inserted, TryInsertResult::Inserted(1));
        if is_new && new.verified_at.is_some() {
            self.sync_authenticators(account, now).await?;
        }
        Ok(is_new)
    }

    /// A code that was sent there was entered. That verifies the number, if nothing had before.
    pub async fn use_phone(&self, account: AccountId, id: PhoneId, now: Timestamp) -> Result<(), StoreError> {
        phones::Entity::update_many()
            .col_expr(phones::Column::VerifiedAt, Expr::value(now.as_millisecond()))
            .filter(phones::Column::Id.eq(id.0))
            .filter(phones::Column::VerifiedAt.is_null())
            .exec(&self.conn)
            .await?;
        self.sync_authenticators(account, now).await?;
        self.note_use_of(id.0, now).await
    }

    pub async fn set_phone_kind(&self, id: PhoneId, kind: PhoneKind) -> Result<(), StoreError> {
        phones::Entity::update_many()
            .col_expr(phones::Column::Kind, Expr::value(kind.as_str()))
            .filter(phones::Column::Id.eq(id.0))
            .exec(&self.conn)
            .await?;
        Ok(())
    }

    /// Removes numbers that were added and cannot be used yet: the person who resets the password did not ask for them, or adds
    /// them again.
    pub async fn remove_waiting_phones(&self, account: AccountId, now: Timestamp) -> Result<(), StoreError> {
        phones::Entity::delete_many()
            .filter(phones::Column::AccountId.eq(account.0))
            .filter(phones::Column::UsableFrom.gt(now.as_millisecond()))
            .exec(&self.conn)
            .await?;
        self.sync_authenticators(account, now).await
    }

    /// All of an account that is not registered yet.
    pub async fn remove_phones(&self, account: AccountId, now: Timestamp) -> Result<(), StoreError> {
        phones::Entity::delete_many()
            .filter(phones::Column::AccountId.eq(account.0))
            .exec(&self.conn)
            .await?;
        self.sync_authenticators(account, now).await
    }

    /// Removes numbers that were entered during a registration and never verified.
    pub async fn remove_unverified_phones(&self, account: AccountId) -> Result<(), StoreError> {
        phones::Entity::delete_many()
            .filter(phones::Column::AccountId.eq(account.0))
            .filter(phones::Column::VerifiedAt.is_null())
            .exec(&self.conn)
            .await?;
        Ok(())
    }

    /// The person who followed the link of a mail reads what is sent to the address, so that the address is verified.
    pub async fn verify_addresses(&self, account: AccountId, now: Timestamp) -> Result<(), StoreError> {
        account_addresses::Entity::update_many()
            .col_expr(account_addresses::Column::VerifiedAt, Expr::value(now.as_millisecond()))
            .filter(account_addresses::Column::AccountId.eq(account.0))
            .filter(account_addresses::Column::IsPrimary.eq(true))
            .filter(account_addresses::Column::VerifiedAt.is_null())
            .exec(&self.conn)
            .await?;
        Ok(())
    }
}

fn address_from_row(row: &account_addresses::Model) -> Result<EmailAddress, StoreError> {
    let place = RowRef { table: "account_addresses", id: &row.id };
    EmailAddress::from_stored(&row.address).map_err(|_| place.corrupt("address"))
}

fn phone(row: &phones::Model) -> Result<Phone, StoreError> {
    let place = RowRef { table: "phones", id: &row.id };
    Ok(Phone {
        id: PhoneId(row.id),
        number: E164::parse(&row.e164).map_err(|_| place.corrupt("e164"))?,
        kind: PhoneKind::parse(&row.kind).ok_or_else(|| place.corrupt("kind"))?,
        verified_at: place.optional_time("verified_at", row.verified_at)?,
        usable_from: place.time("usable_from", row.usable_from)?,
    })
}
