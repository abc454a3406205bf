//! Messages to people: what is queued in the database becomes an email, a text message or a call in the theme's words,
//! and is sent.
//!
//! A development instance shows them on a page instead ([`OutboxItem`]); everywhere else a [`Worker`] sends them through the
//! configured [`Senders`].

mod branding;
mod call;
mod channel_backoff;
mod email;
mod outbox_item;
mod rendered;
mod segments;
mod sending;
mod text;
mod units;
mod worker;

pub use branding::Branding;
pub use outbox_item::OutboxItem;
pub use rendered::{Rendered, Script};
pub use segments::{SampleText, Segments, sample_texts};
pub use sending::{
    ClientError, DeliveryError, Gateway, GatewayError, GatewayMethod, GatewayRequest, PhoneProvider, Reason,
    Senders, Smtp, SmtpError, SmtpServer, SmtpTls, check_connection, twilio,
};
pub use worker::{Renderer, Worker};
