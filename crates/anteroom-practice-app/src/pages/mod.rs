//! The pages: HTML built on the server, without any script, from views that hold plain values.
//!
//! Whatever comes from outside goes through [`Text`]; everything else is a literal of this crate.

mod claim_table;
mod frame;
mod home;
mod problem;
mod screens;
mod signed_out;
mod words;

use std::fmt::{self, Display, Write as _};

use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};

pub(crate) use home::home;
pub(crate) use problem::problem;
pub(crate) use screens::{STYLESHEET, icon};
pub(crate) use signed_out::{HowSignedOut, signed_out};

pub(crate) struct Page {
    status: StatusCode,
    html: String,
}

impl IntoResponse for Page {
    fn into_response(self) -> Response {
        (self.status, Html(self.html)).into_response()
    }
}

/// Text in HTML, in an element or in a quoted attribute.
struct Text<'a>(&'a str);

impl Display for Text<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.0.chars() {
            match character {
                '&' => out.write_str("&amp;")?,
                '<' => out.write_str("&lt;")?,
                '>' => out.write_str("&gt;")?,
                '"' => out.write_str("&quot;")?,
                '\'' => out.write_str("&#39;")?,
                other => out.write_char(other)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_leave_its_element_or_attribute() {
        assert_eq!(
            Text("<b a='1'>\"&\"</b>").to_string(),
            "&lt;b a=&#39;1&#39;&gt;&quot;&amp;&quot;&lt;/b&gt;"
        );
    }
}
