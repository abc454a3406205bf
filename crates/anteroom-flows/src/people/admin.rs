//! What an operator does at the shell. No password or code is set, seen or skipped here: an invited person finishes
//! their own registration.

mod ends;

use anteroom_domain::account::{Account, AccountStatus, GroupName, Profile};
use anteroom_domain::address::EmailAddress;
use anteroom_domain::audit::{Actor, Event};
use anteroom_domain::grant::GrantEnd;
use anteroom_domain::ids::{AccountId, AddressId, LinkId, MessageId};
use anteroom_domain::link::{EmailedLink, LinkKind};
use anteroom_domain::message::{Mail, Message, MessageBody};
use anteroom_domain::profile::{ClaimChange, EditableProfile, ProfileClaim};
use anteroom_domain::session::SessionEnd;
use anteroom_oidc::ClientId;
use anteroom_storage::{InsertAccountError, NewAccount, NewAddress, Tx};
use jiff::Timestamp;
use std::collections::BTreeSet;
use std::sync::Arc;

use crate::audit::context::AuditContext;
use crate::context::call::Call;
use crate::context::provider::Snapshot;
use crate::error::FlowError;
use crate::messages::links::{LinkIdentity, new_link};
use crate::sessions::end_sessions::{end_all, logout_recipients};
use ends::{end_links, remove_phones, restart_registration};

/// An address with what is known of the person; the rest they add themselves.
#[derive(Clone, Debug)]
pub struct Invitee {
    pub address: EmailAddress,
    pub profile: Profile,
    pub groups: BTreeSet<GroupName>,
    pub locale: Option<String>,
}

#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    #[error(
        "{0} is the address of an account already, whose registration is complete; `anteroom user group add` puts it into a group"
    )]
    AddressTaken(EmailAddress),
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

/// What an invitation has made of the account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invited {
    pub account: AccountId,
    /// All that it is in now.
    pub groups: BTreeSet<GroupName>,
    /// It was invited before: what was said this time holds, what was not said stays.
    pub again: bool,
}

/// Makes the account, its invitation link and the mail that carries it, in one transaction. Who was invited before and has
/// not registered yet gets another link, and the name, language and groups that are given this time, and begins anew: earlier
/// links, and phones that were verified behind them, may be those of a stranger who read the mail.
pub async fn invite(call: &Call, invitee: Invitee) -> Result<Invited, AdminError> {
    known_groups(call, &invitee.groups)?;
    let known = call.store().account_by_address(&invitee.address.folded()).await?;
    if known.as_ref().is_some_and(|known| known.status != AccountStatus::Invited) {
        return Err(AdminError::AddressTaken(invitee.address));
    }
    let now = call.now;
    let changes = invitation_claims(&invitee, now);
    let invitee = match &known {
        Some(known) => with_stored_profile(known, invitee, &changes),
        None => invitee,
    };
    let account = known.as_ref().map_or_else(|| AccountId(call.random().uuid_v4()), |known| known.id);
    let invitation = invitation_for(call, (account, &invitee), now);
    let new = known.is_none().then(|| new_account(call, &invitee, account, now));
    let audit = call.audit().clone();
    let write = call.store().write(move |tx: Tx| {
        let (new, audit, invitation) = (new.clone(), audit.clone(), invitation.clone());
        let (invitee, changes) = (invitee.clone(), changes.clone());
        async move {
            let taken = || AdminError::AddressTaken(invitee.address.clone());
            if let Some(new) = &new {
                tx.insert_account(new).await.map_err(|error| match error {
                    InsertAccountError::AddressTaken => taken(),
                    InsertAccountError::UsernameTaken => {
                        AdminError::AddressIsUsername(invitee.address.clone())
                    }
                    InsertAccountError::Store(error) => error.into(),
                })?;
            } else {
                let locked = tx.lock_account(account).await?.map(|locked| locked.account);
                let before = locked.filter(|now| now.status == AccountStatus::Invited).ok_or_else(taken)?;
                change_invited(&tx, &audit, (&before, &invitee.groups), &changes).await?;
                restart_registration(&tx, &audit, account).await?;
            }
            let groups = invitee.groups.iter().map(ToString::to_string).collect();
            let entry = audit.entry(Actor::Operator, Event::AccountInvited { groups }).about(account);
            tx.insert_link(&invitation.link).await?;
            tx.enqueue(&invitation.message).await?;
            tx.append(&entry).await?;
            Ok::<_, AdminError>(Invited { account, groups: invitee.groups, again: new.is_none() })
        }
    });
    write.await
}

/// What an invitation says of the person.
fn invitation_claims(invitee: &Invitee, now: Timestamp) -> Vec<ClaimChange> {
    let profile = &invitee.profile;
    let said = [
        (ProfileClaim::Name, &profile.name),
        (ProfileClaim::GivenName, &profile.given_name),
        (ProfileClaim::FamilyName, &profile.family_name),
        (ProfileClaim::Locale, &invitee.locale),
    ];
    let said = said.into_iter().filter_map(|(claim, value)| Some((claim, value.as_ref()?)));
    said.filter_map(|(claim, value)| ClaimChange::parse(claim, value, now).ok()).collect()
}

