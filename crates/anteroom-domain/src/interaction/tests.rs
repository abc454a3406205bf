use super::*;
use uuid::Uuid;

fn question(version: u64, scope: &str) -> ConsentQuestion {
    ConsentQuestion { client_version: ClientVersion(version), scope: scope.parse().unwrap() }
}

#[test]
fn a_sign_in_of_before_is_not_made_on_the_way_by_the_consent_page() {
    let alice = AccountId(Uuid::from_u128(1));
    let journey =
        InteractionState::new(Destination::Dashboard, BrowserId(Uuid::from_u128(2)), Timestamp::UNIX_EPOCH);
    let asked = |journey: InteractionState| {
        journey.asking_consent(alice, question(1, "openid"), Timestamp::UNIX_EPOCH)
    };
    assert!(!asked(journey.clone()).was_signed_in_by(alice));
    assert!(asked(journey.signed_in_as(alice)).was_signed_in_by(alice));
}

#[test]
fn an_answer_on_the_consent_page_is_to_its_question_alone() {
    let [alice, bob] = [1, 2].map(|id| AccountId(Uuid::from_u128(id)));
    let journey =
        InteractionState::new(Destination::Dashboard, BrowserId(Uuid::from_u128(3)), Timestamp::UNIX_EPOCH);
    let asked = journey.asking_consent(alice, question(1, "openid email"), Timestamp::UNIX_EPOCH);
    assert!(!asked.has_agreed(alice, &question(1, "openid email")));
    let agreed = InteractionState { consented_by: Some(alice), ..asked };
    assert!(agreed.has_agreed(alice, &question(1, "openid email")));
    for (person, question) in [
        (bob, question(1, "openid email")),
        (alice, question(2, "openid email")),
        (alice, question(1, "openid email phone")),
    ] {
        assert!(!agreed.has_agreed(person, &question));
    }
    // The next question has no answer yet, whatever was answered before.
    let anew = agreed.asking_consent(alice, question(2, "openid email"), Timestamp::UNIX_EPOCH);
    assert!(!anew.has_agreed(alice, &question(2, "openid email")));
    assert!(!anew.has_agreed(alice, &question(1, "openid email")));
}
