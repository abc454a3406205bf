//! The claims of a person, read and changed by the person on the profile page or by an operator at the shell.
//!
//! These claims give no access, so a session is enough to change them; the audit trail records which claims were changed, without
//! their values. `email` and `phone_number` are not among them: other use cases change those, with a proof.

use anteroom_domain::account::{Account, AccountEpoch, AccountStatus};
use anteroom_domain::address::EmailAddress;
use anteroom_domain::audit::{Actor, Event};
use anteroom_domain::ids::{AccountId, SessionId};
use anteroom_domain::profile::{ClaimChange, EditableProfile, InvalidClaimValue, ProfileClaim};
use anteroom_oidc::authorization::ClaimRequests;
use anteroom_oidc::claims::{ClaimMapping, ClaimSelection, ScopeClaims, select_claims};
use anteroom_oidc::{ClientId, ScopeSet};
use anteroom_storage::{Tx, Unit};
use serde_json::Value;

use crate::context::active_session::ActiveSession;
use crate::context::call::{Call, Visit};
use crate::error::FlowError;
use crate::people::admin::{AdminError, find};
use crate::people::dashboard::current;
use crate::protocol::subject::{may_use_email_as_username, standard_claims, subject};

/// The person who is signed in. `None`: no account is.
#[tracing::instrument(name = "read_profile", skip_all)]
pub async fn profile(visit: &Visit) -> Result<Option<ActiveSession>, FlowError> {
    Ok(current(visit).await?.map(|(live, _)| live))
}

#[derive(Debug)]
pub enum SaveOutcome {
    Saved,
    /// Nothing was written: these values are invalid.
    Bad {
        live: Box<ActiveSession>,
        problems: Vec<(ProfileClaim, InvalidClaimValue)>,
    },
    NotSignedIn,
}

/// Writes the claims that the person has entered.
#[tracing::instrument(name = "save_profile", skip_all)]
pub async fn save(visit: &Visit, entered: &[(ProfileClaim, &str)]) -> Result<SaveOutcome, FlowError> {
    let Some(live) = profile(visit).await? else { return Ok(SaveOutcome::NotSignedIn) };
    let (mut changes, mut problems) = (Vec::new(), Vec::new());
    // A form changes only claims that the person may change.
    for (claim, text) in entered.iter().filter(|(claim, _)| claim.is_self_service()) {
        match ClaimChange::parse(*claim, text, visit.now) {
            Ok(change) => changes.push(change),
            Err(problem) => problems.push((*claim, problem)),
        }
    }
    if !problems.is_empty() {
        return Ok(SaveOutcome::Bad { live: Box::new(live), problems });
    }
    let author = Author::Person { session: live.session.id, epoch: live.account.epoch };
    let saved = save_claims(visit, live.account.id, changes, author).await?;
    Ok(if saved == SaveClaimsResult::Saved { SaveOutcome::Saved } else { SaveOutcome::NotSignedIn })
}

/// Writes the claims that an operator has entered.
pub async fn set_claims(
    call: &Call,
    address: &EmailAddress,
    changes: Vec<ClaimChange>,
) -> Result<(), AdminError> {
    let account = find(call, address).await?.id;
    match save_claims(call, account, changes, Author::Operator).await? {
        SaveClaimsResult::Saved | SaveClaimsResult::AccountChanged => Ok(()),
        SaveClaimsResult::UsernameTaken { name, holder } => {
            let holder = call.store().account(holder).await?;
            let holder = holder.ok_or(FlowError::Inconsistent("a username without its account"))?;
            Err(AdminError::UsernameTaken { name, holder: holder.primary_address })
        }
    }
}

