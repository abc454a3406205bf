//! What an operator does at the shell. Nobody sets, sees or skips a password or a code here: an invited person finishes
//! their own registration.

use anteroom_crypto::{KeyPurpose, Token};
use anteroom_domain::account::{Account, AccountStatus, GroupName, Profile};
use anteroom_domain::address::EmailAddress;
use anteroom_domain::audit::{Actor, Event};
use anteroom_domain::ids::{AccountId, AddressId, LinkId, MessageId};
use anteroom_domain::message::{Message, MessageContent};
use anteroom_domain::session::{Session, SessionEnd};
use anteroom_storage::{InsertAccountError, Invitation, NewAccount, NewAddress, Tx};
use jiff::Timestamp;
use std::collections::BTreeSet;

use crate::error::FlowError;
use crate::provider::Provider;
use crate::sign_out::{end_one, listeners};
use crate::trail::{About, Origin};
use crate::visitor::new_id;

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
    #[error("{0} is the address of an account already")]
    AddressTaken(String),
    #[error("no account has the address {0}")]
    NoSuchAccount(String),
    #[error("the group {0} is not defined in the configuration")]
    NoSuchGroup(GroupName),
    #[error("the account is not registered yet: it cannot be enabled, only invited again")]
    NotRegistered,
    #[error(transparent)]
    Flow(#[from] FlowError),
}

impl From<anteroom_storage::StoreError> for AdminError {
    fn from(error: anteroom_storage::StoreError) -> Self {
        Self::Flow(error.into())
    }
}

impl From<InsertAccountError> for AdminError {
    fn from(error: InsertAccountError) -> Self {
        match error {
            InsertAccountError::AddressTaken => Self::AddressTaken("the address".to_owned()),
            InsertAccountError::Store(error) => error.into(),
        }
    }
}

const LINK_CONTEXT: &str = "link";

/// Makes the account, its invitation link and the mail that carries it, in one transaction.
pub async fn invite(provider: &Provider, invitee: Invitee) -> Result<AccountId, AdminError> {
    known_groups(provider, &invitee.groups)?;
    let now = provider.clock.now();
    let account = AccountId(provider.random.uuid_v4());
    let (token, invitation) = invitation(provider, account, now);
    let message = invitation_mail(provider, &invitee, account, &token);
    let new = new_account(provider, &invitee, account, now);
    let groups = invitee.groups.iter().map(ToString::to_string).collect();
    let entry = Origin::local(now, &provider.random)
        .entry(Actor::Operator, Event::AccountInvited { groups })
        .about(account);
    let write = provider.store.write(move |tx: Tx| {
        let (new, message, entry, invitation) =
            (new.clone(), message.clone(), entry.clone(), invitation.clone());
        async move {
            tx.insert_account(&new).await?;
            tx.insert_invitation(&invitation).await?;
            tx.enqueue(&message).await?;
            tx.append(&entry).await?;
            Ok::<_, AdminError>(())
        }
    });
    write.await.map_err(|error| match error {
        AdminError::AddressTaken(_) => AdminError::AddressTaken(invitee.address.to_string()),
        other => other,
    })?;
    Ok(account)
}

