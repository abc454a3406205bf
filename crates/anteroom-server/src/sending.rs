//! Makes the worker that sends queued messages, and its senders, from the settings. With the development outbox no worker runs.

use anteroom_config::{
    EmailSettings, EmailTls, HttpGateway, HttpMethod, PhoneProviderSettings, Settings, TwilioSettings,
};
use anteroom_domain::audit_trail::words::ChannelTarget;
use anteroom_domain::gateway::{Escape, TemplateValues};
use anteroom_domain::message::Channel;
use anteroom_domain::phone::DeliveryMethod;
use anteroom_flows::context::provider::Provider;
use anteroom_messaging::twilio::{Callbacks, CodePartSealer, Twilio, TwilioAccount, TwilioError};
use anteroom_messaging::{
    Gateway, GatewayError, GatewayMethod, GatewayRequest, PhoneProvider, Rendered, Senders, Smtp, SmtpError,
    SmtpServer, SmtpTls, Worker,
};
use anteroom_web::Web;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use url::Url;

/// Longer than one delivery attempt may take.
const STOP_TIMEOUT: Duration = Duration::from_secs(35);

#[derive(Debug, thiserror::Error)]
pub enum SendingError {
    #[error(transparent)]
    Smtp(#[from] SmtpError),
    #[error(transparent)]
    Twilio(#[from] TwilioError),
    #[error("the gateway: {0}")]
    Gateway(#[from] GatewayError),
}

/// The running worker.
pub struct Sending {
    task: JoinHandle<()>,
    stop: watch::Sender<bool>,
}

/// `None` if messages go to the development outbox.
pub fn start(web: &Arc<Web>, settings: &Settings) -> Result<Option<Sending>, SendingError> {
    if settings.dev.outbox {
        return Ok(None);
    }
    for gap in missing_channel_warnings(settings) {
        tracing::warn!("{gap}");
    }
    let worker = worker(web, senders(settings, &web.provider)?);
    let (stop, stopped) = watch::channel(false);
    Ok(Some(Sending { task: tokio::spawn(async move { worker.run(stopped).await }), stop }))
}

impl Sending {
    /// Takes no new message, and waits for those that are being sent.
    pub async fn finish(self) {
        let Self { mut task, stop } = self;
        stop.send_replace(true);
        if tokio::time::timeout(STOP_TIMEOUT, &mut task).await.is_err() {
            tracing::warn!("the time for stopping is over, and messages were still being sent");
            task.abort();
        }
    }
}

/// The methods by which codes can be sent. Like the senders, they change only at the next start.
pub fn methods(settings: &Settings) -> Vec<DeliveryMethod> {
    let sent = |method: &DeliveryMethod| match method {
        DeliveryMethod::Text => settings.text.is_some(),
        DeliveryMethod::Call => settings.voice.is_some(),
    };
    [DeliveryMethod::Text, DeliveryMethod::Call]
        .into_iter()
        .filter(|method| settings.dev.outbox || sent(method))
        .collect()
}

/// Where the messages of a channel go.
pub fn target(settings: &Settings, channel: Channel) -> ChannelTarget {
    let is_configured = match channel {
        Channel::Email => settings.email.is_some(),
        Channel::Text => settings.text.is_some(),
        Channel::Call => settings.voice.is_some(),
    };
    match (settings.dev.outbox, is_configured) {
        (true, _) => ChannelTarget::Outbox,
        (false, true) => ChannelTarget::Provider,
        (false, false) => ChannelTarget::NotConfigured,
    }
}

/// The channels that this configuration lacks, and the consequences for people.
pub fn missing_channel_warnings(settings: &Settings) -> Vec<&'static str> {
    if settings.dev.outbox {
        return Vec::new();
    }
    let mut warnings = Vec::new();
    if settings.email.is_none() {
        warnings.push("[email] is not configured: invitations and password resets cannot be sent");
    }
    match (settings.text.is_some(), settings.voice.is_some()) {
        (true, true) => {}
        (false, true) => warnings.push("[text] is not configured: no text messages are sent, and phones get codes by call \
                                    only"),
        (true, false) => warnings.push(
            "[voice] is not configured: no calls are made, and people who only have a landline cannot verify",
        ),
        (false, false) => warnings.push(
            "neither [text] nor [voice] is configured: no code can be sent to a phone, so people cannot register, \
             reset a password, replace an expired one or pass a second factor",
        ),
    }
    warnings
}

pub fn worker(web: &Arc<Web>, senders: Senders) -> Worker {
    let provider = &web.provider;
    let (store, clock) = (provider.store.clone(), provider.clock.clone());
    let (web, refusing) = (Arc::clone(web), Arc::clone(provider));
    let is_stopped_by_rollback = Box::new(move || refusing.history.is_rolled_back());
    let writer = Box::new(move |message: &_| Rendered::of(&web.theme(), &web.branding(), message));
    Worker { store, clock, senders, writer, is_stopped_by_rollback }
}

pub fn senders(settings: &Settings, provider: &Provider) -> Result<Senders, SendingError> {
    let telephone = |way: Option<&PhoneProviderSettings>| match (way, &settings.twilio) {
        (Some(PhoneProviderSettings::Twilio), Some(account)) => {
            twilio(account, settings, provider).map(|twilio| Some(PhoneProvider::Twilio(Box::new(twilio))))
        }
        (Some(PhoneProviderSettings::Http(request)), _) => {
            Ok(Some(PhoneProvider::Gateway(Gateway::new(gateway_request(request))?)))
        }
        (Some(PhoneProviderSettings::Twilio) | None, _) => Ok(None),
    };
    Ok(Senders {
        email: settings.email.as_ref().map(|email| Smtp::new(&server(email))).transpose()?,
        text: telephone(settings.text.as_ref())?,
        call: telephone(settings.voice.as_ref())?,
    })
}

/// The providers of texts and calls, as section and URL; the URL is filled in with a sample message.
pub fn telephones(settings: &Settings) -> Vec<(&'static str, Url)> {
    let url = |way: &PhoneProviderSettings| match way {
        PhoneProviderSettings::Twilio => settings.twilio.as_ref().map(|account| account.base_url.clone()),
        PhoneProviderSettings::Http(gateway) => {
            TemplateValues::SAMPLE.fill(&gateway.url, Escape::Percent).parse().ok()
        }
    };
    let configured = [("text", &settings.text), ("voice", &settings.voice)].into_iter();
    let sections = configured.filter(|_| !settings.dev.outbox);
    sections.filter_map(|(section, way)| Some((section, url(way.as_ref()?)?))).collect()
}

pub fn server(email: &EmailSettings) -> SmtpServer {
    SmtpServer {
        host: email.host.clone(),
        port: email.port,
        tls: match email.tls {
            EmailTls::StartTls => SmtpTls::StartTls,
            EmailTls::Tls => SmtpTls::Tls,
            EmailTls::None => SmtpTls::None,
        },
        authority: email.authority.clone(),
        login: email.username.clone().zip(email.password.clone()),
        from: email.from.clone(),
        from_name: email.from_name.clone(),
        reply_to: email.reply_to.clone(),
        timeout: Duration::try_from(email.timeout).unwrap_or(Duration::from_secs(20)),
        connections: usize::from(email.connections),
    }
}

fn twilio(
    account: &TwilioSettings,
    settings: &Settings,
    provider: &Provider,
) -> Result<Twilio, SendingError> {
    let account = TwilioAccount {
        base_url: account.base_url.clone(),
        account_sid: account.account_sid.clone(),
        auth_token: account.auth_token.clone(),
        number: account.from.clone(),
        messaging_service: account.messaging_service.clone(),
    };
    Ok(Twilio::new(account, settings.issuer.url(), part_sealer(provider))?)
}

fn part_sealer(provider: &Provider) -> Arc<CodePartSealer> {
    Arc::new(CodePartSealer { keyring: Arc::clone(&provider.keyring), random: provider.random.clone() })
}

/// Responds to Twilio's callbacks; `None` if Twilio sends no messages of ours.
pub fn callbacks(settings: &Settings, provider: &Provider) -> Option<Arc<Callbacks>> {
    let account = settings.twilio.as_ref().filter(|_| !settings.dev.outbox)?;
    let (auth_token, store) = (account.auth_token.clone(), provider.store.clone());
    Some(Arc::new(Callbacks { auth_token, part_sealer: part_sealer(provider), store }))
}

fn gateway_request(gateway: &HttpGateway) -> GatewayRequest {
    GatewayRequest {
        method: match gateway.method {
            HttpMethod::Get => GatewayMethod::Get,
            HttpMethod::Post => GatewayMethod::Post,
            HttpMethod::Put => GatewayMethod::Put,
        },
        url: gateway.url.clone(),
        headers: gateway.headers.clone(),
        body: gateway.body.clone(),
        secret: gateway.secret.clone(),
        success: gateway.success.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anteroom_config::Configuration;
    use anteroom_crypto::{MasterKey, Random};
    use secrecy::ExposeSecret as _;

    fn settings(more: &str) -> Settings {
        let text =
            format!("issuer = \"http://localhost:8080\"\nkeys.master_key_env = \"MASTER_KEY\"\n{more}");
        let key = MasterKey::generate(&Random::seeded(1)).encode();
        let environment = |name: &str| (name == "MASTER_KEY").then(|| key.expose_secret().to_owned());
        let read = Configuration::parse_str("test.toml", &text, &environment);
        read.unwrap_or_else(|problems| panic!("{}", problems.render(false))).settings
    }

    #[test]
    fn what_cannot_be_sent_is_told_and_not_offered() {
        const EMAIL: &str = "email.host = \"localhost\"\nemail.from = \"a@b.example\"\n";
        const TEXT: &str =
            "text.provider = \"http\"\ntext.http.url = \"http://127.0.0.1:9/?to={to}&text={text}\"\n";
        const VOICE: &str = "[voice]\nprovider = \"http\"\n[voice.http]\nurl = \"http://127.0.0.1:9/?to={to}&text={text}\"\nwaits_for_key = true\n";
        for (more, offered, expected) in [
            (String::new(), &[][..], &["[email] is not", "neither [text] nor [voice]"][..]),
            (format!("{EMAIL}{TEXT}"), &[DeliveryMethod::Text], &["[voice] is not"]),
            (format!("{EMAIL}{VOICE}"), &[DeliveryMethod::Call], &["[text] is not"]),
            (format!("{EMAIL}{TEXT}{VOICE}"), &[DeliveryMethod::Text, DeliveryMethod::Call], &[]),
            ("dev.outbox = true".to_owned(), &[DeliveryMethod::Text, DeliveryMethod::Call], &[]),
        ] {
            let settings = settings(&more);
            assert_eq!(methods(&settings), offered, "{more}");
            let warnings = missing_channel_warnings(&settings);
            assert_eq!(warnings.len(), expected.len(), "{warnings:?}");
            for (gap, begins) in warnings.iter().zip(expected) {
                assert!(gap.starts_with(begins), "{gap}");
            }
        }
    }
}
