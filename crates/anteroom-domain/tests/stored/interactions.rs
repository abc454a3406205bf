use anteroom_crypto::KeyedDigest;
use anteroom_domain::account::AccountEpoch;
use anteroom_domain::client::ClientVersion;
use anteroom_domain::ids::{AccountId, BrowserId, DeviceId, LinkId, PhoneId, RequestId};
use anteroom_domain::interaction::{
    ConsentQuestion, Destination, FactorMethod, InteractionProof, InteractionState, PassedFactor, ProofKind,
    RecoveryProgress, RequestSource,
};
use anteroom_oidc::authorization::{
    AuthorizationRequest, ClaimsRequest, RedirectDelivery, RequestContent, ResponseDelivery,
};
use anteroom_oidc::protocol_values::Display;
use anteroom_oidc::{Acr, RedirectUri, ResponseMode, ScopeSet};

use crate::golden::Form;
use crate::{id, samples, time};

const JOURNEYS: Form = Form {
    name: "journeys",
    objects: &["", "/destination/application", "/recovery", "/source", "/consent_question"],
};
const PROOFS: Form = Form { name: "proofs", objects: &["", "/kind", "/factor"] };

#[test]
fn interactions_of_every_release_are_read() {
    let mut journeys: Vec<_> = samples!(Destination {
        "dashboard": Dashboard = Destination::Dashboard,
        "application": Application = Destination::Application(Box::new(least())),
        "change_password": ChangePassword = Destination::ChangePassword,
        "authenticator_apps": AuthenticatorApps = Destination::AuthenticatorApps,
    })
    .into_iter()
    .map(|(name, destination)| (name, journey(destination)))
    .collect();
    let application = |request| journey(Destination::Application(Box::new(request)));
    journeys.extend([
        ("application_with_everything", application(most())),
        ("implicit", application(implicit())),
        ("of_somebody", of_somebody(application(least()))),
        ("at_the_consent_page", at_the_consent_page(application(least()))),
        ("of_one_of_several", of_one_of_several(application(least()))),
        ("recovery", recovering(application(least()), false)),
        ("recovery_done", recovering(journey(Destination::Dashboard), true)),
        ("recovery_done_at_a_device", done_at_a_device(recovering(journey(Destination::Dashboard), true))),
    ]);
    let at = time("2027-01-04T08:01:30.5Z");
    journeys.extend(
        samples!(RequestSource {
            "of_a_plain_request": Plain = RequestSource::Plain,
            "of_a_request_object": RequestObject = RequestSource::RequestObject { expires_at: at },
            "of_a_pushed_request": Pushed =
                RequestSource::Pushed { digest: KeyedDigest::from_slice(&[7; 32]).unwrap(), ends_at: at },
        })
        .into_iter()
        .map(|(name, source)| {
            let request_id = Some(RequestId(id(6)));
            (name, InteractionState { request_id, source, ..application(least()) })
        }),
    );
    let picked_at = Some(time("2027-01-04T08:02:00Z"));
    journeys.push(("picked", InteractionState { picked_at, ..of_somebody(application(least())) }));
    journeys.push(("signed", InteractionState { signed: true, ..application(least()) }));
    JOURNEYS.check(&journeys);
}

#[test]
fn proofs_of_every_release_are_read() {
    let mut proofs: Vec<_> = samples!(ProofKind {
        "expired_password": ExpiredPassword = ProofKind::ExpiredPassword { acknowledged: true },
        "recovery": Recovery = ProofKind::Recovery { link: LinkId(id(3)) },
        "invitation": Invitation = ProofKind::Invitation { link: LinkId(id(3)), phone: None, phones_done: false },
    })
    .into_iter()
    .map(|(name, kind)| (name, proof(kind, None)))
    .collect();
    let phone = ProofKind::Invitation { link: LinkId(id(3)), phone: Some(PhoneId(id(4))), phones_done: true };
    proofs.push(("invitation_with_a_phone", proof(phone, None)));
    let factors = samples!(FactorMethod {
        "with_a_text": Text = FactorMethod::Text,
        "with_a_call": Call = FactorMethod::Call,
        "with_an_app": Totp = FactorMethod::Totp,
    });
    proofs.extend(factors.into_iter().map(|(name, method)| {
        let kind = ProofKind::Recovery { link: LinkId(id(3)) };
        (name, proof(kind, Some(PassedFactor { at: time("2027-01-04T08:03:00.123Z"), method })))
    }));
    PROOFS.check(&proofs);
}

fn proof(kind: ProofKind, factor: Option<PassedFactor>) -> InteractionProof {
    InteractionProof {
        account: AccountId(id(1)),
        epoch: AccountEpoch(7),
        at: time("2027-01-04T08:00:00.5Z"),
        kind,
        device: factor.map(|_| DeviceId(id(5))),
        factor,
    }
}

