//! A node that listens nowhere: what the tests of use cases run in.

use anteroom_domain::clock::Clock;
use anteroom_flows::context::provider::Provider;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use crate::node;
use crate::provider::Builder;

const ISSUER: &str = "http://localhost:8080";

impl Builder {
    /// A node without HTTP. Its database has no account yet. Called again, it is another node of the same installation, with the
    /// same clock.
    pub async fn provider(&self) -> Arc<Provider> {
        let mut place = self.clone();
        let issuer = place.issuer.get_or_insert_with(|| ISSUER.to_owned()).clone();
        place.settings.set("issuer", &format!("\"{issuer}\""));
        let (configuration, around) = place.place(SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)));
        node::provider(&configuration, &around).await
    }

    /// The clock of its nodes.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }
}
