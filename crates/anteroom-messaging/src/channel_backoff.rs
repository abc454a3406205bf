//! If a provider fails, every message would fail and be logged. So its channel is paused: the failure is logged once,
//! and one message tests the channel when the pause ends.

use jiff::{SignedDuration, Timestamp};

/// Waits of a channel; the last one stands for all that follow.
const WAITS_SECONDS: [i64; 4] = [5, 30, 120, 300];
/// A person waits for a code, which is of use for some minutes only.
pub(crate) const LONGEST_FOR_CODES: SignedDuration = SignedDuration::from_secs(30);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ChannelBackoff {
    pub(crate) until: Timestamp,
    /// How many there were without a success between them.
    times: usize,
}

/// What an attempt says of its channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ChannelHealth {
    /// The other side took or refused the message itself.
    Working,
    /// The other side takes nothing now, and perhaps says until when.
    Failing(Option<SignedDuration>),
    /// The attempt says nothing about the channel: the provider was not reached, or message and channel are both possible causes.
    Unknown,
}

impl ChannelBackoff {
    /// After an attempt. One that was under way when the pause began says nothing new. `longest` also holds for what the other
    /// side asks for: it may concern one message, and the pause concerns all.
    pub(crate) fn after(
        before: Option<Self>,
        health: ChannelHealth,
        now: Timestamp,
        longest: SignedDuration,
        jitter: Jitter,
    ) -> Option<Self> {
        match (health, before) {
            (ChannelHealth::Working, _) => None,
            (ChannelHealth::Unknown, before) => before,
            (ChannelHealth::Failing(_), Some(pause)) if now < pause.until => Some(pause),
            (ChannelHealth::Failing(asked), before) => {
                let times = before.map_or(0, |pause| pause.times.saturating_add(1));
                let seconds = WAITS_SECONDS.get(times).or(WAITS_SECONDS.last()).copied().unwrap_or_default();
                let wait = SignedDuration::from_secs(seconds).min(longest);
                let wait = jitter.spread(wait.max(asked.unwrap_or_default().min(longest)));
                Some(Self { until: now.checked_add(wait).unwrap_or(Timestamp::MAX), times })
            }
        }
    }

    /// How many more may be sent: none during the pause, one to try it out, then as many as ever.
    pub(crate) fn remaining_capacity(
        pause: Option<Self>,
        now: Timestamp,
        at_once: usize,
        under_way: usize,
    ) -> usize {
        let most = match pause {
            None => at_once,
            Some(pause) if now < pause.until => 0,
            Some(_) => 1,
        };
        most.saturating_sub(under_way)
    }
}

/// Up to a quarter more of each wait, so that what failed together is not tried together. Drawn from the message's random
/// identifier, it is the same whenever it is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Jitter {
    thousandths: i32,
}

impl Jitter {
    pub(crate) fn of(id: anteroom_domain::ids::MessageId) -> Self {
        let [.., high, low] = *id.0.as_bytes();
        Self { thousandths: i32::from(u16::from_be_bytes([high, low]) % 251) }
    }

    pub(crate) fn spread(self, wait: SignedDuration) -> SignedDuration {
        wait.saturating_add(wait / 1_000 * self.thousandths)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anteroom_domain::ids::MessageId;

    const NONE: Jitter = Jitter { thousandths: 0 };
    const TROUBLE: ChannelHealth = ChannelHealth::Failing(None);
    const LONG: SignedDuration = SignedDuration::from_hours(1);

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    fn asked(seconds: i64) -> ChannelHealth {
        ChannelHealth::Failing(Some(SignedDuration::from_secs(seconds)))
    }

    fn pause(until: i64, times: usize) -> ChannelBackoff {
        ChannelBackoff { until: at(until), times }
    }

    #[test]
    fn trouble_pauses_a_channel_longer_each_time_until_something_goes_well() {
        for (before, health, now, longest, expected) in [
            (None, TROUBLE, 0, LONG, Some(pause(5, 0))),
            // Was under way already.
            (Some(pause(5, 0)), TROUBLE, 4, LONG, Some(pause(5, 0))),
            (Some(pause(5, 0)), TROUBLE, 5, LONG, Some(pause(35, 1))),
            (Some(pause(35, 1)), TROUBLE, 40, LONG, Some(pause(160, 2))),
            (Some(pause(160, 2)), TROUBLE, 160, LONG, Some(pause(460, 3))),
            (Some(pause(460, 3)), TROUBLE, 460, LONG, Some(pause(760, 4))),
            (Some(pause(160, 2)), TROUBLE, 160, LONGEST_FOR_CODES, Some(pause(190, 3))),
            (None, asked(20), 0, LONG, Some(pause(20, 0))),
            (None, asked(20), 0, LONGEST_FOR_CODES, Some(pause(20, 0))),
            (None, asked(2), 0, LONG, Some(pause(5, 0))),
            (None, asked(7_200), 0, LONG, Some(pause(3_600, 0))),
            (None, asked(300), 0, LONGEST_FOR_CODES, Some(pause(30, 0))),
            (Some(pause(160, 2)), ChannelHealth::Unknown, 160, LONG, Some(pause(160, 2))),
            (Some(pause(160, 2)), ChannelHealth::Working, 160, LONG, None),
            (None, ChannelHealth::Working, 0, LONG, None),
        ] {
            assert_eq!(
                ChannelBackoff::after(before, health, at(now), longest, NONE),
                expected,
                "{before:?} {health:?}"
            );
        }
    }

    #[test]
    fn one_message_tries_a_channel_out_before_the_others() {
        for (pause, now, under_way, room) in [
            (None, 0, 0, 2),
            (None, 0, 1, 1),
            (None, 0, 3, 0),
            (Some(pause(5, 0)), 4, 0, 0),
            (Some(pause(5, 0)), 5, 0, 1),
            (Some(pause(5, 0)), 5, 1, 0),
        ] {
            assert_eq!(
                ChannelBackoff::remaining_capacity(pause, at(now), 2, under_way),
                room,
                "{pause:?} {now} {under_way}"
            );
        }
    }

    #[test]
    fn jitter_adds_up_to_a_quarter() {
        let id = |last: u16| -> MessageId {
            format!("01936f5e-0000-7000-8000-00000000{last:04x}").parse().unwrap()
        };
        for (last, expected) in [(0, 1_000), (100, 1_100), (250, 1_250), (251, 1_000)] {
            let spread = Jitter::of(id(last)).spread(SignedDuration::from_secs(1_000));
            assert_eq!(spread, SignedDuration::from_secs(expected), "{last}");
        }
    }
}
