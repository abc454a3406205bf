//! Where [`Next`] says a person goes, as a response: the one match from outcome to page.

use anteroom_domain::account::Account;
use anteroom_domain::client::Client;
use anteroom_domain::next_step::SignInReason;
use anteroom_domain::session::Session;
use anteroom_flows::context::call::FormOwner;
use anteroom_flows::context::live::ActiveSession;
use anteroom_flows::interaction::next::{Next, Step, StepPage, proceed};
use anteroom_flows::interaction::open_interaction::InteractionRef;
use anteroom_flows::interaction::phones::NoPhone;
use anteroom_flows::interaction::reopen::open;
use anteroom_oidc::ScopeSet;
use anteroom_pages::{
    AccountChoice, Application, ChooseAccountPage, ConsentPage, Date, NoPhonePage, NotEntitledPage,
    PasswordExpiredPage, SignInNotice,
};
use axum::http::StatusCode;
use axum::response::Response;
use jiff::Timestamp;

use crate::failure::{PageError, finish};
use crate::form_token::FormName;
use crate::forms::token_for;
use crate::page_context::PageContext;
use crate::pages::consent::consent_scopes;
use crate::pages::factors::FACTORS;
use crate::pages::sign_in_form::SignInForm;
use crate::pages::verify::StepNotices;
use crate::pages::{new_password, register_phones, verify};
use crate::respond::{
    PageResponse, application_gone, moment, redirect_in_browser, see_other, to_application,
};

pub(crate) const DASHBOARD: &str = "/dashboard";
pub(crate) const FORGOT_PASSWORD: &str = "/forgot-password";
pub(crate) const COMPLETE_REGISTRATION: &str = "/complete-registration";

/// An address with the journey that goes along.
pub(crate) fn on_with(path: &str, interaction: Option<&str>) -> String {
    match interaction {
        Some(handle) => format!("{path}?{}", anteroom_oidc::form::encode([("interaction", handle)])),
        None => path.to_owned(),
    }
}

/// In answer to a GET: the page itself.
pub(crate) fn show(context: &PageContext, next: Next) -> Result<Response, PageError> {
    show_saying(context, next, StepNotices::default())
}

fn show_saying(context: &PageContext, next: Next, say: StepNotices) -> Result<Response, PageError> {
    match next {
        Next::Page(page) => step_page(context, *page, say),
        Next::Application(response) => Ok(to_application(context, &response)),
        Next::Dashboard => Ok(see_other(DASHBOARD)),
        Next::AuthenticatorApps(_) => Ok(see_other(FACTORS)),
        Next::ApplicationGone => Err(application_gone()),
        Next::AnsweredBefore(before) => Err(PageError::answered_before(before.client.as_deref())),
        Next::AccountMismatch(other) => {
            let handle = other.interaction.form_value(&context.visit)?;
            let again =
                handle.map_or_else(|| DASHBOARD.to_owned(), |handle| on_with("/continue", Some(&handle)));
            Err(PageError::another_person(&other.account, &again))
        }
    }
}

/// In answer to a form: by way of a redirect, so that refresh and Back work.
pub(crate) fn go(context: &PageContext, next: Next) -> Result<Response, PageError> {
    match next {
        Next::Page(page) if page.not_persisted => step_page(context, *page, StepNotices::default()),
        Next::Page(page) => Ok(redirect_in_browser(context, &continue_address(context, &page)?)),
        // The same form twice: whichever answer the browser takes, it is the same.
        Next::AnsweredBefore(before) => match before.repeat {
            Some(response) => Ok(to_application(context, &response)),
            None => Err(PageError::answered_before(before.client.as_deref())),
        },
        elsewhere => show(context, elsewhere),
    }
}

pub(crate) fn continue_address(context: &PageContext, page: &StepPage) -> Result<String, PageError> {
    let handle = page.interaction.form_value(&context.visit)?;
    Ok(handle.map_or_else(|| "/sign-in".to_owned(), |handle| format!("/continue?interaction={handle}")))
}

/// `GET /continue?interaction=…`: wherever the journey stands.
pub(crate) async fn resume(query: axum::extract::RawQuery, context: PageContext) -> Response {
    finish(&context, resumed(&context, query.0.as_deref().unwrap_or_default()).await).await
}

