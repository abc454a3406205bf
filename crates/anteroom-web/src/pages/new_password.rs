//! `POST /new-password`, `GET /change-password` for a person who is signed in, and the last page of a reset.

use anteroom_domain::ids::DeviceId;
use anteroom_domain::interaction::Destination;
use anteroom_domain::new_password::Weakness;
use anteroom_flows::interaction::next::{Next, Step, StepPage, proceed};
use anteroom_flows::interaction::open_interaction::{InteractionRef, OpenInteraction};
use anteroom_flows::interaction::reopen::open;
use anteroom_flows::people::new_password::{EnteredPassword, NewPasswordOutcome, PasswordProblem, set};
use anteroom_pages::{NewPasswordProblem, PasswordChangedPage};
use axum::extract::RawQuery;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};

use crate::form_token::FormName;
use crate::forms::{Form, FormFields, ReceivedForm};
use crate::page_context::PageContext;
use crate::page_error::{PageError, finish};
use crate::pages::new_password_page;
use crate::pages::sign_in::remember;
use crate::pages::step::{interaction_in, respond_to_form, show_page};
use crate::pages::step_view::{StepView, application};
use crate::paths::{CONTINUE, PASSWORD_CHANGED, SIGN_IN};
use crate::respond::{PageResponse, redirect_in_browser, with_cookies};

/// `GET /change-password`.
pub(crate) async fn change(context: PageContext) -> Response {
    let mut interaction = OpenInteraction::to_dashboard(&context.visit);
    interaction.state.destination = Destination::ChangePassword;
    let next = proceed(&context.visit, interaction).await;
    finish(&context, next.map_err(PageError::from).and_then(|next| show_page(&context, next))).await
}

pub(crate) struct NewPasswordForm {
    entered: EnteredPassword,
    interaction_ref: Option<InteractionRef>,
}

impl FormFields for NewPasswordForm {
    const NAME: FormName = FormName::NewPassword;

    fn read(sent: &ReceivedForm) -> Result<Self, PageError> {
        let entered = EnteredPassword {
            new: sent.field("new_password").into(),
            confirmed: sent.field("confirm_password").into(),
        };
        Ok(Self { entered, interaction_ref: sent.interaction_ref()? })
    }

    fn reload_path(sent: &ReceivedForm) -> String {
        sent.reload_path_or(SIGN_IN)
    }
}

/// Runs in a task of its own, so that the password is set even if the browser closes the connection after hashing.
pub(crate) async fn submit(Form { context, fields }: Form<NewPasswordForm>) -> Response {
    let attempt = tokio::spawn(async move { finish(&context, submitted(&context, fields).await).await });
    attempt.await.unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
}

async fn submitted(
    context: &PageContext,
    NewPasswordForm { entered, interaction_ref }: NewPasswordForm,
) -> Result<Response, PageError> {
    match set(&context.visit, interaction_ref, entered).await? {
        NewPasswordOutcome::Reset { device, interaction } => to_changed(context, &interaction, Some(device)),
        NewPasswordOutcome::Done { device, interaction } => to_changed(context, &interaction, device),
        NewPasswordOutcome::SignedIn { cookies, next } => {
            Ok(remember(context, cookies, finish(context, respond_to_form(context, next)).await))
        }
        NewPasswordOutcome::Problem { problem, page } => refused(context, *page, problem),
        NewPasswordOutcome::Next(next) => respond_to_form(context, next),
        NewPasswordOutcome::InteractionNotFound => Err(PageError::interaction_expired()),
    }
}

fn to_changed(
    context: &PageContext,
    interaction: &OpenInteraction,
    device: Option<DeviceId>,
) -> Result<Response, PageError> {
    let handle = interaction.form_value(&context.visit)?.unwrap_or_default();
    let answer = redirect_in_browser(context, &format!("{PASSWORD_CHANGED}?interaction={handle}"));
    let Some(device) = device else { return Ok(answer) };
    let mut jar = context.jar.clone();
    jar.remember_device(device);
    let cookie = jar.device_cookie(context.web.secure_cookies(), context.visit.keyring());
    Ok(with_cookies(answer, &[cookie]))
}

fn refused(context: &PageContext, page: StepPage, fault: PasswordProblem) -> Result<Response, PageError> {
    let shown = StepView::of(context, &page)?;
    let Step::NewPassword { reason, account, session } = &page.step else {
        return show_page(context, Next::Page(Box::new(page)));
    };
    let fault = match fault {
        PasswordProblem::Missing => NewPasswordProblem::Missing,
        PasswordProblem::Mismatch => NewPasswordProblem::Mismatch,
        PasswordProblem::Used => NewPasswordProblem::Used,
        PasswordProblem::TooYoung(left) => {
            NewPasswordProblem::TooYoung { hours: u32::try_from(left.as_hours() + 1).unwrap_or(u32::MAX) }
        }
        PasswordProblem::Weakness(weakness) => match weakness {
            Weakness::TooShort => NewPasswordProblem::TooShort,
            Weakness::TooLong => NewPasswordProblem::TooLong,
            Weakness::Common => NewPasswordProblem::Common,
            Weakness::Personal => NewPasswordProblem::Personal,
            Weakness::Weak => NewPasswordProblem::Weak,
            Weakness::Characters => NewPasswordProblem::Characters,
        },
    };
    Ok(new_password_page::page(shown.of_session(session.as_deref()), *reason, account, Some(fault)))
}

/// `GET /password-changed?interaction=…`: leads to sign-in, and from there to the interaction.
pub(crate) async fn changed(query: RawQuery, context: PageContext) -> Response {
    let result = changed_in(&context, query.0.as_deref().unwrap_or_default()).await;
    finish(&context, result).await
}

async fn changed_in(context: &PageContext, query: &str) -> Result<Response, PageError> {
    let provider = &context.web.provider;
    let interaction_ref = interaction_in(query).ok_or_else(PageError::interaction_expired)?;
    let Ok(interaction) = open(&context.visit, &interaction_ref).await? else {
        return Err(PageError::interaction_expired());
    };
    let Some(note) = interaction.state.recovery.as_ref().filter(|note| note.done) else {
        return respond_to_form(context, proceed(&context.visit, interaction).await?);
    };
    let snapshot = provider.snapshot();
    let request = interaction.state.request();
    let client = request.and_then(|request| snapshot.clients.get(&request.ask.client_id));
    let view = PasswordChangedPage {
        continue_href: match interaction.form_value(&context.visit)? {
            Some(handle) => format!("{CONTINUE}?interaction={handle}"),
            None => SIGN_IN.to_owned(),
        },
        application: application(context, client.map(|client| &**client)),
        waits_elsewhere: note.waits_elsewhere,
    };
    let locales = request.map(|request| request.ask.ui_locales.clone()).unwrap_or_default();
    Ok(PageResponse::of(context).in_language_of(&locales).page(StatusCode::OK, &view))
}
