//! The profile of the account that is signed in, as a form.

use serde::Serialize;

use super::{Page, SAMPLE_TOKEN};

/// `POST /account/profile` with `form_token`, `session` and a field for each claim, by its name. An absent field leaves
/// its claim unchanged; an empty one removes it.
#[derive(Clone, Serialize)]
pub struct ProfilePage {
    pub form_token: String,
    /// The session of this form, which is invalid in another session.
    pub session: String,
    pub groups: Vec<ProfileGroup>,
    /// The choices of the field `locale`.
    pub languages: Vec<LanguageChoice>,
    /// The suggestions of the field `zoneinfo`.
    pub time_zones: Vec<&'static str>,
    pub saved: bool,
    /// Whether some entered value is invalid; the fields have the details.
    pub problem: bool,
    pub dashboard_href: String,
}

#[derive(Clone, Serialize)]
pub struct ProfileGroup {
    pub name: ProfileGroupName,
    pub fields: Vec<ProfileField>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProfileGroupName {
    Name,
    About,
    Address,
    Links,
}

#[derive(Clone, Serialize)]
pub struct ProfileField {
    /// The name of the claim and the field; a part of the address has no prefix (`locality`).
    pub name: String,
    pub input: ProfileInput,
    /// The stored or entered value.
    pub value: String,
    /// The HTML `autocomplete` value.
    pub autocomplete: String,
    /// Whether there is a hint text for the field.
    pub hinted: bool,
    pub problem: Option<ProfileProblem>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProfileInput {
    Line,
    Lines,
    Link,
    Language,
    /// A time zone: a text field with suggestions.
    Zone,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProfileProblem {
    TooLong,
    Control,
    NotALink,
    NotADate,
    NotAZone,
    NotALanguage,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LanguageChoice {
    /// BCP 47.
    pub tag: String,
    pub chosen: bool,
}

impl Page for ProfilePage {
    const TEMPLATE: &'static str = "profile";
    const IN_SESSION: bool = true;

    fn samples() -> Vec<Self> {
        let field = |name: &str, input, value: &str, autocomplete: &str| ProfileField {
            name: name.to_owned(),
            input,
            value: value.to_owned(),
            autocomplete: autocomplete.to_owned(),
            hinted: matches!(name, "birthdate" | "zoneinfo"),
            problem: None,
        };
        let group = |name, fields: &[ProfileField]| ProfileGroup { name, fields: fields.to_vec() };
        let language = |tag: &str, chosen| LanguageChoice { tag: tag.to_owned(), chosen };
        let names = [
            field("name", ProfileInput::Line, "Alice Moreno", "name"),
            field("given_name", ProfileInput::Line, "Alice", "given-name"),
            field("family_name", ProfileInput::Line, "Moreno", "family-name"),
        ];
        let about = [
            field("birthdate", ProfileInput::Line, "0000-05-17", "bday"),
            field("zoneinfo", ProfileInput::Zone, "America/New_York", "off"),
            field("locale", ProfileInput::Language, "en", "language"),
        ];
        let address = [
            field("street_address", ProfileInput::Lines, "1 Main St\nSuite 2", "street-address"),
            field("locality", ProfileInput::Line, "Springfield", "address-level2"),
        ];
        let links = [field("website", ProfileInput::Link, "https://practice.example/", "url")];
        let full = ProfilePage {
            form_token: SAMPLE_TOKEN.to_owned(),
            session: "session-handle".to_owned(),
            groups: vec![
                group(ProfileGroupName::Name, &names),
                group(ProfileGroupName::About, &about),
                group(ProfileGroupName::Address, &address),
                group(ProfileGroupName::Links, &links),
            ],
            languages: vec![language("en", true), language("es", false), language("fr-CA", false)],
            time_zones: vec!["America/Chicago", "America/New_York"],
            saved: false,
            problem: false,
            dashboard_href: "/dashboard".to_owned(),
        };
        let saved = ProfilePage { saved: true, ..full.clone() };
        let wrong = |name: &str, input, value: &str, problem| ProfileField {
            problem: Some(problem),
            ..field(name, input, value, "off")
        };
        let problems = [
            wrong("name", ProfileInput::Line, "A\u{7}", ProfileProblem::Control),
            wrong("nickname", ProfileInput::Line, "Al", ProfileProblem::TooLong),
            wrong("birthdate", ProfileInput::Line, "17 May", ProfileProblem::NotADate),
            wrong("zoneinfo", ProfileInput::Line, "Springfield", ProfileProblem::NotAZone),
            wrong("locale", ProfileInput::Language, "e", ProfileProblem::NotALanguage),
            wrong("street_address", ProfileInput::Lines, "1 Main St", ProfileProblem::TooLong),
            wrong("website", ProfileInput::Link, "practice", ProfileProblem::NotALink),
        ];
        let problems = vec![group(ProfileGroupName::About, &problems)];
        let invalid = ProfilePage { groups: problems, problem: true, ..full.clone() };
        vec![full, saved, invalid]
    }
}
