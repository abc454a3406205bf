//! The one decision: what must the person do next?
//!
//! A pure function of who is there, what the request needs and `now`. Every page, redirect and prompt=none error follows
//! from its answer; no page decides anything. The order of the checks in [`decide`] is the order in which people meet
//! them: who are you, may you come in, is your password still good, is that proof enough, do you agree.
//!
//! A person who followed a mail (a reset, an invitation) is on the way to a new password and nowhere else until it is set.

use crate::account::AccountStatus;
use crate::one_time_code::CodePurpose;
use anteroom_oidc::errors::AuthorizationErrorCode;
use anteroom_oidc::{Acr, ScopeSet};
use jiff::{SignedDuration, Timestamp};

pub use crate::new_password::NewPasswordReason;

/// The authentication state of the browser: no account, several, one, or an account that followed a mailed link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Person {
    NoAccount,
    /// Several accounts are signed in in this browser and none was chosen.
    Several,
    One(AuthenticationState),
    /// Followed the mail of a reset.
    Recovering(Recovering),
    /// Followed an invitation.
    Registering(Registering),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recovering {
    pub code_entered: bool,
    /// A phone on file may be used now.
    pub can_verify: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Registering {
    /// A code was entered on this way: what was verified in another browser proves nothing here.
    pub code_entered: bool,
    /// A phone that was verified before takes a code.
    pub can_verify: bool,
    /// A phone was named and waits for its code.
    pub phone_waits: bool,
    /// Codes are sent to some kind of phone.
    pub can_be_reached: bool,
    pub has_verified_phone: bool,
    /// The person has said that there is no further phone.
    pub phones_done: bool,
}

/// Whether the password that was just verified has expired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordStatus {
    /// Also that of a session which is already running: it is not interrupted.
    Good,
    Expired {
        /// The person has read so and goes on.
        told: bool,
        code_entered: bool,
    },
}

/// What is known of the one person, from a live session or from a proof inside the interaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuthenticationState {
    pub status: AccountStatus,
    pub auth_time: Timestamp,
    pub acr: Acr,
    pub password: PasswordStatus,
    /// This browser's device has passed a second factor for this account before.
    pub device_stepped_up: bool,
    /// A second factor is at hand: a phone or an authenticator app that may be used now.
    pub can_step_up: bool,
    /// [`crate::session::Session::requires_reauthentication`]: another account has been the current one of this browser meanwhile.
    pub requires_reauthentication: bool,
}

/// What the destination asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthenticationRequirements {
    /// When the interaction began, or its person was picked from those who were signed in already.
    pub began_at: Timestamp,
    /// The account was signed in to, or picked, on the way of the interaction. A person can have signed in since it began for
    /// something else, without knowing of it.
    pub signed_in_for_request: bool,
    /// `prompt=login`.
    pub login: bool,
    /// `prompt=select_account`, not answered yet.
    pub choose_account: bool,
    /// `max_age`, of the request or the client's default.
    pub max_age: Option<SignedDuration>,
    /// The account that must be signed in: `id_token_hint`, or `sub` asked for in `claims`, names another one.
    pub requires_other_subject: bool,
    /// The least that must have been proven: by client, policy or an essential `acr`.
    pub min_acr: Option<Acr>,
    /// New devices must pass a second factor once.
    pub new_device_steps_up: bool,
    /// The person wants a new password.
    pub new_password: bool,
    /// The application does not admit the person.
    pub entitlement_missing: bool,
    /// Scopes that the person has not agreed to.
    pub consent: Option<ScopeSet>,
}

