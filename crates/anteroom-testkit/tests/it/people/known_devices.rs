//! Which browsers an account knows after a new password, and whom their failures lock out.

use super::*;
use anteroom_domain::address::EmailAddress;
use anteroom_flows::people::admin::{disable, enable};
use anteroom_testkit::{Backend, PASSWORD, on_both_databases};
use jiff::SignedDuration;

on_both_databases!(
    a_thief_of_the_password_before_has_few_guesses_in_all_browsers_together,
    a_device_of_an_earlier_password_has_no_place_before_strangers,
    a_device_of_an_earlier_password_has_no_mail_beside_those_of_strangers,
    a_new_password_by_choice_lifts_the_lock_of_a_device_and_none_of_the_account,
    a_reset_at_each_desk_keeps_both_from_a_strangers_failures,
    after_a_reset_a_device_that_had_stepped_up_does_so_again,
    the_button_of_a_reset_pressed_twice_makes_its_browser_known,
    a_device_of_an_earlier_password_is_one_whatever_the_clocks_say,
    a_sign_in_of_before_a_change_is_one_of_before_in_the_same_moment,
    the_present_password_was_right_where_it_was_whatever_the_clocks_say,
    a_second_factor_of_before_a_reset_is_one_of_before_whatever_the_clocks_say,
    a_device_of_the_present_password_stays_one_over_a_disablement,
);

async fn fail(browser: &Browser) {
    for _ in 0..6 {
        assert_eq!(browser.sign_in(CAROL, "wrong").await.status, 422);
    }
}

/// What was locked, the newest first.
async fn scopes(provider: &TestProvider) -> Vec<&'static str> {
    let all = ["this_device", "unknown_devices", "earlier_devices", "everywhere"];
    let of = |detail: &str| all.into_iter().find(|scope| detail.contains(scope)).unwrap();
    provider.audited("account_locked").await.iter().map(|locked| of(&locked.detail)).collect()
}

async fn a_thief_of_the_password_before_has_few_guesses_in_all_browsers_together(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    provider.person(CAROL).password_set(SignedDuration::from_hours(48)).create().await;
    let mut thiefs = Vec::new();
    for _ in 0..4 {
        thiefs.push(provider.signed_in(CAROL).await);
    }
    let (desk, laptop) = (provider.signed_in(CAROL).await, provider.signed_in(CAROL).await);
    let tablet = provider.signed_in(CAROL).await;
    provider.advance(SignedDuration::from_secs(1));
    let page = desk.get("/change-password").await;
    assert_eq!(choose(&desk, &page, NEW).await.status, 303);
    for thief in &thiefs {
        assert_eq!(thief.sign_in(CAROL, "wrong").await.status, 422);
        assert_eq!(thief.sign_in(CAROL, "wronger").await.status, 422);
    }
    assert_eq!(scopes(&provider).await, ["earlier_devices"]);
    assert_eq!(mails(&provider, "account_locked").await, 1);
    // What is not locked says nothing of a lock, and the owner gets in wherever that is.
    let shown = thiefs[0].sign_in(CAROL, "wrong").await;
    assert!(!shown.text_of("problem").unwrap().contains("locked"), "{}", shown.page_summary());
    for browser in [&desk, &laptop, &provider.browser()] {
        assert_eq!(browser.sign_in(CAROL, NEW).await.status, 303);
    }
    // The owner's sign-ins give no new guesses but those of any stranger.
    for thief in &thiefs {
        fail(thief).await;
    }
    assert_eq!(scopes(&provider).await, ["unknown_devices", "earlier_devices"]);
    assert_eq!(tablet.sign_in(CAROL, NEW).await.status, 422, "the present password was never right there");
    // At the laptop it was right by now.
    assert_eq!(laptop.sign_in(CAROL, NEW).await.status, 303);
    fail(&laptop).await;
    assert_eq!(scopes(&provider).await[0], "everywhere");
    let shown = desk.sign_in(CAROL, NEW).await;
    assert_eq!(shown.status, 422);
    assert!(shown.text_of("problem").unwrap().contains("or on another one"), "{}", shown.page_summary());
}

