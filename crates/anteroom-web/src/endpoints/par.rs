//! `/par`: pushed authorization requests (RFC 9126).

use anteroom_flows::protocol::client_authentication::ClientEndpoint;
use anteroom_flows::protocol::par::{PushError, push};
use anteroom_oidc::authorization::Parameters;
use anteroom_oidc::errors::{ErrorBody, TokenError, TokenErrorCode};
use axum::Json;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};

use crate::endpoints::rejected_requests;
use crate::endpoints::token::{ClientRequest, ClientRequestError, finish};
use crate::page_context::EndpointContext;
use crate::received::{BodyResult, ReceivedRequest};

pub(crate) async fn endpoint(headers: HeaderMap, request: ReceivedRequest) -> Response {
    let ReceivedRequest { context, body } = request;
    finish(&context, pushed(&context, &headers, &body).await)
}

async fn pushed(
    context: &EndpointContext,
    headers: &HeaderMap,
    body: &BodyResult,
) -> Result<Response, ClientRequestError> {
    let ClientRequest { client, form, .. } =
        ClientRequest::read(context, ClientEndpoint::PushedAuthorization, headers, body).await?;
    match push(&context.call, &client, Parameters::from(&form)).await {
        Ok(pushed) => {
            let body =
                serde_json::json!({ "request_uri": pushed.request_uri, "expires_in": pushed.expires_in });
            Ok((StatusCode::CREATED, Json(body)).into_response())
        }
        Err(PushError::PublicClient) => {
            Err(rejected_requests::public_client(context, &client, "a public client may not push requests")
                .into())
        }
        Err(PushError::RequestUri) => {
            let description = "request_uri is not a parameter of pushed requests";
            Err(TokenError::new(TokenErrorCode::InvalidRequest, description).into())
        }
        Err(PushError::TooLong) => {
            Err(TokenError::new(TokenErrorCode::InvalidRequest, "the request is too long").into())
        }
        // RFC 9126 §2.3: the error codes of the authorization endpoint, returned to the client directly.
        Err(PushError::Request(error)) => {
            let client = client.client().id().as_str();
            tracing::warn!(reference = %context.from.reference, client, "pushed request refused: {error}");
            let body = ErrorBody { error: error.code.as_str(), error_description: error.description.into() };
            Ok((StatusCode::BAD_REQUEST, Json(body)).into_response())
        }
        Err(PushError::Flow(error)) => Err(error.into()),
    }
}
