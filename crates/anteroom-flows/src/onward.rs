//! Where a person goes next. Every step ends here, whichever it was: the facts are gathered, the one decision
//! ([`anteroom_domain::next_step`]) is asked, and its answer becomes a page, the application or the dashboard.

use anteroom_domain::account::Account;
use anteroom_domain::address::FoldedAddress;
use anteroom_domain::client::Client;
use anteroom_domain::ids::AccountId;
use anteroom_domain::interaction::{Destination, Proof};
use anteroom_domain::next_step::{self, Needs, NextStep, Person, SignInReason, Standing};
use anteroom_oidc::authorization::{AcrRequirement, AuthorizationRequest};
use anteroom_oidc::errors::AuthorizationErrorCode;
use anteroom_oidc::response::AuthorizationResponse;
use anteroom_oidc::{Acr, Prompt, ScopeSet};
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;

use crate::error::FlowError;
use crate::journey::{Carried, Keeping, Waiting, open};
use crate::provider::{Provider, Snapshot};
use crate::release;
use crate::visitor::{Live, Visitor, live_sessions};

/// What the web shows or where it sends the browser.
#[derive(Debug)]
pub enum Onward {
    /// One of the journey's pages.
    Page(Box<StepPage>),
    /// Back to the application, with a code or an error.
    Application(Box<AuthorizationResponse>),
    Dashboard,
    /// The application that waited is no longer configured.
    ApplicationGone,
}

/// A page of the journey, with what carries the journey on.
#[derive(Debug)]
pub struct StepPage {
    pub step: Step,
    pub client: Option<Arc<Client>>,
    pub carried: Carried,
}

#[derive(Debug)]
pub enum Step {
    SignIn { reason: SignInReason, email: String },
    ChooseAccount(Vec<Live>),
    Consent(ScopeSet),
    NotEntitled,
    ExpiredPassword { account: Box<Account>, set_at: Timestamp },
    CompleteRegistration,
    StepUp,
    NoSecondFactor,
}

/// Decides from what the browser's cookies hold.
pub async fn proceed(provider: &Provider, visitor: &Visitor, carried: Carried) -> Result<Onward, FlowError> {
    let live = live_sessions(provider, visitor).await?;
    proceed_with(provider, visitor, carried, live).await
}

/// The same, when the caller has just read or made the sessions.
pub async fn proceed_with(
    provider: &Provider,
    visitor: &Visitor,
    carried: Carried,
    live: Vec<Live>,
) -> Result<Onward, FlowError> {
    let snapshot = provider.snapshot();
    let Some(destination) = Ahead::of(&snapshot, &carried.journey.destination) else {
        return Ok(Onward::ApplicationGone);
    };
    let who = Who::among(provider, &carried, &destination, live).await?;
    let needs = needs(provider, &carried, &destination, &who).await?;
    let person = person(provider, visitor, &who, &needs).await?;
    let step = next_step::decide(person, &needs, visitor.now);
    if let Some(response) = answer_without_a_page(provider, &destination, &step) {
        return Ok(Onward::Application(Box::new(response)));
    }
    let step = match (step, who) {
        (NextStep::Done, Who::SignedIn(live)) => {
            return match destination {
                Ahead::Dashboard => Ok(Onward::Dashboard),
                Ahead::Application { client, request } => {
                    let response = release::code(provider, visitor, &client, &request, &live).await?;
                    Ok(Onward::Application(Box::new(response)))
                }
            };
        }
        (NextStep::SignIn(SignInReason::OtherAccount), _) => {
            Step::SignIn { reason: SignInReason::OtherAccount, email: prefilled(&destination, &Who::Nobody) }
        }
        (NextStep::SignIn(reason), who) => Step::SignIn { reason, email: prefilled(&destination, &who) },
        (NextStep::ChooseAccount, who) => Step::ChooseAccount(who.into_choices()),
        (NextStep::Consent(scopes), _) => Step::Consent(scopes),
        (NextStep::NotEntitled, _) => Step::NotEntitled,
        (NextStep::ChangeExpiredPassword, Who::Proven(account, _)) => {
            let facts = provider.store.password_facts(account.id).await?;
            let set_at = facts.ok_or(FlowError::Broken("a proven password without its row"))?.set_at;
            Step::ExpiredPassword { account, set_at }
        }
        (NextStep::CompleteRegistration, _) => Step::CompleteRegistration,
        (NextStep::StepUp(_), _) => Step::StepUp,
        (NextStep::NoSecondFactor, _) => Step::NoSecondFactor,
        // A proof alone opens nothing: its person signs in.
        (NextStep::Done | NextStep::ChangeExpiredPassword, who) => {
            Step::SignIn { reason: SignInReason::NobodyThere, email: prefilled(&destination, &who) }
        }
    };
    Ok(Onward::Page(Box::new(StepPage { step, client: destination.into_client(), carried })))
}

