//! `anteroom check`: finds everything that `serve` would refuse before it opens the database. Nothing is changed.
//! `--online` also fetches what clients publish, signs in to the mail server and connects to the provider of texts and
//! calls; `--database` also opens the database.

use anteroom_config::Settings;
use anteroom_flows::protocol::client_keys;
use anteroom_flows::protocol::sector;
use anteroom_messaging::{Smtp, check_connection};
use anteroom_pages::Theme;

use super::text_lengths::{TextLengths, text_lengths};
use super::{CommandError, block_on, check_database, load_and_warn, print_line, warn, with_count};
use crate::cli::CheckArgs;
use anteroom_server::sending::{self, SendingError};
use anteroom_server::tls::CertificateFiles;
use anteroom_server::wiring::{self, Environment, WiringError};

pub fn run(args: &CheckArgs) -> Result<(), CommandError> {
    let configuration = load_and_warn(&args.config.config)?;
    let settings = &configuration.settings;
    wiring::master_key(settings)?;
    let theme = Theme::load(settings.theme.folder.as_deref()).map_err(WiringError::from)?;
    for file in theme.ignored_files() {
        warn(&format!("the theme's folder has {file}, which is not part of a theme and is ignored"));
    }
    for warning in theme.warnings() {
        warn(&format!("the theme: {warning}"));
    }
    for unknown in unknown_icons(settings, &theme) {
        warn(&unknown);
    }
    if let Some(pair) = CertificateFiles::of(settings).map_err(WiringError::from)? {
        let status =
            pair.load().map_err(WiringError::from)?.validity.status(Environment::production().clock.now());
        if status.is_good() { print_line(&format!("{status}.")) } else { warn(&status.to_string()) }
    }
    for gap in
        sending::missing_channel_warnings(settings).into_iter().chain(wiring::checkpoints_warning(settings))
    {
        warn(gap);
    }
    if let Some(TextLengths { said, warnings }) = text_lengths(settings, &theme)? {
        print_line(&said);
        for warning in warnings {
            warn(&warning);
        }
    }
    if args.online {
        block_on(online(settings))?;
    }
    if args.database {
        print_line(&block_on(check_database::look(settings, &Environment::production()))?);
    }
    print_line(&format!(
        "The configuration is valid: issuer {}, {}, {}, policy profile {}.",
        settings.issuer,
        with_count(settings.clients.len(), "client", "clients"),
        with_count(settings.groups.len(), "group", "groups"),
        settings.profile,
    ));
    Ok(())
}

/// A tile whose icon is missing from the theme shows the default icon.
fn unknown_icons(settings: &Settings, theme: &Theme) -> Vec<String> {
    let tiles = settings.clients.iter().filter_map(|client| Some((client, client.policy.tile.as_ref()?)));
    let unknown = tiles.filter(|(_, tile)| !theme.has_icon(&tile.icon));
    let known = theme.icons().collect::<Vec<_>>().join(", ");
    let missing = unknown.map(|(client, tile)| {
        format!(
            "the tile of client {} has the icon \"{}\", which the theme lacks: the default icon is shown. The theme \
             has {known}",
            client.metadata.client_id, tile.icon
        )
    });
    missing.collect()
}

/// Reports all problems, not only the first.
async fn online(settings: &Settings) -> Result<(), CommandError> {
    let (published, mail, telephone) =
        tokio::join!(published(settings), mail_server(settings), telephone(settings));
    let mut wrong = published?;
    wrong.extend(mail?);
    wrong.extend(telephone);
    if wrong.is_empty() { Ok(()) } else { Err(CommandError::Online(wrong.join("\n"))) }
}

async fn published(settings: &Settings) -> Result<Vec<String>, CommandError> {
    let outgoing = wiring::outgoing(settings).map_err(WiringError::from)?;
    let mut wrong = Vec::new();
    for client in &settings.clients {
        let mut found = |error: String| {
            wrong.push(format!("client {}: {error}", client.metadata.client_id.as_str()));
        };
        if let Err(error) = sector::check(&outgoing, &client.metadata, None).await {
            found(error.to_string());
        }
        if let Err(error) = client_keys::check_published(&outgoing, &client.metadata).await {
            found(format!("jwks_uri: {error}"));
        }
        if let Some(url) = &client.metadata.backchannel_logout_uri
            && let Err(error) = outgoing.check_reachable(url).await
        {
            found(format!("backchannel_logout_uri: {error}"));
        }
    }
    Ok(wrong)
}

/// Connects only: a gateway treats every request as a message.
async fn telephone(settings: &Settings) -> Vec<String> {
    let mut wrong = Vec::new();
    for (channel, url) in sending::telephones(settings) {
        let place = url.host_str().unwrap_or_default();
        match check_connection(&url).await {
            Ok(()) => {
                print_line(&format!(
                    "[{channel}]: {place} accepts a connection; no message was sent to try it."
                ));
            }
            Err(failure) => wrong.push(format!("[{channel}]: {failure}")),
        }
    }
    wrong
}

/// Signs in only; no mail is sent.
async fn mail_server(settings: &Settings) -> Result<Option<String>, CommandError> {
    let Some(email) = settings.email.as_ref().filter(|_| !settings.dev.outbox) else { return Ok(None) };
    let smtp = Smtp::new(&sending::server(email)).map_err(SendingError::from).map_err(WiringError::from)?;
    let tried = smtp.check_login().await;
    if tried.is_ok() {
        print_line(&format!(
            "The mail server {} accepts a connection{}.",
            email.host,
            if email.username.is_some() { " and the configured username and password" } else { "" }
        ));
    }
    Ok(tried.err().map(|failure| format!("mail server {}: {failure}", email.host)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use anteroom_config::Configuration;
    use anteroom_crypto::{MasterKey, Random};
    use secrecy::ExposeSecret as _;
    use std::io::Read as _;
    use std::net::TcpListener;

    fn texts_go_to(port: u16) -> Settings {
        let text = format!(
            "issuer = \"http://localhost:8080\"\nkeys.master_key_env = \"MASTER_KEY\"\n[text]\nprovider = \"http\"\n\
             [text.http]\nurl = \"http://127.0.0.1:{port}/?to={{to}}&text={{text}}\"\n"
        );
        let key = MasterKey::generate(&Random::seeded(1)).encode();
        let environment = |name: &str| (name == "MASTER_KEY").then(|| key.expose_secret().to_owned());
        Configuration::parse_str("test.toml", &text, &environment).unwrap().settings
    }

    #[tokio::test]
    async fn check_online_connects_to_a_gateway_and_says_nothing() {
        let gateway = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = gateway.local_addr().unwrap().port();
        let settings = texts_go_to(port);
        assert_eq!(telephone(&settings).await, Vec::<String>::new());
        let (mut stream, _) = gateway.accept().unwrap();
        let mut said = Vec::new();
        stream.read_to_end(&mut said).unwrap();
        assert!(said.is_empty(), "{}", String::from_utf8_lossy(&said));
        drop((stream, gateway));
        let [refused] = telephone(&settings).await.try_into().unwrap();
        let expected = format!("[text]: no_connection (127.0.0.1: 127.0.0.1:{port}: Connection refused");
        assert!(refused.starts_with(&expected), "{refused}");
    }
}
