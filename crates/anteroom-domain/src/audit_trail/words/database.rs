//! A database that had gone back.

use super::Detail;

pub(super) fn sentence(kind: &str, detail: &Detail) -> Option<String> {
    if kind != "database_accepted" {
        return None;
    }
    Some(format!(
        "An operator accepted a database that was restored to an earlier state: it reached up to entry {}. With that \
         {} sessions and {} \
         grants have ended.",
        detail.number("up_to"),
        detail.number("sessions"),
        detail.number("grants")
    ))
}
