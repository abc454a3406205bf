//! The reads on the path of every sign-in and every token: constant SQL, one statement each, prepared once by each connection.
//! Building the same through the entities costs as much again as running it. The text is the same for both databases. Tests
//! compare each statement with the same query through the entities, and fail if its plan scans a whole table.

mod decode;
#[cfg(test)]
mod tests;

use crate::accounts::account::{Credential, LockedAccount};
use crate::error::StoreError;
use crate::grants::grant::{CodeRecord, GrantRecord};
use crate::row::{ColumnCursor, FrequentRow};
use crate::store::Queries;
use anteroom_crypto::KeyedDigest;
use anteroom_domain::account::Account;
use anteroom_domain::address::FoldedAddress;
use anteroom_domain::device::KnownDevice;
use anteroom_domain::ids::{AccountId, DeviceId, GrantId, SessionId};
use anteroom_domain::session::Session;
use anteroom_oidc::ClientId;
use sea_orm::{ConnectionTrait, Statement, Value};
use uuid::Uuid;

/// What [`decode::account`] reads. The primary address is joined, since every account has one; group names hold no space.
macro_rules! account_columns {
    () => {
        "a.id, a.status, a.epoch, a.profile, a.locale, a.unknown_failures, a.unknown_locked_at, a.locked_at, \
         a.earlier_failures, a.created_at, a.updated_at, ad.address, ad.verified_at, \
         (SELECT p.e164 FROM phones p WHERE p.account_id = a.id AND p.verified_at IS NOT NULL \
          ORDER BY p.position, p.id LIMIT 1), \
         (SELECT string_agg(g.group_name, ' ') FROM account_groups g WHERE g.account_id = a.id)"
    };
}

macro_rules! accounts {
    () => {
        "accounts a JOIN account_addresses ad ON ad.account_id = a.id AND ad.is_primary"
    };
}

/// What [`decode::credential`] reads.
macro_rules! credential_columns {
    () => {
        "c.hash, c.set_at, c.expiry_jitter_days, c.form"
    };
}

macro_rules! credentials {
    () => {
        "LEFT JOIN password_credentials c ON c.account_id = a.id"
    };
}

/// What [`decode::session`] reads.
macro_rules! session_columns {
    () => {
        "s.id, s.account_id, s.epoch, s.browser_id, s.device_id, s.auth_time, s.acr, s.amr, s.created_at, \
         s.last_active_at, s.ended_at, s.sid_by_sector, s.left_at"
    };
}

/// A list of unknown length is looked up so many at a time, the last place repeated: the statement stays the same.
const PLACES: usize = 8;

const ACCOUNT: &str = concat!("SELECT ", account_columns!(), " FROM ", accounts!(), " WHERE a.id = $1");

const ACCOUNT_BY_ADDRESS: &str = concat!(
    "SELECT ",
    account_columns!(),
    " FROM ",
    accounts!(),
    " JOIN account_addresses f ON f.account_id = a.id WHERE f.folded = $1"
);

const ACCOUNTS: &str = concat!(
    "SELECT ",
    account_columns!(),
    " FROM ",
    accounts!(),
    " WHERE ad.folded > $1 ORDER BY ad.folded LIMIT $2"
);

const LOCKED_ACCOUNT: &str = concat!(
    "SELECT ",
    account_columns!(),
    ", ",
    credential_columns!(),
    " FROM ",
    accounts!(),
    " ",
    credentials!(),
    " WHERE a.id = $1"
);

const SIGN_IN_VIEW: &str = concat!(
    "SELECT ",
    account_columns!(),
    ", ",
    credential_columns!(),
    ", d.id, d.failures, d.stepped_up_at, d.label, d.created_at, d.last_seen_at, d.reset_at, \
     d.password_epoch FROM ",
    accounts!(),
    " JOIN account_addresses f ON f.account_id = a.id ",
    credentials!(),
    " LEFT JOIN known_devices d ON d.account_id = a.id AND d.revoked_at IS NULL \
     AND d.id IN ($2, $3, $4, $5, $6, $7, $8, $9) WHERE f.folded = $1"
);

