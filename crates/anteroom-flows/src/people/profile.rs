//! What is said of a person, seen and changed: by the person on a page of theirs, by an operator at the shell.
//!
//! It proves nothing and opens nothing, so being signed in is enough; the trail says which claims were changed, and not
//! to what. `email` and `phone_number` are not among them: those are proven, on ways of their own.

use anteroom_domain::account::{Account, AccountStatus};
use anteroom_domain::address::EmailAddress;
use anteroom_domain::audit::{Actor, Event};
use anteroom_domain::ids::{AccountId, SessionId};
use anteroom_domain::profile::{BadClaim, ClaimChange, Described, ProfileClaim};
use anteroom_oidc::authorization::ClaimRequests;
use anteroom_oidc::claims::{ClaimMapping, ScopeClaims, Wanted, release};
use anteroom_oidc::{ClientId, Scope};
use anteroom_storage::Tx;
use serde_json::Value;
use std::sync::Arc;

use crate::audit::context::AuditContext;
use crate::context::call::{Call, Visit};
use crate::context::live::Live;
use crate::error::FlowError;
use crate::people::admin::{AdminError, find};
use crate::people::dashboard::current;
use crate::protocol::subject::{may_know_address, standard_claims, subject};

/// The person who is signed in. `None`: no account is.
#[tracing::instrument(name = "read_profile", skip_all)]
pub async fn profile(visit: &Visit) -> Result<Option<Live>, FlowError> {
    Ok(current(visit).await?.map(|(live, _)| live))
}

#[derive(Debug)]
pub enum SaveOutcome {
    Saved,
    /// Nothing was written: these are not what they must be.
    Bad {
        live: Box<Live>,
        problems: Vec<(ProfileClaim, BadClaim)>,
    },
    NobodySignedIn,
}

/// Writes what the person says of themselves.
#[tracing::instrument(name = "save_profile", skip_all)]
pub async fn save(visit: &Visit, entered: &[(ProfileClaim, &str)]) -> Result<SaveOutcome, FlowError> {
    let Some(live) = profile(visit).await? else { return Ok(SaveOutcome::NobodySignedIn) };
    let (mut changes, mut problems) = (Vec::new(), Vec::new());
    // What is not the person's to say is not taken from a form.
    for (claim, text) in entered.iter().filter(|(claim, _)| claim.is_the_persons()) {
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
    let act = Act { changes: changes.into(), audit, actor: Actor::Account(account.id), session };
    let stands = move |now: &Account| now.epoch == account.epoch && now.status == AccountStatus::Active;
    let written = write(visit, account.id, act, stands).await?;
    Ok(if written == Written::Yes { SaveOutcome::Saved } else { SaveOutcome::NobodySignedIn })
}

/// What an operator says of a person.
pub async fn set_claims(
    call: &Call,
    address: &EmailAddress,
    changes: Vec<ClaimChange>,
) -> Result<(), AdminError> {
    let account = find(call, address).await?;
    let audit = call.audit().clone();
    let act = Act { changes: changes.into(), audit, actor: Actor::Operator, session: None };
    match write(call, account.id, act, |_| true).await? {
        Written::Yes | Written::AccountChanged => Ok(()),
        Written::UsernameTaken { name, holder } => {
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
        let wanted = Wanted {
            scope: &scope,
            told,
            asked: &asked,
            allowed: &scope,
            mapping: &mapping,
            address_as_username: true,
        };
        return Ok(Value::Object(release(&person, wanted)));
    };
    let call = &call.that_knows(id).await?;
    let client = call.snapshot().clients.get(id).ok_or_else(|| AdminError::NoSuchClient(id.clone()))?;
    let (scope, mapping) = (&client.metadata.scope, &client.policy.claims);
    let address_as_username = may_know_address(client);
    let wanted = Wanted { scope, told, asked: &asked, allowed: scope, mapping, address_as_username };
    let mut claims = release(&person, wanted);
    let sub = subject(call, client, account.id)?;
    claims.insert("sub".to_owned(), Value::String(sub.as_str().to_owned()));
    Ok(Value::Object(claims))
}

#[derive(Clone)]
struct Act {
    changes: Arc<[ClaimChange]>,
    audit: AuditContext,
    actor: Actor,
    session: Option<SessionId>,
}

#[derive(Debug, PartialEq, Eq)]
enum Written {
    Yes,
    /// The account is not what `stands` wants it to be.
    AccountChanged,
    UsernameTaken {
        name: String,
        holder: AccountId,
    },
}

async fn write(
    call: &Call,
    account: AccountId,
    act: Act,
    stands: impl Fn(&Account) -> bool + Clone + Send + Sync + 'static,
) -> Result<Written, FlowError> {
    let write = call.store().write(move |tx: Tx| {
        let (act, stands) = (act.clone(), stands.clone());
        async move {
            let locked = tx.lock_account(account).await?;
            let Some(locked) = locked.filter(|locked| stands(&locked.account)) else {
                return Ok(Written::AccountChanged);
            };
            let mut described = Described::of(&locked.account);
            let changed = described.change(&act.changes);
            if !changed.is_empty() {
                let now = act.audit.now;
                let (profile, locale) = described.into_parts();
                if changed.contains(&ProfileClaim::PreferredUsername)
                    && let Some(holder) =
                        tx.set_username(account, profile.preferred_username.as_deref()).await?
                {
                    let name = profile.preferred_username.unwrap_or_default();
                    return Ok(Written::UsernameTaken { name, holder });
                }
                tx.save_profile(account, &profile, locale.as_deref(), now).await?;
                let claims = changed.iter().map(|claim| claim.as_str()).collect();
                let mut entry = act.audit.entry(act.actor, Event::ProfileChanged { claims }).about(account);
                entry.session = act.session;
                tx.append(&entry).await?;
            }
            Ok::<_, FlowError>(Written::Yes)
        }
    });
    write.await
}
