//! In what the configurations of two nodes differ. A digest says only that they do; each node writes down the fingerprints of
//! the parts in the audit trail when it takes a configuration up.

use anteroom_storage::{AuditRecord, Node};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

use crate::context::provider::Provider;
use crate::error::FlowError;

/// Entries of the trail that are looked through; what a node has taken up a moment ago is among the latest.
const LATEST: u64 = 10_000;

#[derive(Deserialize)]
struct TakenUp {
    digest: String,
    #[serde(default)]
    parts: BTreeMap<String, String>,
}

/// The nodes that run with another configuration than this one, each with what is known of the difference, for the log.
pub(crate) async fn others(provider: &Provider, nodes: &[Node]) -> Result<String, FlowError> {
    let own = provider.snapshot();
    let entries = provider.store.recent_entries(LATEST).await?;
    let others = nodes.iter().filter(|node| node.config_digest != own.digest);
    let told = others.map(|node| {
        let parts = parts_of(&entries, &node.config_digest);
        let keys = parts.map(|parts| differing(&own.parts, &parts)).unwrap_or_default();
        let keys = if keys.is_empty() { "something".to_owned() } else { keys.join(", ") };
        format!("node {}, started {}, differs in {keys}", node.id, node.started_at)
    });
    Ok(told.collect::<Vec<_>>().join("; "))
}

fn parts_of(entries: &[AuditRecord], digest: &str) -> Option<BTreeMap<String, String>> {
    let taken_up = entries.iter().filter(|entry| entry.kind == "configuration_changed");
    let mut read = taken_up.filter_map(|entry| serde_json::from_str::<TakenUp>(&entry.detail).ok());
    read.find(|taken_up| taken_up.digest == digest && !taken_up.parts.is_empty()).map(|found| found.parts)
}

/// The names whose fingerprint is another, or missing on one side.
fn differing(own: &BTreeMap<String, String>, other: &BTreeMap<String, String>) -> Vec<String> {
    let names: BTreeSet<&String> = own.keys().chain(other.keys()).collect();
    names.into_iter().filter(|name| own.get(*name) != other.get(*name)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_another_or_missing_on_one_side_differs() {
        let parts = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(name, tag)| ((*name).to_owned(), (*tag).to_owned())).collect()
        };
        let own = parts(&[("issuer", "aa"), ("policy.session.idle", "bb"), ("clients.app", "cc")]);
        let other = parts(&[("issuer", "aa"), ("policy.session.idle", "dd"), ("clients.new", "ee")]);
        assert_eq!(differing(&own, &other), ["clients.app", "clients.new", "policy.session.idle"]);
        assert!(differing(&own, &own).is_empty());
    }
}
