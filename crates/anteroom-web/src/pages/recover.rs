//! `GET /recover`, the link of a mail, which changes nothing; `POST /recover`, its button; `POST /recover/code`, for
//! the code of the mail typed instead.

use anteroom_flows::interaction::open_interaction::InteractionRef;
use anteroom_flows::interaction::reopen::open;
use anteroom_flows::people::recover::{FollowLinkOutcome, MailedCodeOutcome, enter_mailed_code, follow_link};
use anteroom_pages::{ErrorKind, NextLink, NextLinkKind, RecoveryAskedProblem, RecoveryLinkPage};
use axum::extract::RawQuery;
use axum::http::StatusCode;
use axum::response::Response;

use crate::form_token::FormName;
use crate::forms::{Form, FormFields, ReceivedForm};
use crate::page_context::PageContext;
use crate::page_error::{PageError, finish};
use crate::page_token::token_without_account;
use crate::pages::forgot_password::asked_page;
use crate::pages::step::respond_to_form;
use crate::paths::{FORGOT_PASSWORD, RECOVER};
use crate::respond::PageResponse;

const MAX_TOKEN_CHARS: usize = 128;

pub(crate) fn token_in(query: &str) -> String {
    let form = anteroom_oidc::form::UrlEncodedForm::decode(query.as_bytes()).ok();
    let token = form.as_ref().and_then(|form| form.once("token").ok().flatten()).unwrap_or_default();
    token.chars().take(MAX_TOKEN_CHARS).collect()
}

/// The link is not looked up: mail scanners open links, and the page is the same for every link.
pub(crate) async fn link(query: RawQuery, context: PageContext) -> Response {
    let view = RecoveryLinkPage {
        form_token: token_without_account(&context, FormName::Recover),
        token: token_in(query.0.as_deref().unwrap_or_default()),
    };
    PageResponse::of(&context).page(StatusCode::OK, &view)
}

pub(crate) struct RecoveryLinkForm {
    token: String,
}

impl FormFields for RecoveryLinkForm {
    const NAME: FormName = FormName::Recover;
    const NEEDS_COOKIES: bool = true;

    fn read(sent: &ReceivedForm) -> Result<Self, PageError> {
        Ok(Self { token: sent.field("token").to_owned() })
    }

    fn reload_path(sent: &ReceivedForm) -> String {
        format!("{RECOVER}?{}", anteroom_oidc::form::encode([("token", sent.field("token"))]))
    }
}

pub(crate) async fn follow(Form { context, fields }: Form<RecoveryLinkForm>) -> Response {
    finish(&context, followed(&context, &fields.token).await).await
}

async fn followed(context: &PageContext, token: &str) -> Result<Response, PageError> {
    match follow_link(&context.visit, token).await? {
        FollowLinkOutcome::Next(next) => respond_to_form(context, next),
        FollowLinkOutcome::LinkInvalid => Err(link_invalid()),
    }
}

fn link_invalid() -> PageError {
    let forward = NextLink { kind: NextLinkKind::Recover, href: FORGOT_PASSWORD.to_owned() };
    PageError::page(StatusCode::GONE, ErrorKind::InvalidLink, forward)
}

pub(crate) struct RecoveryCodeForm {
    code: String,
    interaction_ref: InteractionRef,
}

impl FormFields for RecoveryCodeForm {
    const NAME: FormName = FormName::MailedCode;

    fn read(sent: &ReceivedForm) -> Result<Self, PageError> {
        Ok(Self {
            code: sent.line("code", MAX_TOKEN_CHARS),
            interaction_ref: sent.require_interaction_ref()?,
        })
    }

    fn reload_path(sent: &ReceivedForm) -> String {
        sent.reload_path_or(FORGOT_PASSWORD)
    }
}

pub(crate) async fn type_code(Form { context, fields }: Form<RecoveryCodeForm>) -> Response {
    finish(&context, entered(&context, fields).await).await
}

async fn entered(
    context: &PageContext,
    RecoveryCodeForm { code, interaction_ref }: RecoveryCodeForm,
) -> Result<Response, PageError> {
    let visit = &context.visit;
    if code.is_empty() {
        let Ok(interaction) = open(visit, &interaction_ref).await? else {
            return Err(PageError::mail_requested_elsewhere(context, None)?);
        };
        return asked_page(context, &interaction, Some(RecoveryAskedProblem::Missing));
    }
    match enter_mailed_code(visit, interaction_ref, &code).await? {
        MailedCodeOutcome::Next(next) => respond_to_form(context, next),
        MailedCodeOutcome::Wrong(interaction) => {
            asked_page(context, &interaction, Some(RecoveryAskedProblem::Wrong))
        }
        MailedCodeOutcome::MailRequestedElsewhere(interaction) => {
            Err(PageError::mail_requested_elsewhere(context, Some(&interaction))?)
        }
        MailedCodeOutcome::InteractionNotFound => Err(PageError::mail_requested_elsewhere(context, None)?),
    }
}
