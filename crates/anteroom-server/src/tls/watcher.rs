//! Watches the certificate's files: a program that renews the certificate writes two files, and the next connection
//! gets the new one.

use anteroom_domain::clock::Clock;
use aws_lc_rs::digest::{SHA256, digest};
use rustls::ServerConfig;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

use super::{CertificateFiles, Texts, TlsConfigWatch, TlsError, Validity};

/// The time between two checks of the files.
pub const LOOK_EVERY: Duration = Duration::from_secs(2);
/// Checks between two warnings about the same expiry: one day.
const LOOKS_BETWEEN_WARNINGS: u32 = 43_200;

/// The files, and the result of the last load.
pub struct CertificateWatcher {
    pair: CertificateFiles,
    served: watch::Sender<Arc<ServerConfig>>,
    validity: Validity,
    taken: FileDigests,
    /// The files' digests at the last check.
    seen: FileDigests,
}

impl CertificateWatcher {
    pub(super) fn start(pair: CertificateFiles) -> Result<(TlsConfigWatch, Self), TlsError> {
        let texts = pair.read();
        let taken = FileDigests::of(&texts);
        let certified = pair.judge(texts)?;
        let (served, current) = watch::channel(certified.config);
        let seen = taken.clone();
        Ok((TlsConfigWatch(current), Self { pair, served, validity: certified.validity, taken, seen }))
    }

    pub fn validity(&self) -> Validity {
        self.validity
    }

    /// Loads the pair if a file changed and then stayed the same for one check, since a program may still be writing
    /// the second file. A problem is reported once, not at every check. Blocks while it reads the files.
    pub fn look(&mut self) -> Option<Result<Validity, TlsError>> {
        let texts = self.pair.read();
        let now = FileDigests::of(&texts);
        let (settled, changed) = (now == self.seen, now != self.taken);
        self.seen = now.clone();
        if !(settled && changed) {
            return None;
        }
        self.taken = now;
        Some(self.pair.judge(texts).map(|certified| {
            self.validity = certified.validity;
            // A new configuration remembers no TLS sessions, so no client resumes one under the certificate that was
            // replaced.
            self.served.send_replace(certified.config);
            certified.validity
        }))
    }

    /// Checks at the interval `every`, until the task is aborted.
    pub async fn run(mut self, clock: Clock, every: Duration) {
        let mut ticks = interval(every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut round = 0_u32;
        loop {
            ticks.tick().await;
            let looked = tokio::task::spawn_blocking(move || {
                let found = self.look();
                (self, found)
            });
            let Ok((back, found)) = looked.await else { return };
            self = back;
            round = round.wrapping_add(1);
            let status = self.validity.status(clock.now());
            match found {
                Some(Ok(_)) if status.is_good() => {
                    tracing::info!("the changed certificate is in use; {status}");
                }
                Some(Ok(_)) => {
                    tracing::info!("the changed certificate is in use");
                    status.warn();
                }
                Some(Err(error)) => {
                    tracing::error!(
                        "the changed certificate was refused, and the running one stays in use: {error}"
                    );
                }
                None if round.is_multiple_of(LOOKS_BETWEEN_WARNINGS) => status.warn(),
                None => {}
            }
        }
    }
}

/// SHA-256 of each file; `None` for a file that could not be read.
#[derive(Clone, PartialEq, Eq)]
struct FileDigests([Option<Vec<u8>>; 2]);

impl FileDigests {
    fn of(texts: &Texts) -> Self {
        let hash = |bytes: &[u8]| digest(&SHA256, bytes).as_ref().to_vec();
        let of =
            |text: &io::Result<_>| text.as_ref().ok().map(|bytes: &zeroize::Zeroizing<Vec<u8>>| hash(bytes));
        Self([of(&texts.certificate), of(&texts.key)])
    }
}
