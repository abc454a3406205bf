//! Messages to people: what is queued in the database becomes an email, a text message or a call in the theme's words,
//! and is sent.
//!
//! A development instance shows them on a page instead ([`Delivered`]); everywhere else a [`Worker`] sends them through the
//! configured [`Senders`].

mod call;
mod delivered;
mod email;
mod letterhead;
mod pause;
mod rendered;
mod segments;
mod sending;
mod text;
mod worker;

pub use delivered::Delivered;
pub use letterhead::Letterhead;
pub use rendered::{Rendered, Script};
pub use segments::{SampleText, Segments, sample_texts};
pub use sending::{
    ClientError, Failure, Gateway, GatewayError, GatewayMethod, GatewayRequest, Reason, Senders, Smtp,
    SmtpError, SmtpServer, SmtpTls, Telephone, reach, twilio,
};
pub use worker::{Worker, Writer};
