//! Which account has which `preferred_username`. The primary key decides; addresses count as names too, because an account
//! without a name is known by its address.
//!
//! Addresses that are not ASCII do not stand in for a name (see `anteroom_oidc::claims`): they are told apart by the case of their
//! letters, and names are not.

use crate::entity::{account_addresses, account_usernames, accounts};
use crate::error::StoreError;
use crate::store::{Queries, Store, Tx};
use crate::unit::Unit;
use anteroom_domain::account::Profile;
use anteroom_domain::address::EmailAddress;
use anteroom_domain::ids::AccountId;
use anteroom_domain::username::FoldedUsername;
use sea_orm::{ColumnTrait, Condition, DbBackend, EntityTrait, QueryFilter, Set, TryInsertResult};
use sea_orm::{ConnectionTrait, Statement};
use std::collections::HashMap;

/// What became of the names that are in profiles and not in the table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BackfilledUsernames {
    /// Accounts that have a name of their own now. Those that have none any more are not counted.
    pub entered: usize,
    /// Accounts whose name is another account's, or its address.
    pub taken: Vec<AccountId>,
}

/// Usernames of this table that are also an address of another account. Comparing the folded columns is enough: only ASCII
/// addresses stand in for a name, and their folded form equals the folded username.
const NAMED_LIKE_AN_ADDRESS: &str = "SELECT u.account_id FROM account_usernames u JOIN account_addresses a \
                                     ON a.folded = u.folded AND a.account_id <> u.account_id ORDER BY u.account_id";

/// Rows that one transaction writes at most.
const BATCH: usize = 200;

impl Store {
    /// Three reads where nothing is to be entered. Nodes and commands of release 0.1.0 can change names as long as they run.
    pub async fn backfill_usernames(&self) -> Result<BackfilledUsernames, StoreError> {
        let (mut all, mut due) = (BackfilledUsernames::default(), Vec::new());
        for (account, name) in self.differing_usernames().await? {
            // What stays as it is costs no transaction.
            let other = match &name {
                Some(name) => self.other_of_username(name, account).await?,
                None => None,
            };
            if other.is_some() { all.taken.push(account) } else { due.push(account) }
        }
        all.taken.extend(self.named_like_an_address().await?);
        for batch in due.chunks(BATCH) {
            let (_, done) = self.run(EnterUsernamesUnit { accounts: batch.to_vec() }).await;
            let done = done?;
            all.entered += done.entered;
            all.taken.extend(done.taken);
        }
        Ok(all)
    }
}

impl Queries {
    /// Accounts whose profile has another name than the table.
    async fn differing_usernames(&self) -> Result<Vec<(AccountId, Option<FoldedUsername>)>, StoreError> {
        let entered = account_usernames::Entity::find().all(&self.conn).await?;
        let mut entered: HashMap<_, _> =
            entered.into_iter().map(|row| (row.account_id, row.folded)).collect();
        let named = accounts::Column::Profile.like("%\"preferred_username\":\"%");
        let mut rows = accounts::Entity::find().filter(named).all(&self.conn).await?;
        // The account that was there first keeps a name that two have.
        rows.sort_by_key(|row| (row.created_at, row.id));
        let mut otherwise = Vec::new();
        for row in rows {
            let name = username_in(&row.profile);
            let known = entered.remove(&row.id);
            if name.as_ref().map(FoldedUsername::as_str) != known.as_deref() {
                otherwise.push((AccountId(row.id), name));
            }
        }
        // Accounts that have no name any more.
        otherwise.extend(entered.into_keys().map(|id| (AccountId(id), None)));
        Ok(otherwise)
    }

    /// Accounts whose name is in the table, and is an address that release 0.1.0 has since given to another account.
    async fn named_like_an_address(&self) -> Result<Vec<AccountId>, StoreError> {
        let statement = Statement::from_string(self.conn.get_database_backend(), NAMED_LIKE_AN_ADDRESS);
        let rows = self.conn.query_all_raw(statement).await?;
        let ids: Result<Vec<AccountId>, _> =
            rows.iter().map(|row| row.try_get_by_index(0).map(AccountId)).collect();
        Ok(ids?)
    }

