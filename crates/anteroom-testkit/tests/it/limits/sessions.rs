//! Sessions and known devices of one account are bounded, and end together.

use crate::ALICE;
use crate::people::{CAROL, CELL, digits, send, through};
use anteroom_domain::account::Account;
use anteroom_domain::device::{KnownDevice, MAX_DEVICES};
use anteroom_domain::ids::{AccountId, BrowserId, DeviceId, SessionId};
use anteroom_domain::session::{MAX_OF_ACCOUNT, Session};
use anteroom_oidc::{Acr, Amr, AmrSet};
use anteroom_storage::StoreError;
use anteroom_testkit::{Backend, Browser, LogoutReceiver, PASSWORD, TestProvider, on_both_databases};
use jiff::SignedDuration;

on_both_databases!(
    beyond_a_hundred_sessions_the_one_unused_for_longest_ends,
    a_thief_of_the_password_ends_no_session_of_the_owner,
    a_hundred_sessions_end_together_and_each_is_told,
    fifty_devices_that_a_thief_makes_take_no_place_of_an_older_one_and_leave_room_for_another,
    a_new_computer_is_known_after_a_second_factor_whatever_a_thief_made,
);

pub(super) async fn alice(provider: &TestProvider) -> Account {
    account(provider, ALICE).await
}

async fn account(provider: &TestProvider, address: &str) -> Account {
    let address = anteroom_domain::address::FoldedAddress::from_entered(address);
    provider.provider.store.account_by_address(&address).await.unwrap().unwrap()
}

async fn begin(provider: &TestProvider, count: u32) {
    let (account, now, random) = (alice(provider).await, provider.now(), &provider.provider.random);
    let ids: Vec<_> = (0..count).map(|_| (random.uuid_v4(), random.token())).collect();
    let keyring = provider.provider.keyring.clone();
    let unit = provider.provider.store.write(move |tx| {
        let (account, ids, keyring) = (account.clone(), ids.clone(), keyring.clone());
        async move {
            let mac = keyring.mac(anteroom_crypto::KeyPurpose::TokenHash);
            for (id, token) in ids {
                let session = Session {
                    id: SessionId(id),
                    account: account.id,
                    epoch: account.epoch,
                    browser: BrowserId(id),
                    device: None,
                    auth_time: now,
                    acr: Acr::Pwd,
                    amr: AmrSet::from_iter([Amr::Pwd]),
                    created_at: now,
                    last_active_at: now,
                    ended_at: None,
                    sid_by_sector: true,
                    not_current_since: None,
                };
                tx.insert_session(&session, &mac.digest("session", token.as_bytes())).await?;
            }
            Ok::<_, StoreError>(())
        }
    });
    unit.await.unwrap();
}

async fn running(provider: &TestProvider) -> usize {
    let account = alice(provider).await.id;
    provider.provider.store.sessions_of_account(account).await.unwrap().len()
}

fn charts(listener: &LogoutReceiver) -> String {
    format!(
        "[[clients]]\nclient_id = \"charts\"\nfirst_party = true\ntoken_endpoint_auth_method = \"none\"\n\
         redirect_uris = [\"https://charts.example/callback\"]\nbackchannel_logout_uri = \"{}\"\n",
        listener.url
    )
}

async fn beyond_a_hundred_sessions_the_one_unused_for_longest_ends(backend: Backend) {
    let listener = LogoutReceiver::start().await;
    let provider = TestProvider::on(&backend).clients(&charts(&listener)).start().await;
    let oldest = provider.signed_in(ALICE).await;
    provider.client("charts").tokens(&oldest, "openid").await;
    provider.advance(SignedDuration::from_mins(1));
    begin(&provider, MAX_OF_ACCOUNT - 1).await;
    assert!(oldest.is_signed_in().await, "a hundred may be");
    provider.advance(SignedDuration::from_secs(5));
    // Of sessions without a known device.
    backend.execute("UPDATE sessions SET last_active_at = created_at, device_id = NULL").await;
    let newest = provider.signed_in(ALICE).await;
    assert!(newest.is_signed_in().await && !oldest.is_signed_in().await);
    assert_eq!(running(&provider).await, 100);
    let [ended] = &provider.audited("signed_out").await[..] else { panic!("not one entry") };
    assert!(ended.detail.contains("\"too_many\"") && ended.subject.is_some(), "{ended:?}");
    assert_eq!((provider.deliver_logouts().await, listener.tokens().len()), (1, 1));
}