async fn resumed(context: &PageContext, query: &str) -> Result<Response, PageError> {
    let interaction_ref = waiting_in(query).ok_or_else(PageError::interaction_expired)?;
    let Ok(interaction) = open(&context.visit, interaction_ref).await? else {
        return Err(PageError::interaction_expired());
    };
    show_saying(context, proceed(&context.visit, interaction).await?, StepNotices::asked_in(query))
}

/// The journey named in an address.
pub(crate) fn waiting_in(query: &str) -> Option<InteractionRef> {
    let form = anteroom_oidc::form::UrlEncodedForm::decode(query.as_bytes()).ok()?;
    InteractionRef::parse(form.once("interaction").ok()??)
}

fn step_page(context: &PageContext, page: StepPage, say: StepNotices) -> Result<Response, PageError> {
    let shown = StepView::of(context, &page)?;
    let StepPage { step, client, interaction, .. } = page;
    let locales = interaction.state.request().map(|request| request.ui_locales.clone()).unwrap_or_default();
    Ok(match step {
        Step::SignIn { reason, email } => {
            let reset = interaction.state.recovery.as_ref().is_some_and(|note| note.done);
            let StepView { interaction, application, .. } = shown;
            let notice = if reset { Some(SignInNotice::PasswordChanged) } else { notice(reason) };
            let (problem, ui_locales) = (None, locales);
            let form = SignInForm { interaction, application, email, problem, notice, ui_locales };
            form.respond(context, StatusCode::OK)
        }
        Step::ChooseAccount(live) => shown.choose_account(&live),
        Step::Consent { scope, person } => {
            shown.consent((&scope, say.changed), &person.account, client.as_deref())
        }
        Step::NotEntitled(account) => shown.not_entitled(&account),
        Step::ExpiredPassword { account, set_at } => shown.expired_password(&account, set_at),
        Step::CompleteRegistration => see_other(COMPLETE_REGISTRATION),
        Step::Verify(verification) => verify::page(shown, &verification, say),
        Step::NoSecondFactor { purpose, why } => shown.no_phone(verify::reason(purpose, false), why),
        Step::AddPhones { phones, .. } => register_phones::page(shown, &phones, None),
        Step::NewPassword { reason, account, session } => {
            new_password::page(shown.of_session(session.as_deref()), (reason, &account), None)
        }
    })
}

/// What the pages of a journey have in common.
pub(crate) struct StepView<'a> {
    pub(crate) context: &'a PageContext,
    pub(crate) interaction: Option<String>,
    pub(crate) application: Application,
    /// Whom the page shows: its forms act for them alone.
    pub(crate) owner: FormOwner,
    pub(crate) frame: PageResponse<'a>,
}

impl<'a> StepView<'a> {
    pub(crate) fn of(context: &'a PageContext, page: &StepPage) -> Result<Self, PageError> {
        let request = page.interaction.state.request();
        let locales = request.map(|request| request.ui_locales.clone()).unwrap_or_default();
        let frame = PageResponse::of(context).in_language_of(&locales);
        Ok(Self {
            context,
            interaction: page.interaction.form_value(&context.visit)?,
            owner: page.owner(),
            application: application(context, page.client.as_deref()),
            // Any step may be the last one before the application, if only because another tab took the others.
            frame: if request.is_some() { frame.leads_to_client() } else { frame.isolated_from_opener() },
        })
    }

    /// Warns before the session ends whose page it is.
    pub(crate) fn of_session(self, session: Option<&Session>) -> Self {
        let Some(session) = session else { return self };
        Self { frame: self.frame.of_session(session), ..self }
    }

    /// Begun days count.
    fn new_phone_days(&self) -> u32 {
        let delay = self.context.visit.snapshot().policy.recovery.new_phone_delay;
        u32::try_from((delay.as_hours() + 23) / 24).unwrap_or(u32::MAX)
    }

    /// The way back is the form itself: the journey alone would lead here again.
    pub(crate) fn sign_in_anew(&self) -> String {
        let another = Some(("another", "1"));
        let interaction_ref = self.interaction.as_deref().map(|handle| ("interaction", handle));
        format!("/sign-in?{}", anteroom_oidc::form::encode(another.into_iter().chain(interaction_ref)))
    }

    fn no_phone(self, reason: anteroom_pages::VerifyReason, why: NoPhone) -> Response {
        let (unreached, later) = match why {
            NoPhone::Missing => (false, None),
            NoPhone::Waits(from) => (false, Some(from)),
            NoPhone::NoMethod => (true, None),
        };
        let view = NoPhonePage {
            reason,
            sign_in_href: self.sign_in_anew(),
            later: later.map(|at| moment(self.context, at)),
            unreached,
            new_phone_days: self.new_phone_days(),
        };
        self.frame.page(StatusCode::OK, &view)
    }

