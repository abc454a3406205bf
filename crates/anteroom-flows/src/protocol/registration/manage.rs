//! `/clients/{client_id}` (RFC 7592 §2): a client reads, changes or deletes its registration.

use anteroom_crypto::KeyPurpose;
use anteroom_domain::audit::{Actor, Event};
use anteroom_domain::grant::GrantEnd;
use anteroom_oidc::errors::BearerError;
use anteroom_oidc::{ClientId, ClientMetadata, RegistrationRefusal, RegistrationRequest};
use anteroom_storage::{RegisteredClient, Tx, Unit};
use secrecy::{ExposeSecret as _, SecretString};

use super::register::{accepted, confirm_sector, count, reserved_hosts};
use super::{
    ClientInformation, RegistrationError, RegistrationInput, StoredFacts, TOKEN_CONTEXT, information,
    log_refusal,
};
use crate::context::call::Call;
use crate::context::registered_clients::{parse_stored_metadata, refresh_registered_clients};
use crate::error::FlowError;
use crate::protocol::client_authentication::secret_digest;

/// RFC 7592 §2.1: a wrong token and an unknown client are answered alike.
const BAD_TOKEN: BearerError = BearerError::InvalidToken("not the registration access token of this client");

/// A registration whose token was presented.
struct AuthenticatedRegistration {
    client: RegisteredClient,
    token: SecretString,
}

#[tracing::instrument(name = "read_registration", skip_all)]
pub async fn read(
    call: &Call,
    id: &str,
    token: Result<SecretString, BearerError>,
) -> Result<ClientInformation, RegistrationError> {
    let AuthenticatedRegistration { client, token } = authenticate_registration(call, id, token).await?;
    let snapshot = call.snapshot();
    let facts = StoredFacts::of(&client);
    let mut metadata = parse_stored_metadata(client.client_id, client.metadata, snapshot)
        .map_err(RegistrationRefusal::from)?;
    metadata.scope = metadata.scope.intersection(&snapshot.registration.policy.scope);
    Ok(information(&snapshot.issuer, facts, metadata, None, &token))
}

/// Replaces all metadata: members that the request leaves out are removed (RFC 7592 §2.2). An update that changes nothing writes
/// neither a row nor an audit entry, and does not make the nodes read the client again.
#[tracing::instrument(name = "update_registration", skip_all)]
pub async fn update(
    call: &Call,
    id: &str,
    presented: RegistrationInput<'_>,
) -> Result<ClientInformation, RegistrationError> {
    let registration = authenticate_registration(call, id, presented.token).await?;
    match replace(call, registration, presented.body).await {
        Ok(information) => Ok(information),
        Err(error) => Err(log_refusal(call, error).await),
    }
}

async fn replace(
    call: &Call,
    registration: AuthenticatedRegistration,
    body: Result<&[u8], RegistrationRefusal>,
) -> Result<ClientInformation, RegistrationError> {
    let snapshot = call.snapshot();
    let request = RegistrationRequest::from_json(body?)?;
    let AuthenticatedRegistration { mut client, token } = registration;
    check_names(call, &client, &request)?;
    let reserved = reserved_hosts(call, snapshot, client.with_initial_token).await?;
    let metadata = accepted(client.client_id.clone(), request, snapshot, &reserved)?;
    count(call).await?;
    confirm_sector(call, &metadata).await?;
    // The document of the sector may have been fetched.
    let call = &call.at_present();
    let secret = update_client_secret(call, &mut client, &metadata);
    let written =
        metadata.with_explicit_defaults().map_err(|_| FlowError::Inconsistent("a client's metadata"))?;
    if client.metadata == written && !secret.is_change() {
        // The document of the sector may have taken long: another request may have changed or deleted the client.
        let present = call.store().registered_client(&client.client_id).await.map_err(FlowError::from)?;
        if present.is_none_or(|present| present.revision != client.revision) {
            return Err(changed_meanwhile());
        }
        return Ok(information(&snapshot.issuer, StoredFacts::of(&client), metadata, None, &token));
    }
    let before = std::mem::replace(&mut client.metadata, written);
    let before = parse_stored_metadata(client.client_id.clone(), before, snapshot).ok();
    let ends = EndedByUpdate::between(before.as_ref(), &metadata);
    client.updated_at = call.now;
    let (unit, updated) = call.run(|call| UpdateClient { call, client, ends }).await;
    if !updated? {
        return Err(changed_meanwhile());
    }
    refresh_registered_clients(call.provider()).await?;
    Ok(information(&snapshot.issuer, StoredFacts::of(&unit.client), metadata, secret.drawn(), &token))
}

