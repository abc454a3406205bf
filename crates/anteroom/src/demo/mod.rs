//! `anteroom demo`: everything on one machine without further installation. The provider on SQLite, the outbox instead
//! of mail and phones, a sample application for each tile, and sample accounts. On loopback only.

mod accounts;
mod apps;
mod configuration;
mod data_folder;
mod own_clients;
mod written;

use anteroom_crypto::{MasterKey, PasswordHasher, Random};
use anteroom_domain::clock::Clock;
use anteroom_flows::context::call::Call;
use anteroom_flows::keys::signing_keys::NewKeys;
use anteroom_flows::node::configured_clients;
use anteroom_storage::{InstanceKind, StoreOptions, migrate};
use secrecy::{ExposeSecret as _, SecretString};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::cli::DemoArgs;
use crate::commands::{CommandError, block_on, print_line, write_secret_file};
use anteroom_server::connections::Connections;
use anteroom_server::wiring::Environment;
use anteroom_server::{background, logging, serve, wiring};
use apps::Apps;
use configuration::DemoOptions;
use data_folder::DataFolder;

pub fn run(args: &DemoArgs) -> Result<(), CommandError> {
    let home = DataFolder::open(args.data.as_deref())?;
    let port = args.port;
    block_on(async move {
        let listeners = loopback_listeners(port).await?;
        let port = listeners
            .first()
            .map(TcpListener::local_addr)
            .transpose()?
            .map_or(port, |address| address.port());
        home.note_address(&issuer(port))?;
        let apps = Apps::bind().await?;
        let master_key = master_key(home.path())?;
        let plan =
            DemoOptions { home: home.path(), port, clients: &args.clients, registration: args.registration };
        Demo { plan, master_key }.serve(listeners, apps).await
    })
}

fn issuer(port: u16) -> String {
    format!("http://localhost:{port}")
}

/// Browsers try both address families for `localhost`; a machine without IPv6 has only one.
async fn loopback_listeners(port: u16) -> Result<Vec<TcpListener>, CommandError> {
    let v4 = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await;
    let v4 =
        v4.map_err(|error| CommandError::Usage(format!("port {port} on loopback: {error}; try --port")))?;
    let v6 = TcpListener::bind(SocketAddr::from((Ipv6Addr::LOCALHOST, v4.local_addr()?.port()))).await;
    Ok([Some(v4), v6.ok()].into_iter().flatten().collect())
}

/// The master key; a kept demo also keeps its key.
fn master_key(home: &Path) -> Result<SecretString, CommandError> {
    let path = home.join(configuration::MASTER_KEY_FILE);
    if !path.exists() {
        write_secret_file(&path, MasterKey::generate(&Random::system()).encode().expose_secret())?;
    }
    let text = std::fs::read_to_string(&path).map_err(|error| CommandError::File(path, error))?;
    Ok(text.into())
}

/// The demo logs little, but a developer needs to see why a request was refused and what was left out of it.
const LOG: &str = "warn,anteroom_flows::interaction::authorize=info";

struct Demo<'a> {
    plan: DemoOptions<'a>,
    master_key: SecretString,
}

impl Demo<'_> {
    async fn serve(&self, listeners: Vec<TcpListener>, apps: Apps) -> Result<(), CommandError> {
        let database = self.plan.database();
        let configuration = configuration::load(self.plan, &self.master_key, &apps)?;
        let written = configuration::write(self.plan, &apps)?;
        let settings = &configuration.settings;
        logging::init_filtered(settings.log.format, LOG);
        migrate(&StoreOptions::sqlite(&database)).await?;
        let environment = Environment {
            clock: Clock::system(),
            random: Random::system(),
            kind: InstanceKind::Demo,
            may_make_keys: true,
            may_open_demo: false,
            hasher: PasswordHasher::new,
            key_maker: Arc::new(NewKeys),
        };
        let provider = Arc::new(wiring::provider(&configuration, &environment).await?);
        accounts::seed(&Call::local(&provider)).await?;
        configured_clients::record(&Call::local(&provider)).await?;
        let web = Arc::new(wiring::web(settings, Arc::clone(&provider))?);
        let tasks = background::start(&web, &configuration, None);
        let (stop, stopped) = watch::channel(());
        let running = apps.serve(&settings.issuer, &stopped)?;
        self.announce(&written);
        let connections = Connections::of(settings);
        serve::serve(listeners, None, anteroom_web::router(web), connections, serve::stop_signal()).await?;
        drop(stop);
        drop(tasks);
        running.join_all().await;
        background::finish_audit_trail(&provider, settings).await?;
        provider.store.close().await;
        Ok(())
    }

    fn own_clients(&self) -> String {
        let files: Vec<String> = self.plan.clients.iter().map(|file| file.display().to_string()).collect();
        if files.is_empty() {
            return String::new();
        }
        format!("Your clients    {}; restart the demo after a change\n\n", files.join(", "))
    }

    /// `written` is the path of the configuration for commands.
    fn announce(&self, written: &Path) {
        let issuer = issuer(self.plan.port);
        print_line(&format!(
            "Anteroom demo: all data are samples, and nothing is sent from this machine.\n\n\
             Open            {issuer}/\n\
             Mail and texts  {issuer}/dev/outbox\n\
             Commands        anteroom explain REFERENCE --config {}\n\n\
             Password        {}\n\
             alice@demo.example   everything; operator\n\
             bob@demo.example     front desk: three of five tiles\n\
             carol@demo.example   locked\n\
             dave@demo.example    password expired\n\
             erin@demo.example    invited; her invitation is in the outbox\n\
             frank@demo.example   no phone on file\n\n\
             {}Ready: {issuer}",
            written.display(),
            accounts::PASSWORD,
            self.own_clients(),
        ));
    }
}