/// All claims of a person that applications can receive; with a client, the most that this client can receive, and its `sub`.
pub async fn claims(
    call: &Call,
    address: &EmailAddress,
    client: Option<&ClientId>,
) -> Result<Value, AdminError> {
    let account = find(call, address).await?;
    let asked = ClaimRequests::default();
    let person = standard_claims(&account, &call.snapshot().groups);
    let Some(id) = client else {
        let (scope, mapping) = (ScopeSet::standard(), ClaimMapping::default());
        let wanted = ClaimSelection {
            scope: &scope,
            told: &ScopeClaims::All,
            asked: &asked,
            allowed: &scope,
            mapping: &mapping,
            email_as_username: true,
        };
        return Ok(Value::Object(select_claims(&person, wanted)));
    };
    call.refresh_for(id).await?;
    let client = call.snapshot().clients.get(id).ok_or_else(|| AdminError::NoSuchClient(id.clone()))?;
    let (scope, mapping) = (&client.metadata.scope, &client.policy.claims);
    let email_as_username = may_use_email_as_username(client);
    let wanted = ClaimSelection {
        scope,
        told: &ScopeClaims::All,
        asked: &asked,
        allowed: scope,
        mapping,
        email_as_username,
    };
    let mut claims = select_claims(&person, wanted);
    let sub = subject(call, client, account.id)?;
    claims.insert("sub".to_owned(), Value::String(sub.as_str().to_owned()));
    Ok(Value::Object(claims))
}

/// The author of a change.
#[derive(Clone, Copy)]
enum Author {
    /// The person, who signed in at this epoch of the account.
    Person {
        session: SessionId,
        epoch: AccountEpoch,
    },
    Operator,
}

impl Author {
    fn may_change(self, account: &Account) -> bool {
        match self {
            Self::Person { epoch, .. } => account.epoch == epoch && account.status == AccountStatus::Active,
            Self::Operator => true,
        }
    }
}

async fn save_claims(
    call: &Call,
    account: AccountId,
    changes: Vec<ClaimChange>,
    author: Author,
) -> Result<SaveClaimsResult, FlowError> {
    call.run(|call| SaveClaims { call, account, changes, author }).await.1
}

struct SaveClaims {
    call: Call,
    account: AccountId,
    changes: Vec<ClaimChange>,
    author: Author,
}

#[derive(Debug, PartialEq, Eq)]
enum SaveClaimsResult {
    Saved,
    /// The account has changed since the form was shown.
    AccountChanged,
    UsernameTaken {
        name: String,
        holder: AccountId,
    },
}

impl Unit for SaveClaims {
    type Output = SaveClaimsResult;
    type Error = FlowError;

    const NAME: &'static str = "save_claims";

    async fn run(&self, tx: &Tx) -> Result<SaveClaimsResult, FlowError> {
        let Self { call, account, changes, author } = self;
        let locked = tx.lock_account(*account).await?;
        let Some(locked) = locked.filter(|locked| author.may_change(&locked.account)) else {
            return Ok(SaveClaimsResult::AccountChanged);
        };
        let mut described = EditableProfile::of(&locked.account);
        let changed = described.change(changes);
        if changed.is_empty() {
            return Ok(SaveClaimsResult::Saved);
        }
        let (profile, locale) = described.into_parts();
        if changed.contains(&ProfileClaim::PreferredUsername)
            && let Some(holder) = tx.set_username(*account, profile.preferred_username.as_deref()).await?
        {
            let name = profile.preferred_username.unwrap_or_default();
            return Ok(SaveClaimsResult::UsernameTaken { name, holder });
        }
        tx.save_profile(*account, &profile, locale.as_deref(), call.now).await?;
        let claims = changed.iter().map(|claim| claim.as_str()).collect();
        let event = Event::ProfileChanged { claims };
        let entry = match author {
            Author::Person { session, .. } => {
                call.entry(Actor::Account(*account), event).in_session(*session)
            }
            Author::Operator => call.entry(Actor::Operator, event).about(*account),
        };
        tx.append(&entry).await?;
        Ok(SaveClaimsResult::Saved)
    }
}
