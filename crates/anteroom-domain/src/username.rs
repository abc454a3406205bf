//! Applications take `preferred_username` for the name of one person, and many compare it loosely. So names are compared
//! without regard to case, width and composition, and a name is no other account's address.

use crate::address::EmailAddress;
use icu_normalizer::ComposingNormalizerBorrowed;
use std::fmt;

/// The form in which names are compared.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FoldedUsername(String);

impl FoldedUsername {
    pub fn of(name: &str) -> Self {
        let nfkc = ComposingNormalizerBorrowed::new_nfkc();
        let wide = nfkc.normalize(name.trim());
        // Where it is an address, its domain has one spelling.
        let spelt = EmailAddress::parse(&wide).map_or_else(|_| wide.into_owned(), String::from);
        // By way of the upper case, so that `ß` is `ss`.
        let folded = spelt.to_uppercase().to_lowercase();
        Self(nfkc.normalize(&folded).into_owned())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for FoldedUsername {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_one_however_they_are_written() {
        for (one, other, same) in [
            ("mlopez", "MLopez", true),
            ("mlopez", " mlopez ", true),
            ("müller", "MU\u{308}LLER", true),
            ("ｍｌｏｐｅｚ", "mlopez", true),
            ("strauß", "STRAUSS", true),
            ("Ὀδυσσεύς", "ὈΔΥΣΣΕΎΣ", true),
            ("maria@zahnärzte.example", "Maria@XN--zahnrzte-3za.example", true),
            ("mlopez", "m.lopez", false),
            ("mlopez", "mlopes", false),
        ] {
            assert_eq!(FoldedUsername::of(one) == FoldedUsername::of(other), same, "{one} {other}");
            // Once folded it stays.
            let folded = FoldedUsername::of(one);
            assert_eq!(FoldedUsername::of(folded.as_str()), folded);
        }
    }
}
