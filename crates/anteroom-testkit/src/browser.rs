//! A browser without scripts: it keeps cookies, follows a redirect when told to, and says of itself what browsers say.

use reqwest::Method;
use reqwest::header::{COOKIE, HeaderMap, HeaderName, HeaderValue, ORIGIN};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Mutex;

use crate::answer::TestResponse;
use crate::html::Form;
use crate::node_client::NodeClient;

#[derive(Debug)]
pub struct Browser {
    wire: NodeClient,
    cookies: Mutex<BTreeMap<String, String>>,
    /// Whether forms are sent with `Origin` and `Sec-Fetch-Site`, as browsers of today do.
    vouches: bool,
    headers: HeaderMap,
}

impl Clone for Browser {
    /// A copy with the same cookies that then diverges, as an attacker who stole them has.
    fn clone(&self) -> Self {
        Self {
            wire: self.wire.clone(),
            cookies: Mutex::new(self.cookies.lock().unwrap().clone()),
            vouches: self.vouches,
            headers: self.headers.clone(),
        }
    }
}

impl Browser {
    pub(crate) fn new(wire: NodeClient) -> Self {
        Self { wire, cookies: Mutex::default(), vouches: true, headers: HeaderMap::new() }
    }

    /// A browser that has never been here, of a provider that runs in a process of its own.
    pub fn at(address: SocketAddr, issuer: &str) -> Self {
        Self::new(NodeClient::new(address, issuer))
    }

    /// Says nothing about where forms come from, like an old browser or a script.
    #[must_use]
    pub fn says_nothing(mut self) -> Self {
        self.vouches = false;
        self
    }

    /// Sends this with every request.
    #[must_use]
    pub fn with(mut self, header: &'static str, value: &str) -> Self {
        self.headers.insert(HeaderName::from_static(header), HeaderValue::from_str(value).unwrap());
        self
    }

    /// Comes from this network address.
    #[must_use]
    pub fn from(self, address: &str) -> Self {
        self.with("x-forwarded-for", address)
    }

    /// The same browser, led to another node.
    pub(crate) fn set_node(&mut self, node: NodeClient) {
        self.wire = node;
    }

    pub fn cookie(&self, name: &str) -> Option<String> {
        self.cookies.lock().unwrap().get(name).cloned()
    }

    pub fn set_cookie(&self, name: &str, value: &str) {
        self.cookies.lock().unwrap().insert(name.to_owned(), value.to_owned());
    }

    pub fn forget(&self, name: &str) {
        self.cookies.lock().unwrap().remove(name);
    }

    pub async fn get(&self, target: &str) -> TestResponse {
        self.request(Method::GET, target).await
    }

    pub async fn request(&self, method: Method, target: &str) -> TestResponse {
        self.try_request(method, target).await.unwrap()
    }

    /// Of a provider that may go away in the middle.
    pub async fn try_get(&self, target: &str) -> Result<TestResponse, reqwest::Error> {
        self.try_request(Method::GET, target).await
    }

    async fn try_request(&self, method: Method, target: &str) -> Result<TestResponse, reqwest::Error> {
        let answer = self.wire.try_send(method, target, self.own_headers(), String::new()).await?;
        self.keep(&answer);
        Ok(answer)
    }

    /// A form's fields, from a page of the provider as far as this browser says.
    pub async fn post(&self, target: &str, fields: &[(&str, &str)]) -> TestResponse {
        self.try_post(target, fields).await.unwrap()
    }

    async fn try_post(&self, target: &str, fields: &[(&str, &str)]) -> Result<TestResponse, reqwest::Error> {
        let answer = self.wire.try_post(target, fields, self.headers_of_form()).await?;
        self.keep(&answer);
        Ok(answer)
    }

    pub(crate) fn headers_of_form(&self) -> HeaderMap {
        let mut headers = self.own_headers();
        if self.vouches {
            let origin = self.wire.issuer.origin().ascii_serialization();
            headers.entry(ORIGIN).or_insert(HeaderValue::from_str(&origin).unwrap());
            let site = HeaderName::from_static("sec-fetch-site");
            headers.entry(site).or_insert(HeaderValue::from_static("same-origin"));
        }
        headers
    }

    /// Fills in the form of `page` that posts to `action` and submits it.
    pub async fn submit(&self, page: &TestResponse, action: &str, entered: &[(&str, &str)]) -> TestResponse {
        self.try_submit(page, action, entered).await.unwrap()
    }

    /// The same, to a provider that may go away in the middle.
    pub async fn try_submit(
        &self,
        page: &TestResponse,
        action: &str,
        entered: &[(&str, &str)],
    ) -> Result<TestResponse, reqwest::Error> {
        let form = page.form(action);
        self.try_post(action, &filled_in(&form, entered)).await
    }

    /// Goes where a redirect leads, one step.
    pub async fn follow(&self, answer: &TestResponse) -> TestResponse {
        self.get(answer.location().as_str()).await
    }

    /// Opens the sign-in page and submits it.
    pub async fn sign_in(&self, email: &str, password: &str) -> TestResponse {
        let page = self.get("/sign-in?another=1").await;
        self.enter(&page, email, password).await
    }

    /// Fills in a sign-in page that is open already.
    pub async fn enter(&self, page: &TestResponse, email: &str, password: &str) -> TestResponse {
        self.submit(page, "/sign-in", &[("email", email), ("password", password)]).await
    }

    /// Whether an account is signed in here.
    pub async fn is_signed_in(&self) -> bool {
        self.get("/dashboard").await.status == 200
    }

    fn own_headers(&self) -> HeaderMap {
        let mut headers = self.headers.clone();
        let cookies = self.cookies.lock().unwrap();
        if !cookies.is_empty() {
            let pairs: Vec<String> = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            headers.insert(COOKIE, HeaderValue::from_str(&pairs.join("; ")).unwrap());
        }
        headers
    }

    fn keep(&self, answer: &TestResponse) {
        let mut kept = self.cookies.lock().unwrap();
        for cookie in answer.cookies() {
            kept.insert(cookie.name().to_owned(), cookie.value().to_owned());
        }
    }
}

pub(crate) fn filled_in<'a>(form: &'a Form, entered: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut fields: Vec<(&str, &str)> =
        form.fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    for (name, value) in entered {
        fields.retain(|(known, _)| known != name);
        fields.push((name, value));
    }
    fields
}
