//! Forms that people submit: parsed, from our own page, with a token that was made for them.

use anteroom_flows::journey::Waiting;
use anteroom_flows::limits::{form_owner, spend_form, spend_sign_out};
use anteroom_oidc::Issuer;
use anteroom_oidc::form::Form;
use anteroom_pages::ErrorKind;
use axum::body::Body;
use axum::extract::{FromRequest, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use std::sync::Arc;

use crate::asker::Asker;
use crate::failure::{Failure, to_sign_in};
use crate::form_token::{self, FormName, Moment, Stale};
use crate::origin::{self, Vouched};
use crate::pages::step::{COMPLETE_REGISTRATION, FORGOT_PASSWORD};
use crate::state::Web;

/// A form as it came, from a page of ours as far as the browser says; its token is not checked yet, because only the handler
/// knows which form it is and what a stale one deserves.
pub(crate) struct Posted {
    pub asker: Asker,
    fields: Form,
    vouched: Vouched,
}

impl FromRequest<Arc<Web>> for Posted {
    type Rejection = Response;

    async fn from_request(request: Request, web: &Arc<Web>) -> Result<Self, Self::Rejection> {
        let (mut parts, body) = request.into_parts();
        let Ok(asker) =
            <Asker as axum::extract::FromRequestParts<_>>::from_request_parts(&mut parts, web).await;
        let read = Self::read(&parts.headers, body, web).await;
        let counted = match read {
            Ok(read) => count(&asker, parts.uri.path()).await.map(|()| read),
            Err(failure) => Err(failure),
        };
        match counted {
            Ok((fields, vouched)) => Ok(Self { asker, fields, vouched }),
            Err(failure) => Err(failure.answer(&asker).await),
        }
    }
}

impl Posted {
    async fn read(headers: &HeaderMap, body: Body, web: &Web) -> Result<(Form, Vouched), Failure> {
        let vouched = own_page(headers, &web.provider.snapshot().issuer)?;
        if !is_form(headers) {
            return Err(malformed());
        }
        let body = axum::body::to_bytes(body, web.settings.max_body).await.map_err(|_| too_large())?;
        let fields = Form::decode(&body).map_err(|_| malformed())?;
        Ok((fields, vouched))
    }
}

/// Forms that their use case counts by address.
const COUNTED_BY_ADDRESS: [&str; 3] = ["/sign-in", FORGOT_PASSWORD, COMPLETE_REGISTRATION];

/// Before anything is done for a form.
async fn count(asker: &Asker, path: &str) -> Result<(), Failure> {
    if COUNTED_BY_ADDRESS.contains(&path) {
        return Ok(());
    }
    let (provider, visitor) = (&asker.web.provider, &asker.visitor);
    let owner = form_owner(provider, visitor).await?;
    if path == "/sign-out" {
        return Ok(spend_sign_out(provider, visitor, owner).await?);
    }
    Ok(spend_form(provider, visitor, owner).await?)
}

fn own_page(headers: &HeaderMap, issuer: &Issuer) -> Result<Vouched, Failure> {
    let cross_site = |_| Failure::page(StatusCode::FORBIDDEN, ErrorKind::CrossSite, to_sign_in());
    origin::of_form(headers, issuer).map_err(cross_site)
}

pub(crate) fn is_form(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    kind.eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

fn malformed() -> Failure {
    Failure::page(StatusCode::BAD_REQUEST, ErrorKind::InvalidRequest, to_sign_in())
}

fn too_large() -> Failure {
    Failure::page(StatusCode::PAYLOAD_TOO_LARGE, ErrorKind::TooLarge, to_sign_in())
}

impl Posted {
    /// A field's value; empty where it is absent or was sent twice.
    pub(crate) fn field(&self, name: &'static str) -> &str {
        self.fields.once(name).ok().flatten().unwrap_or_default()
    }

    /// A field as it was left, which may be empty; `None` where the form has no such field, or has it twice.
    pub(crate) fn as_left(&self, name: &str) -> Option<&str> {
        self.fields.as_left(name)
    }

    /// What waits behind the form; a value that is none of ours counts as something that cannot be found any more.
    pub(crate) fn waiting(&self) -> Result<Option<Waiting>, Failure> {
        match self.field("interaction") {
            "" => Ok(None),
            text => Waiting::parse(text).map(Some).ok_or_else(Failure::interaction_expired),
        }
    }

    pub(crate) fn check_token(&self, form: FormName) -> Result<(), Stale> {
        let provider = &self.asker.web.provider;
        let lifetime = provider.snapshot().policy.interaction.form_lifetime;
        let token = (form, self.field("form_token"));
        form_token::check(&provider.keyring, token, here(&self.asker), (lifetime, self.vouched))
    }
}

fn here(asker: &Asker) -> Moment {
    Moment { browser: asker.visitor.browser, now: asker.visitor.now }
}

/// The token for a form that is about to be shown.
pub(crate) fn token_for(asker: &Asker, form: FormName) -> String {
    form_token::make(&asker.web.provider.keyring, form, here(asker))
}
