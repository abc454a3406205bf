//! The wire to a node, or to two in turn: they are reached by their addresses and asked by the issuer's name, as a proxy in
//! front of several nodes would do.

use reqwest::header::{CONTENT_TYPE, HOST, HeaderMap, HeaderValue};
use reqwest::{Method, Request};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use url::Url;

use crate::answer::TestResponse;

/// What proxies take of an answer's headers unless they are told otherwise; every answer in every test keeps to it.
const LONGEST_HEAD: usize = 4_096;

#[derive(Clone, Debug)]
pub(crate) struct NodeClient {
    http: reqwest::Client,
    /// Shared by all clones, so that the requests of all clients take turns.
    nodes: Arc<Mutex<Nodes>>,
    pub(crate) issuer: Url,
}

#[derive(Debug)]
struct Nodes {
    first: SocketAddr,
    second: Option<SocketAddr>,
    is_seconds_turn: bool,
}

impl Nodes {
    fn next(&mut self) -> SocketAddr {
        let next = self.second.filter(|_| self.is_seconds_turn).unwrap_or(self.first);
        self.is_seconds_turn = !self.is_seconds_turn;
        next
    }
}

impl NodeClient {
    pub(crate) fn new(address: SocketAddr, issuer: &str) -> Self {
        #[expect(clippy::disallowed_methods, reason = "tests reach the providers that they start")]
        let builder = reqwest::Client::builder();
        // Plain HTTP on this machine: no certificates are read. A connection serves one request, lest one that was refused in
        // the middle of its body spoils the next.
        let builder = builder.tls_certs_only([]).no_proxy().pool_max_idle_per_host(0);
        let http = builder.redirect(reqwest::redirect::Policy::none()).build();
        let nodes = Nodes { first: address, second: None, is_seconds_turn: false };
        Self { http: http.unwrap(), nodes: Arc::new(Mutex::new(nodes)), issuer: issuer.parse().unwrap() }
    }

    /// From now on the first node and this one are asked in turn, and not in the turn in which it was before: else one would
    /// show all pages and the other take all forms.
    pub(crate) fn alternate_with(&self, second: SocketAddr) {
        let mut nodes = self.nodes.lock().unwrap();
        (nodes.second, nodes.is_seconds_turn) = (Some(second), !nodes.is_seconds_turn);
    }

    pub(crate) async fn send(
        &self,
        method: Method,
        target: &str,
        headers: HeaderMap,
        body: impl Into<reqwest::Body>,
    ) -> TestResponse {
        let asked = format!("{method} {}", target.chars().take(300).collect::<String>());
        let answer = self.try_send(method, target, headers, body).await;
        answer.unwrap_or_else(|error| panic!("{asked}: {error:?}"))
    }

    /// `target` is a path with its query, or a URL below the issuer. Headers given here win. An answer that came in part is
    /// no answer.
    pub(crate) async fn try_send(
        &self,
        method: Method,
        target: &str,
        headers: HeaderMap,
        body: impl Into<reqwest::Body>,
    ) -> Result<TestResponse, reqwest::Error> {
        let asked = self.issuer.join(target).unwrap();
        assert_eq!(asked.origin(), self.issuer.origin(), "not an address of the provider: {asked}");
        let mut url = asked.clone();
        // TLS would end before the node.
        url.set_scheme("http").unwrap();
        let node = self.nodes.lock().unwrap().next();
        url.set_ip_host(node.ip()).unwrap();
        url.set_port(Some(node.port())).unwrap();
        let mut request = Request::new(method, url);
        let host = &self.issuer[url::Position::BeforeHost..url::Position::AfterPort];
        request.headers_mut().insert(HOST, HeaderValue::from_str(host).unwrap());
        request.headers_mut().extend(headers);
        *request.body_mut() = Some(body.into());
        let response = self.http.execute(request).await?;
        let answer = TestResponse {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            asked,
            body: response.text().await?,
        };
        assert!(
            answer.head_bytes() <= LONGEST_HEAD,
            "{} bytes of headers: {}",
            answer.head_bytes(),
            answer.page_summary()
        );
        Ok(answer)
    }

    pub(crate) async fn try_post(
        &self,
        target: &str,
        fields: &[(&str, &str)],
        mut headers: HeaderMap,
    ) -> Result<TestResponse, reqwest::Error> {
        let form = HeaderValue::from_static("application/x-www-form-urlencoded");
        headers.entry(CONTENT_TYPE).or_insert(form);
        self.try_send(Method::POST, target, headers, encode(fields)).await
    }
}

pub(crate) fn encode(fields: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}