/// After a form, the page comes by way of a redirect (so that refresh and Back work), and its journey must be a row.
pub(crate) async fn parked(
    provider: &Provider,
    visitor: &Visitor,
    onward: Onward,
) -> Result<Onward, FlowError> {
    let Onward::Page(mut page) = onward else { return Ok(onward) };
    if page.carried.is_kept() {
        return Ok(Onward::Page(page));
    }
    let (carried, keeping) = (page.carried.clone(), Keeping::prepare(provider, visitor.now));
    let write = provider.store.write(move |tx| {
        let (carried, keeping) = (carried.clone(), keeping.clone());
        async move { carried.keep(&tx, &keeping, carried.proof().cloned()).await }
    });
    page.carried = write.await?;
    Ok(Onward::Page(page))
}

/// The destination with its client, as configured now.
enum Ahead {
    Dashboard,
    Application { client: Arc<Client>, request: Box<AuthorizationRequest> },
}

impl Ahead {
    fn of(snapshot: &Snapshot, destination: &Destination) -> Option<Self> {
        match destination {
            Destination::Dashboard => Some(Self::Dashboard),
            Destination::Application(request) => {
                let client = Arc::clone(snapshot.clients.get(&request.client_id)?);
                Some(Self::Application { client, request: request.clone() })
            }
        }
    }

    fn request(&self) -> Option<&AuthorizationRequest> {
        match self {
            Self::Dashboard => None,
            Self::Application { request, .. } => Some(request),
        }
    }

    fn into_client(self) -> Option<Arc<Client>> {
        match self {
            Self::Dashboard => None,
            Self::Application { client, .. } => Some(client),
        }
    }
}

/// Who this is about.
enum Who {
    Nobody,
    Several(Vec<Live>),
    /// With the others that are signed in here, in case the person wants to choose.
    SignedIn(Box<Live>),
    Proven(Box<Account>, Proof),
}

impl Who {
    /// Chosen on the way, else hinted at, else the only one; the dashboard takes the current one.
    async fn among(
        provider: &Provider,
        carried: &Carried,
        destination: &Ahead,
        mut live: Vec<Live>,
    ) -> Result<Self, FlowError> {
        // Whoever has signed in or was chosen since the proof was given comes first.
        if let Some(proof) = carried.proof().filter(|proof| carried.journey.account == Some(proof.account))
            && let Some(account) = provider.store.account(proof.account).await?
            && account.epoch == proof.epoch
        {
            return Ok(Self::Proven(Box::new(account), proof.clone()));
        }
        let wanted = match carried.journey.account {
            Some(chosen) => live.iter().position(|one| one.account.id == chosen),
            None => destination.request().and_then(|request| hinted(provider, request, &live)),
        };
        let choosing =
            destination.request().is_some_and(|request| request.prompt.contains(Prompt::SelectAccount))
                && carried.journey.account.is_none();
        Ok(match (wanted, live.len()) {
            (_, 0) => Self::Nobody,
            _ if choosing => Self::Several(live),
            (Some(place), _) => Self::SignedIn(Box::new(live.swap_remove(place))),
            (None, 1) => Self::SignedIn(Box::new(live.swap_remove(0))),
            (None, _) if destination.request().is_none() => Self::SignedIn(Box::new(live.swap_remove(0))),
            (None, _) => Self::Several(live),
        })
    }

