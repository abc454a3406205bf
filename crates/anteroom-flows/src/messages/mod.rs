//! Messages to people: links in emails, notices of changes, and the language of each.

pub(crate) mod languages;
pub(crate) mod links;
pub(crate) mod notices;
