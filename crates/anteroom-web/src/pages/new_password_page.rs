//! "Choose a new password": the page.

use anteroom_domain::account::Account;
use anteroom_domain::next_step::NewPasswordReason as Reason;
use anteroom_pages::{NewPasswordPage, NewPasswordProblem, NewPasswordReason};
use axum::http::StatusCode;
use axum::response::Response;

use crate::form_token::FormName;
use crate::page_token::token_for;
use crate::pages::step_view::StepView;

pub(crate) fn page(
    shown: StepView<'_>,
    reason: Reason,
    account: &Account,
    fault: Option<NewPasswordProblem>,
) -> Response {
    let policy = shown.context.visit.snapshot().policy.new_password;
    let status = if fault.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let view = NewPasswordPage {
        form_token: token_for(shown.context, FormName::NewPassword, shown.owner),
        interaction: shown.interaction,
        reason: match reason {
            Reason::Recovery => NewPasswordReason::Recovery,
            Reason::Expired => NewPasswordReason::Expired,
            Reason::Chosen => NewPasswordReason::Chosen,
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
