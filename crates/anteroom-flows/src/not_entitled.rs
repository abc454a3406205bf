//! "Back to the application" on the page that refuses someone: the application learns `access_denied`.

use anteroom_oidc::response::AuthorizationResponse;

use crate::error::FlowError;
use crate::journey::{Waiting, open};
use crate::onward::{Onward, Step, denied, parked, proceed};
use crate::provider::Provider;
use crate::visitor::Visitor;

#[derive(Debug)]
pub enum Refusal {
    Told(Box<AuthorizationResponse>),
    /// The person is not refused any more: wherever the journey stands now.
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
        Onward::Page(page) if matches!(page.step, Step::NotEntitled(_)) => {
            Ok(denied(provider, &page.carried)
                .map_or(Refusal::Gone, |response| Refusal::Told(Box::new(response))))
        }
        onward => Ok(Refusal::Overtaken(parked(provider, visitor, onward).await?)),
    }
}
