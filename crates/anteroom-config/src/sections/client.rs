//! `[[clients]]`: the applications that rely on Anteroom, each with what the operator decides about it.

use anteroom_domain::account::GroupName;
use anteroom_domain::client::{ClientPolicy, Entitlement, Tile};
use anteroom_oidc::claims::{ClaimMapping, ScopeClaims};
use anteroom_oidc::jwt::AccessTokenTyp;
use anteroom_oidc::{Acr, ClientId};
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use super::client_claims::read_claims;
use super::client_draft::ClientDraft;
use super::client_metadata::read_metadata;
use super::people::group_name;
use crate::diagnostics::{ConfigFinding, SourceSpan};
use crate::reader::kind::{boolean, integer, list, parsed, quoted, scope_claims, text, word};
use crate::reader::{SecretKeys, Section, file_path, from_file, key};

const ABOUT: &str = "The applications. Names that RFC 7591 or OpenID Connect Registration know mean what they \
    mean there; an application without `groups` admits everyone.";

/// Of one file.
pub(crate) fn read_clients(top: &mut Section<'_, '_>) -> Vec<ClientDraft> {
    let clients = top.array("clients", ABOUT, |section| {
        let show = |id: &ClientId| quoted(id.as_str());
        let id = parsed("client identifier", show, |text| text.parse().map_err(|_| NOT_AN_ID.to_owned()));
        let client_id =
            section.require(key("client_id", id, "What the application calls itself in requests."));
        let metadata = read_metadata(section);
        let secrets = read_secrets(section);
        let groups = read_admitted(section);
        let claims = read_claims(section);
        let policy = ClientPolicy {
            claims: claims.mapping,
            any_secret_method: metadata.token_endpoint_auth_method.is_none(),
            ..read_policy(section, groups.as_deref())
        };
        let (path, place) = (format!("{}.", section.path), section.place.clone());
        let groups = groups.unwrap_or_default();
        let renamed_groups = claims.groups;
        client_id.map(|client_id| ClientDraft {
            path,
            place,
            client_id,
            metadata,
            policy,
            groups,
            renamed_groups,
            secrets,
        })
    });
    clients.into_iter().flatten().collect()
}

const NOT_AN_ID: &str = "must be 1 to 255 characters of printable ASCII";

fn read_admitted(section: &mut Section<'_, '_>) -> Option<Vec<GroupName>> {
    let meaning =
        "Groups whose members it admits, any of them; left out, everyone. Its tile shows to the same people.";
    let groups: Option<Vec<GroupName>> = section.get(key("groups", list(group_name()), meaning));
    if groups.as_ref().is_some_and(Vec::is_empty) {
        let finding = ConfigFinding::error("a client that admits nobody")
            .at(section.place_of("groups"), "no group is named");
        section.cx.report(finding.help("leave `groups` out to admit everyone"));
    }
    groups
}

fn read_policy(section: &mut Section<'_, '_>, groups: Option<&[GroupName]>) -> ClientPolicy {
    let entitlement = match groups {
        None => Entitlement::Everyone,
        Some(names) => Entitlement::Groups(names.iter().cloned().collect()),
    };
    let meaning = "Whether it is the practice's own, so that people are not asked for their consent.";
    let first_party = section.get_or(key("first_party", boolean(), meaning), false);
    let meaning = "Whether people are asked once in each browser before a public application of the practice's own stays \
        signed in (`offline_access`), where the redirect URI of the request is on their machine and any other program there could \
        take its place.";
    let offline_access_consent = section.get_or(key("offline_access_consent", boolean(), meaning), true);
    let meaning = "The least that must have been proven at sign-in: a password, or a second factor as well.";
    let min_acr = section.get(key("min_acr", word(Acr::ALL), meaning));
    let meaning = "Whether a refresh keeps the person's session from ending idle.";
    let refresh_is_activity = section.get_or(key("refresh_is_activity", boolean(), meaning), false);
    let meaning = "Whether the application is told over the back channel when a session ends idle.";
    let logout_on_idle = section.get_or(key("logout_on_idle", boolean(), meaning), false);
    if logout_on_idle && !section.was_given("backchannel_logout_uri") {
        let finding = ConfigFinding::error("`logout_on_idle` without a `backchannel_logout_uri`");
        let label = "needs a `backchannel_logout_uri`";
        section.cx.report(finding.at(section.place_of("logout_on_idle"), label));
    }
    let meaning = "Which claims of the granted scopes are in the ID tokens that it gets at the token endpoint, in 2 KiB at the \
        most (groups are cut off, with a line in the log): all, none, or those of a list. The userinfo endpoint has all \
        in any case.";
    let id_token_claims = section.get_or(key("id_token_claims", scope_claims(), meaning), ScopeClaims::All);
    let meaning = "The `typ` of its JWT access tokens. `JWT` is for APIs that refuse the `at+jwt` of RFC 9068; such an API may not \
        be named like a client in `audience`.";
    let typ = key("access_token_typ", word(AccessTokenTyp::ALL), meaning);
    let access_token_typ = section.get_or(typ, AccessTokenTyp::AtJwt);
    ClientPolicy {
        first_party,
        offline_access_consent,
        entitlement,
        min_acr,
        tile: read_tile(section),
        refresh_is_activity,
        logout_on_idle,
        claims: ClaimMapping::default(),
        id_token_claims,
        access_token_typ,
        any_secret_method: false,
    }
}

