//! The number of lines per minute that one place in the code may write about requests. Otherwise unauthenticated
//! requests could fill the disk, or hide other lines among many. Lines beyond it are counted, and the counts are logged
//! once a minute.
//!
//! A line is about a request if it has a `reference`.

use anteroom_web::REQUESTS;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tracing::callsite::Identifier;
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

const WINDOW: Duration = Duration::from_mins(1);
/// For one place, in each minute.
pub(super) const MOST_LINES: u32 = 300;
/// For the place that logs each response.
pub(super) const MOST_ANSWERED: u32 = 6_000;

#[derive(Debug, Default)]
pub(super) struct LineLimit(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts {
    since: Option<Instant>,
    written: HashMap<Identifier, u32>,
    /// Lines left out since the last report.
    left_out: HashMap<&'static str, u64>,
}

impl LineLimit {
    /// Lines left out since the last call, by place (file and line).
    pub(super) fn take_left_out(&self) -> HashMap<&'static str, u64> {
        std::mem::take(&mut self.counts().left_out)
    }

    fn admits(&self, metadata: &'static Metadata<'static>, now: Instant) -> bool {
        let mut counts = self.counts();
        if counts.since.is_none_or(|since| now.duration_since(since) >= WINDOW) {
            counts.since = Some(now);
            counts.written.clear();
        }
        let written = counts.written.entry(metadata.callsite()).or_default();
        let most = if metadata.target() == REQUESTS { MOST_ANSWERED } else { MOST_LINES };
        if *written < most {
            *written += 1;
            return true;
        }
        let left_out = counts.left_out.entry(metadata.name()).or_default();
        *left_out = left_out.saturating_add(1);
        false
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) struct LineLimitLayer(pub(super) std::sync::Arc<LineLimit>);

impl<S: Subscriber> Layer<S> for LineLimitLayer {
    fn event_enabled(&self, event: &Event<'_>, _: Context<'_, S>) -> bool {
        let metadata = event.metadata();
        metadata.fields().field("reference").is_none() || self.0.admits(metadata, Instant::now())
    }
}
