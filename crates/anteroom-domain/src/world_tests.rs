//! A small world for tests of what depends on client, account and session together, and those tests.

use crate::account::{Account, AccountEpoch, AccountStatus, GroupName, Profile};
use crate::address::EmailAddress;
use crate::authorization_code::{AuthorizationCode, CodeContext, CodeRedemption, CodeRefusal};
use crate::client::{Client, ClientPolicy, ClientSecrets, ClientVersion, Entitlement};
use crate::grant::{EffectiveGrant, Grant, GrantState, InvalidGrantReason, TokenPermissions};
use crate::ids::{AccountId, BrowserId, GrantId, SessionId};
use crate::lockout::Lockout;
use crate::policy::Policy;
use crate::session::{Session, SessionPolicy, SessionStatus};
use crate::subject::SubjectNamespace;
use anteroom_oidc::{
    Acr, Amr, AmrSet, Capabilities, ClientMetadata, ClientMetadataInput, CodeChallenge, CodeVerifier, Issuer,
    MetadataRules, ScopeSet,
};
use jiff::{SignedDuration, Timestamp};
use std::borrow::Cow;
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
            offline_access_consent: true,
            entitlement: Entitlement::Groups(groups(&["staff"])),
            min_acr: None,
            tile: None,
            refresh_is_activity: false,
            logout_on_idle: false,
            claims: anteroom_oidc::claims::ClaimMapping::default(),
            id_token_claims: anteroom_oidc::claims::ScopeClaims::All,
            access_token_typ: anteroom_oidc::jwt::AccessTokenTyp::AtJwt,
            any_secret_method: false,
        },
        version: ClientVersion(1),
    }
}

/// The same client, registered for these scopes.
fn offering(scope: &str) -> Client {
    let client = client();
    Client { metadata: ClientMetadata { scope: scope.parse().unwrap(), ..client.metadata }, ..client }
}

fn account() -> Account {
    Account {
        id: AccountId(Uuid::from_u128(1)),
        status: AccountStatus::Active,
        epoch: AccountEpoch(3),
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
        epoch: AccountEpoch(3),
        browser: BrowserId(Uuid::from_u128(4)),
        device: None,
        auth_time: at(0),
        acr: Acr::Pwd,
        amr: AmrSet::from_iter([Amr::Pwd]),
        created_at: at(0),
        last_active_at: at(0),
        ended_at: None,
        sid_by_sector: true,
        not_current_since: None,
    }
}

fn verifier(text: char) -> CodeVerifier {
    String::from_iter([text; 43]).parse().unwrap()
}

fn code() -> AuthorizationCode<'static> {
    AuthorizationCode {
        grant: GrantId(Uuid::from_u128(3)),
        client: Cow::Owned("app".parse().unwrap()),
        client_version: ClientVersion(1),
        account: account().id,
        epoch: AccountEpoch(3),
        session: session().id,
        scope: Cow::Owned("openid".parse().unwrap()),
        claims: None,
        resources: Cow::default(),
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
        client: code.client.into_owned(),
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
        subjects: Some(SubjectNamespace::Public),
        sid_by_sector: true,
        created_at: at(0),
        revoked_at: None,
    }
}

#[test]
fn a_tile_is_for_whom_its_client_admits() {
    let of = |entitlement| Client { policy: ClientPolicy { entitlement, ..client().policy }, ..client() };
    for (admission, admitted) in [
        (Entitlement::Everyone, true),
        (Entitlement::Groups(groups(&["staff"])), true),
        (Entitlement::Groups(groups(&["clinicians", "managers"])), true),
        (Entitlement::Groups(groups(&["clinicians"])), false),
        (Entitlement::Groups(BTreeSet::new()), false),
    ] {
        assert_eq!(of(admission.clone()).is_entitled(&account()), admitted, "{admission:?}");
    }
}

#[test]
fn a_session_lives_within_its_limits_its_epoch_and_its_account() {
    let disabled = Account { status: AccountStatus::Disabled, ..account() };
    let later = Account { epoch: AccountEpoch(4), ..account() };
    let busy = Session { last_active_at: at(12 * 3600 - 1), ..session() };
    let ended = Session { ended_at: Some(at(1)), ..session() };
    for (session, account, seconds, expected) in [
        (session(), account(), 0, SessionStatus::Live),
        (session(), account(), 30 * 60 - 1, SessionStatus::Live),
        (session(), account(), 30 * 60, SessionStatus::Idle),
        (busy, account(), 12 * 3600 - 1, SessionStatus::Live),
        (busy, account(), 12 * 3600, SessionStatus::TooOld),
        (session(), disabled, 0, SessionStatus::AccountInactive),
        (session(), later, 0, SessionStatus::EpochChanged),
        (ended, account(), 2, SessionStatus::Ended),
        // The clock was set back.
        (session(), account(), -86_400, SessionStatus::Live),
    ] {
        assert_eq!(
            session.current_status(&account, session_policy(), at(seconds)),
            expected,
            "after {seconds} s"
        );
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
        assert_eq!(code.check_presented(CodeRedemption { redirect_uri, verifier }), expected);
    }
}

