//! The page for a step that `domain::next_step` has decided on.

use anteroom_domain::next_step::{NextStep, SignInReason};
use anteroom_domain::one_time_code::CodePurpose;
use anteroom_domain::phone::Phone;

use crate::context::call::Visit;
use crate::error::FlowError;
use crate::interaction::account_selection::AccountSelection;
use crate::interaction::authentication_state::verification;
use crate::interaction::open_interaction::OpenInteraction;
use crate::interaction::phones::NoPhone;
use crate::interaction::step::Step;
use crate::interaction::target::Target;

pub(crate) async fn step_page(
    visit: &Visit,
    interaction: &OpenInteraction,
    target: &Target<'_>,
    step: NextStep,
    selection: AccountSelection<'_>,
) -> Result<Step, FlowError> {
    Ok(match (step, selection) {
        (NextStep::ChooseAccount, selection) => Step::ChooseAccount(selection.into_choices()),
        (NextStep::Consent(scope), AccountSelection::SignedIn(person)) => Step::Consent { scope, person },
        (NextStep::NotEntitled, AccountSelection::SignedIn(live)) => {
            Step::NotEntitled(Box::new(live.account))
        }
        (NextStep::NotEntitled, AccountSelection::Proven(account, _)) => Step::NotEntitled(account),
        (NextStep::PasswordExpired, AccountSelection::Proven(account, _)) => {
            let facts = visit.store().password_facts(account.id).await?;
            let set_at = facts.ok_or(FlowError::Inconsistent("a proven password without its row"))?.set_at;
            Step::ExpiredPassword { account, set_at }
        }
        (NextStep::CompleteRegistration, _) => Step::CompleteRegistration,
        (NextStep::Verify(purpose), selection) => {
            Step::Verify(Box::new(verification(visit, interaction, selection, purpose, None).await?))
        }
        (NextStep::StepUp(reason), selection) => {
            let (purpose, reason) = (CodePurpose::StepUp, Some(reason));
            Step::Verify(Box::new(verification(visit, interaction, selection, purpose, reason).await?))
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
            Step::SignIn { reason, email: email(interaction, target, reason, &selection) }
        }
        // A proof without a session never finishes an interaction, so the person signs in.
        (_, selection) => {
            let email =
                selection.account().map(|account| account.primary_address.to_string()).unwrap_or_default();
            Step::SignIn { reason: SignInReason::NotSignedIn, email }
        }
    })
}

/// The address in the form of the sign-in page.
fn email(
    interaction: &OpenInteraction,
    target: &Target<'_>,
    reason: SignInReason,
    selection: &AccountSelection<'_>,
) -> String {
    let known = selection.account().filter(|_| reason != SignInReason::OtherAccount);
    let chosen = known.filter(|account| interaction.state.account == Some(account.id));
    let [chosen, known] = [chosen, known].map(|account| account.map(|it| it.primary_address.as_str()));
    let recovered = interaction.state.recovery.as_ref().map(|note| note.address.as_str());
    // `login_hint` may name another account than the one that is signed in here. Wrong passwords of the person it names would be
    // counted for, and could lock, the account whose address the form has. So the hint comes before the account that is signed in.
    let hinted = target.request().and_then(|request| request.ask.login_hint.as_deref());
    recovered.or(chosen).or(hinted).or(known).unwrap_or_default().to_owned()
}

/// The page says that no code can be sent, which only the operator can change. So the log names it, too.
fn no_phone(visit: &Visit, phones: &[Phone]) -> NoPhone {
    let why = NoPhone::of(visit, phones, visit.now);
    if why == NoPhone::NoMethod {
        tracing::warn!(
            reference = %visit.reference,
            "an account cannot be verified: [text] and [voice] as configured send no code to any of its phones"
        );
    }
    why
}
