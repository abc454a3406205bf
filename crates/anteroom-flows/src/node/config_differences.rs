//! Finds the parts in which the configurations of two nodes differ. A digest shows only that they differ, so each node writes the
//! fingerprints of the parts to the audit trail when it begins to use a configuration.

use anteroom_storage::{AuditRecord, Node};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

use crate::context::provider::Provider;
use crate::error::FlowError;

/// How many of the latest audit entries are searched; a configuration that a node began to use a moment ago is among them.
const LATEST: u64 = 10_000;

#[derive(Deserialize)]
struct ConfigurationChanged {
    digest: String,
    #[serde(default)]
    parts: BTreeMap<String, String>,
}

/// Describes, for the log, the nodes that run with another configuration than this one, each with the parts that differ.
pub(crate) async fn others(provider: &Provider, nodes: &[Node]) -> Result<String, FlowError> {
    let own = provider.snapshot();
    let entries = provider.store.recent_entries(LATEST).await?;
    let others = nodes.iter().filter(|node| node.config_digest != own.digest);
    let described = others.map(|node| {
        let parts = parts_of(&entries, &node.config_digest).unwrap_or_default();
        let keys = if parts.is_empty() { Vec::new() } else { differing(&own.parts, &parts) };
        let differs = if keys.is_empty() {
            "differs, and its audit entries do not say in what".to_owned()
        } else {
            format!("differs in {}", keys.join(", "))
        };
        format!("node {}, started {}, {differs}", node.id, node.started_at)
    });
    Ok(described.collect::<Vec<_>>().join("; "))
}

fn parts_of(entries: &[AuditRecord], digest: &str) -> Option<BTreeMap<String, String>> {
    let changes = entries.iter().filter(|entry| entry.kind == "configuration_changed");
    let mut read =
        changes.filter_map(|entry| serde_json::from_str::<ConfigurationChanged>(&entry.detail).ok());
    read.find(|change| change.digest == digest && !change.parts.is_empty()).map(|found| found.parts)
}

/// The names whose fingerprints differ, or are missing on one side.
fn differing<'a>(own: &'a BTreeMap<String, String>, other: &'a BTreeMap<String, String>) -> Vec<&'a str> {
    let names: BTreeSet<&String> = own.keys().chain(other.keys()).collect();
    names.into_iter().filter(|name| own.get(*name) != other.get(*name)).map(String::as_str).collect()
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
