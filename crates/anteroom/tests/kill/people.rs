//! A person with a desk, a phone and an application, what they do, and what must be true for them.

use anteroom_crypto::Random;
use anteroom_domain::ids::AccountId;
use anteroom_testkit::{Browser, Tokens};
use std::sync::Arc;

use crate::ledger::Ledger;
use crate::scenario::Scenario;
use crate::server::address_of;
use crate::walk::Ending;

/// The sixth wrong password locks.
const LOCKS: u32 = 6;
/// So many recoveries are sent their codes without a wait.
const RECOVERIES: u32 = 2;
/// Of which a person does one after another.
const THINGS: u32 = 5;

const WORDS: [&str; 24] = [
    "maple", "window", "stone", "harbor", "lemon", "tide", "copper", "meadow", "lantern", "orchid", "pebble",
    "saddle", "thunder", "velvet", "walnut", "zephyr", "anchor", "basket", "cobalt", "drizzle", "ember",
    "falcon", "glacier", "hazel",
];

pub(crate) struct Person {
    pub(crate) scenario: Arc<Scenario>,
    pub(crate) random: Random,
    pub(crate) id: AccountId,
    pub(crate) address: String,
    pub(crate) phone: String,
    pub(crate) ledger: Ledger,
    /// Texts that were read.
    pub(crate) texts: usize,
    /// Mails with a link for a recovery that were read.
    pub(crate) mails: usize,
    /// Mails of earlier recoveries that may still come.
    pub(crate) late_mails: u32,
    /// The digits that were used last.
    pub(crate) used_digits: Option<String>,
    /// Links that were pressed.
    pub(crate) used_links: Vec<String>,
    /// What is done first. Each is done by one of any five people, so that a short test has them all.
    first: u32,
    pub(crate) desk: Browser,
    pub(crate) at_desk: bool,
    password: Option<String>,
    old_password: Option<String>,
    locked: bool,
    /// Wrong passwords of strangers that were answered, and of those that were not.
    failures: (u32, u32),
    recoveries: u32,
    /// Codes that were redeemed.
    used_codes: Vec<String>,
    family: Option<Family>,
}

/// The refresh tokens of one grant, oldest first, and whether the newest must work.
struct Family {
    tokens: Vec<String>,
    is_alive: bool,
}

impl Person {
    pub(crate) fn new(scenario: &Arc<Scenario>, number: u32, id: AccountId, seed: u32) -> Self {
        Self {
            first: number % THINGS,
            random: Random::seeded((u64::from(seed) << 32) | u64::from(number)),
            id,
            address: address_of(number),
            phone: format!(
                "+1{}555{:04}",
                ["202", "303", "404", "505"][number as usize / 100 % 4],
                100 + number % 100
            ),
            ledger: Ledger::default(),
            texts: 0,
            mails: 0,
            late_mails: 0,
            used_digits: None,
            used_links: Vec::new(),
            desk: scenario.browser(),
            at_desk: false,
            password: None,
            old_password: None,
            locked: false,
            failures: (0, 0),
            recoveries: 0,
            used_codes: Vec::new(),
            family: None,
            scenario: Arc::clone(scenario),
        }
    }

    /// Everything up to where nothing is uncertain.
    pub(crate) async fn live(&mut self) {
        let chosen = self.new_password();
        if self.register(&chosen).await != Ending::Done {
            return;
        }
        self.has_password(chosen);
        self.come_in().await;
        for step in 0..4 {
            if self.scenario.is_stopping() {
                return;
            }
            match if step == 0 { self.first } else { self.random.below(THINGS) } {
                0 => self.use_application().await,
                1 => self.mistype().await,
                2 => self.leave().await,
                _ if self.recoveries == RECOVERIES => self.use_application().await,
                3 => self.recover_and_return().await,
                _ => {
                    self.use_application().await;
                    self.be_locked_out().await;
                    self.check().await;
                    if self.random.below(3) > 0 {
                        self.recover_and_return().await;
                    }
                }
            }
            if self.locked {
                return;
            }
        }
    }

    pub(crate) fn new_password(&self) -> String {
        let word = || WORDS[self.random.below(24) as usize];
        format!("{}-{}-{}-{}", word(), word(), word(), self.random.digits(4))
    }

    fn has_password(&mut self, password: String) {
        self.old_password = self.password.replace(password);
    }

    pub(crate) fn is_registered(&self) -> bool {
        self.password.is_some()
    }