    fn account(&self) -> Option<&Account> {
        match self {
            Self::Nobody | Self::Several(_) => None,
            Self::SignedIn(live) => Some(&live.account),
            Self::Proven(account, _) => Some(account),
        }
    }

    fn into_choices(self) -> Vec<Live> {
        match self {
            Self::Several(live) => live,
            Self::SignedIn(live) => vec![*live],
            Self::Nobody | Self::Proven(..) => Vec::new(),
        }
    }
}

/// `id_token_hint` and `login_hint` (OpenID Connect Core §3.1.2.1) pick among those who are signed in.
fn hinted(provider: &Provider, request: &AuthorizationRequest, live: &[Live]) -> Option<usize> {
    match Insistence::of(provider, request) {
        Insistence::On(account) => live.iter().position(|one| one.account.id == account),
        Insistence::OnAStranger => None,
        Insistence::None => {
            let hint = FoldedAddress::from_entered(request.login_hint.as_deref()?);
            live.iter().position(|one| one.account.primary_address.folded() == hint)
        }
    }
}

/// Whether a request is for one person alone: by an ID token hint, or by `sub` as a claim with a value (OpenID Connect
/// Core §5.5.1).
enum Insistence {
    None,
    On(AccountId),
    /// On somebody who is nobody here.
    OnAStranger,
}

impl Insistence {
    fn of(provider: &Provider, request: &AuthorizationRequest) -> Self {
        let named = match (&request.id_token_hint, request.required_subject()) {
            (Some(hint), _) => {
                let (keys, snapshot) = (provider.key_set(), provider.snapshot());
                let verified = keys.jwks().verify_id_token_hint(hint, &snapshot.issuer).ok();
                verified.and_then(|claims| claims.get().sub.as_str().parse().ok())
            }
            (None, Some(subject)) => subject.parse().ok(),
            (None, None) => return Self::None,
        };
        named.map_or(Self::OnAStranger, Self::On)
    }

    fn is_on_another_than(&self, account: &Account) -> bool {
        match self {
            Self::None => false,
            Self::On(wanted) => *wanted != account.id,
            Self::OnAStranger => true,
        }
    }
}

async fn needs(
    provider: &Provider,
    carried: &Carried,
    destination: &Ahead,
    who: &Who,
) -> Result<Needs, FlowError> {
    let nothing = Needs::nothing(carried.journey.began_at);
    let Ahead::Application { client, request } = destination else { return Ok(nothing) };
    let account = who.account();
    let insistence = Insistence::of(provider, request);
    Ok(Needs {
        login: request.prompt.contains(Prompt::Login),
        choose_account: request.prompt.contains(Prompt::SelectAccount) && carried.journey.account.is_none(),
        max_age: request.max_age.map(|seconds| SignedDuration::from_secs(i64::from(seconds))),
        other_account_hinted: account.is_some_and(|account| insistence.is_on_another_than(account)),
        min_acr: client.policy.min_acr.max(essential_acr(request)),
        refused: account.is_some_and(|account| !client.admits(account)),
        consent: match account {
            Some(account) if !carried.journey.consented => {
                missing_consent(provider, client, request, account).await?
            }
            _ => None,
        },
        ..nothing
    })
}

/// The least of the classes that an essential `acr` accepts (OpenID Connect Core §5.5.1.1): whoever has proven more has
/// proven that as well.
fn essential_acr(request: &AuthorizationRequest) -> Option<Acr> {
    match request.acr_requirement() {
        AcrRequirement::Essential(classes) => classes.into_iter().min(),
        AcrRequirement::Any | AcrRequirement::Voluntary(_) => None,
    }
}

