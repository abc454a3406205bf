//! One node of an installation: what a server process has, in this one.

use anteroom_config::{Configuration, Settings};
use anteroom_flows::context::call::Call;
use anteroom_flows::context::provider::Provider;
use anteroom_flows::node::configured_clients;
use anteroom_server::connections::Connections;
use anteroom_server::serve;
use anteroom_server::wiring::{self, Environment};
use anteroom_web::Web;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::routes;

/// It stops when it goes.
pub(crate) struct Node {
    pub(crate) address: SocketAddr,
    pub(crate) provider: Arc<Provider>,
    pub(crate) settings: Settings,
    pub(crate) web: Arc<Web>,
    pub(crate) routes: Vec<String>,
    server: JoinHandle<()>,
}

impl Drop for Node {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// What a node has without HTTP.
pub(crate) async fn provider(configuration: &Configuration, around: &Environment) -> Arc<Provider> {
    let provider = Arc::new(wiring::provider(configuration, around).await.unwrap());
    configured_clients::record(&Call::local(&provider)).await.unwrap();
    provider
}

impl Node {
    /// On a free port, for which `place` says what the node is like.
    pub(crate) async fn listen(place: impl FnOnce(SocketAddr) -> (Configuration, Environment)) -> Self {
        let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (configuration, around) = place(address);
        let provider = provider(&configuration, &around).await;
        let web = Arc::new(wiring::web(&configuration.settings, Arc::clone(&provider)).unwrap());
        let router = anteroom_web::router(Arc::clone(&web));
        let routes = routes::of(&router);
        let connections = Connections::of(&configuration.settings);
        let server = tokio::spawn(async move {
            serve::serve(vec![listener], None, router, connections, std::future::pending()).await.unwrap();
        });
        Self { address, provider, settings: configuration.settings, web, routes, server }
    }

    /// Nothing is listened to, and nothing read or written, from here on.
    pub(crate) async fn stop(mut self) {
        self.server.abort();
        assert!((&mut self.server).await.unwrap_err().is_cancelled());
        self.provider.store.close().await;
    }
}
