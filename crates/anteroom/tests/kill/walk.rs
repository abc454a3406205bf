//! Through the pages of a registration or a recovery, as they come. Where no answer came the page is loaded again, as a
//! person would, and says how far they have got.

use anteroom_testkit::{Browser, TestResponse};
use std::sync::Arc;
use url::Url;

use crate::people::Person;
use crate::post::{digits, link, typed_code};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// The password is set.
    Done,
    /// Too many messages were lost in the hands of killed servers: the person would have to wait.
    GivenUp,
    /// The link came with a mail of an earlier recovery, which was late.
    DeadLink,
}

/// What a page led to.
enum Step {
    To(Url),
    /// No answer came, or the page is worth another try.
    Again,
    End(Ending),
}

const RECOVERY: &str = "/recover?token=";
const INVITATION: &str = "/complete-registration?token=";
/// A mail is asked for so often at most.
const ASKS: u32 = 3;

impl Person {
    pub(crate) async fn register(&mut self, password: &str) -> Ending {
        let mut invitation = None;
        for _ in 0..ASKS {
            invitation = invitation.or(self.scenario.post.next(&self.address, INVITATION, 0).await);
        }
        let Some((mail, _)) = invitation else { return Ending::GivenUp };
        let (scenario, desk) = (Arc::clone(&self.scenario), self.desk.clone());
        let page = scenario.open(&desk, &link(&mail.text, INVITATION)).await;
        self.walk(&desk, page, password).await
    }

    pub(crate) async fn recover(&mut self, password: &str) -> Ending {
        let browser = if self.random.below(2) == 0 { self.desk.clone() } else { self.scenario.browser() };
        for _ in 0..ASKS {
            match self.try_to_recover(&browser, password).await {
                Some(Ending::DeadLink) => {
                    assert!(self.late_mails > 0, "{}: no other mail can have come", self.address);
                    self.late_mails -= 1;
                }
                Some(ending) => return ending,
                None => {}
            }
        }
        Ending::GivenUp
    }

    /// None where no mail came.
    async fn try_to_recover(&mut self, browser: &Browser, password: &str) -> Option<Ending> {
        let scenario = Arc::clone(&self.scenario);
        let asked = self.ask_for_mail(browser).await;
        let (mail, count) = scenario.post.next(&self.address, RECOVERY, self.mails).await?;
        self.mails = count;
        let link = link(&mail.text, RECOVERY);
        let typed = match self.random.below(3) {
            0 => self.type_code(browser, &asked, &typed_code(&mail.text)).await,
            _ => None,
        };
        let page = match typed {
            Some(page) => page,
            None => scenario.open(browser, &link).await,
        };
        self.used_links.push(link);
        Some(self.walk(browser, page, password).await)
    }

    /// The page that is the same for every address.
    async fn ask_for_mail(&mut self, browser: &Browser) -> TestResponse {
        let scenario = Arc::clone(&self.scenario);
        loop {
            let page = scenario.open(browser, "/forgot-password").await;
            let entered = [("email", self.address.as_str())];
            if let Some(answer) = scenario.ask(browser.try_submit(&page, "/forgot-password", &entered)).await
            {
                assert_eq!(answer.status, 303, "{}", answer.page_summary());
                // Answered for this account a moment later, unless the run ends or enough was asked for before.
                self.ledger.perhaps(&["ask_answered"]);
                return scenario.follow(browser, &answer).await;
            }
            self.ledger.perhaps(&["ask_answered"]);
        }
    }

    /// None where the link must serve: an answer was lost, or an older mail's code was typed on a newer page.
    async fn type_code(
        &mut self,
        browser: &Browser,
        asked: &TestResponse,
        code: &str,
    ) -> Option<TestResponse> {
        let scenario = Arc::clone(&self.scenario);
        let Some(answer) = scenario.ask(browser.try_submit(asked, "/recover/code", &[("code", code)])).await
        else {
            self.ledger.perhaps(&["link_pressed"]);
            return None;
        };
        if answer.status == 422 {
            return None;
        }
        self.ledger.did("link_pressed");
        Some(scenario.follow(browser, &answer).await)
    }

    async fn walk(&mut self, browser: &Browser, mut page: TestResponse, password: &str) -> Ending {
        let scenario = Arc::clone(&self.scenario);
        loop {
            let step = self.step(browser, &page, password).await;
            page = match step {
                Step::To(address) => scenario.open(browser, address.as_str()).await,
                Step::Again => scenario.open(browser, page.asked.as_str()).await,
                Step::End(ending) => return ending,
            };
        }
    }

