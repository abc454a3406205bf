//! `/account/factors`: authenticator apps of the person who is signed in.

use anteroom_domain::ids::FactorId;
use anteroom_domain::totp::AuthenticatorApp;
use anteroom_flows::context::call::FormOwner;
use anteroom_flows::context::live::ActiveSession;
use anteroom_flows::people::authenticator_apps::{
    AuthenticatorList, BeginOutcome, ConfirmOutcome, Enrolment, RemoveOutcome, begin, confirm, enrolment,
    list, remove,
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

use crate::asker::PageContext;
use crate::failure::{PageError, finish};
use crate::form_token::FormName;
use crate::forms::{Form, FormFields, ReceivedForm, token_for};
use crate::pages::step::{DASHBOARD, go, show as show_onward};
use crate::respond::{PageResponse, moment, redirect_in_browser, see_other};
use crate::segment::PathParam;

pub(crate) const FACTORS: &str = "/account/factors";

/// A browser that comes back to the address of a form.
pub(crate) async fn to_list() -> Response {
    see_other(FACTORS)
}

pub(crate) async fn show(asker: PageContext, RawQuery(query): RawQuery) -> Response {
    let notice = match query.as_deref() {
        Some("added") => Some(FactorsNotice::Added),
        Some("removed") => Some(FactorsNotice::Removed),
        Some("not-there") => Some(FactorsNotice::NotThere),
        _ => None,
    };
    let listed = list(&asker.visit).await.map_err(PageError::from);
    let response = listed.and_then(|listed| match listed {
        Ok(listed) => Ok(page(&asker, &listed, (notice, None))),
        Err(onward) => show_onward(&asker, onward),
    });
    finish(&asker, response).await
}

fn page(
    asker: &PageContext,
    listed: &AuthenticatorList,
    (notice, problem): (Option<FactorsNotice>, Option<FactorsProblem>),
) -> Response {
    let status = if problem.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let numbered = (1..).zip(&listed.apps);
    let view = FactorsPage {
        form_token: token_for(asker, FormName::Factors, FormOwner::of(&listed.live)),
        factors: numbered.map(|(number, app)| factor(asker, listed, (number, app))).collect(),
        can_add: listed.can_add,
        notice,
        problem,
        dashboard_href: DASHBOARD.to_owned(),
    };
    signed_in(asker, &listed.live).page(status, &view)
}

fn signed_in<'a>(asker: &'a PageContext, live: &ActiveSession) -> PageResponse<'a> {
    PageResponse::of(asker).signed_in(&live.account).of_session(&live.session).isolated_from_opener()
}

