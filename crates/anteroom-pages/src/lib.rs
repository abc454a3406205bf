//! Themes: what people see, in their language.
//!
//! ```text
//!   view struct ──serde──▶ JSON ─┐
//!   Chrome ────────────────serde─┼─▶ Handlebars (strict) ─▶ HTML
//!   Fluent texts (en, es) ──{{t}}┘
//! ```
//!
//! One typed view per page ([`Sealed`]), email ([`EmailView`]), text message or call, each with samples that show every shape it can take.
//! [`ThemeSettings::load`] holds an operator's templates and texts against those samples, so that a theme which loads can render:
//! a variable, text, helper or file that does not exist is found at start (and by `anteroom theme check`), not by the
//! person in front of the page. The default theme is held against them by a test.
//!
//! Invariants:
//! - Nothing of the domain is known here: views carry plain strings, booleans and enums of this crate.
//! - No field of a view is ever skipped when it is serialised; an absent value is `null`.
//! - Everything is escaped: unescaped expressions are refused at load, and texts carry no markup.
//! - Pages ask for nothing but their own origin's style sheet, scripts and images, and have neither inline scripts
//!   nor inline styles.

mod assets;
mod check;
mod chrome;
mod emails;
mod error;
mod files;
mod helpers;
mod locale;
mod phone;
mod templates;
mod texts;
mod theme;
mod views;
mod when;

pub use assets::Asset;
pub use chrome::{PageLayout, SessionClock, SignedInAs, SupportContact};
pub use emails::{
    AccountLockedEmail, AuthenticatorAppEmail, Email, EmailView, InvitationEmail, PasswordChangedEmail,
    PasswordExpiresEmail, PhoneAddedEmail, RecoveryEmail, RegistrationCompletedEmail, TokensElsewhereEmail,
};
pub use error::{Fault, MissingElement, RenderError, TemplatePosition, ThemeError, ThemeWarning};
pub use locale::{Language, Locale, accepted, negotiate};
pub use phone::{CallScript, CodeCall, CodeText, PhoneAddedText};
pub use theme::Theme;
pub use views::{
    AccountChoice, AddPhonePage, AddPhoneProblem, Application, AuthenticatorAppItem, ChoiceChannel,
    ChooseAccountPage, CompleteRegistrationPage, ConsentPage, ConsentScope, DashboardPage, DeliveryChoice,
    EnrolFactorPage, EnrolProblem, EnterCodeNotice, EnterCodePage, EnterCodeProblem, ErrorKind, ErrorPage,
    ErrorReturnPage, FactorsNotice, FactorsPage, FactorsProblem, ForgotPasswordPage, ForgotPasswordProblem,
    FormPostPage, HiddenField, InvitationPage, LanguageChoice, NewPasswordPage, NewPasswordProblem,
    NewPasswordReason, NextLink, NextLinkKind, NoPhonePage, NotEntitledPage, OutboxChannel, OutboxMessage,
    OutboxPage, Page, PasswordChangedPage, PasswordExpiredPage, PasswordWarning, PhoneKindChoice,
    PhoneOnFile, PhoneWays, ProfileField, ProfileGroup, ProfileGroupName, ProfileInput, ProfilePage,
    ProfileProblem, RecoveryAskedPage, RecoveryAskedProblem, RecoveryLinkPage, RedirectPage, SignInNotice,
    SignInPage, SignInProblem, SignOutPage, SignedInAccount, SignedOutPage, Tile, VerifyIdentityPage,
    VerifyProblem, VerifyReason,
};
pub use when::{Date, Moment, Wait};
