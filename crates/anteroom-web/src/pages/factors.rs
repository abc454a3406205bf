//! `/account/factors`: authenticator apps of the account that is signed in.

use anteroom_domain::ids::AuthenticatorAppId;
use anteroom_domain::totp::AuthenticatorApp;
use anteroom_flows::context::active_session::ActiveSession;
use anteroom_flows::context::call::FormOwner;
use anteroom_flows::people::authenticator_apps::{
    self, AuthenticatorList, BeginOutcome, ConfirmOutcome, Enrolment, RemoveOutcome, begin, enrolment, list,
};
use anteroom_pages::{
    AuthenticatorAppItem, EnrolFactorPage, EnrolProblem, FactorsNotice, FactorsPage, FactorsProblem,
};
use axum::extract::RawQuery;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use qrcode::QrCode;
use qrcode::render::svg;

use crate::form_token::FormName;
use crate::forms::{Form, FormFields, ReceivedForm};
use crate::page_context::PageContext;
use crate::page_error::{PageError, finish};
use crate::page_token::token_for;
use crate::pages::step::{respond_to_form, show_page as show_next};
use crate::path_param::PathParam;
use crate::paths::{DASHBOARD, FACTORS};
use crate::respond::{PageResponse, moment, redirect_in_browser, see_other};

/// A GET of a form's address, for a browser that returns to it.
pub(crate) async fn to_list() -> Response {
    see_other(FACTORS)
}

pub(crate) async fn show(RawQuery(query): RawQuery, context: PageContext) -> Response {
    let notice = match query.as_deref() {
        Some("added") => Some(FactorsNotice::Added),
        Some("removed") => Some(FactorsNotice::Removed),
        Some("not-there") => Some(FactorsNotice::NotThere),
        _ => None,
    };
    let listed = list(&context.visit).await.map_err(PageError::from);
    let response = listed.and_then(|listed| match listed {
        Ok(listed) => Ok(page(&context, &listed, notice, None)),
        Err(next) => show_next(&context, next),
    });
    finish(&context, response).await
}

fn page(
    context: &PageContext,
    listed: &AuthenticatorList,
    notice: Option<FactorsNotice>,
    problem: Option<FactorsProblem>,
) -> Response {
    let status = if problem.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let numbered = (1..).zip(&listed.apps);
    let view = FactorsPage {
        form_token: token_for(context, FormName::Factors, FormOwner::of(&listed.live)),
        factors: numbered.map(|(number, app)| factor(context, listed, number, app)).collect(),
        can_add: listed.can_add,
        notice,
        problem,
        dashboard_href: DASHBOARD.to_owned(),
    };
    signed_in(context, &listed.live).page(status, &view)
}

fn signed_in<'a>(context: &'a PageContext, live: &ActiveSession) -> PageResponse<'a> {
    PageResponse::of(context).signed_in(&live.account).of_session(&live.session).isolated_from_opener()
}

fn factor(
    context: &PageContext,
    listed: &AuthenticatorList,
    number: u32,
    app: &AuthenticatorApp,
) -> AuthenticatorAppItem {
    let is_delayed = app.usable_from > context.visit.now;
    AuthenticatorAppItem {
        id: app.id.to_string(),
        number,
        added_on: moment(context, app.created_at).date,
        serves_from: is_delayed.then(|| moment(context, app.usable_from)),
        can_remove: listed.may_remove(app, context.visit.now),
    }
}

pub(crate) struct AddAppForm;

impl FormFields for AddAppForm {
    const NAME: FormName = FormName::Factors;
    const OF_CURRENT_SESSION: bool = true;

    fn read(_: &ReceivedForm) -> Result<Self, PageError> {
        Ok(Self)
    }

    fn reload_path(_: &ReceivedForm) -> String {
        FACTORS.to_owned()
    }
}

pub(crate) async fn add(Form { context, fields: AddAppForm }: Form<AddAppForm>) -> Response {
    finish(&context, added(&context).await).await
}

async fn added(context: &PageContext) -> Result<Response, PageError> {
    match begin(&context.visit).await? {
        BeginOutcome::Begun(id) => Ok(redirect_in_browser(context, &format!("{FACTORS}/{id}"))),
        // The page says so, and no longer has the button.
        BeginOutcome::TooMany => Ok(see_other(FACTORS)),
        BeginOutcome::Elsewhere(next) => respond_to_form(context, next),
    }
}

/// `GET /account/factors/{id}`: the key of an app whose first code has not been entered yet.
pub(crate) async fn enrol(PathParam(id): PathParam<String>, context: PageContext) -> Response {
    let found = begun(&context, &id).await;
    let response = found.map(|found| match found {
        Some(enrolment) => enrolment_page(&context, &enrolment, None),
        None => see_other(FACTORS),
    });
    finish(&context, response).await
}

async fn begun(context: &PageContext, id: &str) -> Result<Option<Enrolment>, PageError> {
    let Ok(id) = id.parse::<AuthenticatorAppId>() else { return Ok(None) };
    Ok(enrolment(&context.visit, id).await?)
}