    /// The other account that is known by this name, or has it as an address.
    pub async fn other_of_username(
        &self,
        name: &FoldedUsername,
        account: AccountId,
    ) -> Result<Option<AccountId>, StoreError> {
        if let Some(row) = account_usernames::Entity::find_by_id(name.as_str()).one(&self.conn).await?
            && row.account_id != account.0
        {
            return Ok(Some(AccountId(row.account_id)));
        }
        let Ok(address) = EmailAddress::parse(name.as_str()) else { return Ok(None) };
        let others = Condition::all()
            .add(account_addresses::Column::Folded.eq(address.folded().as_str()))
            .add(account_addresses::Column::AccountId.ne(account.0));
        let row = account_addresses::Entity::find().filter(others).one(&self.conn).await?;
        Ok(row.map(|row| AccountId(row.account_id)))
    }
}

impl Tx {
    /// Sets the account's username, or removes it. Returns the other account that has the name, if one does; then nothing was
    /// written.
    pub async fn set_username(
        &self,
        account: AccountId,
        name: Option<&str>,
    ) -> Result<Option<AccountId>, StoreError> {
        let folded = name.map(FoldedUsername::of);
        if let Some(folded) = &folded {
            self.lock_username(folded).await?;
            if let Some(other) = self.other_of_username(folded, account).await? {
                return Ok(Some(other));
            }
        }
        let own = account_usernames::Column::AccountId.eq(account.0);
        account_usernames::Entity::delete_many().filter(own).exec(&self.conn).await?;
        let Some(folded) = folded else { return Ok(None) };
        let row = account_usernames::ActiveModel {
            folded: Set(folded.as_str().to_owned()),
            account_id: Set(account.0),
        };
        let inserted = account_usernames::Entity::insert(row)
            .on_conflict_do_nothing_on([account_usernames::Column::Folded])
            .exec_without_returning(&self.conn)
            .await?;
        match inserted {
            TryInsertResult::Inserted(1) => Ok(None),
            _ => Err(StoreError::Duplicate("account_usernames.folded".to_owned())),
        }
    }

    /// Until the transaction ends, no other transaction gives an account this name or this address. SQLite has one writer anyway.
    pub(crate) async fn lock_username(&self, name: &FoldedUsername) -> Result<(), StoreError> {
        if self.conn.get_database_backend() == DbBackend::Postgres {
            let sql = "SELECT pg_advisory_xact_lock(hashtextextended($1, 0)) IS NULL";
            let lock = Statement::from_sql_and_values(DbBackend::Postgres, sql, [name.as_str().into()]);
            self.conn.query_one_raw(lock).await?;
        }
        Ok(())
    }
}

/// Enters the username that each of these accounts has in its profile.
struct EnterUsernamesUnit {
    accounts: Vec<AccountId>,
}

impl Unit for EnterUsernamesUnit {
    type Output = BackfilledUsernames;
    type Error = StoreError;

    const NAME: &'static str = "enter_usernames";

    async fn run(&self, tx: &Tx) -> Result<BackfilledUsernames, StoreError> {
        let mut done = BackfilledUsernames::default();
        for account in self.accounts.iter().copied() {
            let Some(locked) = tx.lock_account(account).await? else { continue };
            let name = locked.account.profile.preferred_username;
            match tx.set_username(account, name.as_deref()).await? {
                None => done.entered += usize::from(name.is_some()),
                Some(_) => done.taken.push(account),
            }
        }
        Ok(done)
    }
}

/// A profile that cannot be read is passed over: it must not keep a node from starting.
fn username_in(profile: &str) -> Option<FoldedUsername> {
    let profile: Profile = serde_json::from_str(profile).ok()?;
    profile.preferred_username.as_deref().map(FoldedUsername::of)
}
