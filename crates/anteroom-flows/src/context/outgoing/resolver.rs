//! Resolves names to addresses that the policy lets requests go to, and to no others.

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::net::SocketAddr;
use std::sync::Arc;

use super::{NetworkPolicy, OutgoingError};

pub(super) struct GuardedResolver {
    pub(super) policy: Arc<NetworkPolicy>,
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let policy = Arc::clone(&self.policy);
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let mut refused = None;
            let mut admitted: Vec<SocketAddr> = Vec::new();
            for address in found {
                match policy.refuses(address.ip()) {
                    Some(rule) => refused = Some((address.ip(), rule)),
                    None => admitted.push(address),
                }
            }
            match refused.filter(|_| admitted.is_empty()) {
                Some((address, rule)) => {
                    let what = format!("{} ({address})", name.as_str());
                    Err(OutgoingError::Forbidden(what, rule).into())
                }
                None => Ok(Box::new(admitted.into_iter()) as Addrs),
            }
        })
    }
}
