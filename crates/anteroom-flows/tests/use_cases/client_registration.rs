//! Clients that register themselves, at one node and at two at once.

use anteroom_flows::context::registered_clients::refresh_registered_clients;
use anteroom_flows::interaction::authorize::{AuthorizeOutcome, authorize};
use anteroom_flows::interaction::consent::{ConsentOutcome, consent};
use anteroom_flows::interaction::consent_decision_record::ConsentDecision;
use anteroom_flows::protocol::registration::{
    ClientInformation, RegistrationError, RegistrationInput, delete, read, register as register_client,
    remove, update as update_client,
};
use anteroom_testkit::{Backend, Builder, on_both_databases};
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::ALICE;
use crate::application::{Application, code_in};
use crate::browser::{page, signed_in};
use crate::installation::Installation;
use crate::steps::name;

on_both_databases!(
    of_two_updates_at_once_at_two_nodes_one_is_written,
    an_update_and_a_deletion_at_once_leave_no_client,
    an_update_that_changes_nothing_writes_nothing,
    of_registrations_at_once_no_more_are_written_than_there_may_be,
    the_token_of_one_client_is_none_of_another,
    a_client_is_known_at_another_node_at_once_and_so_is_its_end,
    a_move_to_another_host_ends_consents_and_another_name_does_not,
);

pub(crate) const CALLBACK: &str = "https://stranger.example/callback";
const ELSEWHERE: &str = "https://elsewhere.example/callback";

/// Registration is open to everyone.
pub(crate) fn open(builder: Builder) -> Builder {
    builder.set("registration.mode", "\"open\"")
}

pub(crate) struct Registered {
    pub(crate) id: String,
    secret: String,
    token: String,
}

impl Registered {
    fn of(information: &ClientInformation) -> Self {
        let json = serde_json::to_value(information).unwrap();
        let text = |member: &str| json[member].as_str().unwrap_or_default().to_owned();
        Self {
            id: text("client_id"),
            secret: text("client_secret"),
            token: text("registration_access_token"),
        }
    }

    pub(crate) fn application(&self) -> Application {
        Application::new(&self.id, CALLBACK, Some(&self.secret))
    }
}

fn metadata(changes: &Value) -> Value {
    let mut metadata = json!({
        "redirect_uris": [CALLBACK], "client_name": "A stranger",
        "token_endpoint_auth_method": "client_secret_post",
    });
    metadata.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    metadata
}

async fn try_register(at: &Installation, changes: &Value) -> Result<ClientInformation, RegistrationError> {
    let body = metadata(changes).to_string();
    let token = Err(anteroom_oidc::errors::BearerError::NoToken);
    Box::pin(register_client(&at.call(), RegistrationInput { token, body: Ok(body.as_bytes()) })).await
}

pub(crate) async fn register(at: &Installation, changes: &Value) -> Registered {
    Registered::of(&try_register(at, changes).await.unwrap())
}

pub(crate) async fn update(
    at: &Installation,
    client: &Registered,
    changes: &Value,
) -> Result<ClientInformation, RegistrationError> {
    let mut metadata = metadata(changes);
    metadata["client_id"] = client.id.clone().into();
    let body = metadata.to_string();
    let input = RegistrationInput { token: Ok(client.token.as_str().into()), body: Ok(body.as_bytes()) };
    Box::pin(update_client(&at.call(), &client.id, input)).await
}

async fn name_of(at: &Installation, client: &Registered) -> Option<String> {
    let read = read(&at.call(), &client.id, Ok(client.token.as_str().into())).await.ok()?;
    serde_json::to_value(read).unwrap()["client_name"].as_str().map(str::to_owned)
}

async fn of_two_updates_at_once_at_two_nodes_one_is_written(backend: Backend) {
    let first = Installation::with(backend, open).await;
    let second = first.another_node().await;
    let client = register(&first, &json!({})).await;
    let names = [json!({ "client_name": "One" }), json!({ "client_name": "Another" })];
    let (one, other) = tokio::join!(update(&first, &client, &names[0]), update(&second, &client, &names[1]));
    let written = first.audited("client_updated").await.len();
    // In turn, both are written; at once, the second must read the registration again.
    let won = [&one, &other].map(Result::is_ok);
    assert_eq!(won.iter().filter(|won| **won).count(), written);
    assert!(written >= 1, "{one:?} {other:?}");
    for lost in [one, other].into_iter().filter_map(Result::err) {
        assert!(matches!(lost, RegistrationError::Refused(_)), "{lost:?}");
    }
    let present = name_of(&first, &client).await.unwrap();
    assert_eq!(name_of(&second, &client).await.unwrap(), present);
    let place = usize::from(present == "Another");
    assert!(won[place], "{present}");
}

