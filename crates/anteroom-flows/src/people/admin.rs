//! The use cases of an operator at the shell. No password or code is set, seen or skipped here: an invited person finishes
//! the registration.

mod ends;
mod invite;

pub(crate) use invite::invitation_mail;
pub use invite::{Invited, Invitee, invite};

use anteroom_domain::account::{Account, AccountStatus, GroupName};
use anteroom_domain::address::EmailAddress;
use anteroom_domain::audit::{Actor, AuditEntry, Event};
use anteroom_domain::grant::GrantEnd;
use anteroom_domain::ids::AccountId;
use anteroom_domain::session::SessionEnd;
use anteroom_oidc::ClientId;
use anteroom_storage::{Tx, Unit};
use jiff::Timestamp;

use crate::context::call::Call;
use crate::error::FlowError;
use crate::sessions::end_sessions::{end_all, session_ending};
use ends::{end_links, remove_phones};

#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    #[error(
        "{0} is the address of an account already, whose person has registered; `anteroom user group add` puts it into a group"
    )]
    AddressTaken(EmailAddress),
    #[error(
        "{0} is the address of a disabled account, whose person has registered; `anteroom user enable` lets them sign in again"
    )]
    DisabledIsRegistered(EmailAddress),
    #[error(
        "{0} is the address of a disabled account, whose person has not registered; `anteroom user enable` makes it an invited one, \
         which can be invited again"
    )]
    DisabledIsInvited(EmailAddress),
    #[error(
        "{0} is the preferred_username of another account, which applications would take for the same person"
    )]
    AddressIsUsername(EmailAddress),
    #[error(
        "preferred_username: {name:?} is the name or address of {holder} already; case makes no difference"
    )]
    UsernameTaken { name: String, holder: EmailAddress },
    #[error("no account has the address {0:?}")]
    NoSuchAccount(String),
    #[error("the group {name} is not defined in the configuration; {}", listed(.defined))]
    NoSuchGroup { name: GroupName, defined: Vec<GroupName> },
    #[error("no client is called {}", .0.as_str())]
    NoSuchClient(ClientId),
    #[error(transparent)]
    Flow(#[from] FlowError),
}

/// Sorted, so that the message is the same each time.
fn listed(groups: &[GroupName]) -> String {
    let mut names: Vec<&str> = groups.iter().map(GroupName::as_str).collect();
    names.sort_unstable();
    if names.is_empty() { "no group is".to_owned() } else { format!("those are: {}", names.join(", ")) }
}

impl From<anteroom_storage::StoreError> for AdminError {
    fn from(error: anteroom_storage::StoreError) -> Self {
        Self::Flow(error.into())
    }
}

fn check_groups<'a>(call: &Call, groups: impl IntoIterator<Item = &'a GroupName>) -> Result<(), AdminError> {
    let defined = &call.snapshot().groups;
    match groups.into_iter().find(|group| !defined.contains(group)) {
        Some(unknown) => Err(AdminError::NoSuchGroup { name: unknown.clone(), defined: defined.clone() }),
        None => Ok(()),
    }
}

pub async fn find(call: &Call, address: &EmailAddress) -> Result<Account, AdminError> {
    let found = call.store().account_by_address(&address.folded()).await?;
    found.ok_or_else(|| AdminError::NoSuchAccount(address.to_string()))
}

/// Disables an account: its epoch is raised, its sessions and mailed links end, its grants are not valid any more.
pub async fn disable(call: &Call, address: &EmailAddress) -> Result<(), AdminError> {
    let account = find(call, address).await?.id;
    Ok(call.run(|call| DisableAccount { call, account }).await.1?)
}

struct DisableAccount {
    call: Call,
    account: AccountId,
}

impl Unit for DisableAccount {
    type Output = ();
    type Error = FlowError;

    const NAME: &'static str = "disable_account";

    async fn run(&self, tx: &Tx) -> Result<(), FlowError> {
        let (call, account) = (&self.call, self.account);
        let locked = tx.lock_account(account).await?;
        // An audit entry stands for a change, so an account that is disabled already gets none.
        let Some(locked) = locked.map(|locked| locked.account) else { return Ok(()) };
        let status = locked.status;
        if status == AccountStatus::Disabled {
            return Ok(());
        }
        // A stranger who read the invitation's mail may have verified a phone behind it.
        if status == AccountStatus::Invited {
            remove_phones(tx, call, account, "disabled").await?;
        }
        end_links(tx, account, call.now).await?;
        tx.set_status(account, AccountStatus::Disabled, call.now).await?;
        if let Some(raised) = tx.raise_epoch(account).await? {
            tx.keep_password_of_devices(account, locked.epoch, raised).await?;
        }
        let sessions = tx.sessions_of_account(account).await?;
        end_all(tx, &sessions, &session_ending(call, SessionEnd::Disabled)).await?;
        tx.append(&call.entry(Actor::Operator, Event::AccountDisabled).about(account)).await?;
        Ok(())
    }
}