#[test]
fn a_code_is_held_against_the_world_of_now() {
    let changed = Client { version: ClientVersion(2), ..client() };
    let disabled = Account { status: AccountStatus::Disabled, ..account() };
    let reset = Account { epoch: AccountEpoch(4), ..account() };
    let left = Account { groups: groups(&["managers"]), ..account() };
    let ended = Session { ended_at: Some(at(1)), ..session() };
    let check = |client: &Client, account: &Account, session: &Session, seconds| {
        let world = CodeContext {
            client,
            account,
            session,
            agreed: &ScopeSet::default(),
            session_policy: session_policy(),
            now: at(seconds),
        };
        code().into_grant(world).map(|(grant, worth)| (grant.scope, worth.scope))
    };
    let openid: ScopeSet = "openid".parse().unwrap();
    assert_eq!(check(&client(), &account(), &session(), 59), Ok((openid.clone(), openid)));
    assert_eq!(check(&changed, &account(), &session(), 0), Err(CodeRefusal::ClientChanged));
    assert_eq!(check(&client(), &account(), &session(), 60), Err(CodeRefusal::Expired));
    assert_eq!(check(&client(), &disabled, &session(), 0), Err(InvalidGrantReason::Account.into()));
    assert_eq!(check(&client(), &reset, &session(), 0), Err(InvalidGrantReason::Account.into()));
    assert_eq!(check(&client(), &account(), &ended, 2), Err(InvalidGrantReason::SessionEnded.into()));
    assert_eq!(check(&client(), &left, &session(), 0), Err(InvalidGrantReason::NotAdmitted.into()));
}

#[test]
fn a_grant_ends_with_its_account_its_entitlement_and_unless_offline_its_session() {
    let revoked = Grant { revoked_at: Some(at(1)), ..grant("openid") };
    let reset = Account { epoch: AccountEpoch(4), ..account() };
    let left = Account { groups: BTreeSet::new(), ..account() };
    let hour = SignedDuration::from_hours(1).as_secs();
    let check = |grant: &Grant, account: &Account, session: Option<&Session>, seconds| {
        let client = offering("openid offline_access");
        let worth = grant.effective(GrantState {
            client: &client,
            account,
            session,
            agreed: &ScopeSet::default(),
            session_policy: session_policy(),
            now: at(seconds),
        });
        worth.map(drop)
    };
    let (online, offline) = (grant("openid"), grant("openid offline_access"));
    assert_eq!(check(&online, &account(), Some(&session()), 0), Ok(()));
    assert_eq!(check(&online, &account(), Some(&session()), hour), Err(InvalidGrantReason::SessionEnded));
    assert_eq!(check(&online, &account(), None, 0), Err(InvalidGrantReason::SessionEnded));
    assert_eq!(check(&offline, &account(), Some(&session()), hour), Ok(()));
    assert_eq!(check(&offline, &account(), None, hour), Ok(()));
    assert_eq!(check(&revoked, &account(), Some(&session()), 2), Err(InvalidGrantReason::Revoked));
    assert_eq!(check(&offline, &reset, Some(&session()), 0), Err(InvalidGrantReason::Account));
    assert_eq!(check(&offline, &left, Some(&session()), 0), Err(InvalidGrantReason::NotAdmitted));
}

/// What a grant is worth to this client, of a person who has agreed to `agreed`, while the session lives.
fn worth(grant: &Grant, client: &Client, agreed: &str) -> Result<EffectiveGrant, InvalidGrantReason> {
    grant.effective(GrantState {
        client,
        account: &account(),
        session: Some(&session()),
        agreed: &agreed.parse().unwrap(),
        session_policy: session_policy(),
        now: at(0),
    })
}

fn with_policy(client: &Client, change: impl FnOnce(&mut ClientPolicy)) -> Client {
    let mut client = client.clone();
    change(&mut client.policy);
    client
}

fn with_metadata(client: &Client, change: impl FnOnce(&mut ClientMetadata)) -> Client {
    let mut client = client.clone();
    change(&mut client.metadata);
    client
}

