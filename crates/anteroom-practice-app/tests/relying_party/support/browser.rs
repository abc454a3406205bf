//! Keeps cookies, follows nothing.

use std::collections::BTreeMap;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, header};
use cookie::Cookie;
use cookie::time::Duration;
use tower::ServiceExt as _;
use url::Url;
use url::form_urlencoded::Serializer;

use super::BASE;

#[derive(Clone)]
pub(crate) struct Browser {
    app: Router,
    pub(crate) cookies: BTreeMap<String, String>,
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn location(&self) -> Url {
        assert_eq!(self.status, 303, "{}", self.body);
        let base = Url::parse(BASE).unwrap();
        base.join(self.headers[header::LOCATION].to_str().unwrap()).unwrap()
    }
}

impl Browser {
    pub(crate) fn new(app: Router) -> Self {
        Self { app, cookies: BTreeMap::new() }
    }

    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        self.send(Request::get(path).body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn post(&mut self, path: &str, form: &[(&str, &str)]) -> Answer {
        let body = Serializer::new(String::new()).extend_pairs(form).finish();
        let request = Request::post(path)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(body));
        self.send(request.unwrap()).await
    }

    async fn send(&mut self, mut request: Request<Body>) -> Answer {
        for (name, value) in &self.cookies {
            let cookie = format!("{name}={value}").parse().unwrap();
            request.headers_mut().append(header::COOKIE, cookie);
        }
        let response = self.app.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        for cookie in parts.headers.get_all(header::SET_COOKIE) {
            self.keep(&Cookie::parse(cookie.to_str().unwrap()).unwrap());
        }
        let body = to_bytes(body, usize::MAX).await.unwrap();
        let body = String::from_utf8(body.to_vec()).unwrap();
        Answer { status: parts.status.as_u16(), headers: parts.headers, body }
    }

    fn keep(&mut self, cookie: &Cookie<'_>) {
        if cookie.max_age() == Some(Duration::ZERO) {
            self.cookies.remove(cookie.name());
        } else {
            self.cookies.insert(cookie.name().to_owned(), cookie.value().to_owned());
        }
    }
}
