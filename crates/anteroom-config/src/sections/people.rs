//! What people of the practice see: its name, its groups, the theme.

use anteroom_domain::account::GroupName;
use jiff::tz::TimeZone;

use crate::diagnostics::SourceSpan;
use crate::reader::kind::{Kind, parsed, quoted, text};
use crate::reader::{Section, file_path, key};
use crate::settings::{Group, Practice, ThemeSettings};

pub(super) fn read_practice(top: &mut Section<'_, '_>) -> Practice {
    top.section("practice", "The practice, as its people see it.", |section| {
        let meaning = "Its name: on every page and in every message, and refused as a password.";
        let name = section.get_or(key("name", text(), meaning), "Anteroom".to_owned());
        let meaning = "Whom to ask, as people are told wherever they cannot go on by themselves: a name, a \
            phone number, an address.";
        let support_contact = section.get(key("support_contact", text(), meaning));
        let time_zone = key("time_zone", time_zone(), "The zone in which times are shown.");
        let meaning =
            "BCP 47 tag of the language for people whose browsers ask for none that the theme speaks.";
        let locale = key("default_locale", language(), meaning);
        Practice {
            name,
            support_contact,
            time_zone: section.get_or(time_zone, TimeZone::UTC),
            default_locale: section.at_start(|section| section.get_or(locale, "en".to_owned())),
        }
    })
}

pub(super) fn read_theme(top: &mut Section<'_, '_>) -> ThemeSettings {
    top.section("theme", "How pages and messages look.", |section| {
        let meaning = "Folder whose templates, texts and assets take the place of the built-in ones.";
        let folder = section.get(key("folder", file_path(), meaning));
        ThemeSettings { folder: folder.map(|folder| section.cx.resolve(section.file, &folder)) }
    })
}

/// A group as it was read.
pub(crate) struct GroupDraft {
    /// `groups.0.3.`, under which what was written is known.
    pub(crate) path: String,
    pub(crate) group: Group,
    /// Where its name stands.
    pub(crate) place: Option<SourceSpan>,
}

/// Of one file.
pub(crate) fn read_groups(top: &mut Section<'_, '_>) -> Vec<GroupDraft> {
    let about =
        "The groups that people can be in. Clients admit by them, and the `groups` claim carries them.";
    let groups = top.array("groups", about, |section| {
        let name = section.require(key(
            "name",
            group_name(),
            "What clients and tokens call it: a-z, 0-9, `-`, `_` and `.`.",
        ));
        let description = section.get(key("description", text(), "What it is for."));
        let (path, place) = (format!("{}.", section.path), section.place_of("name"));
        name.map(|name| GroupDraft { path, group: Group { name, description }, place })
    });
    groups.into_iter().flatten().collect()
}

pub(super) fn group_name() -> Kind<GroupName> {
    let show = |name: &GroupName| quoted(name.as_str());
    parsed("group name", show, |text| GroupName::parse(text).map_err(|error| error.to_string()))
}

fn time_zone() -> Kind<TimeZone> {
    let show = |zone: &TimeZone| quoted(zone.iana_name().unwrap_or("UTC"));
    parsed("IANA time zone", show, |text| {
        TimeZone::get(text).map_err(|_| "not a time zone, such as \"America/Chicago\"".to_owned())
    })
}

fn language() -> Kind<String> {
    parsed(
        "language tag",
        |tag| quoted(tag),
        |text| {
            let text = text.replace('_', "-");
            let is_subtag =
                |part: &str| (1..=8).contains(&part.len()) && part.chars().all(|c| c.is_ascii_alphanumeric());
            let starts_well = text.split('-').next().is_some_and(|first| {
                (2..=3).contains(&first.len()) && first.chars().all(|c| c.is_ascii_alphabetic())
            });
            if !starts_well || !text.split('-').all(is_subtag) {
                return Err("not a language tag, such as \"en\" or \"es-MX\"".to_owned());
            }
            Ok(text)
        },
    )
}
