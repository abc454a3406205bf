//! Where a person goes next. Every step ends here, whichever it was: the facts are gathered, the one decision
//! ([`anteroom_domain::next_step`]) is asked, and its answer becomes a page, the application or the dashboard.

use anteroom_domain::account::Account;
use anteroom_domain::audit::{Actor, Event};
use anteroom_domain::client::Client;
use anteroom_domain::ids::AccountId;
use anteroom_domain::interaction::ConsentQuestion;
use anteroom_domain::limits::Limit;
use anteroom_domain::next_step::{self, AuthenticationRequirements, NextStep, SignInReason};
use anteroom_domain::one_time_code::CodePurpose;
use anteroom_domain::phone::Phone;
use anteroom_oidc::authorization::{AcrRequirement, AuthorizationRequest};
use anteroom_oidc::errors::AuthorizationErrorCode;
use anteroom_oidc::{Acr, Prompt, ScopeSet};
use anteroom_storage::RateLimitResult;
use jiff::{SignedDuration, Timestamp};

use crate::audit::counters::AuditCounter;
use crate::context::call::Visit;
use crate::context::limits::of_address;
use crate::context::live::ActiveSession;
use crate::context::refusals::note_refusal;
use crate::error::FlowError;
use crate::interaction::account_selection::AccountSelection;
use crate::interaction::answered::{self, answer};
use crate::interaction::authentication_state::{can_step_up, person, verification};
use crate::interaction::missing_consent::missing_consent;
use crate::interaction::open_interaction::{InteractionStorage, NewInteraction, OpenInteraction};
use crate::interaction::phones::NoPhone;
use crate::interaction::target::Target;
use crate::interaction::without_a_page::answer_without_a_page;
use crate::protocol::authorization_response;
use crate::protocol::hybrid::SignedIn;
use crate::protocol::subject::subject;
use crate::sessions::browser_sessions::active_sessions;

pub use crate::interaction::step::{AnotherPerson, Next, Step, StepPage};

/// Decides from what the browser's cookies hold.
pub async fn proceed(visit: &Visit, carried: OpenInteraction) -> Result<Next, FlowError> {
    let live = active_sessions(visit).await?;
    proceed_with(visit, carried, live).await
}

/// The same, when the caller has just read or made the sessions.
#[tracing::instrument(name = "next_step", skip_all)]
pub async fn proceed_with(
    visit: &Visit,
    carried: OpenInteraction,
    live: Vec<ActiveSession>,
) -> Result<Next, FlowError> {
    let knowing;
    let visit = match carried.journey.request() {
        Some(request) => {
            knowing = visit.that_knows(&request.client_id).await?;
            &knowing
        }
        None => visit,
    };
    let snapshot = visit.snapshot();
    if let Some(before) = carried.answered.as_ref().filter(|row| !answered::may_repeat(row, visit)) {
        return Ok(answered::repeat_response(visit, before, None));
    }
    let Some(ahead) = Target::of(snapshot, &carried.journey) else {
        return Ok(Next::ApplicationGone);
    };
    if let Some(client) = ahead.client() {
        visit.span.is_about(client.id());
    }
    let who = AccountSelection::select(visit, (&carried, ahead.client()), live).await?;
    if let Some(account) = who.account().filter(|_| !who.is_shown_by(visit.form)) {
        let another = AnotherPerson { account: account.clone(), carried };
        return Ok(Next::AccountMismatch(Box::new(another)));
    }
    let needs = needs(visit, (&carried, &ahead), &who).await?;
    let person = person(visit, &ahead, &who, &needs).await?;
    let step = next_step::decide(person, &needs, visit.now);
    if let Some(response) = answer_without_a_page(visit, snapshot, (&ahead, &who), &step).await? {
        let account = who.account().map(|account| account.id);
        return answer(visit, &carried, (account, response)).await;
    }
    let step = match (step, who) {
        (NextStep::Done, AccountSelection::SignedIn(live)) => {
            return reach_target(visit, (&carried, ahead), &live).await;
        }
        (step, who) => page(visit, (&carried, &ahead), step, who).await?,
    };
    if let (Step::NotEntitled(account), Some(client)) = (&step, ahead.client()) {
        note_not_entitled(visit, account, client).await?;
    }
    let client = ahead.client().cloned();
    let carried = match (&step, &client) {
        (Step::Consent { scope, person }, Some(client)) => {
            with_consent_question(carried, person, ConsentQuestion::of(client, scope.clone()), visit.now)
        }
        _ => carried,
    };
    Ok(Next::Page(Box::new(StepPage { step, client, carried, not_persisted: false })))
}

