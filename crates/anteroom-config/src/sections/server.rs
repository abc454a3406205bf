//! The process and what it talks to: listener, database, log, development.

use ipnet::IpNet;
use jiff::SignedDuration;
use secrecy::{ExposeSecret as _, SecretString};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use url::Url;

use super::{MINUTE, SECOND, days};
use crate::diagnostics::{ConfigFinding, SourceSpan};
use crate::reader::kind::{Kind, boolean, duration, integer, list, parsed, quoted, word};
use crate::reader::{Secret, SecretKeys, Section, certificates, file_path, key, warn_of_readers};
use crate::settings::{Audit, Dev, Log, LogFormat, LogLevel, OutgoingSettings, Server, ServerTls};

pub(super) fn read_server(top: &mut Section<'_, '_>) -> Server {
    top.section("server", "The listener. Nodes may differ in it.", |section| {
        let meaning = "Address and port to listen on, in plain HTTP unless there is `[server.tls]`.";
        let local = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);
        let listen = section.get_or(key("listen", socket_address(), meaning), local);
        let meaning = "Networks of the proxies in front, whose `X-Forwarded-For` is believed. Any \
            other sender's is ignored.";
        let everyone = "every peer would be trusted as a proxy, and any client could forge its address in X-Forwarded-For";
        let proxies = key("trusted_proxies", list(network(everyone)), meaning);
        let trusted_proxies = section.get_or(proxies, Vec::new());
        let timeout =
            key("request_timeout", duration(SECOND..=MINUTE * 5), "How long a request may take in all.");
        let request_timeout = section.get_or(timeout.looser_above(), SignedDuration::from_secs(15));
        let meaning = "The most bytes that a request's body may have.";
        let max_body = key("max_body", integer(16_384..=16_777_216), meaning);
        let max_body = section.get_or(max_body.looser_above(), 65_536);
        Server { listen, trusted_proxies, request_timeout, max_body, tls: read_tls(section) }
    })
}

fn read_tls(server: &mut Section<'_, '_>) -> Option<ServerTls> {
    let about =
        "TLS without a proxy in front. Both files are taken up again within seconds when they change.";
    let tls = server.optional_section("tls", about, |section| {
        let meaning = "File in PEM: the server's certificate, for the issuer's host, then those that lead up to its \
            authority.";
        let certificate = section.require(key("certificate", file_path(), meaning));
        let key_file = section.require(key("key", file_path(), "File in PEM: its private key, not encrypted."));
        let resolve = |file: &str| section.cx.resolve(section.file, file);
        if let Some(file) = key_file.as_deref().filter(|_| section.cx.fetch_secrets) {
            warn_of_readers(section, &resolve(file), section.place_of("key"));
        }
        Some(ServerTls { certificate: resolve(&certificate?), key: resolve(&key_file?) })
    });
    tls.flatten()
}

pub(crate) struct DatabaseDraft {
    /// None where the URL is kept elsewhere and could not be fetched.
    pub(crate) url: Option<SecretString>,
    pub(crate) max_connections: Option<u32>,
}

pub(super) fn read_database(top: &mut Section<'_, '_>) -> DatabaseDraft {
    const DEFAULT_URL: &str = "sqlite:anteroom.db";
    const KEYS: SecretKeys = SecretKeys {
        file: "url_file",
        file_meaning: "File that holds the URL, for one with a password.",
        env: "url_env",
        env_meaning: "Environment variable that holds the URL, for one with a password.",
    };
    let about = "SQLite in a file of its own needs nothing else; PostgreSQL serves several nodes.";
    top.section("database", about, |section| {
        let meaning = "`sqlite:FILE`, relative to the working directory, or `postgres://USER@HOST/NAME`.";
        let inline = section.get_or(key("url", inline_url(), meaning), DEFAULT_URL.to_owned());
        let elsewhere = KEYS.read(section);
        let place = section.place_of(KEYS.file).or_else(|| section.place_of(KEYS.env));
        if elsewhere.is_some() && section.was_given("url") {
            let finding = ConfigFinding::error("the database's URL is given twice").at(place.clone(), "here");
            section.cx.report(finding.at(section.place_of("url"), "and here"));
        }
        let meaning = "The most connections at once: to PostgreSQL in all (16 if left out), to SQLite for reading \
            (8 if left out).";
        let max_connections = section.get(key("max_connections", integer(2..=1_000), meaning));
        let url = match elsewhere {
            None => Some(inline.into()),
            Some(Secret { value, .. }) => value.filter(|url| check_fetched(section, place, url)),
        };
        DatabaseDraft { url, max_connections }
    })
}

/// Says nothing of the URL itself, which may carry a password.
fn check_fetched(section: &Section<'_, '_>, place: Option<SourceSpan>, url: &SecretString) -> bool {
    let known = is_known_scheme(url.expose_secret());
    if !known {
        section
            .cx
            .report(ConfigFinding::error("what was found is no URL of a database").at(place, BAD_SCHEME));
    }
    known
}

