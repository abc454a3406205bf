//! References: the short code on an error page by which an operator finds what happened in the log and the trail.

use std::fmt;
use std::str::FromStr;

/// Crockford's alphabet: no letter that is read as a digit over the telephone.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// 40 random bits as eight characters, `K7QF-3M2X`. Unique enough to find, worthless to guess.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RequestReference([u8; 5]);

impl RequestReference {
    pub const fn from_random(bytes: [u8; 5]) -> Self {
        Self(bytes)
    }
}

impl fmt::Display for RequestReference {
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

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no reference: eight letters and digits, such as K7QF-3M2X")]
pub struct InvalidReference;

/// As a person may have written it down: without the dash, in small letters, with the letters that look like digits.
impl FromStr for RequestReference {
    type Err = InvalidReference;

    fn from_str(text: &str) -> Result<Self, InvalidReference> {
        let (mut bits, mut letters) = (0_u64, 0_u32);
        for letter in text.trim().bytes().filter(|byte| *byte != b'-') {
            let letter = match letter.to_ascii_uppercase() {
                b'O' => b'0',
                b'I' | b'L' => b'1',
                other => other,
            };
            let value = ALPHABET.iter().position(|known| *known == letter).ok_or(InvalidReference)?;
            bits = bits << 5 | u64::try_from(value).map_err(|_| InvalidReference)?;
            letters += 1;
            if letters > 8 {
                return Err(InvalidReference);
            }
        }
        let [_, _, _, bytes @ ..] = bits.to_be_bytes();
        if letters == 8 { Ok(Self(bytes)) } else { Err(InvalidReference) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_read_as_people_write_it() {
        let reference = RequestReference::from_random([0x9a, 0xbc, 0xde, 0xf0, 0x12]);
        let shown = reference.to_string();
        for text in [shown.clone(), shown.to_lowercase(), shown.replace('-', ""), format!(" {shown} ")] {
            assert_eq!(text.parse(), Ok(reference), "{text}");
        }
        assert_eq!("oooo-oooL".parse(), Ok(RequestReference::from_random([0, 0, 0, 0, 1])));
        for bad in ["", "K7QF-3M2", "K7QF-3M2XY", "K7QF_3M2X", "maria@x", "K7QF-3M2U"] {
            assert_eq!(bad.parse::<RequestReference>(), Err(InvalidReference), "{bad}");
        }
    }

    #[test]
    fn a_reference_reads_as_two_groups_of_four() {
        assert_eq!(RequestReference::from_random([0; 5]).to_string(), "0000-0000");
        assert_eq!(RequestReference::from_random([0xff; 5]).to_string(), "ZZZZ-ZZZZ");
        assert_eq!(RequestReference::from_random([0, 0, 0, 0, 1]).to_string(), "0000-0001");
    }
}
