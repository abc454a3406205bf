//! `GET` and `POST /choose-account`.

use anteroom_flows::interaction::choose_account::{
    ChooseOutcome, ChosenAccount, choices as signed_in_here, choose,
};
use anteroom_flows::interaction::open_interaction::InteractionRef;
use anteroom_pages::{Application, ChooseAccountPage};
use axum::http::StatusCode;
use axum::response::Response;

use crate::form_token::FormName;
use crate::forms::{Form, FormFields, ReceivedForm};
use crate::page_context::PageContext;
use crate::page_error::{PageError, finish};
use crate::page_token::token_without_account;
use crate::pages::session_time::redirect_to_sign_in;
use crate::pages::sign_in_form::SignInForm;
use crate::pages::step::respond_to_form;
use crate::pages::step_view::choices;
use crate::paths::{CHOOSE_ACCOUNT, SIGN_IN};
use crate::respond::{PageResponse, redirect_in_browser, see_other, with_cookies};

/// The page as opened from the dashboard, with the accounts that are signed in in this browser.
pub(crate) async fn form(context: PageContext) -> Response {
    finish(&context, shown(&context).await).await
}

async fn shown(context: &PageContext) -> Result<Response, PageError> {
    let live = signed_in_here(&context.visit).await?;
    if live.is_empty() {
        return redirect_to_sign_in(context).await;
    }
    let view = ChooseAccountPage {
        form_token: token_without_account(context, FormName::ChooseAccount),
        interaction: None,
        application: Application::unnamed(),
        accounts: choices(&live),
    };
    Ok(PageResponse::of(context).page(StatusCode::OK, &view))
}

/// The account that the person chose.
pub(crate) struct ChooseAccountForm {
    choice: ChosenAccount,
    interaction_ref: Option<InteractionRef>,
}

impl FormFields for ChooseAccountForm {
    const NAME: FormName = FormName::ChooseAccount;

    fn read(sent: &ReceivedForm) -> Result<Self, PageError> {
        let choice = sent.field("account").parse().map_or(ChosenAccount::Another, ChosenAccount::Session);
        Ok(Self { choice, interaction_ref: sent.interaction_ref()? })
    }

    fn reload_path(sent: &ReceivedForm) -> String {
        sent.reload_path_or(CHOOSE_ACCOUNT)
    }
}

pub(crate) async fn submit(Form { context, fields }: Form<ChooseAccountForm>) -> Response {
    finish(&context, submitted(&context, fields).await).await
}

async fn submitted(
    context: &PageContext,
    ChooseAccountForm { choice, interaction_ref }: ChooseAccountForm,
) -> Result<Response, PageError> {
    let to_dashboard = interaction_ref.is_none();
    match choose(&context.visit, interaction_ref, choice).await? {
        ChooseOutcome::Chosen { sessions, next } => {
            let mut jar = context.jar.clone();
            jar.sessions = sessions;
            let cookies = jar.of_other_sessions(context.web.secure_cookies());
            Ok(with_cookies(respond_to_form(context, next)?, &cookies))
        }
        ChooseOutcome::SignIn(_) if to_dashboard => Ok(see_other("/sign-in?another=1")),
        ChooseOutcome::SignIn(next) => another(context, next),
        ChooseOutcome::Prove { session, .. } if to_dashboard => {
            Ok(see_other(&format!("{SIGN_IN}?another=1&account={session}")))
        }
        ChooseOutcome::Prove { next, .. } => respond_to_form(context, next),
        ChooseOutcome::InteractionNotFound => Err(PageError::interaction_expired()),
    }
}

/// Sign-in with another account, for the same client.
fn another(
    context: &PageContext,
    next: anteroom_flows::interaction::next::Next,
) -> Result<Response, PageError> {
    let anteroom_flows::interaction::next::Next::Page(page) = next else {
        return respond_to_form(context, next);
    };
    if page.not_persisted {
        return Ok(SignInForm::new(context, &page.interaction)?.respond(context, StatusCode::OK));
    }
    let handle = page.interaction.form_value(&context.visit)?.unwrap_or_default();
    Ok(redirect_in_browser(context, &format!("{SIGN_IN}?another=1&interaction={handle}")))
}
