//! One struct per page. Templates use the field names, so these are part of the theme's public interface.

mod accounts;
mod application;
mod consent;
mod dashboard;
mod error;
mod error_return;
mod factors;
mod form_post;
mod new_password;
mod outbox;
mod profile;
mod recovery;
mod redirect;
mod refusals;
mod registration;
mod sign_in;
mod sign_out;
mod verification;

use serde::Serialize;

pub use accounts::{AccountChoice, ChooseAccountPage};
pub use application::Application;
pub use consent::{ConsentPage, ConsentScope};
pub use dashboard::{DashboardPage, PasswordWarning, SignedInAccount, Tile};
pub use error::{ErrorKind, ErrorPage, NextLink, NextLinkKind};
pub use error_return::ErrorReturnPage;
pub use factors::{
    AuthenticatorAppItem, EnrolFactorPage, EnrolProblem, FactorsNotice, FactorsPage, FactorsProblem,
};
pub use form_post::{FormPostPage, HiddenField};
pub use new_password::{NewPasswordPage, NewPasswordProblem, NewPasswordReason, PasswordChangedPage};
pub use outbox::{OutboxChannel, OutboxMessage, OutboxPage};
pub use profile::{
    LanguageChoice, ProfileField, ProfileGroup, ProfileGroupName, ProfileInput, ProfilePage, ProfileProblem,
};
pub use recovery::{
    ForgotPasswordPage, ForgotPasswordProblem, RecoveryAskedProblem, RecoveryLinkPage, RecoveryRequestedPage,
};
pub use redirect::RedirectPage;
pub use refusals::{NotEntitledPage, PasswordExpiredPage};
pub use registration::{
    AddPhonePage, AddPhoneProblem, CompleteRegistrationPage, InvitationPage, PhoneKindChoice, PhoneOnFile,
    PhoneWays,
};
pub use sign_in::{SignInNotice, SignInPage, SignInProblem};
pub use sign_out::{SignOutPage, SignedOutPage};
pub use verification::{
    ChoiceChannel, DeliveryChoice, EnterCodeNotice, EnterCodePage, EnterCodeProblem, NoSecondFactorPage,
    VerifyIdentityPage, VerifyProblem, VerifyReason,
};

/// A page of the theme.
pub trait Page: Serialize + Sized {
    /// The template's file is `pages/TEMPLATE.hbs`.
    const TEMPLATE: &'static str;

    /// Whether the page can belong to a session, and then warns before the session ends.
    const IN_SESSION: bool = false;

    /// Together these show every variant of every enum, every list with an element, and every optional field once with
    /// a value. The first one is shown in the gallery.
    fn samples() -> Vec<Self>;
}

pub(crate) const SAMPLE_TOKEN: &str = "kG4b0d5mYV8o2n3bq0wXJ1ZrT7sPQeLfA6uHc9iDxyE";
