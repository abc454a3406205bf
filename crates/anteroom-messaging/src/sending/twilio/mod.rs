//! Texts and calls through Twilio's REST API, version 2010-04-01.
//!
//! A voicemail that answers must not record the code, so a call says it only after a key was pressed. The part of the
//! call that contains the code is sealed into the callback URL that Twilio requests after the key press, so nothing has
//! to be stored.

mod callbacks;
mod script;
mod signature;
mod status;

pub use callbacks::{Callback, CallbackError, Callbacks};
pub use script::{CodePartSealer, SpokenPartError};

use anteroom_domain::phone::E164;
use reqwest::StatusCode;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use std::sync::Arc;
use url::Url;

use super::MessageHeader;
use super::failure::{DeliveryError, Reason};
use super::http::{Answer, ClientError, ask, client};
use crate::rendered::Script;
use script::{CallbackUrls, opening};

/// Where Twilio tells us what became of a message, below the issuer.
pub const CALLBACK_PATH: &str = "callbacks/twilio";

#[derive(Clone, Debug)]
pub struct TwilioAccount {
    /// `https://api.twilio.com`, unless a test has its own.
    pub base_url: Url,
    pub account_sid: String,
    pub auth_token: SecretString,
    pub number: Option<E164>,
    /// Takes the number's place for texts.
    pub messaging_service: Option<String>,
}

#[derive(Debug, thiserror::Error)]
pub enum TwilioError {
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error("twilio.base_url cannot have paths")]
    BaseUrl,
    #[error("the issuer cannot have paths")]
    Issuer,
}

pub struct Twilio {
    account: TwilioAccount,
    http: reqwest::Client,
    /// Of the account, with `Messages.json` and `Calls.json` below.
    resources: Url,
    callbacks: Url,
    callback_urls: CallbackUrls,
}

/// A refusal in Twilio's words.
#[derive(Deserialize)]
struct TwilioErrorBody {
    code: u32,
}

impl Twilio {
    /// `issuer` is where Twilio reaches us; `part_sealer` is what the words after the key are sealed with.
    pub fn new(
        account: TwilioAccount,
        issuer: &Url,
        part_sealer: Arc<CodePartSealer>,
    ) -> Result<Self, TwilioError> {
        let http = client(&account.base_url)?;
        let resources = below(&account.base_url, &["2010-04-01", "Accounts", &account.account_sid]);
        let callbacks = below(issuer, &CALLBACK_PATH.split('/').collect::<Vec<_>>());
        Ok(Self {
            resources: resources.ok_or(TwilioError::BaseUrl)?,
            callbacks: callbacks.ok_or(TwilioError::Issuer)?,
            callback_urls: CallbackUrls(part_sealer),
            http,
            account,
        })
    }

    pub(crate) async fn text(
        &self,
        header: MessageHeader,
        to: &E164,
        body: &str,
    ) -> Result<(), DeliveryError> {
        let (name, sender) = match &self.account.messaging_service {
            Some(service) => ("MessagingServiceSid", service.as_str()),
            None => ("From", self.number()?.as_str()),
        };
        let callback = self.callback(header);
        let form =
            [("To", to.as_str()), (name, sender), ("Body", body), ("StatusCallback", callback.as_str())];
        self.post("Messages.json", &form).await
    }

    pub(crate) async fn call(
        &self,
        header: MessageHeader,
        to: &E164,
        script: &Script,
    ) -> Result<(), DeliveryError> {
        let callback = self.callback(header);
        let after_the_key = self.callback_urls.after_the_key(&callback, header, script);
        let twiml = opening(script, &after_the_key.ok_or(DeliveryError::new(Reason::Unwritable))?);
        let form = [
            ("To", to.as_str()),
            ("From", self.number()?.as_str()),
            ("Twiml", &twiml),
            ("StatusCallback", callback.as_str()),
            ("Timeout", "40"),
        ];
        self.post("Calls.json", &form).await
    }

    fn number(&self) -> Result<&E164, DeliveryError> {
        let nothing = || DeliveryError::new(Reason::Credentials).detailed("no number to come from");
        self.account.number.as_ref().ok_or_else(nothing)
    }

    fn callback(&self, header: MessageHeader) -> Url {
        below(&self.callbacks, &[&header.id.to_string()]).unwrap_or_else(|| self.callbacks.clone())
    }

    async fn post(&self, resource: &str, form: &[(&str, &str)]) -> Result<(), DeliveryError> {
        let url = below(&self.resources, &[resource]).ok_or(DeliveryError::new(Reason::Unwritable))?;
        let token = self.account.auth_token.expose_secret();
        let request = self.http.post(url).basic_auth(&self.account.account_sid, Some(token)).form(form);
        let answer = ask(request).await?;
        if answer.status.is_success() { Ok(()) } else { Err(refusal(&answer)) }
    }
}

fn refusal(answer: &Answer) -> DeliveryError {
    let code = serde_json::from_slice::<TwilioErrorBody>(&answer.body).ok().map(|refusal| refusal.code);
    let general = answer.failure();
    let Some(code) = code.filter(|_| answer.status != StatusCode::TOO_MANY_REQUESTS) else { return general };
    let reason = if answer.status.is_server_error() { None } else { status::reason(code) };
    DeliveryError { reason: reason.unwrap_or(general.reason), ..general }
        .detailed(format!("{}, error {code}", answer.status.as_u16()))
}

fn below(url: &Url, segments: &[&str]) -> Option<Url> {
    let mut url = url.clone();
    url.path_segments_mut().ok()?.pop_if_empty().extend(segments);
    Some(url)
}