    /// Signs in at a browser that is not known; none where no answer came.
    async fn sign_in(&mut self, browser: &Browser, password: &str) -> Option<bool> {
        let scenario = Arc::clone(&self.scenario);
        let page = scenario.open(browser, "/sign-in?another=1").await;
        let entered = [("email", self.address.as_str()), ("password", password)];
        let answer = scenario.ask(browser.try_submit(&page, "/sign-in", &entered)).await;
        match answer.as_ref().map(|answer| answer.status) {
            Some(303) => self.ledger.did("signed_in"),
            Some(422) => self.ledger.did("sign_in_refused"),
            Some(_) => panic!("{}: {}", self.address, answer.unwrap().page_summary()),
            None => self.ledger.perhaps(&["signed_in", "sign_in_refused"]),
        }
        answer.map(|answer| answer.status == 303)
    }

    async fn guess(&mut self, browser: &Browser, wrong: &str) {
        let admitted = self.sign_in(browser, wrong).await;
        assert_ne!(admitted, Some(true), "{}: {wrong} is no password", self.address);
        if self.locked {
            return;
        }
        match admitted {
            Some(_) => self.failures.0 += 1,
            None => self.failures.1 += 1,
        }
    }

    /// The password is good in any browser, but for a lock.
    async fn password_is_good(&mut self) {
        let (browser, password) = (self.scenario.browser(), self.password.clone().unwrap());
        loop {
            if let Some(admitted) = self.sign_in(&browser, &password).await {
                assert_eq!(admitted, !self.locked, "{} with {password}, {:?}", self.address, self.ledger);
                break;
            }
        }
        if !self.locked {
            self.failures = (0, 0);
            let page = self.scenario.open(&browser, "/dashboard").await;
            assert_eq!(
                page.status,
                200,
                "{}: signed in, and out again: {}",
                self.address,
                page.page_summary()
            );
        }
    }

    async fn old_password_is_dead(&mut self) {
        if let Some(old) = self.old_password.clone() {
            let unknown_browser = self.scenario.browser();
            self.guess(&unknown_browser, &old).await;
        }
    }

    /// Signs in at the desk, which is known or becomes so.
    async fn come_in(&mut self) {
        let (desk, password) = (self.desk.clone(), self.password.clone().unwrap());
        while self.sign_in(&desk, &password).await.is_none() {}
        self.desk = desk;
        self.at_desk = true;
        self.desk_is_as_left().await;
        if !self.locked {
            self.password_is_good().await;
        }
    }

    async fn desk_is_as_left(&self) {
        let page = self.scenario.open(&self.desk, "/dashboard").await;
        let expected = if self.at_desk { 200 } else { 303 };
        assert_eq!(page.status, expected, "{}: {}", self.address, page.page_summary());
    }

    async fn mistype(&mut self) {
        let unknown_browser = self.scenario.browser();
        self.guess(&unknown_browser, "no-password-of-mine-1").await;
        self.password_is_good().await;
    }

    async fn be_locked_out(&mut self) {
        let unknown_browser = self.scenario.browser();
        while self.failures.0 < LOCKS {
            self.guess(&unknown_browser, "no-password-of-mine-2").await;
        }
        self.locked = true;
        self.ledger.did("account_locked");
    }

    /// Signs out at the desk, and in again.
    async fn leave(&mut self) {
        let (scenario, desk) = (Arc::clone(&self.scenario), self.desk.clone());
        loop {
            let page = scenario.open(&desk, "/dashboard").await;
            if page.status != 200 {
                break;
            }
            match scenario.ask(desk.try_submit(&page, "/sign-out", &[])).await {
                Some(answer) => {
                    assert_eq!(answer.status, 303, "{}", answer.page_summary());
                    self.ledger.did("signed_out");
                    break;
                }
                None => self.ledger.perhaps(&["signed_out"]),
            }
        }
        // What its cookie was: the end is not only the cookie's.
        self.at_desk = false;
        self.desk_is_as_left().await;
        self.come_in().await;
    }

    async fn recover_and_return(&mut self) {
        self.recoveries += 1;
        let chosen = self.new_password();
        if self.recover(&chosen).await != Ending::Done {
            return;
        }
        self.has_password(chosen);
        (self.locked, self.failures, self.at_desk) = (false, (0, 0), false);
        self.late_mails = self.ledger.most("ask_answered") - u32::try_from(self.mails).unwrap();
        if let Some(family) = &mut self.family {
            family.is_alive = false;
        }
        self.old_password_is_dead().await;
        self.password_is_good().await;
        self.desk_is_as_left().await;
        self.come_in().await;
    }