/// Of two updates at once, one is refused: the client has to read the registration again.
fn changed_meanwhile() -> RegistrationError {
    RegistrationRefusal::metadata("the registration was changed by another request").into()
}

struct UpdateClient {
    call: Call,
    client: RegisteredClient,
    ends: EndedByUpdate,
}

impl Unit for UpdateClient {
    /// `false`: another request has changed it since it was read.
    type Output = bool;
    type Error = FlowError;

    const NAME: &'static str = "update_client";

    async fn run(&self, tx: &Tx) -> Result<bool, FlowError> {
        let Self { call, client, ends } = self;
        let revision = tx.next_clients_revision().await?;
        let updated = tx.update_registered_client(client, revision).await?;
        if updated {
            let grants = ends.write(tx, client).await?;
            let entry = call.entry(Actor::Client, Event::ClientUpdated { grants });
            tx.append(&entry.by_client(&client.client_id)).await?;
        }
        Ok(updated)
    }
}

/// Which grants and consents end, because they were given to the client as it was registered before.
#[derive(Clone, Copy)]
struct EndedByUpdate {
    /// The client would know people by another `sub`, that of another sector (OpenID Connect Core §8.1), or it would get logout
    /// tokens at another host than when they consented.
    grants: Option<GrantEnd>,
    /// The client gets no logout token for earlier sign-ins.
    participation: bool,
    /// People consented to other hosts: a sign-in or sign-out would now redirect to a host that the client did not have then.
    consents: bool,
}

impl EndedByUpdate {
    /// There is no `before` where the configuration does not accept the earlier registration any more.
    fn between(before: Option<&ClientMetadata>, after: &ClientMetadata) -> Self {
        let Some(before) = before else {
            return Self { grants: Some(GrantEnd::SubjectsChanged), participation: true, consents: true };
        };
        let participation = after.changes_logout_hosts(before);
        let grants = if before.sector != after.sector {
            Some(GrantEnd::SubjectsChanged)
        } else if participation {
            Some(GrantEnd::SignOutHostChanged)
        } else {
            None
        };
        let redirects_elsewhere = !after.browser_hosts().is_subset(&before.browser_hosts());
        let notifies_elsewhere = after.logout_host().is_some_and(|host| before.logout_host() != Some(host));
        Self {
            grants,
            participation,
            consents: grants.is_some() || redirects_elsewhere || notifies_elsewhere,
        }
    }

    /// Writes it. Returns how many grants ended.
    async fn write(self, tx: &Tx, client: &RegisteredClient) -> Result<u64, FlowError> {
        let (id, now) = (&client.client_id, client.updated_at);
        if self.consents {
            tx.delete_consents(id).await?;
        }
        let Some(why) = self.grants else { return Ok(0) };
        tx.delete_logout_deliveries(id).await?;
        let grants = tx.revoke_grants_of_client(id, why, now).await?;
        if self.participation {
            tx.exclude_client_from_logout(id).await?;
        }
        Ok(grants)
    }
}

/// RFC 7592 §2.2: `client_id` must be present and be the client's own. `client_secret` may be absent; otherwise it must be the
/// client's own.
fn check_names(
    call: &Call,
    client: &RegisteredClient,
    request: &RegistrationRequest,
) -> Result<(), RegistrationRefusal> {
    if request.client_id.as_deref() != Some(client.client_id.as_str()) {
        return Err(RegistrationRefusal::metadata("client_id: must be that of the client"));
    }
    match &request.client_secret {
        Some(secret) if client.secret != Some(secret_digest(call.keyring(), secret)) => {
            Err(RegistrationRefusal::metadata("client_secret: is not that of the client"))
        }
        _ => Ok(()),
    }
}

