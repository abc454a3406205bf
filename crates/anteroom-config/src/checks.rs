//! What must be right between sections and files: names defined once and before use, and no combination that would
//! open to the world what is meant for one machine.

use anteroom_oidc::Issuer;
use std::collections::BTreeMap;
use url::Host;

use crate::diagnostics::{ConfigFinding, SourceSpan};
use crate::reader::Context;
use crate::reader::kind::did_you_mean;
use crate::sections::{ClientDraft, GroupDraft, MainSections};
use crate::settings::PhoneProviderSettings;
use crate::suggest::nearest;

pub(crate) fn check(cx: &Context<'_>, main: &MainSections, groups: &[GroupDraft], clients: &[ClientDraft]) {
    check_exposure(cx, main);
    check_twilio(cx, main);
    let names = groups.iter().map(|draft| (draft.group.name.as_str(), draft.place.clone()));
    check_twice(cx, "group", names);
    let ids = clients.iter().map(|draft| (draft.client_id.as_str(), draft.place_of(cx, "client_id")));
    check_twice(cx, "client", ids);
    for client in clients {
        let place = |i| client.place_of(cx, &format!("groups.{i}"));
        let admitted = client.groups.iter().enumerate().map(|(i, name)| (name.as_str(), place(i)));
        let whose = format!("client `{}`", client.client_id);
        check_groups(cx, groups, &whose, admitted);
        let place = || client.place_of(cx, "claims.groups");
        let renamed = client.renamed_groups.iter().map(|name| (name.as_str(), place()));
        check_groups(cx, groups, &whose, renamed);
    }
    let place = |i| cx.place(&format!("registration.groups.{i}"));
    let admitted = main.registration.groups.iter().enumerate().map(|(i, name)| (name.as_str(), place(i)));
    check_groups(cx, groups, "`[registration]`", admitted);
}

fn check_exposure(cx: &Context<'_>, main: &MainSections) {
    let Some(issuer) = &main.issuer else { return };
    check_path(cx, issuer);
    if main.dev.outbox {
        check_outbox(cx, main, issuer);
    }
    let has_tls = cx.place("server.tls").is_some();
    if has_tls && issuer.is_loopback_http() {
        let finding = ConfigFinding::error("`[server.tls]` is configured, but the issuer is http");
        let finding = finding.at(cx.place("server.tls"), "serves https");
        cx.report(finding.at(cx.place("issuer"), "begins with `http:`"));
    }
    if !issuer.is_loopback_http() && !has_tls && main.server.trusted_proxies.is_empty() {
        let finding = ConfigFinding::warning("no proxy is trusted, though TLS must end at one");
        let place = cx.place("server.trusted_proxies").or_else(|| cx.place("issuer"));
        let finding = finding.at(place, "all requests would count for the proxy's address");
        let help =
            "name the proxy: `[server] trusted_proxies = [\"127.0.0.1\"]`; without one, add `[server.tls]`";
        cx.report(finding.help(help));
    }
}

/// A channel with provider Twilio needs `[twilio]`, and calls need `from`.
fn check_twilio(cx: &Context<'_>, main: &MainSections) {
    for (name, channel) in [("text", &main.text), ("voice", &main.voice)] {
        if !matches!(channel, Some(PhoneProviderSettings::Twilio)) {
            continue;
        }
        let place = cx.place(&format!("{name}.provider"));
        match &main.twilio {
            None if cx.place("twilio.account_sid").is_none() => {
                let finding = ConfigFinding::error(format!(
                    "`[{name}]` goes through Twilio, and there is no `[twilio]`"
                ));
                cx.report(finding.at(place, "needs an account").help("add `[twilio]` with `account_sid`"));
            }
            Some(twilio)
                if twilio.from.is_none() && (name == "voice" || twilio.messaging_service.is_none()) =>
            {
                let finding = ConfigFinding::error(format!("`[{name}]` has no number to come from"));
                cx.report(finding.at(place, "`from` is missing in `[twilio]`"));
            }
            _ => {}
        }
    }
}

fn check_path(cx: &Context<'_>, issuer: &Issuer) {
    if issuer.path().is_empty() {
        return;
    }
    let finding = ConfigFinding::error("the issuer has a path");
    let finding = finding.at(cx.place("issuer"), "pages and endpoints are served at the root of a host");
    let root = issuer.as_str().trim_end_matches('/').trim_end_matches(issuer.path());
    cx.report(finding.help(format!("give Anteroom a host of its own: `issuer = \"{root}\"`")));
}

/// The outbox shows every code and link to any browser that opens it.
fn check_outbox(cx: &Context<'_>, main: &MainSections, issuer: &Issuer) {
    let loopback_issuer = match issuer.url().host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    let listen = main.server.listen.ip().to_canonical();
    for (safe, reason, why) in [
        (loopback_issuer, "issuer", "this is not a loopback address"),
        (listen.is_loopback(), "server.listen", "others can reach this"),
        (main.server.trusted_proxies.is_empty(), "server.trusted_proxies", "a proxy serves others"),
    ] {
        if !safe {
            let finding = ConfigFinding::error("the development outbox would be open to others");
            let finding =
                finding.at(cx.place("dev.outbox"), "shows every code and link to anyone who opens it");
            cx.report(finding.at(cx.place(reason), why));
        }
    }
}

fn check_twice<'a>(cx: &Context<'_>, what: &str, names: impl Iterator<Item = (&'a str, Option<SourceSpan>)>) {
    let mut seen: BTreeMap<&str, Option<SourceSpan>> = BTreeMap::new();
    for (name, place) in names {
        if let Some(first) = seen.get(name) {
            let finding = ConfigFinding::error(format!("{what} `{name}` is defined twice"));
            cx.report(finding.at(place, "defined again here").at(first.clone(), "first defined here"));
        } else {
            seen.insert(name, place);
        }
    }
}

/// `whose` names these groups.
fn check_groups<'a>(
    cx: &Context<'_>,
    groups: &[GroupDraft],
    whose: &str,
    admitted: impl Iterator<Item = (&'a str, Option<SourceSpan>)>,
) {
    let defined = || groups.iter().map(|draft| draft.group.name.as_str());
    for (name, place) in admitted {
        if defined().any(|defined| defined == name) {
            continue;
        }
        let finding = ConfigFinding::error(format!("group `{name}` of {whose} is not defined"));
        let finding = finding.at(place, "no `[[groups]]` has this name");
        cx.report(match nearest(name, defined()) {
            Some(near) => finding.help(did_you_mean(near)),
            None => finding.help(format!("define it: `[[groups]]` with `name = \"{name}\"`")),
        });
    }
}
