//! `[clients.claims]`: other names for groups, and constant claims.

use anteroom_domain::account::GroupName;
use anteroom_oidc::claims::{ClaimMapping, ClaimName, InvalidClaimName};
use std::collections::BTreeMap;

use crate::diagnostics::ConfigFinding;
use crate::reader::kind::{entries, json_value, parsed, quoted, text};
use crate::reader::{Section, key};

const ABOUT: &str = "Other names for the groups claim and for groups, and constant claims. Groups are returned only \
                     if the scope `groups` is granted.";

pub(super) struct ClaimsDraft {
    pub(super) mapping: ClaimMapping,
    /// Those that are to have another name, to be found among the groups.
    pub(super) groups: Vec<GroupName>,
}

pub(super) fn read_claims(client: &mut Section<'_, '_>) -> ClaimsDraft {
    let draft = client.optional_section("claims", ABOUT, |section| {
        let name = parsed(
            "name of a claim",
            |name: &ClaimName| quoted(name.as_str()),
            |text| ClaimName::of_groups(text).map_err(|error| error.to_string()),
        );
        let meaning = "The claim that carries the groups, in the place of `groups`.";
        let groups_as = section.get(key("groups_as", name, meaning));
        let group = |text: &str| GroupName::parse(text).map_err(|error| error.to_string());
        let meaning = "What each group is called there; those that are not named are left out. Without it, all have \
            their own names.";
        let kind = entries("table of group names and strings", group, GroupName::as_str, text());
        let groups: Option<BTreeMap<GroupName, String>> = section.get(key("groups", kind, meaning));
        let name = |text: &str| ClaimName::of_constant(text).map_err(|error: InvalidClaimName| error.to_string());
        let meaning = "Claims that are the same for everybody, in ID tokens and at the userinfo endpoint. None that \
            means something already.";
        let kind = entries("table of claims and values", name, ClaimName::as_str, json_value());
        let constants = section.get(key("constants", kind, meaning)).unwrap_or_default();
        if let Some(name) = groups_as.as_ref().filter(|name| constants.contains_key(*name)) {
            let finding = ConfigFinding::error(format!("claim `{}` is said twice", name.as_str()));
            let finding = finding.at(section.place_of("groups_as"), "carries the groups");
            section.cx.report(finding.at(section.place_of("constants"), "and is one of these"));
        }
        let names = groups.iter().flat_map(BTreeMap::keys).cloned().collect();
        let called = |groups: BTreeMap<GroupName, String>| {
            groups.into_iter().map(|(group, value)| (group.to_string(), value)).collect()
        };
        ClaimsDraft {
            mapping: ClaimMapping { groups_as, groups: groups.map(called), constants },
            groups: names,
        }
    });
    draft.unwrap_or_else(|| ClaimsDraft { mapping: ClaimMapping::default(), groups: Vec::new() })
}