const BAD_SCHEME: &str = "must begin with `sqlite:` or `postgres:`";

fn is_known_scheme(url: &str) -> bool {
    matches!(url.split_once(':'), Some(("sqlite" | "postgres" | "postgresql", _)))
}

pub(super) fn read_outgoing(top: &mut Section<'_, '_>) -> OutgoingSettings {
    let about = "Where Anteroom's own requests to applications may go (back-channel logout, `jwks_uri`, \
        `request_uri`): over https to public \
        addresses, and to the networks named here. Addresses that clients registered themselves are public ones in any case.";
    top.section("outgoing", about, |section| {
        let meaning = "Private networks in which applications of the configuration are; the machine's own is 127.0.0.0/8.";
        let everyone = "every network would be reached, that of the machine's own services too";
        let allow = section.get_or(key("allow", list(network(everyone)), meaning), Vec::new());
        let meaning = "File with certificates in PEM of authorities of your own, which applications' certificates may be of \
            besides those that the system trusts.";
        let authorities = section.get(key("ca_file", file_path(), meaning));
        let authorities =
            authorities.and_then(|path| certificates(section, "ca_file", &path));
        OutgoingSettings { allow, authorities }
    })
}

/// In days, with both leap days that there can be.
const SIX_YEARS: i64 = 2_192;

pub(super) fn read_audit(top: &mut Section<'_, '_>) -> Audit {
    let about = "The audit trail. Signed checkpoints of it leave the database, so that a trail that was cut off or made \
        anew is found out. Nodes may differ in it, but the shortest `retention` is what counts.";
    top.section("audit", about, |section| {
        let meaning = "File to which checkpoints are added. If left out: beside an SQLite database, \
            `anteroom.checkpoints.jsonl` for `anteroom.db`; with PostgreSQL the log alone has them.";
        let file = section.get(key("checkpoints_file", file_path(), meaning));
        let meaning = "How long entries are kept; older ones are removed from the beginning of the trail. HIPAA asks for six \
            years.";
        let retention = key("retention", duration(days(365)..=days(36_500)), meaning).looser_below();
        Audit {
            checkpoints_file: file.map(|file| section.cx.resolve(section.file, &file)),
            retention: section.get_or(retention, days(SIX_YEARS)),
        }
    })
}

pub(super) fn read_dev(top: &mut Section<'_, '_>) -> Dev {
    top.section("dev", "For development on one machine; refused anywhere else.", |section| {
        let meaning = "Emails, texts and calls land in a page at `/dev/outbox` instead of going out.";
        Dev { outbox: section.get_or(key("outbox", boolean(), meaning), false) }
    })
}

pub(super) fn read_log(top: &mut Section<'_, '_>) -> Log {
    top.section("log", "What the process writes to its standard error.", |section| {
        let format = key("format", word(LogFormat::ALL), "For people or for machines.");
        let level = key("level", word(LogLevel::ALL), "The least that is worth a line.");
        let requests = key(
            "requests",
            boolean(),
            "A line for each request that is answered, at the level `info`: its route, client, status and time. Nothing of its \
             query or its person is in it.",
        );
        Log {
            format: section.get_or(format, LogFormat::Text),
            level: section.get_or(level, LogLevel::Info),
            requests: section.get_or(requests, true),
        }
    })
}

fn socket_address() -> Kind<SocketAddr> {
    let show = |address: &SocketAddr| quoted(&address.to_string());
    parsed("address and port", show, |text| {
        let help = "not an address and a port, such as \"127.0.0.1:8080\" or \"[::]:8080\"";
        text.parse().map_err(|_| help.to_owned())
    })
}

/// `everyone` is what would be wrong with a network of all addresses.
pub(super) fn network(everyone: &'static str) -> Kind<IpNet> {
    parsed(
        "network",
        |net: &IpNet| quoted(&net.to_string()),
        move |text| {
            let net = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
            let net = net.map_err(|_| "not a network, such as \"10.0.0.0/8\" or \"::1\"".to_owned())?;
            if net.prefix_len() == 0 {
                return Err(everyone.to_owned());
            }
            Ok(net.trunc())
        },
    )
}

fn inline_url() -> Kind<String> {
    let parse = |text: &str| {
        if !is_known_scheme(text) {
            return Err(BAD_SCHEME.to_owned());
        }
        let has_password = |url: &Url| {
            url.password().is_some()
                || url.query_pairs().any(|(name, _)| name.eq_ignore_ascii_case("password"))
        };
        if Url::parse(text).is_ok_and(|url| has_password(&url)) {
            return Err("carries a password: put the whole URL into a file or the environment, and name \
                        that with `url_file` or `url_env`"
                .to_owned());
        }
        Ok(text.to_owned())
    };
    parsed("URL", |url| quoted(url), parse)
}
