//! What came back, with what tests look for in it.

use cookie::Cookie;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue, LOCATION, SET_COOKIE};
use serde_json::Value;
use std::collections::BTreeMap;
use url::Url;

use crate::html::{self, Form, Link};

#[derive(Clone, Debug)]
pub struct TestResponse {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: String,
    /// What was asked for.
    pub asked: Url,
}

impl TestResponse {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// Where a redirect leads, or the page that takes its place.
    pub fn location(&self) -> Url {
        let location = self.headers.get(LOCATION).map(|value| value.to_str().unwrap().to_owned());
        let location = location.or_else(|| html::href_of(&self.body, "redirect"));
        let location = location.unwrap_or_else(|| panic!("no redirect but {}", self.page_summary()));
        self.asked.join(&location).unwrap()
    }

    /// The bytes of the head as they went over the wire: what proxies have a limit for.
    pub fn head_bytes(&self) -> usize {
        let status = "HTTP/1.1 303 See Other\r\n".len() + "\r\n".len();
        let line = |(name, value): (&HeaderName, &HeaderValue)| name.as_str().len() + value.len() + 4;
        status + self.headers.iter().map(line).sum::<usize>()
    }

    /// What a redirect carries in its query.
    pub fn parameters(&self) -> BTreeMap<String, String> {
        self.location().query_pairs().into_owned().collect()
    }

    /// The `error` that a redirect or a JSON body names.
    pub fn error(&self) -> String {
        if self.headers.contains_key(LOCATION) {
            return self.parameters().get("error").cloned().unwrap_or_default();
        }
        self.json()["error"].as_str().unwrap_or_default().to_owned()
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON but {}", self.page_summary()))
    }

    /// The cookies that it sets, attributes and all.
    pub fn cookies(&self) -> Vec<Cookie<'static>> {
        let lines = self.headers.get_all(SET_COOKIE).iter();
        lines.map(|line| Cookie::parse(line.to_str().unwrap().to_owned()).unwrap()).collect()
    }

    /// The page's forms.
    pub fn forms(&self) -> Vec<Form> {
        html::forms(&self.body)
    }

    /// The page's form that posts to `action`.
    pub fn form(&self, action: &str) -> Form {
        let form = self.forms().into_iter().find(|form| form.action == action);
        form.unwrap_or_else(|| panic!("no form to {action} but {}", self.page_summary()))
    }

    pub fn has_form(&self, action: &str) -> bool {
        html::forms(&self.body).iter().any(|form| form.action == action)
    }

    pub fn links(&self) -> Vec<Link> {
        html::links(&self.body)
    }

    pub fn frames(&self) -> Vec<String> {
        html::frames(&self.body)
    }

    /// The words of the element with this `id`.
    pub fn text_of(&self, id: &str) -> Option<String> {
        html::text_of(&self.body, id)
    }

    /// The page's main heading.
    pub fn heading(&self) -> String {
        html::heading(&self.body).unwrap_or_else(|| panic!("no heading but {}", self.page_summary()))
    }

    /// What it is about, for messages of failed tests.
    pub fn page_summary(&self) -> String {
        let location = self.header("location").map(|location| format!(" to {location}"));
        format!("{}{}: {}", self.status, location.unwrap_or_default(), html::gist(&self.body))
    }

    /// What an operator can look up.
    pub fn reference(&self) -> Option<String> {
        self.text_of("reference")
    }
}
