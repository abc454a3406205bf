//! The columns of frequent queries, read in order into the domain's types.

use super::FoundSession;
use crate::accounts::account::Credential;
use crate::error::StoreError;
use crate::grants::grant::GrantRecord;
use crate::row::{ColumnCursor, RowRef};
use anteroom_crypto::PasswordHash;
use anteroom_domain::account::{Account, AccountEpoch, AccountStatus, GroupName, VerifiedPhone};
use anteroom_domain::address::EmailAddress;
use anteroom_domain::device::KnownDevice;
use anteroom_domain::grant::Grant;
use anteroom_domain::ids::{AccountId, BrowserId, DeviceId, GrantId, SessionId};
use anteroom_domain::lockout::Lockout;
use anteroom_domain::password::PasswordFacts;
use anteroom_domain::password_text::PasswordForm;
use anteroom_domain::refresh::{AuditedRefresh, RefreshFamily};
use anteroom_domain::session::Session;
use anteroom_domain::subject::SubjectNamespace;
use anteroom_oidc::ScopeSet;
use uuid::Uuid;

pub(super) fn account(cells: &mut ColumnCursor<'_>) -> Result<Account, StoreError> {
    let id: Uuid = cells.take()?;
    let place = RowRef { table: "accounts", id: &id };
    let status: String = cells.take()?;
    let status = AccountStatus::parse(&status).ok_or_else(|| place.corrupt("status"))?;
    let epoch = AccountEpoch(cells.take()?);
    let profile = place.json("profile", &cells.take::<String>()?)?;
    let locale = cells.take()?;
    let lockout = Lockout {
        unknown_failures: place.number("unknown_failures", cells.take::<i32>()?)?,
        unknown_locked_at: place.optional_time("unknown_locked_at", cells.take()?)?,
        locked_at: place.optional_time("locked_at", cells.take()?)?,
        earlier_failures: place.number("earlier_failures", cells.take::<i32>()?)?,
    };
    let created_at = place.time("created_at", cells.take()?)?;
    let updated_at = place.time("updated_at", cells.take()?)?;
    let addresses = RowRef { table: "account_addresses", id: &id };
    let primary_address =
        EmailAddress::from_stored(&cells.take::<String>()?).map_err(|_| addresses.corrupt("address"))?;
    let address_verified = cells.take::<Option<i64>>()?.is_some();
    let phone = cells.take::<Option<String>>()?.map(VerifiedPhone);
    let groups = cells.take::<Option<String>>()?.unwrap_or_default();
    let names = groups.split(' ').filter(|name| !name.is_empty()).map(GroupName::parse);
    let groups = names.collect::<Result<_, _>>();
    let groups = groups.map_err(|_| RowRef { table: "account_groups", id: &id }.corrupt("group_name"))?;
    Ok(Account {
        id: AccountId(id),
        status,
        epoch,
        profile,
        primary_address,
        address_verified,
        phone,
        locale,
        groups,
        lockout,
        created_at,
        updated_at,
    })
}

pub(super) fn credential(
    cells: &mut ColumnCursor<'_>,
    account: AccountId,
) -> Result<Option<Credential>, StoreError> {
    let Some(hash) = cells.take::<Option<String>>()? else {
        cells.skip(3);
        return Ok(None);
    };
    let place = RowRef { table: "password_credentials", id: &account };
    let facts = PasswordFacts {
        set_at: place.time("set_at", cells.take()?)?,
        jitter_days: place.number("expiry_jitter_days", cells.take::<i32>()?)?,
    };
    let hash = PasswordHash::parse(&hash).map_err(|_| place.corrupt("hash"))?;
    let form = cells.take::<Option<i32>>()?.and_then(PasswordForm::from_number);
    Ok(Some(Credential { hash, form, facts }))
}

pub(super) fn device(
    cells: &mut ColumnCursor<'_>,
    account: AccountId,
) -> Result<Option<KnownDevice>, StoreError> {
    let Some(id) = cells.take::<Option<Uuid>>()? else { return Ok(None) };
    let place = RowRef { table: "known_devices", id: &id };
    Ok(Some(KnownDevice {
        id: DeviceId(id),
        account,
        failures: place.number("failures", cells.take::<i32>()?)?,
        stepped_up_at: place.optional_time("stepped_up_at", cells.take()?)?,
        label: cells.take()?,
        created_at: place.time("created_at", cells.take()?)?,
        last_seen_at: place.time("last_seen_at", cells.take()?)?,
        reset_at: place.optional_time("reset_at", cells.take()?)?,
        password_epoch: cells.take::<Option<i64>>()?.map(AccountEpoch),
    }))
}

pub(super) fn found_session(cells: &mut ColumnCursor<'_>) -> Result<FoundSession, StoreError> {
    let digest: Vec<u8> = cells.take()?;
    let place = RowRef { table: "sessions", id: &"a token" };
    let session = session(cells)?.ok_or_else(|| place.corrupt("id"))?;
    let digest = RowRef { table: "sessions", id: &session.id }.digest("token_digest", &digest)?;
    Ok(FoundSession { digest, session, account: account(cells)? })
}

