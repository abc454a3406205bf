//! Points and lengths of time as the texts want them. The fields have the types that `jiff::civil` hands out, so that a
//! caller fills them straight from a zoned time; the language decides how they read.

use serde::Serialize;

/// A day of the calendar, in the practice's time zone.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Date {
    pub year: i16,
    pub month: i8,
    pub day: i8,
}

/// A day and a time of day, with the name of the zone as people know it ("EST", "UTC").
#[derive(Clone, Debug, Serialize)]
pub struct Moment {
    pub date: Date,
    pub hour: i8,
    pub minute: i8,
    pub zone: String,
}

/// How long to wait, in whole minutes and never less than one: a person before a form does not count seconds.
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
