//! The results of a step: a page, an answer to the application, or the dashboard. `next.rs` chooses among them.

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

use crate::context::active_session::ActiveSession;
use crate::context::call::FormOwner;
use crate::interaction::open_interaction::OpenInteraction;
use crate::interaction::phones::NoPhone;
use crate::interaction::verification_model::Verification;

/// What the web shows or where it sends the browser.
#[derive(Debug)]
pub enum Next {
    /// A page of the interaction.
    Page(Box<StepPage>),
    /// Back to the application, with a code or an error.
    Application(Box<AuthorizationResponse>),
    Dashboard,
    /// The page with the authenticator apps of the person who is signed in.
    AuthenticatorApps(Box<ActiveSession>),
    /// The client is not registered any more, or not for such a request.
    ApplicationGone,
    /// The application was answered before. It gets no second answer; a repeated form may get the first one again.
    AnsweredBefore(Box<AnsweredBefore>),
    /// The page of the form showed another account or session than the present one, so the form was not processed.
    AccountMismatch(Box<AccountMismatch>),
}

/// A request that was answered before.
#[derive(Debug)]
pub struct AnsweredBefore {
    pub client: Option<Arc<Client>>,
    /// The answer, if the form may get it again.
    pub repeat: Option<Box<AuthorizationResponse>>,
}

/// The account that is selected now, and the interaction to continue with.
#[derive(Debug)]
pub struct AccountMismatch {
    pub account: Account,
    pub interaction: OpenInteraction,
}

/// A page of the interaction, with the interaction that its form continues.
#[derive(Debug)]
pub struct StepPage {
    pub step: Step,
    pub client: Option<Arc<Client>>,
    pub interaction: OpenInteraction,
    /// No row was written, so that no address opens the interaction: the page is the response to the form, without a redirect.
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
    /// `session`: that of the account, if it is signed in.
    NewPassword {
        reason: NewPasswordReason,
        account: Box<Account>,
        session: Option<Box<Session>>,
    },
}

impl StepPage {
    /// The account and session that the page shows. Its forms act for no other.
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
            Step::Verify(verification) => match verification.active_session() {
                Some(live) => FormOwner::of(live),
                None => FormOwner::of_account(verification.account().id),
            },
            Step::NewPassword { account, session, .. } => {
                FormOwner { session: session.as_ref().map(|session| session.id), account: Some(account.id) }
            }
        }
    }
}
