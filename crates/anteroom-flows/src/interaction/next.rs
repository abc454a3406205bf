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
use anteroom_oidc::authorization::{AcrRequirement, Ask};
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
use crate::interaction::prompt_none::answer_without_a_page;
use crate::interaction::target::Target;
use crate::protocol::authorization_response;
use crate::protocol::hybrid::SignedIn;
use crate::protocol::subject::subject;
use crate::sessions::browser_sessions::active_sessions;

pub use crate::interaction::step::{AnotherPerson, Next, Step, StepPage};

/// Decides from what the browser's cookies hold.
pub async fn proceed(visit: &Visit, interaction: OpenInteraction) -> Result<Next, FlowError> {
    let live = active_sessions(visit).await?;
    proceed_with(visit, interaction, live).await
}

/// The same, when the caller has just read or made the sessions.
#[tracing::instrument(name = "next_step", skip_all)]
pub async fn proceed_with(
    visit: &Visit,
    interaction: OpenInteraction,
    live: Vec<ActiveSession>,
) -> Result<Next, FlowError> {
    if let Some(request) = interaction.state.request() {
        visit.refresh_for(&request.ask.client_id).await?;
    }
    let snapshot = visit.snapshot();
    if let Some(before) = interaction.answered.as_ref().filter(|row| !answered::may_repeat(row, visit)) {
        return Ok(answered::repeat_response(visit, before, None));
    }
    let Some(target) = Target::of(snapshot, &interaction.state) else {
        return Ok(Next::ApplicationGone);
    };
    if let Some(client) = target.client() {
        visit.span.is_about(client.id());
    }
    let selection = AccountSelection::select(visit, (&interaction, target.client()), live).await?;
    if let Some(account) = selection.account().filter(|_| !selection.is_shown_by(visit.form)) {
        let another = AnotherPerson { account: account.clone(), interaction };
        return Ok(Next::AccountMismatch(Box::new(another)));
    }
    let needs = needs(visit, (&interaction, &target), &selection).await?;
    let person = person(visit, &target, &selection, &needs).await?;
    let step = next_step::decide(person, &needs, visit.now);
    if let Some(response) = answer_without_a_page(visit, snapshot, (&target, &selection), &step).await? {
        let account = selection.account().map(|account| account.id);
        return answer(visit, &interaction, account, response.into()).await;
    }
    let step = match (step, selection) {
        (NextStep::Done, AccountSelection::SignedIn(live)) => {
            return reach_target(visit, (&interaction, target), &live).await;
        }
        (step, selection) => page(visit, (&interaction, &target), step, selection).await?,
    };
    if let (Step::NotEntitled(account), Some(client)) = (&step, target.client()) {
        note_not_entitled(visit, account, client).await?;
    }
    let client = target.client().cloned();
    let interaction = match (&step, &client) {
        (Step::Consent { scope, person }, Some(client)) => {
            with_consent_question(interaction, person, ConsentQuestion::of(client, scope.clone()), visit.now)
        }
        _ => interaction,
    };
    Ok(Next::Page(Box::new(StepPage { step, client, interaction, not_persisted: false })))
}

/// The account that the consent page asks is the one that agrees, although another may sign in here meanwhile, and it agrees to
/// what the page asks, although the client may change meanwhile: the form carries both. If the saved row has another question,
/// the row stays as it is, because its own page may still be open; this question goes into a new page.
fn with_consent_question(
    mut interaction: OpenInteraction,
    person: &ActiveSession,
    question: ConsentQuestion,
    now: Timestamp,
) -> OpenInteraction {
    interaction.state = interaction.state.asking_consent(person.account.id, question, now);
    if matches!(interaction.place, InteractionStorage::Row { .. }) && !interaction.is_persisted() {
        interaction.place = InteractionStorage::Sealed { submitted: None };
    }
    interaction
}

async fn reach_target(
    visit: &Visit,
    (interaction, target): (&OpenInteraction, Target),
    live: &ActiveSession,
) -> Result<Next, FlowError> {
    if let Some(before) = &interaction.answered {
        return Ok(answered::repeat_response(visit, before, Some(live.account.id)));
    }
    match target {
        Target::Dashboard | Target::ChangePassword => Ok(Next::Dashboard),
        Target::AuthenticatorApps => Ok(Next::AuthenticatorApps(Box::new(live.clone()))),
        Target::Application { client, request } => {
            let response = {
                let agrees_to = interaction.consent.as_ref().and_then(|consent| consent.agrees_to());
                let person = SignedIn { live, agrees_to };
                authorization_response::respond(visit, &client, *request, person).await?
            };
            answer(visit, interaction, Some(live.account.id), response).await
        }
    }
}

