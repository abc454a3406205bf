//! The providers: SMTP for email, Twilio or an HTTP gateway for texts and calls.

mod failure;
mod gateway;
mod http;
mod redacted_response;
mod smtp;
pub mod twilio;

pub use failure::{DeliveryError, Reason};
pub use gateway::{Gateway, GatewayError, GatewayMethod, GatewayRequest};
pub use http::{ClientError, check_connection};
use smtp::Recipient;
pub use smtp::{Smtp, SmtpError, SmtpServer, SmtpTls};

use anteroom_domain::ids::MessageId;
use anteroom_domain::message::Channel;
use jiff::Timestamp;

use crate::rendered::Rendered;
use twilio::Twilio;

/// Requests under way at once on a channel that keeps no connections of its own.
const PARALLEL: usize = 16;

/// Who takes texts and calls.
pub enum PhoneProvider {
    Twilio(Box<Twilio>),
    Gateway(Gateway),
}

/// What is configured; a channel may have no provider for its messages.
#[derive(Default)]
pub struct Senders {
    pub email: Option<Smtp>,
    pub text: Option<PhoneProvider>,
    pub call: Option<PhoneProvider>,
}

/// Which message, and when it was written and stops being of use.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MessageHeader {
    pub(crate) id: MessageId,
    pub(crate) at: Timestamp,
    pub(crate) expires_at: Timestamp,
}

impl Senders {
    pub const fn serves(&self, channel: Channel) -> bool {
        match channel {
            Channel::Email => self.email.is_some(),
            Channel::Text => self.text.is_some(),
            Channel::Call => self.call.is_some(),
        }
    }

    /// How many messages of a channel may be on their way at once.
    pub(crate) fn at_once(&self, channel: Channel) -> usize {
        match (channel, &self.email) {
            (Channel::Email, Some(smtp)) => smtp.connections(),
            _ => PARALLEL,
        }
    }

    /// What is kept open on a channel and was not needed for a while is closed; at the end, all of it.
    pub(crate) async fn close_idle(&self, channel: Channel, all: bool) {
        if let (Channel::Email, Some(smtp)) = (channel, &self.email) {
            smtp.close_idle(all).await;
        }
    }

    /// `name` is the person's, for a mail.
    pub(crate) async fn send(
        &self,
        header: MessageHeader,
        name: Option<&str>,
        rendered: &Rendered,
    ) -> Result<(), DeliveryError> {
        let not_configured = DeliveryError::new(Reason::NotConfigured);
        match rendered {
            Rendered::Email { to, email } => {
                let smtp = self.email.as_ref().ok_or(not_configured)?;
                smtp.send(header, Recipient { name, address: to }, email).await
            }
            Rendered::Text { to, body } => match self.text.as_ref().ok_or(not_configured)? {
                PhoneProvider::Twilio(twilio) => twilio.text(header, to, body).await,
                PhoneProvider::Gateway(gateway) => gateway.send(header.id, to, body).await,
            },
            Rendered::Call { to, script } => match self.call.as_ref().ok_or(not_configured)? {
                PhoneProvider::Twilio(twilio) => twilio.call(header, to, script).await,
                PhoneProvider::Gateway(gateway) => {
                    gateway.send(header.id, to, &script.words.code_spoken).await
                }
            },
            Rendered::Unaddressed => Err(DeliveryError::new(Reason::NoAccount)),
        }
    }
}