async fn a_device_of_an_earlier_password_has_no_place_before_strangers(backend: Backend) {
    const OFFICE: &str = "203.0.113.7";
    let provider =
        TestProvider::on(&backend).set("policy.sign_in.rate", "{ max = 3, window = \"5m\" }").start().await;
    provider.person(CAROL).password_set(SignedDuration::from_hours(48)).create().await;
    let (desk, thief) = (provider.browser().from(OFFICE), provider.browser().from(OFFICE));
    for browser in [&desk, &thief] {
        assert_eq!(browser.sign_in(CAROL, PASSWORD).await.status, 303);
    }
    provider.advance(SignedDuration::from_secs(1));
    let page = desk.get("/change-password").await;
    assert_eq!(choose(&desk, &page, NEW).await.status, 303);
    provider.advance(SignedDuration::from_mins(15));
    let guest = provider.browser().from(OFFICE);
    for _ in 0..3 {
        assert_eq!(guest.sign_in(CAROL, "wrong").await.status, 422);
    }
    assert_eq!(thief.sign_in(CAROL, "wrong").await.status, 429);
    assert_eq!(desk.sign_in(CAROL, NEW).await.status, 303);
}

async fn a_device_of_an_earlier_password_has_no_mail_beside_those_of_strangers(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    provider.person(CAROL).password_set(SignedDuration::from_hours(48)).create().await;
    let (desk, thief) = (provider.signed_in(CAROL).await, provider.signed_in(CAROL).await);
    let page = desk.get("/change-password").await;
    assert_eq!(choose(&desk, &page, NEW).await.status, 303);
    for _ in 0..5 {
        forget(&provider.browser(), CAROL).await;
    }
    assert_eq!(mails(&provider, "recovery").await, 5);
    forget(&thief, CAROL).await;
    assert_eq!(mails(&provider, "recovery").await, 5);
    forget(&desk, CAROL).await;
    assert_eq!(mails(&provider, "recovery").await, 6);
}

async fn a_new_password_by_choice_lifts_the_lock_of_a_device_and_none_of_the_account(backend: Backend) {
    const NEXT: &str = "maple-tide-harbor-92";
    const LAST: &str = "cedar-tide-harbor-92";
    let provider = TestProvider::start(&backend).await;
    provider.person(CAROL).phone(CELL).create().await;
    let (laptop, desk) = (provider.browser(), provider.browser());
    reset(&provider, &laptop, CAROL, NEW).await;
    change(&provider, &desk, NEW, NEXT).await;
    fail(&provider.browser()).await;
    fail(&laptop).await;
    assert_eq!(scopes(&provider).await, ["this_device", "unknown_devices"]);
    assert_eq!(mails(&provider, "account_locked").await, 2);
    let shown = laptop.sign_in(CAROL, NEXT).await;
    let problem = shown.text_of("problem").unwrap();
    assert!(
        problem.contains("Signing in is locked here") && problem.contains("Forgot Password"),
        "{problem}"
    );
    change(&provider, &desk, NEXT, LAST).await;
    assert_eq!(laptop.sign_in(CAROL, LAST).await.status, 303);
    assert_eq!(provider.browser().sign_in(CAROL, LAST).await.status, 422);
}

/// Changes the password by choice, a day later: in a new session, with a code.
async fn change(provider: &TestProvider, browser: &Browser, old: &str, new: &str) {
    provider.advance(SignedDuration::from_hours(25));
    assert_eq!(browser.sign_in(CAROL, old).await.status, 303);
    let page = send(browser, &browser.get("/change-password").await).await;
    let page = through(browser, &page, "/verify/code", &[("code", &digits(provider).await)]).await;
    assert_eq!(choose(browser, &page, new).await.status, 303);
}

