//! Clients that register themselves: RFC 7591, RFC 7592, OpenID Connect Registration 1.0.

mod end_session;
mod errors;
mod manage;
mod question;
mod register;
mod sectors;
mod silent;
mod standing;

use anteroom_testkit::{Backend, Builder, TestProvider, TestResponse};
use serde_json::{Value, json};

const CLIENTS: &str = "/clients";
const CALLBACK: &str = "https://stranger.example/callback";

fn open(backend: &Backend) -> Builder {
    TestProvider::on(backend).set("registration.mode", "\"open\"")
}

fn metadata() -> Value {
    json!({ "redirect_uris": [CALLBACK], "client_name": "A stranger" })
}

/// The usual metadata with these members put in or changed.
fn with(changes: &Value) -> Value {
    let mut metadata = metadata();
    metadata.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    metadata
}

async fn post(provider: &TestProvider, metadata: &Value) -> TestResponse {
    provider.call("POST", CLIENTS, None, metadata).await
}

/// Registers, and tells what came back.
pub(crate) async fn register(provider: &TestProvider, metadata: &Value) -> Value {
    let answer = post(provider, metadata).await;
    assert_eq!(answer.status, 201, "{}", answer.page_summary());
    answer.json()
}

/// Where a client looks after its registration, and with what.
fn address(client: &Value) -> (&str, Option<&str>) {
    (client["registration_client_uri"].as_str().unwrap(), client["registration_access_token"].as_str())
}

/// Error and whether its description names the parameter.
fn refused_for(answer: &TestResponse, parameter: &str) -> (u16, String, bool) {
    let description = answer.json()["error_description"].as_str().unwrap_or_default().to_owned();
    (answer.status, answer.error(), description.contains(parameter))
}
