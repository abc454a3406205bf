//! `POST /clients` (RFC 7591 §3): a client registers itself.

use anteroom_crypto::KeyPurpose;
use anteroom_domain::audit::{Actor, AuditEntry, Event};
use anteroom_domain::client_registration::RegistrationMode;
use anteroom_domain::limits::Limit;
use anteroom_domain::rate::AddressPrefix;
use anteroom_oidc::client::ReservedHosts;
use anteroom_oidc::errors::{BearerError, RegistrationErrorCode};
use anteroom_oidc::{
    ClientId, ClientMetadata, ClientMetadataInput, RegistrationRefusal, RegistrationRequest,
};
use anteroom_storage::{RegisteredClient, Tx, Unit};
use secrecy::{ExposeSecret as _, SecretString};

use super::{
    ClientInformation, RegistrationError, RegistrationInput, StoredFacts, TOKEN_CONTEXT, information,
    initial_token_digest, log_refusal,
};
use crate::context::call::Call;
use crate::context::limits::{of_address, spend};
use crate::context::outgoing::OutgoingError;
use crate::context::provider::Snapshot;
use crate::context::registered_clients::{
    parse_registered_metadata, parse_stored_metadata, refresh_registered_clients, reserved_by_configuration,
};
use crate::error::FlowError;
use crate::protocol::client_authentication::secret_digest;
use crate::protocol::sector::{self, SectorError};

/// The most members of one list. The lists of all clients are read for questions such as whether a script's origin is that of a
/// redirect URI.
const MOST_OF_A_LIST: usize = 32;
const BAD_TOKEN: BearerError = BearerError::InvalidToken("the initial access token is not one of ours");

/// Registers a client. The token is an initial access token, which is not required where registration is open.
#[tracing::instrument(name = "register_client", skip_all)]
pub async fn register(
    call: &Call,
    presented: RegistrationInput<'_>,
) -> Result<ClientInformation, RegistrationError> {
    match try_register(call, presented).await {
        Ok(information) => Ok(information),
        Err(error) => Err(log_refusal(call, error).await),
    }
}

async fn try_register(
    call: &Call,
    presented: RegistrationInput<'_>,
) -> Result<ClientInformation, RegistrationError> {
    let snapshot = call.snapshot();
    let policy = &snapshot.registration.policy;
    let with_initial_token = match policy.mode {
        RegistrationMode::Closed => return Err(RegistrationError::Closed),
        RegistrationMode::InitialAccessToken => {
            if !is_initial_token(call, snapshot, &presented.token?) {
                return Err(BAD_TOKEN.into());
            }
            true
        }
        // A token is not required. One that is presented shows that the operator knows the client.
        RegistrationMode::Open => presented.token.is_ok_and(|token| is_initial_token(call, snapshot, &token)),
    };
    let request = RegistrationRequest::from_json(presented.body?)?;
    let id: ClientId = call
        .random()
        .uuid_v4()
        .to_string()
        .parse()
        .map_err(|_| FlowError::Inconsistent("a client identifier"))?;
    let reserved = reserved_hosts(call, snapshot, with_initial_token).await?;
    let metadata = accepted(id, request, snapshot, &reserved)?;
    count(call).await?;
    confirm_sector(call, &metadata).await?;
    // The document of the sector may have been fetched.
    let call = &call.at_present();
    let drawn = NewClientSecrets::new(call);
    let client = drawn.client(call, &metadata)?;
    let client = write(call, RegisteredClient { with_initial_token, ..client }).await?;
    refresh_registered_clients(call.provider()).await?;
    let secret = client.secret.map(|_| &drawn.secret);
    Ok(information(&snapshot.issuer, StoredFacts::of(&client), metadata, secret, &drawn.token))
}

/// Counts a registration or an update before anything is fetched or written. Both share a limit, because both write, and every
/// node reads what they wrote.
pub(super) async fn count(call: &Call) -> Result<(), RegistrationError> {
    let checks = of_address(call, Limit::ClientRegistration);
    Ok(spend(call, checks).await?)
}

fn is_initial_token(call: &Call, snapshot: &Snapshot, token: &SecretString) -> bool {
    let digest = initial_token_digest(call.keyring(), token);
    // Each of them is compared, so that the time shows only their number.
    snapshot.registration.initial_access_tokens.iter().filter(|known| **known == digest).count() > 0
}

/// The metadata of the request, if the client may have it.
pub(super) fn accepted(
    id: ClientId,
    request: RegistrationRequest,
    snapshot: &Snapshot,
    reserved: &ReservedHosts,
) -> Result<ClientMetadata, RegistrationRefusal> {
    check_lists(&request.metadata)?;
    let metadata = parse_registered_metadata(id, request.metadata, snapshot)?;
    metadata.check_as_new(&snapshot.issuer)?;
    metadata.check_as_registered(reserved)?;
    let allowed = &snapshot.registration.policy.scope;
    let forbidden = metadata.scope.difference(allowed);
    if !forbidden.is_empty() {
        let description = format!("scope: not offered here: {forbidden}; offered are: {allowed}");
        return Err(RegistrationRefusal::metadata(&description));
    }
    Ok(metadata)
}

