//! `GET /dashboard`, and `GET /open/CLIENT`, the link of a tile.

use anteroom_domain::account::Account;
use anteroom_flows::context::call::FormOwner;
use anteroom_flows::people::dashboard::{Dashboard, TileTarget, TileView, dashboard, open_tile};
use anteroom_oidc::ClientId;
use anteroom_pages::{
    DashboardPage, ErrorKind, NextLink, NextLinkKind, PasswordWarning, SignedInAccount, Tile,
};
use axum::http::StatusCode;
use axum::response::Response;

use crate::form_token::FormName;
use crate::page_context::PageContext;
use crate::page_error::{PageError, finish};
use crate::page_token::token_for;
use crate::pages::session_time::redirect_to_sign_in;
use crate::path_param::PathParam;
use crate::paths::{CHANGE_PASSWORD, CHOOSE_ACCOUNT, DASHBOARD, FACTORS, PROFILE, open_href};
use crate::respond::{PageResponse, redirect_to, see_other};

/// `GET /`: redirects to the dashboard, which redirects a person who is not signed in to sign-in.
pub(crate) async fn home() -> Response {
    see_other(DASHBOARD)
}

pub(crate) async fn show(context: PageContext) -> Response {
    finish(&context, shown(&context).await).await
}

async fn shown(context: &PageContext) -> Result<Response, PageError> {
    let Some(view) = dashboard(&context.visit).await? else {
        return redirect_to_sign_in(context).await;
    };
    let Dashboard { account, session, tiles, password_days_left, others } = view;
    let owner = FormOwner { session: Some(session.id), account: Some(account.id) };
    let page = DashboardPage {
        form_token: token_for(context, FormName::SignOut, owner),
        person_name: account.display_name().to_owned(),
        email: account.primary_address.as_str().to_owned(),
        tiles: tiles.into_iter().map(tile).collect(),
        password_warning: password_days_left.map(|days| PasswordWarning { days: u32::from(days) }),
        change_password_href: CHANGE_PASSWORD.to_owned(),
        profile_href: PROFILE.to_owned(),
        factors_href: FACTORS.to_owned(),
        other_account_href: if others.is_empty() { "/sign-in?another=1" } else { CHOOSE_ACCOUNT }.to_owned(),
        others: others.iter().map(person).collect(),
    };
    let frame = PageResponse::of(context).signed_in(&account).of_session(&session).isolated_from_opener();
    Ok(frame.page(StatusCode::OK, &page))
}

pub(crate) fn person(account: &Account) -> SignedInAccount {
    SignedInAccount {
        name: account.display_name().to_owned(),
        email: account.primary_address.as_str().to_owned(),
    }
}

fn tile(TileView { client, tile }: TileView<'_>) -> Tile {
    Tile {
        name: tile.name.clone(),
        description: tile.description.clone(),
        icon: tile.icon.clone(),
        href: open_href(client),
    }
}

pub(crate) async fn open(PathParam(client): PathParam<String>, context: PageContext) -> Response {
    finish(&context, opened(&context, &client).await).await
}

async fn opened(context: &PageContext, client: &str) -> Result<Response, PageError> {
    let absent = || {
        let forward = NextLink { kind: NextLinkKind::Dashboard, href: DASHBOARD.to_owned() };
        PageError::page(StatusCode::NOT_FOUND, ErrorKind::NotFound, forward)
    };
    let client: ClientId = client.parse().map_err(|_| absent())?;
    match open_tile(&context.visit, &client).await? {
        TileTarget::Application(target) => Ok(redirect_to(context, &target)),
        TileTarget::NotSignedIn => redirect_to_sign_in(context).await,
        TileTarget::Absent => Err(absent()),
    }
}
