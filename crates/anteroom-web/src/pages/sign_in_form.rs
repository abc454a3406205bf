//! The sign-in form, whichever page leads to it.

use anteroom_flows::interaction::open_interaction::OpenInteraction;
use anteroom_pages::{Application, SignInNotice, SignInPage, SignInProblem};
use axum::http::StatusCode;
use axum::response::Response;

use crate::form_token::FormName;
use crate::page_context::PageContext;
use crate::page_error::PageError;
use crate::page_token::token_without_account;
use crate::pages::step_view::application;
use crate::paths::{COMPLETE_REGISTRATION, FORGOT_PASSWORD, with_interaction};
use crate::respond::PageResponse;

/// The form and its content for this response.
pub(crate) struct SignInForm {
    pub(crate) interaction: Option<String>,
    pub(crate) application: Application,
    pub(crate) email: String,
    pub(crate) problem: Option<SignInProblem>,
    pub(crate) notice: Option<SignInNotice>,
    pub(crate) ui_locales: Vec<String>,
}

impl SignInForm {
    pub(crate) fn new(context: &PageContext, interaction: &OpenInteraction) -> Result<Self, PageError> {
        let provider = &context.web.provider;
        let request = interaction.state.request();
        let snapshot = provider.snapshot();
        let client = request.and_then(|request| snapshot.clients.get(&request.ask.client_id));
        Ok(Self {
            interaction: interaction.form_value(&context.visit)?,
            application: application(context, client.map(|client| &**client)),
            email: request.and_then(|request| request.ask.login_hint.clone()).unwrap_or_default(),
            problem: None,
            notice: None,
            ui_locales: request.map(|request| request.ask.ui_locales.clone()).unwrap_or_default(),
        })
    }

    pub(crate) fn respond(self, context: &PageContext, status: StatusCode) -> Response {
        // The interaction is passed on, because a recovery returns to it.
        let forgot_password_href = with_interaction(FORGOT_PASSWORD, self.interaction.as_deref());
        let view = SignInPage {
            form_token: token_without_account(context, FormName::SignIn),
            interaction: self.interaction,
            email: self.email,
            application: self.application,
            problem: self.problem,
            notice: self.notice,
            forgot_password_href,
            registration_href: COMPLETE_REGISTRATION.to_owned(),
        };
        PageResponse::of(context).in_language_of(&self.ui_locales).leads_to_client().page(status, &view)
    }
}
