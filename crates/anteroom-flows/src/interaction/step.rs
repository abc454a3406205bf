//! What a step of the one decision leads to: a page, the application, the dashboard. `onward.rs` says which.

use anteroom_domain::account::Account;
use anteroom_domain::client::Client;
use anteroom_domain::next_step::{NewPasswordReason, SignInReason};
use anteroom_domain::one_time_code::CodePurpose;
use anteroom_domain::phone::Phone;
use anteroom_domain::session::Session;
use anteroom_oidc::ScopeSet;
use anteroom_oidc::response::AuthorizationResponse;
use jiff::Timestamp;
use std::sync::Arc;

use crate::context::call::FormOwner;
use crate::context::live::ActiveSession;
use crate::interaction::open_interaction::OpenInteraction;
use crate::interaction::phones::NoPhone;
use crate::interaction::verification_model::Verification;

/// What the web shows or where it sends the browser.
#[derive(Debug)]
pub enum Next {
    /// One of the journey's pages.
    Page(Box<StepPage>),
    /// Back to the application, with a code or an error.
    Application(Box<AuthorizationResponse>),
    Dashboard,
    /// To the apps of the person who is signed in.
    AuthenticatorApps(Box<ActiveSession>),
    /// The application that waited is no longer configured.
    ApplicationGone,
    /// The application was answered before, and is not answered again.
    AnsweredBefore(Box<AlreadyFinished>),
    /// The form is of a page that showed another person, or another session: nothing was done with it.
    AccountMismatch(Box<AnotherPerson>),
}

/// A request that was answered before.
#[derive(Debug)]
pub struct AlreadyFinished {
    pub client: Option<Arc<Client>>,
    /// The answer, where a form that was sent again may get it again.
    pub repeat: Option<Box<AuthorizationResponse>>,
}

/// Whom the step would be about now, and what carries it on for them.
#[derive(Debug)]
pub struct AnotherPerson {
    pub account: Account,
    pub interaction: OpenInteraction,
}

/// A page of the journey, with what carries the journey on.
#[derive(Debug)]
pub struct StepPage {
    pub step: Step,
    pub client: Option<Arc<Client>>,
    pub interaction: OpenInteraction,
    /// A row was refused, so no address leads here: the page itself answers the form.
    pub not_persisted: bool,
}

#[derive(Debug)]
pub enum Step {
    SignIn {
        reason: SignInReason,
        email: String,
    },
    ChooseAccount(Vec<ActiveSession>),
    Consent {
        scope: ScopeSet,
        person: Box<ActiveSession>,
    },
    NotEntitled(Box<Account>),
    ExpiredPassword {
        account: Box<Account>,
        set_at: Timestamp,
    },
    CompleteRegistration,
    Verify(Box<Verification>),
    NoSecondFactor {
        purpose: CodePurpose,
        why: NoPhone,
    },
    AddPhones {
        account: Box<Account>,
        phones: Vec<Phone>,
    },
    /// `session`: of a person who is signed in.
    NewPassword {
        reason: NewPasswordReason,
        account: Box<Account>,
        session: Option<Box<Session>>,
    },
}

impl StepPage {
    /// Whom the page shows: its forms act for them alone.
    pub fn owner(&self) -> FormOwner {
        match &self.step {
            Step::SignIn { .. }
            | Step::ChooseAccount(_)
            | Step::CompleteRegistration
            | Step::NoSecondFactor { .. } => FormOwner::default(),
            Step::Consent { person, .. } => FormOwner::of(person),
            Step::NotEntitled(account)
            | Step::ExpiredPassword { account, .. }
            | Step::AddPhones { account, .. } => FormOwner::of_account(account.id),
            Step::Verify(verification) => match &verification.live {
                Some(live) => FormOwner::of(live),
                None => FormOwner::of_account(verification.account.id),
            },
            Step::NewPassword { account, session, .. } => {
                FormOwner { session: session.as_ref().map(|session| session.id), account: Some(account.id) }
            }
        }
    }
}
