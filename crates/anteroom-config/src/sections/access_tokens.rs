//! What is written of a client's access tokens, held against the APIs that they are for.

use anteroom_oidc::jwt::AccessTokenTyp;
use anteroom_oidc::{ClientMetadata, Issuer};

use super::ClientDraft;
use crate::diagnostics::ConfigFinding;
use crate::reader::Context;

/// `None` stands for a client that was refused.
pub(crate) fn check(
    cx: &Context<'_>,
    drafts: &[ClientDraft],
    checked: &[Option<ClientMetadata>],
    issuer: &Issuer,
) {
    for (draft, metadata) in drafts.iter().zip(checked) {
        let Some(metadata) = metadata else { continue };
        match (metadata.access_token_signature(), draft.policy.access_token_typ) {
            (Some(_), AccessTokenTyp::Jwt) => check_audience(cx, draft, metadata, drafts, issuer),
            (Some(_), AccessTokenTyp::AtJwt) => {}
            (None, _) => check_opaque(cx, draft),
        }
    }
}

/// RFC 8725 §3.11: what keeps an access token with the `typ` of an ID token from passing for one is that no client finds itself
/// in its `aud`. The issuer stands there too where `openid` was granted.
fn check_audience(
    cx: &Context<'_>,
    draft: &ClientDraft,
    metadata: &ClientMetadata,
    drafts: &[ClientDraft],
    issuer: &Issuer,
) {
    let audience = metadata.audience.iter().map(String::as_str).chain([issuer.as_str()]);
    for named in audience {
        let Some(client) = drafts.iter().find(|other| other.client_id.as_str() == named) else { continue };
        let title = format!("access tokens of client `{}` could pass for ID tokens", draft.client_id);
        let finding = ConfigFinding::error(title);
        let finding = finding.at(draft.place_of(cx, "access_token_typ"), "this is the `typ` of ID tokens");
        let finding = finding.at(client.place_of(cx, "client_id"), "and this client is their audience");
        let help = "let the API go by a name in `audience` that is no `client_id`; it cannot introspect then. An API that takes \
            `at+jwt` needs no `access_token_typ`";
        cx.report(finding.help(help));
    }
}

fn check_opaque(cx: &Context<'_>, draft: &ClientDraft) {
    let place = |name: &str| cx.place(&format!("{}{name}", draft.path));
    let help = "name the API in `audience`; `access_token_format = \"jwt\"` makes them JWTs without one";
    let label = "opaque access tokens are not signed";
    if let Some(typ) = place("access_token_typ") {
        let title = format!("the access tokens of client `{}` are opaque", draft.client_id);
        cx.report(ConfigFinding::error(title).at(Some(typ), label).help(help));
    }
    if let Some(algorithm) = place("access_token_signed_response_alg") {
        let title = format!("the access tokens of client `{}` are opaque", draft.client_id);
        cx.report(ConfigFinding::warning(title).at(Some(algorithm), label).help(help));
    }
}
