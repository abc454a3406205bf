//! A connection to the mail server on which mail can be handed over: address, TLS, and our name and password.

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::Ehlo;
use lettre::transport::smtp::extension::ClientId;
use lettre::transport::smtp::response::Response;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::{TcpStream, lookup_host};

use super::failure::{SmtpStage, failure};
use crate::sending::failure::{DeliveryError, Reason};

/// RFC 8305, §8: how long an address has for itself before the next one is tried beside it.
const ATTEMPT_DELAY: Duration = Duration::from_millis(250);
/// What is told of a server's offer in a log is of its choosing, and so bounded.
const MOST_OFFERED: usize = 300;

pub(super) enum Tls {
    None,
    Start(TlsParameters),
    Wrapped(TlsParameters),
}

/// Which server, and how it is spoken to.
pub(super) struct Server {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) tls: Tls,
    pub(super) login: Option<Credentials>,
    pub(super) hello: ClientId,
    pub(super) timeout: Duration,
}

impl Server {
    /// Every failure here affects the whole channel.
    pub(super) async fn connect(&self) -> Result<AsyncSmtpConnection, DeliveryError> {
        self.secured_and_signed_in().await.map_err(DeliveryError::of_channel)
    }

    async fn secured_and_signed_in(&self) -> Result<AsyncSmtpConnection, DeliveryError> {
        let mut connection = self.greet().await?;
        if let Tls::Start(parameters) = &self.tls {
            connection = self.secure(connection, parameters.clone()).await?;
        }
        match self.sign_in(&mut connection).await {
            Ok(()) => Ok(connection),
            Err(refused) => {
                super::close(connection).await;
                Err(refused)
            }
        }
    }

    async fn greet(&self) -> Result<AsyncSmtpConnection, DeliveryError> {
        let addresses = self.addresses().await?;
        let refused = |tried: String| {
            DeliveryError::new(Reason::NoConnection).detailed(format!("{}: {tried}", self.host))
        };
        let of_us = |error| failure(SmtpStage::BeforeRecipient, &error);
        let Tls::Wrapped(parameters) = &self.tls else {
            let (_, stream) = first_to_answer(&addresses).await.map_err(refused)?;
            let connection = AsyncSmtpConnection::connect_with_transport(Box::new(stream), &self.hello);
            return connection.await.map_err(of_us);
        };
        // The library makes the TLS session on a connection of its own, so of several addresses the first to answer is
        // looked for before.
        let address = match addresses.as_slice() {
            [only] => *only,
            several => first_to_answer(several).await.map_err(refused)?.0,
        };
        let (parameters, timeout) = (Some(parameters.clone()), Some(self.timeout));
        let connection = AsyncSmtpConnection::connect_tokio1(address, timeout, &self.hello, parameters, None);
        connection.await.map_err(of_us)
    }

    async fn addresses(&self) -> Result<Vec<SocketAddr>, DeliveryError> {
        let found = addresses_of(&self.host, self.port).await;
        let unknown =
            |why| DeliveryError::new(Reason::NoConnection).detailed(format!("{}: {why}", self.host));
        found.map_err(unknown)
    }

    async fn secure(
        &self,
        mut connection: AsyncSmtpConnection,
        parameters: TlsParameters,
    ) -> Result<AsyncSmtpConnection, DeliveryError> {
        if !connection.can_starttls() {
            let refused = self.not_offered(&mut connection, Reason::NoStartTls).await;
            super::close(connection).await;
            return Err(refused);
        }
        match connection.starttls(parameters, &self.hello).await {
            Ok(()) => Ok(connection),
            // A failed handshake leaves the library's connection without a stream, and it panics when it is used again, so
            // it is dropped without QUIT.
            Err(error) => Err(failure(SmtpStage::BeforeRecipient, &error)),
        }
    }

    async fn sign_in(&self, connection: &mut AsyncSmtpConnection) -> Result<(), DeliveryError> {
        let Some(login) = &self.login else { return Ok(()) };
        if connection.server_info().get_auth_mechanism(DEFAULT_MECHANISMS).is_none() {
            return Err(self.not_offered(connection, Reason::NoAuth).await);
        }
        let signed_in = connection.auth(DEFAULT_MECHANISMS, login).await;
        signed_in.map(drop).map_err(|error| failure(SmtpStage::BeforeRecipient, &error))
    }

