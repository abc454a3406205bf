//! Who takes emails, texts and calls.

use anteroom_domain::address::EmailAddress;
use anteroom_domain::phone::E164;
use jiff::SignedDuration;
use std::net::IpAddr;
use url::Url;

use super::SECOND;
use super::gateway::{GATEWAY, parse_url, read_gateway};
use crate::diagnostics::ConfigFinding;
use crate::reader::kind::{Kind, boolean, duration, integer, parsed, quoted, text, word};
use crate::reader::{SecretKeys, Section, certificates, file_path, key};
use crate::settings::{EmailSettings, EmailTls, HttpGateway, PhoneProviderSettings, TwilioSettings};

pub(super) fn read_email(top: &mut Section<'_, '_>) -> Option<EmailSettings> {
    const PASSWORD: SecretKeys = SecretKeys {
        file: "password_file",
        file_meaning: "File with the password for `username`.",
        env: "password_env",
        env_meaning: "Environment variable with the password for `username`.",
    };
    let about = "The mail server that emails are given to. Without this section none go out: nobody can be invited \
        or reset a password.";
    let email = top.optional_section("email", about, |section| {
        PASSWORD.forbid_inline(section);
        let host = section.require(key("host", text(), "Its name, as in its certificate."));
        let meaning =
            "How the connection is secured: `starttls` or `tls`; `none` for a server on this machine only.";
        let tls = section.get_or(key("tls", word(EmailTls::ALL), meaning), EmailTls::StartTls);
        let meaning = "587 if left out, with `tls = \"tls\"` 465, with `tls = \"none\"` 25.";
        let port = section.get(key("port", integer(1..=u16::MAX), meaning)).unwrap_or(tls.usual_port());
        let meaning = "File with certificates in PEM: the server's must be of one of them. If left out, of one that the \
            system trusts.";
        let authority = section.get(key("ca_file", file_path(), meaning));
        let authority = authority.and_then(|path| certificates(section, "ca_file", &path));
        let username = section.get(key("username", text(), "Whom the server knows Anteroom as."));
        let password = PASSWORD.read(section).map(|secret| secret.value);
        if username.is_some() != password.is_some() && !section.cx.is_describing() {
            let finding = ConfigFinding::error("a user name and a password belong together");
            let place = section.place_of("username").or_else(|| section.place_of(PASSWORD.file));
            section
                .cx
                .report(finding.at(place.or_else(|| section.place_of(PASSWORD.env)), "only this is given"));
        }
        let from = section.require(key("from", address(), "The address that emails come from."));
        let from_name =
            section.get(key("from_name", text(), "The name beside it; the practice's, for example."));
        let meaning = "Where an answer goes; to `from` if left out. People do answer, so name a mailbox that is read.";
        let reply_to = section.get(key("reply_to", address(), meaning));
        let timeout =
            key("timeout", duration(SECOND..=SECOND * 25), "How long the server may take for one email.");
        let timeout = section.get_or(timeout, SignedDuration::from_secs(20));
        let meaning = "How many connections there may be at once. They are kept for the next email; many servers refuse \
            more than a few.";
        let connections = section.get_or(key("connections", integer(1..=16), meaning), 2);
        let host = host.filter(|host| check_tls(section, tls, host));
        Some(EmailSettings {
            host: host?,
            port,
            tls,
            authority,
            username,
            password: password.flatten(),
            from: from?,
            from_name,
            reply_to,
            timeout,
            connections,
        })
    });
    email.flatten()
}

fn check_tls(section: &Section<'_, '_>, tls: EmailTls, host: &str) -> bool {
    let local = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    if tls == EmailTls::None && !local {
        let finding = ConfigFinding::error(
            "emails would travel in the clear, with links that are as good as passwords",
        );
        let finding = finding.at(section.place_of("tls"), "for a server on this machine only");
        section.cx.report(finding.at(section.place_of("host"), "this is another machine"));
        return false;
    }
    true
}

