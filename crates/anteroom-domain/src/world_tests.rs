//! A small world for tests of what depends on client, account and session together, and those tests.

use crate::account::{Account, AccountStatus, Epoch, GroupName, Profile};
use crate::address::EmailAddress;
use crate::client::{Admission, Client, ClientPolicy, ClientSecrets, ClientVersion};
use crate::code::{AuthorizationCode, CodeRefusal, Presented, World};
use crate::grant::{Grant, GrantDead, GrantWorld};
use crate::ids::{AccountId, BrowserId, GrantId, SessionId};
use crate::lockout::Lockout;
use crate::policy::Policy;
use crate::session::{Session, SessionPolicy, SessionStanding};
use anteroom_oidc::{
    Acr, Amr, AmrSet, Capabilities, ClientMetadata, ClientMetadataInput, CodeChallenge, CodeVerifier, Issuer,
    MetadataRules, ScopeSet,
};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;
use uuid::Uuid;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_000_000 + seconds).unwrap()
}

fn session_policy() -> SessionPolicy {
    Policy::default().session
}

fn groups(names: &[&str]) -> BTreeSet<GroupName> {
    names.iter().map(|name| GroupName::parse(name).unwrap()).collect()
}

fn client() -> Client {
    let issuer = Issuer::parse("https://id.example").unwrap();
    let input = ClientMetadataInput {
        redirect_uris: vec!["https://app.example/cb".to_owned()],
        ..ClientMetadataInput::default()
    };
    let rules = MetadataRules {
        issuer: &issuer,
        capabilities: &Capabilities::of_this_release(Vec::new()),
        require_pkce: true,
        scope: &ScopeSet::standard(),
    };
    Client {
        metadata: ClientMetadata::parse("app".parse().unwrap(), &input, rules).unwrap(),
        secrets: ClientSecrets::default(),
        signing_secrets: Vec::new(),
        policy: ClientPolicy {
            first_party: true,
            admission: Admission::Groups(groups(&["staff"])),
            min_acr: None,
            tile: None,
            refresh_is_activity: false,
            logout_on_idle: false,
            claims: anteroom_oidc::claims::ClaimMapping::default(),
        },
        version: ClientVersion(1),
    }
}

fn account() -> Account {
    Account {
        id: AccountId(Uuid::from_u128(1)),
        status: AccountStatus::Active,
        epoch: Epoch(3),
        profile: Profile::default(),
        primary_address: EmailAddress::parse("alice@demo.example").unwrap(),
        address_verified: true,
        phone: None,
        locale: None,
        groups: groups(&["staff", "managers"]),
        lockout: Lockout::default(),
        created_at: at(0),
        updated_at: at(0),
    }
}

fn session() -> Session {
    Session {
        id: SessionId(Uuid::from_u128(2)),
        account: account().id,
        epoch: Epoch(3),
        browser: BrowserId(Uuid::from_u128(4)),
        device: None,
        auth_time: at(0),
        acr: Acr::Pwd,
        amr: AmrSet::from_iter([Amr::Pwd]),
        created_at: at(0),
        last_active_at: at(0),
        ended_at: None,
    }
}

fn verifier(text: char) -> CodeVerifier {
    String::from_iter([text; 43]).parse().unwrap()
}

fn code() -> AuthorizationCode {
    AuthorizationCode {
        grant: GrantId(Uuid::from_u128(3)),
        client: "app".parse().unwrap(),
        client_version: ClientVersion(1),
        account: account().id,
        epoch: Epoch(3),
        session: session().id,
        scope: "openid".parse().unwrap(),
        claims: None,
        resources: Vec::new(),
        nonce: None,
        redirect_uri: Some("https://app.example/cb".to_owned()),
        challenge: Some(CodeChallenge::of(&verifier('a'))),
        auth_time: at(0),
        acr: Acr::Pwd,
        amr: AmrSet::from_iter([Amr::Pwd]),
        issued_at: at(0),
        expires_at: at(60),
    }
}

fn grant(scope: &str) -> Grant {
    let code = code();
    Grant {
        id: code.grant,
        client: code.client,
        account: code.account,
        session: code.session,
        epoch: code.epoch,
        scope: scope.parse().unwrap(),
        claims: None,
        resources: Vec::new(),
        nonce: None,
        auth_time: code.auth_time,
        acr: code.acr,
        amr: code.amr,
        created_at: at(0),
        revoked_at: None,
    }
}

#[test]
fn a_tile_is_for_whom_its_client_admits() {
    let of = |admission| Client { policy: ClientPolicy { admission, ..client().policy }, ..client() };
    for (admission, admitted) in [
        (Admission::Everyone, true),
        (Admission::Groups(groups(&["staff"])), true),
        (Admission::Groups(groups(&["clinicians", "managers"])), true),
        (Admission::Groups(groups(&["clinicians"])), false),
        (Admission::Groups(BTreeSet::new()), false),
    ] {
        assert_eq!(of(admission.clone()).admits(&account()), admitted, "{admission:?}");
    }
}

