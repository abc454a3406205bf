//! One password, typed as different code points (RFC 8265).

use crate::ALICE;
use anteroom_domain::address::FoldedAddress;
use anteroom_domain::password_text::PasswordForm;
use anteroom_testkit::{Backend, TestProvider, on_both_databases};

on_both_databases!(
    rfc8265_4_2_a_password_is_the_same_however_its_characters_are_written,
    what_is_not_ascii_costs_three_hashes_whoever_is_asked_for,
    a_hash_of_an_earlier_release_is_made_anew_once,
);

const CAROL: &str = "carol@practice.example";
const COMPOSED: &str = "Zürich mañana 92";
const DECOMPOSED: &str = "Zu\u{308}rich man\u{303}ana 92";
const OTHER_SPACES: &str = "Zürich\u{a0}mañana\u{3000}92";

async fn form_of(provider: &TestProvider, email: &str) -> Option<PasswordForm> {
    let view = provider.provider.store.sign_in_view(&FoldedAddress::from_entered(email), &[]).await.unwrap();
    view.unwrap().credential.unwrap().form
}

/// Whichever of the forms an earlier release hashed.
async fn rfc8265_4_2_a_password_is_the_same_however_its_characters_are_written(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    for (number, stored) in [COMPOSED, DECOMPOSED, OTHER_SPACES].into_iter().enumerate() {
        let email = format!("person{number}@practice.example");
        provider.person(&email).password(stored).create().await;
        // As it was stored, first: that is how its owner has typed it until now.
        for typed in [stored, COMPOSED, DECOMPOSED, OTHER_SPACES] {
            assert_eq!(provider.browser().sign_in(&email, typed).await.status, 303, "{stored:?} {typed:?}");
        }
        assert_eq!(provider.browser().sign_in(&email, "Zurich manana 92").await.status, 422);
    }
    // A person who typed it on a Mac once, and comes with another keyboard.
    provider.person(CAROL).password(COMPOSED).create().await;
    assert_eq!(provider.browser().sign_in(CAROL, DECOMPOSED).await.status, 303);
}

async fn what_is_not_ascii_costs_three_hashes_whoever_is_asked_for(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    provider.person("locked@practice.example").password(COMPOSED).locked().create().await;
    provider.person("disabled@practice.example").password(COMPOSED).disabled().create().await;
    provider.person("invited@practice.example").invited().create().await;
    for email in [
        ALICE,
        "nobody@practice.example",
        "not an address",
        "locked@practice.example",
        "disabled@practice.example",
        "invited@practice.example",
    ] {
        for (typed, hashes) in [("wrong", 1), ("not Zürich", 3), (DECOMPOSED, 3), (COMPOSED, 3)] {
            let before = provider.hashes_computed();
            assert_eq!(provider.browser().sign_in(email, typed).await.status, 422, "{email} {typed:?}");
            assert_eq!(provider.hashes_computed() - before, hashes, "{email} {typed:?}");
        }
    }
}

async fn a_hash_of_an_earlier_release_is_made_anew_once(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    provider.person(CAROL).password(DECOMPOSED).create().await;
    for (typed, hashes) in [(DECOMPOSED, 4), (COMPOSED, 3), (DECOMPOSED, 3)] {
        let before = provider.hashes_computed();
        assert_eq!(provider.browser().sign_in(CAROL, typed).await.status, 303, "{typed:?}");
        assert_eq!(provider.hashes_computed() - before, hashes, "{typed:?}");
        assert_eq!(form_of(&provider, CAROL).await, Some(PasswordForm::OpaqueString));
    }
    // A node of an earlier release that sets a password leaves the mark of the one before: the text says what the hash is of.
    provider.person("dave@practice.example").password(DECOMPOSED).create().await;
    backend.execute("UPDATE password_credentials SET form = 1").await;
    for (typed, hashes) in [(DECOMPOSED, 4), (COMPOSED, 3)] {
        let before = provider.hashes_computed();
        assert_eq!(provider.browser().sign_in("dave@practice.example", typed).await.status, 303, "{typed:?}");
        assert_eq!(provider.hashes_computed() - before, hashes, "{typed:?}");
    }
    // What is ASCII is one form already, and nothing is made anew.
    let before = provider.hashes_computed();
    provider.signed_in(ALICE).await;
    assert_eq!(provider.hashes_computed() - before, 1);
}