fn enrolment_page(context: &PageContext, enrolment: &Enrolment, problem: Option<EnrolProblem>) -> Response {
    let status = if problem.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let id = enrolment.app.id;
    let view = EnrolFactorPage {
        form_token: token_for(context, FormName::Factors, FormOwner::of(&enrolment.live)),
        factor: id.to_string(),
        secret: enrolment.secret.typed(),
        qr_href: format!("{FACTORS}/{id}/qr.svg"),
        problem,
    };
    signed_in(context, &enrolment.live).page(status, &view)
}

/// `GET /account/factors/{id}/qr.svg`: the key as a QR code.
pub(crate) async fn qr_code(PathParam(id): PathParam<String>, context: PageContext) -> Response {
    let drawn =
        begun(&context, &id).await.map(|found| found.and_then(|enrolment| draw(&context, &enrolment)));
    match drawn {
        Ok(Some(svg)) => {
            let headers = [
                (CONTENT_TYPE, HeaderValue::from_static("image/svg+xml")),
                (CACHE_CONTROL, HeaderValue::from_static("no-store")),
            ];
            (headers, svg).into_response()
        }
        Ok(None) => StatusCode::NOT_FOUND.into_response(),
        Err(failure) => finish(&context, Err(failure)).await,
    }
}

fn draw(context: &PageContext, enrolment: &Enrolment) -> Option<String> {
    let snapshot = context.visit.snapshot();
    let account = enrolment.live.account.primary_address.as_str();
    let url = enrolment.secret.url(&snapshot.practice.name, account).ok()?;
    let code = QrCode::new(url).ok()?;
    // Cameras need dark on light with the quiet zone, so the image does not use the theme's colors.
    Some(code.render::<svg::Color<'_>>().min_dimensions(220, 220).build())
}

pub(crate) struct ConfirmAppForm {
    factor: Option<AuthenticatorAppId>,
    code: String,
}

impl FormFields for ConfirmAppForm {
    const NAME: FormName = FormName::Factors;
    const OF_CURRENT_SESSION: bool = true;

    fn read(sent: &ReceivedForm) -> Result<Self, PageError> {
        Ok(Self { factor: sent.field("factor").parse().ok(), code: sent.field("code").to_owned() })
    }

    fn reload_path(_: &ReceivedForm) -> String {
        FACTORS.to_owned()
    }
}

pub(crate) async fn confirm(Form { context, fields }: Form<ConfirmAppForm>) -> Response {
    finish(&context, entered(&context, fields).await).await
}

async fn entered(
    context: &PageContext,
    ConfirmAppForm { factor, code }: ConfirmAppForm,
) -> Result<Response, PageError> {
    let outcome = match factor {
        Some(id) => authenticator_apps::confirm(&context.visit, id, &code).await?,
        None => ConfirmOutcome::Gone,
    };
    match outcome {
        ConfirmOutcome::Confirmed => Ok(see_other(&format!("{FACTORS}?added"))),
        ConfirmOutcome::Missing(enrolment) => {
            Ok(enrolment_page(context, &enrolment, Some(EnrolProblem::Missing)))
        }
        ConfirmOutcome::Wrong(enrolment) => {
            Ok(enrolment_page(context, &enrolment, Some(EnrolProblem::Wrong)))
        }
        ConfirmOutcome::Gone => match list(&context.visit).await? {
            Ok(listed) => Ok(page(context, &listed, None, Some(FactorsProblem::TooLate))),
            Err(next) => show_next(context, next),
        },
    }
}

pub(crate) struct RemoveAppForm {
    factor: Option<AuthenticatorAppId>,
}

impl FormFields for RemoveAppForm {
    const NAME: FormName = FormName::Factors;
    const OF_CURRENT_SESSION: bool = true;

    fn read(sent: &ReceivedForm) -> Result<Self, PageError> {
        Ok(Self { factor: sent.field("factor").parse().ok() })
    }

    fn reload_path(_: &ReceivedForm) -> String {
        FACTORS.to_owned()
    }
}

pub(crate) async fn remove(Form { context, fields }: Form<RemoveAppForm>) -> Response {
    finish(&context, taken_off(&context, fields).await).await
}

async fn taken_off(
    context: &PageContext,
    RemoveAppForm { factor }: RemoveAppForm,
) -> Result<Response, PageError> {
    let outcome = match factor {
        Some(id) => authenticator_apps::remove(&context.visit, id).await?,
        None => RemoveOutcome::NotThere,
    };
    match outcome {
        RemoveOutcome::Removed => Ok(see_other(&format!("{FACTORS}?removed"))),
        RemoveOutcome::NotThere => Ok(see_other(&format!("{FACTORS}?not-there"))),
        // The page says so, and has no button for it.
        RemoveOutcome::LastOne => Ok(see_other(FACTORS)),
        RemoveOutcome::Elsewhere(next) => respond_to_form(context, next),
    }
}