/// The account that the consent page asks is the one that agrees, although another may sign in here meanwhile, and it agrees to
/// what the page asks, although the client may change meanwhile: the form carries both. A row that says something else stays as it is, for the page that was shown from it.
fn with_consent_question(
    mut carried: OpenInteraction,
    person: &ActiveSession,
    question: ConsentQuestion,
    now: Timestamp,
) -> OpenInteraction {
    carried.journey = carried.journey.asking_consent(person.account.id, question, now);
    let kept = carried.is_persisted();
    if kept {
        carried
    } else {
        OpenInteraction { place: InteractionStorage::Sealed { submitted: None }, ..carried }
    }
}

async fn reach_target(
    visit: &Visit,
    (carried, ahead): (&OpenInteraction, Target),
    live: &ActiveSession,
) -> Result<Next, FlowError> {
    if let Some(before) = &carried.answered {
        return Ok(answered::repeat_response(visit, before, Some(live.account.id)));
    }
    match ahead {
        Target::Dashboard | Target::ChangePassword => Ok(Next::Dashboard),
        Target::AuthenticatorApps => Ok(Next::AuthenticatorApps(Box::new(live.clone()))),
        Target::Application { client, request } => {
            let response = {
                let agrees_to = carried.consent.as_ref().and_then(|consent| consent.agrees_to());
                let person = SignedIn { live, agrees_to };
                authorization_response::respond(visit, &client, &request, person).await?
            };
            answer(visit, carried, (Some(live.account.id), response)).await
        }
    }
}

/// The page for a step, with the person it is about.
async fn page(
    visit: &Visit,
    (carried, ahead): (&OpenInteraction, &Target),
    step: NextStep,
    who: AccountSelection,
) -> Result<Step, FlowError> {
    let verify = async |who, what| -> Result<Step, FlowError> {
        Ok(Step::Verify(Box::new(verification(visit, carried, who, what).await?)))
    };
    Ok(match (step, who) {
        (NextStep::ChooseAccount, who) => Step::ChooseAccount(who.into_choices()),
        (NextStep::Consent(scope), AccountSelection::SignedIn(person)) => Step::Consent { scope, person },
        (NextStep::NotEntitled, AccountSelection::SignedIn(live)) => {
            Step::NotEntitled(Box::new(live.account))
        }
        (NextStep::NotEntitled, AccountSelection::Proven(account, _)) => Step::NotEntitled(account),
        (NextStep::PasswordExpired, AccountSelection::Proven(account, _)) => {
            let facts = visit.store().password_facts(account.id).await?;
            let set_at = facts.ok_or(FlowError::Broken("a proven password without its row"))?.set_at;
            Step::ExpiredPassword { account, set_at }
        }
        (NextStep::CompleteRegistration, _) => Step::CompleteRegistration,
        (NextStep::Verify(purpose), who) => verify(who, (purpose, None)).await?,
        (NextStep::StepUp(reason), who) => verify(who, (CodePurpose::StepUp, Some(reason))).await?,
        (NextStep::NoSecondFactor(purpose), who) => {
            let phones = match who.account() {
                Some(account) => visit.store().phones_of(account.id).await?,
                None => Vec::new(),
            };
            Step::NoSecondFactor { purpose, why: no_phone(visit, &phones) }
        }
        (NextStep::AddPhones, AccountSelection::Proven(account, _)) => {
            let phones = visit.store().phones_of(account.id).await?;
            Step::AddPhones { account, phones }
        }
        (NextStep::NewPassword(reason), AccountSelection::Proven(account, _)) => {
            Step::NewPassword { reason, account, session: None }
        }
        (NextStep::NewPassword(reason), AccountSelection::SignedIn(live)) => {
            let session = Some(Box::new(live.session));
            Step::NewPassword { reason, account: Box::new(live.account), session }
        }
        (NextStep::SignIn(reason), who) => {
            let known = who.account().filter(|_| reason != SignInReason::OtherAccount);
            let chosen = known.filter(|account| carried.journey.account == Some(account.id));
            let [chosen, known] =
                [chosen, known].map(|account| account.map(|it| it.primary_address.as_str()));
            let recovered = carried.journey.recovery.as_ref().map(|note| note.address.as_str());
            // The application may mean another person than the one who is signed in here. With that one's address in the form,
            // the other's wrong passwords would be counted for, and could lock, an account that was not meant.
            let hinted = ahead.request().and_then(|request| request.login_hint.as_deref());
            let email = recovered.or(chosen).or(hinted).or(known).unwrap_or_default().to_owned();
            Step::SignIn { reason, email }
        }
        // A proof alone opens nothing: its person signs in.
        (_, who) => {
            let email = who.account().map(|account| account.primary_address.to_string()).unwrap_or_default();
            Step::SignIn { reason: SignInReason::NobodyThere, email }
        }
    })
}

