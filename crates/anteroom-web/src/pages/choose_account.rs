//! `GET` and `POST /choose-account`.

use anteroom_flows::interaction::choose_account::{Choice, ChooseOutcome, choices as signed_in_here, choose};
use anteroom_flows::interaction::open_interaction::Waiting;
use anteroom_pages::{Application, ChooseAccountPage};
use axum::http::StatusCode;
use axum::response::Response;

use crate::asker::Asker;
use crate::failure::{Failure, finish};
use crate::form_token::FormName;
use crate::forms::{Form, FormFields, Sent, token_of_nobody};
use crate::pages::session_time::nobody_signed_in;
use crate::pages::sign_in_form::SignInForm;
use crate::pages::step::{choices, go};
use crate::respond::{Frame, see_next, see_other, with_cookies};

/// From the dashboard: the accounts that are signed in here, to change to.
pub(crate) async fn form(asker: Asker) -> Response {
    finish(&asker, shown(&asker).await).await
}

async fn shown(asker: &Asker) -> Result<Response, Failure> {
    let live = signed_in_here(&asker.visit).await?;
    if live.is_empty() {
        return nobody_signed_in(asker).await;
    }
    let view = ChooseAccountPage {
        form_token: token_of_nobody(asker, FormName::ChooseAccount),
        interaction: None,
        application: Application::unnamed(),
        accounts: choices(&live),
    };
    Ok(Frame::of(asker).page(StatusCode::OK, &view))
}

/// The account that was picked.
pub(crate) struct Picked {
    choice: Choice,
    waiting: Option<Waiting>,
}

impl FormFields for Picked {
    const NAME: FormName = FormName::ChooseAccount;

    fn read(sent: &Sent) -> Result<Self, Failure> {
        let choice = sent.field("account").parse().map_or(Choice::Another, Choice::Session);
        Ok(Self { choice, waiting: sent.waiting()? })
    }

    fn again(sent: &Sent) -> String {
        sent.again("/choose-account")
    }
}

pub(crate) async fn submit(Form { asker, fields }: Form<Picked>) -> Response {
    finish(&asker, submitted(&asker, fields).await).await
}

async fn submitted(asker: &Asker, Picked { choice, waiting }: Picked) -> Result<Response, Failure> {
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
        ChooseOutcome::Gone => Err(Failure::interaction_expired()),
    }
}

/// Sign-in to another account, on the way to the same application.
fn another(asker: &Asker, onward: anteroom_flows::interaction::next::Onward) -> Result<Response, Failure> {
    let anteroom_flows::interaction::next::Onward::Page(page) = onward else { return go(asker, onward) };
    if page.without_row {
        return Ok(SignInForm::new(asker, &page.carried)?.respond(asker, StatusCode::OK));
    }
    let handle = page.carried.field(&asker.visit)?.unwrap_or_default();
    Ok(see_next(asker, &format!("/sign-in?another=1&interaction={handle}")))
}
