//! What others chose, as a terminal shows it: an argument that was copied from somewhere, or a name, could otherwise move the cursor,
//! turn the direction of the line or look like a line of ours.

use anteroom_oidc::display_text::{is_hidden, shorten};

/// An argument that an error repeats: cut, with hidden characters as escapes, as the log has them.
pub fn argument(text: &str) -> String {
    escaped(&shorten(text), |_| false)
}

/// What a command says: its own lines stay.
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
