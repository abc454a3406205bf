//! `preferred_username`: one account's alone, and the address where there is none (OpenID Connect Core §5.1).

use crate::{ALICE, BOB};
use anteroom_domain::account::Profile;
use anteroom_domain::address::EmailAddress;
use anteroom_domain::profile::{ClaimChange, ProfileClaim};
use anteroom_flows::people::admin::{self, AdminError, Invitee};
use anteroom_flows::people::profile::{claims, set_claims};
use anteroom_storage::BackfilledUsernames;
use anteroom_testkit::{Backend, TestProvider, on_both_databases};
use futures_util::future::join_all;
use std::collections::BTreeSet;

on_both_databases!(
    core_5_1_no_two_people_have_one_preferred_username,
    of_many_who_are_given_one_name_at_once_one_gets_it,
    a_name_is_no_address_of_somebody_else,
    names_of_release_0_1_0_stay_and_are_held_against_new_ones,
    core_5_1_the_address_stands_in_where_the_client_may_know_it,
);

fn address(text: &str) -> EmailAddress {
    EmailAddress::parse(text).unwrap()
}

async fn name(provider: &TestProvider, who: &str, name: &str) -> Result<(), AdminError> {
    let change = ClaimChange::parse(ProfileClaim::PreferredUsername, name, provider.now()).unwrap();
    set_claims(&provider.local(), &address(who), vec![change]).await
}

async fn name_of(provider: &TestProvider, who: &str) -> Option<String> {
    let account = provider.provider.store.account_by_address(&address(who).folded()).await.unwrap();
    account.unwrap().profile.preferred_username
}

fn holder(refused: Result<(), AdminError>) -> String {
    match refused {
        Err(AdminError::UsernameTaken { holder, .. }) => holder.to_string(),
        other => panic!("{other:?}"),
    }
}

async fn core_5_1_no_two_people_have_one_preferred_username(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    name(&provider, ALICE, "AMoreno").await.unwrap();
    name(&provider, BOB, "bob").await.unwrap();
    for taken in ["AMoreno", "amoreno", "ＡＭＯＲＥＮＯ", " AMORENO"] {
        let refused = name(&provider, BOB, taken).await;
        assert!(refused.as_ref().unwrap_err().to_string().contains(ALICE));
        assert_eq!(holder(refused), ALICE, "{taken}");
    }
    assert_eq!(name_of(&provider, BOB).await.as_deref(), Some("bob"), "nothing was written");
    // One's own in another spelling, and one that was given up.
    name(&provider, ALICE, "amoreno").await.unwrap();
    name(&provider, ALICE, "alice.m").await.unwrap();
    name(&provider, BOB, "amoreno").await.unwrap();
    name(&provider, BOB, "").await.unwrap();
    name(&provider, ALICE, "Bob").await.unwrap();
    let changed = provider.audited("profile_changed").await;
    not_ascii_addresses_are_no_names(&provider).await;
    assert_eq!(changed.len(), 7, "of what was refused there is nothing");
}

/// Addresses are told apart by the case of letters that are not ASCII, and names are not, whichever was there first.
async fn not_ascii_addresses_are_no_names(provider: &TestProvider) {
    name(provider, BOB, "rené@practice.example").await.unwrap();
    let rene = Invitee {
        address: address("renÉ@practice.example"),
        profile: Profile::default(),
        groups: BTreeSet::new(),
        locale: None,
    };
    let refused = admin::invite(&provider.local(), rene).await;
    assert!(matches!(&refused, Err(AdminError::AddressIsUsername(_))), "{refused:?}");
    provider.person("jÖr@practice.example").create().await;
    name(provider, BOB, "jör@practice.example").await.unwrap();
    let shown = claims(&provider.local(), &address("jÖr@practice.example"), None).await.unwrap();
    assert_eq!(
        (shown["email"].as_str(), shown.get("preferred_username")),
        (Some("jÖr@practice.example"), None)
    );
}

async fn of_many_who_are_given_one_name_at_once_one_gets_it(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let people: Vec<String> = (0..8).map(|number| format!("person{number}@practice.example")).collect();
    for one in &people {
        provider.person(one).create().await;
    }
    let given = join_all(people.iter().map(|one| name(&provider, one, "frontdesk"))).await;
    assert_eq!(given.iter().filter(|given| given.is_ok()).count(), 1, "{given:?}");
    let mut named = 0;
    for one in &people {
        named += usize::from(name_of(&provider, one).await.is_some());
    }
    assert_eq!(named, 1);
}

