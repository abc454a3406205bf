//! `POST /consent`.

use anteroom_flows::interaction::consent::{ConsentOutcome, consent};
use anteroom_flows::interaction::consent_answer::Decision;
use anteroom_flows::interaction::open_interaction::Waiting;
use anteroom_oidc::{Scope, ScopeSet};
use anteroom_pages::ConsentScope;
use axum::response::Response;

use crate::asker::Asker;
use crate::failure::{Failure, finish};
use crate::form_token::FormName;
use crate::forms::{Form, FormFields, Sent};
use crate::pages::step::{DASHBOARD, continue_address, go};
use crate::respond::see_next;

pub(crate) struct Answered {
    decision: Decision,
    waiting: Waiting,
}

impl FormFields for Answered {
    const NAME: FormName = FormName::Consent;

    fn read(sent: &Sent) -> Result<Self, Failure> {
        // Anything but a clear yes is a no.
        let decision = if sent.field("decision") == "allow" { Decision::Allow } else { Decision::Deny };
        Ok(Self { decision, waiting: sent.what_waits()? })
    }

    fn again(sent: &Sent) -> String {
        sent.again(DASHBOARD)
    }
}

pub(crate) async fn submit(Form { asker, fields }: Form<Answered>) -> Response {
    finish(&asker, submitted(&asker, fields).await).await
}

async fn submitted(asker: &Asker, Answered { decision, waiting }: Answered) -> Result<Response, Failure> {
    match consent(&asker.visit, waiting, decision).await? {
        ConsentOutcome::Onward(onward) => go(asker, onward),
        ConsentOutcome::AskedAnew(page) => {
            Ok(see_next(asker, &format!("{}&changed=1", continue_address(asker, &page)?)))
        }
        ConsentOutcome::Gone => Err(Failure::interaction_expired()),
    }
}

pub(crate) fn consent_scopes(scopes: &ScopeSet) -> Vec<ConsentScope> {
    let view = |scope: &Scope| match scope {
        Scope::OpenId => ConsentScope::Openid,
        Scope::Profile => ConsentScope::Profile,
        Scope::Email => ConsentScope::Email,
        Scope::Address => ConsentScope::Address,
        Scope::Phone => ConsentScope::Phone,
        Scope::Groups => ConsentScope::Groups,
        Scope::OfflineAccess => ConsentScope::OfflineAccess,
        Scope::Other(_) => ConsentScope::Other { scope: scope.to_string() },
    };
    scopes.iter().map(view).collect()
}
