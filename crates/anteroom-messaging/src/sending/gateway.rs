//! Any gateway that takes texts, or calls, as one HTTP request: Kannel's `sendsms`, a carrier's API.
//!
//! The request is a template. `{to}`, `{text}`, `{id}` and `{secret}` stand for the number, the words, the message's own
//! identifier and the gateway's secret, each escaped for the place it stands in. Any 2xx is success, unless `success` says
//! what the answer must have.

use anteroom_domain::gateway::{BodyFormat, Escape, TemplateValues};
use anteroom_domain::ids::MessageId;
use anteroom_domain::phone::E164;
use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::failure::{DeliveryError, Reason};
use super::http::{Answer, ClientError, ask, client};
use super::redacted_response::redacted_response;

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
    #[error("invalid gateway URL")]
    Url,
    #[error("invalid header {0:?}")]
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
        let sample = TemplateValues::SAMPLE;
        let url: Url = sample.fill(&request.url, Escape::Percent).parse().map_err(|_| GatewayError::Url)?;
        for (name, value) in &request.headers {
            // A text has line breaks, a header has none.
            header(name, &TemplateValues { text: "text", ..sample }.fill(value, Escape::Nothing))
                .ok_or_else(|| GatewayError::Header(name.clone()))?;
        }
        let format = BodyFormat::of(&request.headers);
        let format = format.map_err(|unknown| GatewayError::ContentType(unknown.to_owned()))?;
        Ok(Self { http: client(&url)?, format, request })
    }

    pub(crate) async fn send(&self, id: MessageId, to: &E164, text: &str) -> Result<(), DeliveryError> {
        let secret = self.request.secret.as_ref().map(ExposeSecret::expose_secret).unwrap_or_default();
        let values = TemplateValues { to: to.as_str(), text, id: &id.to_string(), secret };
        let unwritable = || DeliveryError::new(Reason::Unwritable);
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
        self.outcome(&answer, &values)
    }

    fn outcome(&self, answer: &Answer, sent: &TemplateValues<'_>) -> Result<(), DeliveryError> {
        let code = answer.status.as_u16();
        let said = match redacted_response(&answer.body, sent) {
            said if said.is_empty() => "an empty answer".to_owned(),
            said => format!("\"{said}\""),
        };
        if !answer.status.is_success() {
            return Err(answer.failure().detailed(format!("{code}, {said}")));
        }
        match &self.request.success {
            Some(expected) if !String::from_utf8_lossy(&answer.body).contains(expected) => {
                let detail = format!("{code}, without what `success` asks for: {said}");
                Err(DeliveryError::new(Reason::Rejected).detailed(detail))
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

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    async fn sent_to(listener: Option<TcpListener>, port: u16, answer: &'static str) -> String {
        let request = GatewayRequest {
            method: GatewayMethod::Get,
            url: format!("http://127.0.0.1:{port}/?to={{to}}&text={{text}}&password={{secret}}"),
            headers: Vec::new(),
            body: None,
            secret: Some("s&cret".into()),
            success: Some("Accepted".to_owned()),
        };
        let gateway = Gateway::new(request).unwrap();
        let speaking = listener.map(|listener| {
            tokio::spawn(async move {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut read = [0; 4_096];
                let _ = stream.read(&mut read).await.unwrap();
                stream.write_all(answer.as_bytes()).await.unwrap();
            })
        });
        let id = "01936f5e-0000-7000-8000-000000000000".parse().unwrap();
        let to = E164::parse("+12025550143").unwrap();
        let failure = gateway.send(id, &to, "402918 is your code").await.unwrap_err();
        if let Some(speaking) = speaking {
            speaking.await.unwrap();
        }
        failure.to_string()
    }

    #[tokio::test]
    async fn a_failure_names_the_address_or_what_the_gateway_said() {
        let bind = || TcpListener::bind("127.0.0.1:0");
        for (answer, expected) in [
            (
                "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nERR 105: no credit for 12025550143, s%26cret",
                "rejected (200, without what `success` asks for: \"ERR 105: no credit for ••• •••\")",
            ),
            (
                "HTTP/1.1 500 No\r\nConnection: close\r\n\r\ncannot send 402918",
                "busy (500, \"cannot send •••\")",
            ),
            ("HTTP/1.1 401 No\r\nConnection: close\r\n\r\n", "credentials (401, an empty answer)"),
        ] {
            let listener = bind().await.unwrap();
            let port = listener.local_addr().unwrap().port();
            assert_eq!(sent_to(Some(listener), port, answer).await, expected);
        }
        let port = bind().await.unwrap().local_addr().unwrap().port();
        let refused = sent_to(None, port, "").await;
        let expected = format!("no_connection (127.0.0.1: 127.0.0.1:{port}: Connection refused");
        assert!(refused.starts_with(&expected), "{refused}");
    }
}
