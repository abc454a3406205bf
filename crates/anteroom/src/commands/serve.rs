//! `anteroom serve`.

use anteroom_config::{ConfigurationFile, Settings};
use anteroom_domain::database_rollback::DatabaseRollback;
use anteroom_flows::context::call::Call;
use anteroom_flows::node::configured_clients;
use anteroom_flows::node::health;
use anteroom_flows::people::admin;
use anteroom_flows::people::undefined_groups;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;

use super::{CommandError, block_on};
use crate::cli::ConfigArgs;
use anteroom_server::connections::Connections;
use anteroom_server::{
    background, logging, sending, serve, tls,
    wiring::{self, Environment},
};

pub fn run(args: &ConfigArgs) -> Result<(), CommandError> {
    let mut source = ConfigurationFile::new(&args.config);
    let configuration = source.load(&|name| std::env::var(name).ok());
    let configuration = configuration.map_err(|problems| CommandError::configuration(&problems))?;
    logging::init(configuration.settings.log);
    wiring::warn_of(&configuration);
    if let Some(gap) = wiring::checkpoints_warning(&configuration.settings) {
        tracing::warn!("{gap}");
    }
    block_on(async move {
        let settings = &configuration.settings;
        let environment = Environment::production();
        let tls = tls::open(settings, environment.clock.now()).map_err(wiring::WiringError::from)?;
        let provider = Arc::new(wiring::provider(&configuration, &environment).await?);
        let web = Arc::new(wiring::web(settings, Arc::clone(&provider))?);
        if !provider.history.is_rolled_back() {
            let call = Call::local(&provider);
            admin::note_configuration(&call).await?;
            configured_clients::record(&call).await?;
            undefined_groups::warn(&call).await?;
        }
        let listen = settings.server.listen;
        let listener =
            TcpListener::bind(listen).await.map_err(|error| CommandError::Listen(listen, error))?;
        let (listen, digest) = (listener.local_addr()?, configuration.digest.to_string());
        let node = RunningNode { listen, name: &provider.node.to_string(), configuration: &digest };
        log_start(settings, node, provider.history.refused());
        let sending = sending::start(&web, settings).map_err(wiring::WiringError::from)?;
        let mut tasks = background::start(&web, &configuration, Some(source));
        let served = tls.map(|(served, watcher)| {
            tasks.spawn(watcher.run(environment.clock, tls::LOOK_EVERY));
            served
        });
        let (router, connections) = (anteroom_web::router(web), Connections::of(settings));
        serve::serve(vec![listener], served, router, connections, serve::stop_signal()).await?;
        if let Some(sending) = sending {
            sending.finish().await;
        }
        drop(tasks);
        background::finish_audit_trail(&provider, settings).await?;
        health::deregister_node(&provider).await?;
        provider.store.close().await;
        logging::log_left_out_lines();
        tracing::info!("stopped");
        Ok(())
    })
}

/// What the log says about a node at its start.
#[derive(Clone, Copy, Debug)]
pub struct RunningNode<'a> {
    pub listen: SocketAddr,
    pub name: &'a str,
    /// The digest of the configuration.
    pub configuration: &'a str,
}

/// Load balancers and people wait for `ready`, so a node that answers every request with 503 must not log it.
pub fn log_start(settings: &Settings, running: RunningNode<'_>, refused: Option<DatabaseRollback>) {
    let issuer = settings.issuer.as_str();
    let RunningNode { listen, name: node, configuration } = running;
    match refused {
        None => tracing::info!(issuer, %listen, %node, %configuration, "ready"),
        Some(why) => tracing::warn!(
            issuer, %listen, %node, %configuration,
            "listening, but not ready: every request gets 503, because the database went back to an earlier state: {why}"
        ),
    }
}