fn factor(
    asker: &PageContext,
    listed: &AuthenticatorList,
    (number, app): (u32, &AuthenticatorApp),
) -> AuthenticatorAppItem {
    let waits = app.usable_from > asker.visit.now;
    AuthenticatorAppItem {
        id: app.id.to_string(),
        number,
        added_on: moment(asker, app.created_at).date,
        serves_from: waits.then(|| moment(asker, app.usable_from)),
        can_remove: listed.may_remove(app, asker.visit.now),
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

pub(crate) async fn add(Form { asker, fields: AddAppForm }: Form<AddAppForm>) -> Response {
    finish(&asker, added(&asker).await).await
}

async fn added(asker: &PageContext) -> Result<Response, PageError> {
    match begin(&asker.visit).await? {
        BeginOutcome::Begun(id) => Ok(redirect_in_browser(asker, &format!("{FACTORS}/{id}"))),
        // The page says so, and has no button any more.
        BeginOutcome::TooMany => Ok(see_other(FACTORS)),
        BeginOutcome::Elsewhere(onward) => go(asker, onward),
    }
}

/// `GET /account/factors/{id}`: the key of an app whose first code is awaited.
pub(crate) async fn enrol(asker: PageContext, PathParam(id): PathParam<String>) -> Response {
    let found = begun(&asker, &id).await;
    let response = found.map(|found| match found {
        Some(enrolment) => enrolment_page(&asker, &enrolment, None),
        None => see_other(FACTORS),
    });
    finish(&asker, response).await
}

async fn begun(asker: &PageContext, id: &str) -> Result<Option<Enrolment>, PageError> {
    let Ok(id) = id.parse::<FactorId>() else { return Ok(None) };
    Ok(enrolment(&asker.visit, id).await?)
}

fn enrolment_page(asker: &PageContext, enrolment: &Enrolment, problem: Option<EnrolProblem>) -> Response {
    let status = if problem.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let id = enrolment.app.id;
    let view = EnrolFactorPage {
        form_token: token_for(asker, FormName::Factors, FormOwner::of(&enrolment.live)),
        factor: id.to_string(),
        secret: enrolment.secret.typed(),
        qr_href: format!("{FACTORS}/{id}/qr.svg"),
        problem,
    };
    signed_in(asker, &enrolment.live).page(status, &view)
}

/// `GET /account/factors/{id}/qr.svg`: the key as a picture.
pub(crate) async fn picture(asker: PageContext, PathParam(id): PathParam<String>) -> Response {
    let drawn = begun(&asker, &id).await.map(|found| found.and_then(|enrolment| draw(&asker, &enrolment)));
    match drawn {
        Ok(Some(svg)) => {
            let headers = [
                (CONTENT_TYPE, HeaderValue::from_static("image/svg+xml")),
                (CACHE_CONTROL, HeaderValue::from_static("no-store")),
            ];
            (headers, svg).into_response()
        }
        Ok(None) => StatusCode::NOT_FOUND.into_response(),
        Err(failure) => finish(&asker, Err(failure)).await,
    }
}

fn draw(asker: &PageContext, enrolment: &Enrolment) -> Option<String> {
    let snapshot = asker.visit.snapshot();
    let account = enrolment.live.account.primary_address.as_str();
    let url = enrolment.secret.url(&snapshot.practice.name, account).ok()?;
    let code = QrCode::new(url).ok()?;
    // Dark on light with its quiet zone, whatever the page's colours: cameras want it so.
    Some(code.render::<svg::Color<'_>>().min_dimensions(220, 220).build())
}

pub(crate) struct ConfirmAppForm {
    factor: Option<FactorId>,
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

pub(crate) async fn enter(Form { asker, fields }: Form<ConfirmAppForm>) -> Response {
    finish(&asker, entered(&asker, fields).await).await
}

async fn entered(
    asker: &PageContext,
    ConfirmAppForm { factor, code }: ConfirmAppForm,
) -> Result<Response, PageError> {
    let outcome = match factor {
        Some(id) => confirm(&asker.visit, id, &code).await?,
        None => ConfirmOutcome::Gone,
    };
    match outcome {
        ConfirmOutcome::Confirmed => Ok(see_other(&format!("{FACTORS}?added"))),
        ConfirmOutcome::Missing(enrolment) => {
            Ok(enrolment_page(asker, &enrolment, Some(EnrolProblem::Missing)))
        }
        ConfirmOutcome::Wrong(enrolment) => Ok(enrolment_page(asker, &enrolment, Some(EnrolProblem::Wrong))),
        ConfirmOutcome::Gone => match list(&asker.visit).await? {
            Ok(listed) => Ok(page(asker, &listed, (None, Some(FactorsProblem::TooLate)))),
            Err(onward) => show_onward(asker, onward),
        },
    }
}

pub(crate) struct RemoveAppForm {
    factor: Option<FactorId>,
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

pub(crate) async fn take_off(Form { asker, fields }: Form<RemoveAppForm>) -> Response {
    finish(&asker, taken_off(&asker, fields).await).await
}

async fn taken_off(
    asker: &PageContext,
    RemoveAppForm { factor }: RemoveAppForm,
) -> Result<Response, PageError> {
    let outcome = match factor {
        Some(id) => remove(&asker.visit, id).await?,
        None => RemoveOutcome::NotThere,
    };
    match outcome {
        RemoveOutcome::Removed => Ok(see_other(&format!("{FACTORS}?removed"))),
        RemoveOutcome::NotThere => Ok(see_other(&format!("{FACTORS}?not-there"))),
        // The page says so, and has no button for it.
        RemoveOutcome::LastOne => Ok(see_other(FACTORS)),
        RemoveOutcome::Elsewhere(onward) => go(asker, onward),
    }
}
