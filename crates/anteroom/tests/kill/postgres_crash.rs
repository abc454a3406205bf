//! A PostgreSQL server that crashes under people's hands: what was answered for is there afterwards.

use std::sync::Arc;

use crate::cluster::Cluster;
use crate::post::Post;
use crate::scenario::Scenario;
use crate::server::Installation;
use crate::{Load, note, seed};

const CRASHES: u32 = 5;
/// Answers between two crashes.
const RECOVERED: u32 = 30;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_answered_for_outlives_crashes_of_postgresql() {
    let Some(mut cluster) = Cluster::create() else { return };
    cluster.start().await;
    cluster.create_database();
    let post = Post::open().await;
    let installation = Installation::new(tempfile::tempdir().unwrap(), &cluster.url(), &post);
    let scenario = Scenario::with_failing_database(&installation, post);
    let mut load = Load::begin(installation, scenario, seed()).await;
    let scenario = Arc::clone(&load.scenario);
    for life in 1..=CRASHES {
        load.answers(RECOVERED).await;
        note(&format!("crash {life}"));
        cluster.crash();
        load.until(scenario.refusals(1)).await;
        cluster.start().await;
        scenario.live_again(life);
    }
    load.answers(RECOVERED).await;
    load.end().await;
}
