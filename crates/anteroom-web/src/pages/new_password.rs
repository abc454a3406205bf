//! `POST /new-password`, `GET /change-password` for a person who is signed in, and the page at the end of a reset.

use anteroom_domain::account::Account;
use anteroom_domain::ids::DeviceId;
use anteroom_domain::interaction::Destination;
use anteroom_domain::new_password::Weakness;
use anteroom_domain::next_step::NewPasswordReason as Reason;
use anteroom_flows::interaction::next::{Next, Step, StepPage, proceed};
use anteroom_flows::interaction::open_interaction::{InteractionRef, OpenInteraction};
use anteroom_flows::interaction::reopen::open;
use anteroom_flows::people::new_password::{EnteredPassword, NewPasswordOutcome, PasswordProblem, set};
use anteroom_pages::{NewPasswordPage, NewPasswordProblem, NewPasswordReason, PasswordChangedPage};
use axum::extract::RawQuery;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};

use crate::asker::PageContext;
use crate::failure::{PageError, finish};
use crate::form_token::FormName;
use crate::forms::{Form, FormFields, ReceivedForm, token_for};
use crate::pages::sign_in::remember;
use crate::pages::step::{StepView, application, go, show, waiting_in};
use crate::respond::{PageResponse, redirect_in_browser, with_cookies};

pub(crate) const CHANGE: &str = "/change-password";
pub(crate) const CHANGED: &str = "/password-changed";

pub(crate) fn page(
    shown: StepView<'_>,
    (reason, account): (Reason, &Account),
    fault: Option<NewPasswordProblem>,
) -> Response {
    let policy = shown.asker.visit.snapshot().policy.new_password;
    let status = if fault.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let view = NewPasswordPage {
        form_token: token_for(shown.asker, FormName::NewPassword, shown.owner),
        interaction: shown.interaction,
        reason: match reason {
            Reason::Recovery => NewPasswordReason::Recovery,
            Reason::Expired => NewPasswordReason::Expired,
            Reason::Chosen => NewPasswordReason::Change,
            Reason::Registration => NewPasswordReason::Registration,
        },
        email: account.primary_address.as_str().to_owned(),
        min_length: u32::from(policy.min_length),
        max_length: u32::from(policy.max_length),
        remembered: u32::from(policy.remembered),
        problem: fault,
    };
    shown.frame.page(status, &view)
}

/// `GET /change-password`.
pub(crate) async fn change(asker: PageContext) -> Response {
    let mut carried = OpenInteraction::to_dashboard(&asker.visit);
    carried.journey.destination = Destination::ChangePassword;
    let onward = proceed(&asker.visit, carried).await;
    finish(&asker, onward.map_err(PageError::from).and_then(|onward| show(&asker, onward))).await
}

pub(crate) struct NewPasswordForm {
    entered: EnteredPassword,
    waiting: Option<InteractionRef>,
}

impl FormFields for NewPasswordForm {
    const NAME: FormName = FormName::NewPassword;

    fn read(sent: &ReceivedForm) -> Result<Self, PageError> {
        let entered = EnteredPassword {
            new: sent.field("new_password").into(),
            confirmed: sent.field("confirm_password").into(),
        };
        Ok(Self { entered, waiting: sent.interaction_ref()? })
    }

    fn reload_path(sent: &ReceivedForm) -> String {
        sent.again("/sign-in")
    }
}

/// In a task of its own: a person whose browser hangs up after the hash was computed has set the password all the same.
pub(crate) async fn submit(Form { asker, fields }: Form<NewPasswordForm>) -> Response {
    let attempt = tokio::spawn(async move { finish(&asker, submitted(&asker, fields).await).await });
    attempt.await.unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
}

async fn submitted(
    asker: &PageContext,
    NewPasswordForm { entered, waiting }: NewPasswordForm,
) -> Result<Response, PageError> {
    match set(&asker.visit, waiting, entered).await? {
        NewPasswordOutcome::Reset { device, carried } => to_changed(asker, &carried, Some(device)),
        NewPasswordOutcome::Done { device, carried } => to_changed(asker, &carried, device),
        NewPasswordOutcome::SignedIn { cookies, onward } => {
            Ok(remember(asker, cookies, finish(asker, go(asker, onward)).await))
        }
        NewPasswordOutcome::Problem { fault, page } => refused(asker, *page, fault),
        NewPasswordOutcome::Onward(onward) => go(asker, onward),
        NewPasswordOutcome::Gone => Err(PageError::interaction_expired()),
    }
}

fn to_changed(
    asker: &PageContext,
    carried: &OpenInteraction,
    device: Option<DeviceId>,
) -> Result<Response, PageError> {
    let handle = carried.form_value(&asker.visit)?.unwrap_or_default();
    let answer = redirect_in_browser(asker, &format!("{CHANGED}?interaction={handle}"));
    let Some(device) = device else { return Ok(answer) };
    let mut jar = asker.jar.clone();
    jar.remember_device(device);
    let cookie = jar.device_cookie(asker.web.secure_cookies(), asker.visit.keyring());
    Ok(with_cookies(answer, &[cookie]))
}

fn refused(asker: &PageContext, page: StepPage, fault: PasswordProblem) -> Result<Response, PageError> {
    let shown = StepView::of(asker, &page)?;
    let Step::NewPassword { reason, account, session } = &page.step else {
        return show(asker, Next::Page(Box::new(page)));
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
    Ok(self::page(shown.of_session(session.as_deref()), (*reason, account), Some(fault)))
}

/// `GET /password-changed?interaction=…`: on to sign-in, and from there to what waited.
pub(crate) async fn changed(asker: PageContext, query: RawQuery) -> Response {
    let result = changed_in(&asker, query.0.as_deref().unwrap_or_default()).await;
    finish(&asker, result).await
}

async fn changed_in(asker: &PageContext, query: &str) -> Result<Response, PageError> {
    let provider = &asker.web.provider;
    let waiting = waiting_in(query).ok_or_else(PageError::interaction_expired)?;
    let Ok(carried) = open(&asker.visit, waiting).await? else {
        return Err(PageError::interaction_expired());
    };
    let Some(note) = carried.journey.recovery.as_ref().filter(|note| note.done) else {
        return go(asker, proceed(&asker.visit, carried).await?);
    };
    let snapshot = provider.snapshot();
    let request = carried.journey.request();
    let client = request.and_then(|request| snapshot.clients.get(&request.client_id));
    let view = PasswordChangedPage {
        continue_href: match carried.form_value(&asker.visit)? {
            Some(handle) => format!("/continue?interaction={handle}"),
            None => "/sign-in".to_owned(),
        },
        application: application(asker, client.map(|client| &**client)),
        waits_elsewhere: note.waits_elsewhere,
    };
    let locales = request.map(|request| request.ui_locales.clone()).unwrap_or_default();
    Ok(PageResponse::of(asker).in_language_of(&locales).page(StatusCode::OK, &view))
}