fn new_account(provider: &Provider, invitee: &Invitee, id: AccountId, now: Timestamp) -> NewAccount {
    NewAccount {
        id,
        status: AccountStatus::Invited,
        profile: invitee.profile.clone(),
        locale: invitee.locale.clone(),
        primary_address: NewAddress {
            id: AddressId(new_id(&provider.random, now)),
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

fn invitation(provider: &Provider, account: AccountId, now: Timestamp) -> (Token, Invitation) {
    let token = provider.random.token();
    let lifetime = provider.snapshot().policy.invitation_lifetime;
    let invitation = Invitation {
        id: LinkId(new_id(&provider.random, now)),
        account,
        token: provider.keyring.mac(KeyPurpose::TokenHash).digest(LINK_CONTEXT, token.as_bytes()),
        created_at: now,
        expires_at: now.checked_add(lifetime).unwrap_or(Timestamp::MAX),
    };
    (token, invitation)
}

fn invitation_mail(provider: &Provider, invitee: &Invitee, account: AccountId, token: &Token) -> Message {
    let now = provider.clock.now();
    let snapshot = provider.snapshot();
    let lifetime = snapshot.policy.invitation_lifetime;
    let mut link = snapshot.issuer.endpoint("/complete-registration");
    link.query_pairs_mut().append_pair("token", &token.encode());
    Message {
        id: MessageId(new_id(&provider.random, now)),
        account: Some(account),
        to: invitee.address.clone(),
        locale: invitee.locale.clone(),
        content: MessageContent::Invitation {
            name: invitee.profile.given_name.clone().or_else(|| invitee.profile.name.clone()),
            link: link.to_string(),
            days: u16::try_from(lifetime.as_hours() / 24).unwrap_or(u16::MAX),
        },
        created_at: now,
        expires_at: now.checked_add(lifetime).unwrap_or(Timestamp::MAX),
    }
}

fn known_groups(provider: &Provider, groups: &BTreeSet<GroupName>) -> Result<(), AdminError> {
    let defined = &provider.snapshot().groups;
    match groups.iter().find(|group| !defined.contains(group)) {
        Some(unknown) => Err(AdminError::NoSuchGroup(unknown.clone())),
        None => Ok(()),
    }
}

pub async fn find(provider: &Provider, address: &EmailAddress) -> Result<Account, AdminError> {
    let found = provider.store.account_by_address(&address.folded()).await?;
    found.ok_or_else(|| AdminError::NoSuchAccount(address.to_string()))
}

/// Disables an account: its epoch is raised, its sessions end, its grants are worth nothing from now on.
pub async fn disable(provider: &Provider, address: &EmailAddress) -> Result<(), AdminError> {
    let account = find(provider, address).await?;
    let origin = Origin::local(provider.clock.now(), &provider.random);
    let sessions: Vec<Session> = provider.store.sessions_of_account(account.id).await?;
    let listeners = listeners(provider, SessionEnd::Disabled);
    let write = provider.store.write(move |tx: Tx| {
        let (origin, sessions, listeners) = (origin.clone(), sessions.clone(), listeners.clone());
        async move {
            tx.lock_account(account.id).await?;
            tx.set_status(account.id, AccountStatus::Disabled, origin.now).await?;
            tx.raise_epoch(account.id).await?;
            for session in &sessions {
                end_one(&tx, &origin, session, (SessionEnd::Disabled, &listeners)).await?;
            }
            tx.append(&origin.entry(Actor::Operator, Event::AccountDisabled).about(account.id)).await?;
            Ok::<_, FlowError>(())
        }
    });
    write.await?;
    Ok(())
}

pub async fn enable(provider: &Provider, address: &EmailAddress) -> Result<(), AdminError> {
    let account = find(provider, address).await?;
    if account.status == AccountStatus::Invited {
        return Err(AdminError::NotRegistered);
    }
    let origin = Origin::local(provider.clock.now(), &provider.random);
    let write = provider.store.write(move |tx: Tx| {
        let origin = origin.clone();
        async move {
            tx.set_status(account.id, AccountStatus::Active, origin.now).await?;
            tx.append(&origin.entry(Actor::Operator, Event::AccountEnabled).about(account.id)).await?;
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

/// Adds an account to a group or takes it out. Leaving a group ends at once what its applications may still ask.
pub async fn change_group(
    provider: &Provider,
    address: &EmailAddress,
    group: GroupName,
    change: Membership,
) -> Result<(), AdminError> {
    if change == Membership::Add {
        known_groups(provider, &BTreeSet::from([group.clone()]))?;
    }
    let account = find(provider, address).await?;
    let event = match change {
        Membership::Add => Event::GroupAdded { group: group.to_string() },
        Membership::Remove => Event::GroupRemoved { group: group.to_string() },
    };
    let origin = Origin::local(provider.clock.now(), &provider.random);
    let entry = origin.entry(Actor::Operator, event).about(account.id);
    let write = provider.store.write(move |tx: Tx| {
        let (group, entry) = (group.clone(), entry.clone());
        async move {
            let changed = match change {
                Membership::Add => tx.add_group(account.id, &group).await?,
                Membership::Remove => tx.remove_group(account.id, &group).await?,
            };
            if changed {
                tx.append(&entry).await?;
            }
            Ok::<_, FlowError>(())
        }
    });
    write.await?;
    Ok(())
}

/// A configuration was taken up, at start or while running: the trail says which.
pub async fn note_configuration(provider: &Provider) -> Result<(), FlowError> {
    let event = Event::ConfigurationChanged { digest: provider.snapshot().digest.clone() };
    let entry = Origin::local(provider.clock.now(), &provider.random).entry(Actor::Operator, event);
    let write = provider.store.write(move |tx: Tx| {
        let entry = entry.clone();
        async move { Ok::<_, FlowError>(tx.append(&entry).await?) }
    });
    write.await
}
