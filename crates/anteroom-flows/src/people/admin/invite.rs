//! An invitation: the account, its link, and the mail that carries it.

use anteroom_domain::account::{Account, AccountStatus, GroupName, Profile};
use anteroom_domain::address::EmailAddress;
use anteroom_domain::audit::{Actor, Event};
use anteroom_domain::ids::{AccountId, AddressId, LinkId, MessageId};
use anteroom_domain::link::{EmailedLink, LinkKind};
use anteroom_domain::message::{Mail, Message, MessageBody};
use anteroom_domain::profile::{ClaimChange, EditableProfile, ProfileClaim};
use anteroom_storage::{InsertAccountError, NewAccount, NewAddress, Tx, Unit};
use jiff::Timestamp;
use std::collections::BTreeSet;

use super::ends::restart_registration;
use super::{AdminError, check_groups};
use crate::context::call::Call;
use crate::context::provider::Snapshot;
use crate::messages::links::{LinkIdentity, new_link};

/// An address with what is known of the person; the rest they add themselves.
#[derive(Clone, Debug)]
pub struct Invitee {
    pub address: EmailAddress,
    pub profile: Profile,
    pub groups: BTreeSet<GroupName>,
    pub locale: Option<String>,
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
    check_groups(call, &invitee.groups)?;
    let known = call.store().account_by_address(&invitee.address.folded()).await?;
    if known.as_ref().is_some_and(|known| known.status != AccountStatus::Invited) {
        return Err(AdminError::AddressTaken(invitee.address));
    }
    let changes = invitation_claims(&invitee, call.now);
    let (account, invitee, new) = if let Some(known) = known {
        (known.id, with_stored_profile(known, invitee, &changes), None)
    } else {
        let account = AccountId(call.random().uuid_v4());
        let new = new_account(call, &invitee, account);
        (account, invitee, Some(new))
    };
    let Invitation { link, message } = invitation_for(call, account, &invitee);
    let unit = InvitePerson { call: call.clone(), account, invitee, changes, new, link, message };
    let (unit, invited) = call.store().run(unit).await;
    invited?;
    Ok(Invited { account, groups: unit.invitee.groups, again: unit.new.is_none() })
}

struct InvitePerson {
    call: Call,
    account: AccountId,
    invitee: Invitee,
    changes: Vec<ClaimChange>,
    /// `None`: it was invited before.
    new: Option<NewAccount>,
    link: EmailedLink,
    message: Message,
}

impl Unit for InvitePerson {
    type Output = ();
    type Error = AdminError;

    const NAME: &'static str = "invite_person";

    async fn run(&self, tx: &Tx) -> Result<(), AdminError> {
        match &self.new {
            Some(new) => self.insert_account(tx, new).await?,
            None => self.invite_again(tx).await?,
        }
        let groups = self.invitee.groups.iter().map(ToString::to_string).collect();
        let entry = self.call.entry(Actor::Operator, Event::AccountInvited { groups }).about(self.account);
        tx.insert_link(&self.link).await?;
        tx.enqueue(&self.message).await?;
        tx.append(&entry).await?;
        Ok(())
    }
}

impl InvitePerson {
    fn address_taken(&self) -> AdminError {
        AdminError::AddressTaken(self.invitee.address.clone())
    }

    async fn insert_account(&self, tx: &Tx, new: &NewAccount) -> Result<(), AdminError> {
        tx.insert_account(new).await.map_err(|error| match error {
            InsertAccountError::AddressTaken => self.address_taken(),
            InsertAccountError::UsernameTaken => AdminError::AddressIsUsername(self.invitee.address.clone()),
            InsertAccountError::Store(error) => error.into(),
        })
    }

    async fn invite_again(&self, tx: &Tx) -> Result<(), AdminError> {
        let locked = tx.lock_account(self.account).await?.map(|locked| locked.account);
        let before = locked.filter(|locked| locked.status == AccountStatus::Invited);
        self.change(tx, &before.ok_or_else(|| self.address_taken())?).await?;
        restart_registration(tx, &self.call, self.account).await?;
        Ok(())
    }

    /// Makes of an account that waits what the new invitation says; each change has its entry.
    async fn change(&self, tx: &Tx, before: &Account) -> Result<(), AdminError> {
        let Self { call, invitee: Invitee { groups, .. }, .. } = self;
        let entry = |event| call.entry(Actor::Operator, event).about(before.id);
        let mut described = EditableProfile::of(before);
        let changed = described.change(&self.changes);
        if !changed.is_empty() {
            let (profile, locale) = described.into_parts();
            tx.save_profile(before.id, &profile, locale.as_deref(), call.now).await?;
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
}

/// What an invitation says of the person.
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

/// With what was said before where nothing is said now.
fn with_stored_profile(known: Account, invitee: Invitee, changes: &[ClaimChange]) -> Invitee {
    let mut described = EditableProfile::of(&known);
    described.change(changes);
    let (profile, locale) = described.into_parts();
    let groups = if invitee.groups.is_empty() { known.groups } else { invitee.groups };
    Invitee { profile, groups, locale, ..invitee }
}

fn new_account(call: &Call, invitee: &Invitee, id: AccountId) -> NewAccount {
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
    let new = new_link(call, identity, None, (call.now, lifetime));
    let mail = invitation_mail(snapshot, Some(&invitee.profile), &new.token.encode());
    let message = Message {
        id: MessageId(call.new_id()),
        account: Some(account),
        locale: invitee.locale.clone(),
        parcel: MessageBody::Email { to: invitee.address.clone(), mail },
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
    Mail::Invitation {
        name: profile.and_then(|profile| profile.given_name.clone().or_else(|| profile.name.clone())),
        link: href.to_string(),
        days: u16::try_from(snapshot.policy.invitation_lifetime.as_hours() / 24).unwrap_or(u16::MAX),
    }
}