async fn a_name_is_no_address_of_somebody_else(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let other = ALICE.to_uppercase();
    assert_eq!(holder(name(&provider, BOB, &other).await), ALICE);
    name(&provider, BOB, BOB).await.unwrap();
    name(&provider, BOB, "Carol@practice.example").await.unwrap();
    let carol = Invitee {
        address: address("carol@practice.example"),
        profile: Profile::default(),
        groups: BTreeSet::new(),
        locale: None,
    };
    let refused = admin::invite(&provider.local(), carol.clone()).await;
    assert!(matches!(&refused, Err(AdminError::AddressIsUsername(_))), "{refused:?}");
    name(&provider, BOB, "bob").await.unwrap();
    admin::invite(&provider.local(), carol).await.unwrap();
}

async fn names_of_release_0_1_0_stay_and_are_held_against_new_ones(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    provider.person("carol@practice.example").create().await;
    for (who, name) in [(ALICE, "Twin"), (BOB, "twin")] {
        backend
            .execute(&format!(
                "UPDATE accounts SET profile = '{{\"preferred_username\":\"{name}\"}}' WHERE id IN \
                 (SELECT account_id FROM account_addresses WHERE folded = '{who}')"
            ))
            .await;
    }
    let entered = provider.provider.store.backfill_usernames().await.unwrap();
    assert_eq!((entered.entered, entered.taken.len()), (1, 1), "{entered:?}");
    let both = (name_of(&provider, ALICE).await, name_of(&provider, BOB).await);
    assert_eq!(both, (Some("Twin".to_owned()), Some("twin".to_owned())));
    assert!(name(&provider, "carol@practice.example", "TWIN").await.is_err());
    // The account of the two that has not got it is given another, and nothing is left to enter.
    let (first, second) = match name(&provider, ALICE, "twin").await {
        Ok(()) => (ALICE, BOB),
        Err(_) => (BOB, ALICE),
    };
    assert_eq!(
        provider.provider.store.backfill_usernames().await.unwrap().taken.len(),
        1,
        "told of until then"
    );
    name(&provider, second, "other").await.unwrap();
    let entered = provider.provider.store.backfill_usernames().await.unwrap();
    assert_eq!((entered.entered, entered.taken.len()), (0, 0));
    // A node of that release takes a name away, without a word of it in the table.
    backend
        .execute(&format!(
            "UPDATE accounts SET profile = '{{}}' WHERE id IN \
             (SELECT account_id FROM account_addresses WHERE folded = '{first}')"
        ))
        .await;
    assert!(name(&provider, "carol@practice.example", "TWIN").await.is_err());
    let entered = provider.provider.store.backfill_usernames().await.unwrap();
    assert_eq!(entered, BackfilledUsernames::default(), "one that was taken away is not entered");
    name(&provider, "carol@practice.example", "TWIN").await.unwrap();
    // One of that release invites an address that is a name here.
    name(&provider, first, "dave@practice.example").await.unwrap();
    provider.person("david@practice.example").create().await;
    backend
        .execute(
            "UPDATE account_addresses SET address = 'dave@practice.example', folded = 'dave@practice.example' \
             WHERE folded = 'david@practice.example'",
        )
        .await;
    let entered = provider.provider.store.backfill_usernames().await.unwrap();
    let account =
        provider.provider.store.account_by_address(&address(first).folded()).await.unwrap().unwrap();
    assert_eq!((entered.entered, entered.taken), (0, vec![account.id]));
}

async fn core_5_1_the_address_stands_in_where_the_client_may_know_it(backend: Backend) {
    let toml = r#"
[[clients]]
client_id = "lab"
first_party = true
redirect_uris = ["https://lab.example/callback"]
token_endpoint_auth_method = "none"
subject_type = "pairwise"
"#;
    let provider = TestProvider::on(&backend).clients(toml).start().await;
    let browser = provider.signed_in(ALICE).await;
    for (id, scope, expected) in [
        ("web", "openid profile email", Some(ALICE)),
        ("web", "openid profile", None),
        ("web", "openid email", None),
        ("lab", "openid profile email", None),
    ] {
        let app = provider.client(id);
        let tokens = app.tokens(&browser, scope).await;
        let info = app.userinfo(&tokens.access_token).await.json();
        let said = app.verified(tokens.id_token()).await.claims;
        for shown in [&info, &said] {
            assert_eq!(shown["preferred_username"].as_str(), expected, "{id} {scope}");
        }
    }
    let who = address(ALICE);
    let shown = claims(&provider.local(), &who, Some(&"lab".parse().unwrap())).await.unwrap();
    assert!(shown.get("preferred_username").is_none());
    assert_eq!(claims(&provider.local(), &who, None).await.unwrap()["preferred_username"], ALICE);
    name(&provider, ALICE, "amoreno").await.unwrap();
    let web = provider.client("web");
    let tokens = web.tokens(&browser, "openid profile email").await;
    assert_eq!(web.userinfo(&tokens.access_token).await.json()["preferred_username"], "amoreno");
}
