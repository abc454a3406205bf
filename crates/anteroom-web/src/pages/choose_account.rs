//! `GET` and `POST /choose-account`.

use anteroom_flows::interaction::choose_account::{
    ChooseOutcome, ChosenAccount, choices as signed_in_here, choose,
};
use anteroom_flows::interaction::open_interaction::InteractionRef;
use anteroom_pages::{Application, ChooseAccountPage};
use axum::http::StatusCode;
use axum::response::Response;

use crate::asker::PageContext;
use crate::failure::{PageError, finish};
use crate::form_token::FormName;
use crate::forms::{Form, FormFields, ReceivedForm, token_without_account};
use crate::pages::session_time::redirect_to_sign_in;
use crate::pages::sign_in_form::SignInForm;
use crate::pages::step::{choices, go};
use crate::respond::{PageResponse, redirect_in_browser, see_other, with_cookies};

/// From the dashboard: the accounts that are signed in here, to change to.
pub(crate) async fn form(asker: PageContext) -> Response {
    finish(&asker, shown(&asker).await).await
}

async fn shown(asker: &PageContext) -> Result<Response, PageError> {
    let live = signed_in_here(&asker.visit).await?;
    if live.is_empty() {
        return redirect_to_sign_in(asker).await;
    }
    let view = ChooseAccountPage {
        form_token: token_without_account(asker, FormName::ChooseAccount),
        interaction: None,
        application: Application::unnamed(),
        accounts: choices(&live),
    };
    Ok(PageResponse::of(asker).page(StatusCode::OK, &view))
}

/// The account that was picked.
pub(crate) struct ChooseAccountForm {
    choice: ChosenAccount,
    waiting: Option<InteractionRef>,
}

impl FormFields for ChooseAccountForm {
    const NAME: FormName = FormName::ChooseAccount;

    fn read(sent: &ReceivedForm) -> Result<Self, PageError> {
        let choice = sent.field("account").parse().map_or(ChosenAccount::Another, ChosenAccount::Session);
        Ok(Self { choice, waiting: sent.interaction_ref()? })
    }

    fn reload_path(sent: &ReceivedForm) -> String {
        sent.again("/choose-account")
    }
}

pub(crate) async fn submit(Form { asker, fields }: Form<ChooseAccountForm>) -> Response {
    finish(&asker, submitted(&asker, fields).await).await
}

async fn submitted(
    asker: &PageContext,
    ChooseAccountForm { choice, waiting }: ChooseAccountForm,
) -> Result<Response, PageError> {
    let to_dashboard = waiting.is_none();
    match choose(&asker.visit, waiting, choice).await? {
        ChooseOutcome::Chosen { sessions, onward } => {
            let mut jar = asker.jar.clone();
            jar.sessions = sessions;
            let cookies = jar.of_other_sessions(asker.web.secure_cookies());
            Ok(with_cookies(go(asker, onward)?, &cookies))
        }
        ChooseOutcome::SignIn(_) if to_dashboard => Ok(see_other("/sign-in?another=1")),
        ChooseOutcome::SignIn(onward) => another(asker, onward),
        ChooseOutcome::Prove { session, .. } if to_dashboard => {
            Ok(see_other(&format!("/sign-in?another=1&account={session}")))
        }
        ChooseOutcome::Prove { onward, .. } => go(asker, onward),
        ChooseOutcome::Gone => Err(PageError::interaction_expired()),
    }
}

/// Sign-in to another account, on the way to the same application.
fn another(
    asker: &PageContext,
    onward: anteroom_flows::interaction::next::Next,
) -> Result<Response, PageError> {
    let anteroom_flows::interaction::next::Next::Page(page) = onward else { return go(asker, onward) };
    if page.not_persisted {
        return Ok(SignInForm::new(asker, &page.carried)?.respond(asker, StatusCode::OK));
    }
    let handle = page.carried.form_value(&asker.visit)?.unwrap_or_default();
    Ok(redirect_in_browser(asker, &format!("/sign-in?another=1&interaction={handle}")))
}
