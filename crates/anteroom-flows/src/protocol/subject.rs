//! The `sub`, `sid` and standard claims of an account, as a client gets them.

use anteroom_domain::account::{Account, GroupName};
use anteroom_domain::client::Client;
use anteroom_domain::ids::{AccountId, SessionId};
use anteroom_domain::subject::{self, SessionSid, SubjectNamespace};
use anteroom_oidc::Subject;
use anteroom_oidc::claims::{AddressClaim, StandardClaims};

use crate::context::call::Call;
use crate::error::FlowError;

/// Who the account is to this client.
pub(crate) fn subject(call: &Call, client: &Client, account: AccountId) -> Result<Subject, FlowError> {
    subject_of_kind(call, &SubjectNamespace::of(client), account)
}

/// The same for a client of then, which may be another now.
pub(crate) fn subject_of_kind(
    call: &Call,
    kind: &SubjectNamespace,
    account: AccountId,
) -> Result<Subject, FlowError> {
    subject::subject(call.keyring(), kind, account).map_err(|_| FlowError::Broken("account as subject"))
}

/// What this client calls a session.
pub(crate) fn sid(call: &Call, client: &Client, session: impl Into<SessionSid>) -> String {
    sid_of_kind(call, &SubjectNamespace::of(client), session.into())
}

pub(crate) fn sid_of_kind(call: &Call, kind: &SubjectNamespace, session: SessionSid) -> String {
    subject::sid(call.keyring(), kind, session)
}

/// By which kind of `sub` and `sid` the client is told of the end of a session that it took part in ([`SubjectNamespace::for_logout_token`]).
pub(crate) fn logout_subject_kind(
    call: &Call,
    client: &Client,
    noted: Option<&SubjectNamespace>,
) -> Option<SubjectNamespace> {
    let is_configured = call.snapshot().clients.is_configured(client.id());
    SubjectNamespace::for_logout_token(noted, client, is_configured)
}

/// The session as clients may name it, by its row. A row is kept for longer than the end of its session is announced.
pub(crate) async fn named_session(call: &Call, id: SessionId) -> Result<SessionSid, FlowError> {
    let row = call.store().session(id).await?;
    Ok(row.as_ref().map_or(SessionSid { id, by_sector: true }, SessionSid::from))
}

/// Whether the address may stand in for a name. It is the same for every client, so it does not stand beside a pairwise `sub`,
/// which it would undo (OpenID Connect Core §8.1).
pub(crate) fn may_use_email_as_username(client: &Client) -> bool {
    client.metadata.sector.is_none()
}

/// All that is known of the person, in the standard's words (OpenID Connect Core §5.1). Of the groups, those that the
/// configuration defines: an application would take another one for what it meant before.
pub(crate) fn standard_claims(account: &Account, defined: &[GroupName]) -> StandardClaims {
    let profile = account.profile.clone();
    let email = account.primary_address.as_str().to_owned();
    StandardClaims {
        name: profile.name,
        given_name: profile.given_name,
        family_name: profile.family_name,
        middle_name: profile.middle_name,
        nickname: profile.nickname,
        preferred_username: profile.preferred_username,
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
        groups: account
            .groups
            .iter()
            .filter(|group| defined.contains(group))
            .map(ToString::to_string)
            .collect(),
    }
}