    async fn step(&mut self, browser: &Browser, page: &TestResponse, password: &str) -> Step {
        if page.has_form("/recover") {
            self.follow_link(browser, page).await
        } else if page.has_form("/register") {
            self.post(browser, page, "/register", &[], &["link_pressed"]).await
        } else if page.has_form("/register/phones-done") {
            self.post(browser, page, "/register/phones-done", &[], &[]).await
        } else if page.has_form("/register/phone") {
            let phone = self.phone.clone();
            let entered = [("phone", phone.as_str()), ("phone_kind", "cell")];
            self.post(browser, page, "/register/phone", &entered, &["phone_added"]).await
        } else if page.has_form("/verify/code") {
            self.enter(browser, page).await
        } else if page.has_form("/verify/send") {
            let mut ways = page.body.split('"').filter(|text| text.starts_with("text:"));
            let way = ways.next().unwrap().to_owned();
            self.send(browser, page, "/verify/send", &[("method", &way)]).await
        } else if page.has_form("/new-password") {
            self.choose(browser, page, password).await
        } else {
            // The answer that told of the new password was lost.
            Step::End(Ending::Done)
        }
    }

    async fn follow_link(&mut self, browser: &Browser, page: &TestResponse) -> Step {
        let Some(answer) = self.scenario.ask(browser.try_submit(page, "/recover", &[])).await else {
            self.ledger.perhaps(&["link_pressed"]);
            return Step::Again;
        };
        if answer.status == 410 {
            return Step::End(Ending::DeadLink);
        }
        assert_eq!(answer.status, 303, "{}: {}", self.address, answer.page_summary());
        self.ledger.did("link_pressed");
        if self.random.below(2) == 0 {
            let link = self.used_links[self.used_links.len() - 1].clone();
            self.link_is_dead(&link).await;
        }
        Step::To(answer.location())
    }

    /// A form whose answer is a redirect, and what the trail has of it.
    async fn post(
        &mut self,
        browser: &Browser,
        page: &TestResponse,
        action: &str,
        entered: &[(&str, &str)],
        kinds: &[&'static str],
    ) -> Step {
        let Some(answer) = self.scenario.ask(browser.try_submit(page, action, entered)).await else {
            self.ledger.perhaps(kinds);
            return Step::Again;
        };
        assert_eq!(answer.status, 303, "{} {action}: {}", self.address, answer.page_summary());
        for kind in kinds {
            self.ledger.did(kind);
        }
        Step::To(answer.location())
    }

    async fn send(
        &mut self,
        browser: &Browser,
        page: &TestResponse,
        action: &str,
        entered: &[(&str, &str)],
    ) -> Step {
        let answer = self.scenario.ask(browser.try_submit(page, action, entered)).await;
        match answer {
            Some(answer) if answer.status == 303 => {
                self.ledger.did("code_sent");
                Step::To(answer.location())
            }
            Some(answer) => {
                assert_eq!(answer.status, 429, "{}", answer.page_summary());
                Step::End(Ending::GivenUp)
            }
            None => {
                self.ledger.perhaps(&["code_sent"]);
                Step::Again
            }
        }
    }

    /// The newest code, after one that was used before; another one where it does not come.
    async fn enter(&mut self, browser: &Browser, page: &TestResponse) -> Step {
        let scenario = Arc::clone(&self.scenario);
        let Some((text, count)) = scenario.post.next(&self.phone, "", self.texts).await else {
            return self.send(browser, page, "/verify/send", &[]).await;
        };
        self.texts = count;
        let code = digits(&text.text);
        let used = self.used_digits.clone().filter(|used| *used != code && self.random.below(2) == 0);
        if let Some(used) = used {
            let answer = scenario.ask(browser.try_submit(page, "/verify/code", &[("code", &used)])).await;
            self.ledger.perhaps(&["code_refused"]);
            if let Some(answer) = answer {
                assert_eq!(answer.status, 422, "{}: used before: {}", self.address, answer.page_summary());
            }
        }
        let answer = scenario.ask(browser.try_submit(page, "/verify/code", &[("code", &code)])).await;
        let Some(answer) = answer else {
            self.ledger.perhaps(&["code_refused", "code_accepted", "phone_verified"]);
            return Step::Again;
        };
        if answer.status == 422 {
            // A newer one was sent, and this one came late.
            self.ledger.perhaps(&["code_refused"]);
            return Step::Again;
        }
        assert_eq!(answer.status, 303, "{}: {}", self.address, answer.page_summary());
        self.ledger.did("code_accepted");
        if !self.is_registered() {
            self.ledger.did("phone_verified");
        }
        self.used_digits = Some(code);
        Step::To(answer.location())
    }

    async fn choose(&mut self, browser: &Browser, page: &TestResponse, password: &str) -> Step {
        let entered = [("new_password", password), ("confirm_password", password)];
        let kinds: &[&'static str] =
            if self.is_registered() { &["password_reset"] } else { &["registration_completed", "signed_in"] };
        match self.post(browser, page, "/new-password", &entered, kinds).await {
            Step::To(_) => Step::End(Ending::Done),
            other => other,
        }
    }
}