pub(super) fn read_twilio(top: &mut Section<'_, '_>) -> Option<TwilioSettings> {
    const TOKEN: SecretKeys = SecretKeys {
        file: "auth_token_file",
        file_meaning: "File with the account's auth token. Required, unless `auth_token_env` is given.",
        env: "auth_token_env",
        env_meaning: "Environment variable with the account's auth token.",
    };
    let about = "The account at Twilio, for `[text]` and `[voice]`.";
    let twilio = top.optional_section("twilio", about, |section| {
        TOKEN.forbid_inline(section);
        let account_sid = section.require(key("account_sid", account_sid(), "The account's SID."));
        let token = TOKEN.read(section);
        if token.is_none() && !section.cx.is_describing() {
            let finding = ConfigFinding::error("no auth token is given");
            section.cx.report(finding.at(section.place.clone(), "`auth_token_file` is missing here"));
        }
        let from = section.get(key("from", number(), "The number that texts and calls come from, in E.164."));
        let meaning = "SID of a messaging service that texts come from instead.";
        let messaging_service = section.get(key("messaging_service", text(), meaning));
        let meaning = "Where the API is.";
        let base_url = section.get_or(key("base_url", https_url(), meaning), twilios_own()?);
        let auth_token = token?.value?;
        Some(TwilioSettings { account_sid: account_sid?, auth_token, from, messaging_service, base_url })
    });
    twilio.flatten()
}

fn twilios_own() -> Option<Url> {
    Url::parse("https://api.twilio.com").ok()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Provider {
    Twilio,
    Http,
}

impl Provider {
    const ALL: &'static [Self] = &[Self::Twilio, Self::Http];
}

impl std::fmt::Display for Provider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Twilio => "twilio",
            Self::Http => "http",
        })
    }
}

pub(super) fn read_text(top: &mut Section<'_, '_>) -> Option<PhoneProviderSettings> {
    let about = "Who takes text messages. Without this section none go out.";
    top.optional_section("text", about, |section| {
        let provider = read_provider(section);
        let gateway = section.optional_section("http", GATEWAY, read_gateway);
        telephone(section, provider, gateway.flatten())
    })?
}

pub(super) fn read_voice(top: &mut Section<'_, '_>) -> Option<PhoneProviderSettings> {
    let about = "Who takes calls. Without this section none go out, and landlines get no codes.";
    top.optional_section("voice", about, |section| {
        let provider = read_provider(section);
        let gateway = section.optional_section("http", GATEWAY, |section| {
            let meaning = "Whether the gateway asks for a key before it reads `{text}` out. It must: a voicemail \
                would record the code.";
            let waits = section.get_or(key("waits_for_key", boolean(), meaning), false);
            if !waits && !section.cx.is_describing() {
                let finding = ConfigFinding::error("a voicemail would record the codes that this gateway reads out");
                let place = section.place_of("waits_for_key").or_else(|| section.place.clone());
                let finding = finding.at(place, "calls need a gateway that waits for a key first");
                section.cx.report(finding.help("if it does, say so: `waits_for_key = true`"));
            }
            read_gateway(section)
        });
        telephone(section, provider, gateway.flatten())
    })?
}

fn read_provider(section: &mut Section<'_, '_>) -> Option<Provider> {
    let meaning = "Twilio, with the account of `[twilio]`, or a gateway over HTTP.";
    section.require(key("provider", word(Provider::ALL), meaning))
}

fn telephone(
    section: &Section<'_, '_>,
    provider: Option<Provider>,
    gateway: Option<HttpGateway>,
) -> Option<PhoneProviderSettings> {
    match (provider?, gateway) {
        (Provider::Twilio, _) => Some(PhoneProviderSettings::Twilio),
        (Provider::Http, Some(gateway)) => Some(PhoneProviderSettings::Http(gateway)),
        // What is wrong with it has been said.
        (Provider::Http, None) if section.was_given("http") => None,
        (Provider::Http, None) => {
            let finding =
                ConfigFinding::error(format!("`[{}]` names a gateway that is not described", section.path));
            let finding = finding.at(section.place_of("provider"), "`http` needs a table of its own");
            section.cx.report(finding.help(format!("add `[{}.http]` with its `url`", section.path)));
            None
        }
    }
}

fn address() -> Kind<EmailAddress> {
    let show = |address: &EmailAddress| quoted(address.as_str());
    parsed("email address", show, |text| {
        EmailAddress::parse(text).map_err(|_| "not an email address".to_owned())
    })
}

fn number() -> Kind<E164> {
    let show = |number: &E164| quoted(number.as_str());
    parsed("number in E.164", show, |text| {
        E164::parse(text).map_err(|_| "not a number such as \"+12025550143\"".to_owned())
    })
}

fn account_sid() -> Kind<String> {
    parsed(
        "account SID",
        |sid| quoted(sid),
        |text| {
            let well_formed =
                text.len() == 34 && text.starts_with("AC") && text.chars().all(|c| c.is_ascii_alphanumeric());
            if well_formed {
                Ok(text.to_owned())
            } else {
                Err("not \"AC\" and 32 hexadecimal digits".to_owned())
            }
        },
    )
}

fn https_url() -> Kind<Url> {
    parsed("https URL", |url: &Url| quoted(url.as_str().trim_end_matches('/')), parse_url)
}
