//! Trap: support is talked into resetting the wrong person's account. An operator who is talked into it can start a way that
//! only the owner finishes, and the owner learns of it.

use super::*;
use crate::{ALICE, BOB};
use anteroom_domain::account::PhoneKind;
use anteroom_domain::address::EmailAddress;
use anteroom_domain::message::Notice;
use anteroom_flows::people::support::{add_phone, send_reset};
use anteroom_testkit::{Backend, PASSWORD, on_both_databases};
use jiff::SignedDuration;

on_both_databases!(
    trap_15_a_reset_that_support_starts_goes_to_the_owner_alone,
    trap_15_a_phone_that_support_adds_serves_nothing_before_its_owner_can_object,
    trap_15_no_form_takes_a_password_or_a_code_for_somebody_else,
);

async fn trap_15_a_reset_that_support_starts_goes_to_the_owner_alone(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    provider.person(CAROL).phone(CELL).create().await;
    let carol = EmailAddress::parse(CAROL).unwrap();
    // Nothing comes back that could be passed on.
    let () = send_reset(&provider.local(), &carol).await.unwrap();
    let sent = provider.outbox().await;
    assert_eq!(sent.len(), 1);
    let MessageBody::Email { to, mail: Mail::Recovery { code, .. } } = &sent[0].body else {
        panic!("{:?}", sent[0].body)
    };
    assert_eq!(
        (to.as_str(), code),
        (CAROL, &None),
        "to the owner, and with nothing to read out on the phone"
    );
    // Until the owner is through, all is as it was.
    let known = provider.signed_in(CAROL).await;
    let entry = provider.audited("recovery_asked").await.remove(0);
    assert_eq!(entry.actor, "operator");
    // Behind the link stands the owner's phone.
    let link = {
        let MessageBody::Email { mail: Mail::Recovery { link, .. }, .. } = &sent[0].body else {
            unreachable!()
        };
        link.replace(&provider.issuer, "")
    };
    let thief = provider.browser();
    let page = thief.get(&link).await;
    let page = through(&thief, &page, "/recover", &[]).await;
    assert!(page.has_form("/verify/send") && !page.has_form("/new-password"), "{}", page.page_summary());
    assert!(known.is_signed_in().await);
}

async fn trap_15_a_phone_that_support_adds_serves_nothing_before_its_owner_can_object(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    provider.person(CAROL).phone(CELL).create().await;
    let carol = EmailAddress::parse(CAROL).unwrap();
    add_phone(&provider.local(), &carol, "+1 202 555 0166", PhoneKind::Cell).await.unwrap();
    let messages = provider.outbox().await;
    let mut to: Vec<&str> = messages.iter().map(|message| message.body.recipient()).collect();
    to.sort_unstable();
    assert_eq!(to, [CELL, CAROL], "every old phone that takes texts, every address, and not the new one");
    for message in &messages {
        let link = match &message.body {
            MessageBody::Email { mail: Mail::PhoneAdded { link, .. }, .. }
            | MessageBody::Notice { notice: Notice::PhoneAdded { link, .. }, .. } => link,
            other => panic!("{other:?}"),
        };
        assert!(link.ends_with("/forgot-password"), "a way to stop it: {link}");
    }
    let offered = async || {
        let browser = provider.browser();
        forget(&browser, CAROL).await;
        ways(&follow_link(&provider, &browser).await).len()
    };
    assert_eq!(offered().await, 2, "text and call to the old one");
    provider.advance(SignedDuration::from_hours(72) - SignedDuration::from_secs(1));
    assert_eq!(offered().await, 2);
    provider.advance(SignedDuration::from_secs(1));
    assert_eq!(offered().await, 4);
}

async fn trap_15_no_form_takes_a_password_or_a_code_for_somebody_else(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    provider.advance(SignedDuration::from_hours(25));
    let alice = provider.signed_in(ALICE).await;
    let bob = EmailAddress::parse(BOB).unwrap();
    let bob =
        provider.provider.store.account_by_address(&bob.folded()).await.unwrap().unwrap().id.to_string();
    let page = alice.get("/change-password").await;
    let page = if page.status == 303 { alice.follow(&page).await } else { page };
    let for_bob = [
        ("new_password", NEW),
        ("confirm_password", NEW),
        ("email", BOB),
        ("account", &bob),
        ("account_id", &bob),
        ("sub", &bob),
    ];
    let answer = alice.submit(&page, "/new-password", &for_bob).await;
    assert_eq!(answer.status, 303, "{}", answer.page_summary());
    // It was her own that changed.
    assert_eq!(provider.browser().sign_in(BOB, PASSWORD).await.status, 303);
    assert_eq!(provider.browser().sign_in(BOB, NEW).await.status, 422);
    assert_eq!(provider.browser().sign_in(ALICE, NEW).await.status, 303);
}
