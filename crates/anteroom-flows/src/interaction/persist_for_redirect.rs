//! Stores the interaction of the next page in a row, so that a form can be answered with a redirect.

use anteroom_domain::limits::{Limit, RateLimitCheck};
use anteroom_storage::{CountedForm, RateLimitResult, Tx, Unit};
use jiff::Timestamp;

use crate::audit::counters::AuditCounter;
use crate::context::call::Visit;
use crate::context::limits::{counted_form, of_address};
use crate::error::FlowError;
use crate::interaction::open_interaction::{NewInteraction, OpenInteraction, SavedRow};
use crate::interaction::step::{Next, Step, StepPage};
use crate::sessions::browser_sessions::active_sessions;

/// The response to a form is a redirect to the next page, so that refresh and Back work, and the address of that page names a row.
/// If callers without an account have used up the rows of their network, no row is written, and the page itself is the response.
pub(crate) async fn persist_for_redirect(visit: &Visit, next: Next) -> Result<Next, FlowError> {
    let Next::Page(page) = next else { return Ok(next) };
    if page.interaction.is_persisted() || has_nothing_to_persist(&page) {
        return Ok(Next::Page(page));
    }
    let StepPage { step, client, interaction, .. } = *page;
    // The form of a signed-in account was counted for that account.
    let is_anonymous = is_unauthenticated(&interaction) && active_sessions(visit).await?.is_empty();
    let checks = if is_anonymous { of_address(visit, Limit::InteractionRows) } else { Vec::new() };
    let new_interaction = NewInteraction::prepare(visit, &interaction);
    let form = counted_form(visit, Limit::InteractionRows);
    let unit =
        PersistForRedirect { interaction, new_interaction, form, checks: vec![checks], now: visit.now };
    let (PersistForRedirect { interaction, .. }, saved) = visit.store().run(unit).await;
    let interaction = interaction.saved_if(saved?);
    let not_persisted = interaction.row().is_none();
    if not_persisted {
        visit.provider().counters.count(AuditCounter::RateLimited(Limit::InteractionRows.name()));
    }
    Ok(Next::Page(Box::new(StepPage { step, client, interaction, not_persisted })))
}

struct PersistForRedirect {
    interaction: OpenInteraction,
    new_interaction: NewInteraction,
    form: Option<CountedForm>,
    checks: Vec<Vec<RateLimitCheck>>,
    now: Timestamp,
}

impl Unit for PersistForRedirect {
    /// `None`: the limit was reached.
    type Output = Option<SavedRow>;
    type Error = FlowError;

    const NAME: &'static str = "persist_for_redirect";

    async fn run(&self, tx: &Tx) -> Result<Option<SavedRow>, FlowError> {
        match tx.spend_for_form(self.form, &self.checks, self.now).await? {
            RateLimitResult::Counted => {
                let interaction = &self.interaction;
                interaction.save(tx, &self.new_interaction, interaction.proof()).await.map(Some)
            }
            RateLimitResult::Refused { .. } => Ok(None),
        }
    }
}

/// A sign-in page without an authorization request has nothing that a row would have to hold.
fn has_nothing_to_persist(page: &StepPage) -> bool {
    let interaction = &page.interaction;
    matches!(page.step, Step::SignIn { .. })
        && interaction.state.request().is_none()
        && interaction.row().is_none()
}

/// Whether nothing was proven and no account was chosen in this interaction.
fn is_unauthenticated(interaction: &OpenInteraction) -> bool {
    interaction.row().is_none() && interaction.state.is_unauthenticated()
}