async fn a_reset_at_each_desk_keeps_both_from_a_strangers_failures(backend: Backend) {
    const NEXT: &str = "maple-tide-harbor-92";
    let provider = TestProvider::start(&backend).await;
    provider.person(CAROL).phone(CELL).create().await;
    let (first, second) = (provider.signed_in(CAROL).await, provider.signed_in(CAROL).await);
    let unknown_browser = provider.browser();
    fail(&unknown_browser).await;
    reset(&provider, &first, CAROL, NEW).await;
    fail(&unknown_browser).await;
    assert_eq!(second.sign_in(CAROL, NEW).await.status, 422, "the password alone had made it known");
    provider.advance(SignedDuration::from_mins(2));
    reset(&provider, &second, CAROL, NEXT).await;
    fail(&unknown_browser).await;
    for desk in [&first, &second] {
        assert_eq!(desk.sign_in(CAROL, NEXT).await.status, 303);
    }
    assert_eq!(provider.browser().sign_in(CAROL, NEXT).await.status, 422);
}

async fn after_a_reset_a_device_that_had_stepped_up_does_so_again(backend: Backend) {
    let provider = TestProvider::on(&backend).set("policy.new_devices_step_up", "true").start().await;
    provider.person(CAROL).phone(CELL).create().await;
    let (desk, elsewhere) = (provider.browser(), provider.browser());
    let sign_in = async |password: &str| {
        let page = desk.get("/sign-in").await;
        through(&desk, &page, "/sign-in", &[("email", CAROL), ("password", password)]).await
    };
    let page = send(&desk, &sign_in(PASSWORD).await).await;
    through(&desk, &page, "/verify/code", &[("code", &digits(&provider).await)]).await;
    assert!(desk.is_signed_in().await);
    provider.advance(SignedDuration::from_mins(1));
    reset(&provider, &elsewhere, CAROL, NEW).await;
    assert!(sign_in(NEW).await.has_form("/verify/send"), "the reset may be because of who sits there");
}

async fn the_button_of_a_reset_pressed_twice_makes_its_browser_known(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    provider.person(CAROL).phone(CELL).create().await;
    let carol = provider.browser();
    forget(&carol, CAROL).await;
    let form = prove(&provider, &carol).await;
    assert_eq!(choose(&carol, &form, NEW).await.status, 303);
    // The browser has given the first answer up.
    carol.forget("anteroom_device");
    let again = choose(&carol, &form, NEW).await;
    assert_eq!(carol.follow(&again).await.heading(), "Your password is changed");
    fail(&provider.browser()).await;
    assert_eq!(provider.browser().sign_in(CAROL, NEW).await.status, 422);
    assert_eq!(carol.sign_in(CAROL, NEW).await.status, 303);
}

/// Two nodes, of which the second's clock is as far ahead as two may be that serve.
async fn nodes(backend: &Backend, new_devices_step_up: &str) -> [TestProvider; 2] {
    let node = || TestProvider::on(backend).set("policy.new_devices_step_up", new_devices_step_up);
    let first = node().start().await;
    let second = node().another_node_of(&first).ahead_by(SignedDuration::from_secs(4)).start().await;
    [first, second]
}

fn later(nodes: &[TestProvider; 2]) {
    for node in nodes {
        node.advance(SignedDuration::from_secs(1));
    }
}

/// Changes the password by choice with the password alone, in the session of a moment ago.
async fn change_at_once(browser: &Browser, new: &str) {
    let page = browser.get("/change-password").await;
    let answer = choose(browser, &page, new).await;
    assert_eq!(answer.status, 303, "{}", answer.page_summary());
}

