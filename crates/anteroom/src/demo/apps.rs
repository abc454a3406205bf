//! The sample applications behind the tiles: ordinary relying parties, each on a port of its own.

use anteroom_crypto::Random;
use anteroom_oidc::Issuer;
use anteroom_practice_app::{ClientId, ClientSecret, Clock, IssuerUrl, PracticeAppConfig, Screen, serve};
use std::net::{Ipv4Addr, SocketAddr};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use url::Url;

use crate::commands::CommandError;

pub(super) struct Apps(Vec<App>);

/// One application, bound to its port first, because its client's configuration needs the port.
pub(super) struct App {
    pub screen: Screen,
    pub base_url: Url,
    pub secret: String,
    listener: TcpListener,
}

impl Apps {
    pub(super) async fn bind() -> Result<Self, CommandError> {
        let random = Random::system();
        let mut apps = Vec::new();
        for screen in Screen::ALL {
            // Cookies are shared by all ports of a host: on `localhost` the applications would share the provider's
            // cookies.
            let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await?;
            let port = listener.local_addr()?.port();
            let base_url = Url::parse(&format!("http://127.0.0.1:{port}"));
            let base_url = base_url.map_err(|error| CommandError::Usage(error.to_string()))?;
            apps.push(App { screen, base_url, secret: random.token().encode(), listener });
        }
        Ok(Self(apps))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &App> {
        self.0.iter()
    }

    pub(super) fn serve(
        self,
        issuer: &Issuer,
        stopped: &watch::Receiver<()>,
    ) -> Result<JoinSet<()>, CommandError> {
        let mut running = JoinSet::new();
        for app in self.0 {
            let unusable = |error: url::ParseError| CommandError::Usage(error.to_string());
            let config = PracticeAppConfig {
                name: app.title().to_owned(),
                screen: app.screen,
                issuer: IssuerUrl::new(issuer.as_str().to_owned()).map_err(unusable)?,
                client_id: ClientId::new(app.screen.slug().to_owned()),
                client_secret: ClientSecret::new(app.secret),
                base_url: app.base_url,
            };
            let mut stopped = stopped.clone();
            let stop = async move { drop(stopped.changed().await) };
            let (name, listener) = (config.name.clone(), app.listener);
            running.spawn(async move {
                if let Err(error) = serve(config, Clock::system(), listener, stop).await {
                    tracing::error!("{name}: {error}");
                }
            });
        }
        Ok(running)
    }
}

impl App {
    pub(super) const fn title(&self) -> &'static str {
        match self.screen {
            Screen::Schedule => "Schedule",
            Screen::PatientForms => "Patient Forms",
            Screen::SecureMail => "Secure Mail",
            Screen::Imaging => "Imaging",
            Screen::Analytics => "Analytics",
        }
    }

    pub(super) const fn line(&self) -> &'static str {
        match self.screen {
            Screen::Schedule => "Today's chairs, rooms and appointments",
            Screen::PatientForms => "Intake, history and consent",
            Screen::SecureMail => "Messages that may carry health information",
            Screen::Imaging => "Radiographs and scans by patient",
            Screen::Analytics => "How the practice is doing, month by month",
        }
    }

    /// The group whose members may use the application.
    pub(super) const fn group(&self) -> &'static str {
        match self.screen {
            Screen::Schedule | Screen::PatientForms | Screen::SecureMail => "staff",
            Screen::Imaging => "clinicians",
            Screen::Analytics => "managers",
        }
    }
}