/// `None` where no session was joined. Nothing is read behind it then.
pub(super) fn session(cells: &mut ColumnCursor<'_>) -> Result<Option<Session>, StoreError> {
    let Some(id) = cells.take::<Option<Uuid>>()? else { return Ok(None) };
    let place = RowRef { table: "sessions", id: &id };
    Ok(Some(Session {
        id: SessionId(id),
        account: AccountId(cells.take()?),
        epoch: AccountEpoch(cells.take()?),
        browser: BrowserId(cells.take()?),
        device: cells.take::<Option<Uuid>>()?.map(DeviceId),
        auth_time: place.time("auth_time", cells.take()?)?,
        acr: place.parsed("acr", &cells.take::<String>()?)?,
        amr: place.amr("amr", &cells.take::<String>()?)?,
        created_at: place.time("created_at", cells.take()?)?,
        last_active_at: place.time("last_active_at", cells.take()?)?,
        ended_at: place.optional_time("ended_at", cells.take()?)?,
        sid_by_sector: cells.take::<Option<bool>>()? == Some(true),
        not_current_since: place.optional_time("left_at", cells.take()?)?,
    }))
}

pub(super) fn grant_record(cells: &mut ColumnCursor<'_>) -> Result<GrantRecord, StoreError> {
    let grant = grant(cells)?;
    let family = family(cells, grant.id)?;
    let agreed = agreed(cells, grant.account)?;
    let account = account(cells)?;
    let session = session(cells)?;
    Ok(GrantRecord { grant, family, account, session, agreed })
}

fn grant(cells: &mut ColumnCursor<'_>) -> Result<Grant, StoreError> {
    let id: Uuid = cells.take()?;
    let place = RowRef { table: "grants", id: &id };
    Ok(Grant {
        id: GrantId(id),
        client: place.parsed("client_id", &cells.take::<String>()?)?,
        account: AccountId(cells.take()?),
        session: SessionId(cells.take()?),
        epoch: AccountEpoch(cells.take()?),
        scope: place.parsed("scopes", &cells.take::<String>()?)?,
        claims: match cells.take::<Option<String>>()? {
            Some(text) => Some(place.json("claims", &text)?),
            None => None,
        },
        resources: match cells.take::<Option<String>>()? {
            Some(text) => place.json("resources", &text)?,
            None => Vec::new(),
        },
        nonce: match cells.take::<Option<String>>()? {
            Some(text) => Some(place.parsed("nonce", &text)?),
            None => None,
        },
        auth_time: place.time("auth_time", cells.take()?)?,
        acr: place.parsed("acr", &cells.take::<String>()?)?,
        amr: place.amr("amr", &cells.take::<String>()?)?,
        subjects: cells.take::<Option<String>>()?.map(|sector| SubjectNamespace::from_text(&sector)),
        sid_by_sector: cells.take::<Option<bool>>()? == Some(true),
        created_at: place.time("created_at", cells.take()?)?,
        revoked_at: place.optional_time("revoked_at", cells.take()?)?,
    })
}

/// What the person has agreed to that a client has.
pub(super) fn agreed(cells: &mut ColumnCursor<'_>, account: AccountId) -> Result<ScopeSet, StoreError> {
    let Some(scopes) = cells.take::<Option<String>>()? else { return Ok(ScopeSet::default()) };
    RowRef { table: "consents", id: &account }.parsed("scopes", &scopes)
}

fn family(cells: &mut ColumnCursor<'_>, grant: GrantId) -> Result<Option<RefreshFamily>, StoreError> {
    let Some(generation) = cells.take::<Option<i64>>()? else {
        cells.skip(9);
        return Ok(None);
    };
    let place = RowRef { table: "refresh_tokens", id: &grant };
    let mut family = RefreshFamily {
        grant,
        generation: place.number("generation", generation)?,
        rotated_at: place.time("rotated_at", cells.take()?)?,
        idle_expires_at: place.time("idle_expires_at", cells.take()?)?,
        expires_at: place.time("expires_at", cells.take()?)?,
        rotated_from: None,
        repeats: 0,
        last_audited: None,
    };
    let noted: Option<i64> = cells.take()?;
    let rotated_from: Option<String> = cells.take()?;
    let repeats: i64 = cells.take()?;
    // Where a node of release 0.1.0 has rotated since, all of this is of an older generation. It wrote an entry for each of its
    // refreshes, so none is left to be counted.
    let is_of_this_one = noted == Some(generation);
    if is_of_this_one {
        family.rotated_from = place.maybe_parsed("rotated_from", rotated_from.as_deref())?;
        family.repeats = place.number("repeats", repeats)?;
    }
    let (generation, at): (Option<i64>, Option<i64>) = (cells.take()?, cells.take()?);
    let from: Option<String> = cells.take()?;
    if let (true, Some(generation), Some(at)) = (is_of_this_one, generation, at) {
        family.last_audited = Some(AuditedRefresh {
            generation: place.number("entered_generation", generation)?,
            at: place.time("entered_at", at)?,
            from: place.maybe_parsed("entered_from", from.as_deref())?,
        });
    }
    Ok(Some(family))
}