/// What an update does to the client's secret.
enum SecretUpdate {
    Kept,
    Removed,
    New(SecretString),
}

impl SecretUpdate {
    const fn is_change(&self) -> bool {
        !matches!(self, Self::Kept)
    }

    const fn drawn(&self) -> Option<&SecretString> {
        match self {
            Self::New(secret) => Some(secret),
            Self::Kept | Self::Removed => None,
        }
    }
}

/// A secret is removed where the new method uses none, and drawn where it uses one and the old method did not.
fn update_client_secret(
    call: &Call,
    client: &mut RegisteredClient,
    metadata: &ClientMetadata,
) -> SecretUpdate {
    let uses_secret = metadata.token_endpoint_auth_method.uses_secret();
    if uses_secret == client.secret.is_some() {
        return SecretUpdate::Kept;
    }
    if !uses_secret {
        client.secret = None;
        return SecretUpdate::Removed;
    }
    let drawn = SecretString::from(call.random().token().encode());
    client.secret = Some(secret_digest(call.keyring(), &drawn));
    SecretUpdate::New(drawn)
}

/// Deletes the registration. What people have granted to the client ends (RFC 7592 §2.3).
#[tracing::instrument(name = "delete_registration", skip_all)]
pub async fn delete(
    call: &Call,
    id: &str,
    token: Result<SecretString, BearerError>,
) -> Result<(), RegistrationError> {
    let registration = authenticate_registration(call, id, token).await?;
    end(call, registration.client.client_id, Actor::Client).await?;
    refresh_registered_clients(call.provider()).await?;
    Ok(())
}

/// Deletes a registration for an operator, without its token. `false`: no client of this identifier has registered itself.
pub async fn remove(call: &Call, id: &ClientId) -> Result<bool, FlowError> {
    end(call, id.clone(), Actor::Operator).await
}

async fn end(call: &Call, client: ClientId, actor: Actor) -> Result<bool, FlowError> {
    call.run(|call| DeleteClient { call, client, actor }).await.1
}

struct DeleteClient {
    call: Call,
    client: ClientId,
    actor: Actor,
}

impl Unit for DeleteClient {
    /// `false`: no client of this identifier has registered itself.
    type Output = bool;
    type Error = FlowError;

    const NAME: &'static str = "delete_client";

    async fn run(&self, tx: &Tx) -> Result<bool, FlowError> {
        let Self { call, client, actor } = self;
        let revision = tx.next_clients_revision().await?;
        if !tx.delete_registered_client(client, revision, call.now).await? {
            return Ok(false);
        }
        let grants = tx.revoke_grants_of_client(client, GrantEnd::ClientDeleted, call.now).await?;
        tx.delete_consents(client).await?;
        tx.append(&call.entry(*actor, Event::ClientDeleted { grants }).by_client(client)).await?;
        Ok(true)
    }
}

async fn authenticate_registration(
    call: &Call,
    id: &str,
    token: Result<SecretString, BearerError>,
) -> Result<AuthenticatedRegistration, RegistrationError> {
    match find(call, id, token).await {
        Ok(registration) => Ok(registration),
        Err(error) => Err(log_refusal(call, error).await),
    }
}

async fn find(
    call: &Call,
    id: &str,
    token: Result<SecretString, BearerError>,
) -> Result<AuthenticatedRegistration, RegistrationError> {
    if call.snapshot().registration.policy.is_closed() {
        return Err(RegistrationError::Closed);
    }
    let token = token?;
    let id: ClientId = id.parse().map_err(|_| BAD_TOKEN)?;
    let client = call.store().registered_client(&id).await.map_err(FlowError::from)?.ok_or(BAD_TOKEN)?;
    let mac = call.keyring().mac(KeyPurpose::TokenHash);
    let is_its_own = client
        .registration_token
        .is_some_and(|digest| mac.verify(TOKEN_CONTEXT, token.expose_secret().as_bytes(), &digest));
    if is_its_own { Ok(AuthenticatedRegistration { client, token }) } else { Err(BAD_TOKEN.into()) }
}
