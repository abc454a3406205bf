//! Any gateway that takes texts, or calls, as one HTTP request: Kannel's `sendsms`, a carrier's API.
//!
//! The request is a template. `{to}`, `{text}`, `{id}` and `{secret}` stand for the number, the words, the message's own
//! identifier and the gateway's secret, each escaped for the place it stands in. Any 2xx is success.

use anteroom_domain::ids::MessageId;
use anteroom_domain::phone::E164;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::failure::{Failure, Reason};
use super::http::{ClientError, ask, client};

#[derive(Clone, Debug)]
pub struct GatewayRequest {
    pub method: GatewayMethod,
    /// May hold placeholders after the host.
    pub url: String,
    /// May hold placeholders in their values.
    pub headers: Vec<(String, String)>,
    /// A form, or JSON where the headers say so.
    pub body: Option<String>,
    pub secret: Option<SecretString>,
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
}

pub struct Gateway {
    request: GatewayRequest,
    http: reqwest::Client,
    json: bool,
}

/// How a value is written where it stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Escape {
    Percent,
    Json,
    Nothing,
}

struct Values<'a> {
    to: &'a str,
    text: &'a str,
    id: &'a str,
    secret: &'a str,
}

impl Gateway {
    pub fn new(request: GatewayRequest) -> Result<Self, GatewayError> {
        let sample = Values { to: "+12025550143", text: "text", id: "id", secret: "secret" };
        let url: Url = sample.fill(&request.url, Escape::Percent).parse().map_err(|_| GatewayError::Url)?;
        for (name, value) in &request.headers {
            header(name, &sample.fill(value, Escape::Nothing))
                .ok_or_else(|| GatewayError::Header(name.clone()))?;
        }
        let json = request.headers.iter().any(|(name, value)| {
            name.eq_ignore_ascii_case(CONTENT_TYPE.as_str()) && value.to_ascii_lowercase().contains("json")
        });
        Ok(Self { http: client(&url)?, json, request })
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
            request = request.body(values.fill(body, if self.json { Escape::Json } else { Escape::Percent }));
        }
        let answer = ask(request).await?;
        if answer.status.is_success() { Ok(()) } else { Err(answer.failure()) }
    }
}

fn header(name: &str, value: &str) -> Option<(HeaderName, HeaderValue)> {
    let mut value = HeaderValue::from_str(value).ok()?;
    value.set_sensitive(true);
    Some((name.parse().ok()?, value))
}

impl Values<'_> {
    /// In one pass: what a value brings with it is not filled in again. Braces around anything else stay.
    fn fill(&self, template: &str, escape: Escape) -> String {
        let mut filled = String::with_capacity(template.len() + self.text.len());
        let mut rest = template;
        while let Some((before, after)) = rest.split_once('{') {
            filled.push_str(before);
            let named = after.split_once('}').and_then(|(name, after)| Some((self.named(name)?, after)));
            if let Some((value, after)) = named {
                filled.push_str(&escape.apply(value));
                rest = after;
            } else {
                filled.push('{');
                rest = after;
            }
        }
        filled.push_str(rest);
        filled
    }

    fn named(&self, name: &str) -> Option<&str> {
        Some(match name {
            "to" => self.to,
            "text" => self.text,
            "id" => self.id,
            "secret" => self.secret,
            _ => return None,
        })
    }
}

impl Escape {
    fn apply(self, value: &str) -> String {
        match self {
            Self::Percent => utf8_percent_encode(value, NON_ALPHANUMERIC).to_string(),
            Self::Json => {
                let quoted = serde_json::Value::from(value).to_string();
                quoted
                    .strip_prefix('"')
                    .and_then(|rest| rest.strip_suffix('"'))
                    .unwrap_or_default()
                    .to_owned()
            }
            Self::Nothing => value.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_value_is_escaped_for_its_place() {
        let values = Values { to: "+12025550143", text: "1 & \"2\"\n{to}", id: "m-1", secret: "s&cret" };
        for (template, escape, expected) in [
            (
                "https://sms.example/cgi-bin/sendsms?username=a&password={secret}&to={to}&text={text}",
                Escape::Percent,
                "https://sms.example/cgi-bin/sendsms?username=a&password=s%26cret&to=%2B12025550143\
                 &text=1%20%26%20%222%22%0A%7Bto%7D",
            ),
            (
                r#"{"to": "{to}", "body": "{text}", "ref": {"id": "{id}"}}"#,
                Escape::Json,
                r#"{"to": "+12025550143", "body": "1 & \"2\"\n{to}", "ref": {"id": "m-1"}}"#,
            ),
            ("Bearer {secret}", Escape::Nothing, "Bearer s&cret"),
            ("{unknown} {", Escape::Percent, "{unknown} {"),
        ] {
            assert_eq!(values.fill(template, escape), expected, "{template}");
        }
    }
}
