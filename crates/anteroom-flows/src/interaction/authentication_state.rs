//! The authentication state that `domain::next_step` decides on: what the person has proven, and what they could prove next.

use anteroom_domain::account::Account;
use anteroom_domain::ids::AccountId;
use anteroom_domain::interaction::{Destination, InteractionProof, ProofKind};
use anteroom_domain::next_step::{
    AuthenticationRequirements, AuthenticationState, PasswordStatus, Person, Recovering, Registering,
    StepUpReason,
};
use anteroom_domain::one_time_code::CodePurpose;
use anteroom_domain::phone::Phone;
use anteroom_oidc::{Acr, Prompt};

use crate::context::active_session::ActiveSession;
use crate::context::call::{Call, Visit};
use crate::error::FlowError;
use crate::interaction::account_selection::AccountSelection;
use crate::interaction::authenticator_apps::usable_apps;
use crate::interaction::open_interaction::OpenInteraction;
use crate::interaction::phones::{can_be_used, can_receive_codes, destinations, usable_phones};
use crate::interaction::target::Target;
use crate::interaction::verification_model::{
    Verification, VerifiedPerson, is_resumed, phones_for_code, sent, waiting_phone,
};

pub(crate) async fn person(
    visit: &Visit,
    target: &Target<'_>,
    selection: &AccountSelection<'_>,
    needs: &AuthenticationRequirements,
) -> Result<Person, FlowError> {
    match selection {
        AccountSelection::NoAccount => Ok(Person::NoAccount),
        AccountSelection::Several(_) => Ok(Person::Several),
        AccountSelection::SignedIn(live) => signed_in(visit, target, live, needs).await.map(Person::One),
        AccountSelection::Proven(account, proof) => proven(visit, account, proof).await,
    }
}

async fn signed_in(
    visit: &Visit,
    target: &Target<'_>,
    live: &ActiveSession,
    needs: &AuthenticationRequirements,
) -> Result<AuthenticationState, FlowError> {
    // Read only if the decision can depend on it.
    let asked = needs.min_acr > Some(Acr::Pwd) || needs.new_device_steps_up;
    let can_step_up = asked && can_step_up(visit, live.account.id).await?;
    let device = match live.session.device.filter(|_| needs.new_device_steps_up) {
        Some(device) => visit.store().device(device).await?,
        None => None,
    };
    Ok(AuthenticationState {
        status: live.account.status,
        auth_time: live.session.auth_time,
        acr: live.session.acr,
        password: PasswordStatus::Good,
        device_stepped_up: device.is_some_and(|device| device.passed_second_factor()),
        can_step_up,
        requires_reauthentication: requires_reauthentication(visit, target, live).await?,
    })
}

/// With `prompt=none` nothing is shown to the person at the browser, and a client that holds tokens of this session learns
/// nothing new. So its silent requests need no new proof.
async fn requires_reauthentication(
    visit: &Visit,
    target: &Target<'_>,
    live: &ActiveSession,
) -> Result<bool, FlowError> {
    let policy = visit.snapshot().policy.session;
    if !live.session.requires_reauthentication(policy, visit.now) {
        return Ok(false);
    }
    match target.request().filter(|request| request.ask.prompt.contains(Prompt::None)) {
        Some(request) => {
            let participants = visit.store().clients_of_sessions(&[live.session.id]).await?;
            Ok(participants.iter().all(|one| one.client != request.ask.client_id))
        }
        None => Ok(true),
    }
}

/// Whether a phone or an authenticator app of the account can be used now.
pub(crate) async fn can_step_up(call: &Call, account: AccountId) -> Result<bool, FlowError> {
    Ok(!usable_phones(call, account).await?.is_empty() || !usable_apps(call, account).await?.is_empty())
}

async fn proven(visit: &Visit, account: &Account, proof: &InteractionProof) -> Result<Person, FlowError> {
    let phones = visit.store().phones_of(account.id).await?;
    let can_verify = phones.iter().any(|phone| can_be_used(visit, phone));
    let code_entered = proof.factor.is_some();
    Ok(match &proof.kind {
        ProofKind::Recovery { .. } => Person::Recovering(Recovering { code_entered, can_verify }),
        ProofKind::Invitation { phone, phones_done, .. } => Person::Registering(Registering {
            code_entered,
            can_verify: phones.iter().any(|phone| is_verified_and_usable(visit, phone)),
            phone_waits: waiting_phone(&phones, *phone)
                .is_some_and(|phone| can_receive_codes(visit, phone.kind)),
            can_be_reached: !visit.methods().is_empty(),
            has_verified_phone: phones.iter().any(|phone| phone.verified_at.is_some()),
            phones_done: *phones_done,
        }),
        ProofKind::ExpiredPassword { acknowledged } => Person::One(AuthenticationState {
            status: account.status,
            auth_time: proof.at,
            acr: Acr::Pwd,
            password: PasswordStatus::Expired { told: *acknowledged, code_entered },
            device_stepped_up: false,
            can_step_up: can_verify,
            requires_reauthentication: false,
        }),
    })
}

/// A number that was entered and not verified does not show who the person is.
fn is_verified_and_usable(call: &Call, phone: &Phone) -> bool {
    phone.verified_at.is_some() && can_be_used(call, phone)
}

/// What "Verify your identity" shows to this person.
pub(crate) async fn verification(
    visit: &Visit,
    interaction: &OpenInteraction,
    selection: AccountSelection<'_>,
    purpose: CodePurpose,
    step_up: Option<StepUpReason>,
) -> Result<Verification, FlowError> {
    let (person, proof, device) = match selection {
        AccountSelection::SignedIn(live) => {
            let device = live.session.device;
            (VerifiedPerson::SignedIn(live), None, device)
        }
        AccountSelection::Proven(account, proof) => {
            (VerifiedPerson::Proven(account), Some(proof), proof.device)
        }
        AccountSelection::NoAccount | AccountSelection::Several(_) => {
            return Err(FlowError::Inconsistent("a code without an account"));
        }
    };
    let account = person.account();
    let phones = visit.store().phones_of(account.id).await?;
    let registering = proof.filter(|_| purpose == CodePurpose::Registration);
    let resumed = registering.is_some_and(|proof| is_resumed(proof, &phones));
    let destinations = destinations(visit, phones_for_code(proof, &phones, visit.now));
    let sent = sent(visit, interaction, account, purpose, device, &destinations).await?;
    let apps = match purpose {
        CodePurpose::StepUp => usable_apps(visit, account.id).await?,
        // A code from an app does not allow a new password: that takes a phone of the account.
        CodePurpose::Recovery | CodePurpose::ExpiredPassword | CodePurpose::Registration => Vec::new(),
    };
    let new_device = step_up == Some(StepUpReason::NewDevice);
    let changes_authenticators = matches!(interaction.state.destination, Destination::AuthenticatorApps);
    Ok(Verification {
        purpose,
        new_device,
        changes_authenticators,
        resumed,
        person,
        device,
        destinations,
        apps,
        sent,
    })
}
