//! Recovery, codes, new passwords and registration, as people meet them: with one node, and with two that are asked in turn
//! and of which one is replaced while the person waits for a code.

mod authenticator_apps;
mod codes;
mod expiry;
mod known_devices;
mod languages;
mod left_at_a_browser;
mod new_password;
mod one_page_one_row;
mod races;
mod reach;
mod recovery;
pub(crate) mod registration;
mod sent_twice;
mod step_up;
mod support;
mod telephone;
mod unknown_addresses;

use anteroom_domain::message::{Mail, MessageBody};
use anteroom_testkit::{Browser, TestProvider, TestResponse};

pub(crate) const CAROL: &str = "carol@practice.example";
pub(crate) const CELL: &str = "+12025550143";
pub(crate) const NEW: &str = "lemon-tide-harbor-92";

/// The newest mail of a recovery: its link without the issuer, and the code that can be typed instead.
pub(crate) async fn mailed(provider: &TestProvider) -> (String, String) {
    let found = provider.outbox().await.into_iter().find_map(|message| match message.body {
        MessageBody::Email { mail: Mail::Recovery { link, code, .. }, .. } => Some((link, code)),
        _ => None,
    });
    let (link, code) = found.unwrap();
    (link.replace(&provider.issuer, ""), code.unwrap())
}

/// How many mails of a kind are in the outbox.
pub(crate) async fn mails(provider: &TestProvider, kind: &str) -> usize {
    provider.outbox().await.iter().filter(|message| message.body.kind() == kind).count()
}

/// The digits that went out last.
pub(crate) async fn digits(provider: &TestProvider) -> String {
    provider.replace_a_node().await;
    let found = provider.outbox().await.into_iter().find_map(|message| match message.body {
        MessageBody::Text { code, .. } | MessageBody::Call { code, .. } => Some(code.digits),
        MessageBody::Email { .. } | MessageBody::Unaddressed { .. } | MessageBody::Notice { .. } => None,
    });
    found.unwrap()
}

/// Six digits that are not those.
pub(crate) fn other_than(digits: &str) -> String {
    let first = if digits.starts_with('1') { '2' } else { '1' };
    format!("{first}{}", &digits[1..])
}

/// Any number of such, each different: the same one in the same form is one guess.
pub(crate) fn others_than(digits: &str) -> impl Iterator<Item = String> + use<> {
    let right: u32 = digits.parse().unwrap();
    (1..).map(move |more| format!("{:06}", (right + 7 * more) % 1_000_000))
}

/// The page behind a form.
pub(crate) async fn through(
    browser: &Browser,
    page: &TestResponse,
    action: &str,
    with: &[(&str, &str)],
) -> TestResponse {
    let answer = browser.submit(page, action, with).await;
    assert_eq!(answer.status, 303, "{action}: {}", answer.page_summary());
    browser.follow(&answer).await
}

/// The ways that a page offers for a code, as its radio buttons name them.
pub(crate) fn ways(page: &TestResponse) -> Vec<String> {
    let quoted = page.body.split('"');
    quoted.filter(|text| text.starts_with("text:") || text.starts_with("call:")).map(str::to_owned).collect()
}

/// Asks for a recovery mail; the page that is the same for every address.
pub(crate) async fn forget(browser: &Browser, address: &str) -> TestResponse {
    let page = browser.get("/forgot-password").await;
    through(browser, &page, "/forgot-password", &[("email", address)]).await
}

/// Presses the newest mailed link in this browser: "Verify your identity".
pub(crate) async fn follow_link(provider: &TestProvider, browser: &Browser) -> TestResponse {
    let page = browser.get(&mailed(provider).await.0).await;
    through(browser, &page, "/recover", &[]).await
}

/// Lets the first way offered carry a code: the page where it is entered.
pub(crate) async fn send(browser: &Browser, page: &TestResponse) -> TestResponse {
    let way = ways(page).remove(0);
    through(browser, page, "/verify/send", &[("method", &way)]).await
}

/// From the pressed link to the form of the new password.
pub(crate) async fn prove(provider: &TestProvider, browser: &Browser) -> TestResponse {
    let page = send(browser, &follow_link(provider, browser).await).await;
    through(browser, &page, "/verify/code", &[("code", &digits(provider).await)]).await
}

pub(crate) async fn choose(browser: &Browser, page: &TestResponse, password: &str) -> TestResponse {
    browser.submit(page, "/new-password", &[("new_password", password), ("confirm_password", password)]).await
}

/// The whole of it, in a browser of its own or in this one.
pub(crate) async fn reset(
    provider: &TestProvider,
    browser: &Browser,
    address: &str,
    password: &str,
) -> TestResponse {
    forget(browser, address).await;
    let page = prove(provider, browser).await;
    let answer = choose(browser, &page, password).await;
    assert_eq!(answer.status, 303, "{}", answer.page_summary());
    browser.follow(&answer).await
}
