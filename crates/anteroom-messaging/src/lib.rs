//! Messages to people: what is queued in the database becomes an email, a text or a call in the theme's words, and is sent.
//!
//! A development instance shows them on a page instead ([`Delivered`]); everywhere else a [`Worker`] sends them through the
//! configured [`Senders`].

mod delivered;
mod email;
mod rendered;
mod sending;
mod worker;

pub use delivered::{Channel, Delivered};
pub use email::{Letterhead, moment, write};
pub use rendered::{Rendered, Script};
pub use sending::{
    ClientError, Failure, Gateway, GatewayError, GatewayMethod, GatewayRequest, Reason, Senders, Smtp,
    SmtpError, SmtpServer, SmtpTls, Telephone, twilio,
};
pub use worker::{Worker, Writer};
