//! The line that says of each request what was answered.

use crate::{WEB, listening};
use anteroom_testkit::{TestProvider, on_sqlite};

#[tokio::test]
async fn each_request_is_one_line_with_its_client_and_nothing_of_its_person() {
    let (page, _guard) = listening();
    on_sqlite(async |backend| {
        let provider = TestProvider::start(&backend).await;
        let (web, browser) = (provider.client("web"), provider.browser());
        let entry = web.authorize(&browser, &[("login_hint", "alice@practice.example")]).await;
        let answer = browser.enter(&entry, "alice@practice.example", "wrong").await;
        assert_eq!(answer.status, 422);
        assert_eq!(browser.get("/nothing/of-the-kind?token=x").await.status, 404);
        web.redeem("no-code").await;
        browser.get("/healthz").await;
    })
    .await;
    let log = page.text();
    let answered: Vec<&str> = log.lines().filter(|line| line.contains(": answered ")).collect();
    for (route, rest) in [
        ("GET\" route=\"/authorize\"", "status=200"),
        ("POST\" route=\"/sign-in\"", "status=422"),
        ("GET\" route=\"none\"", "status=404"),
        ("POST\" route=\"/token\"", "status=400"),
    ] {
        let lines: Vec<&&str> = answered.iter().filter(|line| line.contains(route)).collect();
        assert_eq!(lines.len(), 1, "{route}: {log}");
        assert!(lines[0].contains(rest) && lines[0].contains("reference="), "{log}");
        assert_eq!(lines[0].contains(WEB), route != "GET\" route=\"none\"", "{log}");
    }
    assert!(!log.contains("/healthz") && !log.contains("of-the-kind?"), "{log}");
    assert!(!answered.iter().any(|line| line.contains("alice") || line.contains("of-the-kind")), "{log}");
}
