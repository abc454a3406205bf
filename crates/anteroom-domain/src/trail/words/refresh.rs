//! Refresh tokens that were used.

use super::Detail;
use crate::refresh::MOST_REPEATS;

pub(super) fn sentence(kind: &str, detail: &Detail) -> Option<String> {
    Some(match kind {
        "token_refreshed" => match detail.number("before") {
            0 => "The application renewed its tokens.".to_owned(),
            before => format!(
                "The application renewed its tokens, and {before} times before, since the last such entry and from the same \
                 address."
            ),
        },
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
