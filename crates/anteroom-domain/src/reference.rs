//! References: the short code on an error page by which an operator finds what happened in the log and the trail.

use std::fmt;

/// Crockford's alphabet: no letter that is read as a digit over the telephone.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// 40 random bits as eight characters, `K7QF-3M2X`. Unique enough to find, worthless to guess.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Reference([u8; 5]);

impl Reference {
    pub const fn from_random(bytes: [u8; 5]) -> Self {
        Self(bytes)
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bits = self.0.iter().fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
        for place in (0..8).rev() {
            let index = usize::try_from(bits >> (place * 5) & 31).unwrap_or(0);
            let letter = ALPHABET.get(index).copied().unwrap_or(b'0');
            write!(f, "{}", char::from(letter))?;
            if place == 4 {
                f.write_str("-")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_reads_as_two_groups_of_four() {
        assert_eq!(Reference::from_random([0; 5]).to_string(), "0000-0000");
        assert_eq!(Reference::from_random([0xff; 5]).to_string(), "ZZZZ-ZZZZ");
        assert_eq!(Reference::from_random([0, 0, 0, 0, 1]).to_string(), "0000-0001");
    }
}