    /// From the desk to the application, which redeems its code and refreshes its tokens.
    async fn use_application(&mut self) {
        let (scenario, portal) = (Arc::clone(&self.scenario), self.scenario.application());
        let request = portal.request(&[("scope", "openid offline_access"), ("prompt", "none")]);
        let code = portal.code_in(&scenario.open(&self.desk, &request).await);
        let mut lost = false;
        let answer = loop {
            match scenario.ask(portal.try_redeem(&code, &[])).await {
                Some(answer) => break answer,
                None => lost = true,
            }
        };
        self.ledger.did("code_redeemed");
        self.used_codes.push(code);
        if answer.status == 400 {
            assert!(lost, "{}", answer.page_summary());
            self.ledger.did("code_replayed");
            return;
        }
        let tokens = vec![Tokens::of(&answer).refresh_token().to_owned()];
        self.family = Some(Family { tokens, is_alive: true });
        for _ in 0..=self.random.below(3) {
            self.refresh().await;
        }
        if self.random.below(3) == 0 {
            self.replay().await;
        }
    }

    /// The newest token works as long as its family lives, also where the answer was lost the first time.
    async fn refresh(&mut self) {
        let (scenario, portal) = (Arc::clone(&self.scenario), self.scenario.application());
        let Some(family) = &mut self.family else { return };
        let newest = family.tokens[family.tokens.len() - 1].clone();
        // Those of the next hour are counted by its entry.
        let is_first = family.tokens.len() == 1;
        let answer = loop {
            match scenario.ask(portal.try_refresh(&newest)).await {
                Some(answer) => break answer,
                None if is_first => self.ledger.perhaps(&["token_refreshed"]),
                None => {}
            }
        };
        let expected = if family.is_alive { 200 } else { 400 };
        assert_eq!(answer.status, expected, "{}: {}", self.address, answer.page_summary());
        if family.is_alive {
            if is_first {
                self.ledger.did("token_refreshed");
            }
            family.tokens.push(Tokens::of(&answer).refresh_token().to_owned());
        }
    }

    /// A token whose successor was used ends the family.
    async fn replay(&mut self) {
        let (scenario, portal) = (Arc::clone(&self.scenario), self.scenario.application());
        let Some(family) = self.family.as_mut().filter(|family| family.tokens.len() > 2) else { return };
        let old = family.tokens[family.tokens.len() - 3].clone();
        family.is_alive = false;
        let answer = loop {
            match scenario.ask(portal.try_refresh(&old)).await {
                Some(answer) => break answer,
                None => self.ledger.perhaps(&["refresh_replayed"]),
            }
        };
        assert_eq!(answer.error(), "invalid_grant", "{}", answer.page_summary());
        self.ledger.perhaps(&["refresh_replayed"]);
        self.refresh().await;
    }

    /// A code is spent, and its second use ends what the first one gave.
    async fn codes_are_spent(&mut self) {
        let (scenario, portal) = (Arc::clone(&self.scenario), self.scenario.application());
        for code in std::mem::take(&mut self.used_codes) {
            if let Some(answer) = scenario.ask(portal.try_redeem(&code, &[])).await {
                assert_eq!(answer.error(), "invalid_grant", "{}", answer.page_summary());
            }
            self.ledger.perhaps(&["code_replayed"]);
        }
        if let Some(family) = &mut self.family {
            family.is_alive = false;
        }
        self.refresh().await;
    }

    pub(crate) async fn link_is_dead(&mut self, link: &str) {
        let (scenario, unknown_browser) = (Arc::clone(&self.scenario), self.scenario.browser());
        let page = scenario.open(&unknown_browser, link).await;
        if let Some(answer) = scenario.ask(unknown_browser.try_submit(&page, "/recover", &[])).await {
            assert_eq!(answer.status, 410, "{}: {}", self.address, answer.page_summary());
        }
    }

    /// Everything that must be true, whatever happened to the server.
    pub(crate) async fn check(&mut self) {
        if !self.is_registered() {
            return;
        }
        self.desk_is_as_left().await;
        self.old_password_is_dead().await;
        self.password_is_good().await;
        for link in std::mem::take(&mut self.used_links) {
            self.link_is_dead(&link).await;
        }
        self.refresh().await;
    }

    /// The same at the end, with what ends something.
    pub(crate) async fn check_at_last(&mut self) {
        self.check().await;
        self.codes_are_spent().await;
    }
}