/// The person is told and cannot help it, so the operator, who can, is told as well.
fn no_phone(visit: &Visit, phones: &[Phone]) -> NoPhone {
    let why = NoPhone::of(visit, phones, visit.now);
    if why == NoPhone::NoMethod {
        tracing::warn!(
            reference = %visit.reference,
            "somebody cannot go on: no code gets to a phone of theirs, as [text] and [voice] are configured"
        );
    }
    why
}

/// A person who has to sign in, and whom no application waits for: there is nothing to keep, so no row is made of it.
fn has_nothing_to_persist(page: &StepPage) -> bool {
    let carried = &page.carried;
    matches!(page.step, Step::SignIn { .. }) && carried.journey.request().is_none() && carried.row().is_none()
}

/// After a form, the page comes by way of a redirect (so that refresh and Back work), and its journey must be a row. Where strangers
/// have used up the rows of the network, the journey stays in its page, which then comes without a redirect.
pub(crate) async fn persist_for_redirect(visit: &Visit, onward: Next) -> Result<Next, FlowError> {
    let Next::Page(mut page) = onward else { return Ok(onward) };
    if page.carried.is_persisted() || has_nothing_to_persist(&page) {
        return Ok(Next::Page(page));
    }
    // The form of a signed-in account was counted for that account.
    let by_stranger = is_of_stranger(&page.carried) && active_sessions(visit).await?.is_empty();
    let budgets = if by_stranger { of_address(visit, Limit::InteractionRows) } else { Vec::new() };
    let (carried, keeping) = (page.carried.clone(), NewInteraction::prepare(visit, &page.carried));
    let now = visit.now;
    let write = visit.store().write(move |tx| {
        let (carried, keeping, budgets) = (carried.clone(), keeping.clone(), budgets.clone());
        async move {
            match tx.spend(&budgets, now).await? {
                RateLimitResult::Counted => carried.persist(&tx, &keeping, carried.proof().cloned()).await,
                RateLimitResult::Refused { .. } => Ok::<_, FlowError>(carried),
            }
        }
    });
    page.carried = write.await?;
    page.not_persisted = page.carried.row().is_none();
    if page.not_persisted {
        visit.provider().tallies.count(AuditCounter::RateLimited(Limit::InteractionRows.name()));
    }
    Ok(Next::Page(page))
}

/// Nothing was proven on the way of a request that is to become a row.
fn is_of_stranger(carried: &OpenInteraction) -> bool {
    carried.row().is_none() && carried.journey.is_unauthenticated()
}

/// A desk that its person left is not enough to change what proves who they are: the password was typed not long ago.
const RECENT_SIGN_IN: SignedDuration = SignedDuration::from_mins(10);

