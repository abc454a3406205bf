//! One address, however its domain is written, and what an invitation makes of an account that waits.

use crate::ALICE;
use anteroom_domain::account::{Account, GroupName, Profile};
use anteroom_domain::address::EmailAddress;
use anteroom_domain::message::MessageBody;
use anteroom_flows::people::admin::{self, AdminError, Invitee};
use anteroom_testkit::{Backend, PASSWORD, TestProvider, on_both_databases};
use std::collections::BTreeSet;

on_both_databases!(
    rfc5890_2_3_2_1_an_address_is_one_however_its_domain_is_written,
    an_address_that_an_earlier_release_stored_is_found,
    an_address_that_two_accounts_have_stays_with_the_one_that_browsers_send,
    a_second_invitation_says_what_holds,
);

const UNICODE: &str = "hans@zahnärzte.example";
const ASCII: &str = "hans@xn--zahnrzte-3za.example";

fn invitee(address: &str) -> Invitee {
    Invitee {
        address: EmailAddress::parse(address).unwrap(),
        profile: Profile::default(),
        groups: BTreeSet::new(),
        locale: None,
    }
}

async fn account(provider: &TestProvider, address: &str) -> Account {
    let address = EmailAddress::parse(address).unwrap();
    provider.provider.store.account_by_address(&address.folded()).await.unwrap().unwrap()
}

async fn rfc5890_2_3_2_1_an_address_is_one_however_its_domain_is_written(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    provider.person(UNICODE).create().await;
    for typed in [UNICODE, ASCII, "Hans@ZahnÄrzte.example", "hans@zahna\u{308}rzte.example"] {
        assert_eq!(provider.browser().sign_in(typed, PASSWORD).await.status, 303, "{typed}");
        let again = admin::invite(&provider.local(), invitee(typed)).await;
        assert!(matches!(again, Err(AdminError::AddressTaken(_))), "{typed}");
    }
    // A mail goes where mail servers know the way.
    let browser = provider.browser();
    let page = browser.get("/forgot-password").await;
    browser.submit(&page, "/forgot-password", &[("email", UNICODE)]).await;
    let sent = provider.outbox().await;
    assert_eq!(sent.iter().map(|message| message.body.recipient()).collect::<Vec<_>>(), [ASCII]);
}

/// As release 0.1.0 stored it, folded in ASCII alone.
async fn stored_before(backend: &Backend, address: &str, now_folded: &str) {
    let folded = address.to_ascii_lowercase();
    backend
        .execute(&format!(
            "UPDATE account_addresses SET address = '{address}', folded = '{folded}' WHERE folded = '{now_folded}'"
        ))
        .await;
}

async fn an_address_that_an_earlier_release_stored_is_found(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    for (number, stored) in ["Hans@zahnärzte.example", "Eva@ZahnÄrzte.example"].into_iter().enumerate() {
        let placeholder = format!("person{number}@practice.example");
        provider.person(&placeholder).create().await;
        stored_before(&backend, stored, &placeholder).await;
    }
    let next = TestProvider::on(&backend).another_node_of(&provider).start().await;
    for (typed, shown) in [
        (UNICODE, "Hans@xn--zahnrzte-3za.example"),
        (ASCII, "Hans@xn--zahnrzte-3za.example"),
        ("eva@zahnärzte.example", "Eva@xn--zahnrzte-3za.example"),
    ] {
        assert_eq!(next.browser().sign_in(typed, PASSWORD).await.status, 303, "{typed}");
        assert_eq!(account(&next, typed).await.primary_address.as_str(), shown);
    }
}

async fn an_address_that_two_accounts_have_stays_with_the_one_that_browsers_send(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let first = provider.person("first@practice.example").create().await;
    let second = provider.person(ASCII).create().await;
    stored_before(&backend, UNICODE, "first@practice.example").await;
    let normalized = provider.provider.store.normalize_domains().await.unwrap();
    assert_eq!((normalized.normalized, normalized.conflicts), (0, vec![first]));
    assert_eq!(account(&provider, UNICODE).await.id, second);
    // Both can be read, and nothing else is touched.
    assert!(provider.provider.store.account(first).await.unwrap().is_some());
    assert_eq!(provider.browser().sign_in(ALICE, PASSWORD).await.status, 303);
}

async fn a_second_invitation_says_what_holds(backend: Backend) {
    let names = ["staff", "clinicians"];
    let provider = TestProvider::start(&backend).await;
    let maria = |given: &str, locale: Option<&str>, groups: &[&str]| Invitee {
        profile: Profile { given_name: Some(given.to_owned()), ..Profile::default() },
        locale: locale.map(str::to_owned),
        groups: groups.iter().map(|name| GroupName::parse(name).unwrap()).collect(),
        ..invitee("maria@practice.example")
    };
    let first = admin::invite(&provider.local(), maria("Mria", None, &names[..1])).await.unwrap();
    assert!(!first.again);
    let second = admin::invite(&provider.local(), maria("Maria", Some("es"), &names[1..])).await.unwrap();
    assert!(second.again && second.account == first.account);
    let now = account(&provider, "maria@practice.example").await;
    assert_eq!((&now.groups, now.groups.len()), (&second.groups, 1));
    // What is not said stays, and the trail says what holds.
    let third = admin::invite(&provider.local(), invitee("maria@practice.example")).await.unwrap();
    assert_eq!(third.groups, now.groups);
    let still = account(&provider, "maria@practice.example").await;
    assert_eq!((&still.profile, &still.locale, &still.groups), (&now.profile, &now.locale, &now.groups));
    // All at one moment, so in no order.
    let entries = provider.audited("account_invited").await.into_iter();
    let mut said: Vec<String> = entries.map(|entry| entry.detail).collect();
    said.sort_unstable();
    let of = |name: &str| format!("{{\"groups\":[\"{name}\"]}}");
    assert_eq!(said, [of("clinicians"), of("clinicians"), of("staff")]);
    for (kind, count) in [("profile_changed", 1), ("group_added", 1), ("group_removed", 1)] {
        assert_eq!(provider.audited(kind).await.len(), count, "{kind}");
    }
    let mails = provider.outbox().await;
    assert_eq!(mails.len(), 3);
    assert!(mails.iter().all(|mail| matches!(mail.body, MessageBody::Email { .. })));
    assert_eq!(mails.iter().filter(|mail| mail.locale.as_deref() == Some("es")).count(), 2);
}
