//! `POST /consent`: the person allows or denies an application what it asks for.
//!
//! A client that registered itself can change its registration while its consent page is open (RFC 7592 §2.2), and the
//! operator can change a configured one. The person agrees to what the page showed, so its form names the question
//! ([`ConsentQuestion`]). It must be the one that the page would ask now, and the client's row must still have the same revision in
//! the transaction that writes the consent. Otherwise nothing is written, and the page is shown as it is now.
//!
//! Allow and Deny may be submitted at the same time, and only one of them is answered. So the consent is written in the transaction
//! that answers the application ([`crate::interaction::answered`]).

use anteroom_domain::interaction::ConsentQuestion;
use std::sync::Arc;

use crate::context::active_session::ActiveSession;
use crate::context::call::Visit;
use crate::error::FlowError;
use crate::interaction::answered::repeat_response;
use crate::interaction::consent_decision_record::{ConsentDecision, ConsentDecisionRecord};
use crate::interaction::next::{Next, Step, StepPage, deny, persist_for_redirect, proceed, proceed_with};
use crate::interaction::open_interaction::{InteractionRef, OpenInteraction};
use crate::interaction::reopen::open;

#[derive(Debug)]
pub enum ConsentOutcome {
    Next(Next),
    /// The page again, because the client has changed since it was shown. Nothing was written.
    AskedAnew(Box<StepPage>),
    InteractionNotFound,
}

#[tracing::instrument(skip_all)]
pub async fn consent(
    visit: &Visit,
    interaction_ref: InteractionRef,
    decision: ConsentDecision,
) -> Result<ConsentOutcome, FlowError> {
    let opened = open(visit, &interaction_ref).await?;
    let Ok(interaction) = opened else { return Ok(ConsentOutcome::InteractionNotFound) };
    let (asked_of, shown) = (interaction.state.account, interaction.state.consent_question.clone());
    // The client or the signed-in account may have changed since the page was shown. So "Allow" counts only if the page would
    // ask the same account the same question now. "Deny" stores nothing and always counts.
    let answers = |page: &StepPage| {
        let Step::Consent { person, .. } = &page.step else { return false };
        let same_question = page.interaction.state.consent_question == shown;
        asked_of == Some(person.account.id) && (same_question || decision == ConsentDecision::Deny)
    };
    let page = match proceed(visit, interaction).await? {
        Next::Page(page) => page,
        elsewhere => return Ok(ConsentOutcome::Next(elsewhere)),
    };
    if !answers(&page) {
        return next_page(visit, Next::Page(page), shown).await;
    }
    let StepPage { step: Step::Consent { person, .. }, interaction, .. } = *page else {
        return Err(FlowError::Inconsistent("a consent without its page"));
    };
    // A form that is sent again gets the same answer again, for a short time. What was answered is not answered differently.
    if let Some(before) = &interaction.answered {
        return Ok(ConsentOutcome::Next(repeat_response(visit, before, Some(person.account.id))));
    }
    match respond(visit, interaction, *person, decision).await {
        Ok(next) => Ok(ConsentOutcome::Next(persist_for_redirect(visit, next).await?)),
        // The client was changed at another node, or by a request at the same time.
        Err(FlowError::ClientChanged) => {
            visit.refresh_clients().await?;
            let Ok(interaction) = open(visit, &interaction_ref).await? else {
                return Ok(ConsentOutcome::InteractionNotFound);
            };
            let next = proceed(visit, interaction).await?;
            next_page(visit, next, shown).await
        }
        Err(error) => Err(error),
    }
}

/// Answers the application. The unit that answers it writes the decision, too. If another page comes first, the decision is dropped
/// and will be asked for again.
async fn respond(
    visit: &Visit,
    mut interaction: OpenInteraction,
    person: ActiveSession,
    decision: ConsentDecision,
) -> Result<Next, FlowError> {
    let account = person.account.id;
    interaction.consent =
        Some(Arc::new(ConsentDecisionRecord::of(visit, &interaction.state, &person, decision)?));
    if decision == ConsentDecision::Deny {
        return deny(visit, &interaction, account).await;
    }
    interaction.state.consented_by = Some(account);
    let mut next = proceed_with(visit, interaction, vec![person]).await?;
    if let Next::Page(page) = &mut next {
        page.interaction.consent = None;
        page.interaction.state.consented_by = None;
    }
    Ok(next)
}

/// The next page for a form whose question would not be asked now. Forms of release 0.1.0 do not name the question of their page.
async fn next_page(
    visit: &Visit,
    next: Next,
    shown: Option<ConsentQuestion>,
) -> Result<ConsentOutcome, FlowError> {
    Ok(match persist_for_redirect(visit, next).await? {
        Next::Page(page) if matches!(page.step, Step::Consent { .. }) && shown.is_some() => {
            let is_anew = page.interaction.state.consent_question != shown;
            if is_anew { ConsentOutcome::AskedAnew(page) } else { ConsentOutcome::Next(Next::Page(page)) }
        }
        elsewhere => ConsentOutcome::Next(elsewhere),
    })
}