async fn an_update_and_a_deletion_at_once_leave_no_client(backend: Backend) {
    let first = Installation::with(backend, open).await;
    let second = first.another_node().await;
    let client = register(&first, &json!({})).await;
    let call = second.call();
    let changes = json!({ "client_name": "Another" });
    let (_, deleted) = tokio::join!(
        update(&first, &client, &changes),
        delete(&call, &client.id, Ok(client.token.as_str().into())),
    );
    deleted.unwrap();
    for node in [&first, &second] {
        assert_eq!(name_of(node, &client).await, None);
        assert!(update(node, &client, &changes).await.is_err());
    }
    assert_eq!(first.audited("client_deleted").await.len(), 1);
    assert!(!remove(&first.local(), &client.id.parse().unwrap()).await.unwrap());
}

async fn an_update_that_changes_nothing_writes_nothing(backend: Backend) {
    let at = Installation::with(backend, open).await;
    let client = register(&at, &json!({})).await;
    let id = client.id.parse().unwrap();
    let before = at.node.store.registered_client(&id).await.unwrap().unwrap().revision;
    for _ in 0..2 {
        update(&at, &client, &json!({})).await.unwrap();
    }
    assert_eq!(at.node.store.registered_client(&id).await.unwrap().unwrap().revision, before);
    assert!(at.audited("client_updated").await.is_empty());
}

async fn of_registrations_at_once_no_more_are_written_than_there_may_be(backend: Backend) {
    let first = Installation::with(backend, |it| open(it).set("registration.max_clients", "2")).await;
    let second = first.another_node().await;
    let nodes = [&first, &second];
    let changes = json!({});
    let attempts = (0..6).map(|number| try_register(nodes[number % 2], &changes));
    let results = join_all(attempts).await;
    let full = results.iter().filter(|result| matches!(result, Err(RegistrationError::Full))).count();
    let registered = results.iter().filter(|result| result.is_ok()).count();
    assert_eq!((registered, full, first.audited("client_registered").await.len()), (2, 4, 2));
}

async fn the_token_of_one_client_is_none_of_another(backend: Backend) {
    let at = Installation::with(backend, open).await;
    let (one, other) = (register(&at, &json!({})).await, register(&at, &json!({})).await);
    let thief = Registered { token: other.token.clone(), ..Registered { id: one.id.clone(), ..one } };
    let changes = json!({ "client_name": "Taken over" });
    let refused = update(&at, &thief, &changes).await;
    assert!(matches!(refused, Err(RegistrationError::Bearer(_))), "{refused:?}");
    let refused = delete(&at.call(), &thief.id, Ok(thief.token.as_str().into())).await;
    assert!(matches!(refused, Err(RegistrationError::Bearer(_))), "{refused:?}");
    assert_eq!(name_of(&at, &thief).await, None);
    assert_eq!(name_of(&at, &other).await.as_deref(), Some("A stranger"));
    assert_eq!(at.audited("client_registration_refused").await.len(), 3);
}

async fn a_client_is_known_at_another_node_at_once_and_so_is_its_end(backend: Backend) {
    let first = Installation::with(backend, open).await;
    let second = first.another_node().await;
    let client = register(&first, &json!({})).await;
    let browser = second.browser();
    let next = client.application().authorize(&second, &browser, &[]).await;
    assert_eq!(name(&next), "sign_in");
    delete(&first.call(), &client.id, Ok(client.token.as_str().into())).await.unwrap();
    refresh_registered_clients(&second.node).await.unwrap();
    let request = client.application().request(&[]);
    let outcome = authorize(&browser.visit(&second), &request).await;
    let is_refused = matches!(outcome, Ok(AuthorizeOutcome::Refused(_)));
    assert!(is_refused);
}

async fn a_move_to_another_host_ends_consents_and_another_name_does_not(backend: Backend) {
    let at = Installation::with(backend, open).await;
    at.person(ALICE).create().await;
    let client = register(&at, &json!({})).await;
    let (application, browser) = (client.application(), signed_in(&at, ALICE).await);
    let asked = page(application.authorize(&at, &browser, &[]).await);
    let (visit, interaction_ref) = browser.form_of(&at, &asked);
    let allowed = consent(&visit, interaction_ref.unwrap(), ConsentDecision::Allow).await.unwrap();
    let ConsentOutcome::Next(allowed) = allowed else { panic!("{allowed:?}") };
    code_in(&allowed);
    update(&at, &client, &json!({ "client_name": "Another" })).await.unwrap();
    application.code(&at, &browser, "openid").await;
    update(&at, &client, &json!({ "redirect_uris": [CALLBACK, ELSEWHERE] })).await.unwrap();
    assert_eq!(name(&application.authorize(&at, &browser, &[]).await), "consent");
}
