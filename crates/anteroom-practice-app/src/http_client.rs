//! The way out to the provider: `openidconnect`'s requests over this application's own `reqwest`.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse, IssuerUrl};
use reqwest::redirect;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
const TIMEOUT: Duration = Duration::from_secs(10);
/// A discovery document, a key set, a token response and userinfo are all far smaller.
const MAX_BODY: usize = 256 * 1024;

#[derive(Debug, thiserror::Error)]
pub(crate) enum HttpError {
    #[error("the request failed")]
    Request(#[from] reqwest::Error),
    #[error("the answer is larger than {MAX_BODY} bytes")]
    TooLarge,
}

#[derive(Clone)]
pub(crate) struct HttpClient(reqwest::Client);

impl HttpClient {
    pub(crate) fn new(issuer: &IssuerUrl) -> Result<Self, reqwest::Error> {
        #[expect(
            clippy::disallowed_methods,
            reason = "a relying party is a program of its own and has its own client"
        )]
        let builder = reqwest::Client::builder();
        // A redirect would carry the client's secret to wherever it points, and a proxy of the environment would
        // be asked for the loopback addresses of the demo.
        let builder = builder.redirect(redirect::Policy::none()).no_proxy();
        let builder = builder.connect_timeout(CONNECT_TIMEOUT).timeout(TIMEOUT);
        // The system's certificates are read where they are needed alone: a fresh machine may have none, and then
        // reading them is an error even for a demo that never speaks TLS.
        let builder = match issuer.url().scheme() {
            "https" => builder.https_only(true),
            _ => builder.tls_certs_only([]),
        };
        builder.build().map(Self)
    }

    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let mut response = self.0.execute(request.try_into()?).await?;
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            if body.len() + chunk.len() > MAX_BODY {
                return Err(HttpError::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        let mut answer = HttpResponse::new(body);
        *answer.status_mut() = response.status();
        *answer.headers_mut() = std::mem::take(response.headers_mut());
        Ok(answer)
    }
}

impl<'c> AsyncHttpClient<'c> for HttpClient {
    type Error = HttpError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.send(request))
    }
}
