//! `anteroom client …`: secrets of configured clients, and the clients that registered themselves.

use anteroom_crypto::Random;
use anteroom_flows::context::call::Call;
use anteroom_flows::node::configured_clients;
use anteroom_flows::protocol::registration;
use anteroom_oidc::ClientId;
use anteroom_oidc::display_text::is_hidden;
use std::path::Path;

use super::shown::argument;
use super::user::{with_provider, with_writable_provider};
use super::{CommandError, print_line, print_note, shown_time, write_secret_file};
use crate::cli::ClientCommand;

pub fn run(command: ClientCommand) -> Result<(), CommandError> {
    match command {
        ClientCommand::Secret { file } => secret(&file),
        ClientCommand::List(args) => with_provider(&args.config, list),
        ClientCommand::Remove { client, config } => {
            let id = identifier(&client)?;
            with_writable_provider(&config.config, async move |call| remove(&call, &id).await)
        }
        ClientCommand::EndGrants { client, config } => {
            let id = identifier(&client)?;
            with_writable_provider(&config.config, async move |call| end_grants(&call, &id).await)
        }
    }
}

fn identifier(client: &str) -> Result<ClientId, CommandError> {
    client
        .parse()
        .map_err(|_| CommandError::Usage(format!("{} is not a client identifier", argument(client))))
}

/// Writes the secret to a file and never to the terminal, whose history and scroll-back would keep it.
pub fn secret(file: &Path) -> Result<(), CommandError> {
    let secret = Random::system().token().encode();
    write_secret_file(file, &secret)?;
    print_line(&format!(
        "A new secret was written to {}, which only its owner can read. Name the file in the configuration \
         (`secret_file` of a client, or `registration.initial_access_token_file`), and give its content to the \
         application.",
        file.display()
    ));
    Ok(())
}

async fn list(call: Call) -> Result<(), CommandError> {
    let mut clients = call.store().registered_clients_since(0).await?;
    clients.retain(|client| client.deleted_at.is_none());
    clients.sort_by_key(|client| client.created_at);
    if clients.is_empty() {
        print_note(
            "No client has registered itself. The configured clients are in the configuration's files; `anteroom \
             check` counts them.",
        );
    }
    let zone = call.snapshot().practice.time_zone.clone();
    for client in clients {
        // The client chose these words, so control characters in them must not reach the terminal.
        let plain = |text: &str| text.escape_debug().to_string().replace(is_hidden, "\u{fffd}");
        let name = client.metadata.client_name.as_deref().map(plain).unwrap_or_default();
        let redirect = client.metadata.redirect_uris.first().map(|uri| plain(uri)).unwrap_or_default();
        let since = shown_time(client.created_at, &zone);
        print_line(&format!("{}  {since}  {name}  {redirect}", client.client_id.as_str()));
    }
    Ok(())
}

async fn remove(call: &Call, id: &ClientId) -> Result<(), CommandError> {
    if registration::remove(call, id).await? {
        print_line(&format!(
            "The registration of {} was removed, and all its grants have ended.",
            id.as_str()
        ));
        return Ok(());
    }
    Err(CommandError::Usage(format!("no client {} has registered itself", id.as_str())))
}

async fn end_grants(call: &Call, id: &ClientId) -> Result<(), CommandError> {
    match configured_clients::end_grants(call, id).await? {
        Some(1) => print_line(&format!("1 grant of {} has ended.", id.as_str())),
        Some(grants) => print_line(&format!("{grants} grants of {} have ended.", id.as_str())),
        None => {
            let unknown = format!("there is no client {}, and no grant of such a client", id.as_str());
            return Err(CommandError::Usage(unknown));
        }
    }
    Ok(())
}