/// Fills in what an earlier invitation set and this one leaves out.
fn with_stored_profile(known: &Account, invitee: Invitee, changes: &[ClaimChange]) -> Invitee {
    let mut described = EditableProfile::of(known);
    described.change(changes);
    let (profile, locale) = described.into_parts();
    let groups = if invitee.groups.is_empty() { known.groups.clone() } else { invitee.groups };
    Invitee { profile, groups, locale, ..invitee }
}

/// Applies the new invitation to an account that is still invited, with one audit entry for each change.
async fn change_invited(
    tx: &Tx,
    audit: &AuditContext,
    (before, groups): (&Account, &BTreeSet<GroupName>),
    changes: &[ClaimChange],
) -> Result<(), AdminError> {
    let entry = |event| audit.entry(Actor::Operator, event).about(before.id);
    let mut described = EditableProfile::of(before);
    let changed = described.change(changes);
    if !changed.is_empty() {
        let (profile, locale) = described.into_parts();
        tx.save_profile(before.id, &profile, locale.as_deref(), audit.now).await?;
        let claims = changed.iter().map(|claim| claim.as_str()).collect();
        tx.append(&entry(Event::ProfileChanged { claims })).await?;
    }
    for group in groups.difference(&before.groups) {
        tx.add_group(before.id, group).await?;
        tx.append(&entry(Event::GroupAdded { group: group.to_string() })).await?;
    }
    for group in before.groups.difference(groups) {
        tx.remove_group(before.id, group).await?;
        tx.append(&entry(Event::GroupRemoved { group: group.to_string() })).await?;
    }
    Ok(())
}

fn new_account(call: &Call, invitee: &Invitee, id: AccountId, now: Timestamp) -> NewAccount {
    NewAccount {
        id,
        status: AccountStatus::Invited,
        profile: invitee.profile.clone(),
        locale: invitee.locale.clone(),
        primary_address: NewAddress {
            id: AddressId(call.new_id()),
            address: invitee.address.clone(),
            verified_at: None,
        },
        other_addresses: Vec::new(),
        phones: Vec::new(),
        groups: invitee.groups.clone(),
        credential: None,
        now,
    }
}

/// An invitation's link with the mail that carries it.
#[derive(Clone)]
pub(crate) struct Invitation {
    pub link: EmailedLink,
    pub message: Message,
}

fn invitation_for(call: &Call, (account, invitee): (AccountId, &Invitee), now: Timestamp) -> Invitation {
    let snapshot = call.snapshot();
    let lifetime = snapshot.policy.invitation_lifetime;
    let (id, kind) = (LinkId(call.new_id()), LinkKind::Invitation);
    let identity = LinkIdentity { id, kind, account: Some(account) };
    let new = new_link(call, identity, None, (now, lifetime));
    let mail = invitation_mail(snapshot, Some(&invitee.profile), &new.token.encode());
    let message = Message {
        id: MessageId(call.new_id()),
        account: Some(account),
        locale: invitee.locale.clone(),
        parcel: MessageBody::Email { to: invitee.address.clone(), mail },
        reference: None,
        created_at: now,
        expires_at: new.link.expires_at,
    };
    Invitation { link: new.link, message }
}

/// `token`: the link's secret, as the mail carries it.
pub(crate) fn invitation_mail(snapshot: &Snapshot, profile: Option<&Profile>, token: &str) -> Mail {
    let mut href = snapshot.issuer.endpoint("/complete-registration");
    href.query_pairs_mut().append_pair("token", token);
    Mail::Invitation {
        name: profile.and_then(|profile| profile.given_name.clone().or_else(|| profile.name.clone())),
        link: href.to_string(),
        days: u16::try_from(snapshot.policy.invitation_lifetime.as_hours() / 24).unwrap_or(u16::MAX),
    }
}

fn known_groups(call: &Call, groups: &BTreeSet<GroupName>) -> Result<(), AdminError> {
    let defined = &call.snapshot().groups;
    match groups.iter().find(|group| !defined.contains(group)) {
        Some(unknown) => Err(AdminError::NoSuchGroup { name: unknown.clone(), defined: defined.clone() }),
        None => Ok(()),
    }
}

pub async fn find(call: &Call, address: &EmailAddress) -> Result<Account, AdminError> {
    let found = call.store().account_by_address(&address.folded()).await?;
    found.ok_or_else(|| AdminError::NoSuchAccount(address.to_string()))
}