async fn a_device_of_an_earlier_password_is_one_whatever_the_clocks_say(backend: Backend) {
    let nodes = nodes(&backend, "false").await;
    nodes[0].person(CAROL).password_set(SignedDuration::from_hours(48)).create().await;
    let desk = nodes[0].signed_in(CAROL).await;
    let thief = nodes[1].signed_in(CAROL).await;
    later(&nodes);
    change_at_once(&desk, NEW).await;
    fail(&thief).await;
    assert_eq!(scopes(&nodes[0]).await, ["earlier_devices"]);
    assert_eq!(desk.sign_in(CAROL, NEW).await.status, 303);
}

async fn a_sign_in_of_before_a_change_is_one_of_before_in_the_same_moment(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    provider.person(CAROL).password_set(SignedDuration::from_hours(48)).create().await;
    let (desk, thief) = (provider.signed_in(CAROL).await, provider.signed_in(CAROL).await);
    change_at_once(&desk, NEW).await;
    fail(&thief).await;
    assert_eq!(scopes(&provider).await, ["earlier_devices"]);
    assert_eq!(desk.sign_in(CAROL, NEW).await.status, 303);
}

async fn the_present_password_was_right_where_it_was_whatever_the_clocks_say(backend: Backend) {
    let nodes = nodes(&backend, "false").await;
    nodes[0].person(CAROL).password_set(SignedDuration::from_hours(48)).create().await;
    let (old, desk) = (nodes[0].signed_in(CAROL).await, nodes[1].signed_in(CAROL).await);
    let elsewhere = nodes[0].signed_in(CAROL).await;
    change_at_once(&desk, NEW).await;
    later(&nodes);
    assert_eq!(elsewhere.sign_in(CAROL, NEW).await.status, 303);
    fail(&old).await;
    fail(&nodes[0].browser()).await;
    assert_eq!(elsewhere.sign_in(CAROL, NEW).await.status, 303, "it was right there");
    assert_eq!(nodes[0].browser().sign_in(CAROL, NEW).await.status, 422);
}

async fn a_second_factor_of_before_a_reset_is_one_of_before_whatever_the_clocks_say(backend: Backend) {
    let nodes = nodes(&backend, "true").await;
    nodes[0].person(CAROL).phone(CELL).create().await;
    let (mut desk, elsewhere) = (nodes[1].browser(), nodes[0].browser());
    let page = desk.get("/sign-in").await;
    let page = through(&desk, &page, "/sign-in", &[("email", CAROL), ("password", PASSWORD)]).await;
    let page = send(&desk, &page).await;
    through(&desk, &page, "/verify/code", &[("code", &digits(&nodes[1]).await)]).await;
    assert!(desk.is_signed_in().await);
    // Of all messages the test reads the newest, by the clock of the node that it is of.
    backend.execute("DELETE FROM messages").await;
    later(&nodes);
    reset(&nodes[0], &elsewhere, CAROL, NEW).await;
    desk.lead_to(&nodes[0]);
    let page = desk.get("/sign-in").await;
    let asked = through(&desk, &page, "/sign-in", &[("email", CAROL), ("password", NEW)]).await;
    assert!(asked.has_form("/verify/send"), "{}", asked.page_summary());
    // Once it has passed one since, it is not asked again.
    later(&nodes);
    let page = send(&desk, &asked).await;
    through(&desk, &page, "/verify/code", &[("code", &digits(&nodes[0]).await)]).await;
    assert!(desk.is_signed_in().await);
    let page = desk.get("/sign-in?another=1").await;
    let in_again = through(&desk, &page, "/sign-in", &[("email", CAROL), ("password", NEW)]).await;
    assert!(!in_again.has_form("/verify/send"), "{}", in_again.page_summary());
}

async fn a_device_of_the_present_password_stays_one_over_a_disablement(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    provider.person(CAROL).create().await;
    let desk = provider.signed_in(CAROL).await;
    let (call, carol) = (provider.local(), EmailAddress::parse(CAROL).unwrap());
    disable(&call, &carol).await.unwrap();
    enable(&call, &carol).await.unwrap();
    fail(&desk).await;
    assert_eq!(scopes(&provider).await, ["everywhere"]);
}
