//! Addresses whose domain release 0.1.0 stored as it was typed: they are given the form in which addresses are looked up.

use crate::entity::account_addresses;
use crate::error::StoreError;
use crate::store::{Queries, Store, Tx};
use crate::unit::Unit;
use anteroom_domain::address::EmailAddress;
use anteroom_domain::ids::AccountId;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use uuid::Uuid;

/// What became of the addresses that were not in today's form.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NormalizedDomains {
    pub normalized: usize,
    /// Accounts that keep theirs, since the same address in today's form is another account's.
    pub conflicts: Vec<AccountId>,
}

struct Renewal {
    id: Uuid,
    account: AccountId,
    address: EmailAddress,
}

impl Store {
    /// Costs one read where there is nothing to renew. Nodes of release 0.1.0 may add more as long as they run.
    pub async fn normalize_domains(&self) -> Result<NormalizedDomains, StoreError> {
        let due = self.stored_otherwise().await?;
        if due.is_empty() {
            return Ok(NormalizedDomains::default());
        }
        let (_, normalized) = self.run(NormalizeDomainsUnit { due }).await;
        normalized
    }
}

/// Gives each of these addresses the form in which addresses are looked up.
struct NormalizeDomainsUnit {
    due: Vec<Renewal>,
}

impl Queries {
    async fn stored_otherwise(&self) -> Result<Vec<Renewal>, StoreError> {
        let not_ascii = Expr::cust("octet_length(folded) > length(folded)");
        let rows = account_addresses::Entity::find().filter(not_ascii).all(&self.conn).await?;
        let renewal = |row: account_addresses::Model| {
            let address = EmailAddress::from_stored(&row.address).ok()?;
            let otherwise = address.folded().as_str() != row.folded;
            otherwise.then_some(Renewal { id: row.id, account: AccountId(row.account_id), address })
        };
        Ok(rows.into_iter().filter_map(renewal).collect())
    }
}

impl Unit for NormalizeDomainsUnit {
    type Output = NormalizedDomains;
    type Error = StoreError;

    const NAME: &'static str = "normalize_domains";

    async fn run(&self, tx: &Tx) -> Result<NormalizedDomains, StoreError> {
        let mut normalized = NormalizedDomains::default();
        for one in &self.due {
            let folded = one.address.folded();
            let same = account_addresses::Column::Folded.eq(folded.as_str());
            if account_addresses::Entity::find().filter(same).one(&tx.conn).await?.is_some() {
                normalized.conflicts.push(one.account);
                continue;
            }
            account_addresses::Entity::update_many()
                .col_expr(account_addresses::Column::Address, Expr::value(one.address.as_str()))
                .col_expr(account_addresses::Column::Folded, Expr::value(folded.as_str()))
                .filter(account_addresses::Column::Id.eq(one.id))
                .exec(&tx.conn)
                .await?;
            normalized.normalized += 1;
        }
        Ok(normalized)
    }
}