#[test]
fn a_grant_is_worth_no_more_than_its_client_may_have_now() {
    let all = offering("openid email groups reports offline_access");
    let granted = Grant {
        resources: vec!["https://a.example/".to_owned(), "https://b.example/".to_owned()],
        ..grant("openid email groups reports")
    };
    let both = with_metadata(&all, |metadata| metadata.audience = granted.resources.clone());
    let scope = |client: &Client, agreed| worth(&granted, client, agreed).map(|it| it.scope.to_string());
    assert_eq!(scope(&both, ""), Ok("openid email groups reports".to_owned()));
    let fewer = with_metadata(&both, |metadata| metadata.scope = "openid phone reports".parse().unwrap());
    assert_eq!(scope(&fewer, ""), Ok("openid reports".to_owned()));
    let none = with_metadata(&both, |metadata| metadata.scope = "phone".parse().unwrap());
    assert_eq!(scope(&none, ""), Err(InvalidGrantReason::Scope));
    // What is no longer the practice's own has what the person agreed to.
    let partner = with_policy(&both, |policy| policy.first_party = false);
    assert_eq!(scope(&partner, "openid groups phone"), Ok("openid groups".to_owned()));
    assert_eq!(scope(&partner, ""), Err(InvalidGrantReason::Scope));
    let asked_apart = worth(&granted, &partner, "openid phone").map(|it| it.claims_scope.to_string());
    assert_eq!(asked_apart, Ok("openid".to_owned()), "claims are told within what was agreed to");
    let one = with_metadata(&both, |metadata| metadata.audience = vec!["https://b.example/".to_owned()]);
    assert_eq!(worth(&granted, &one, "").map(|it| it.resources), Ok(vec!["https://b.example/".to_owned()]));
    assert_eq!(scope(&all, ""), Err(InvalidGrantReason::Audience));
    let stricter = with_policy(&both, |policy| policy.min_acr = Some(Acr::Mfa));
    assert_eq!(scope(&stricter, ""), Err(InvalidGrantReason::Acr));
    let service = with_metadata(&both, |metadata| {
        metadata.grant_types = [anteroom_oidc::GrantType::ClientCredentials].into();
    });
    assert_eq!(scope(&service, ""), Err(InvalidGrantReason::NoFlow));
    let host = anteroom_oidc::Sector::of(&"https://app.example/".parse().unwrap());
    let pairwise = with_metadata(&both, |metadata| metadata.sector = host.clone());
    assert_eq!(scope(&pairwise, ""), Err(InvalidGrantReason::SubjectsChanged));
    // Release 0.1.0 did not keep it: such a grant ends when the change is noticed.
    assert!(worth(&Grant { subjects: None, ..granted.clone() }, &pairwise, "").is_ok());
}

#[test]
fn without_the_scope_offline_access_a_grant_hangs_on_its_session_again() {
    let granted = grant("openid offline_access");
    let fewer = offering("openid");
    let check = |client: &Client, agreed: &ScopeSet| {
        let context = GrantState {
            client,
            account: &account(),
            session: None,
            agreed,
            session_policy: session_policy(),
            now: at(0),
        };
        granted.effective(context).map(drop)
    };
    let (none, agreed) = (ScopeSet::default(), "offline_access".parse().unwrap());
    assert_eq!(check(&offering("openid offline_access"), &none), Ok(()));
    assert_eq!(check(&fewer, &agreed), Err(InvalidGrantReason::SessionEnded));
    // RFC 8252 §8.6: of a program that any other on the machine can stand in for, the person must have agreed.
    let native = with_metadata(&offering("openid offline_access"), |metadata| {
        metadata.token_endpoint_auth_method = anteroom_oidc::TokenEndpointAuthMethod::None;
        metadata.redirect_uris = vec!["http://127.0.0.1/cb".parse().unwrap()];
    });
    assert_eq!(check(&native, &none), Err(InvalidGrantReason::SessionEnded));
    assert_eq!(check(&native, &agreed), Ok(()));
    let trusted = with_policy(&native, |policy| policy.offline_access_consent = false);
    assert_eq!(check(&trusted, &none), Ok(()));
}

#[test]
fn rfc9068_4_a_token_reaches_what_its_client_may_still_reach() {
    let issuer = Issuer::parse("https://id.example").unwrap();
    let client = with_metadata(&offering("openid reports"), |metadata| {
        metadata.audience = vec!["https://a.example/".to_owned()];
    });
    let reach = |scope: &str, audience: &[&str]| {
        let reach = TokenPermissions {
            scope: scope.parse().unwrap(),
            audience: audience.iter().map(|it| (*it).to_owned()).collect(),
        };
        reach.narrowed(&client.metadata.scope, &client, &issuer)
    };
    let all = reach("openid reports", &["https://a.example/", "https://id.example"]).unwrap();
    assert_eq!((all.scope.to_string().as_str(), all.audience.len()), ("openid reports", 2));
    assert!(all.is_for(&issuer));
    let api = reach("openid archive", &["https://a.example/", "https://b.example/"]).unwrap();
    assert_eq!(
        (api.scope.to_string().as_str(), api.audience),
        ("openid", vec!["https://a.example/".to_owned()])
    );
    assert_eq!(reach("archive", &["https://a.example/"]), Err(InvalidGrantReason::Scope));
    assert_eq!(reach("openid", &["https://b.example/"]), Err(InvalidGrantReason::Audience));
}
