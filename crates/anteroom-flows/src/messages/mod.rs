//! What people are written: links for emails, notices of changes, and the language of each.

pub(crate) mod languages;
pub(crate) mod links;
pub(crate) mod notices;