fn read_tile(client: &mut Section<'_, '_>) -> Option<Tile> {
    let can_start = client.was_given("initiate_login_uri");
    let about = "The application's tile on the dashboard; none without this table.";
    client.optional_section("tile", about, |section| {
        let name = section.require(key("name", text(), "What stands below the icon.")).unwrap_or_default();
        let description = section.get(key("description", text(), "One line about it.")).unwrap_or_default();
        let icon = key("icon", text(), "Name of one of the theme's icons.");
        let icon = section.get_or(icon, "app".to_owned());
        let meaning = "Tiles are shown from low to high, equal ones by name.";
        let order = section.get_or(key("order", integer(-1_000_000..=1_000_000), meaning), 0);
        let meaning = "Where the tile leads when the client has no `initiate_login_uri`.";
        let launch_url = section.get(key("launch_url", web_url(), meaning));
        if !can_start && !section.was_given("launch_url") && !section.cx.is_describing() {
            let finding = ConfigFinding::error("a tile that leads nowhere");
            let finding = finding.at(section.place.clone(), "`launch_url` is missing here");
            let help = "give the client an `initiate_login_uri`, which starts its sign-in, or the tile a \
                `launch_url`";
            section.cx.report(finding.help(help));
        }
        Tile { name, description, icon, order, launch_url }
    })
}

fn web_url() -> crate::reader::kind::Kind<Url> {
    parsed(
        "https URL",
        |url: &Url| quoted(url.as_str()),
        |text| {
            let url = Url::parse(text)
                .ok()
                .filter(|url| matches!(url.scheme(), "https" | "http") && url.has_host());
            url.ok_or_else(|| "not a web address".to_owned())
        },
    )
}

fn read_secrets(section: &mut Section<'_, '_>) -> Vec<SecretString> {
    const KEYS: SecretKeys = SecretKeys {
        file: "secret_file",
        file_meaning: "File with the client's secret; `anteroom client secret` makes one.",
        env: "secret_env",
        env_meaning: "Environment variable with the client's secret.",
    };
    KEYS.forbid_inline(section);
    let mut secrets: Vec<(Option<SourceSpan>, SecretString)> = Vec::new();
    if let Some(secret) = KEYS.read(section) {
        let place = section.place_of(KEYS.env).or_else(|| section.place_of(KEYS.file));
        secrets.extend(secret.value.map(|value| (place, value)));
    }
    let meaning = "Further files with secrets that are good as well, while one is being replaced.";
    let files = section.get(key("secret_files", list(file_path()), meaning)).unwrap_or_default();
    for (i, path) in files.iter().enumerate() {
        let place = section.cx.place(&format!("{}.secret_files.{i}", section.path));
        secrets.extend(
            from_file(section, "secret_files", path, place.clone()).value.map(|value| (place, value)),
        );
    }
    for (place, secret) in &secrets {
        check_strength(section, place.clone(), "a client's secret", secret.expose_secret());
    }
    secrets.into_iter().map(|(_, secret)| secret).collect()
}

/// RFC 6749 appendix A.2 for the characters; the length keeps a secret from being guessed at the token endpoint.
pub(super) fn check_strength(section: &Section<'_, '_>, place: Option<SourceSpan>, what: &str, secret: &str) {
    const LEAST: usize = 16;
    if !secret.chars().all(|c| matches!(c, ' '..='~')) {
        let finding = ConfigFinding::error(format!("{what} has characters that HTTP cannot carry"));
        section.cx.report(finding.at(place, "must be printable ASCII"));
    } else if secret.len() < LEAST {
        let finding = ConfigFinding::error(format!("{what} is too short"));
        let finding = finding.at(place, format!("must have at least {LEAST} characters"));
        section.cx.report(finding.help("make one with `anteroom client secret`"));
    }
}
