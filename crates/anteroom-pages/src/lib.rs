//! Themes: the pages and messages that people see, in their language.
//!
//! ```text
//!   view struct ──serde──▶ JSON ─┐
//!   Chrome ────────────────serde─┼─▶ Handlebars (strict) ─▶ HTML
//!   Fluent texts (en, es) ──{{t}}┘
//! ```
//!
//! There is one typed view per page ([`Page`]), email ([`EmailView`]), text message or call, each with samples that show every
//! shape it can take. [`Theme::load`] checks an operator's templates and texts with those samples, so that a theme which loads
//! can also render: an unknown variable, text, helper or file is found at the start (and by `anteroom check`) and not when a
//! person opens the page. A test checks the default theme.
//!
//! Invariants:
//! - This crate does not depend on the domain: views have plain strings, booleans and enums of this crate.
//! - No field of a view is skipped when it is serialized; an absent value is `null`.
//! - Everything is escaped: unescaped expressions are refused at load, and texts carry no markup.
//! - Pages load only style sheets, scripts and images of their own origin, and have neither inline scripts nor
//!   inline styles.

mod assets;
mod check;
mod emails;
mod error;
mod files;
mod helpers;
mod locale;
mod page_layout;
mod phone;
mod templates;
mod texts;
mod theme;
mod views;
mod when;

pub use assets::Asset;
pub use emails::{
    AccountLockedEmail, AuthenticatorAppEmail, Email, EmailView, InvitationEmail, PasswordChangedEmail,
    PasswordExpiresEmail, PhoneAddedEmail, RecoveryEmail, RegistrationCompletedEmail, TokensElsewhereEmail,
};
pub use error::{Fault, MissingElement, RenderError, TemplatePosition, ThemeError, ThemeWarning};
pub use locale::{Language, Locale, accepted, negotiate};
pub use page_layout::{PageLayout, SessionTimer, SignedInAs, SupportContact};
pub use phone::{CallScript, CodeCall, CodeText, PhoneAddedText};
pub use theme::Theme;
pub use views::{
    AccountChoice, AddPhonePage, AddPhoneProblem, Application, AuthenticatorAppItem, ChoiceChannel,
    ChooseAccountPage, CompleteRegistrationPage, ConsentPage, ConsentScope, DashboardPage, DeliveryChoice,
    EnrolFactorPage, EnrolProblem, EnterCodeNotice, EnterCodePage, EnterCodeProblem, ErrorKind, ErrorPage,
    ErrorReturnPage, FactorsNotice, FactorsPage, FactorsProblem, ForgotPasswordPage, ForgotPasswordProblem,
    FormPostPage, HiddenField, InvitationPage, LanguageChoice, NewPasswordPage, NewPasswordProblem,
    NewPasswordReason, NextLink, NextLinkKind, NoSecondFactorPage, NotEntitledPage, OutboxChannel,
    OutboxMessage, OutboxPage, Page, PasswordChangedPage, PasswordExpiredPage, PasswordWarning,
    PhoneKindChoice, PhoneOnFile, PhoneWays, ProfileField, ProfileGroup, ProfileGroupName, ProfileInput,
    ProfilePage, ProfileProblem, RecoveryAskedProblem, RecoveryLinkPage, RecoveryRequestedPage, RedirectPage,
    SignInNotice, SignInPage, SignInProblem, SignOutPage, SignedInAccount, SignedOutPage, Tile,
    VerifyIdentityPage, VerifyProblem, VerifyReason,
};
pub use when::{Date, Moment, Wait};