const SESSIONS_BY_TOKENS: &str = concat!(
    "SELECT s.token_digest, ",
    session_columns!(),
    ", ",
    account_columns!(),
    " FROM ",
    accounts!(),
    " JOIN sessions s ON s.account_id = a.id WHERE s.token_digest IN ($1, $2, $3, $4, $5, $6, $7, $8)"
);

const CODE_WITH_CONTEXT: &str = concat!(
    "SELECT (SELECT co.scopes FROM consents co WHERE co.account_id = a.id AND co.client_id = $3), ",
    account_columns!(),
    ", ",
    session_columns!(),
    " FROM ",
    accounts!(),
    " LEFT JOIN sessions s ON s.id = $2 AND s.account_id = a.id WHERE a.id = $1"
);

const GRANT_WITH_CONTEXT: &str = concat!(
    "SELECT gr.id, gr.client_id, gr.account_id, gr.session_id, gr.epoch, gr.scopes, gr.claims, gr.resources, gr.nonce, \
     gr.auth_time, gr.acr, gr.amr, gr.subject_sector, gr.sid_by_sector, gr.created_at, gr.revoked_at, \
     r.generation, r.rotated_at, r.idle_expires_at, r.expires_at, r.noted_generation, r.rotated_from, r.repeats, \
     r.entered_generation, r.entered_at, r.entered_from, \
     (SELECT co.scopes FROM consents co WHERE co.account_id = a.id AND co.client_id = gr.client_id), ",
    account_columns!(),
    ", ",
    session_columns!(),
    " FROM ",
    accounts!(),
    " JOIN grants gr ON gr.account_id = a.id LEFT JOIN refresh_tokens r ON r.grant_id = gr.id \
     LEFT JOIN sessions s ON s.id = gr.session_id WHERE gr.id = $1"
);

const REVOKED_JTI: &str = "SELECT 1 FROM revoked_jti WHERE jti = $1";

/// What an attempt to sign in looks at before the password is verified.
#[derive(Clone, Debug)]
pub struct SignInView {
    pub account: Account,
    pub credential: Option<Credential>,
    /// Of the devices that the browser names: those of this account that were not revoked.
    pub devices: Vec<KnownDevice>,
}

#[derive(Clone, Debug)]
pub struct FoundSession {
    /// The one it was found by.
    pub digest: KeyedDigest,
    pub session: Session,
    pub account: Account,
}

impl Queries {
    pub async fn account(&self, id: AccountId) -> Result<Option<Account>, StoreError> {
        let row = self.query_one(ACCOUNT, [id.0.into()]).await?;
        row.map(|mut row| decode::account(&mut ColumnCursor::of_frequent(&mut row))).transpose()
    }

    /// By any of its addresses.
    pub async fn account_by_address(&self, address: &FoldedAddress) -> Result<Option<Account>, StoreError> {
        let row = self.query_one(ACCOUNT_BY_ADDRESS, [address.as_str().into()]).await?;
        row.map(|mut row| decode::account(&mut ColumnCursor::of_frequent(&mut row))).transpose()
    }

    /// In the order of their primary addresses, beginning behind `after`.
    pub async fn accounts(
        &self,
        after: Option<&FoldedAddress>,
        limit: u32,
    ) -> Result<Vec<Account>, StoreError> {
        let after = after.map_or("", FoldedAddress::as_str);
        // These can be many rows, which would hold up the thread that asks.
        let values = [after.into(), i64::from(limit).into()];
        let statement = Statement::from_sql_and_values(self.conn.get_database_backend(), ACCOUNTS, values);
        let rows = self.conn.query_all_raw(statement).await?;
        rows.iter().map(|row| decode::account(&mut ColumnCursor::of(row))).collect()
    }

    pub async fn sign_in_view(
        &self,
        address: &FoldedAddress,
        devices: &[DeviceId],
    ) -> Result<Option<SignInView>, StoreError> {
        let ids: Vec<Uuid> = devices.iter().map(|device| device.0).collect();
        let mut view: Option<SignInView> = None;
        for places in in_places(&ids, Uuid::nil()) {
            let values = std::iter::once(address.as_str().into()).chain(places.map(Value::from));
            for mut row in self.query_all(SIGN_IN_VIEW, values).await? {
                let mut cells = ColumnCursor::of_frequent(&mut row);
                let account = decode::account(&mut cells)?;
                let credential = decode::credential(&mut cells, account.id)?;
                let device = decode::device(&mut cells, account.id)?;
                view.get_or_insert(SignInView { account, credential, devices: Vec::new() })
                    .devices
                    .extend(device);
            }
        }
        Ok(view)
    }

