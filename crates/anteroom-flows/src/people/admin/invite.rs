//! An invitation: the account, its link, and the mail that carries it.

use anteroom_domain::account::{Account, AccountStatus, GroupName, Profile};
use anteroom_domain::address::EmailAddress;
use anteroom_domain::audit::{Actor, Event};
use anteroom_domain::ids::{AccountId, AddressId, LinkId, MessageId};
use anteroom_domain::link::{EmailedLink, LinkKind};
use anteroom_domain::message::{Mail, Message, MessageBody};
use anteroom_domain::profile::{ClaimChange, EditableProfile, ProfileClaim};
use anteroom_storage::{InsertAccountError, NewAccount, NewAddress, StoreError, Tx, Unit};
use jiff::Timestamp;
use std::collections::BTreeSet;

use super::ends::restart_registration;
use super::{AdminError, check_groups};
use crate::context::call::Call;
use crate::context::provider::Snapshot;
use crate::error::FlowError;
use crate::messages::links::{LinkIdentity, new_link};

/// An address, and what the operator knows of the person. The person adds the rest.
#[derive(Clone, Debug)]
pub struct Invitee {
    pub address: EmailAddress,
    pub profile: Profile,
    pub groups: BTreeSet<GroupName>,
    pub locale: Option<String>,
}

/// The account after an invitation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invited {
    pub account: AccountId,
    /// All groups that it is in now.
    pub groups: BTreeSet<GroupName>,
    /// It was invited before: what is given this time replaces what was given before, and the rest stays.
    pub again: bool,
}

/// Creates the account, its invitation link and the mail that carries it, in one transaction. A person who was invited before and
/// has not registered yet gets another link, and the name, language and groups that are given this time, and begins anew: a
/// stranger who read the earlier mail may have its link, and may have verified phones behind it.
pub async fn invite(call: &Call, invitee: Invitee) -> Result<Invited, AdminError> {
    check_groups(call, &invitee.groups)?;
    let known = call.store().account_by_address(&invitee.address.folded()).await?;
    if let Some(known) = known.as_ref().filter(|known| known.status != AccountStatus::Invited) {
        return Err(not_invited(call, known, invitee.address).await?);
    }
    let (account, invitation, person) = if let Some(known) = known {
        let changes = invitation_claims(&invitee, call.now);
        let id = known.id;
        let invitee = with_stored_profile(known, invitee, &changes);
        let invitation = invitation_for(call, id, &invitee);
        let Invitee { address, groups, .. } = invitee;
        (id, invitation, InvitedPerson::Known { address, groups, changes })
    } else {
        let id = AccountId(call.random().uuid_v4());
        let invitation = invitation_for(call, id, &invitee);
        (id, invitation, InvitedPerson::New(Box::new(new_account(call, invitee, id))))
    };
    let (unit, invited) = call.run(|call| InvitePerson { call, account, person, invitation }).await;
    let (address, groups, again) = match unit.person {
        InvitedPerson::New(new) => (new.primary_address.address, new.groups, false),
        InvitedPerson::Known { address, groups, .. } => (address, groups, true),
    };
    match invited {
        Ok(()) => Ok(Invited { account, groups, again }),
        Err(InviteError::AddressTaken) => Err(AdminError::AddressTaken(address)),
        Err(InviteError::AddressIsUsername) => Err(AdminError::AddressIsUsername(address)),
        Err(InviteError::Flow(error)) => Err(error.into()),
    }
}

/// Why an account of this address is not invited.
async fn not_invited(call: &Call, known: &Account, address: EmailAddress) -> Result<AdminError, AdminError> {
    if known.status != AccountStatus::Disabled {
        return Ok(AdminError::AddressTaken(address));
    }
    let is_registered = call.store().credential(known.id).await?.is_some();
    let error = if is_registered { AdminError::DisabledIsRegistered } else { AdminError::DisabledIsInvited };
    Ok(error(address))
}

struct InvitePerson {
    call: Call,
    account: AccountId,
    person: InvitedPerson,
    invitation: Invitation,
}

enum InvitedPerson {
    New(Box<NewAccount>),
    /// The account was invited before.
    Known {
        address: EmailAddress,
        groups: BTreeSet<GroupName>,
        changes: Vec<ClaimChange>,
    },
}

enum InviteError {
    AddressTaken,
    AddressIsUsername,
    Flow(FlowError),
}

impl From<StoreError> for InviteError {
    fn from(error: StoreError) -> Self {
        Self::Flow(error.into())
    }
}

impl From<FlowError> for InviteError {
    fn from(error: FlowError) -> Self {
        Self::Flow(error)
    }
}

impl From<InsertAccountError> for InviteError {
    fn from(error: InsertAccountError) -> Self {
        match error {
            InsertAccountError::AddressTaken => Self::AddressTaken,
            InsertAccountError::UsernameTaken => Self::AddressIsUsername,
            InsertAccountError::Store(error) => Self::Flow(error.into()),
        }
    }
}

impl Unit for InvitePerson {
    type Output = ();
    type Error = InviteError;

    const NAME: &'static str = "invite_person";

    async fn run(&self, tx: &Tx) -> Result<(), InviteError> {
        let groups = match &self.person {
            InvitedPerson::New(new) => {
                tx.insert_account(new).await?;
                &new.groups
            }
            InvitedPerson::Known { groups, changes, .. } => {
                self.invite_again(tx, groups, changes).await?;
                groups
            }
        };
        tx.insert_link(&self.invitation.link).await?;
        tx.enqueue(&self.invitation.message).await?;
        let groups = groups.iter().map(ToString::to_string).collect();
        self.append(tx, Event::AccountInvited { groups }).await
    }
}

