//! A new account: its row, and those of its addresses, phones, groups and password.

use crate::accounts::account::Credential;
use crate::entity::{account_addresses, account_groups, accounts, password_credentials, phones};
use crate::error::StoreError;
use crate::row::json_text;
use crate::store::Tx;
use anteroom_domain::account::{AccountStatus, GroupName, PhoneKind, Profile};
use anteroom_domain::address::EmailAddress;
use anteroom_domain::ids::{AccountId, AddressId, PhoneId};
use anteroom_domain::password_text::PasswordForm;
use anteroom_domain::phone::E164;
use anteroom_domain::username::FoldedUsername;
use jiff::Timestamp;
use sea_orm::{EntityTrait, Set, TryInsertResult};
use std::collections::BTreeSet;

#[derive(Clone, Debug)]
pub struct NewAccount {
    pub id: AccountId,
    pub status: AccountStatus,
    pub profile: Profile,
    pub locale: Option<String>,
    pub primary_address: NewAddress,
    pub other_addresses: Vec<NewAddress>,
    /// In the order in which they are offered.
    pub phones: Vec<NewPhone>,
    pub groups: BTreeSet<GroupName>,
    pub credential: Option<Credential>,
    pub now: Timestamp,
}

#[derive(Clone, Debug)]
pub struct NewAddress {
    pub id: AddressId,
    pub address: EmailAddress,
    pub verified_at: Option<Timestamp>,
}

#[derive(Clone, Debug)]
pub struct NewPhone {
    pub id: PhoneId,
    pub number: E164,
    pub kind: PhoneKind,
    pub verified_at: Option<Timestamp>,
    pub usable_from: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InsertAccountError {
    #[error("another account has this address")]
    AddressTaken,
    #[error("another account has this as its preferred_username")]
    UsernameTaken,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Tx {
    /// After an error the unit must fail too, or half an account stays.
    pub async fn insert_account(&self, new: &NewAccount) -> Result<(), InsertAccountError> {
        let row = accounts::ActiveModel {
            id: Set(new.id.0),
            status: Set(new.status.as_str().to_owned()),
            epoch: Set(0),
            profile: Set(json_text(&new.profile)?),
            locale: Set(new.locale.clone()),
            unknown_failures: Set(0),
            unknown_locked_at: Set(None),
            locked_at: Set(None),
            created_at: Set(new.now.as_millisecond()),
            updated_at: Set(new.now.as_millisecond()),
            disabled_at: Set(None),
            earlier_failures: Set(0),
        };
        accounts::Entity::insert(row).exec_without_returning(&self.conn).await.map_err(StoreError::from)?;
        self.insert_address(new, &new.primary_address, true).await?;
        for address in &new.other_addresses {
            self.insert_address(new, address, false).await?;
        }
        if let Some(name) = &new.profile.preferred_username
            && self.set_username(new.id, Some(name)).await?.is_some()
        {
            return Err(InsertAccountError::UsernameTaken);
        }
        self.insert_phones(new).await?;
        self.insert_groups(new).await?;
        self.insert_credential(new).await?;
        Ok(())
    }

    async fn insert_address(
        &self,
        new: &NewAccount,
        address: &NewAddress,
        is_primary: bool,
    ) -> Result<(), InsertAccountError> {
        let name = FoldedUsername::of(address.address.as_str());
        self.lock_username(&name).await?;
        let row = account_addresses::ActiveModel {
            id: Set(address.id.0),
            account_id: Set(new.id.0),
            address: Set(address.address.as_str().to_owned()),
            folded: Set(address.address.folded().as_str().to_owned()),
            is_primary: Set(is_primary),
            verified_at: Set(address.verified_at.map(Timestamp::as_millisecond)),
            usable_from: Set(new.now.as_millisecond()),
            created_at: Set(new.now.as_millisecond()),
        };
        // A unique violation would abort the transaction on PostgreSQL, and could not be told from others. So the insert
        // ignores the conflict, and the number of rows shows it.
        let inserted = account_addresses::Entity::insert(row)
            .on_conflict_do_nothing_on([account_addresses::Column::Folded])
            .exec_without_returning(&self.conn)
            .await
            .map_err(StoreError::from)?;
        if !matches!(inserted, TryInsertResult::Inserted(1)) {
            return Err(InsertAccountError::AddressTaken);
        }
        match self.other_of_username(&name, new.id).await? {
            None => Ok(()),
            Some(_) => Err(InsertAccountError::UsernameTaken),
        }
    }

    async fn insert_phones(&self, new: &NewAccount) -> Result<(), StoreError> {
        let rows = new.phones.iter().zip(0_i32..).map(|(phone, position)| phones::ActiveModel {
            id: Set(phone.id.0),
            account_id: Set(new.id.0),
            e164: Set(phone.number.as_str().to_owned()),
            kind: Set(phone.kind.as_str().to_owned()),
            position: Set(position),
            verified_at: Set(phone.verified_at.map(Timestamp::as_millisecond)),
            usable_from: Set(phone.usable_from.as_millisecond()),
            created_at: Set(new.now.as_millisecond()),
        });
        phones::Entity::insert_many(rows).exec_without_returning(&self.conn).await?;
        self.sync_authenticators(new.id, new.now).await
    }

    async fn insert_groups(&self, new: &NewAccount) -> Result<(), StoreError> {
        let rows = new.groups.iter().map(|group| account_groups::ActiveModel {
            account_id: Set(new.id.0),
            group_name: Set(group.as_str().to_owned()),
        });
        account_groups::Entity::insert_many(rows).exec_without_returning(&self.conn).await?;
        Ok(())
    }

    async fn insert_credential(&self, new: &NewAccount) -> Result<(), StoreError> {
        let Some(credential) = &new.credential else { return Ok(()) };
        let row = password_credentials::ActiveModel {
            account_id: Set(new.id.0),
            hash: Set(credential.hash.encode()),
            set_at: Set(credential.facts.set_at.as_millisecond()),
            expiry_jitter_days: Set(i32::from(credential.facts.jitter_days)),
            must_change: Set(false),
            warned_days: Set(None),
            form: Set(credential.form.map(PasswordForm::number)),
        };
        password_credentials::Entity::insert(row).exec_without_returning(&self.conn).await?;
        Ok(())
    }
}