fn journey(destination: Destination) -> InteractionState {
    InteractionState::new(destination, BrowserId(id(2)), time("2027-01-04T08:00:00.123456789Z"))
}

fn of_somebody(journey: InteractionState) -> InteractionState {
    InteractionState {
        account: Some(AccountId(id(1))),
        consented_by: Some(AccountId(id(1))),
        required_sub: Some("00000000-0000-0000-0000-000000000001".parse().unwrap()),
        ..journey
    }
}

fn at_the_consent_page(journey: InteractionState) -> InteractionState {
    let question = ConsentQuestion { client_version: ClientVersion(u64::MAX), scope: scope("openid email") };
    let account = AccountId(id(1));
    journey.signed_in_as(account).asking_consent(account, question, jiff::Timestamp::UNIX_EPOCH)
}

fn of_one_of_several(journey: InteractionState) -> InteractionState {
    let sub = |number| id(number).to_string().parse().unwrap();
    InteractionState { required_sub: Some(sub(1)), further_required_subs: vec![sub(7), sub(8)], ..journey }
}

fn done_at_a_device(mut journey: InteractionState) -> InteractionState {
    journey.recovery.as_mut().unwrap().device = Some(DeviceId(id(5)));
    journey
}

fn recovering(journey: InteractionState, done: bool) -> InteractionState {
    let address = "Alice@Practice.example".to_owned();
    InteractionState {
        recovery: Some(RecoveryProgress { address, waits_elsewhere: !done, done, device: None }),
        ..journey
    }
}

fn least() -> AuthorizationRequest {
    let reply = RedirectDelivery {
        redirect_uri: RedirectUri::parse("https://web.example/callback").unwrap(),
        redirect_uri_given: true,
        response_type: "code".parse().unwrap(),
        response_mode: ResponseMode::Query,
        state: None,
        code_challenge: None,
    };
    let ask = RequestContent {
        scope: "openid".parse().unwrap(),
        ..RequestContent::of_client_only("web".parse().unwrap())
    };
    AuthorizationRequest { ask, reply: ResponseDelivery::Redirect(reply) }
}

fn most() -> AuthorizationRequest {
    let AuthorizationRequest { ask, reply: ResponseDelivery::Redirect(reply) } = least();
    let reply = RedirectDelivery {
        response_mode: ResponseMode::FormPost,
        state: Some("state-1 ü \"x\"".parse().unwrap()),
        code_challenge: Some("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM".parse().unwrap()),
        ..reply
    };
    let ask = RequestContent {
        scope: scope("openid profile email address phone groups offline_access schedule:read"),
        nonce: Some("nonce-1".parse().unwrap()),
        prompt: "login consent".parse().unwrap(),
        max_age: Some(0),
        claims: Some(claims()),
        acr_values: vec![Acr::Mfa, Acr::Pwd],
        id_token_hint: Some("e30.e30.c2ln".parse().unwrap()),
        login_hint: Some("alice@practice.example".to_owned()),
        display: Some(Display::Popup),
        ui_locales: vec!["es-MX".to_owned(), "en".to_owned()],
        claims_locales: vec!["en".to_owned()],
        resource: vec!["https://api.example/a".to_owned(), "https://api.example/b".to_owned()],
        ..ask
    };
    AuthorizationRequest { ask, reply: ResponseDelivery::Redirect(reply) }
}

fn implicit() -> AuthorizationRequest {
    let AuthorizationRequest { ask, reply: ResponseDelivery::Redirect(reply) } = least();
    let reply = RedirectDelivery {
        redirect_uri_given: false,
        response_type: "code id_token token".parse().unwrap(),
        response_mode: ResponseMode::Fragment,
        ..reply
    };
    let ask =
        RequestContent { nonce: Some("nonce-1".parse().unwrap()), prompt: "none".parse().unwrap(), ..ask };
    AuthorizationRequest { ask, reply: ResponseDelivery::Redirect(reply) }
}

fn scope(text: &str) -> ScopeSet {
    text.parse().unwrap()
}

pub(crate) fn claims() -> ClaimsRequest {
    let text = r#"{
        "userinfo": {"email": {"essential": true}, "given_name": null, "https://practice.example/role": null},
        "id_token": {
            "acr": {"essential": true, "values": ["urn:anteroom:acr:mfa"]},
            "sub": {"value": "00000000-0000-0000-0000-000000000001"},
            "level": {"values": [1, 2.5, {"a": [true, null]}]}
        }
    }"#;
    serde_json::from_str(text).unwrap()
}
