//! The validity of a certificate (RFC 5280 §4.1.2.5), and its status now.

use jiff::{SignedDuration, Timestamp};
use rustls::pki_types::CertificateDer;
use std::fmt;
use x509_cert::Certificate;
use x509_cert::der::Decode as _;
use x509_cert::time::Time;

/// An operator who renews by hand is warned in time to do so; automatic renewal happens earlier.
const WARN_BEFORE: SignedDuration = SignedDuration::from_hours(24 * 21);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    pub not_before: Timestamp,
    pub not_after: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CertificateStatus {
    Good { until: Timestamp },
    Early { from: Timestamp },
    Ending { until: Timestamp },
    Ended { since: Timestamp },
}

impl Validity {
    pub(super) fn of(certificate: &CertificateDer<'_>) -> Result<Self, x509_cert::der::Error> {
        let certificate = Certificate::from_der(certificate)?;
        let validity = certificate.tbs_certificate().validity();
        Ok(Self { not_before: timestamp(validity.not_before), not_after: timestamp(validity.not_after) })
    }

    /// `notBefore` and `notAfter` are inclusive (RFC 5280 §4.1.2.5).
    pub fn status(&self, now: Timestamp) -> CertificateStatus {
        let Self { not_before, not_after } = *self;
        if now < not_before {
            CertificateStatus::Early { from: not_before }
        } else if now > not_after {
            CertificateStatus::Ended { since: not_after }
        } else if not_after.duration_since(now) < WARN_BEFORE {
            CertificateStatus::Ending { until: not_after }
        } else {
            CertificateStatus::Good { until: not_after }
        }
    }
}

/// RFC 5280 writes "no end" as the last second of the year 9999, which `Timestamp` cannot hold.
fn timestamp(time: Time) -> Timestamp {
    let seconds = i64::try_from(time.to_unix_duration().as_secs()).unwrap_or(i64::MAX);
    Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX)
}

impl CertificateStatus {
    pub fn is_good(self) -> bool {
        matches!(self, Self::Good { .. })
    }

    /// Logs a status for which the operator has to do something.
    pub fn warn(self) {
        match self {
            Self::Good { .. } => {}
            Self::Early { .. } | Self::Ending { .. } => tracing::warn!("{self}"),
            Self::Ended { .. } => tracing::error!("{self}"),
        }
    }
}

impl fmt::Display for CertificateStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Good { until } => write!(f, "the server's certificate is valid until {until}"),
            Self::Early { from } => write!(f, "the server's certificate is not valid before {from}"),
            Self::Ending { until } => {
                write!(
                    f,
                    "the server's certificate expires on {until}: renew it; the new files are used at once"
                )
            }
            Self::Ended { since } => write!(
                f,
                "the server's certificate expired on {since}, and browsers refuse it: renew it; the new files are used \
                 at once"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc5280_4_1_2_5_warnings_begin_three_weeks_before_the_end() {
        let at = |text: &str| -> Timestamp { text.parse().unwrap() };
        let (not_before, not_after) = (at("2027-01-01T00:00:00Z"), at("2027-04-01T00:00:00Z"));
        let validity = Validity { not_before, not_after };
        for (now, expected) in [
            ("2026-12-31T23:59:59Z", CertificateStatus::Early { from: not_before }),
            ("2027-01-01T00:00:00Z", CertificateStatus::Good { until: not_after }),
            ("2027-03-11T00:00:00Z", CertificateStatus::Good { until: not_after }),
            ("2027-03-11T00:00:01Z", CertificateStatus::Ending { until: not_after }),
            ("2027-04-01T00:00:00Z", CertificateStatus::Ending { until: not_after }),
            ("2027-04-01T00:00:01Z", CertificateStatus::Ended { since: not_after }),
        ] {
            assert_eq!(validity.status(at(now)), expected, "{now}");
        }
        let endless = Validity { not_before, not_after: timestamp(Time::INFINITY) };
        assert!(endless.status(at("2100-01-01T00:00:00Z")).is_good());
    }
}
