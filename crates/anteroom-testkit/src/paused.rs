//! A request whose headers are there and whose body is not: whatever changes meanwhile must hold for it.

use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::answer::TestResponse;
use crate::browser::{Browser, filled_in};
use crate::node_client::encode;
use crate::provider::TestProvider;
use crate::relying_party::RelyingParty;

const GO_ON: &str = "HTTP/1.1 100 Continue\r\n\r\n";

/// The first node has begun to read its body.
#[derive(Debug)]
pub struct PausedRequest {
    stream: TcpStream,
    body: String,
    asked: url::Url,
}

impl TestProvider {
    /// Sends the headers of a POST, and waits until the first node asks for the body (RFC 9110 §10.1.1).
    pub async fn begin(&self, target: &str, headers: &HeaderMap, body: String) -> PausedRequest {
        let asked = url::Url::parse(&self.issuer).unwrap().join(target).unwrap();
        let host = &asked[url::Position::BeforeHost..url::Position::AfterPort];
        let length = body.len();
        let mut head = format!(
            "POST {target} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\nexpect: 100-continue\r\ncontent-length: {length}\r\n"
        );
        for (name, value) in headers {
            head.extend([name.as_str(), ": ", value.to_str().unwrap(), "\r\n"]);
        }
        head.push_str("\r\n");
        let mut stream = TcpStream::connect(self.address()).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut received = vec![0; GO_ON.len()];
        stream.read_exact(&mut received).await.unwrap();
        assert_eq!(String::from_utf8(received).unwrap(), GO_ON);
        PausedRequest { stream, body, asked }
    }

    /// The same with a form that the browser submits.
    pub async fn begin_submit(
        &self,
        browser: &Browser,
        page: &TestResponse,
        action: &str,
        entered: &[(&str, &str)],
    ) -> PausedRequest {
        let form = page.form(action);
        let mut headers = browser.headers_of_form();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        self.begin(action, &headers, encode(&filled_in(&form, entered))).await
    }

    /// The same with a request of a client to one of its endpoints.
    pub async fn begin_of_client(
        &self,
        client: &RelyingParty,
        path: &str,
        fields: &[(&str, &str)],
    ) -> PausedRequest {
        let (fields, mut headers) = client.proven(fields);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        self.begin(path, &headers, encode(&fields)).await
    }

    /// The same with JSON.
    pub async fn begin_json(&self, target: &str, json: &serde_json::Value) -> PausedRequest {
        let kind = HeaderValue::from_static("application/json");
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, kind)]);
        self.begin(target, &headers, json.to_string()).await
    }
}

impl PausedRequest {
    /// Sends the body.
    pub async fn finish(mut self) -> TestResponse {
        self.stream.write_all(self.body.as_bytes()).await.unwrap();
        let mut answer = String::new();
        self.stream.read_to_string(&mut answer).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let (status, lines) = head.split_once("\r\n").unwrap();
        let pairs = lines.lines().map(|line| line.split_once(": ").unwrap());
        let headers = pairs.map(|(name, value)| {
            (name.parse::<HeaderName>().unwrap(), value.parse::<HeaderValue>().unwrap())
        });
        TestResponse {
            status: status.split(' ').nth(1).unwrap().parse().unwrap(),
            headers: headers.collect(),
            body: body.to_owned(),
            asked: self.asked,
        }
    }
}