/// Disables an account: its epoch is raised, its sessions and mailed links end, its grants are worth nothing from now on.
pub async fn disable(call: &Call, address: &EmailAddress) -> Result<(), AdminError> {
    let account = find(call, address).await?;
    let audit = call.audit().clone();
    let hearers = logout_recipients(call, SessionEnd::Disabled);
    let write = call.store().write(move |tx: Tx| {
        let (audit, hearers) = (audit.clone(), hearers.clone());
        async move {
            let locked = tx.lock_account(account.id).await?;
            // An audit entry stands for a change, so an account that is disabled already gets none.
            let Some(locked) = locked.map(|locked| locked.account) else { return Ok(()) };
            let status = locked.status;
            if status == AccountStatus::Disabled {
                return Ok(());
            }
            // It may be a stranger who verified a phone behind the invitation that ends here.
            if status == AccountStatus::Invited {
                remove_phones(&tx, &audit, account.id, "disabled").await?;
            }
            end_links(&tx, &audit, account.id).await?;
            tx.set_status(account.id, AccountStatus::Disabled, audit.now).await?;
            if let Some(raised) = tx.raise_epoch(account.id).await? {
                tx.keep_password_of_devices(account.id, (locked.epoch, raised)).await?;
            }
            let sessions = tx.sessions_of_account(account.id).await?;
            end_all(&tx, &audit, &sessions, &hearers).await?;
            tx.append(&audit.entry(Actor::Operator, Event::AccountDisabled).about(account.id)).await?;
            Ok::<_, FlowError>(())
        }
    });
    write.await?;
    Ok(())
}

/// A person who had registered is active again; one who had not is invited as before.
pub async fn enable(call: &Call, address: &EmailAddress) -> Result<(), AdminError> {
    let account = find(call, address).await?;
    let audit = call.audit().clone();
    let write = call.store().write(move |tx: Tx| {
        let audit = audit.clone();
        async move {
            let locked = tx.lock_account(account.id).await?;
            if locked.as_ref().is_none_or(|locked| locked.account.status != AccountStatus::Disabled) {
                return Ok(());
            }
            let registered = locked.is_some_and(|locked| locked.credential.is_some());
            let status = if registered { AccountStatus::Active } else { AccountStatus::Invited };
            // A concurrent unit, or a node of release 0.1.0, may have inserted links after `disable` ended them, so they are
            // ended again.
            end_links(&tx, &audit, account.id).await?;
            tx.set_status(account.id, status, audit.now).await?;
            tx.append(&audit.entry(Actor::Operator, Event::AccountEnabled).about(account.id)).await?;
            Ok::<_, FlowError>(())
        }
    });
    write.await?;
    Ok(())
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
        known_groups(call, &BTreeSet::from([group.clone()]))?;
    }
    let account = find(call, address).await?.id;
    let (snapshot, audit) = (Arc::clone(call.snapshot()), call.audit().clone());
    let write = call.store().write(move |tx: Tx| {
        let (group, snapshot, audit) = (group.clone(), Arc::clone(&snapshot), audit.clone());
        async move {
            tx.lock_account(account).await?;
            let (changed, event) = match change {
                Membership::Add => {
                    (tx.add_group(account, &group).await?, Event::GroupAdded { group: group.to_string() })
                }
                Membership::Remove => (
                    tx.remove_group(account, &group).await?,
                    Event::GroupRemoved { group: group.to_string() },
                ),
            };
            if changed {
                tx.append(&audit.entry(Actor::Operator, event).about(account)).await?;
                end_grants_not_admitted(&tx, &audit, &snapshot, account).await?;
            }
            Ok::<_, FlowError>(())
        }
    });
    write.await?;
    Ok(())
}

async fn end_grants_not_admitted(
    tx: &Tx,
    audit: &AuditContext,
    snapshot: &Snapshot,
    account: AccountId,
) -> Result<(), FlowError> {
    let Some(after) = tx.account(account).await? else { return Ok(()) };
    for (grant, client, session) in tx.grants_of_account(account).await? {
        if snapshot.clients.get(&client).is_some_and(|client| client.is_entitled(&after)) {
            continue;
        }
        tx.revoke_grant(grant, GrantEnd::NotEntitled, audit.now).await?;
        let event = Event::revoked(grant, GrantEnd::NotEntitled);
        let entry = audit.entry(Actor::System, event).about(account).by_client(&client);
        tx.append(&entry.in_session(session)).await?;
    }
    Ok(())
}

/// A configuration was taken up, at start or while running: the trail says which.
pub async fn note_configuration(call: &Call) -> Result<(), FlowError> {
    let snapshot = call.snapshot();
    let event =
        Event::ConfigurationChanged { digest: snapshot.digest.clone(), parts: snapshot.parts.clone() };
    let entry = call.entry(Actor::Operator, event);
    let write = call.store().write(move |tx: Tx| {
        let entry = entry.clone();
        async move { Ok::<_, FlowError>(tx.append(&entry).await?) }
    });
    write.await
}
