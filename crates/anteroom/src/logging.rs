//! Logs: to standard error, as text for people or JSON for machines.

use anteroom_config::{Log, LogFormat};
use tracing_subscriber::EnvFilter;

pub fn init(log: Log) {
    let filter = EnvFilter::new(log.level.as_str());
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // Only a second initialisation in one process can fail, and then the first one stands.
    let _ = match log.format {
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
        LogFormat::Text => builder.with_target(false).try_init(),
    };
}
