//! Any gateway that takes texts, or calls, as one HTTP request: Kannel's `sendsms`, a carrier's API.
//!
//! The request is a template. `{to}`, `{text}`, `{id}` and `{secret}` stand for the number, the words, the message's own
//! identifier and the gateway's secret, each escaped for the place it stands in. Any 2xx is success, unless `success` says
//! what the answer must have.

use anteroom_domain::gateway::{BodyFormat, Escape, Values};
use anteroom_domain::ids::MessageId;
use anteroom_domain::phone::E164;
use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::failure::{Failure, Reason};
use super::http::{Answer, ClientError, ask, client};

#[derive(Clone, Debug)]
pub struct GatewayRequest {
    pub method: GatewayMethod,
    /// May hold placeholders after the host.
    pub url: String,
    /// May hold placeholders in their values.
    pub headers: Vec<(String, String)>,
    /// A form, or JSON or XML where the headers say so.
    pub body: Option<String>,
    pub secret: Option<SecretString>,
    /// What the answer must have; any 2xx where it is not said.
    pub success: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GatewayMethod {
    Get,
    Post,
    Put,
}

#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error("the gateway's URL is none")]
    Url,
    #[error("{0:?} is no header that can be sent")]
    Header(String),
    #[error("no value can be written into a body of the type {0:?}")]
    ContentType(String),
}

pub struct Gateway {
    request: GatewayRequest,
    http: reqwest::Client,
    format: BodyFormat,
}

impl Gateway {
    pub fn new(request: GatewayRequest) -> Result<Self, GatewayError> {
        let sample = Values::SAMPLE;
        let url: Url = sample.fill(&request.url, Escape::Percent).parse().map_err(|_| GatewayError::Url)?;
        for (name, value) in &request.headers {
            // A text has line breaks, a header has none.
            header(name, &Values { text: "text", ..sample }.fill(value, Escape::Nothing))
                .ok_or_else(|| GatewayError::Header(name.clone()))?;
        }
        let format = BodyFormat::of(&request.headers);
        let format = format.map_err(|unknown| GatewayError::ContentType(unknown.to_owned()))?;
        Ok(Self { http: client(&url)?, format, request })
    }

    pub(crate) async fn send(&self, id: MessageId, to: &E164, text: &str) -> Result<(), Failure> {
        let secret = self.request.secret.as_ref().map(ExposeSecret::expose_secret).unwrap_or_default();
        let values = Values { to: to.as_str(), text, id: &id.to_string(), secret };
        let unwritable = || Failure::new(Reason::Unwritable);
        let url: Url = values.fill(&self.request.url, Escape::Percent).parse().map_err(|_| unwritable())?;
        let method = match self.request.method {
            GatewayMethod::Get => Method::GET,
            GatewayMethod::Post => Method::POST,
            GatewayMethod::Put => Method::PUT,
        };
        let mut request = self.http.request(method, url);
        let mut typed = false;
        for (name, value) in &self.request.headers {
            let (name, value) = header(name, &values.fill(value, Escape::Nothing)).ok_or_else(unwritable)?;
            typed |= name == CONTENT_TYPE;
            request = request.header(name, value);
        }
        if let Some(body) = &self.request.body {
            if !typed {
                request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
            }
            request = request.body(values.fill(body, self.format.escape()));
        }
        let answer = ask(request).await?;
        self.outcome(&answer)
    }

    fn outcome(&self, answer: &Answer) -> Result<(), Failure> {
        if !answer.status.is_success() {
            return Err(answer.failure());
        }
        match &self.request.success {
            Some(expected) if !String::from_utf8_lossy(&answer.body).contains(expected) => {
                let code = answer.status.as_u16();
                Err(Failure::new(Reason::Rejected)
                    .detailed(format!("{code}, without what `success` asks for")))
            }
            Some(_) | None => Ok(()),
        }
    }
}

fn header(name: &str, value: &str) -> Option<(HeaderName, HeaderValue)> {
    let mut value = HeaderValue::from_str(value).ok()?;
    value.set_sensitive(true);
    Some((name.parse().ok()?, value))
}
