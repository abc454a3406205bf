//! `POST /consent`: the person agrees that an application learns what it asks for, or does not.
//!
//! A client that registered itself can change its registration while its consent page is open (RFC 7592 §2.2), and the
//! operator can change a configured one. What is agreed to is what the page showed: its form carries the question
//! ([`ConsentQuestion`]), which must be the one that the page would ask now, and the client's row must still say so in the
//! transaction that keeps the consent. Otherwise nothing is kept, and the page is shown as it is now.
//!
//! That transaction is the one that answers the application ([`crate::interaction::answered`]): of two answers at one instant one wins, and a
//! consent whose answer was a denial would stay.

use anteroom_domain::interaction::ConsentQuestion;
use std::sync::Arc;

use crate::context::call::Visit;
use crate::context::live::ActiveSession;
use crate::error::FlowError;
use crate::interaction::answered::repeat_response;
use crate::interaction::consent_answer::{ConsentAnswer, ConsentDecision};
use crate::interaction::next::{Next, Step, StepPage, deny, persist_for_redirect, proceed, proceed_with};
use crate::interaction::open_interaction::{InteractionRef, OpenInteraction};
use crate::interaction::reopen::open;

#[derive(Debug)]
pub enum ConsentOutcome {
    Next(Next),
    /// The page again, for the application has changed since it was shown: nothing was kept.
    AskedAnew(Box<StepPage>),
    Gone,
}

#[tracing::instrument(skip_all)]
pub async fn consent(
    visit: &Visit,
    interaction_ref: InteractionRef,
    decision: ConsentDecision,
) -> Result<ConsentOutcome, FlowError> {
    let Ok(interaction) = open(visit, interaction_ref).await? else { return Ok(ConsentOutcome::Gone) };
    let (asked_of, shown) = (interaction.state.account, interaction.state.consent_question.clone());
    // The client or the signed-in account may have changed since the page was shown. So "Allow" counts only if the page would
    // ask the same account the same question now. "Deny" stores nothing and always counts.
    let answers = |page: &StepPage, person: &ActiveSession| {
        let same_question = page.interaction.state.consent_question == shown;
        asked_of == Some(person.account.id) && (same_question || decision == ConsentDecision::Deny)
    };
    let page = match proceed(visit, interaction).await? {
        Next::Page(page) => page,
        elsewhere => return Ok(ConsentOutcome::Next(elsewhere)),
    };
    let person = match &page.step {
        Step::Consent { person, .. } if answers(&page, person) => person.clone(),
        _ => return instead(visit, (Next::Page(page), shown)).await,
    };
    let interaction = page.interaction;
    // For a moment an answer is given again to a form that is sent again. What was answered is not answered differently.
    if let Some(before) = &interaction.answered {
        return Ok(ConsentOutcome::Next(repeat_response(visit, before, Some(person.account.id))));
    }
    match answer(visit, (&interaction, &person), decision).await {
        Ok(next) => Ok(ConsentOutcome::Next(persist_for_redirect(visit, next).await?)),
        // Another node, or a request of this moment, has changed the client.
        Err(FlowError::ClientChanged) => {
            visit.refresh_clients().await?;
            let next = proceed_with(visit, interaction, vec![*person]).await?;
            instead(visit, (next, shown)).await
        }
        Err(error) => Err(error),
    }
}

/// The application is answered, and what the person decided is written in the unit that does. Where another page comes first,
/// nothing was decided yet.
async fn answer(
    visit: &Visit,
    (interaction, person): (&OpenInteraction, &ActiveSession),
    decision: ConsentDecision,
) -> Result<Next, FlowError> {
    let mut answering = interaction.clone();
    answering.consent = Some(Arc::new(ConsentAnswer::of(visit, (&interaction.state, person), decision)?));
    if decision == ConsentDecision::Deny {
        return deny(visit, &answering, person.account.id).await;
    }
    answering.state.consented_by = Some(person.account.id);
    let mut next = proceed_with(visit, answering, vec![person.clone()]).await?;
    if let Next::Page(page) = &mut next {
        page.interaction.consent = None;
        page.interaction.state.consented_by = None;
    }
    Ok(next)
}

/// Next page for a form whose question is not asked any more. Forms of release 0.1.0 say nothing of what their page asked.
async fn instead(
    visit: &Visit,
    (next, shown): (Next, Option<ConsentQuestion>),
) -> Result<ConsentOutcome, FlowError> {
    Ok(match persist_for_redirect(visit, next).await? {
        Next::Page(page) if matches!(page.step, Step::Consent { .. }) && shown.is_some() => {
            let is_anew = page.interaction.state.consent_question != shown;
            if is_anew { ConsentOutcome::AskedAnew(page) } else { ConsentOutcome::Next(Next::Page(page)) }
        }
        elsewhere => ConsentOutcome::Next(elsewhere),
    })
}
