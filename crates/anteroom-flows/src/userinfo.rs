//! Userinfo (OpenID Connect Core §5.3): the person's claims, as far as the token's scopes and the `claims` parameter ask.

use anteroom_domain::account::Account;
use anteroom_domain::client::Client;
use anteroom_oidc::Scope;
use anteroom_oidc::authorization::ClaimRequests;
use anteroom_oidc::claims::{AddressClaim, StandardClaims, UserInfo, Wanted, release};
use anteroom_oidc::errors::BearerError;
use anteroom_oidc::jwt::UserInfoClaims;
use jiff::Timestamp;
use secrecy::SecretString;

use crate::error::FlowError;
use crate::introspect::{Living, access_token, living};
use crate::provider::Provider;
use crate::token::mint::subject;

/// The answer, in the form that the client is registered for.
#[derive(Debug)]
pub enum UserInfoAnswer {
    Json(UserInfo),
    /// `application/jwt` (OpenID Connect Core §5.3.2).
    Signed(String),
}

#[derive(Debug, thiserror::Error)]
pub enum UserInfoError {
    #[error(transparent)]
    Bearer(#[from] BearerError),
    #[error(transparent)]
    Flow(#[from] FlowError),
}

const DEAD: BearerError =
    BearerError::InvalidToken("the access token is expired, revoked or not one of ours");

pub async fn userinfo(
    provider: &Provider,
    token: &SecretString,
    now: Timestamp,
) -> Result<UserInfoAnswer, UserInfoError> {
    let snapshot = provider.snapshot();
    let claims = access_token(provider, token, now).ok_or(DEAD)?;
    let client = snapshot.clients.get(&claims.client_id).ok_or(DEAD)?;
    let record = match living(provider, &claims, now).await? {
        Living::Person(record) => record,
        Living::Client | Living::No => return Err(DEAD.into()),
    };
    if !claims.scope.contains(&Scope::OpenId) {
        return Err(BearerError::InsufficientScope([Scope::OpenId].into_iter().collect()).into());
    }
    let nothing = ClaimRequests::default();
    let wanted = Wanted {
        // The token's own: it may have been narrowed below what was granted.
        scope: &claims.scope,
        asked: record.grant.claims.as_ref().map_or(&nothing, |claims| &claims.userinfo),
        allowed: &client.metadata.scope,
    };
    let user_info = UserInfo {
        sub: subject(&record.account)?,
        person: release(&standard_claims(&record.account), wanted),
    };
    answer(provider, client, user_info)
}

fn answer(
    provider: &Provider,
    client: &Client,
    user_info: UserInfo,
) -> Result<UserInfoAnswer, UserInfoError> {
    let Some(algorithm) = client.metadata.userinfo_signed_response_alg else {
        return Ok(UserInfoAnswer::Json(user_info));
    };
    let (keys, issuer) = (provider.key_set(), &provider.snapshot().issuer);
    let claims = UserInfoClaims { iss: issuer, aud: client.id(), user_info: &user_info };
    let signed = claims.sign(keys.signer(algorithm)?);
    Ok(UserInfoAnswer::Signed(signed.map_err(|_| FlowError::Broken("userinfo could not be signed"))?))
}

/// All that is known of the person, in the standard's words (OpenID Connect Core §5.1).
pub(crate) fn standard_claims(account: &Account) -> StandardClaims {
    let profile = account.profile.clone();
    let email = account.primary_address.as_str().to_owned();
    StandardClaims {
        name: profile.name,
        given_name: profile.given_name,
        family_name: profile.family_name,
        middle_name: profile.middle_name,
        nickname: profile.nickname,
        preferred_username: profile.preferred_username.or_else(|| Some(email.clone())),
        profile: profile.profile,
        picture: profile.picture,
        website: profile.website,
        gender: profile.gender,
        birthdate: profile.birthdate,
        zoneinfo: profile.zoneinfo,
        locale: account.locale.clone(),
        updated_at: Some(account.updated_at),
        email: Some(email),
        email_verified: Some(account.address_verified),
        phone_number: account.phone.as_ref().map(|phone| phone.0.clone()),
        phone_number_verified: account.phone.as_ref().map(|_| true),
        address: profile.address.map(|address| AddressClaim {
            formatted: address.formatted,
            street_address: address.street_address,
            locality: address.locality,
            region: address.region,
            postal_code: address.postal_code,
            country: address.country,
        }),
        groups: account.groups.iter().map(ToString::to_string).collect(),
    }
}
