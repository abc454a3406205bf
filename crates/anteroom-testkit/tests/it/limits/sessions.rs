//! Sessions and known devices of one account are bounded, and end together.

use crate::ALICE;
use anteroom_domain::account::Account;
use anteroom_domain::device::{KnownDevice, MAX_DEVICES};
use anteroom_domain::ids::{BrowserId, DeviceId, SessionId};
use anteroom_domain::session::{MAX_OF_ACCOUNT, Session};
use anteroom_oidc::{Acr, Amr, AmrSet};
use anteroom_storage::StoreError;
use anteroom_testkit::{Backend, Listener, TestProvider, on_both_databases};
use jiff::SignedDuration;

on_both_databases!(
    beyond_a_hundred_sessions_the_one_unused_for_longest_ends,
    a_hundred_sessions_end_together_and_each_is_told,
    beyond_fifty_devices_those_used_but_once_are_forgotten,
);

async fn alice(provider: &TestProvider) -> Account {
    let address = anteroom_domain::address::FoldedAddress::from_entered(ALICE);
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
                    left_at: None,
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

fn charts(listener: &Listener) -> String {
    format!(
        "[[clients]]\nclient_id = \"charts\"\nfirst_party = true\ntoken_endpoint_auth_method = \"none\"\n\
         redirect_uris = [\"https://charts.example/callback\"]\nbackchannel_logout_uri = \"{}\"\n",
        listener.url
    )
}

async fn beyond_a_hundred_sessions_the_one_unused_for_longest_ends(backend: Backend) {
    let listener = Listener::start().await;
    let provider = TestProvider::on(&backend).clients(&charts(&listener)).start().await;
    let oldest = provider.signed_in(ALICE).await;
    provider.client("charts").tokens(&oldest, "openid").await;
    provider.advance(SignedDuration::from_mins(1));
    begin(&provider, MAX_OF_ACCOUNT - 1).await;
    assert!(oldest.is_signed_in().await, "a hundred may be");
    provider.advance(SignedDuration::from_secs(5));
    backend.execute("UPDATE sessions SET last_active_at = created_at").await;
    let newest = provider.signed_in(ALICE).await;
    assert!(newest.is_signed_in().await && !oldest.is_signed_in().await);
    assert_eq!(running(&provider).await, 100);
    let [ended] = &provider.audited("signed_out").await[..] else { panic!("not one entry") };
    assert!(ended.detail.contains("\"too_many\"") && ended.subject.is_some(), "{ended:?}");
    assert_eq!((provider.deliver_logouts().await, listener.tokens().len()), (1, 1));
}

async fn a_hundred_sessions_end_together_and_each_is_told(backend: Backend) {
    let listener = Listener::start().await;
    let provider = TestProvider::on(&backend).clients(&charts(&listener)).start().await;
    for _ in 0..2 {
        let browser = provider.signed_in(ALICE).await;
        provider.client("charts").tokens(&browser, "openid").await;
    }
    // More than one statement ends: release 0.1.0 had no bound.
    begin(&provider, 250).await;
    let address = alice(&provider).await.primary_address;
    anteroom_flows::admin::disable(&provider.provider, &address).await.unwrap();
    assert_eq!(running(&provider).await, 0);
    assert_eq!(provider.audited("signed_out").await.len(), 252);
    assert_eq!((provider.deliver_logouts().await, listener.tokens().len()), (2, 2));
}

async fn beyond_fifty_devices_those_used_but_once_are_forgotten(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let owner = provider.signed_in(ALICE).await;
    provider.advance(SignedDuration::from_mins(1));
    owner.forget("anteroom_session");
    owner.sign_in(ALICE, anteroom_testkit::PASSWORD).await;
    let (account, random) = (alice(&provider).await.id, &provider.provider.random);
    provider.advance(SignedDuration::from_mins(1));
    let (now, ids) = (provider.now(), (0..MAX_DEVICES + 9).map(|_| random.uuid_v4()).collect::<Vec<_>>());
    let unit = provider.provider.store.write(move |tx| {
        let ids = ids.clone();
        async move {
            for id in ids {
                let device = KnownDevice {
                    id: DeviceId(id),
                    account,
                    failures: 0,
                    stepped_up_at: None,
                    label: "a script".to_owned(),
                    created_at: now,
                    last_seen_at: now,
                };
                tx.insert_device(&device).await?;
            }
            Ok::<_, StoreError>(())
        }
    });
    unit.await.unwrap();
    provider.signed_in(ALICE).await;
    let known = async || {
        backend.execute("DELETE FROM known_devices WHERE revoked_at IS NOT NULL").await;
        backend.rows().await["known_devices"]
    };
    assert_eq!(known().await, i64::from(MAX_DEVICES));
    // The owner's was used again, and is known still.
    provider.advance(SignedDuration::from_mins(1));
    owner.forget("anteroom_session");
    owner.sign_in(ALICE, anteroom_testkit::PASSWORD).await;
    assert_eq!(known().await, i64::from(MAX_DEVICES));
    let mut told = provider.audited("signed_in").await;
    assert!(told.remove(0).detail.contains("\"new_device\":false"), "{told:?}");
}
