//! Refresh tokens that were used.

use super::Detail;
use crate::refresh::MOST_REPEATS;

pub(super) fn sentence(kind: &str, detail: &Detail) -> Option<String> {
    Some(match kind {
        "token_refreshed" => renewed(detail),
        "refresh_repeated" => {
            let first = detail.text("first_address");
            let first = if first.is_empty() { "an address that was not noted" } else { &first };
            format!(
                "The application asked for the same tokens again, as after a lost answer ({} of {MOST_REPEATS}). The first \
                 time they went to {first}.",
                detail.number("repeat"),
            )
        }
        "refresh_replayed" => {
            "A refresh token was used again after its successor, or too often. It may have been stolen: all tokens of that \
             sign-in have ended."
                .to_owned()
        }
        "refresh_ahead" => format!(
            "A refresh token was used that was made here, and that the database does not know: it is number {}, and the \
             database knows of {}. What was written was lost. All tokens of that sign-in have ended.",
            detail.number("generation"),
            detail.number("known")
        ),
        _ => return None,
    })
}

/// Those that are counted have the address of the entry before; that of this entry may be another.
fn renewed(detail: &Detail) -> String {
    const SINCE: &str = "The application renewed its tokens. Between the entry before and this one it did so";
    let counted = match detail.number("before") {
        0 => return "The application renewed its tokens.".to_owned(),
        1 => format!("{SINCE} once more"),
        before => format!("{SINCE} {before} more times"),
    };
    if detail.is_true("any_address") {
        format!("{counted}.")
    } else {
        format!("{counted}, from the address of the entry before.")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counted_refreshes_have_the_address_of_the_entry_before() {
        for (detail, expected) in [
            ("{}", "The application renewed its tokens."),
            (
                r#"{"before":1}"#,
                "The application renewed its tokens. Between the entry before and this one it did so once more, from the \
                 address of the entry before.",
            ),
            (
                r#"{"before":2}"#,
                "The application renewed its tokens. Between the entry before and this one it did so 2 more times, from the \
                 address of the entry before.",
            ),
            (
                r#"{"before":2,"any_address":true}"#,
                "The application renewed its tokens. Between the entry before and this one it did so 2 more times.",
            ),
        ] {
            let detail = Detail(serde_json::from_str(detail).unwrap());
            assert_eq!(sentence("token_refreshed", &detail).as_deref(), Some(expected));
        }
    }
}