    fn choose_account(self, live: &[ActiveSession]) -> Response {
        let view = ChooseAccountPage {
            form_token: token_for(self.context, FormName::ChooseAccount, self.owner),
            interaction: self.interaction,
            application: self.application,
            accounts: choices(live),
        };
        self.frame.page(StatusCode::OK, &view)
    }

    fn consent(
        self,
        (scope, changed): (&ScopeSet, bool),
        account: &Account,
        client: Option<&Client>,
    ) -> Response {
        let metadata = client.map(|client| &client.metadata);
        let uri = |uri: Option<&url::Url>| uri.map(ToString::to_string);
        let logo = metadata.and_then(|metadata| metadata.logo_uri.as_ref());
        let sign_out_host = client.and_then(|client| self.sign_out_host(client));
        let view = ConsentPage {
            form_token: token_for(self.context, FormName::Consent, self.owner),
            interaction: self.interaction,
            application: client.map(with_hosts).unwrap_or_default(),
            changed,
            sign_out_host,
            logo_uri: uri(logo),
            scopes: consent_scopes(scope),
            policy_uri: uri(metadata.and_then(|metadata| metadata.policy_uri.as_ref())),
            tos_uri: uri(metadata.and_then(|metadata| metadata.tos_uri.as_ref())),
        };
        self.frame.signed_in(account).with_image_of(logo).page(StatusCode::OK, &view)
    }

    /// Nothing but the page says which hosts are told of a person by a client that registered itself.
    fn sign_out_host(&self, client: &Client) -> Option<String> {
        let is_configured = self.context.visit.snapshot().clients.is_configured(client.id());
        client.metadata.logout_host().filter(|_| !is_configured)
    }

    fn not_entitled(self, account: &Account) -> Response {
        let view = NotEntitledPage {
            form_token: token_for(self.context, FormName::NotEntitled, self.owner),
            interaction: self.interaction,
            application: self.application,
            dashboard_href: DASHBOARD.to_owned(),
        };
        self.frame.signed_in(account).page(StatusCode::FORBIDDEN, &view)
    }

    fn expired_password(self, account: &Account, set_at: Timestamp) -> Response {
        let snapshot = self.context.visit.snapshot();
        let days = snapshot.policy.password_age.max_age_days.unwrap_or_default();
        let set_on = set_at.to_zoned_datetime(snapshot.practice.time_zone.clone());
        let view = PasswordExpiredPage {
            form_token: token_for(self.context, FormName::ExpiredPassword, self.owner),
            interaction: self.interaction,
            email: account.primary_address.as_str().to_owned(),
            days: u32::from(days),
            set_on: Date { year: set_on.year(), month: set_on.month(), day: set_on.day() },
        };
        self.frame.page(StatusCode::OK, &view)
    }
}

/// Each host that people are led to on the way to the client, after a sign-out or from a tile: who agrees, agrees to all of them.
fn with_hosts(client: &Client) -> Application {
    Application::with_hosts(client.display_name(), &client.metadata.shown_hosts())
}

/// The application as pages name it: with its hosts where the name is a stranger's words, and could be the name of another
/// application, which is that of a client that registered itself.
pub(crate) fn application(context: &PageContext, client: Option<&Client>) -> Application {
    let Some(client) = client else { return Application::unnamed() };
    if context.visit.snapshot().clients.is_configured(client.id()) {
        Application::configured(client.display_name())
    } else {
        with_hosts(client)
    }
}

fn notice(reason: SignInReason) -> Option<SignInNotice> {
    match reason {
        SignInReason::NobodyThere | SignInReason::AccountInactive => None,
        SignInReason::LoginRequested | SignInReason::MaxAgeExceeded | SignInReason::OtherAccount => {
            Some(SignInNotice::Reauthenticate)
        }
        SignInReason::SessionNotCurrent => Some(SignInNotice::AnotherAccountSince),
    }
}

pub(crate) fn choices(live: &[ActiveSession]) -> Vec<AccountChoice> {
    let choice = |account: &Account, handle: String| AccountChoice {
        name: account.display_name().to_owned(),
        email: account.primary_address.as_str().to_owned(),
        handle,
    };
    live.iter().map(|one| choice(&one.account, one.session.id.to_string())).collect()
}
