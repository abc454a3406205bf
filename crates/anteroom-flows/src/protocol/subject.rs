//! The `sub`, `sid` and standard claims of an account for one client.

use anteroom_domain::account::{Account, GroupName};
use anteroom_domain::client::Client;
use anteroom_domain::ids::{AccountId, SessionId};
use anteroom_domain::subject::{self, SessionSid, SubjectNamespace};
use anteroom_oidc::Subject;
use anteroom_oidc::claims::{AddressClaim, StandardClaims};

use crate::context::call::Call;
use crate::error::FlowError;

/// The `sub` of the account for this client.
pub(crate) fn subject(call: &Call, client: &Client, account: AccountId) -> Result<Subject, FlowError> {
    subject_of_kind(call, &SubjectNamespace::of(client), account)
}

/// The `sub` in the namespace that the client had when the grant was written; the client may have another now.
pub(crate) fn subject_of_kind(
    call: &Call,
    kind: &SubjectNamespace,
    account: AccountId,
) -> Result<Subject, FlowError> {
    subject::subject(call.keyring(), kind, account).map_err(|_| FlowError::Inconsistent("account as subject"))
}

/// The `sid` of a session for this client.
pub(crate) fn sid(call: &Call, client: &Client, session: impl Into<SessionSid>) -> String {
    sid_of_kind(call, &SubjectNamespace::of(client), session.into())
}

pub(crate) fn sid_of_kind(call: &Call, kind: &SubjectNamespace, session: SessionSid) -> String {
    subject::sid(call.keyring(), kind, session)
}

/// The kind of `sub` and `sid` in a logout token for this client ([`SubjectNamespace::for_logout_token`]). `None`: the client
/// must not get one.
pub(crate) fn logout_subject_kind(
    call: &Call,
    client: &Client,
    noted: Option<&SubjectNamespace>,
) -> Option<SubjectNamespace> {
    let is_configured = call.snapshot().clients.is_configured(client.id());
    SubjectNamespace::for_logout_token(noted, client, is_configured)
}

/// The session with its kind of `sid`, from its row. Rows are kept for longer than logout tokens are sent.
pub(crate) async fn named_session(call: &Call, id: SessionId) -> Result<SessionSid, FlowError> {
    let row = call.store().session(id).await?;
    Ok(row.as_ref().map_or(SessionSid { id, by_sector: true }, SessionSid::from))
}

/// Whether the client may get the email address as the `preferred_username`. The address is the same for every client, so a
/// client with a pairwise `sub` must not get it (OpenID Connect Core §8.1).
pub(crate) fn may_use_email_as_username(client: &Client) -> bool {
    client.metadata.sector.is_none()
}

/// All standard claims of the account (OpenID Connect Core §5.1). Groups that the configuration does not define any more are left
/// out: an application would still give them their former meaning.
pub(crate) fn standard_claims<'a>(account: &'a Account, defined: &[GroupName]) -> StandardClaims<'a> {
    let profile = &account.profile;
    StandardClaims {
        name: profile.name.as_deref(),
        given_name: profile.given_name.as_deref(),
        family_name: profile.family_name.as_deref(),
        middle_name: profile.middle_name.as_deref(),
        nickname: profile.nickname.as_deref(),
        preferred_username: profile.preferred_username.as_deref(),
        profile: profile.profile.as_deref(),
        picture: profile.picture.as_deref(),
        website: profile.website.as_deref(),
        gender: profile.gender.as_deref(),
        birthdate: profile.birthdate.as_deref(),
        zoneinfo: profile.zoneinfo.as_deref(),
        locale: account.locale.as_deref(),
        updated_at: Some(account.updated_at),
        email: Some(account.primary_address.as_str()),
        email_verified: Some(account.address_verified),
        phone_number: account.phone.as_ref().map(|phone| phone.0.as_str()),
        phone_number_verified: account.phone.as_ref().map(|_| true),
        address: profile.address.as_ref().map(|address| AddressClaim {
            formatted: address.formatted.as_deref(),
            street_address: address.street_address.as_deref(),
            locality: address.locality.as_deref(),
            region: address.region.as_deref(),
            postal_code: address.postal_code.as_deref(),
            country: address.country.as_deref(),
        }),
        groups: account
            .groups
            .iter()
            .filter(|group| defined.contains(group))
            .map(ToString::to_string)
            .collect(),
    }
}
