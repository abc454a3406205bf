//! What a request says makes no line of the log of its own.
#![cfg(test)]

use anteroom::logging::text;
use anteroom_oidc::shown::is_hidden;
use anteroom_testkit::{AppKey, TestProvider, on_sqlite};
use serde_json::json;
use std::io;
use std::sync::{Arc, Mutex};

#[derive(Clone, Default)]
struct Page(Arc<Mutex<Vec<u8>>>);

impl io::Write for Page {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

const FORGED: &str = "x\n1970-01-01T00:00:00Z ERROR forged\u{2028}a\u{202e}b\u{1b}[2Jc";
const ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// One thread serves and asks, so that the subscriber of this test hears what the provider logs.
#[tokio::test]
async fn what_a_request_says_makes_no_line_of_the_log() {
    let page = Page::default();
    let writer = page.clone();
    let _guard = tracing::subscriber::set_default(text("info", move || writer.clone(), false));
    on_sqlite(async |backend| {
        let key = AppKey::new("ES256", "ES256");
        let client = format!(
            "[[clients]]\nclient_id = \"signer\"\nredirect_uris = []\nresponse_types = []\n\
             grant_types = [\"client_credentials\"]\nscope = \"reports\"\n\
             token_endpoint_auth_method = \"private_key_jwt\"\njwks = '{}'\n",
            AppKey::set(&[&key])
        );
        let provider = TestProvider::on(&backend).clients(&client).start().await;
        let long = format!("https://a.example/{}", "a".repeat(9_000));
        for uri in [FORGED, &long] {
            let fields = [("client_id", "web"), ("post_logout_redirect_uri", uri)];
            let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
            let page = provider.browser().get(&format!("/end-session?{query}")).await;
            assert_eq!(page.status, 400);
        }
        let now = provider.now().as_second();
        let claims = json!({"iss": "signer", "sub": "signer", "aud": FORGED, "exp": now + 60, "jti": "a"});
        let fields = [
            ("grant_type", "client_credentials"),
            ("client_assertion_type", ASSERTION),
            ("client_assertion", &key.sign(&claims)),
        ];
        assert_eq!(provider.browser().post("/token", &fields).await.status, 401);
        let browser = provider.browser().with("host", "10.1.2.3");
        assert_eq!(browser.get("/sign-in").await.status, 421);
    })
    .await;
    let log = String::from_utf8(page.0.lock().unwrap().clone()).unwrap();
    let about = |words: &str| log.lines().filter(|line| line.contains(words)).collect::<Vec<_>>();
    assert_eq!(about("end-session request refused").len(), 2, "{log}");
    assert_eq!(about("it is addressed to").len(), 1, "{log}");
    assert_eq!(about("ERROR forged").len(), 2, "{log}");
    let misdirected = about("a request for another host");
    assert_eq!(misdirected.len(), 1, "{log}");
    assert!(misdirected[0].contains("10.1.2.3") && misdirected[0].contains("expected=\"http"), "{log}");
    for line in log.lines() {
        assert!(!line.starts_with("1970-01-01T00:00:00Z ERROR forged"), "{line}");
        assert!(!line.contains(is_hidden), "{line:?}");
        assert!(line.len() < 1_000, "{} bytes", line.len());
    }
}