/// A first-party application asks only where the request insists; any other asks for what was not agreed to before, and
/// for `offline_access` with everything else (OpenID Connect Core §11).
async fn missing_consent(
    provider: &Provider,
    client: &Client,
    request: &AuthorizationRequest,
    account: &Account,
) -> Result<Option<ScopeSet>, FlowError> {
    if request.prompt.contains(Prompt::Consent) {
        return Ok(Some(request.scope.clone()));
    }
    if client.policy.first_party {
        return Ok(None);
    }
    let agreed = provider.store.consent(account.id, client.id()).await?.unwrap_or_default();
    let missing = request.scope.difference(&agreed);
    Ok((!missing.is_empty()).then(|| request.scope.clone()))
}

async fn person(
    provider: &Provider,
    visitor: &Visitor,
    who: &Who,
    needs: &Needs,
) -> Result<Person, FlowError> {
    let (account, auth_time, acr, proven) = match who {
        Who::Nobody => return Ok(Person::Nobody),
        Who::Several(_) => return Ok(Person::Several),
        Who::SignedIn(live) => (&live.account, live.session.auth_time, live.session.acr, false),
        Who::Proven(account, proof) => (&**account, proof.at, proof.acr, true),
    };
    // Read only where the decision can turn on it.
    let can_step_up = if needs.min_acr > Some(Acr::Pwd) || needs.new_device_steps_up {
        provider.store.second_factors(account.id, visitor.now).await?.any()
    } else {
        false
    };
    Ok(Person::One(Standing {
        status: account.status,
        auth_time,
        acr,
        // Until other proofs exist, a proof without a session means just this.
        password_expired: proven,
        device_stepped_up: false,
        can_step_up,
    }))
}

/// `prompt=none` (OpenID Connect Core §3.1.2.1): never a page.
fn answer_without_a_page(
    provider: &Provider,
    ahead: &Ahead,
    step: &NextStep,
) -> Option<AuthorizationResponse> {
    let request = ahead.request().filter(|request| request.prompt.contains(Prompt::None))?;
    let code = step.without_a_page()?;
    Some(request.target().error(
        &provider.snapshot().issuer,
        code,
        "the person would have to be asked something",
    ))
}

/// What the sign-in form begins with.
fn prefilled(destination: &Ahead, who: &Who) -> String {
    let known = who.account().map(|account| account.primary_address.as_str());
    let hinted = || destination.request().and_then(|request| request.login_hint.as_deref());
    known.or_else(hinted).unwrap_or_default().to_owned()
}

/// The answer to an application whose request the person or the practice refuses.
pub(crate) fn denied(provider: &Provider, carried: &Carried) -> Option<AuthorizationResponse> {
    let request = carried.journey.request()?;
    let (code, description) = (AuthorizationErrorCode::AccessDenied, "the person or the practice refused");
    Some(request.target().error(&provider.snapshot().issuer, code, description))
}

/// What becomes of "Back to the application" on the refusal page.
#[derive(Debug)]
pub enum Refusal {
    Told(Box<AuthorizationResponse>),
    /// The person is not refused any more.
    Overtaken(Onward),
    Gone,
}

pub async fn back_to_application(
    provider: &Provider,
    visitor: &Visitor,
    waiting: Waiting,
) -> Result<Refusal, FlowError> {
    let Ok(carried) = open(provider, visitor, waiting).await? else { return Ok(Refusal::Gone) };
    match proceed(provider, visitor, carried).await? {
        Onward::Page(page) if matches!(page.step, Step::NotEntitled) => Ok(denied(provider, &page.carried)
            .map_or(Refusal::Gone, |response| Refusal::Told(Box::new(response)))),
        onward => Ok(Refusal::Overtaken(parked(provider, visitor, onward).await?)),
    }
}