async fn needs(
    visit: &Visit,
    (carried, ahead): (&OpenInteraction, &Target),
    who: &AccountSelection,
) -> Result<AuthenticationRequirements, FlowError> {
    let journey = &carried.journey;
    let new_device_steps_up = visit.snapshot().policy.new_devices_step_up;
    let of_journey = who.account().is_some_and(|account| journey.was_signed_in_by(account.id));
    // Of a page whose request was answered, nothing but that is to be said.
    let on_its_way = of_journey || carried.answered.is_some();
    let nothing = AuthenticationRequirements {
        signed_in_for_request: on_its_way,
        new_device_steps_up,
        ..AuthenticationRequirements::signed_in_only(journey.authenticated_since())
    };
    let (client, request) = match ahead {
        Target::Application { client, request } => (client, request),
        Target::Dashboard => return Ok(nothing),
        Target::ChangePassword => {
            let min_acr = factor_that_serves(visit, who).await?;
            return Ok(AuthenticationRequirements {
                new_password: true,
                max_age: Some(RECENT_SIGN_IN),
                min_acr,
                ..nothing
            });
        }
        Target::AuthenticatorApps => {
            let min_acr = factor_that_serves(visit, who).await?;
            return Ok(AuthenticationRequirements { max_age: Some(RECENT_SIGN_IN), min_acr, ..nothing });
        }
    };
    let account = who.account();
    Ok(AuthenticationRequirements {
        login: request.prompt.contains(Prompt::Login),
        choose_account: request.prompt.contains(Prompt::SelectAccount) && journey.account.is_none(),
        max_age: request.max_age.map(|seconds| SignedDuration::from_secs(i64::from(seconds))),
        requires_other_subject: match account {
            Some(account) if journey.insists_on.is_some() => {
                let sub = subject(visit, client, account.id)?;
                journey.required_subs().all(|wanted| *wanted != sub)
            }
            _ => false,
        },
        min_acr: client.policy.min_acr.max(asked_acr(visit, request, account).await?),
        entitlement_missing: account.is_some_and(|account| !client.is_entitled(account)),
        consent: match account {
            Some(account) => {
                let missing = missing_consent(visit, (client, request), who, account).await?;
                let question = |scope: &ScopeSet| ConsentQuestion::of(client, scope.clone());
                missing.filter(|scope| !journey.has_agreed(account.id, &question(scope)))
            }
            None => None,
        },
        ..nothing
    })
}

/// A password alone changes no proof of identity where a phone or an app serves. A thief of the password would be worth as much as
/// the owner: with an app of their own, or with a password that the owner does not have.
async fn factor_that_serves(visit: &Visit, who: &AccountSelection) -> Result<Option<Acr>, FlowError> {
    let serves = match who.account() {
        Some(account) => can_step_up(visit, account.id).await?,
        None => false,
    };
    Ok(serves.then_some(Acr::Mfa))
}

/// An essential `acr` binds: the least of the classes that it accepts (OpenID Connect Core §5.5.1.1), for a person who has
/// proven more has proven that as well. A voluntary one, which `acr_values` is as well (§3.1.2.1), asks for the class that it
/// prefers of a person who can prove it, and stops no other.
async fn asked_acr(
    visit: &Visit,
    request: &AuthorizationRequest,
    account: Option<&Account>,
) -> Result<Option<Acr>, FlowError> {
    Ok(match (request.acr_requirement(), account) {
        (AcrRequirement::Essential(classes), _) => classes.into_iter().min(),
        (AcrRequirement::Voluntary(classes), Some(account)) if !request.prompt.contains(Prompt::None) => {
            let preferred = classes.first().copied().filter(|acr| *acr > Acr::Pwd);
            let asked = preferred.is_some() && can_step_up(visit, account.id).await?;
            preferred.filter(|_| asked)
        }
        (AcrRequirement::Any | AcrRequirement::Voluntary(_), _) => None,
    })
}

/// The answer to an application whose request the person (`account`) or the practice refuses.
pub(crate) async fn deny(
    visit: &Visit,
    carried: &OpenInteraction,
    account: AccountId,
) -> Result<Next, FlowError> {
    let snapshot = visit.snapshot();
    let Some(ahead) = Target::of(snapshot, &carried.journey) else {
        return Ok(Next::ApplicationGone);
    };
    let request = ahead.request().ok_or(FlowError::Broken("a refusal of no request"))?;
    let (code, description) = (AuthorizationErrorCode::AccessDenied, "the person or the practice refused");
    let response = request.target().error(&snapshot.issuer, code, description);
    answer(visit, carried, (Some(account), response)).await
}

async fn note_not_entitled(visit: &Visit, account: &Account, client: &Client) -> Result<(), FlowError> {
    let audit = visit.audit().clone();
    let entry = audit.entry(Actor::Account(account.id), Event::AccessRefused).by_client(client.id());
    note_refusal(visit, entry).await
}
