//! `[text.http]` and `[voice.http]`: one request for each message, as a template.

use anteroom_domain::gateway::{BodyFormat, PLACEHOLDERS, unknown_placeholder};
use anteroom_oidc::display_text::is_hidden;
use secrecy::SecretString;
use url::{Host, Url};

use crate::diagnostics::ConfigFinding;
use crate::reader::kind::{Kind, list, parsed, quoted, text, word};
use crate::reader::{SecretKeys, Section, key};
use crate::settings::{HttpGateway, HttpMethod};

pub(super) const GATEWAY: &str = "A gateway over HTTP, for `provider = \"http\"`. In `url`, `headers` and `body`, `{to}`, `{text}`, \
    `{id}` and `{secret}` stand for the number, the message text, the message's identifier and the secret, escaped for their \
    place. Any 2xx is success, unless `success` asks for more.";

pub(super) fn read_gateway(section: &mut Section<'_, '_>) -> Option<HttpGateway> {
    const SECRET: SecretKeys = SecretKeys {
        file: "secret_file",
        file_meaning: "File with what `{secret}` stands for.",
        env: "secret_env",
        env_meaning: "Environment variable with what `{secret}` stands for.",
    };
    SECRET.forbid_inline(section);
    let method = section.get_or(key("method", word(HttpMethod::ALL), "Of the request."), HttpMethod::Post);
    let meaning = "Where the request goes: https, or http to this machine. Values are percent-encoded.";
    let url = section.require(key("url", url_template(), meaning));
    let meaning = "Each as \"Name: value\". A `Content-Type` says what the body is.";
    let headers = section.get_or(key("headers", list(header()), meaning), Vec::new());
    let meaning = "The body: a form, or JSON or XML where the headers say so.";
    let body = section.get(key("body", text(), meaning));
    let secret: Option<SecretString> = SECRET.read(section).and_then(|secret| secret.value);
    let meaning = "What the answer must have, beside a 2xx. For gateways that answer 200 whatever becomes of a message.";
    let success = section.get(key("success", text(), meaning));
    let format = check_headers(section, &headers);
    if let (Some(format), Some(body)) = (format, &body) {
        check_body(section, format, body);
    }
    if let Some(url) = &url {
        let parts = headers.iter().map(|(_, value)| value.as_str()).chain(body.as_deref());
        check_placeholders(section, &parts.chain([url.as_str()]).collect::<Vec<_>>());
    }
    Some(HttpGateway { method, url: url?, headers, body, secret, success })
}

/// A gateway that is not told the number, or the words, answers as if it had sent them.
fn check_placeholders(section: &Section<'_, '_>, templates: &[&str]) {
    for (placeholder, what) in [("{to}", "to which number a message goes"), ("{text}", "what it says")] {
        if templates.iter().all(|template| !template.contains(placeholder)) {
            let finding = ConfigFinding::error(format!("the gateway is not told {what}"));
            let place = section.place_of("body").or_else(|| section.place_of("url"));
            let finding =
                finding.at(place, format!("`{placeholder}` is in none of `url`, `headers` and `body`"));
            let help = "such as `body = \"to={to}&text={text}\"`";
            section.cx.report(finding.help(help));
        }
    }
}

/// What the headers say of the body; none where a value could not be written into it.
fn check_headers(section: &Section<'_, '_>, headers: &[NameAndValue]) -> Option<BodyFormat> {
    let place = || section.place_of("headers");
    for (name, value) in headers {
        if let Some(word) = unknown_placeholder(value) {
            section.cx.report(unknown(word).at(place(), format!("in the header `{name}`")));
        }
        if value.contains("{text}") {
            let finding = ConfigFinding::error("a message has several lines, and a header has one");
            section.cx.report(finding.at(place(), format!("`{{text}}` cannot be in the header `{name}`")));
        }
    }
    match BodyFormat::of(headers) {
        Ok(format) => Some(format),
        Err(value) => {
            let finding =
                ConfigFinding::error(format!("no value can be written into a body of the type `{value}`"));
            let finding = finding.at(place(), "not a form, JSON or XML");
            section.cx.report(finding.help(
                "`application/x-www-form-urlencoded`, `application/json`, `application/xml`, `text/xml`, or a type that \
                 ends with `+json` or `+xml`",
            ));
            None
        }
    }
}

/// Filled in with a sample, it has to be read as the gateway will read it.
fn check_body(section: &Section<'_, '_>, format: BodyFormat, body: &str) {
    let place = || section.place_of("body");
    if let Some(word) = unknown_placeholder(body) {
        section.cx.report(unknown(word).at(place(), "in this"));
        return;
    }
    if let Err(reason) = format.check(body) {
        let finding =
            ConfigFinding::error("a gateway would not read this body as it is meant, once it is filled in")
                .at(place(), reason);
        let help = match format {
            BodyFormat::Form => {
                "write `%20` for a space; a body that is no form needs a header that says what it is, such as \
                `\"Content-Type: application/json\"`"
            }
            BodyFormat::Json => "words are written in quotes: `\"{to}\"`",
            BodyFormat::Xml => "attributes are written in quotes, `to=\"{to}\"`, and texts without CDATA",
        };
        section.cx.report(finding.help(help));
    }
}

fn unknown(word: &str) -> ConfigFinding {
    let known = PLACEHOLDERS.map(|word| format!("`{{{word}}}`")).join(", ");
    ConfigFinding::error(format!("`{{{word}}}` stands for nothing")).help(format!("there are {known}"))
}

/// Kept as it was written: a parsed URL would encode the braces.
fn url_template() -> Kind<String> {
    parsed(
        "URL with placeholders",
        |url| quoted(url),
        |text| match unknown_placeholder(text) {
            Some(word) => Err(format!("`{{{word}}}` stands for nothing")),
            None => parse_url(text).map(|_| text.to_owned()),
        },
    )
}

/// A message leaves this machine only encrypted.
pub(super) fn parse_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| error.to_string())?;
    let local = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    if url.scheme() == "https" || (url.scheme() == "http" && local) {
        Ok(url)
    } else {
        Err("must be https; http is for this machine only".to_owned())
    }
}

type NameAndValue = (String, String);

fn header() -> Kind<NameAndValue> {
    let show = |(name, value): &NameAndValue| quoted(&format!("{name}: {value}"));
    parsed("header", show, |text| {
        let (name, value) = text.split_once(':').ok_or("not \"Name: value\"")?;
        let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
        if name.is_empty() || !name.chars().all(is_token) || value.contains(is_hidden) {
            return Err("not a header".to_owned());
        }
        Ok((name.to_owned(), value.trim().to_owned()))
    })
}
