use anteroom_domain::account::{AccountStatus, PhoneKind, PostalAddress, Profile};
use anteroom_domain::link::LinkKind;
use anteroom_domain::message::Channel;
use anteroom_domain::one_time_code::CodePurpose;
use anteroom_domain::phone::DeliveryMethod;

use crate::golden::Form;
use crate::samples;

const PROFILES: Form = Form { name: "profiles", objects: &["", "/address"] };
const WORDS: Form = Form { name: "words", objects: &[] };

#[test]
fn profiles_of_every_release_are_read() {
    PROFILES.check(&[
        ("empty", Profile::default()),
        ("name", Profile { name: Some("Álvarez, María".to_owned()), ..Profile::default() }),
        ("everything", everything()),
    ]);
    // Release 0.1.0 refuses a profile with a member that it does not know.
    let written = serde_json::to_value(everything()).unwrap();
    assert_eq!(PROFILES.stored("everything", &written), written);
}

fn everything() -> Profile {
    let text = |text: &str| Some(text.to_owned());
    Profile {
        name: text("Dr. María Álvarez"),
        given_name: text("María"),
        family_name: text("Álvarez"),
        middle_name: text("de los Ángeles"),
        nickname: text("Mari"),
        preferred_username: text("maria"),
        profile: text("https://practice.example/maria"),
        picture: text("https://practice.example/maria.png"),
        website: text("https://maria.example/"),
        gender: text("female"),
        birthdate: text("0000-02-29"),
        zoneinfo: text("America/New_York"),
        address: Some(PostalAddress {
            formatted: text("1 Main St\nSuite 2"),
            street_address: text("1 Main St\nSuite 2"),
            locality: text("Springfield"),
            region: text("IL"),
            postal_code: text("62701"),
            country: text("US"),
        }),
    }
}

/// Columns that hold one of a few words.
#[test]
fn words_of_every_release_are_read() {
    let (mut known, mut words) = (Vec::new(), Vec::new());
    macro_rules! column {
        ($column:literal, $samples:expr, $parse:expr) => {
            for (word, value) in $samples {
                assert_eq!(value.as_str(), word);
                assert_eq!($parse(word), Some(value));
                words.push(serde_json::Value::from(word));
            }
            let column = std::mem::take(&mut words);
            WORDS.stored($column, &serde_json::Value::from(column));
            known.push($column);
        };
    }
    column!(
        "account_status",
        samples!(AccountStatus {
            "invited": Invited = AccountStatus::Invited,
            "active": Active = AccountStatus::Active,
            "disabled": Disabled = AccountStatus::Disabled,
        }),
        AccountStatus::parse
    );
    column!(
        "phone_kind",
        samples!(PhoneKind { "cell": Cell = PhoneKind::Cell, "landline": Landline = PhoneKind::Landline, }),
        PhoneKind::parse
    );
    column!(
        "channel",
        samples!(Channel {
            "email": Email = Channel::Email,
            "text": Text = Channel::Text,
            "call": Call = Channel::Call,
        }),
        Channel::parse
    );
    column!(
        "code_purpose",
        samples!(CodePurpose {
            "recovery": Recovery = CodePurpose::Recovery,
            "expired_password": ExpiredPassword = CodePurpose::ExpiredPassword,
            "step_up": StepUp = CodePurpose::StepUp,
            "registration": Registration = CodePurpose::Registration,
        }),
        CodePurpose::parse
    );
    column!(
        "code_method",
        samples!(DeliveryMethod { "text": Text = DeliveryMethod::Text, "call": Call = DeliveryMethod::Call, }),
        DeliveryMethod::parse
    );
    column!(
        "link_kind",
        samples!(LinkKind {
            "recovery": Recovery = LinkKind::Recovery,
            "invitation": Invitation = LinkKind::Invitation,
        }),
        LinkKind::parse
    );
    WORDS.check_that_no_file_has_more_than(&known);
}
