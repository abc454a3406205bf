//! What is said of a person, seen and changed: by the person on a page of theirs, by an operator at the shell.
//!
//! It proves nothing and opens nothing, so being signed in is enough; the trail says which claims were changed, and not
//! to what. `email` and `phone_number` are not among them: those are proven, on ways of their own.

use anteroom_domain::account::{Account, AccountStatus};
use anteroom_domain::address::EmailAddress;
use anteroom_domain::audit::{Actor, Event};
use anteroom_domain::ids::{AccountId, SessionId};
use anteroom_domain::profile::{ClaimChange, EditableProfile, InvalidClaimValue, ProfileClaim};
use anteroom_oidc::authorization::ClaimRequests;
use anteroom_oidc::claims::{ClaimMapping, ClaimSelection, ScopeClaims, select_claims};
use anteroom_oidc::{ClientId, Scope};
use anteroom_storage::Tx;
use serde_json::Value;
use std::sync::Arc;

use crate::audit::context::AuditContext;
use crate::context::call::{Call, Visit};
use crate::context::live::ActiveSession;
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
    /// Nothing was written: these are not what they must be.
    Bad {
        live: Box<ActiveSession>,
        problems: Vec<(ProfileClaim, InvalidClaimValue)>,
    },
    NobodySignedIn,
}

/// Writes what the person says of themselves.
#[tracing::instrument(name = "save_profile", skip_all)]
pub async fn save(visit: &Visit, entered: &[(ProfileClaim, &str)]) -> Result<SaveOutcome, FlowError> {
    let Some(live) = profile(visit).await? else { return Ok(SaveOutcome::NobodySignedIn) };
    let (mut changes, mut problems) = (Vec::new(), Vec::new());
    // What is not the person's to say is not taken from a form.
    for (claim, text) in entered.iter().filter(|(claim, _)| claim.is_self_service()) {
        match ClaimChange::parse(*claim, text, visit.now) {
            Ok(change) => changes.push(change),
            Err(problem) => problems.push((*claim, problem)),
        }
    }
    if !problems.is_empty() {
        return Ok(SaveOutcome::Bad { live: Box::new(live), problems });
    }
    let (account, session) = (live.account, Some(live.session.id));
    let audit = visit.audit().clone();
    let act = SaveClaimsUnit { changes: changes.into(), audit, actor: Actor::Account(account.id), session };
    let stands = move |now: &Account| now.epoch == account.epoch && now.status == AccountStatus::Active;
    let written = write(visit, account.id, act, stands).await?;
    Ok(if written == SaveClaimsResult::Yes { SaveOutcome::Saved } else { SaveOutcome::NobodySignedIn })
}

/// What an operator says of a person.
pub async fn set_claims(
    call: &Call,
    address: &EmailAddress,
    changes: Vec<ClaimChange>,
) -> Result<(), AdminError> {
    let account = find(call, address).await?;
    let audit = call.audit().clone();
    let act = SaveClaimsUnit { changes: changes.into(), audit, actor: Actor::Operator, session: None };
    match write(call, account.id, act, |_| true).await? {
        SaveClaimsResult::Yes | SaveClaimsResult::AccountChanged => Ok(()),
        SaveClaimsResult::UsernameTaken { name, holder } => {
            let holder = call.store().account(holder).await?.map(|holder| holder.primary_address);
            Err(AdminError::UsernameTaken { name, holder: holder.unwrap_or_else(|| address.clone()) })
        }
    }
}

/// Everything that applications can be told of a person; with a client, what that one is told at the most, and by which
/// `sub`.
pub async fn claims(
    call: &Call,
    address: &EmailAddress,
    client: Option<&ClientId>,
) -> Result<Value, AdminError> {
    let account = find(call, address).await?;
    let (asked, told) = (ClaimRequests::default(), &ScopeClaims::All);
    let person = standard_claims(&account, &call.snapshot().groups);
    let Some(id) = client else {
        let (scope, mapping) = (Scope::STANDARD.iter().cloned().collect(), ClaimMapping::default());
        let wanted = ClaimSelection {
            scope: &scope,
            told,
            asked: &asked,
            allowed: &scope,
            mapping: &mapping,
            address_as_username: true,
        };
        return Ok(Value::Object(select_claims(&person, wanted)));
    };
    call.refresh_for(id).await?;
    let client = call.snapshot().clients.get(id).ok_or_else(|| AdminError::NoSuchClient(id.clone()))?;
    let (scope, mapping) = (&client.metadata.scope, &client.policy.claims);
    let address_as_username = may_use_email_as_username(client);
    let wanted = ClaimSelection { scope, told, asked: &asked, allowed: scope, mapping, address_as_username };
    let mut claims = select_claims(&person, wanted);
    let sub = subject(call, client, account.id)?;
    claims.insert("sub".to_owned(), Value::String(sub.as_str().to_owned()));
    Ok(Value::Object(claims))
}

#[derive(Clone)]
struct SaveClaimsUnit {
    changes: Arc<[ClaimChange]>,
    audit: AuditContext,
    actor: Actor,
    session: Option<SessionId>,
}

#[derive(Debug, PartialEq, Eq)]
enum SaveClaimsResult {
    Yes,
    /// The account has changed since the form was shown.
    AccountChanged,
    UsernameTaken {
        name: String,
        holder: AccountId,
    },
}

async fn write(
    call: &Call,
    account: AccountId,
    act: SaveClaimsUnit,
    stands: impl Fn(&Account) -> bool + Clone + Send + Sync + 'static,
) -> Result<SaveClaimsResult, FlowError> {
    let write = call.store().write(move |tx: Tx| {
        let (act, stands) = (act.clone(), stands.clone());
        async move {
            let locked = tx.lock_account(account).await?;
            let Some(locked) = locked.filter(|locked| stands(&locked.account)) else {
                return Ok(SaveClaimsResult::AccountChanged);
            };
            let mut described = EditableProfile::of(&locked.account);
            let changed = described.change(&act.changes);
            if !changed.is_empty() {
                let now = act.audit.now;
                let (profile, locale) = described.into_parts();
                if changed.contains(&ProfileClaim::PreferredUsername)
                    && let Some(holder) =
                        tx.set_username(account, profile.preferred_username.as_deref()).await?
                {
                    let name = profile.preferred_username.unwrap_or_default();
                    return Ok(SaveClaimsResult::UsernameTaken { name, holder });
                }
                tx.save_profile(account, &profile, locale.as_deref(), now).await?;
                let claims = changed.iter().map(|claim| claim.as_str()).collect();
                let mut entry = act.audit.entry(act.actor, Event::ProfileChanged { claims }).about(account);
                entry.session = act.session;
                tx.append(&entry).await?;
            }
            Ok::<_, FlowError>(SaveClaimsResult::Yes)
        }
    });
    write.await
}
