//! Random values, from the system or, in tests, from a seed.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use aws_lc_rs::{hmac, rand};
use uuid::{Builder, Uuid};

use crate::token::OpaqueToken;

/// A handle to the one source of randomness. Cloning it is cheap and shares the source.
#[derive(Clone)]
pub struct Random {
    source: Source,
    /// Of the identifier drawn last that has a time: its milliseconds, and its place among those of the same millisecond.
    last: Arc<Mutex<(u64, u16)>>,
}

#[derive(Clone)]
enum Source {
    System,
    Seeded(Arc<Mutex<Seeded>>),
}

/// HMAC-SHA256 over a counter: the same seed gives the same bytes on every machine.
struct Seeded {
    key: hmac::Key,
    counter: u64,
}

/// The greatest value of 12 bits.
const PLACES: u16 = 0x0fff;

impl Random {
    pub fn system() -> Self {
        Self::from_source(Source::System)
    }

    /// Predictable, for tests that want to see the same values on each run. Worth nothing as a secret.
    pub fn seeded(seed: u64) -> Self {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &seed.to_be_bytes());
        Self::from_source(Source::Seeded(Arc::new(Mutex::new(Seeded { key, counter: 0 }))))
    }

    fn from_source(source: Source) -> Self {
        Self { source, last: Arc::default() }
    }

    /// # Panics
    /// When the operating system has no randomness to give: going on with predictable secrets would be worse.
    pub fn fill(&self, out: &mut [u8]) {
        match &self.source {
            Source::System => fill_from_system(out),
            Source::Seeded(state) => state.lock().unwrap_or_else(PoisonError::into_inner).fill(out),
        }
    }

    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.fill(&mut bytes);
        bytes
    }

    pub fn uuid_v4(&self) -> Uuid {
        Builder::from_random_bytes(self.bytes()).into_uuid()
    }

    /// Sorts by the time given and, within a millisecond, in the order of these calls: what one process does is in the trail in
    /// its order. The place in the millisecond is a counter of 12 bits that begins in the lower half (RFC 9562 §6.2, method 1);
    /// when it is used up, what follows in the same millisecond has no order.
    pub fn uuid_v7(&self, unix_millis: u64) -> Uuid {
        let mut bytes: [u8; 10] = self.bytes();
        let [first, second, ..] = bytes;
        let place = self.place_in(unix_millis, u16::from_be_bytes([first, second]) & (PLACES >> 1));
        let [high, low] = place.to_be_bytes();
        if let Some(start) = bytes.get_mut(..2) {
            start.copy_from_slice(&[high, low]);
        }
        Builder::from_unix_timestamp_millis(unix_millis, &bytes).into_uuid()
    }

    fn place_in(&self, unix_millis: u64, first: u16) -> u16 {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let (millis, place) = *last;
        let place = if millis == unix_millis { place.saturating_add(1).min(PLACES) } else { first };
        *last = (unix_millis, place);
        place
    }

    /// 256 bits for a browser or a client to hold.
    pub fn token(&self) -> OpaqueToken {
        OpaqueToken::from_bytes(self.bytes())
    }

    /// `n` decimal digits, each of the ten equally likely, leading zeros included.
    pub fn digits(&self, n: u32) -> String {
        (0..n).filter_map(|_| char::from_digit(self.below(10), 10)).collect()
    }

    /// Uniform in `0..n`; zero when `n` is zero.
    pub fn below(&self, n: u32) -> u32 {
        if n == 0 {
            return 0;
        }
        // Values above the last whole multiple of n would favour the small remainders: draw again.
        let excess = (u32::MAX % n + 1) % n;
        loop {
            let value = u32::from_be_bytes(self.bytes());
            if value <= u32::MAX - excess {
                return value % n;
            }
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place that asks the system")]
fn fill_from_system(out: &mut [u8]) {
    assert!(rand::fill(out).is_ok(), "the operating system gave no randomness");
}

impl Seeded {
    fn fill(&mut self, out: &mut [u8]) {
        for chunk in out.chunks_mut(32) {
            let block = hmac::sign(&self.key, &self.counter.to_be_bytes());
            self.counter += 1;
            for (out, byte) in chunk.iter_mut().zip(block.as_ref()) {
                *out = *byte;
            }
        }
    }
}

impl fmt::Debug for Random {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.source {
            Source::System => "Random(system)",
            Source::Seeded(_) => "Random(seeded)",
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use uuid::Version;

    use super::*;

    #[test]
    fn a_seed_repeats_itself_and_clones_share_the_stream() {
        let (one, two) = (Random::seeded(7), Random::seeded(7));
        assert_eq!(one.bytes::<100>(), two.bytes::<100>());
        assert_ne!(one.bytes::<32>(), one.clone().bytes::<32>());
        assert_ne!(Random::seeded(7).bytes::<32>(), Random::seeded(8).bytes::<32>());
    }

    #[test]
    fn the_system_source_fills_every_length() {
        let random = Random::system();
        for length in [0, 1, 31, 32, 33, 1000] {
            let mut bytes = vec![0; length];
            random.fill(&mut bytes);
            assert!(length < 16 || bytes.iter().any(|byte| *byte != 0));
        }
        assert_ne!(random.bytes::<32>(), random.bytes::<32>());
    }

    #[test]
    fn below_stays_below_and_reaches_everything() {
        let random = Random::seeded(1);
        assert_eq!(random.below(0), 0);
        assert_eq!(random.below(1), 0);
        for n in [2, 3, 10, 1000, u32::MAX, 1 << 31, (1 << 31) + 1] {
            assert!((0..200).all(|_| random.below(n) < n), "{n}");
        }
        let seen: HashSet<u32> = (0..500).map(|_| random.below(10)).collect();
        assert_eq!(seen.len(), 10);
    }

    #[test]
    fn below_shows_no_modulo_bias() {
        // Taking 3 << 30 as the bound, a plain remainder would land in the lowest third half of the time.
        let random = Random::seeded(2);
        let low = (0..3000).filter(|_| random.below(3 << 30) < 1 << 30).count();
        assert!((850..1150).contains(&low), "{low} of 3000 in the lowest third");
    }

    #[test]
    fn digits_keep_their_length_and_leading_zeros() {
        let random = Random::seeded(3);
        let codes: Vec<String> = (0..200).map(|_| random.digits(6)).collect();
        assert!(codes.iter().all(|code| code.len() == 6 && code.bytes().all(|b| b.is_ascii_digit())));
        assert!(codes.iter().any(|code| code.starts_with('0')));
        assert_eq!(random.digits(0), "");
    }

    #[test]
    fn rfc9562_uuids_carry_version_and_time() {
        let random = Random::seeded(4);
        assert_eq!(random.uuid_v4().get_version(), Some(Version::Random));
        let (earlier, later) = (random.uuid_v7(1_700_000_000_000), random.uuid_v7(1_700_000_000_001));
        assert_eq!(earlier.get_version(), Some(Version::SortRand));
        assert!(earlier < later);
        assert_eq!(&earlier.as_bytes()[..6], &1_700_000_000_000_u64.to_be_bytes()[2..]);
    }

    #[test]
    fn rfc9562_6_2_uuids_of_a_millisecond_sort_in_the_order_in_which_they_are_drawn() {
        for random in [Random::system(), Random::seeded(5)] {
            for millis in [3, 4, 3] {
                let drawn: Vec<Uuid> = (0..2_000).map(|_| random.clone().uuid_v7(millis)).collect();
                assert!(drawn.is_sorted());
                let different: std::collections::BTreeSet<_> = drawn.iter().collect();
                assert_eq!(different.len(), drawn.len());
            }
            // More than the counter holds are as different as ever.
            let many: std::collections::BTreeSet<_> = (0..9_000).map(|_| random.uuid_v7(9)).collect();
            assert_eq!(many.len(), 9_000);
        }
    }
}