impl InvitePerson {
    async fn invite_again(
        &self,
        tx: &Tx,
        groups: &BTreeSet<GroupName>,
        changes: &[ClaimChange],
    ) -> Result<(), InviteError> {
        let locked = tx.lock_account(self.account).await?.map(|locked| locked.account);
        let before = locked.filter(|locked| locked.status == AccountStatus::Invited);
        let before = before.ok_or(InviteError::AddressTaken)?;
        self.change_claims(tx, &before, changes).await?;
        self.change_groups(tx, &before, groups).await?;
        restart_registration(tx, &self.call, self.account).await?;
        Ok(())
    }

    /// Gives the account the claims of the new invitation.
    async fn change_claims(
        &self,
        tx: &Tx,
        before: &Account,
        changes: &[ClaimChange],
    ) -> Result<(), InviteError> {
        let mut described = EditableProfile::of(before);
        let changed = described.change(changes);
        if changed.is_empty() {
            return Ok(());
        }
        let (profile, locale) = described.into_parts();
        tx.save_profile(before.id, &profile, locale.as_deref(), self.call.now).await?;
        let claims = changed.iter().map(|claim| claim.as_str()).collect();
        self.append(tx, Event::ProfileChanged { claims }).await
    }

    /// Gives the account the groups of the new invitation; each change has its audit entry.
    async fn change_groups(
        &self,
        tx: &Tx,
        before: &Account,
        groups: &BTreeSet<GroupName>,
    ) -> Result<(), InviteError> {
        for group in groups.difference(&before.groups) {
            tx.add_group(before.id, group).await?;
            self.append(tx, Event::GroupAdded { group: group.to_string() }).await?;
        }
        for group in before.groups.difference(groups) {
            tx.remove_group(before.id, group).await?;
            self.append(tx, Event::GroupRemoved { group: group.to_string() }).await?;
        }
        Ok(())
    }

    async fn append(&self, tx: &Tx, event: Event) -> Result<(), InviteError> {
        Ok(tx.append(&self.call.entry(Actor::Operator, event).about(self.account)).await?)
    }
}

/// The claims that an invitation gives.
fn invitation_claims(invitee: &Invitee, now: Timestamp) -> Vec<ClaimChange> {
    let profile = &invitee.profile;
    let given = [
        (ProfileClaim::Name, &profile.name),
        (ProfileClaim::GivenName, &profile.given_name),
        (ProfileClaim::FamilyName, &profile.family_name),
        (ProfileClaim::Locale, &invitee.locale),
    ];
    let given = given.into_iter().filter_map(|(claim, value)| Some((claim, value.as_ref()?)));
    given.filter_map(|(claim, value)| ClaimChange::parse(claim, value, now).ok()).collect()
}

/// With the profile and groups of before, where this invitation gives none.
fn with_stored_profile(known: Account, invitee: Invitee, changes: &[ClaimChange]) -> Invitee {
    let mut described = EditableProfile::of(&known);
    described.change(changes);
    let (profile, locale) = described.into_parts();
    let groups = if invitee.groups.is_empty() { known.groups } else { invitee.groups };
    Invitee { profile, groups, locale, ..invitee }
}

fn new_account(call: &Call, invitee: Invitee, id: AccountId) -> NewAccount {
    let Invitee { address, profile, groups, locale } = invitee;
    NewAccount {
        id,
        status: AccountStatus::Invited,
        profile,
        locale,
        primary_address: NewAddress { id: AddressId(call.new_id()), address, verified_at: None },
        other_addresses: Vec::new(),
        phones: Vec::new(),
        groups,
        credential: None,
        now: call.now,
    }
}

/// An invitation's link with the mail that carries it.
struct Invitation {
    link: EmailedLink,
    message: Message,
}

fn invitation_for(call: &Call, account: AccountId, invitee: &Invitee) -> Invitation {
    let snapshot = call.snapshot();
    let lifetime = snapshot.policy.invitation_lifetime;
    let (id, kind) = (LinkId(call.new_id()), LinkKind::Invitation);
    let identity = LinkIdentity { id, kind, account: Some(account) };
    let new = new_link(call, identity, None, lifetime);
    let mail = invitation_mail(snapshot, Some(&invitee.profile), &new.token.encode());
    let message = Message {
        id: MessageId(call.new_id()),
        account: Some(account),
        locale: invitee.locale.clone(),
        body: MessageBody::Email { to: invitee.address.clone(), mail },
        reference: None,
        created_at: call.now,
        expires_at: new.link.expires_at,
    };
    Invitation { link: new.link, message }
}

/// `token`: the link's secret, as the mail carries it.
pub(crate) fn invitation_mail(snapshot: &Snapshot, profile: Option<&Profile>, token: &str) -> Mail {
    let mut href = snapshot.issuer.endpoint("/complete-registration");
    href.query_pairs_mut().append_pair("token", token);
    let name = profile.and_then(|profile| profile.given_name.as_ref().or(profile.name.as_ref()));
    Mail::Invitation {
        name: name.cloned(),
        link: href.to_string(),
        days: u16::try_from(snapshot.policy.invitation_lifetime.as_hours() / 24).unwrap_or(u16::MAX),
    }
}
