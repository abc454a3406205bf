//! Text from outside, escaped for a terminal. An argument that was copied from a page, or a name, could otherwise move
//! the cursor, reverse the direction of the line or look like our own output.

use anteroom_oidc::display_text::{is_hidden, shorten};

/// An argument that an error repeats: shortened, with invisible characters as escapes, as in the log.
pub fn argument(text: &str) -> String {
    escaped(&shorten(text), |_| false)
}

/// A command's output; its own line breaks are kept.
pub fn lines(text: &str) -> String {
    escaped(text, |c| c == '\n')
}

fn escaped(text: &str, stays: impl Fn(char) -> bool) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if is_hidden(c) && !stays(c) {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_argument_is_one_line_without_commands_to_the_terminal() {
        let shown = argument("a\u{1b}[2J\r\nanteroom: fine \u{202e}txt");
        assert_eq!(shown, "a\\u{1b}[2J\\r\\nanteroom: fine \\u{202e}txt");
        assert_eq!(argument(&"x".repeat(500)).chars().count(), 201);
        assert_eq!(lines("one\ntwo\u{1b}\t"), "one\ntwo\\u{1b}\\t");
    }
}
