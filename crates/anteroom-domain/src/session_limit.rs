//! Which sessions of an account end when another one begins.
//!
//! With the password alone a thief can begin sessions without end, and those must not end the owner's. So a device has few of
//! them, and its own end first. Of an account that has as many as it may, the one that was used last on each known device stays:
//! there are half as many known devices as sessions. Which devices stay known, the thief does not decide
//! ([`crate::device::MAX_DEVICES`]).

use crate::device::KnownDevice;
use crate::ids::DeviceId;
use crate::session::{MAX_OF_ACCOUNT, MAX_OF_DEVICE, Session};
use jiff::Timestamp;
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// More do not end in one transaction.
const MOST_AT_ONCE: usize = MAX_OF_ACCOUNT as usize;

/// The sessions of one account that must end when a session begins on device `next`, at most [`MOST_AT_ONCE`]. `running` are its
/// live sessions, `known` its known devices among theirs.
pub fn sessions_over_limit(
    mut running: Vec<Session>,
    next: Option<DeviceId>,
    known: &[KnownDevice],
) -> Vec<Session> {
    running.sort_by_key(|session| Reverse((session.last_active_at, session.id)));
    let mut taken: BTreeMap<DeviceId, u32> = next.into_iter().map(|device| (device, 1)).collect();
    let (mut ends, mut others) = (Vec::new(), Vec::new());
    for session in running {
        let place = session.device.map_or(0, |device| next_place(&mut taken, device));
        if session.device == next && place >= MAX_OF_DEVICE {
            ends.push(session);
        } else {
            others.push((EvictionOrder::of(&session, place, known), session));
        }
    }
    others.sort_by_key(|(rank, _)| *rank);
    ends.extend(others.into_iter().skip(MAX_OF_ACCOUNT as usize - 1).rev().map(|(_, session)| session));
    ends.truncate(MOST_AT_ONCE);
    ends
}

fn next_place(taken: &mut BTreeMap<DeviceId, u32>, device: DeviceId) -> u32 {
    let place = taken.entry(device).or_default();
    *place += 1;
    *place - 1
}

/// The greatest ends first; of equals the one that was unused for longest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct EvictionOrder {
    /// The device was forgotten, or never was one of the account's.
    unknown: bool,
    /// How many of the same device were used later.
    place: u32,
    no_second_factor: bool,
    known_since: Timestamp,
}

impl EvictionOrder {
    fn of(session: &Session, place: u32, known: &[KnownDevice]) -> Self {
        match known.iter().find(|device| Some(device.id) == session.device) {
            Some(device) => Self {
                unknown: false,
                place,
                no_second_factor: device.stepped_up_at.is_none(),
                known_since: device.created_at,
            },
            None => {
                Self { unknown: true, place: 0, no_second_factor: true, known_since: Timestamp::UNIX_EPOCH }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::AccountEpoch;
    use crate::ids::{AccountId, BrowserId, SessionId};
    use anteroom_oidc::{Acr, Amr, AmrSet};
    use uuid::Uuid;

    fn at(second: u32) -> Timestamp {
        Timestamp::from_second(second.into()).unwrap()
    }

    fn device(number: u32) -> DeviceId {
        DeviceId(Uuid::from_u128(number.into()))
    }

    /// The first to be known is 1.
    fn known(number: u32) -> KnownDevice {
        KnownDevice {
            id: device(number),
            account: AccountId(Uuid::from_u128(1)),
            failures: 0,
            stepped_up_at: None,
            reset_at: None,
            password_epoch: None,
            label: String::new(),
            created_at: at(number),
            last_seen_at: at(number),
        }
    }

    fn session(number: u32, on: Option<u32>, used: u32) -> Session {
        Session {
            id: SessionId(Uuid::from_u128(number.into())),
            account: AccountId(Uuid::from_u128(1)),
            epoch: AccountEpoch(0),
            browser: BrowserId(Uuid::from_u128(number.into())),
            device: on.map(device),
            auth_time: at(0),
            acr: Acr::Pwd,
            amr: AmrSet::from_iter([Amr::Pwd]),
            created_at: at(0),
            last_active_at: at(used),
            ended_at: None,
            sid_by_sector: true,
            not_current_since: None,
        }
    }

    /// `many` sessions on each of these devices, numbered and used from `first` on.
    fn many(first: u32, devices: impl Iterator<Item = Option<u32>>, many: u32) -> Vec<Session> {
        let places = devices.flat_map(|on| (0..many).map(move |_| on));
        (first..).zip(places).map(|(number, on)| session(number, on, number)).collect()
    }

    /// Session 1 is the owner's, on device 1, and was unused for longest.
    fn ended(others: Vec<Session>, next: u32, devices: std::ops::RangeInclusive<u32>) -> Vec<u128> {
        let running = std::iter::once(session(1, Some(1), 1)).chain(others).collect();
        let known: Vec<_> = devices.map(known).collect();
        sessions_over_limit(running, Some(device(next)), &known)
            .iter()
            .map(|session| session.id.0.as_u128())
            .collect()
    }

    #[test]
    fn the_owners_session_outlasts_all_that_a_thief_of_the_password_begins() {
        let one = || std::iter::once(Some(2));
        for (case, others, next, expected) in [
            ("one browser has room", many(10, one(), 4), 2, vec![]),
            ("one browser ends its own", many(10, one(), 5), 2, vec![10]),
            ("another browser has room", many(10, one(), 5), 3, vec![]),
            ("a hundred have room", many(10, (2..=50).map(Some), 2), 2, vec![]),
            // Two on each of 49 devices, and a third on the first of them.
            (
                "many browsers end their own",
                [many(10, (2..=50).map(Some), 2), many(200, one(), 1)].concat(),
                60,
                vec![10],
            ),
            ("forgotten browsers go first", many(10, (51..=149).map(Some), 1), 2, vec![10]),
            ("those without a device go first", many(10, std::iter::repeat_n(None, 99), 1), 2, vec![10]),
        ] {
            assert_eq!(ended(others, next, 1..=50), expected, "{case}");
        }
    }

    #[test]
    fn of_equal_places_the_device_that_was_known_last_gives_way_unless_it_passed_a_second_factor() {
        let stepped_up = KnownDevice { stepped_up_at: Some(at(90)), ..known(50) };
        let devices: Vec<_> = (1..=49).map(known).chain([stepped_up]).collect();
        let gone = sessions_over_limit(many(1, (1..=50).map(Some), 2), Some(device(60)), &devices);
        let gone: Vec<_> = gone.iter().map(|session| session.id.0.as_u128()).collect();
        // The earlier one of device 49.
        assert_eq!(gone, [97]);
    }

    #[test]
    fn more_than_may_be_end_in_steps_and_each_known_device_keeps_one() {
        let known: Vec<_> = (1..=50).map(known).collect();
        let mut running = many(1, (1..=50).map(Some), 8);
        let mut steps = Vec::new();
        while running.len() >= MAX_OF_ACCOUNT as usize {
            let gone = sessions_over_limit(running.clone(), Some(device(70)), &known);
            running.retain(|session| !gone.contains(session));
            steps.push(gone.len());
        }
        assert_eq!((steps, running.len()), (vec![100, 100, 100, 1], 99));
        for number in 1_u32..=50 {
            let last = SessionId(Uuid::from_u128((8 * number).into()));
            assert!(running.iter().any(|session| session.id == last), "{number}");
        }
        // The second one of the youngest device is missing.
        assert!(!running.iter().any(|session| session.id.0.as_u128() == 8 * 50 - 1));
    }
}
