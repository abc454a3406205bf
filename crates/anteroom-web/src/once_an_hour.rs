//! Log lines that are written at most once an hour: a proxy that writes an invalid header does so in every request.

use jiff::{SignedDuration, Timestamp};
use std::sync::{Mutex, PoisonError};

#[derive(Debug, Default)]
pub(crate) struct HourlyLog(Mutex<Option<Timestamp>>);

impl HourlyLog {
    /// Whether the line may be written again; if so, the time is recorded.
    pub(crate) fn is_due(&self, now: Timestamp) -> bool {
        let mut said_at = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = said_at.is_none_or(|at| now.duration_since(at).abs() >= SignedDuration::from_hours(1));
        if is_due {
            *said_at = Some(now);
        }
        is_due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_due_once_an_hour() {
        let (log, begin) = (HourlyLog::default(), Timestamp::UNIX_EPOCH);
        let after = |minutes| begin + SignedDuration::from_mins(minutes);
        let due: Vec<bool> = [0, 1, 59, 60, 61, 120].map(|minutes| log.is_due(after(minutes))).into();
        assert_eq!(due, [true, false, false, true, false, true]);
    }
}
