//! Client settings that are valid but probably a mistake or unsafe.

use anteroom_oidc::protocol_values::contains_comma;
use anteroom_oidc::{ClientMetadata, GrantType, RedirectUri, Scope};

use super::ClientDraft;
use crate::diagnostics::ConfigFinding;
use crate::reader::Context;
use crate::reader::kind::did_you_mean;
use crate::suggest::nearest;

pub(super) fn check(cx: &Context<'_>, draft: &ClientDraft, metadata: &ClientMetadata) {
    check_wildcards(cx, draft, "redirect_uris", &metadata.redirect_uris);
    check_wildcards(cx, draft, "post_logout_redirect_uris", &metadata.post_logout_redirect_uris);
    warn_of_unknown_scopes(cx, draft, metadata);
    warn_of_silent_refresh(cx, draft, metadata);
}

/// RFC 9700 §4.1.3: redirect URIs are compared character for character, so a pattern matches nothing.
fn check_wildcards(cx: &Context<'_>, draft: &ClientDraft, key: &'static str, uris: &[RedirectUri]) {
    for (i, uri) in uris.iter().enumerate().filter(|(_, uri)| uri.as_str().contains('*')) {
        let finding = ConfigFinding::error(format!("`{key}` of client `{}` has a wildcard", draft.client_id));
        let place = draft.place_of(cx, &format!("{key}.{i}"));
        let finding = finding.at(place, "compared character for character: this matches no address");
        cx.report(finding.help(format!("write out each address in place of \"{uri}\"")));
    }
}

/// A scope that is no standard one belongs to an API. Where the client has none, nothing will ever read it.
fn warn_of_unknown_scopes(cx: &Context<'_>, draft: &ClientDraft, metadata: &ClientMetadata) {
    let has_api =
        !metadata.audience.is_empty() || metadata.grant_types.contains(&GrantType::ClientCredentials);
    for scope in metadata.scope.iter().filter(|scope| matches!(scope, Scope::Other(_))) {
        let text = scope.to_string();
        let standard: Vec<String> = Scope::STANDARD.iter().map(ToString::to_string).collect();
        let near = nearest(&text, standard.iter().map(String::as_str));
        if near.is_none() && has_api && !contains_comma(&text) {
            continue;
        }
        let finding = ConfigFinding::warning(format!(
            "the scope `{text}` of client `{}` is not known",
            draft.client_id
        ));
        let finding = finding.at(draft.place_of(cx, "scope"), "no claims belong to it");
        cx.report(match near {
            _ if contains_comma(&text) => finding.help("scopes are separated by spaces, not by commas"),
            Some(near) => finding.help(did_you_mean(near)),
            None => finding.help(format!(
                "known are {}; one of an API is named beside that API: `audience`",
                standard.join(", ")
            )),
        });
    }
}

/// RFC 8252 §8.6: whatever runs on the person's machine can send requests as the client and gets tokens without consent.
fn warn_of_silent_refresh(cx: &Context<'_>, draft: &ClientDraft, metadata: &ClientMetadata) {
    let stays = metadata.may_ask_for(&Scope::OfflineAccess);
    let on_machine = metadata.may_be_impersonated();
    if draft.policy.offline_access_consent || !draft.policy.first_party || !stays || !on_machine {
        return;
    }
    let title =
        format!("any program on a person's machine can stay signed in as client `{}`", draft.client_id);
    let finding = ConfigFinding::warning(title);
    let finding = finding.at(draft.place_of(cx, "offline_access_consent"), "nobody is asked");
    let help =
        "leave it out: each person is asked once in each browser before the client gets `offline_access`";
    cx.report(finding.help(help));
}