/// The page for a step, with the person it is about.
async fn page(
    visit: &Visit,
    (interaction, target): (&OpenInteraction, &Target),
    step: NextStep,
    selection: AccountSelection,
) -> Result<Step, FlowError> {
    let verify = async |selection, what| -> Result<Step, FlowError> {
        Ok(Step::Verify(Box::new(verification(visit, interaction, selection, what).await?)))
    };
    Ok(match (step, selection) {
        (NextStep::ChooseAccount, selection) => Step::ChooseAccount(selection.into_choices()),
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
        (NextStep::Verify(purpose), selection) => verify(selection, (purpose, None)).await?,
        (NextStep::StepUp(reason), selection) => {
            verify(selection, (CodePurpose::StepUp, Some(reason))).await?
        }
        (NextStep::NoSecondFactor(purpose), selection) => {
            let phones = match selection.account() {
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
        (NextStep::SignIn(reason), selection) => {
            let known = selection.account().filter(|_| reason != SignInReason::OtherAccount);
            let chosen = known.filter(|account| interaction.state.account == Some(account.id));
            let [chosen, known] =
                [chosen, known].map(|account| account.map(|it| it.primary_address.as_str()));
            let recovered = interaction.state.recovery.as_ref().map(|note| note.address.as_str());
            // The application may mean another person than the one who is signed in here. With that one's address in the form,
            // the other's wrong passwords would be counted for, and could lock, an account that was not meant.
            let hinted = target.request().and_then(|request| request.ask.login_hint.as_deref());
            let email = recovered.or(chosen).or(hinted).or(known).unwrap_or_default().to_owned();
            Step::SignIn { reason, email }
        }
        // A proof without a session never finishes an interaction, so the person signs in.
        (_, selection) => {
            let email =
                selection.account().map(|account| account.primary_address.to_string()).unwrap_or_default();
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
    let interaction = &page.interaction;
    matches!(page.step, Step::SignIn { .. })
        && interaction.state.request().is_none()
        && interaction.row().is_none()
}

/// After a form, the page comes by way of a redirect (so that refresh and Back work), and its journey must be a row. Where strangers
/// have used up the rows of the network, the journey stays in its page, which then comes without a redirect.
pub(crate) async fn persist_for_redirect(visit: &Visit, next: Next) -> Result<Next, FlowError> {
    let Next::Page(mut page) = next else { return Ok(next) };
    if page.interaction.is_persisted() || has_nothing_to_persist(&page) {
        return Ok(Next::Page(page));
    }
    // The form of a signed-in account was counted for that account.
    let by_stranger = is_of_stranger(&page.interaction) && active_sessions(visit).await?.is_empty();
    let budgets = if by_stranger { of_address(visit, Limit::InteractionRows) } else { Vec::new() };
    let (interaction, new_interaction) =
        (page.interaction.clone(), NewInteraction::prepare(visit, &page.interaction));
    let now = visit.now;
    let write = visit.store().write(move |tx| {
        let (interaction, new_interaction, budgets) =
            (interaction.clone(), new_interaction.clone(), budgets.clone());
        async move {
            match tx.spend(&budgets, now).await? {
                RateLimitResult::Counted => {
                    interaction.persist(&tx, &new_interaction, interaction.proof().cloned()).await
                }
                RateLimitResult::Refused { .. } => Ok::<_, FlowError>(interaction),
            }
        }
    });
    page.interaction = write.await?;
    page.not_persisted = page.interaction.row().is_none();
    if page.not_persisted {
        visit.provider().tallies.count(AuditCounter::RateLimited(Limit::InteractionRows.name()));
    }
    Ok(Next::Page(page))
}

/// Nothing was proven on the way of a request that is to become a row.
fn is_of_stranger(interaction: &OpenInteraction) -> bool {
    interaction.row().is_none() && interaction.state.is_unauthenticated()
}

/// At an unattended computer the session alone must not be enough to change authenticators. So the password must have been
/// entered within this time.
const RECENT_SIGN_IN: SignedDuration = SignedDuration::from_mins(10);

async fn needs(
    visit: &Visit,
    (interaction, target): (&OpenInteraction, &Target),
    selection: &AccountSelection,
) -> Result<AuthenticationRequirements, FlowError> {
    let state = &interaction.state;
    let new_device_steps_up = visit.snapshot().policy.new_devices_step_up;
    let of_journey = selection.account().is_some_and(|account| state.was_signed_in_by(account.id));
    // A finished interaction asks for nothing more: its page only says that it is finished.
    let on_its_way = of_journey || interaction.answered.is_some();
    let nothing = AuthenticationRequirements {
        signed_in_for_request: on_its_way,
        new_device_steps_up,
        ..AuthenticationRequirements::signed_in_only(state.authenticated_since())
    };
    let (client, request) = match target {
        Target::Application { client, request } => (client, request),
        Target::Dashboard => return Ok(nothing),
        Target::ChangePassword => {
            let min_acr = factor_that_serves(visit, selection).await?;
            return Ok(AuthenticationRequirements {
                new_password: true,
                max_age: Some(RECENT_SIGN_IN),
                min_acr,
                ..nothing
            });
        }
        Target::AuthenticatorApps => {
            let min_acr = factor_that_serves(visit, selection).await?;
            return Ok(AuthenticationRequirements { max_age: Some(RECENT_SIGN_IN), min_acr, ..nothing });
        }
    };
    let account = selection.account();
    Ok(AuthenticationRequirements {
        login: request.ask.prompt.contains(Prompt::Login),
        choose_account: request.ask.prompt.contains(Prompt::SelectAccount) && state.account.is_none(),
        max_age: request.ask.max_age.map(|seconds| SignedDuration::from_secs(i64::from(seconds))),
        requires_other_subject: match account {
            Some(account) if state.insists_on.is_some() => {
                let sub = subject(visit, client, account.id)?;
                state.required_subs().all(|wanted| *wanted != sub)
            }
            _ => false,
        },
        min_acr: client.policy.min_acr.max(asked_acr(visit, &request.ask, account).await?),
        entitlement_missing: account.is_some_and(|account| !client.is_entitled(account)),
        consent: match account {
            Some(account) => {
                let missing = missing_consent(visit, client, request, selection, account).await?;
                let question = |scope: &ScopeSet| ConsentQuestion::of(client, scope.clone());
                missing.filter(|scope| !state.has_agreed(account.id, &question(scope)))
            }
            None => None,
        },
        ..nothing
    })
}

/// A password alone changes no proof of identity where a phone or an app serves. A thief of the password would be worth as much as
/// the owner: with an app of their own, or with a password that the owner does not have.
async fn factor_that_serves(visit: &Visit, selection: &AccountSelection) -> Result<Option<Acr>, FlowError> {
    let serves = match selection.account() {
        Some(account) => can_step_up(visit, account.id).await?,
        None => false,
    };
    Ok(serves.then_some(Acr::Mfa))
}

/// An essential `acr` binds: the least of the classes that it accepts (OpenID Connect Core §5.5.1.1), for a person who has
/// proven more has proven that as well. A voluntary one, which `acr_values` is as well (§3.1.2.1), asks for the class that it
/// prefers of a person who can prove it, and stops no other.
async fn asked_acr(visit: &Visit, ask: &Ask, account: Option<&Account>) -> Result<Option<Acr>, FlowError> {
    Ok(match (ask.acr_requirement(), account) {
        (AcrRequirement::Essential(classes), _) => classes.into_iter().min(),
        (AcrRequirement::Voluntary(classes), Some(account)) if !ask.prompt.contains(Prompt::None) => {
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
    interaction: &OpenInteraction,
    account: AccountId,
) -> Result<Next, FlowError> {
    let snapshot = visit.snapshot();
    let Some(target) = Target::of(snapshot, &interaction.state) else {
        return Ok(Next::ApplicationGone);
    };
    let request = target.request().ok_or(FlowError::Broken("a refusal of no request"))?;
    let (code, description) = (AuthorizationErrorCode::AccessDenied, "the person or the practice refused");
    let response = request.reply.error(&snapshot.issuer, code, description);
    answer(visit, interaction, Some(account), response.into()).await
}

async fn note_not_entitled(visit: &Visit, account: &Account, client: &Client) -> Result<(), FlowError> {
    let audit = visit.audit().clone();
    let entry = audit.entry(Actor::Account(account.id), Event::AccessRefused).by_client(client.id());
    note_refusal(visit, entry).await
}
