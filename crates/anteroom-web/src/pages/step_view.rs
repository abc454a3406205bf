//! The common parts of an interaction's pages, and those pages that are only a view.

use anteroom_domain::account::Account;
use anteroom_domain::client::Client;
use anteroom_domain::session::Session;
use anteroom_flows::context::active_session::ActiveSession;
use anteroom_flows::context::call::FormOwner;
use anteroom_flows::interaction::next::StepPage;
use anteroom_flows::interaction::phones::NoPhone;
use anteroom_oidc::{Scope, ScopeSet};
use anteroom_pages::{
    AccountChoice, Application, ChooseAccountPage, ConsentPage, ConsentScope, Date, NoSecondFactorPage,
    NotEntitledPage, PasswordExpiredPage,
};
use axum::http::StatusCode;
use axum::response::Response;
use jiff::Timestamp;

use crate::form_token::FormName;
use crate::page_context::PageContext;
use crate::page_error::PageError;
use crate::page_token::token_for;
use crate::paths::{DASHBOARD, SIGN_IN};
use crate::respond::{PageResponse, moment};

/// The common parts of an interaction's pages.
pub(crate) struct StepView<'a> {
    pub(crate) context: &'a PageContext,
    pub(crate) interaction: Option<String>,
    pub(crate) application: Application,
    /// The session and account that the page shows: its forms act for these only.
    pub(crate) owner: FormOwner,
    pub(crate) frame: PageResponse<'a>,
}

impl<'a> StepView<'a> {
    pub(crate) fn of(context: &'a PageContext, page: &StepPage) -> Result<Self, PageError> {
        let request = page.interaction.state.request();
        let locales = request.map(|request| request.ask.ui_locales.clone()).unwrap_or_default();
        let frame = PageResponse::of(context).in_language_of(&locales);
        Ok(Self {
            context,
            interaction: page.interaction.form_value(&context.visit)?,
            owner: page.owner(),
            application: application(context, page.client.as_deref()),
            // Another tab may have completed the other steps, so the form of any step may end in a redirect to the
            // client: its CSP must allow the client's origin.
            frame: if request.is_some() { frame.leads_to_client() } else { frame.isolated_from_opener() },
        })
    }

    /// Lets the page warn before this session ends.
    pub(crate) fn of_session(self, session: Option<&Session>) -> Self {
        let Some(session) = session else { return self };
        Self { frame: self.frame.of_session(session), ..self }
    }

    /// In days, rounded up.
    fn new_phone_days(&self) -> u32 {
        let delay = self.context.visit.snapshot().policy.recovery.new_phone_delay;
        u32::try_from((delay.as_hours() + 23) / 24).unwrap_or(u32::MAX)
    }

    /// Leads to the sign-in form itself: the interaction without `another` would lead here again.
    pub(crate) fn sign_in_anew(&self) -> String {
        let another = Some(("another", "1"));
        let interaction_ref = self.interaction.as_deref().map(|handle| ("interaction", handle));
        format!("{SIGN_IN}?{}", anteroom_oidc::form::encode(another.into_iter().chain(interaction_ref)))
    }

    pub(super) fn no_phone(self, reason: anteroom_pages::VerifyReason, why: NoPhone) -> Response {
        let (unreached, later) = match why {
            NoPhone::Missing => (false, None),
            NoPhone::Waits(from) => (false, Some(from)),
            NoPhone::NoMethod => (true, None),
        };
        let view = NoSecondFactorPage {
            reason,
            sign_in_href: self.sign_in_anew(),
            later: later.map(|at| moment(self.context, at)),
            unreached,
            new_phone_days: self.new_phone_days(),
        };
        self.frame.page(StatusCode::OK, &view)
    }

    pub(super) fn choose_account(self, live: &[ActiveSession]) -> Response {
        let view = ChooseAccountPage {
            form_token: token_for(self.context, FormName::ChooseAccount, self.owner),
            interaction: self.interaction,
            application: self.application,
            accounts: choices(live),
        };
        self.frame.page(StatusCode::OK, &view)
    }

    pub(super) fn consent(
        self,
        scope: &ScopeSet,
        changed: bool,
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

    /// A client that registered itself chose the hosts that receive its logout notifications, so the page names them:
    /// the person sees them nowhere else.
    fn sign_out_host(&self, client: &Client) -> Option<String> {
        let is_configured = self.context.visit.snapshot().clients.is_configured(client.id());
        client.metadata.logout_host().filter(|_| !is_configured)
    }

    pub(super) fn not_entitled(self, account: &Account) -> Response {
        let view = NotEntitledPage {
            form_token: token_for(self.context, FormName::NotEntitled, self.owner),
            interaction: self.interaction,
            application: self.application,
            dashboard_href: DASHBOARD.to_owned(),
        };
        self.frame.signed_in(account).page(StatusCode::FORBIDDEN, &view)
    }

    pub(super) fn expired_password(self, account: &Account, set_at: Timestamp) -> Response {
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

/// Every host to which the client can lead the browser: in a response, after a sign-out or from a tile. Consent covers
/// all of them.
fn with_hosts(client: &Client) -> Application {
    Application::with_hosts(client.display_name(), &client.metadata.shown_hosts())
}

/// The client as pages name it. A client that registered itself chose its own name, which could be that of another
/// client, so its hosts are added.
pub(crate) fn application(context: &PageContext, client: Option<&Client>) -> Application {
    let Some(client) = client else { return Application::unnamed() };
    if context.visit.snapshot().clients.is_configured(client.id()) {
        Application::configured(client.display_name())
    } else {
        with_hosts(client)
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

fn consent_scopes(scopes: &ScopeSet) -> Vec<ConsentScope> {
    let view = |scope: &Scope| match scope {
        Scope::OpenId => ConsentScope::Openid,
        Scope::Profile => ConsentScope::Profile,
        Scope::Email => ConsentScope::Email,
        Scope::Address => ConsentScope::Address,
        Scope::Phone => ConsentScope::Phone,
        Scope::Groups => ConsentScope::Groups,
        Scope::OfflineAccess => ConsentScope::OfflineAccess,
        Scope::Other(_) => ConsentScope::Other { scope: scope.to_string() },
    };
    scopes.iter().map(view).collect()
}