    pub(crate) async fn account_with_credential(
        &self,
        id: AccountId,
    ) -> Result<Option<LockedAccount>, StoreError> {
        let Some(mut row) = self.query_one(LOCKED_ACCOUNT, [id.0.into()]).await? else { return Ok(None) };
        let mut cells = ColumnCursor::of_frequent(&mut row);
        let account = decode::account(&mut cells)?;
        let credential = decode::credential(&mut cells, account.id)?;
        Ok(Some(LockedAccount { account, credential }))
    }

    /// The sessions, running or ended, whose tokens have these digests.
    pub async fn sessions_by_tokens(&self, digests: &[KeyedDigest]) -> Result<Vec<FoundSession>, StoreError> {
        let Some(last) = digests.last() else { return Ok(Vec::new()) };
        let mut found = Vec::new();
        for places in in_places(digests, *last) {
            let values = places.map(|digest| Value::from(digest.as_bytes().to_vec()));
            for mut row in self.query_all(SESSIONS_BY_TOKENS, values).await? {
                found.push(decode::found_session(&mut ColumnCursor::of_frequent(&mut row))?);
            }
        }
        Ok(found)
    }

    /// What a code is checked against when it is redeemed.
    pub async fn code_with_context(
        &self,
        account: AccountId,
        session: SessionId,
        client: &ClientId,
    ) -> Result<Option<CodeRecord>, StoreError> {
        let values = [account.0.into(), session.0.into(), client.as_str().into()];
        let Some(mut row) = self.query_one(CODE_WITH_CONTEXT, values).await? else { return Ok(None) };
        let mut cells = ColumnCursor::of_frequent(&mut row);
        let agreed = decode::agreed(&mut cells, account)?;
        let account = decode::account(&mut cells)?;
        Ok(Some(CodeRecord { account, session: decode::session(&mut cells)?, agreed }))
    }

    /// A grant with all that its tokens are checked against.
    pub async fn grant_with_context(&self, id: GrantId) -> Result<Option<GrantRecord>, StoreError> {
        let row = self.query_one(GRANT_WITH_CONTEXT, [id.0.into()]).await?;
        row.map(|mut row| decode::grant_record(&mut ColumnCursor::of_frequent(&mut row))).transpose()
    }

    pub async fn is_revoked(&self, jti: &str) -> Result<bool, StoreError> {
        Ok(self.query_one(REVOKED_JTI, [jti.into()]).await?.is_some())
    }

    async fn query_one(
        &self,
        sql: &'static str,
        values: impl IntoIterator<Item = Value> + Send,
    ) -> Result<Option<FrequentRow>, StoreError> {
        let statement = Statement::from_sql_and_values(self.conn.get_database_backend(), sql, values);
        match self.conn.read_inline(&statement) {
            Some(rows) => Ok(rows.into_iter().next().map(FrequentRow::Cells)),
            None => Ok(self.conn.query_one_raw(statement).await?.map(FrequentRow::Result)),
        }
    }

    async fn query_all(
        &self,
        sql: &'static str,
        values: impl IntoIterator<Item = Value> + Send,
    ) -> Result<Vec<FrequentRow>, StoreError> {
        let statement = Statement::from_sql_and_values(self.conn.get_database_backend(), sql, values);
        match self.conn.read_inline(&statement) {
            Some(rows) => Ok(rows.into_iter().map(FrequentRow::Cells).collect()),
            None => {
                Ok(self.conn.query_all_raw(statement).await?.into_iter().map(FrequentRow::Result).collect())
            }
        }
    }
}

/// `items` in groups that fill all places; at least one group, if of nothing but `filler`.
fn in_places<T: Copy>(items: &[T], filler: T) -> impl Iterator<Item = [T; PLACES]> {
    let groups = items.len().div_ceil(PLACES).max(1);
    let mut items = items.iter().copied();
    (0..groups).map(move |_| std::array::from_fn(|_| items.next().unwrap_or(filler)))
}
