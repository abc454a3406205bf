//! Where [`Onward`] says a person goes, as a response: the one match from outcome to page.

use anteroom_domain::account::Account;
use anteroom_domain::next_step::SignInReason;
use anteroom_flows::journey::{Waiting, open};
use anteroom_flows::onward::{Onward, Step, StepPage, proceed};
use anteroom_flows::visitor::Live;
use anteroom_pages::{
    AccountChoice, ChooseAccountPage, ConsentPage, Date, NotEntitledPage, PasswordExpiredPage, SignInNotice,
    SignInPage, Step as Unavailable, StepUnavailablePage,
};
use axum::http::StatusCode;
use axum::response::Response;

use crate::asker::Asker;
use crate::failure::{Failure, finish};
use crate::form_token::FormName;
use crate::forms::token_for;
use crate::pages::consent::consent_scopes;
use crate::respond::{Frame, application_gone, see_next, see_other, to_application};

pub(crate) const DASHBOARD: &str = "/dashboard";
pub(crate) const FORGOT_PASSWORD: &str = "/forgot-password";
pub(crate) const COMPLETE_REGISTRATION: &str = "/complete-registration";

/// In answer to a GET: the page itself.
pub(crate) fn show(asker: &Asker, onward: Onward) -> Result<Response, Failure> {
    match onward {
        Onward::Page(page) => step_page(asker, *page),
        Onward::Application(response) => Ok(to_application(asker, &response)),
        Onward::Dashboard => Ok(see_other(DASHBOARD)),
        Onward::ApplicationGone => Err(application_gone()),
    }
}

/// In answer to a form: by way of a redirect, so that refresh and Back work.
pub(crate) fn go(asker: &Asker, onward: Onward) -> Result<Response, Failure> {
    match onward {
        Onward::Page(page) => Ok(see_next(asker, &continue_address(asker, &page)?)),
        elsewhere => show(asker, elsewhere),
    }
}

fn continue_address(asker: &Asker, page: &StepPage) -> Result<String, Failure> {
    let handle = page.carried.field(&asker.web.provider)?;
    Ok(handle.map_or_else(|| "/sign-in".to_owned(), |handle| format!("/continue?interaction={handle}")))
}

/// `GET /continue?interaction=…`: wherever the journey stands.
pub(crate) async fn resume(asker: Asker, query: axum::extract::RawQuery) -> Response {
    finish(&asker, resumed(&asker, query.0.as_deref().unwrap_or_default()).await).await
}

async fn resumed(asker: &Asker, query: &str) -> Result<Response, Failure> {
    let provider = &asker.web.provider;
    let waiting = waiting_in(query).ok_or_else(Failure::interaction_expired)?;
    let Ok(carried) = open(provider, &asker.visitor, waiting).await? else {
        return Err(Failure::interaction_expired());
    };
    show(asker, proceed(provider, &asker.visitor, carried).await?)
}

/// The journey named in an address.
pub(crate) fn waiting_in(query: &str) -> Option<Waiting> {
    let form = anteroom_oidc::form::Form::decode(query.as_bytes()).ok()?;
    Waiting::parse(form.once("interaction").ok()??)
}

fn step_page(asker: &Asker, page: StepPage) -> Result<Response, Failure> {
    let StepPage { step, client, carried } = page;
    let interaction = carried.field(&asker.web.provider)?;
    let application_name = client.as_ref().map(|client| client.display_name().to_owned());
    let locales = carried.journey.request().map(|request| request.ui_locales.clone()).unwrap_or_default();
    let frame = Frame::of(asker).in_language_of(&locales);
    let token = |form| token_for(asker, form);
    let response = match step {
        Step::SignIn { reason, email } => {
            let view = SignInPage {
                form_token: token(FormName::SignIn),
                interaction,
                email,
                application_name,
                problem: None,
                notice: notice(reason),
                forgot_password_href: FORGOT_PASSWORD.to_owned(),
                registration_href: COMPLETE_REGISTRATION.to_owned(),
            };
            frame.leads_to_client().page(StatusCode::OK, &view)
        }
        Step::ChooseAccount(live) => {
            let view = ChooseAccountPage {
                form_token: token(FormName::ChooseAccount),
                interaction,
                application_name,
                accounts: choices(&live),
            };
            frame.leads_to_client().page(StatusCode::OK, &view)
        }
        Step::Consent { scope, person } => {
            let metadata = client.as_ref().map(|client| &client.metadata);
            let uri = |uri: Option<&url::Url>| uri.map(ToString::to_string);
            let view = ConsentPage {
                form_token: token(FormName::Consent),
                interaction,
                application_name: application_name.unwrap_or_default(),
                scopes: consent_scopes(&scope),
                policy_uri: uri(metadata.and_then(|metadata| metadata.policy_uri.as_ref())),
                tos_uri: uri(metadata.and_then(|metadata| metadata.tos_uri.as_ref())),
            };
            frame.signed_in(&person.account).leads_to_client().page(StatusCode::OK, &view)
        }
        Step::NotEntitled(account) => {
            let view = NotEntitledPage {
                form_token: token(FormName::NotEntitled),
                interaction,
                application_name: application_name.unwrap_or_default(),
                dashboard_href: DASHBOARD.to_owned(),
            };
            frame.signed_in(&account).leads_to_client().page(StatusCode::FORBIDDEN, &view)
        }
        Step::ExpiredPassword { account, set_at } => {
            let snapshot = asker.web.provider.snapshot();
            let days = snapshot.policy.password_age.max_age_days.unwrap_or_default();
            let set_on = set_at.to_zoned_datetime(snapshot.practice.time_zone.clone());
            let view = PasswordExpiredPage {
                form_token: token(FormName::ExpiredPassword),
                interaction,
                email: account.primary_address.as_str().to_owned(),
                days: u32::from(days),
                set_on: Date { year: set_on.year(), month: set_on.month(), day: set_on.day() },
            };
            frame.page(StatusCode::OK, &view)
        }
        Step::CompleteRegistration => unavailable(frame, Unavailable::Registration),
        Step::StepUp => unavailable(frame, Unavailable::StepUp),
        Step::NoSecondFactor => unavailable(frame, Unavailable::PhoneCode),
    };
    Ok(response)
}

fn unavailable(frame: Frame<'_>, step: Unavailable) -> Response {
    frame.page(StatusCode::OK, &StepUnavailablePage { step, back_href: DASHBOARD.to_owned() })
}

fn notice(reason: SignInReason) -> Option<SignInNotice> {
    match reason {
        SignInReason::NobodyThere | SignInReason::AccountInactive => None,
        SignInReason::LoginRequested | SignInReason::TooLongAgo | SignInReason::OtherAccount => {
            Some(SignInNotice::Reauthenticate)
        }
    }
}

pub(crate) fn choices(live: &[Live]) -> Vec<AccountChoice> {
    let choice = |account: &Account, handle: String| AccountChoice {
        name: account.display_name().to_owned(),
        email: account.primary_address.as_str().to_owned(),
        handle,
    };
    live.iter().map(|one| choice(&one.account, one.session.id.to_string())).collect()
}