#[test]
fn a_session_lives_within_its_limits_its_epoch_and_its_account() {
    let disabled = Account { status: AccountStatus::Disabled, ..account() };
    let later = Account { epoch: Epoch(4), ..account() };
    let busy = Session { last_active_at: at(12 * 3600 - 1), ..session() };
    let ended = Session { ended_at: Some(at(1)), ..session() };
    for (session, account, seconds, expected) in [
        (session(), account(), 0, SessionStanding::Live),
        (session(), account(), 30 * 60 - 1, SessionStanding::Live),
        (session(), account(), 30 * 60, SessionStanding::Idle),
        (busy.clone(), account(), 12 * 3600 - 1, SessionStanding::Live),
        (busy, account(), 12 * 3600, SessionStanding::TooOld),
        (session(), disabled, 0, SessionStanding::AccountInactive),
        (session(), later, 0, SessionStanding::EpochPassed),
        (ended, account(), 2, SessionStanding::Ended),
        // The clock was set back.
        (session(), account(), -86_400, SessionStanding::Live),
    ] {
        assert_eq!(session.standing(&account, session_policy(), at(seconds)), expected, "after {seconds} s");
    }
}

#[test]
fn rfc6749_4_1_3_the_redirect_uri_must_be_the_same_and_rfc7636_4_6_the_verifier_must_fit() {
    let (right, wrong) = (verifier('a'), verifier('b'));
    let uri = Some("https://app.example/cb");
    let without = AuthorizationCode { challenge: None, redirect_uri: None, ..code() };
    for (code, redirect_uri, verifier, expected) in [
        (code(), uri, Some(&right), Ok(())),
        (code(), uri, Some(&wrong), Err(CodeRefusal::VerifierWrong)),
        (code(), uri, None, Err(CodeRefusal::VerifierMissing)),
        (code(), None, Some(&right), Err(CodeRefusal::RedirectUri)),
        (code(), Some("https://app.example/cb/"), Some(&right), Err(CodeRefusal::RedirectUri)),
        (without.clone(), None, None, Ok(())),
        (without.clone(), uri, None, Err(CodeRefusal::RedirectUri)),
        // RFC 9700 §4.8.2: a verifier without a challenge is a downgrade.
        (without, None, Some(&right), Err(CodeRefusal::VerifierUnexpected)),
    ] {
        assert_eq!(code.check_presented(Presented { redirect_uri, verifier }), expected);
    }
}

#[test]
fn a_code_is_held_against_the_world_of_now() {
    let changed = Client { version: ClientVersion(2), ..client() };
    let disabled = Account { status: AccountStatus::Disabled, ..account() };
    let reset = Account { epoch: Epoch(4), ..account() };
    let left = Account { groups: groups(&["managers"]), ..account() };
    let ended = Session { ended_at: Some(at(1)), ..session() };
    let check = |client: &Client, account: &Account, session: &Session, seconds| {
        code().check_world(World {
            client,
            account,
            session,
            session_policy: session_policy(),
            now: at(seconds),
        })
    };
    assert_eq!(check(&client(), &account(), &session(), 59), Ok(()));
    assert_eq!(check(&changed, &account(), &session(), 0), Err(CodeRefusal::ClientChanged));
    assert_eq!(check(&client(), &account(), &session(), 60), Err(CodeRefusal::Expired));
    assert_eq!(check(&client(), &disabled, &session(), 0), Err(CodeRefusal::Account));
    assert_eq!(check(&client(), &reset, &session(), 0), Err(CodeRefusal::Account));
    assert_eq!(check(&client(), &account(), &ended, 2), Err(CodeRefusal::Session));
    assert_eq!(check(&client(), &left, &session(), 0), Err(CodeRefusal::NotAdmitted));
}

#[test]
fn a_grant_ends_with_its_account_its_entitlement_and_unless_offline_its_session() {
    let revoked = Grant { revoked_at: Some(at(1)), ..grant("openid") };
    let reset = Account { epoch: Epoch(4), ..account() };
    let left = Account { groups: BTreeSet::new(), ..account() };
    let hour = SignedDuration::from_hours(1).as_secs();
    let check = |grant: &Grant, account: &Account, session: Option<&Session>, seconds| {
        let client = client();
        grant.check(GrantWorld {
            client: &client,
            account,
            session,
            session_policy: session_policy(),
            now: at(seconds),
        })
    };
    let (online, offline) = (grant("openid"), grant("openid offline_access"));
    assert_eq!(check(&online, &account(), Some(&session()), 0), Ok(()));
    assert_eq!(check(&online, &account(), Some(&session()), hour), Err(GrantDead::SessionEnded));
    assert_eq!(check(&online, &account(), None, 0), Err(GrantDead::SessionEnded));
    assert_eq!(check(&offline, &account(), Some(&session()), hour), Ok(()));
    assert_eq!(check(&offline, &account(), None, hour), Ok(()));
    assert_eq!(check(&revoked, &account(), Some(&session()), 2), Err(GrantDead::Revoked));
    assert_eq!(check(&offline, &reset, Some(&session()), 0), Err(GrantDead::Account));
    assert_eq!(check(&offline, &left, Some(&session()), 0), Err(GrantDead::NotAdmitted));
}
