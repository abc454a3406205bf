//! What a new password must be: long enough, not one that is guessed first, not made of what is widely known about its
//! owner, and none of the last ones.
//!
//! SP 800-63B-4 §3.1.1.2: length and a block list, no composition rules. Strength is zxcvbn's estimate; its dictionaries are
//! the block list of common passwords.

use crate::account::Account;
use crate::password_text::{has_disallowed, normalized};
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret as _, SecretString};
use zxcvbn::Score;
use zxcvbn::feedback::Warning;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewPasswordPolicy {
    /// In characters of any kind.
    pub min_length: u16,
    pub max_length: u16,
    /// zxcvbn's score, 0 to 4.
    pub min_score: u8,
    /// The current password and so many before it are refused.
    pub remembered: u16,
    /// A password that was not reset cannot be changed again before this age: its owner would rotate through the remembered ones.
    pub min_age: SignedDuration,
}

impl Default for NewPasswordPolicy {
    fn default() -> Self {
        Self {
            min_length: 12,
            max_length: 128,
            min_score: 3,
            remembered: 10,
            min_age: SignedDuration::from_hours(24),
        }
    }
}

/// Why an account gets a new password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NewPasswordReason {
    Recovery,
    Expired,
    Chosen,
    Registration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weakness {
    TooShort,
    TooLong,
    /// On the list of common passwords, or close to one.
    Common,
    /// Made of the address, the name or the practice.
    Personal,
    /// zxcvbn's score is below the policy's minimum.
    Weak,
    /// Has characters that no keyboard types twice alike: controls, and others that are not seen.
    Characters,
}

/// What is widely known about the owner. Words of three letters and fewer are in too many good passwords.
pub fn known_words(account: &Account, practice: &str) -> Vec<String> {
    let profile = &account.profile;
    let names = [&profile.name, &profile.given_name, &profile.family_name, &profile.nickname];
    let address = account.primary_address.as_str();
    let texts = names.into_iter().flatten().map(String::as_str).chain([address, practice]);
    let mut words: Vec<String> = texts
        .flat_map(|text| text.split(|c: char| !c.is_alphanumeric()))
        .map(|word| normalized(&word.into()).expose_secret().to_lowercase())
        .filter(|word| word.chars().count() > 3)
        .collect();
    words.push(address.to_lowercase());
    words.sort_unstable();
    words.dedup();
    words
}

impl NewPasswordPolicy {
    /// Of the normalized form, whose characters are counted.
    pub fn check(&self, password: &SecretString, known: &[String]) -> Result<(), Weakness> {
        if has_disallowed(password) {
            return Err(Weakness::Characters);
        }
        let password = password.expose_secret();
        let length = password.chars().count();
        if length < usize::from(self.min_length) {
            return Err(Weakness::TooShort);
        }
        if length > usize::from(self.max_length) {
            return Err(Weakness::TooLong);
        }
        if is_made_of(password, known) {
            return Err(Weakness::Personal);
        }
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        let estimate = zxcvbn::zxcvbn(beginning(password), &known);
        if estimate.score() >= self.score() {
            return Ok(());
        }
        let warning = estimate.feedback().and_then(zxcvbn::feedback::Feedback::warning);
        let common = matches!(
            warning,
            Some(
                Warning::ThisIsATop10Password
                    | Warning::ThisIsATop100Password
                    | Warning::ThisIsACommonPassword
                    | Warning::ThisIsSimilarToACommonlyUsedPassword
            )
        );
        Err(if common { Weakness::Common } else { Weakness::Weak })
    }

    fn score(&self) -> Score {
        match self.min_score {
            0 => Score::Zero,
            1 => Score::One,
            2 => Score::Two,
            3 => Score::Three,
            _ => Score::Four,
        }
    }

    /// How long until a password set then may be changed by choice; a reset does not ask.
    pub fn too_young(&self, set_at: Timestamp, now: Timestamp) -> Option<SignedDuration> {
        let left = self.min_age - now.duration_since(set_at);
        // A clock set back must not keep anyone waiting longer than the rule says.
        left.is_positive().then(|| left.min(self.min_age))
    }
}

/// zxcvbn's time grows with the cube of the length, so only the beginning is estimated; a password whose beginning is
/// hard to guess is hard to guess.
fn beginning(password: &str) -> &str {
    const JUDGED: usize = 40;
    password.char_indices().nth(JUDGED).and_then(|(end, _)| password.get(..end)).unwrap_or(password)
}

/// Whether too little is left of it without the words that are widely known.
fn is_made_of(password: &str, known: &[String]) -> bool {
    const OWN_CHARACTERS: usize = 8;
    let mut rest = password.to_lowercase();
    for word in known {
        rest = rest.replace(word.as_str(), "");
    }
    let own = rest.chars().filter(|c| c.is_alphanumeric()).count();
    rest.chars().count() < password.chars().count() && own < OWN_CHARACTERS
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known() -> Vec<String> {
        ["alice", "alice@demo.example", "demo", "moreno", "riverside", "dental"].map(str::to_owned).to_vec()
    }

    fn check(password: &str) -> Result<(), Weakness> {
        NewPasswordPolicy::default().check(&password.into(), &known())
    }

    #[test]
    fn each_rule_has_its_word() {
        for (password, expected) in [
            ("lemon-tide-harbor-92", Ok(())),
            ("eleven char", Err(Weakness::TooShort)),
            ("Alice-Moreno-2026", Err(Weakness::Personal)),
            ("riversidedental", Err(Weakness::Personal)),
            ("alice@demo.example", Err(Weakness::Personal)),
            ("password1234", Err(Weakness::Common)),
            ("aaaaaaaaaaaaaaaa", Err(Weakness::Weak)),
            ("lemon-tide-\u{200b}harbor-92", Err(Weakness::Characters)),
            ("lemon\ttide harbor 92", Err(Weakness::Characters)),
            // A known word is no harm in a password that is long without it.
            ("alice keeps lemons in the harbor", Ok(())),
        ] {
            assert_eq!(check(password), expected, "{password}");
        }
        assert_eq!(check(&"lemon-tide-harbor-92 ".repeat(7)), Err(Weakness::TooLong));
    }

    #[test]
    fn a_long_password_is_judged_by_its_beginning() {
        assert_eq!(beginning("звёздочка"), "звёздочка");
        assert_eq!(beginning(&"ё".repeat(128)), "ё".repeat(40));
        assert_eq!(check(&format!("lemon-tide-harbor-92{}", "x".repeat(100))), Ok(()));
        assert_eq!(check(&format!("{}lemon-tide-harbor-92", "a".repeat(100))), Err(Weakness::Weak));
    }

    #[test]
    fn length_counts_characters_of_any_kind() {
        assert_eq!(check("звёздочка-река-7й"), Ok(()));
    }

    #[test]
    fn a_young_password_waits_and_never_longer_than_a_day() {
        let policy = NewPasswordPolicy::default();
        let (set, hour) =
            (Timestamp::UNIX_EPOCH + SignedDuration::from_hours(1_000), SignedDuration::from_hours(1));
        assert_eq!(policy.too_young(set, set + hour), Some(hour * 23));
        assert_eq!(policy.too_young(set, set + hour * 24), None);
        assert_eq!(policy.too_young(set, set - hour * 500), Some(hour * 24));
    }
}