impl AuthenticationRequirements {
    /// The dashboard asks for nothing but a person.
    pub const fn signed_in_only(began_at: Timestamp) -> Self {
        Self {
            began_at,
            signed_in_for_request: false,
            login: false,
            choose_account: false,
            max_age: None,
            requires_other_subject: false,
            min_acr: None,
            new_device_steps_up: false,
            new_password: false,
            entitlement_missing: false,
            consent: None,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NextStep {
    SignIn(SignInReason),
    ChooseAccount,
    /// The person signed in for this request with another `sub` than the client requires: no page can resolve that, so
    /// the client gets an error (`login_required`).
    NotTheRequiredSub,
    /// Not fully registered, and not here by an invitation.
    CompleteRegistration,
    NotEntitled,
    /// The page that tells the person that the password has expired.
    PasswordExpired,
    /// A code, for one of the purposes.
    Verify(CodePurpose),
    StepUp(StepUpReason),
    /// A code is needed and there is no phone, or no factor, that could take one.
    NoSecondFactor(CodePurpose),
    AddPhones,
    NewPassword(NewPasswordReason),
    Consent(ScopeSet),
    Done,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignInReason {
    NotSignedIn,
    LoginRequested,
    MaxAgeExceeded,
    OtherAccount,
    AccountInactive,
    /// Signed in at this browser, where another account has been the current one since.
    SessionNotCurrent,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepUpReason {
    Required,
    NewDevice,
}

pub fn decide(person: Person, needs: &AuthenticationRequirements, now: Timestamp) -> NextStep {
    let state = match person {
        Person::NoAccount => return NextStep::SignIn(SignInReason::NotSignedIn),
        Person::Several => return NextStep::ChooseAccount,
        Person::Recovering(recovering) => return recover(recovering),
        Person::Registering(registering) => return register(registering),
        Person::One(standing) => standing,
    };
    match state.status {
        AccountStatus::Disabled => return NextStep::SignIn(SignInReason::AccountInactive),
        AccountStatus::Invited => return NextStep::CompleteRegistration,
        AccountStatus::Active => {}
    }
    if needs.choose_account {
        return NextStep::ChooseAccount;
    }
    if needs.requires_other_subject {
        return if state.signed_in_for(needs) {
            NextStep::NotTheRequiredSub
        } else {
            NextStep::SignIn(SignInReason::OtherAccount)
        };
    }
    if state.requires_reauthentication {
        return NextStep::SignIn(SignInReason::SessionNotCurrent);
    }
    if let Some(reason) = must_sign_in_again(state, needs, now) {
        return NextStep::SignIn(reason);
    }
    if needs.entitlement_missing {
        return NextStep::NotEntitled;
    }
    if let PasswordStatus::Expired { told, code_entered } = state.password {
        return renew_expired(told, code_entered, state.can_step_up);
    }
    if let Some(reason) = must_step_up(state, needs) {
        let none = NextStep::NoSecondFactor(CodePurpose::StepUp);
        return if state.can_step_up { NextStep::StepUp(reason) } else { none };
    }
    if needs.new_password {
        return NextStep::NewPassword(NewPasswordReason::Chosen);
    }
    match &needs.consent {
        Some(scopes) => NextStep::Consent(scopes.clone()),
        None => NextStep::Done,
    }
}

fn recover(recovering: Recovering) -> NextStep {
    match recovering {
        Recovering { code_entered: true, .. } => NextStep::NewPassword(NewPasswordReason::Recovery),
        Recovering { can_verify: true, .. } => NextStep::Verify(CodePurpose::Recovery),
        Recovering { .. } => NextStep::NoSecondFactor(CodePurpose::Recovery),
    }
}

fn register(registering: Registering) -> NextStep {
    match registering {
        Registering { has_verified_phone: true, code_entered: false, can_verify: true, .. } => {
            NextStep::Verify(CodePurpose::Registration)
        }
        Registering { has_verified_phone: true, code_entered: false, .. } => {
            NextStep::NoSecondFactor(CodePurpose::Registration)
        }
        Registering { phone_waits: true, .. } => NextStep::Verify(CodePurpose::Registration),
        Registering { has_verified_phone: true, phones_done: true, .. } => {
            NextStep::NewPassword(NewPasswordReason::Registration)
        }
        Registering { can_be_reached: false, .. } => NextStep::NoSecondFactor(CodePurpose::Registration),
        Registering { .. } => NextStep::AddPhones,
    }
}

fn renew_expired(told: bool, code_entered: bool, can_verify: bool) -> NextStep {
    match (told, code_entered, can_verify) {
        (_, true, _) => NextStep::NewPassword(NewPasswordReason::Expired),
        (false, ..) => NextStep::PasswordExpired,
        (true, false, true) => NextStep::Verify(CodePurpose::ExpiredPassword),
        (true, false, false) => NextStep::NoSecondFactor(CodePurpose::ExpiredPassword),
    }
}

/// A sign-in made for the request still counts as fresh while the person completes the remaining pages.
const SIGN_IN_FRESHNESS: SignedDuration = SignedDuration::from_mins(10);

impl AuthenticationState {
    fn signed_in_for(&self, needs: &AuthenticationRequirements) -> bool {
        needs.signed_in_for_request && self.auth_time >= needs.began_at
    }
}

/// OpenID Connect Core §3.1.2.1, `prompt` and `max_age`.
fn must_sign_in_again(
    standing: AuthenticationState,
    needs: &AuthenticationRequirements,
    now: Timestamp,
) -> Option<SignInReason> {
    let for_this = standing.signed_in_for(needs);
    // In whole seconds, as `auth_time` is on the wire; 0 is `prompt=login`, also within the second of the sign-in.
    let age = now.as_second() - standing.auth_time.as_second();
    if needs.login && !(for_this && age <= SIGN_IN_FRESHNESS.as_secs()) {
        return Some(SignInReason::LoginRequested);
    }
    let max_age = needs.max_age.map(|max| if for_this { max.max(SIGN_IN_FRESHNESS) } else { max })?;
    (max_age.is_zero() || age > max_age.as_secs()).then_some(SignInReason::MaxAgeExceeded)
}

fn must_step_up(standing: AuthenticationState, needs: &AuthenticationRequirements) -> Option<StepUpReason> {
    if needs.min_acr.is_some_and(|min| standing.acr < min) {
        return Some(StepUpReason::Required);
    }
    let new_device = needs.new_device_steps_up && !standing.device_stepped_up && standing.acr < Acr::Mfa;
    new_device.then_some(StepUpReason::NewDevice)
}

/// Whether the client may learn details from a `prompt=none` error: it is first-party, or the account has consented to
/// it before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PriorConsent {
    Given,
    Never,
}

impl NextStep {
    /// What `prompt=none` answers where a page would have been shown (OpenID Connect Core §3.1.2.6). Error codes would
    /// tell a client how an account stands, when the person signed in, or whether a guessed `sub` is right. So a client
    /// without any earlier consent gets only `login_required` and `consent_required`.
    pub fn prompt_none_error(&self, consent: PriorConsent) -> Option<AuthorizationErrorCode> {
        match self {
            Self::Done => None,
            Self::SignIn(SignInReason::NotSignedIn | SignInReason::AccountInactive)
            | Self::NotTheRequiredSub => Some(AuthorizationErrorCode::LoginRequired),
            _ if consent == PriorConsent::Never => Some(AuthorizationErrorCode::ConsentRequired),
            Self::SignIn(_) => Some(AuthorizationErrorCode::LoginRequired),
            Self::ChooseAccount => Some(AuthorizationErrorCode::AccountSelectionRequired),
            Self::Consent(_) => Some(AuthorizationErrorCode::ConsentRequired),
            Self::NotEntitled => Some(AuthorizationErrorCode::AccessDenied),
            Self::CompleteRegistration
            | Self::PasswordExpired
            | Self::Verify(_)
            | Self::StepUp(_)
            | Self::NoSecondFactor(_)
            | Self::AddPhones
            | Self::NewPassword(_) => Some(AuthorizationErrorCode::InteractionRequired),
        }
    }
}

#[cfg(test)]
mod tests;