/// A person who had registered is active again; one who had not is invited as before.
pub async fn enable(call: &Call, address: &EmailAddress) -> Result<(), AdminError> {
    let account = find(call, address).await?.id;
    let entry = call.entry(Actor::Operator, Event::AccountEnabled).about(account);
    Ok(call.store().run(EnableAccount { account, entry, now: call.now }).await.1?)
}

struct EnableAccount {
    account: AccountId,
    entry: AuditEntry,
    now: Timestamp,
}

impl Unit for EnableAccount {
    type Output = ();
    type Error = FlowError;

    const NAME: &'static str = "enable_account";

    async fn run(&self, tx: &Tx) -> Result<(), FlowError> {
        let Self { account, entry, now } = self;
        let locked = tx.lock_account(*account).await?;
        let Some(locked) = locked.filter(|locked| locked.account.status == AccountStatus::Disabled) else {
            return Ok(());
        };
        let registered = locked.credential.is_some();
        let status = if registered { AccountStatus::Active } else { AccountStatus::Invited };
        // A concurrent unit, or a node of release 0.1.0, may have inserted links after `disable` ended them, so they are
        // ended again.
        end_links(tx, *account, *now).await?;
        tx.set_status(*account, status, *now).await?;
        Ok(tx.append(entry).await?)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Membership {
    Add,
    Remove,
}

/// Adds an account to a group or takes it out. Leaving ends the grants of clients that no longer admit the person.
pub async fn change_group(
    call: &Call,
    address: &EmailAddress,
    group: GroupName,
    change: Membership,
) -> Result<(), AdminError> {
    if change == Membership::Add {
        check_groups(call, [&group])?;
    }
    let account = find(call, address).await?.id;
    call.run(|call| ChangeGroup { call, account, group, change }).await.1?;
    Ok(())
}

struct ChangeGroup {
    call: Call,
    account: AccountId,
    group: GroupName,
    change: Membership,
}

impl Unit for ChangeGroup {
    type Output = ();
    type Error = FlowError;

    const NAME: &'static str = "change_group";

    async fn run(&self, tx: &Tx) -> Result<(), FlowError> {
        let Self { call, account, group, change } = self;
        tx.lock_account(*account).await?;
        let name = group.to_string();
        let (changed, event) = match change {
            Membership::Add => (tx.add_group(*account, group).await?, Event::GroupAdded { group: name }),
            Membership::Remove => {
                (tx.remove_group(*account, group).await?, Event::GroupRemoved { group: name })
            }
        };
        if changed {
            tx.append(&call.entry(Actor::Operator, event).about(*account)).await?;
            end_grants_not_admitted(tx, call, *account).await?;
        }
        Ok(())
    }
}

async fn end_grants_not_admitted(tx: &Tx, call: &Call, account: AccountId) -> Result<(), FlowError> {
    let Some(after) = tx.account(account).await? else { return Ok(()) };
    for (grant, client, session) in tx.grants_of_account(account).await? {
        if call.snapshot().clients.get(&client).is_some_and(|client| client.is_entitled(&after)) {
            continue;
        }
        tx.revoke_grant(grant, GrantEnd::NotEntitled, call.now).await?;
        let event = Event::revoked(grant, GrantEnd::NotEntitled);
        let entry = call.entry(Actor::System, event).about(account).by_client(&client);
        tx.append(&entry.in_session(session)).await?;
    }
    Ok(())
}

/// A configuration was loaded, at start or while running: an audit entry says which.
pub async fn note_configuration(call: &Call) -> Result<(), FlowError> {
    let snapshot = call.snapshot();
    let event =
        Event::ConfigurationChanged { digest: snapshot.digest.clone(), parts: snapshot.parts.clone() };
    call.store().run(NoteConfiguration(call.entry(Actor::Operator, event))).await.1
}

struct NoteConfiguration(AuditEntry);

impl Unit for NoteConfiguration {
    type Output = ();
    type Error = FlowError;

    const NAME: &'static str = "note_configuration";

    async fn run(&self, tx: &Tx) -> Result<(), FlowError> {
        Ok(tx.append(&self.0).await?)
    }
}