    /// With what the server does offer, in its own words.
    async fn not_offered(&self, connection: &mut AsyncSmtpConnection, reason: Reason) -> DeliveryError {
        let offer = connection.command(Ehlo::new(self.hello.clone())).await.ok();
        let lines: Vec<String> =
            offer.iter().flat_map(Response::message).skip(1).map(str::to_owned).collect();
        let words: String = lines.join(", ").escape_debug().take(MOST_OFFERED).collect();
        let words = if words.is_empty() { "nothing".to_owned() } else { words };
        DeliveryError::new(reason).detailed(format!("the server offers: {words}"))
    }
}

async fn addresses_of(host: &str, port: u16) -> Result<Vec<SocketAddr>, String> {
    let found = lookup_host((host, port)).await;
    let found: Vec<SocketAddr> = found.map_err(|error| error.to_string())?.collect();
    if found.is_empty() { Err("the name has no address".to_owned()) } else { Ok(interleaved(&found)) }
}

/// Connects and says nothing. An error names each address with what it said.
pub(in crate::sending) async fn try_connection(host: &str, port: u16) -> Result<(), String> {
    let addresses = addresses_of(host, port).await?;
    first_to_answer(&addresses).await.map(drop)
}

/// RFC 8305, §4: the families take turns, the one that the resolver preferred first.
fn interleaved(found: &[SocketAddr]) -> Vec<SocketAddr> {
    let preferred_v6 = found.first().is_some_and(SocketAddr::is_ipv6);
    let (first, second): (Vec<SocketAddr>, Vec<SocketAddr>) =
        found.iter().copied().partition(|address| address.is_ipv6() == preferred_v6);
    let longer = first.len().max(second.len());
    let turns = (0..longer).flat_map(|turn| [first.get(turn), second.get(turn)]);
    turns.flatten().copied().collect()
}

/// RFC 8305, §5: each address is tried beside the ones before when those were silent for a moment, and at once where they
/// refused. An error names each with what it said.
async fn first_to_answer(addresses: &[SocketAddr]) -> Result<(SocketAddr, TcpStream), String> {
    let mut waiting = addresses.iter().copied();
    let mut trying = FuturesUnordered::new();
    let mut refused: Vec<String> = Vec::new();
    loop {
        match waiting.next() {
            Some(address) => trying.push(async move { (address, TcpStream::connect(address).await) }),
            None if trying.is_empty() => return Err(refused.join(", ")),
            None => {}
        }
        tokio::select! {
            Some((address, connected)) = trying.next() => match connected {
                Ok(stream) => return Ok((address, stream)),
                Err(error) => refused.push(format!("{address}: {error}")),
            },
            () = tokio::time::sleep(ATTEMPT_DELAY), if waiting.len() > 0 => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::{TcpListener, TcpSocket};

    #[test]
    fn rfc8305_4_the_families_take_turns() {
        let parse =
            |list: &[&str]| -> Vec<SocketAddr> { list.iter().map(|one| one.parse().unwrap()).collect() };
        for (found, expected) in [
            (&["[::1]:25", "[::2]:25", "1.1.1.1:25"][..], &["[::1]:25", "1.1.1.1:25", "[::2]:25"][..]),
            (&["1.1.1.1:25", "[::1]:25", "[::2]:25"], &["1.1.1.1:25", "[::1]:25", "[::2]:25"]),
            (&["1.1.1.1:25"], &["1.1.1.1:25"]),
            (&[], &[]),
        ] {
            assert_eq!(interleaved(&parse(found)), parse(expected));
        }
    }

    /// An address where nothing is answered: the listener's queue is full, so further connections wait for ever.
    async fn silent() -> (SocketAddr, TcpListener, Vec<TcpStream>) {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let listener = socket.listen(0).unwrap();
        let address = listener.local_addr().unwrap();
        let mut held = Vec::new();
        while let Ok(connected) =
            tokio::time::timeout(Duration::from_millis(300), TcpStream::connect(address)).await
        {
            held.push(connected.unwrap());
            assert!(held.len() < 64, "the queue is never full");
        }
        (address, listener, held)
    }

    #[tokio::test]
    async fn rfc8305_5_an_address_that_is_silent_does_not_keep_from_the_next() {
        let (dead, _listener, _held) = silent().await;
        let well = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = well.local_addr().unwrap();
        let found = tokio::time::timeout(Duration::from_secs(20), first_to_answer(&[dead, address])).await;
        assert_eq!(found.unwrap().unwrap().0, address);
    }

    #[tokio::test]
    async fn an_address_that_refuses_is_named_where_none_answers() {
        let closed = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = closed.local_addr().unwrap();
        drop(closed);
        let error = first_to_answer(&[address]).await.unwrap_err();
        assert!(error.contains(&address.to_string()) && error.contains("refused"), "{error}");
        assert_eq!(first_to_answer(&[]).await.unwrap_err(), "");
    }
}