/// Refuses lists with too many members, before the members are parsed.
fn check_lists(asked: &ClientMetadataInput) -> Result<(), RegistrationRefusal> {
    let listed = |list: &Option<Vec<String>>| list.as_ref().map_or(0, Vec::len);
    for (parameter, count) in [
        ("redirect_uris", asked.redirect_uris.len()),
        ("post_logout_redirect_uris", asked.post_logout_redirect_uris.len()),
        ("request_uris", asked.request_uris.len()),
        ("default_acr_values", asked.default_acr_values.len()),
        ("audience", asked.audience.len()),
        ("response_types", listed(&asked.response_types)),
        ("grant_types", listed(&asked.grant_types)),
    ] {
        if count > MOST_OF_A_LIST {
            let code = match parameter {
                "redirect_uris" => RegistrationErrorCode::InvalidRedirectUri,
                _ => RegistrationErrorCode::InvalidClientMetadata,
            };
            let description = format!("{parameter}: at most {MOST_OF_A_LIST}");
            return Err(RegistrationRefusal::new(code, &description));
        }
    }
    Ok(())
}

/// Hosts that a client may not register: those of the configuration and, unless the client has an initial access token, those
/// of clients that have one.
pub(super) async fn reserved_hosts(
    call: &Call,
    snapshot: &Snapshot,
    with_initial_token: bool,
) -> Result<ReservedHosts, FlowError> {
    let mut reserved = reserved_by_configuration(snapshot);
    if !with_initial_token {
        for client in call.store().clients_with_initial_token().await? {
            // A client that does not fit the configuration any more cannot be used, so its hosts are not reserved.
            if let Ok(metadata) = parse_stored_metadata(client.client_id, client.metadata, snapshot) {
                reserved.add(&metadata);
            }
        }
    }
    Ok(reserved)
}

/// Checks that the sector which the client names is its own. The fetch was counted with the registration.
pub(super) async fn confirm_sector(call: &Call, metadata: &ClientMetadata) -> Result<(), RegistrationError> {
    if metadata.sector_identifier_uri.is_none() {
        return Ok(());
    }
    let network = call.address().map(AddressPrefix::network);
    let confirmed = sector::check(call.outgoing().of_registered(), metadata, network).await;
    confirmed.map_err(|error| match error {
        SectorError::Outgoing(OutgoingError::Busy) => RegistrationError::Busy,
        error => not_confirmed(call, &error).into(),
    })?;
    // The fetch may have taken seconds.
    let is_closed = call.provider().snapshot().registration.policy.is_closed();
    if is_closed { Err(RegistrationError::Closed) } else { Ok(()) }
}

/// The cause of a failed fetch discloses facts of this server's network, so the client does not get it: it is in the log, under
/// the reference.
fn not_confirmed(call: &Call, error: &SectorError) -> RegistrationRefusal {
    let reference = call.reference().map(|reference| reference.to_string()).unwrap_or_default();
    tracing::warn!(reference, "registration refused: {error}");
    match error {
        SectorError::Outgoing(OutgoingError::Forbidden(..) | OutgoingError::NoAnswer(..)) => {
            RegistrationRefusal::metadata(&format!(
                "sector_identifier_uri: nothing is reached there; reference {reference}"
            ))
        }
        _ => RegistrationRefusal::metadata(&error.to_string()),
    }
}

/// The secrets of a new client, of 256 bits each.
struct NewClientSecrets {
    secret: SecretString,
    token: SecretString,
}

impl NewClientSecrets {
    fn new(call: &Call) -> Self {
        let draw = || SecretString::from(call.random().token().encode());
        Self { secret: draw(), token: draw() }
    }

    /// The row of the client. It has a secret only where its authentication method uses one.
    fn client(&self, call: &Call, metadata: &ClientMetadata) -> Result<RegisteredClient, FlowError> {
        let uses_secret = metadata.token_endpoint_auth_method.uses_secret();
        let mac = call.keyring().mac(KeyPurpose::TokenHash);
        Ok(RegisteredClient {
            client_id: metadata.client_id.clone(),
            metadata: metadata
                .with_explicit_defaults()
                .map_err(|_| FlowError::Inconsistent("a client's metadata"))?,
            secret: uses_secret.then(|| secret_digest(call.keyring(), &self.secret)),
            registration_token: Some(mac.digest(TOKEN_CONTEXT, self.token.expose_secret().as_bytes())),
            with_initial_token: false,
            created_at: call.now,
            updated_at: call.now,
            deleted_at: None,
            revision: 0,
        })
    }
}

async fn write(call: &Call, client: RegisteredClient) -> Result<RegisteredClient, RegistrationError> {
    let entry = call.entry(Actor::Anonymous, Event::ClientRegistered).by_client(&client.client_id);
    let most = u64::from(call.snapshot().registration.policy.max_clients);
    let (unit, registered) = call.store().run(RegisterClient { client, entry, most }).await;
    if registered? { Ok(unit.client) } else { Err(RegistrationError::Full) }
}

struct RegisterClient {
    client: RegisteredClient,
    entry: AuditEntry,
    /// How many registered clients there may be.
    most: u64,
}

impl Unit for RegisterClient {
    /// `false`: there are as many registered clients as there may be.
    type Output = bool;
    type Error = FlowError;

    const NAME: &'static str = "register_client";

    async fn run(&self, tx: &Tx) -> Result<bool, FlowError> {
        let Self { client, entry, most } = self;
        let revision = tx.next_clients_revision().await?;
        if tx.count_registered_clients().await? >= *most {
            return Ok(false);
        }
        tx.insert_registered_client(client, revision).await?;
        tx.append(entry).await?;
        Ok(true)
    }
}