async fn a_thief_of_the_password_ends_no_session_of_the_owner(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let owner = provider.signed_in(ALICE).await;
    let again = async |thief: &Browser| {
        provider.advance(SignedDuration::from_secs(1));
        thief.forget("anteroom_session");
        assert_eq!(thief.sign_in(ALICE, PASSWORD).await.status, 303);
    };
    let thief = provider.signed_in(ALICE).await;
    for _ in 0..8 {
        again(&thief).await;
    }
    assert_eq!(running(&provider).await, 6, "the owner's, and five of the thief's browser");
    assert_eq!(provider.audited("signed_out").await.len(), 4);
    begin(&provider, MAX_OF_ACCOUNT - 6).await;
    for _ in 0..3 {
        provider.advance(SignedDuration::from_secs(1));
        again(&provider.signed_in(ALICE).await).await;
    }
    assert_eq!(running(&provider).await, 100);
    assert!(owner.is_signed_in().await && thief.is_signed_in().await);
}

async fn a_hundred_sessions_end_together_and_each_is_told(backend: Backend) {
    let listener = LogoutReceiver::start().await;
    let provider = TestProvider::on(&backend).clients(&charts(&listener)).start().await;
    for _ in 0..2 {
        let browser = provider.signed_in(ALICE).await;
        provider.client("charts").tokens(&browser, "openid").await;
    }
    // More than one statement ends: release 0.1.0 had no bound.
    begin(&provider, 250).await;
    let address = alice(&provider).await.primary_address;
    anteroom_flows::people::admin::disable(&provider.local(), &address).await.unwrap();
    assert_eq!(running(&provider).await, 0);
    assert_eq!(provider.audited("signed_out").await.len(), 252);
    assert_eq!((provider.deliver_logouts().await, listener.tokens().len()), (2, 2));
}

/// Devices that are made now, and each used again.
async fn make_devices(provider: &TestProvider, account: AccountId, count: u32) {
    let (now, random) = (provider.now(), &provider.provider.random);
    let ids: Vec<_> = (0..count).map(|_| random.uuid_v4()).collect();
    let unit = provider.provider.store.write(move |tx| {
        let ids = ids.clone();
        async move {
            for id in ids {
                let device = KnownDevice {
                    id: DeviceId(id),
                    account,
                    failures: 0,
                    stepped_up_at: None,
                    reset_at: None,
                    password_epoch: None,
                    label: "a script".to_owned(),
                    created_at: now,
                    last_seen_at: now + SignedDuration::from_secs(1),
                };
                tx.insert_device(&device).await?;
            }
            Ok::<_, StoreError>(())
        }
    });
    unit.await.unwrap();
}

async fn known_devices(backend: &Backend) -> i64 {
    backend.execute("DELETE FROM known_devices WHERE revoked_at IS NOT NULL").await;
    backend.rows().await["known_devices"]
}

async fn fifty_devices_that_a_thief_makes_take_no_place_of_an_older_one_and_leave_room_for_another(
    backend: Backend,
) {
    let provider = TestProvider::start(&backend).await;
    let owner = provider.signed_in(ALICE).await;
    provider.advance(SignedDuration::from_mins(1));
    make_devices(&provider, alice(&provider).await.id, MAX_DEVICES + 9).await;
    provider.advance(SignedDuration::from_mins(1));
    let newest = async || {
        let entries = provider.audited("signed_in").await;
        let is_new = entries[0].detail.contains("\"new_device\":true");
        provider.advance(SignedDuration::from_secs(1));
        is_new
    };
    let another = provider.signed_in(ALICE).await;
    assert!(newest().await);
    // The owner's was used but once, and is known still; another one of the owner's found room as well.
    for (browser, new) in [(&owner, false), (&another, false)] {
        assert!(browser.is_signed_in().await);
        browser.forget("anteroom_session");
        assert_eq!(browser.sign_in(ALICE, PASSWORD).await.status, 303);
        assert_eq!(newest().await, new);
    }
    assert_eq!(known_devices(&backend).await, i64::from(MAX_DEVICES));
}

async fn a_new_computer_is_known_after_a_second_factor_whatever_a_thief_made(backend: Backend) {
    let provider = TestProvider::on(&backend).set("policy.new_devices_step_up", "true").start().await;
    provider.person(CAROL).phone(CELL).create().await;
    make_devices(&provider, account(&provider, CAROL).await.id, MAX_DEVICES).await;
    provider.advance(SignedDuration::from_mins(1));
    let carol = provider.browser();
    let sign_in = async || {
        let page = carol.get("/sign-in").await;
        through(&carol, &page, "/sign-in", &[("email", CAROL), ("password", PASSWORD)]).await
    };
    let page = send(&carol, &sign_in().await).await;
    let code = digits(&provider).await;
    through(&carol, &page, "/verify/code", &[("code", &code)]).await;
    assert!(carol.is_signed_in().await);
    carol.forget("anteroom_session");
    provider.advance(SignedDuration::from_mins(1));
    sign_in().await;
    assert!(carol.is_signed_in().await, "the device is known to have passed");
    let entries = provider.audited("signed_in").await;
    assert!(entries[0].detail.contains("\"new_device\":false"), "{entries:?}");
    assert_eq!(known_devices(&backend).await, i64::from(MAX_DEVICES));
}
