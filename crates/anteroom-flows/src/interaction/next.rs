//! What the person does next. Every step ends here: what is known of the account and the request is read, `domain::next_step` decides,
//! and its decision becomes a page, an answer to the application or the dashboard.

use anteroom_domain::account::Account;
use anteroom_domain::audit::{Actor, Event};
use anteroom_domain::client::Client;
use anteroom_domain::ids::AccountId;
use anteroom_domain::interaction::ConsentQuestion;
use anteroom_domain::next_step::{self, NextStep};
use anteroom_oidc::errors::AuthorizationErrorCode;
use std::sync::Arc;

use crate::context::active_session::ActiveSession;
use crate::context::call::Visit;
use crate::context::refusals::record_refusal;
use crate::error::FlowError;
use crate::interaction::account_selection::AccountSelection;
use crate::interaction::answered::{self, respond};
use crate::interaction::authentication_state::person;
use crate::interaction::open_interaction::{InteractionStorage, OpenInteraction};
use crate::interaction::prompt_none::answer_without_a_page;
use crate::interaction::requirements::requirements;
use crate::interaction::step_page::step_page;
use crate::interaction::target::Target;
use crate::protocol::authorization_response;
use crate::protocol::hybrid::SignedIn;
use crate::sessions::browser_sessions::active_sessions;
use crate::sessions::form_effect::{FormEffect, record_once};

pub(crate) use crate::interaction::persist_for_redirect::persist_for_redirect;
pub use crate::interaction::step::{AccountMismatch, Next, Step, StepPage};

/// Decides with the sessions in the browser's cookie.
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
    if let Some(before) = interaction.answered.as_ref().filter(|row| !answered::may_repeat(row, visit)) {
        return Ok(answered::repeat_response(visit, before, None));
    }
    let Some(target) = Target::of(visit.snapshot(), &interaction.state) else {
        return Ok(Next::ApplicationGone);
    };
    let client = target.client();
    if let Some(client) = client {
        visit.span.set_client(client.id());
    }
    let selection = AccountSelection::select(visit, &interaction, client.map(Arc::as_ref), live).await?;
    let selection = match selection.if_shown_by(visit.form) {
        Ok(selection) => selection,
        Err(account) => {
            return Ok(Next::AccountMismatch(Box::new(AccountMismatch { account: *account, interaction })));
        }
    };
    let requirements = requirements(visit, &interaction, &target, &selection).await?;
    let person = person(visit, &target, &selection, &requirements).await?;
    let step = next_step::decide(person, &requirements, visit.now);
    if let Some(response) = answer_without_a_page(visit, &target, &selection, &step).await? {
        let account = selection.account().map(|account| account.id);
        return respond(visit, &interaction, account, response.into()).await;
    }
    let step = match (step, selection) {
        (NextStep::Done, AccountSelection::SignedIn(live)) => {
            return reach_target(visit, &interaction, &target, live).await;
        }
        (step, selection) => step_page(visit, &interaction, &target, step, selection).await?,
    };
    let client = client.cloned();
    if let (Step::NotEntitled(account), Some(client)) = (&step, &client) {
        note_not_entitled(visit, &interaction, account, client).await?;
    }
    let interaction = match (&step, &client) {
        (Step::Consent { scope, person }, Some(client)) => {
            with_consent_question(visit, interaction, person, ConsentQuestion::of(client, scope.clone()))
        }
        _ => interaction,
    };
    Ok(Next::Page(Box::new(StepPage { step, client, interaction, not_persisted: false })))
}

const CONSENT_PAGE: &[u8] = b"consent page after a form";

/// While a consent page is open, another account may sign in at the browser, and the client may change. So the form of the page names
/// the account and the question that were shown. If the saved row has another question, the row stays as it is, because its own
/// page may still be open; this question goes into a new page.
fn with_consent_question(
    visit: &Visit,
    mut interaction: OpenInteraction,
    person: &ActiveSession,
    question: ConsentQuestion,
) -> OpenInteraction {
    interaction.state = interaction.state.asking_consent(person.account.id, question, visit.now);
    if matches!(interaction.storage, InteractionStorage::Row { .. }) && !interaction.is_persisted() {
        // A form that is sent twice leads to one page.
        let submitted = visit.sent_form.map(|form| form.submission_digest(visit, &[CONSENT_PAGE]));
        interaction.storage = InteractionStorage::Sealed { submitted };
    }
    interaction
}

/// The person has nothing more to do.
async fn reach_target(
    visit: &Visit,
    interaction: &OpenInteraction,
    target: &Target<'_>,
    live: Box<ActiveSession>,
) -> Result<Next, FlowError> {
    if let Some(before) = &interaction.answered {
        return Ok(answered::repeat_response(visit, before, Some(live.account.id)));
    }
    match target {
        Target::Dashboard | Target::ChangePassword => Ok(Next::Dashboard),
        Target::AuthenticatorApps => Ok(Next::AuthenticatorApps(live)),
        Target::Application { client, request } => {
            let agrees_to = interaction.consent.as_ref().and_then(|consent| consent.agrees_to());
            let person = SignedIn { live: &live, agrees_to };
            let response = authorization_response::respond(visit, client, request, person).await?;
            respond(visit, interaction, Some(live.account.id), response).await
        }
    }
}

/// Answers `access_denied`: the person has denied the consent, or the account is not entitled to use the application.
pub(crate) async fn deny(
    visit: &Visit,
    interaction: &OpenInteraction,
    account: AccountId,
) -> Result<Next, FlowError> {
    let snapshot = visit.snapshot();
    let Some(target) = Target::of(snapshot, &interaction.state) else {
        return Ok(Next::ApplicationGone);
    };
    let request = target.request().ok_or(FlowError::Inconsistent("a refusal of no request"))?;
    let (code, description) = (AuthorizationErrorCode::AccessDenied, "the person or the practice refused");
    let response = request.reply.error(&snapshot.issuer, code, description);
    respond(visit, interaction, Some(account), response.into()).await
}

/// The form that leads to the page, and the page's own address after it, are one refusal. So the request names the entry.
async fn note_not_entitled(
    visit: &Visit,
    interaction: &OpenInteraction,
    account: &Account,
    client: &Client,
) -> Result<(), FlowError> {
    let entry = visit.entry(Actor::Account(account.id), Event::AccessRefused).by_client(client.id());
    match interaction.state.request_id {
        Some(request) => {
            let act = [b"access refused".as_slice(), request.0.as_bytes(), account.id.0.as_bytes()];
            record_once(visit, entry, FormEffect::named(visit, &act)).await
        }
        None => record_refusal(visit, entry).await,
    }
}
