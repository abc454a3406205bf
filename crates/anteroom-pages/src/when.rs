//! Times and durations for the texts. The fields have the types of `jiff::civil`, so that they are filled directly from
//! a zoned time; the language decides the format.

use serde::Serialize;

/// A day of the calendar, in the practice's time zone.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Date {
    pub year: i16,
    pub month: i8,
    pub day: i8,
}

/// A day and a time of day, with the usual name of the time zone ("EST", "UTC").
#[derive(Clone, Debug, Serialize)]
pub struct Moment {
    pub date: Date,
    pub hour: i8,
    pub minute: i8,
    pub zone: String,
}

/// A waiting time in whole minutes, at least one: seconds are of no use to a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Wait(u64);

impl Wait {
    pub fn seconds(seconds: u64) -> Wait {
        Wait(seconds.div_ceil(60).max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::Wait;

    #[test]
    fn a_wait_is_rounded_up_to_whole_minutes() {
        for (seconds, minutes) in [(0, 1), (1, 1), (60, 1), (61, 2), (300, 5)] {
            assert_eq!(Wait::seconds(seconds), Wait(minutes), "{seconds} s");
        }
    }
}
