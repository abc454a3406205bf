//! Durations as people write them: `30m`, `90d`, `1h 30m`.
//!
//! Days and weeks are 24 and 168 hours; there are no months, whose lengths differ.

use jiff::SignedDuration;

const UNITS: &[(&str, i64)] =
    &[("w", 604_800_000), ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// Parts such as `1h30m`, each unit at most once and in falling order.
pub(crate) fn parse(text: &str) -> Option<SignedDuration> {
    let mut rest = text.trim();
    let mut millis: i64 = 0;
    let mut units = UNITS.iter();
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, after) = rest.split_at_checked(digits)?;
        let letters = after.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(after.len());
        let (unit, after) = after.split_at_checked(letters)?;
        let (_, length) = units.find(|(name, _)| *name == unit)?;
        millis = millis.checked_add(number.parse::<i64>().ok()?.checked_mul(*length)?)?;
        rest = after.trim_start();
    }
    (!text.trim().is_empty()).then(|| SignedDuration::from_millis(millis))
}

/// In the largest unit that needs no second one; weeks are written as days.
pub(crate) fn show(duration: SignedDuration) -> String {
    let millis = duration.as_millis();
    let (unit, length) = UNITS
        .iter()
        .filter(|(unit, _)| *unit != "w")
        .find(|(_, length)| millis % i128::from(*length) == 0 && millis != 0)
        .unwrap_or(&("s", 1_000));
    format!("{}{unit}", millis / i128::from(*length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_numbers_with_units() {
        for (text, millis) in [
            ("90d", 7_776_000_000),
            ("30m", 1_800_000),
            ("60s", 60_000),
            ("250ms", 250),
            ("1h 30m", 5_400_000),
            ("1h30m", 5_400_000),
            ("2w", 1_209_600_000),
            (" 0s ", 0),
        ] {
            assert_eq!(parse(text), Some(SignedDuration::from_millis(millis)), "{text}");
        }
        for text in [
            "",
            " ",
            "30",
            "m",
            "-5m",
            "1.5h",
            "30 m",
            "3mo",
            "1m1h",
            "1h1h",
            "90 days",
            "99999999999999999d",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_shown_reads_back() {
        for text in ["90d", "30m", "60s", "250ms", "36h", "90s", "0s", "61d"] {
            let duration = parse(text).unwrap();
            assert_eq!(parse(&show(duration)), Some(duration));
        }
        assert_eq!(show(SignedDuration::from_hours(24 * 14)), "14d");
        assert_eq!(show(SignedDuration::from_secs(60)), "1m");
    }
}
